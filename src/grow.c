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

bool
ibuf_grow_slides_(const struct ibuf_mbuf *w, size_t n)
{
	uint32_t h0 = w->room_->headroom_;

	return window_owns(w) && w->off_ > h0 && w->off_ - h0 >= w->len_ &&
	       n <= ibuf_room_size_(w) - h0 - w->len_;
}

int
ibuf_grow_plan_(const struct ibuf_mbuf *w, size_t n, struct ibuf_place *place,
		uint32_t *off)
{
	size_t headroom = w->room_->headroom_;
	size_t capacity = window_capacity(w);
	bool found;

	if (too_large(headroom, w->len_, n))
		return -EOVERFLOW;
	if (window_owns(w))
		found = ibuf_place_heap_(place, headroom,
					 grown(capacity, w->len_ + n, headroom),
					 home_of(w)->wipe);
	else
		found = ibuf_place_for_(place, w, headroom,
					max_size(capacity, w->len_ + n));
	if (!found)
		return -ENOMEM;
	*off = place->room->headroom_;
	return 0;
}

/*
 * A sole owner's heap room, with its data at h0, can grow where it is: that
 * is what realloc is good at.  0: done; else move.
 */
static int
grow_in_place(struct ibuf_mbuf *w, size_t n)
{
	struct heap_room *heap = (struct heap_room *)w->room_;
	struct heap_room *larger;
	size_t headroom = heap->room.headroom_;
	size_t capacity;

	if (heap->wipe || w->off_ != headroom ||
	    too_large(headroom, w->len_, n))
		return -EINVAL;
	capacity = grown(heap->size - headroom, w->len_ + n, headroom);
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

static void
slide(struct ibuf_mbuf *w)
{
	uint32_t h0 = w->room_->headroom_;

	/* The dead headroom holds all of them, so nothing overlaps. */
	if (w->len_ != 0)
		memcpy(w->base_ + h0, window_data(w), w->len_);
	count_copied(w, w->len_);
	w->off_ = h0;
}

int
ibuf_grow_tail_(struct ibuf_mbuf *w, size_t n)
{
	struct ibuf_place place;
	uint32_t off;
	int error;

	if (n == 0 || ((w->flags_ & IBUF_MBUF_TAIL_) != 0 &&
		       n <= w->cap_ - w->off_ - w->len_))
		return 0;
	if (window_owns(w)) {
		/* Its rights are its own again, unless the call fails. */
		if (n <= ibuf_room_size_(w) - w->off_ - w->len_) {
			ibuf_window_regain_(w);
			return 0;
		}
		if (ibuf_grow_slides_(w, n)) {
			ibuf_window_regain_(w);
			slide(w);
			return 0;
		}
		if ((w->flags_ & IBUF_MBUF_HEAP_) != 0) {
			error = grow_in_place(w, n);
			if (error != -EINVAL)
				return error;
		}
	}
	error = ibuf_grow_plan_(w, n, &place, &off);
	if (error != 0)
		return error;
	ibuf_window_move_(w, &place, off);
	return 0;
}

/* n more bytes in front of a sole owner's, the tailroom kept. */
static int
grow_head_owned(struct ibuf_mbuf *w, size_t n)
{
	size_t headroom = w->room_->headroom_;
	size_t size = ibuf_room_size_(w);
	size_t kept = size - w->off_; /* len and tailroom */
	struct ibuf_place place;
	size_t capacity;

	if (too_large(headroom, kept, n))
		return -EOVERFLOW;
	capacity = grown(size - headroom, kept + n, headroom);
	if (!ibuf_place_heap_(&place, headroom, capacity, home_of(w)->wipe))
		return -ENOMEM;
	ibuf_window_move_(w, &place, (uint32_t)(place.size - kept));
	return 0;
}

int
ibuf_grow_head_(struct ibuf_mbuf *w, size_t n)
{
	struct ibuf_place place;
	uint32_t off;
	int error;

	if (n == 0 || ((w->flags_ & IBUF_MBUF_HEAD_) != 0 && n <= w->off_))
		return 0;
	if (window_owns(w)) {
		if (n > w->off_)
			return grow_head_owned(w, n);
		ibuf_window_regain_(w);
		return 0;
	}
	error = ibuf_grow_plan_(w, n, &place, &off);
	if (error != 0)
		return error;
	ibuf_window_move_(w, &place, off + (uint32_t)n);
	return 0;
}
