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

#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

struct topic;
struct worker;

/* No more than this goes before a body that is for no pattern. */
enum { FRAME_BEFORE_BYTES = 32 };

/* What goes before the messages of channels.  false: no memory. */
bool frame_init(struct worker *w);
void frame_destroy(struct worker *w);

/* One message, sharing the body.  NULL: no memory. */
struct ibuf_mbuf *frame_share(struct worker *w, struct topic *topic,
			      unsigned resp, const struct ibuf_mbuf *body);

/*
 * Some messages as one segment, each copied; they fit into a room with what
 * goes before them.  NULL: no memory.
 */
struct ibuf_mbuf *frame_join(struct worker *w, struct topic *topic,
			     unsigned resp, struct ibuf_mbuf *const *bodies,
			     size_t n);

#endif
