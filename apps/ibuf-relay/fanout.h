/*
 * fanout.h - one message to all its subscribers, without a copy.
 *
 *	before            body
 *	*3\r\n            $4\r\nnews\r\n$5\r\nhello\r\n
 *	$7\r\nmessage\r\n
 *
 * The body is the channel and the payload as the publisher sent them, cut out
 * of what was read; it travels between workers as a clone.  What goes before
 * it was made once: for each worker, and for each pattern.  A subscriber gets
 * a clone of both, so his message costs some windows, whatever its length.
 */
#ifndef RELAY_FANOUT_H
#define RELAY_FANOUT_H

#include "kind.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

struct client;
struct worker;

/* What goes before the messages of channels.  false: no memory. */
bool fanout_init(struct worker *w);
void fanout_destroy(struct worker *w);

/*
 * Publish: to the worker's own clients now, to others by post.  The body is
 * the caller's still.
 *
 * @return how many subscriptions get it; those for whom there is no memory
 *         are counted as dropped
 */
size_t fanout_publish(struct worker *w, enum kind kind, const char *name,
		      size_t len, const struct ibuf_mbuf *body);

/* Give a message to the worker's clients; the channel is read from it. */
void fanout_deliver(struct worker *w, enum kind kind,
		    const struct ibuf_mbuf *body);

#endif
