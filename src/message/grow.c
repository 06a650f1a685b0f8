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

/* ---- the new room ------------------------------------------------------ */

/* The capacity that the law gives a segment for n bytes more. */
static size_t
capacity_for(const struct ibuf_mbuf *s, size_t n)
{
	size_t capacity = segment_capacity(s);

	if (!segment_owns(s) && (n == 0 || s->len_ + n <= capacity))
		return max_size(capacity, s->len_);
	return grown(capacity, s->len_ + n, s->room_->headroom_);
}

/* Find the room for a segment with n bytes more, at whichever end. */
static int
find_room(const struct ibuf_mbuf *s, size_t n, bool wipe,
	  struct ibuf_place *place)
{
	size_t headroom = s->room_->headroom_;
	size_t capacity;
	bool found;

	if (too_large(headroom, s->len_, n))
		return -EOVERFLOW;
	capacity = capacity_for(s, n);
	if (segment_owns(s))
		found = ibuf_place_heap_(place, headroom, capacity, wipe);
	else
		found = ibuf_place_for_(place, s, headroom, s->len_ + n,
					capacity, wipe);
	return found ? 0 : -ENOMEM;
}

int
ibuf_grow_plan_(const struct ibuf_mbuf *s, size_t n, struct ibuf_place *place,
		uint32_t *off)
{
	int error = find_room(s, n, ibuf_segment_wipes_(s), place);

	if (error == 0)
		*off = place->room->headroom_;
	return error;
}

/* ---- behind ------------------------------------------------------------ */

bool
ibuf_grow_slides_(const struct ibuf_mbuf *s, size_t n)
{
	uint32_t h0 = s->room_->headroom_;

	return segment_owns(s) && s->off_ > h0 && s->off_ - h0 >= s->len_ &&
	       n <= ibuf_room_size_(s) - h0 - s->len_;
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
 * the block, or the block must be overwritten, or IBUF_DEBUG looks at each.
 * 0: done; -EINVAL: move.
 */
static int
grow_in_place(struct ibuf_mbuf *s, size_t n, const void *bytes)
{
	struct heap_room *heap = (struct heap_room *)s->room_;
	struct heap_room *larger;
	size_t headroom = heap->room.headroom_;
	size_t capacity;

	if ((s->flags_ & IBUF_MBUF_HEAP_) == 0 || s->off_ != headroom ||
	    ibuf_segment_wipes_(s) || is_in_block(heap, bytes, n) ||
	    kept_watch() != NULL)
		return -EINVAL;
	if (too_large(headroom, s->len_, n))
		return -EOVERFLOW;
	capacity = capacity_for(s, n);
	larger = realloc(heap, sizeof *heap + headroom + capacity);
	if (larger == NULL)
		return -ENOMEM;
	larger->size = (uint32_t)(headroom + capacity);
	store_relaxed_u32(&larger->fate, FATE_FREED); /* not a kept size */
	s->room_ = &larger->room;
	s->base_ = (uint8_t *)(larger + 1);
	s->cap_ = larger->size;
	s->flags_ |= BOTH_RIGHTS;
	count_copied(s, s->len_);
	return 0;
}

/* Move a sole owner's bytes inside its room; it has both rights again. */
static void
slide(struct ibuf_mbuf *s, size_t off)
{
	ibuf_segment_regain_(s);
	mark_shown(s);
	if (s->len_ != 0)
		memmove(s->base_ + off, segment_data(s), s->len_);
	count_copied(s, s->len_);
	s->off_ = (uint32_t)off;
}

/* Is there, or can there be, tailroom for n bytes without a new room? */
static bool
has_tailroom(struct ibuf_mbuf *s, size_t n)
{
	if (n == 0 || ((s->flags_ & IBUF_MBUF_TAIL_) != 0 &&
		       n <= s->cap_ - s->off_ - s->len_))
		return true;
	if (!segment_owns(s))
		return false;
	if (n <= ibuf_room_size_(s) - s->off_ - s->len_) {
		ibuf_segment_regain_(s);
		return true;
	}
	if (!ibuf_grow_slides_(s, n))
		return false;
	slide(s, s->room_->headroom_);
	return true;
}

/* Move s to a new room with n bytes of tailroom. */
static int
move_for_tail(struct ibuf_mbuf *s, size_t n, bool wipe, struct ibuf_left *left)
{
	struct ibuf_place place;
	int error = find_room(s, n, wipe, &place);

	if (error == 0)
		ibuf_segment_move_(s, &place, place.room->headroom_, left);
	return error;
}

int
ibuf_grow_tail_(struct ibuf_mbuf *s, size_t n, const void *bytes,
		struct ibuf_left *left)
{
	int error;

	left->room = NULL;
	if (has_tailroom(s, n))
		return 0;
	if (segment_owns(s)) {
		error = grow_in_place(s, n, bytes);
		if (error != -EINVAL)
			return error;
	}
	return move_for_tail(s, n, ibuf_segment_wipes_(s), left);
}

int
ibuf_grow_tail_wiping_(struct ibuf_mbuf *s, size_t n, struct ibuf_left *left)
{
	left->room = NULL;
	if (!ibuf_segment_wipes_(s))
		return move_for_tail(s, n, true, left);
	return ibuf_grow_tail_(s, n, NULL, left);
}

/* ---- in front ---------------------------------------------------------- */

/* Is there, or can there be, headroom for n bytes without a new room? */
static bool
has_headroom(struct ibuf_mbuf *s, size_t n)
{
	size_t tailroom, rest;

	if (n == 0 || ((s->flags_ & IBUF_MBUF_HEAD_) != 0 && n <= s->off_))
		return true;
	if (!segment_owns(s))
		return false;
	if (n <= s->off_) {
		ibuf_segment_regain_(s);
		return true;
	}
	rest = ibuf_room_size_(s) - s->len_; /* the free bytes */
	tailroom = rest - s->off_;
	if (tailroom < s->len_ || n > rest)
		return false;
	slide(s, max_size(rest - rest / 2, n));
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
ibuf_grow_head_(struct ibuf_mbuf *s, size_t n, struct ibuf_left *left)
{
	struct ibuf_place place;
	size_t tailroom, off;
	int error;

	left->room = NULL;
	if (has_headroom(s, n))
		return 0;
	error = find_room(s, n, ibuf_segment_wipes_(s), &place);
	if (error != 0)
		return error;
	tailroom = segment_tailroom(s);
	off = off_for_head(place.size - s->len_, tailroom, n);
	ibuf_segment_move_(s, &place, (uint32_t)off, left);
	return 0;
}
