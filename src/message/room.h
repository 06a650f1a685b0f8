/*
 * room.h - rooms: counted memory that windows look at.
 *
 * Three kinds of room, told apart by the flags of the windows that look at
 * them: the room behind an element's header (no flag), a block of the heap
 * (HEAP), memory of the caller (WRAPPED).  The first member of each is its
 * struct ibuf_room_.
 *
 * Who holds what:
 *   windows(room) = number of live headers whose room_ is that room
 *   HANDLE(room of an element) <=> its header is live and looks elsewhere
 *   an element is in its own room <=> windows = 0 and its header is not live
 */
#ifndef IBUF_SRC_ROOM_H
#define IBUF_SRC_ROOM_H

#include "../platform/platform.h"
#include "owner.h"
#include <ibuf/mbuf.h>

/* flags_ that say what the window looks at, and go with it. */
#define ROOM_KIND (IBUF_MBUF_HEAP_ | IBUF_MBUF_WRAPPED_)
#define ROOM_FLAGS IBUF_MBUF_ROOM_
#define BOTH_RIGHTS (IBUF_MBUF_HEAD_ | IBUF_MBUF_TAIL_)

#define SEGMENTS_MAX IBUF_ROOM_SEGMENTS_MAX_

/* A block of the heap: this, and the bytes behind it. */
struct heap_room {
	struct ibuf_room_ room;
	uint32_t size;
	uint32_t wipe;
};

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

/* Memory that nobody looks at yet, where a window can go. */
struct ibuf_place {
	struct ibuf_room_ *room; /* counts 1, for the window to come */
	uint8_t *base;
	uint32_t size;
	uint16_t kind; /* ROOM_KIND flags */
};

/*
 * What an edit lets go.  A release callback may look at the message that is
 * edited, be cancelled or throw, so every function works in this order: take
 * out of the message what goes, drop it but for the callbacks, bring what is
 * left into its final state (it may be a sole owner now), call the callbacks.
 */

/* A room that a window has left but that still counts it; NULL: none. */
struct ibuf_left {
	struct ibuf_room_ *room;
	unsigned kind; /* ROOM_KIND flags */
};

/* Rooms of callers that no window looks at any more, in the order of drops. */
struct ibuf_releases {
	struct wrapped_room *first, *last;
};

/* ---- what a window may do ------------------------------------------ */

/* Size of the room w looks at. */
uint32_t ibuf_room_size_(const struct ibuf_mbuf *w);

/* Pairs with the release of a drop: what others read is read. */
static inline bool
segment_is_sole(const struct ibuf_mbuf *w)
{
	return (load_acquire_u32(&w->room_->count_) & IBUF_ROOM_SEGMENTS_) == 1;
}

/* May it be written in place? */
static inline bool
segment_owns(const struct ibuf_mbuf *w)
{
	return (w->flags_ & IBUF_MBUF_RDONLY_) == 0 && segment_is_sole(w);
}

static inline uint8_t *
segment_data(const struct ibuf_mbuf *w)
{
	return w->base_ + w->off_;
}

static inline uint8_t *
segment_end(const struct ibuf_mbuf *w)
{
	return w->base_ + w->off_ + w->len_;
}

/* Bytes that w may write behind its data. */
static inline size_t
segment_tailroom(const struct ibuf_mbuf *w)
{
	if ((w->flags_ & IBUF_MBUF_TAIL_) != 0)
		return w->cap_ - w->off_ - w->len_;
	return segment_owns(w) ? ibuf_room_size_(w) - w->off_ - w->len_ : 0;
}

static inline bool
is_direct(const struct ibuf_mbuf *m)
{
	return (m->flags_ & IBUF_MBUF_DIRECT_) != 0;
}

/* Does an element look at the room behind its own header? */
static inline bool
has_own_room(const struct ibuf_mbuf *m)
{
	return m->room_ == &m->own_;
}

/* Where the room w looks at begins, as the room says. */
const uint8_t *ibuf_room_base_(const struct ibuf_mbuf *w);

/* C of a window without the right to the tailroom. */
uint32_t ibuf_segment_capacity_bare_(const struct ibuf_mbuf *w);

