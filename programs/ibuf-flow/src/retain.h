/*
 * retain.h - keep bytes of a packet for longer.
 *
 *	small: 4 * len < cost
 *
 * A slice shares the bytes, but holds a whole block for them.  Where the bytes
 * are few beside the block, they are copied and the block can go.
 */
#ifndef FLOW_RETAIN_H
#define FLOW_RETAIN_H

#include <ibuf/ibuf.h>

/*
 * Add len bytes of m at off to *held, which may be NULL.  cost is what the
 * rooms of m take of memory.  Returns what *held takes more than before; 0: no
 * memory, and nothing is changed.
 */
size_t retain(struct ibuf_mbuf **held, const struct ibuf_mbuf *m, size_t off,
	      size_t len, size_t cost);

/* Add all of tail, which is gone then.  false: no memory; both are as before. */
bool retain_all(struct ibuf_mbuf **held, struct ibuf_mbuf *tail);

#endif
