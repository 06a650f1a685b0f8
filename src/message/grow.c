/* grow.c - the growth law; see grow.h for the formulas. */
#include "grow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t
max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t
min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* half as much again, or what is needed, within what a room can be. */
static size_t
grown(size_t capacity, size_t need, size_t headroom)
{
	size_t more = max_size(capacity + capacity / 2, need);

	/* On 32 bits the sum can wrap; then it is too large in any case. */
	if (more < need || more > ROOM_MAX - headroom)
		return ROOM_MAX - headroom;
	return more;
}

/* Is headroom + a + n more than a room can be?  No sum wraps. */
static bool
too_large(size_t headroom, size_t a, size_t n)
{
	return n > ROOM_MAX || headroom > ROOM_MAX - n ||
	       a > ROOM_MAX - n - headroom;
}

/* ---- the new room --------------------------------------------------- */

/* The capacity that the law gives a window for n bytes more. */
static size_t
capacity_for(const struct ibuf_mbuf *w, size_t n)
{
	size_t capacity = segment_capacity(w);

	if (!segment_owns(w) && (n == 0 || w->len_ + n <= capacity))
		return max_size(capacity, w->len_);
	return grown(capacity, w->len_ + n, w->room_->headroom_);
}

/* Find the room for a window with n bytes more, at whichever end. */
static int
find_room(const struct ibuf_mbuf *w, size_t n, bool wipe,
	  struct ibuf_place *place)
{
	size_t headroom = w->room_->headroom_;
	size_t capacity;
	bool found;

	if (too_large(headroom, w->len_, n))
		return -EOVERFLOW;
	capacity = capacity_for(w, n);
	if (segment_owns(w))
		found = ibuf_place_heap_(place, headroom, capacity, wipe);
	else
		found = ibuf_place_for_(place, w, headroom, w->len_ + n,
					capacity, wipe);
	return found ? 0 : -ENOMEM;
}

int
ibuf_grow_plan_(const struct ibuf_mbuf *w, size_t n, struct ibuf_place *place,
		uint32_t *off)
{
	int error = find_room(w, n, ibuf_segment_wipes_(w), place);

	if (error == 0)
		*off = place->room->headroom_;
	return error;
}

/* ---- behind --------------------------------------------------------- */

bool
ibuf_grow_slides_(const struct ibuf_mbuf *w, size_t n)
{
	uint32_t h0 = w->room_->headroom_;

	return segment_owns(w) && w->off_ > h0 && w->off_ - h0 >= w->len_ &&
	       n <= ibuf_room_size_(w) - h0 - w->len_;
}

/* Does any of n bytes lie in the block of a heap room? */
static bool
is_in_block(const struct heap_room *heap, const void *bytes, size_t n)
{
	uintptr_t from = (uintptr_t)heap, at = (uintptr_t)bytes;

	return bytes != NULL && at < from + sizeof *heap + heap->size &&
	       from < at + n;
}

/*
 * A sole owner's heap room, with its data at h0, can grow where it is: that
 * is what realloc is good at.  Not so where the bytes to come would go with
 * the block, or the block must be overwritten.  0: done; -EINVAL: move.
 */
static int
grow_in_place(struct ibuf_mbuf *w, size_t n, const void *bytes)
{
	struct heap_room *heap = (struct heap_room *)w->room_;
	struct heap_room *larger;
	size_t headroom = heap->room.headroom_;
	size_t capacity;

	if ((w->flags_ & IBUF_MBUF_HEAP_) == 0 || w->off_ != headroom ||
	    ibuf_segment_wipes_(w) || is_in_block(heap, bytes, n))
		return -EINVAL;
	if (too_large(headroom, w->len_, n))
		return -EOVERFLOW;
	capacity = capacity_for(w, n);
	larger = realloc(heap, sizeof *heap + headroom + capacity);
	if (larger == NULL)
		return -ENOMEM;
	larger->size = (uint32_t)(headroom + capacity);
	w->room_ = &larger->room;
	w->base_ = (uint8_t *)(larger + 1);
	w->cap_ = larger->size;
	w->flags_ |= BOTH_RIGHTS;
	count_copied(w, w->len_);
	return 0;
}

