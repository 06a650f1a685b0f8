/*
 * fanout.h - one message to all its subscribers, copied at most once.
 *
 * The body is the channel and the payload as the publisher sent them, cut out
 * of what was read; it travels between workers as a clone.  A subscriber gets
 * a clone of it behind what goes before (frame.h), so a message costs him some
 * windows, whatever its length.
 *
 *	PUBLISH --> gathered --fanout_finish()--> one frame --> each subscriber
 *
 * To hand a message to a socket costs more than to share it.  So those that
 * follow one another to one channel are gathered while the worker reads, and
 * go to each subscriber as one frame.  Of small ones the windows would be most
 * of the cost: they are copied into it, each once.  Nothing overtakes what is
 * gathered: whatever else a client could see or change, another channel's
 * message included, finishes it first.
 */
#ifndef RELAY_FANOUT_H
#define RELAY_FANOUT_H

#include "../base/kind.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

struct topic;
struct worker;

/* Messages at a time. */
enum { GATHERED_MAX = 1024 };

/* Messages that are published but not given yet. */
struct gathered {
	struct topic *topic; /* of all of them */
	struct ibuf_mbuf *bodies[GATHERED_MAX];
	size_t count;
	size_t bytes; /* with what may go before each */
};

/*
 * Publish: to the worker's own clients, at the latest when the worker
 * finishes, to others by post.  The body is the caller's still.
 *
 * @return how many subscriptions get it; those for whom there is no memory
 *         are counted as dropped
 */
size_t fanout_publish(struct worker *w, enum kind kind, const char *name,
		      size_t len, struct ibuf_mbuf *body);

/* The bytes of the bulk string that a message begins with. */
struct fanout_name {
	const char *bytes; /* not ended by a zero */
	size_t len;
	char *copy; /* of those that straddle segments */
};

/* false: no memory. */
bool fanout_name(const struct ibuf_mbuf *body, struct fanout_name *name);
void fanout_name_free(struct fanout_name *name);

/* Give a message to the worker's clients; the channel is read from it. */
void fanout_deliver(struct worker *w, enum kind kind, struct ibuf_mbuf *body);

/* Give it to the members of one topic alone, whose name is a bulk string. */
void fanout_relay(struct worker *w, enum kind kind,
		  const struct ibuf_mbuf *topic_name, struct ibuf_mbuf *body);

/* Give what was gathered. */
void fanout_finish(struct worker *w);

/* Does it pay to look for more before that is given? */
bool fanout_may_gather(const struct worker *w);

#endif
