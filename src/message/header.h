/*
 * header.h - headers that refer to rooms: what a segment may do, and how it
 * comes to a room, leaves it, or is freed.
 */
#ifndef IBUF_SRC_HEADER_H
#define IBUF_SRC_HEADER_H

#include "../platform/probe.h"
#include "room.h"

/* ---- what a segment may do --------------------------------------------- */

/* May it be written in place? */
static inline bool
segment_owns(const struct ibuf_mbuf *s)
{
	return (s->flags_ & IBUF_MBUF_RDONLY_) == 0 && segment_is_sole(s);
}

static inline uint8_t *
segment_data(const struct ibuf_mbuf *s)
{
	return s->base_ + s->off_;
}

static inline uint8_t *
segment_end(const struct ibuf_mbuf *s)
{
	return s->base_ + s->off_ + s->len_;
}

/* Bytes that s may write behind its data. */
static inline size_t
segment_tailroom(const struct ibuf_mbuf *s)
{
	if ((s->flags_ & IBUF_MBUF_TAIL_) != 0)
		return s->cap_ - s->off_ - s->len_;
	return segment_owns(s) ? ibuf_room_size_(s) - s->off_ - s->len_ : 0;
}

/* C of a segment without the right to the tailroom. */
uint32_t ibuf_segment_capacity_bare_(const struct ibuf_mbuf *s);

/* The capacity C of s, as ibuf/inline/layout.h says it. */
static inline uint32_t
segment_capacity(const struct ibuf_mbuf *s)
{
	if ((s->flags_ & IBUF_MBUF_TAIL_) != 0)
		return s->cap_ - s->room_->headroom_;
	return ibuf_segment_capacity_bare_(s);
}

/* Give a sole owner both rights back. */
void ibuf_segment_regain_(struct ibuf_mbuf *s);

/* Take the right to the tailroom from s, which keeps its C. */
void ibuf_segment_give_up_tail_(struct ibuf_mbuf *s);

/* Do its bytes have to be overwritten, wherever they have been? */
bool ibuf_segment_wipes_(const struct ibuf_mbuf *s);

/*
 * The header of s begins a message that is new.  A private area means nothing
 * before its header is PRIVATE: who asks for it first clears it.  So births
 * and frees pay nothing for it, but where it has to be overwritten.
 */
void ibuf_segment_born_(struct ibuf_mbuf *s);

/* ---- to a room and away from it ---------------------------------------- */

/* Put s, which has no room, at off of a place; it owns both ends. */
void ibuf_segment_put_(struct ibuf_mbuf *s, const struct ibuf_place *place,
		       uint32_t off, uint32_t len);

/* Let s have no room; its header stays in use, left is to be dropped. */
void ibuf_segment_leave_(struct ibuf_mbuf *s, struct ibuf_left *left);

/*
 * Let s, which has no room, refer to what from refers to; then from's header,
 * which must not do so any more, can be freed.
 */
void ibuf_segment_take_over_(struct ibuf_mbuf *s, const struct ibuf_mbuf *from);
void ibuf_segment_taken_(struct ibuf_mbuf *from);

/* Let two segments refer to what the other refers to. */
void ibuf_segment_exchange_(struct ibuf_mbuf *a, struct ibuf_mbuf *b);

/*
 * Copy s's bytes to off of a place and leave its old room, whose bytes stay
 * until it is dropped; counts what it copies.
 */
void ibuf_segment_move_(struct ibuf_mbuf *s, const struct ibuf_place *place,
			uint32_t off, struct ibuf_left *left);

/* Let an unused header show len bytes at off of s's room, which counts it. */
static inline void
segment_refer(struct ibuf_mbuf *header, const struct ibuf_mbuf *s, uint32_t off,
	      uint32_t len, uint32_t capacity)
{
	uint32_t key = ibuf_mbuf_both_(header) |
		       (ibuf_mbuf_both_(s) & ibuf_key_(ROOM_FLAGS, 0));

	ibuf_mbuf_refer_(header, off, len, capacity, key, s->base_, s->room_);
}

/*
 * A new indirect header onto len bytes of s from off on, without rights and
 * with a capacity C of its own; NULL: no memory, or SEGMENTS_MAX is reached.
 */
struct ibuf_mbuf *ibuf_segment_new_(const struct ibuf_mbuf *s, uint32_t off,
				    uint32_t len, uint32_t capacity);

/* Count n bytes moved for m's owner. */
static inline void
count_copied(const struct ibuf_mbuf *m, uint64_t n)
{
	struct ibuf_owner *owner = owner_of(m);

	count_relaxed(&owner->copied_bytes, n);
	PROBE2(copy, owner->name, n);
}

/* ---- born on the heap --------------------------------------------------- */

/* What a header says that was born with a room of a kind. */
static inline uint32_t
born_key(unsigned kind)
{
	return ibuf_key_(IBUF_MBUF_LIVE_ | IBUF_MBUF_BORN_ | BOTH_RIGHTS | kind,
			 0);
}

/* Let an unused header of the heap be the message of a room. */
static inline struct ibuf_mbuf *
header_bear(struct ibuf_mbuf *m, unsigned kind, uint32_t off, uint32_t len,
	    uint32_t size, uint8_t *base, struct ibuf_room_ *room)
{
	ibuf_mbuf_refer_(m, off, len, size, born_key(kind), base, room);
	return m;
}

/* ---- freed: free.c ----------------------------------------------------- */

/* Free a header that has no room. */
void ibuf_header_free_(struct ibuf_mbuf *m);

/* Free one segment, all but the callback: its header, and its room's count. */
void ibuf_segment_free_(struct ibuf_mbuf *s, struct ibuf_releases *releases);

/* Free s and all segments behind it: at once, or all but the callbacks. */
void ibuf_chain_free_(struct ibuf_mbuf *s);
void ibuf_chain_gather_(struct ibuf_mbuf *s, struct ibuf_releases *releases);

#endif
