/*
 * inline/layout.h - the header of a segment, as the message and its pool both
 * see it.
 *
 *  base_                                               base_ + size of room
 *   |------ off_ ------>|<------- len_ ------->|                      |
 *   +-------------------+----------------------+----------------------+
 *   |     headroom      |      bytes shown     |       tailroom       |
 *   +-------------------+----------------------+----------------------+
 *   |-- room_->headroom_ -->|<--------- capacity C of the room ------>|
 *
 * A segment is a header and the bytes of a room that it shows.  The room is
 * counted: room_->count_ says how many segments show it.  A direct header has a
 * room of its own behind it (own_ counts that one); the header of a clone has
 * none.
 *
 * Rights.  HEAD: no other segment shows a byte of the room before this one.
 * TAIL: none holds a byte behind it.  Then
 *
 *   TAIL set:    cap_ = size of the room, C = cap_ - room_->headroom_
 *   TAIL clear:  cap_ = C, what the segment would ask for if it had to move
 *
 * A sole owner (count 1, not read-only) has both rights whatever its flags
 * say, and gets the flags back at its next edit.  A read-only segment has
 * neither, ever.
 *
 * Chain.  The first segment is the message.  next_ is NULL in the last one.
 *
 *   one segment:            last_ and rest_ mean nothing
 *   several, in the first:  CHAINED, last_ = the last segment,
 *                           rest_ = bytes behind the first segment
 *   several, in the others: INNER, last_ = the segment before
 *   several, in the last:   rest_ = number of segments
 *
 * One cache line holds it all; the first 16 bytes are all that an allocation
 * writes, since a free header already holds the rest.
 */
#ifndef IBUF_INLINE_LAYOUT_H
#define IBUF_INLINE_LAYOUT_H

#include <ibuf/base.h>

/** @cond private */

/* The count of a room, and what the room was made with. */
struct ibuf_room_ {
	uint32_t count_;    /* atomic: segments, and IBUF_ROOM_HEADER_ */
	uint32_t headroom_; /* h0, bytes before fresh data */
};

/* A message, or one segment of it; the field order is the cache's story. */
struct ibuf_mbuf {
	uint32_t off_;
	uint32_t len_;
	uint32_t cap_;
	uint16_t flags_;
	uint16_t pool_; /* index of the owner it returns to; 0: the heap */
	uint8_t *base_; /* and room_: copied as one */
	struct ibuf_room_ *room_;
	struct ibuf_mbuf *next_;
	struct ibuf_mbuf *last_;
	size_t rest_;
	struct ibuf_room_ own_; /* direct only: the room behind the header */
};

/* The first 16 bytes of a fresh mbuf. */
struct ibuf_fresh_ {
	uint32_t off_;
	uint32_t len_;
	uint32_t cap_;
	uint16_t flags_;
	uint16_t pool_;
};

/* The two kinds of header, as numbers: with a room of its own, or without. */
#define IBUF_DIRECT_ 0
#define IBUF_INDIRECT_ 1

/* flags_, in the first segment those of the message too */
#define IBUF_MBUF_HEAD_ 0x01u     /* may grow towards the room's start */
#define IBUF_MBUF_TAIL_ 0x02u     /* may grow towards the room's end */
#define IBUF_MBUF_RDONLY_ 0x04u   /* the memory itself may not be written */
#define IBUF_MBUF_HEAP_ 0x08u     /* the room is a heap block */
#define IBUF_MBUF_WRAPPED_ 0x10u  /* the room is the caller's memory */
#define IBUF_MBUF_DIRECT_ 0x20u   /* the header has a room of its own */
#define IBUF_MBUF_LIVE_ 0x40u     /* clear: free, or never handed out */
#define IBUF_MBUF_LISTED_ 0x80u   /* free, and in a list of its pool */
#define IBUF_MBUF_AWAY_ 0x100u    /* direct, and shows another room */
#define IBUF_MBUF_CHAINED_ 0x200u /* the message has several segments */
#define IBUF_MBUF_CAREFUL_ 0x400u /* its free takes the long way */
#define IBUF_MBUF_PRIVATE_ 0x800u /* its private area has been cleared */
#define IBUF_MBUF_MARKED_ 0x1000u /* the room has a mark, src/message/mark.h */
#define IBUF_MBUF_WIPES_ 0x2000u  /* of a pool that wipes */
#define IBUF_MBUF_BORN_ 0x2000u   /* on the heap, with a room of its own */
#define IBUF_MBUF_INNER_ 0x4000u  /* not the first segment of a message */
#define IBUF_MBUF_BIASED_ 0x8000u /* goes behind a bias, src/pool/bias.h */

/* What a free header says, whose key is never 0; INNER means nothing there. */
#define IBUF_MBUF_FREE_ IBUF_MBUF_INNER_

/*
 * count_: segments in the low bits.  The top bit is set in a direct header that
 * is in use but shows another room; only when both are gone, the segments and
 * the header, does it go back.
 */
#define IBUF_ROOM_HEADER_ 0x80000000u
#define IBUF_ROOM_SEGMENTS_ 0x7fffffffu

/* Windows past this are refused, long before the count could wrap. */
#define IBUF_ROOM_SEGMENTS_MAX_ 0x10000000u

/* flags_ that say what a header refers to, and go with it to a clone. */
#define IBUF_MBUF_ROOM_                                                        \
	(IBUF_MBUF_RDONLY_ | IBUF_MBUF_HEAP_ | IBUF_MBUF_WRAPPED_ |            \
	 IBUF_MBUF_MARKED_)

/** @endcond */

#endif