/* Move a sole owner's bytes inside its room; it has both rights again. */
static void
slide(struct ibuf_mbuf *w, size_t off)
{
	ibuf_segment_regain_(w);
	if (w->len_ != 0)
		memmove(w->base_ + off, segment_data(w), w->len_);
	count_copied(w, w->len_);
	w->off_ = (uint32_t)off;
}

/* Is there, or can there be, tailroom for n bytes without a new room? */
static bool
has_tailroom(struct ibuf_mbuf *w, size_t n)
{
	if (n == 0 || ((w->flags_ & IBUF_MBUF_TAIL_) != 0 &&
		       n <= w->cap_ - w->off_ - w->len_))
		return true;
	if (!segment_owns(w))
		return false;
	if (n <= ibuf_room_size_(w) - w->off_ - w->len_) {
		ibuf_segment_regain_(w);
		return true;
	}
	if (!ibuf_grow_slides_(w, n))
		return false;
	slide(w, w->room_->headroom_);
	return true;
}

/* Move w to a new room with n bytes of tailroom. */
static int
move_for_tail(struct ibuf_mbuf *w, size_t n, bool wipe, struct ibuf_left *left)
{
	struct ibuf_place place;
	int error = find_room(w, n, wipe, &place);

	if (error == 0)
		ibuf_segment_move_(w, &place, place.room->headroom_, left);
	return error;
}

int
ibuf_grow_tail_(struct ibuf_mbuf *w, size_t n, const void *bytes,
		struct ibuf_left *left)
{
	int error;

	left->room = NULL;
	if (has_tailroom(w, n))
		return 0;
	if (segment_owns(w)) {
		error = grow_in_place(w, n, bytes);
		if (error != -EINVAL)
			return error;
	}
	return move_for_tail(w, n, ibuf_segment_wipes_(w), left);
}

int
ibuf_grow_tail_wiping_(struct ibuf_mbuf *w, size_t n, struct ibuf_left *left)
{
	left->room = NULL;
	if (!ibuf_segment_wipes_(w))
		return move_for_tail(w, n, true, left);
	return ibuf_grow_tail_(w, n, NULL, left);
}

/* ---- in front -------------------------------------------------------- */

/* Is there, or can there be, headroom for n bytes without a new room? */
static bool
has_headroom(struct ibuf_mbuf *w, size_t n)
{
	size_t tailroom, rest;

	if (n == 0 || ((w->flags_ & IBUF_MBUF_HEAD_) != 0 && n <= w->off_))
		return true;
	if (!segment_owns(w))
		return false;
	if (n <= w->off_) {
		ibuf_segment_regain_(w);
		return true;
	}
	rest = ibuf_room_size_(w) - w->len_; /* the free bytes */
	tailroom = rest - w->off_;
	if (tailroom < w->len_ || n > rest)
		return false;
	slide(w, max_size(rest - rest / 2, n));
	return true;
}

/*
 * Where the data goes in a room with so many free bytes, of which n are for
 * what comes in front: the tailroom stays, as far as it is half of them.
 */
static size_t
off_for_head(size_t rest, size_t tailroom, size_t n)
{
	size_t most = min_size(rest / 2, rest - n);

	return rest - min_size(tailroom, most);
}

int
ibuf_grow_head_(struct ibuf_mbuf *w, size_t n, struct ibuf_left *left)
{
	struct ibuf_place place;
	size_t tailroom, off;
	int error;

	left->room = NULL;
	if (has_headroom(w, n))
		return 0;
	error = find_room(w, n, ibuf_segment_wipes_(w), &place);
	if (error != 0)
		return error;
	tailroom = segment_tailroom(w);
	off = off_for_head(place.size - w->len_, tailroom, n);
	ibuf_segment_move_(w, &place, (uint32_t)off, left);
	return 0;
}
