/*
 * frame.h - bytes that wait for clients: made once, and counted.
 *
 *	frame: m, len <---- the output of client 1
 *	   ^    ^---------- the output of client 2
 *	   '--------------- a load, when it lies in a pipe as well
 *
 * A frame of messages, of one or of several, is for all who get the same; it
 * never changes.  A frame of answers is for one client and may grow.  So for
 * each client a frame costs a pointer, whatever is in it.
 *
 * What a subscriber is sent are messages with what goes before each:
 *
 *	head              body
 *	*3\r\n            $4\r\nnews\r\n$5\r\nhello\r\n
 *	$7\r\nmessage\r\n
 *
 * Heads are made once: for each worker, and for each pattern.  All is for one
 * worker and its thread.
 */
#ifndef RELAY_FRAME_H
#define RELAY_FRAME_H

#include "../base/kind.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

struct load;
struct topic;

struct frame {
	struct ibuf_mbuf *m; /* NULL: what goes here is not known yet */
	size_t len;
	struct load *load; /* NULL: it is in no pipe */
	unsigned refs;     /* who has it */
	unsigned messages;
	bool is_own; /* of one client; it may grow */
};

/* Of the message, with one reference; it is the frame's then, and freed when
   there is no memory, which is NULL. */
struct frame *frame_new(struct ibuf_mbuf *m, unsigned messages);

/* One reference less. */
void frame_put(struct frame *frame);

/* One message: its channel and its payload, each a bulk string. */
struct body {
	const uint8_t *bytes; /* in one piece; NULL: they are in m */
	struct ibuf_mbuf *m;  /* a message of its own; NULL: bytes */
	size_t len;
};

/* Of one worker. */
struct frames {
	struct ibuf_pool *rooms;           /* where small messages are joined */
	struct ibuf_pool *replies;         /* where heads are made */
	struct ibuf_mbuf *heads[KINDS][2]; /* none for patterns */
	struct ibuf_mbuf *joined; /* empty, with room to copy into; NULL */
};

/* Make the heads of channels.  false: no memory. */
bool frames_init(struct frames *f);

/* Give back the room to copy into, which is made anew when it is needed. */
void frames_flush(struct frames *f);

void frames_destroy(struct frames *f);

/* What goes before the messages of a topic.  NULL: no memory. */
const struct ibuf_mbuf *frames_head(struct frames *f, struct topic *topic,
				    unsigned resp);

/*
 * For each body, and for each of the heads, this head and that body: small
 * ones are copied, others shared.  Without a head, the bodies alone.
 * NULL: no memory.
 */
struct ibuf_mbuf *frames_join(struct frames *f,
			      const struct ibuf_mbuf *const *heads,
			      size_t heads_count, const struct body *bodies,
			      size_t n);

#endif
