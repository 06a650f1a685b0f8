/*
 * http.h - as much of HTTP/1.1 as it takes to be scraped.
 *
 * A request is looked at when its head is whole; headers and a body are not
 * read.  Each answer ends the connection.
 */
#ifndef RELAY_HTTP_H
#define RELAY_HTTP_H

#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

/* Who has not ended the head of his request in so many never will. */
enum { HTTP_HEAD_MAX_BYTES = 8192 };

struct http_request {
	unsigned status; /* 200: GET or HEAD of the path; or what is wrong */
	bool is_head;    /* wants no body */
};

/*
 * Read a request for one path.  false: the head is not all there yet; when
 * it is longer than it may be the status says so.
 */
bool http_read(const char *text, size_t n, const char *path,
	       struct http_request *q);

/* The head of an answer whose body has so many bytes.  0, or -errno. */
int http_print_head(struct ibuf_mbuf *to, unsigned status, const char *type,
		    size_t body_bytes);

/* The status in words: "Not Found". */
const char *http_reason(unsigned status);

#endif
