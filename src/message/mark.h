/*
 * mark.h - what may have been written in the room of a pool that wipes.
 *
 *   ... header | private | mark | pad | room ...
 *                                      ^ base_
 *
 *   every byte of the room that was written since its header went out
 *       lies in [low, high), or is shown by a segment
 *
 * So a free overwrites what was written and no more.  A segment that grows
 * shows what it writes and needs no mark.  Whatever lets a segment show less,
 * leave the room, or be written behind what it shows, marks first; the inline
 * bodies that do so leave segments of such rooms (MARKED) to the library.
 * Whoever shares a room may mark it, so both numbers are atomic.  They are
 * reset by who has the room alone.
 */
#ifndef IBUF_SRC_MARK_H
#define IBUF_SRC_MARK_H

#include "../library.h"

#include "../platform/platform.h"
#include <ibuf/inline/layout.h>

struct mark {
	uint32_t low, high; /* atomic; low >= high: nothing */
};

/* What it takes in front of a room that begins anywhere. */
#define MARK_SPACE 16

static inline struct mark *
mark_of(const uint8_t *base)
{
	uintptr_t end = (uintptr_t)base & ~(uintptr_t)(sizeof(uint32_t) - 1);

	return (struct mark *)(end - sizeof(struct mark));
}

/* Nothing has been written; relaxed, as all that is done with marks: the count
   of the room orders it. */
static inline void
mark_reset(struct mark *mark)
{
	store_relaxed_u32(&mark->low, UINT32_MAX);
	store_relaxed_u32(&mark->high, 0);
}

/* Mark bytes of the room at base; from < to. */
void ibuf_mark_(const uint8_t *base, uint32_t from, uint32_t to);

/* Mark what s shows. */
static inline void
mark_shown(const struct ibuf_mbuf *s)
{
	if ((s->flags_ & IBUF_MBUF_MARKED_) != 0 && s->len_ != 0)
		ibuf_mark_(s->base_, s->off_, s->off_ + s->len_);
}

/* Mark n bytes at off of s's room, which something may write to. */
static inline void
mark_bytes(const struct ibuf_mbuf *s, size_t off, size_t n)
{
	if ((s->flags_ & IBUF_MBUF_MARKED_) != 0 && n != 0)
		ibuf_mark_(s->base_, (uint32_t)off, (uint32_t)(off + n));
}

/*
 * Overwrite what is marked of a room that nobody else shows, and the bytes that
 * its last segment shows, if any; nothing is marked then.
 */
static inline void
mark_wipe(uint8_t *base, uint32_t off, uint32_t len)
{
	struct mark *mark = mark_of(base);
	uint32_t low = load_relaxed_u32(&mark->low);
	uint32_t high = load_relaxed_u32(&mark->high);

	if (low < high)
		mark_reset(mark);
	if (len != 0 && off < low)
		low = off;
	if (len != 0 && off + len > high)
		high = off + len;
	if (low < high)
		ibuf_platform_wipe_(base + low, high - low);
}

#endif
