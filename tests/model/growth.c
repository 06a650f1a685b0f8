/* growth.c - the growth law: what room a window gets, and when it moves. */
#include "model.h"

static size_t
most(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* ---- growth -------------------------------------------------------- */

/* The room that a window gets which leaves another. */
static struct room *
room_for(const struct window *w, size_t h0, size_t capacity)
{
	struct home *home = w->home;

	if (home->is_pool && h0 <= home->headroom &&
	    capacity <= home->capacity) {
		struct room *room;

		if (w->own != NULL && w->own->windows == 0)
			return w->own;
		if (home_has_element(home)) {
			room = room_of_element(home);
			room->handle = false; /* it is not handed out */
			return room;
		}
	}
	return room_on_heap(h0, capacity);
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

void
window_grow_tail(struct window *w, size_t n)
{
	struct room *room = w->room;
	size_t capacity = window_capacity(w);

	if (n == 0 || (w->tail && n <= window_tailroom(w)))
		return;
	if (!window_owns(w)) {
		room = room_for(w, room->h0, most(capacity, w->len + n));
		window_move(w, room, room->h0);
		return;
	}
	window_regain(w);
	if (n <= window_tailroom(w))
		return;
	if (w->off >= room->h0 + w->len && w->len + n <= capacity) {
		w->home->copied += w->len;
		w->off = room->h0;
		return;
	}
	capacity = most(capacity + capacity / 2, w->len + n);
	window_move(w, room_on_heap(room->h0, capacity), room->h0);
}

void
window_grow_head(struct window *w, size_t n)
{
	struct room *room = w->room;
	size_t capacity = window_capacity(w), kept;

	if (n == 0 || (w->head && n <= w->off))
		return;
	if (!window_owns(w)) {
		room = room_for(w, room->h0, most(capacity, w->len + n));
		window_move(w, room, room->h0 + n);
		return;
	}
	window_regain(w);
	if (n <= w->off)
		return;
	kept = room->size - w->off;
	capacity = most(capacity + capacity / 2, kept + n);
	room = room_on_heap(room->h0, capacity);
	window_move(w, room, room->size - kept);
}

struct room *
window_plan_private(const struct window *w)
{
	if (window_owns(w))
		return NULL;
	return room_for(w, w->room->h0, most(window_capacity(w), w->len));
}

struct room *
window_plan_smaller(const struct window *w)
{
	/* An element whose header is in use stays in any case. */
	if (!window_is_sole(w) || w->room->handle || w->room->size == w->len)
		return NULL;
	if (w->own != NULL && w->own->windows == 0 &&
	    w->len <= w->home->capacity)
		return w->own;
	return room_on_heap(0, w->len);
}
