/*
 * room.h - rooms: counted memory whose bytes segments show.
 *
 * There are three kinds of room, told apart by the flags of the headers that
 * refer to them: the one behind a direct header (no flag), a block of the heap
 * (HEAP), memory of the caller (WRAPPED).  Each begins with its struct
 * ibuf_room_.  What differs among them is asked by the functions below, and
 * nowhere else.
 *
 *   count of a room = live headers whose room_ it is
 *   HEADER is set in the count of a direct header's own room
 *       <=> that header is live and shows bytes of another room
 *   a direct header is free <=> the count of its own room is 0, HEADER too
 */
#ifndef IBUF_SRC_ROOM_H
#define IBUF_SRC_ROOM_H

#include "../platform/platform.h"
#include "kept.h"
#include "mark.h"
#include "owner.h"
#include <ibuf/mbuf.h>

/* flags_ that say what a header refers to, and go with it. */
#define ROOM_KIND (IBUF_MBUF_HEAP_ | IBUF_MBUF_WRAPPED_)
#define ROOM_FLAGS IBUF_MBUF_ROOM_
#define BOTH_RIGHTS (IBUF_MBUF_HEAD_ | IBUF_MBUF_TAIL_)

#define SEGMENTS_MAX IBUF_ROOM_SEGMENTS_MAX_

/* Memory of the caller; its headroom is 0. */
struct wrapped_room {
	struct ibuf_room_ room;
	uint32_t size;
	void *bytes; /* as the caller gave them; NULL when size is 0 */
	ibuf_mbuf_release_fn *release;
	void *arg;
	struct wrapped_room *next; /* of those to be released */
};

/* The largest room: what 32 bits can say, and malloc can be asked for. */
#define ROOM_MAX                                                               \
	((size_t)(UINT32_MAX < PTRDIFF_MAX - sizeof(struct heap_room)          \
			  ? UINT32_MAX                                         \
			  : PTRDIFF_MAX - sizeof(struct heap_room)))

static inline bool
is_direct(const struct ibuf_mbuf *m)
{
	return (m->flags_ & IBUF_MBUF_DIRECT_) != 0;
}

/* Does it show bytes of a room of its own, behind it? */
static inline bool
is_in_own_room(const struct ibuf_mbuf *m)
{
	return is_direct(m) && m->room_ == &m->own_;
}

/* ---- what depends on the kind of room ---------------------------------- */

/* Its size, and where it begins. */
uint32_t ibuf_room_size_(const struct ibuf_mbuf *s);
const uint8_t *ibuf_room_base_(const struct ibuf_mbuf *s);

/* What a dump calls it. */
const char *ibuf_room_name_(const struct ibuf_mbuf *s);

/* Are its bytes overwritten when it goes? */
bool ibuf_room_wipes_(const struct ibuf_mbuf *s);

/* ---- rooms that nothing shows yet -------------------------------------- */

/* Where a segment can go. */
struct ibuf_place {
	struct ibuf_room_ *room; /* its count is 1, for the segment to come */
	uint8_t *base;
	uint32_t size;
	uint16_t kind; /* ROOM_KIND flags, or MARKED */
};

/* Make a heap room; false: no memory.  headroom + capacity <= ROOM_MAX. */
bool ibuf_place_heap_(struct ibuf_place *place, size_t headroom,
		      size_t capacity, bool wipe);

/*
 * Find the room for a segment that leaves another one and needs so many bytes
 * behind the headroom: the room of its direct header when that is idle, that
 * of another direct header of the same pool when they fit, else a heap room of
 * the capacity.
 */
bool ibuf_place_for_(struct ibuf_place *place, const struct ibuf_mbuf *s,
		     size_t headroom, size_t needed, size_t capacity,
		     bool wipe);

/* Give back a place that was not used. */
void ibuf_place_drop_(const struct ibuf_place *place);

/* ---- counting ---------------------------------------------------------- */

/*
 * What an edit lets go.  A release callback may look at the message that is
 * edited, be cancelled or throw, so every function works in this order: take
 * out of the message what goes, drop it but for the callbacks, bring what is
 * left into its final state (it may be a sole owner now), call the callbacks.
 */

/* A room that a segment has left but that still counts it; NULL: none. */
struct ibuf_left {
	struct ibuf_room_ *room;
	unsigned kind; /* ROOM_KIND flags */
};

/* Rooms of callers that nothing refers to any more, in the order of drops. */
struct ibuf_releases {
	struct wrapped_room *first, *last;
};

/* Pairs with the release of a drop: what others read is read. */
static inline bool
segment_is_sole(const struct ibuf_mbuf *s)
{
	return (load_acquire_u32(&s->room_->count_) & IBUF_ROOM_SEGMENTS_) == 1;
}

/* Count n segments more; false: it would be more than SEGMENTS_MAX. */
bool ibuf_room_add_(struct ibuf_room_ *room, uint32_t n);

/* Take back what ibuf_room_add_() added, while another segment remains. */
void ibuf_room_undo_(struct ibuf_room_ *room, uint32_t n);

/* Count one less, or free what nothing refers to: all but the callback. */
void ibuf_room_drop_(struct ibuf_room_ *room, unsigned kind,
		     struct ibuf_releases *releases);
void ibuf_room_gone_(struct ibuf_room_ *room, unsigned kind,
		     struct ibuf_releases *releases);

/* Drop what was left: at once, or all but its callback. */
void ibuf_left_drop_(const struct ibuf_left *left);
void ibuf_left_gather_(const struct ibuf_left *left,
		       struct ibuf_releases *releases);

/* Call the callbacks that were gathered; the last thing a function does. */
void ibuf_releases_call_(struct ibuf_releases *releases);

static inline void
releases_run(struct ibuf_releases *releases)
{
	if (releases->first != NULL)
		ibuf_releases_call_(releases);
}

#endif
