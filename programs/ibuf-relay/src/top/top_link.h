/*
 * top_link.h - a connection to a server that is asked things.
 *
 * It never waits but to connect: whoever has it polls `fd`.
 */
#ifndef RELAY_TOP_LINK_H
#define RELAY_TOP_LINK_H

#include "../protocol/answer.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

struct top_link {
	int fd;
	struct ibuf_mbuf *in;
	struct answer_parser parser;
};

enum top_answer {
	TOP_MORE,  /* it is not all there yet */
	TOP_TEXT,  /* a status or a bulk string */
	TOP_ERROR, /* its words are the text */
	TOP_WRONG  /* no answer that we would understand */
};

/* HOST:PORT, [ADDRESS]:PORT.  false: it could not, and says why. */
bool top_link_open(struct top_link *l, const char *where);

void top_link_close(struct top_link *l);

/* Send a request of `count` words.  false: the connection is gone. */
bool top_link_ask(struct top_link *l, const char *const *words, size_t count);

/* Read what there is.  false: the connection is gone. */
bool top_link_read(struct top_link *l);

/* The next answer; the text is valid until the next call. */
enum top_answer top_link_take(struct top_link *l, const char **text,
			      size_t *len);

#endif
