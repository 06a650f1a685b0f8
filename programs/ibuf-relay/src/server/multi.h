/*
 * multi.h - what a client queues between MULTI and EXEC.
 *
 * A request is kept as the bytes it came in, shared.  For the client's worker.
 */
#ifndef RELAY_MULTI_H
#define RELAY_MULTI_H

#include "../protocol/resp.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

struct client;

struct queued {
	struct queued *next;
	struct ibuf_mbuf *m; /* its arguments, as bulk strings */
	size_t argc;
	struct resp_arg args[]; /* places in m */
};

struct multi {
	struct queued *first, **end;
	size_t count;
	size_t bytes; /* at most the output limit, and one request */
	bool is_bad;  /* one of them could not be queued */
};

/* false: no memory. */
bool multi_begin(struct client *c);

/* Queue a request.  false: no memory, or too much is queued. */
bool multi_add(struct client *c, const struct ibuf_mbuf *source,
	       const struct resp_arg *args, size_t argc);

/* Forget all, if there is any. */
void multi_free(struct client *c);

#endif
