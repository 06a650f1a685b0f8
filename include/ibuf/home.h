/*
 * home.h - the header of a segment, as the message and its pool both see it.
 *
 *  base_                                               base_ + size of room
 *   |------ off_ ------>|<------- len_ ------->|                      |
 *   +-------------------+----------------------+----------------------+
 *   |     headroom      |        window        |       tailroom       |
 *   +-------------------+----------------------+----------------------+
 *   |-- room_->headroom_ -->|<--------- capacity C of the room ------>|
 *
 * A header is a window onto a room.  The room is counted: room_->count_ says
 * how many windows look at it.  Every pool element is a header with a room of
 * its own behind it (own_ counts that one); the header of a clone has none.
 *
 * Rights.  HEAD: no other window holds a byte of the room before this one.
 * TAIL: none holds a byte behind it.  Then
 *
 *   TAIL set:    cap_ = size of the room, C = cap_ - room_->headroom_
 *   TAIL clear:  cap_ = C, what the window would ask for if it had to move
 *
 * A sole owner (count 1, not read-only) has both rights whatever its flags
 * say, and gets the flags back at its next edit.  A read-only window has
 * neither, ever.
 *
 * Chain.  The first segment is the message.  next_ is NULL in the last one.
 *
 *   one segment:            last_ and rest_ mean nothing
 *   several, in the first:  CHAINED, last_ = the last segment,
 *                           rest_ = bytes behind the first segment
 *   several, in the others: last_ = the segment before
 *   several, in the last:   rest_ = number of segments
 *
 * One cache line holds it all; the first 16 bytes are all that an allocation
 * writes, since a free element already holds the rest.
 */
#ifndef IBUF_HOME_H
#define IBUF_HOME_H

#include <ibuf/base.h>

/** @cond private */

/* The count of a room, and what the room was made with. */
struct ibuf_room_ {
	uint32_t count_;    /* atomic: windows, and IBUF_ROOM_HANDLE_ */
	uint32_t headroom_; /* h0, bytes before a fresh window */
};

/* A message, or one segment of it; the field order is the cache's story. */
struct ibuf_mbuf {
	uint32_t off_;
	uint32_t len_;
	uint32_t cap_;
	uint16_t flags_;
	uint16_t pool_; /* index of the home it returns to; 0: the heap */
	uint8_t *base_; /* and room_: copied as one */
	struct ibuf_room_ *room_;
	struct ibuf_mbuf *next_;
	struct ibuf_mbuf *last_;
	size_t rest_;
	struct ibuf_room_ own_; /* elements only: the room behind the header */
};

/* The first 16 bytes of a fresh mbuf. */
struct ibuf_fresh_ {
	uint32_t off_;
	uint32_t len_;
	uint32_t cap_;
	uint16_t flags_;
	uint16_t pool_;
};

/* flags_, in the first segment those of the message too */
#define IBUF_MBUF_HEAD_ 0x01u     /* may grow towards the room's start */
#define IBUF_MBUF_TAIL_ 0x02u     /* may grow towards the room's end */
#define IBUF_MBUF_RDONLY_ 0x04u   /* the memory itself may not be written */
#define IBUF_MBUF_HEAP_ 0x08u     /* the room is a heap block */
#define IBUF_MBUF_WRAPPED_ 0x10u  /* the room is the caller's memory */
#define IBUF_MBUF_ELEMENT_ 0x20u  /* the header has a room of its own */
#define IBUF_MBUF_LIVE_ 0x40u     /* clear: free, or never handed out */
#define IBUF_MBUF_LISTED_ 0x80u   /* free, and in a list of its pool */
#define IBUF_MBUF_AWAY_ 0x100u    /* an element that looks elsewhere */
#define IBUF_MBUF_CHAINED_ 0x200u /* the message has several segments */
#define IBUF_MBUF_CAREFUL_ 0x400u /* its free takes the long way */

/*
 * count_: windows in the low bits.  The top bit is set in an element whose
 * header is in use but looks at another room; only when both are gone, the
 * windows and the header, does the element go home.
 */
#define IBUF_ROOM_HANDLE_ 0x80000000u
#define IBUF_ROOM_WINDOWS_ 0x7fffffffu

/* Windows past this are refused, long before the count could wrap. */
#define IBUF_ROOM_WINDOWS_MAX_ 0x10000000u

/* flags_ that say what a window looks at, and go with it to a clone. */
#define IBUF_MBUF_ROOM_                                                        \
	(IBUF_MBUF_RDONLY_ | IBUF_MBUF_HEAP_ | IBUF_MBUF_WRAPPED_)

/*
 * A slot: what one thread keeps back of one kind of object of one pool.
 *
 *   | free | free | free |  . . .  |
 *   base_                top_      end_
 *
 * Only its thread moves objects; others read the numbers.  A slot of zeros
 * is empty and full at once, so who finds one goes the long way: that is
 * what a thread has before it ever used the pool, and what is left of a slot
 * when the pool is destroyed.
 *
 * Pointers, not numbers: to take or to give is then a load and a store whose
 * addresses wait for nothing else (docs/pool.md has what that is worth).
 */
struct ibuf_slot_ {
	struct ibuf_mbuf **top_; /* atomic, as all that others look at */
	struct ibuf_mbuf **end_; /* NULL: the pool has been closed */
	struct ibuf_mbuf **base_;
	uint64_t taken_; /* objects that went out through it, ever */
	uint64_t given_; /* and that came home */
	/* The library's own, which the inline bodies do not look at: */
	struct ibuf_magazine *previous_; /* the one before base_'s */
	void *link_;
	uint32_t kept_; /* objects in previous_ */
	union {
		/* Open: objects to ask the pool for next; 0: the first. */
		uint32_t refill_;
		/* Closed: taken_ - given_ when last seen. */
		uint32_t seen_;
	};
};

/* One cache line each, elements and windows of one pool side by side. */
struct ibuf_slots_ {
	struct ibuf_slot_ element_;
	struct ibuf_slot_ window_;
};

/* Pools with higher numbers have no slots (and are CAREFUL): only slower. */
#define IBUF_SLOTS_MAX_ 256

/*
 * The pool that a thread went to last: what the header of a plain element and
 * of a plain window of it shows, see ibuf_kind_(), and where they go.
 */
struct ibuf_recent_ {
	uint32_t element_;
	uint32_t window_;
	struct ibuf_slots_ *slots_;
};

/* What a thread has; its slots go by the number of the pool. */
struct ibuf_thread_ {
	struct ibuf_recent_ recent_;
	uint8_t rest_of_line_[64 - sizeof(struct ibuf_recent_)];
	struct ibuf_slots_ slots_[IBUF_SLOTS_MAX_];
};

IBUF_BEGIN_DECLS

/* The calling thread's; one without slots has one that is shared, all 0. */
extern IBUF_API __thread struct ibuf_thread_ *ibuf_pool_thread_ IBUF_TLS_;

/* An object was put into a slot whose pool has been closed meanwhile. */
IBUF_API void ibuf_pool_late_(struct ibuf_slot_ *slot);

IBUF_END_DECLS

/** @endcond */

#endif