/* The capacity C of w, as ibuf/inline/layout.h says it. */
static inline uint32_t
segment_capacity(const struct ibuf_mbuf *w)
{
	if ((w->flags_ & IBUF_MBUF_TAIL_) != 0)
		return w->cap_ - w->room_->headroom_;
	return ibuf_segment_capacity_bare_(w);
}

/* Give a sole owner both rights back. */
void ibuf_segment_regain_(struct ibuf_mbuf *w);

/* Take the right to the tailroom from w, which keeps its C. */
void ibuf_segment_give_up_tail_(struct ibuf_mbuf *w);

/* ---- rooms --------------------------------------------------------- */

/* Make a heap room; false: no memory.  headroom + capacity <= ROOM_MAX. */
bool ibuf_place_heap_(struct ibuf_place *place, size_t headroom,
		      size_t capacity, bool wipe);

/*
 * Find the room for a window that leaves another one and needs so many bytes
 * behind the headroom: the element's own when it is idle, an element of w's
 * pool when they fit, else a heap room of the capacity.
 */
bool ibuf_place_for_(struct ibuf_place *place, const struct ibuf_mbuf *w,
		     size_t headroom, size_t needed, size_t capacity,
		     bool wipe);

/* Does what w shows have to be overwritten, wherever it has been? */
bool ibuf_segment_wipes_(const struct ibuf_mbuf *w);

/* Is there such a segment among the n from s on? */
bool ibuf_segments_wipe_(const struct ibuf_mbuf *s, size_t n);

/* Let the heap room that w looks at be overwritten when it goes. */
static inline void
room_must_wipe(const struct ibuf_mbuf *w)
{
	store_relaxed_u32(&((struct heap_room *)w->room_)->wipe, 1);
}

/* Give back a place that was not used. */
void ibuf_place_drop_(const struct ibuf_place *place);

/* Add n windows to a room; false: it would have more than SEGMENTS_MAX. */
bool ibuf_room_add_(struct ibuf_room_ *room, uint32_t n);

/* Take back what ibuf_room_add_() added, while another window remains. */
void ibuf_room_undo_(struct ibuf_room_ *room, uint32_t n);

/* ---- windows and headers ------------------------------------------- */

/* Put w, which looks at nothing, at off of a place; it owns both ends. */
void ibuf_segment_put_(struct ibuf_mbuf *w, const struct ibuf_place *place,
		       uint32_t off, uint32_t len);

/* Let w look at nothing; its header stays in use, left is to be dropped. */
void ibuf_segment_leave_(struct ibuf_mbuf *w, struct ibuf_left *left);

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

/*
 * Let w, which looks at nothing, look at what from looks at; then from's
 * header, which must not look there any more, can be freed.
 */
void ibuf_segment_take_over_(struct ibuf_mbuf *w, const struct ibuf_mbuf *from);
void ibuf_segment_taken_(struct ibuf_mbuf *from);

/*
 * Copy w's bytes to off of a place and leave its old room, whose bytes stay
 * until it is dropped; counts what it copies.
 */
void ibuf_segment_move_(struct ibuf_mbuf *w, const struct ibuf_place *place,
			uint32_t off, struct ibuf_left *left);

/*
 * A new header that looks at len bytes of w from off on, without rights and
 * with a capacity C of its own; NULL: no memory, or too many windows.
 */
struct ibuf_mbuf *ibuf_segment_new_(const struct ibuf_mbuf *w, uint32_t off,
				    uint32_t len, uint32_t capacity);

/* Let a blank header look at all of w; the room counts it already. */
static inline void
segment_refer(struct ibuf_mbuf *blank, const struct ibuf_mbuf *w,
	      uint32_t capacity)
{
	blank->off_ = w->off_;
	blank->len_ = w->len_;
	blank->cap_ = capacity;
	blank->flags_ |= w->flags_ & ROOM_FLAGS;
	blank->base_ = w->base_;
	blank->room_ = w->room_;
}

/* Free one segment, all but the callback: its header, and its window. */
void ibuf_segment_free_(struct ibuf_mbuf *s, struct ibuf_releases *releases);

/* Free a header that looks at nothing any more. */
void ibuf_header_free_(struct ibuf_mbuf *m);

/* Count n bytes moved for m's owner. */
static inline void
count_copied(const struct ibuf_mbuf *m, uint64_t n)
{
	count_relaxed(&owner_of(m)->copied_bytes, n);
}

#endif
