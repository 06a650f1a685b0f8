/*
 * fanout.h - one message to all its subscribers, copied at most twice.
 *
 *	PUBLISH --> gathered --fanout_finish()--> a frame for each class
 *	                                          --> its members
 *	                                      --> a post for each other worker
 *
 * To hand a message to a socket costs more than to share it.  So those that
 * follow one another to one channel are gathered while the worker reads, and
 * go out as one frame for all who hear the same (route.h), by the channel or
 * by patterns.  Small ones are copied, for their headers would be most of the
 * cost, and so that what waits long does not keep the rooms that others were
 * read into; large ones are shared, however many get them.
 *
 * Nothing overtakes what is gathered.  Whatever changes who gets what, and
 * another channel's message, gives it first, here; a worker gives it before
 * it sends, and before it executes anything but a PUBLISH.
 *
 * What is above is reached by two callbacks, which hand a frame to a
 * subscriber, and messages to a worker.  All is for one worker and its thread.
 */
#ifndef RELAY_FANOUT_H
#define RELAY_FANOUT_H

#include "../base/kind.h"
#include "frame.h"
#include "pipes.h"
#include "route.h"
#include "topic.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

struct counters;
struct fanout;
struct settings;

/* Messages at a time; the bytes of small ones. */
enum { GATHERED_MAX = 1024, GATHERED_BYTES = 64 << 10 };

/* Messages that are published but not given yet. */
struct gathered {
	struct route *route; /* of all of them */
	struct body bodies[GATHERED_MAX];
	size_t count;
	size_t bytes;   /* of all */
	bool is_local;  /* not for other workers: one of them has posted it */
	uint8_t *small; /* where those lie that are copied */
	size_t used;
};

/* Send a subscriber a frame.  Nobody may join or leave meanwhile. */
typedef void fanout_push_fn(struct subscriber *to, struct frame *frame);

/* Send another worker bodies to one channel; they are the callee's.  false:
   they were dropped. */
typedef bool fanout_post_fn(struct fanout *f, unsigned worker, enum kind kind,
			    struct ibuf_mbuf *bodies);

struct fanout {
	const struct settings *settings;
	struct counters *counters;
	fanout_push_fn *push;
	fanout_post_fn *post;
	struct topics topics;
	struct routes routes;
	struct frames frames;
	struct pipes pipes; /* of large messages */
	struct gathered gathered;
};

/* The first four members, the directory and the pools are set, all else is
   zero.  false: no memory. */
bool fanout_init(struct fanout *f);

/* Give back what it can make anew: pipes, routes, room to copy into. */
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

/* A subscriber speaks another version from now on. */
void fanout_speak(struct fanout *f, struct subscriber *s, unsigned resp);

/* The bytes of the bulk string that a message begins with. */
struct fanout_name {
	const char *bytes; /* not ended by a zero */
	size_t len;
	char *copy; /* of those that straddle segments */
};

/* false: no memory. */
bool fanout_name(const struct ibuf_mbuf *body, struct fanout_name *name);
void fanout_name_free(struct fanout_name *name);

/* Who gets what is published there; valid until the next call of any of
   these functions.  NULL: no memory. */
struct route *fanout_route(struct fanout *f, enum kind kind, const char *name,
			   size_t len);

/* Publish a body, which is n bytes of the source, to where its route goes. */
void fanout_publish(struct fanout *f, struct route *route,
		    const struct ibuf_mbuf *source, size_t off, size_t n);

/* Give this worker's subscribers what another has posted. */
void fanout_deliver(struct fanout *f, enum kind kind,
		    const struct ibuf_mbuf *bodies);

/* Give it to the members of one topic alone, whose name is a bulk string. */
void fanout_relay(struct fanout *f, enum kind kind,
		  const struct ibuf_mbuf *topic_name,
		  const struct ibuf_mbuf *body);

/* Give what was gathered. */
void fanout_finish(struct fanout *f);

/* Does it pay to look for more before that is given? */
bool fanout_may_gather(const struct fanout *f);

#endif
