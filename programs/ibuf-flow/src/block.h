/*
 * block.h - many frames in one message.
 *
 *	| packet | frame | packet | frame | ... |
 *
 * A pool mbuf takes as many frames as fit, each behind its description.  So one
 * allocation, one push and one free serve a hundred packets.  Who else looks at
 * the frames has a clone of the block, and bytes that are kept are slices of it.
 */
#ifndef FLOW_BLOCK_H
#define FLOW_BLOCK_H

#include "packet.h"
#include <ibuf/ibuf.h>
#include <string.h>

/* Bytes a block holds before it grows, and what one takes of memory. */
enum { BLOCK_ROOM = 64 * 1024, BLOCK_COST = BLOCK_ROOM + 512 };

static inline size_t
block_size_of(size_t captured)
{
	return sizeof(struct packet) + ((captured + 7) & ~(size_t)7);
}

/* Whether one more frame fits; an empty block grows for any. */
static inline bool
block_fits(const struct ibuf_mbuf *block, size_t captured)
{
	return ibuf_mbuf_len(block) == 0 ||
	       ibuf_mbuf_tailroom(block) >= block_size_of(captured);
}

/* Add a frame that fits.  NULL: no memory. */
static inline struct packet *
block_add(struct ibuf_mbuf *block, const uint8_t *bytes, uint32_t captured)
{
	size_t off = ibuf_mbuf_len(block);
	size_t size = block_size_of(captured);
	struct packet *p = ibuf_mbuf_extend_tail(block, size);

	if (p == NULL)
		return NULL;
	memset(p, 0, sizeof *p);
	p->frame = (uint32_t)(off + sizeof *p);
	p->frame_bytes = captured;
	p->next = (uint32_t)(off + size);
	memcpy(p + 1, bytes, captured);
	return p;
}

/* The packet at an offset: 0, or another's next.  NULL: there is none. */
static inline const struct packet *
block_at(const struct ibuf_mbuf *block, size_t off)
{
	if (off == ibuf_mbuf_len(block))
		return NULL;
	return (const void *)(ibuf_mbuf_data(block) + off);
}

/* The same, to be written, for who alone has the block. */
static inline struct packet *
block_at_mut(struct ibuf_mbuf *block, size_t off)
{
	if (off == ibuf_mbuf_len(block))
		return NULL;
	return (void *)(ibuf_mbuf_data_mut(block) + off);
}

#endif
