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
 * of the cost: they are copied into it, each once.
 *
 * Nothing overtakes what is gathered.  Whatever changes who gets what, and
 * another channel's message, gives it first, here; a worker gives it before
 * it sends, and before it executes anything but a PUBLISH.
 *
 * What is above is reached by one callback, which hands a frame to one
 * subscriber.  All is for one worker and its thread.
 */
#ifndef RELAY_FANOUT_H
#define RELAY_FANOUT_H

#include "../base/kind.h"
#include "frame.h"
#include "pipes.h"
#include "topic.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

struct counters;
struct settings;

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
 * Send a subscriber so many messages; the frame is the callee's.  It may be in
 * a load too, else NULL.  Nobody may join or leave meanwhile.
 */
typedef void fanout_push_fn(struct subscriber *to, struct ibuf_mbuf *frame,
			    size_t messages, struct load *load);

struct fanout {
	const struct settings *settings;
	struct counters *counters;
	fanout_push_fn *push;
	struct topics topics;
	struct frames frames;
	struct pipes pipes; /* of large messages */
	struct gathered gathered;
};

/* The first three members, the directory and the pools are set, all else is
   zero.  false: no memory. */
bool fanout_init(struct fanout *f);

/* Give back what it can make anew: pipes, and room to copy into. */
void fanout_flush(struct fanout *f);

void fanout_destroy(struct fanout *f);

/* Subscribe.  On TOPIC_NOMEM nothing has changed. */
enum topic_result fanout_join(struct fanout *f, enum kind kind,
			      const char *name, size_t len,
			      struct subscriber *s);

/* NULL: it has not subscribed to that. */
struct membership *fanout_membership(struct fanout *f, enum kind kind,
				     const char *name, size_t len,
				     const struct subscriber *s);

/* End a subscription; the topic is gone too when this was its last. */
void fanout_leave(struct fanout *f, struct membership *m);

/* End all of a kind. */
void fanout_leave_all(struct fanout *f, enum kind kind, struct subscriber *s);

/* The bytes of the bulk string that a message begins with. */
struct fanout_name {
	const char *bytes; /* not ended by a zero */
	size_t len;
	char *copy; /* of those that straddle segments */
};

/* false: no memory. */
bool fanout_name(const struct ibuf_mbuf *body, struct fanout_name *name);
void fanout_name_free(struct fanout_name *name);

/* Give a message to the worker's subscribers; the body is the caller's. */
void fanout_deliver(struct fanout *f, enum kind kind, const char *name,
		    size_t len, struct ibuf_mbuf *body);

/* The same; the channel is read from the body. */
void fanout_deliver_body(struct fanout *f, enum kind kind,
			 struct ibuf_mbuf *body);

/* Give it to the members of one topic alone, whose name is a bulk string. */
void fanout_relay(struct fanout *f, enum kind kind,
		  const struct ibuf_mbuf *topic_name, struct ibuf_mbuf *body);

/* Give what was gathered. */
void fanout_finish(struct fanout *f);

/* Does it pay to look for more before that is given? */
bool fanout_may_gather(const struct fanout *f);

#endif
