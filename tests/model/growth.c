/* growth.c - the growth law: what room a segment gets, and when it moves. */
#include "model.h"

static size_t
most(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* ---- growth -------------------------------------------------------- */

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The capacity of the room that a segment needs for n bytes more. */
static size_t
capacity_for(const struct segment *w, size_t n)
{
	size_t capacity = segment_capacity(w), need = w->len + n;

	if (!segment_owns(w) && (n == 0 || need <= capacity))
		return most(capacity, w->len);
	return most(capacity + capacity / 2, need);
}

bool
segment_wipes(const struct segment *w)
{
	const struct room *room = w->room;

	return w->owner->wipe || room->wipe ||
	       (room->owner != NULL && room->owner->wipe);
}

/* The room that a segment with n bytes more gets which leaves another. */
static struct room *
room_for(const struct segment *w, size_t n, bool wipe)
{
	struct owner *owner = w->owner;

	if (owner->is_pool && w->room->h0 <= owner->headroom &&
	    w->len + n <= owner->capacity && (owner->wipe || !wipe)) {
		struct room *room;

		if (w->own != NULL && w->own->segments == 0)
			return w->own;
		if (owner_has_direct(owner)) {
			room = room_of_direct(owner);
			room->header = false; /* it is not handed out */
			return room;
		}
	}
	return room_on_heap(w->room->h0, capacity_for(w, n), wipe);
}

/* The room for n bytes more, whoever shows the one there is. */
static struct room *
larger_room(const struct segment *w, size_t n, bool wipe)
{
	if (segment_owns(w))
		return room_on_heap(w->room->h0, capacity_for(w, n), wipe);
	return room_for(w, n, wipe);
}

void
segment_move(struct segment *w, struct room *room, size_t off)
{
	struct room *left = w->room;

	w->owner->copied += w->len;
	w->room = room;
	w->off = off;
	room->segments++;
	segment_regain(w);
	room_drop(left);
}

/* A sole owner's bytes move inside its room. */
static void
slide(struct segment *w, size_t off)
{
	w->owner->copied += w->len;
	w->off = off;
}

void
segment_grow_tail(struct segment *w, size_t n)
{
	struct room *room = w->room;

	if (n == 0 || (w->tail && n <= segment_tailroom(w)))
		return;
	if (segment_owns(w)) {
		segment_regain(w);
		if (n <= segment_tailroom(w))
			return;
		if (w->off >= room->h0 + w->len &&
		    w->len + n <= segment_capacity(w)) {
			slide(w, room->h0);
			return;
		}
	}
	room = larger_room(w, n, segment_wipes(w));
	segment_move(w, room, room->h0);
}

void
segment_grow_tail_wiping(struct segment *w, size_t n)
{
	struct room *room;

	if (segment_wipes(w)) {
		segment_grow_tail(w, n);
		return;
	}
	room = larger_room(w, n, true);
	segment_move(w, room, room->h0);
}

/*
 * The free bytes of a room lie in front but for the tailroom there was, which
 * keeps up to half of them.
 */
static size_t
off_in_front(size_t free_bytes, size_t tailroom, size_t n)
{
	return free_bytes -
	       least(tailroom, least(free_bytes / 2, free_bytes - n));
}

void
segment_grow_head(struct segment *w, size_t n)
{
	size_t free_bytes = w->room->size - w->len, tailroom;
	struct room *room;

	if (n == 0 || (w->head && n <= w->off))
		return;
	if (segment_owns(w)) {
		segment_regain(w);
		if (n <= w->off)
			return;
		if (segment_tailroom(w) >= w->len && n <= free_bytes) {
			slide(w, most((free_bytes + 1) / 2, n));
			return;
		}
	}
	tailroom = segment_tailroom(w);
	room = larger_room(w, n, segment_wipes(w));
	segment_move(w, room, off_in_front(room->size - w->len, tailroom, n));
}

struct room *
segment_plan_private(const struct segment *w)
{
	return segment_owns(w) ? NULL : room_for(w, 0, segment_wipes(w));
}

struct room *
segment_plan_smaller(const struct segment *w)
{
	/* The room behind a header that is in use stays in any case. */
	if (w->room->size == w->len || w->own == w->room)
		return NULL;
	if (w->own != NULL && w->own->segments == 0 &&
	    w->len <= w->owner->capacity &&
	    (w->owner->wipe || !segment_wipes(w)))
		return w->own;
	return room_on_heap(0, w->len, segment_wipes(w));
}
