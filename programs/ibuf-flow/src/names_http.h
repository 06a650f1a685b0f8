/*
 * names_http.h - the requests in one direction of a stream (RFC 9112).
 *
 * HTTP/1.x: request lines and Host, request after request on one connection,
 * past bodies with a length and past chunks.  In the middle of something, the
 * next line that ends like a request line is one.
 */
#ifndef FLOW_NAMES_HTTP_H
#define FLOW_NAMES_HTTP_H

#include "names.h"
#include <ibuf/ibuf.h>

enum http_part {
	HTTP_START, /* the request line is next */
	HTTP_FIELDS,
	HTTP_BODY,
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK, /* with the end of line behind it */
	HTTP_TRAILERS,
};

/* The fields that are read. */
enum http_field { HTTP_OTHER, HTTP_HOST_NAME, HTTP_LENGTH, HTTP_ENCODING };

/* Where it is; all zero is the start of a stream. */
struct http {
	enum http_part part;
	enum http_field field; /* of which a line may go on */
	bool is_lost;          /* what is next is not known */
	bool is_chunked;
	bool is_host_empty; /* so far */
	bool is_connect;
	uint64_t left;  /* bytes of the body, or the chunk */
	size_t scanned; /* of a line that has no end yet */
	size_t request; /* its number among those of the flow */
};

enum http_state {
	HTTP_MORE,   /* bytes are missing */
	HTTP_TUNNEL, /* a request was CONNECT: what is next is anything */
	HTTP_ANSWER  /* a server sends it */
};

/*
 * Read what there is in m.  *consumed is what was read; the rest, the begin of
 * a line, is to be given again, with more behind it.
 */
enum http_state http_read(struct http *h, const struct ibuf_mbuf *m,
			  size_t *consumed, const struct name_flow *flow);

/*
 * Nothing comes behind m, which http_read() left: it may be the begin of a
 * request line, with the end of its target.
 */
void http_end(const struct http *h, const struct ibuf_mbuf *m,
	      const struct name_flow *flow);

#endif
