/* growth.c - the growth law: what room a window gets, and when it moves. */
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

/* The capacity of the room that a window needs for n bytes more. */
static size_t
capacity_for(const struct window *w, size_t n)
{
	size_t capacity = window_capacity(w), need = w->len + n;

	if (!window_owns(w) && (n == 0 || need <= capacity))
		return most(capacity, w->len);
	return most(capacity + capacity / 2, need);
}

bool
window_wipes(const struct window *w)
{
	const struct room *room = w->room;

	return w->home->wipe || room->wipe ||
	       (room->home != NULL && room->home->wipe);
}

/* The room that a window with n bytes more gets which leaves another. */
static struct room *
room_for(const struct window *w, size_t n, bool wipe)
{
	struct home *home = w->home;

	if (home->is_pool && w->room->h0 <= home->headroom &&
	    w->len + n <= home->capacity && (home->wipe || !wipe)) {
		struct room *room;

		if (w->own != NULL && w->own->windows == 0)
			return w->own;
		if (home_has_element(home)) {
			room = room_of_element(home);
			room->handle = false; /* it is not handed out */
			return room;
		}
	}
	return room_on_heap(w->room->h0, capacity_for(w, n), wipe);
}

/* The room for n bytes more, whoever looks at the one there is. */
static struct room *
larger_room(const struct window *w, size_t n, bool wipe)
{
	if (window_owns(w))
		return room_on_heap(w->room->h0, capacity_for(w, n), wipe);
	return room_for(w, n, wipe);
}

void
window_move(struct window *w, struct room *room, size_t off)
{
	struct room *left = w->room;

	w->home->copied += w->len;
	w->room = room;
	w->off = off;
	room->windows++;
	window_regain(w);
	room_drop(left);
}

/* A sole owner's bytes move inside its room. */
static void
slide(struct window *w, size_t off)
{
	w->home->copied += w->len;
	w->off = off;
}

void
window_grow_tail(struct window *w, size_t n)
{
	struct room *room = w->room;

	if (n == 0 || (w->tail && n <= window_tailroom(w)))
		return;
	if (window_owns(w)) {
		window_regain(w);
		if (n <= window_tailroom(w))
			return;
		if (w->off >= room->h0 + w->len &&
		    w->len + n <= window_capacity(w)) {
			slide(w, room->h0);
			return;
		}
	}
	room = larger_room(w, n, window_wipes(w));
	window_move(w, room, room->h0);
}

void
window_grow_tail_wiping(struct window *w, size_t n)
{
	struct room *room;

	if (window_wipes(w)) {
		window_grow_tail(w, n);
		return;
	}
	room = larger_room(w, n, true);
	window_move(w, room, room->h0);
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
window_grow_head(struct window *w, size_t n)
{
	size_t free_bytes = w->room->size - w->len, tailroom;
	struct room *room;

	if (n == 0 || (w->head && n <= w->off))
		return;
	if (window_owns(w)) {
		window_regain(w);
		if (n <= w->off)
			return;
		if (window_tailroom(w) >= w->len && n <= free_bytes) {
			slide(w, most((free_bytes + 1) / 2, n));
			return;
		}
	}
	tailroom = window_tailroom(w);
	room = larger_room(w, n, window_wipes(w));
	window_move(w, room, off_in_front(room->size - w->len, tailroom, n));
}

struct room *
window_plan_private(const struct window *w)
{
	return window_owns(w) ? NULL : room_for(w, 0, window_wipes(w));
}

struct room *
window_plan_smaller(const struct window *w)
{
	/* The room behind a header that is in use stays in any case. */
	if (w->room->size == w->len || w->own == w->room)
		return NULL;
	if (w->own != NULL && w->own->windows == 0 &&
	    w->len <= w->home->capacity && (w->home->wipe || !window_wipes(w)))
		return w->own;
	return room_on_heap(0, w->len, window_wipes(w));
}
