/*
 * frame.h - what a subscriber is sent: messages with what goes before each.
 *
 *	before            body
 *	*3\r\n            $4\r\nnews\r\n$5\r\nhello\r\n
 *	$7\r\nmessage\r\n
 *
 * What goes before was made once: for each worker, and for each pattern.
 */
#ifndef RELAY_FRAME_H
#define RELAY_FRAME_H

#include "../base/kind.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

struct topic;

/* No more than this goes before a body that is for no pattern. */
enum { FRAME_BEFORE_BYTES = 32 };

/* Of one worker. */
struct frames {
	struct ibuf_pool *rooms;   /* where small messages are joined */
	struct ibuf_pool *replies; /* where what goes before them is made */
	struct ibuf_mbuf *before[KINDS][2]; /* none for patterns */
	struct ibuf_mbuf *joined; /* empty, with room to copy into; NULL */
};

/* Make what goes before the messages of channels.  false: no memory. */
bool frame_init(struct frames *f);

/* Give back the room to copy into, which is made anew when it is needed. */
void frame_flush(struct frames *f);

void frame_destroy(struct frames *f);

/* One message, sharing the body.  NULL: no memory. */
struct ibuf_mbuf *frame_share(struct frames *f, struct topic *topic,
			      unsigned resp, const struct ibuf_mbuf *body);

/*
 * Some messages as one segment, each copied; they fit into a room with what
 * goes before them.  NULL: no memory.
 */
struct ibuf_mbuf *frame_join(struct frames *f, struct topic *topic,
			     unsigned resp, struct ibuf_mbuf *const *bodies,
			     size_t n);

#endif
