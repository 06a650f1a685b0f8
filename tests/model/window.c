/* window.c - the model of one window: counts and rights, cut and joined. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

/* ---- rooms --------------------------------------------------------- */

static struct room *
room_new(size_t h0, size_t capacity)
{
	struct room *room = calloc(1, sizeof(*room));

	CHECK(room != NULL);
	room->h0 = h0;
	room->size = h0 + capacity;
	return room;
}

struct room *
room_on_heap(size_t h0, size_t capacity, bool wipe)
{
	struct room *room = room_new(h0, capacity);

	room->wipe = wipe;
	return room;
}

struct room *
room_wrapped(struct wrapped *wrap)
{
	struct room *room = room_new(0, wrap->len);

	room->wrap = wrap;
	if (wrap->len != 0)
		room->base = wrap->bytes;
	return room;
}

bool
home_has_element(const struct home *home)
{
	return home->pool != NULL &&
	       (home->max == 0 || home->elements < home->max);
}

struct room *
room_of_element(struct home *home)
{
	struct room *room = room_new(home->headroom, home->capacity);

	room->home = home;
	room->handle = true;
	home->elements++;
	return room;
}

/* A room goes with the last window, an element's with its header too. */
static void
room_end(struct room *room)
{
	if (room->windows != 0 || room->handle)
		return;
	if (room->home != NULL)
		room->home->elements--;
	if (room->wrap != NULL) {
		CHECK_EQUAL(room->wrap->released, 1);
		free(room->wrap);
	}
	free(room);
}

void
room_drop(struct room *room)
{
	room->windows--;
	room_end(room);
}

/* ---- what can be seen ---------------------------------------------- */

static bool
is_read_only(const struct window *w)
{
	return w->room->wrap != NULL && w->room->wrap->read_only;
}

bool
window_is_sole(const struct window *w)
{
	return w->room->windows == 1;
}

bool
window_owns(const struct window *w)
{
	return window_is_sole(w) && !is_read_only(w);
}

size_t
window_capacity(const struct window *w)
{
	if (w->tail || window_is_sole(w))
		return w->room->size - w->room->h0;
	return w->cap;
}

size_t
window_headroom(const struct window *w)
{
	return w->head || window_owns(w) ? w->off : 0;
}

size_t
window_tailroom(const struct window *w)
{
	if (w->tail || window_owns(w))
		return w->room->size - w->off - w->len;
	return 0;
}

/* ---- headers ------------------------------------------------------- */

static void
header_free(struct window *w)
{
	if (w->own != NULL) {
		w->own->handle = false;
		room_end(w->own);
	} else {
		w->home->handles--;
	}
}

void
window_put(struct window *w, struct home *header_home, struct room *room)
{
	memset(w, 0, sizeof(*w));
	w->room = room;
	w->off = room->h0;
	w->home = header_home;
	w->head = w->tail = !is_read_only(w);
	w->cap = room->size - room->h0;
	room->windows++;
	if (room->handle)
		w->own = room;
	else
		header_home->handles++;
}

void
window_share(struct window *to, const struct window *w, size_t off, size_t len,
	     size_t cap)
{
	memset(to, 0, sizeof(*to));
	to->room = w->room;
	to->off = w->off + off;
	to->len = len;
	to->cap = cap;
	/* What a destroyed pool's messages need anew comes from the heap. */
	to->home = w->home->pool != NULL ? w->home : &heap;
	to->home->handles++;
	to->room->windows++;
}

/* What is written to a heap room from now on is w's, and may be secret. */
static void
mark_wiping(struct window *w)
{
	if (w->home->wipe && w->room->home == NULL && w->room->wrap == NULL)
		w->room->wipe = true;
}

void
window_take_over(struct window *w, const struct window *from)
{
	struct window gone = *from;
	struct room *left = w->room;

	w->room = from->room;
	w->off = from->off;
	w->len = from->len;
	w->cap = from->cap;
	w->head = from->head;
	w->tail = from->tail;
	mark_wiping(w);
	room_drop(left);
	header_free(&gone);
}

void
window_free(struct window *w)
{
	struct room *room = w->room;

	/* The header first: the room of its own must be there for that. */
	room->windows++;
	header_free(w);
	room->windows--;
	room_drop(room);
}

/* ---- shorter, cut, joined ------------------------------------------ */

void
window_regain(struct window *w)
{
	w->head = w->tail = true;
}

void
window_trim_head(struct window *w, size_t n)
{
	if (n == 0)
		return;
	if (window_owns(w))
		window_regain(w);
	else
		w->head = false;
	w->off += n;
	w->len -= n;
}

static void
give_up_tail(struct window *w)
{
	if (w->tail)
		w->cap = w->room->size - w->room->h0;
	w->tail = false;
}

void
window_trim_tail(struct window *w, size_t n)
{
	if (n == 0)
		return;
	if (window_owns(w))
		window_regain(w);
	else
		give_up_tail(w);
	w->len -= n;
}

void
window_clear(struct window *w)
{
	if (window_owns(w)) {
		window_regain(w);
		w->off = w->room->h0;
	} else {
		give_up_tail(w);
	}
	w->len = 0;
}

void
window_split(struct window *rest, struct window *w, size_t at)
{
	if (window_owns(w))
		window_regain(w);
	window_share(rest, w, at, w->len - at, w->cap);
	rest->tail = w->tail;
	w->tail = false;
	w->len = at;
	w->cap = at;
}

void
window_split_front(struct window *front, struct window *w, size_t at)
{
	if (window_owns(w))
		window_regain(w);
	window_share(front, w, 0, at, at);
	front->head = w->head;
	w->head = false;
	w->off += at;
	w->len -= at;
}

static size_t
most(size_t a, size_t b)
{
	return a > b ? a : b;
}

bool
window_is_adjacent(const struct window *a, const struct window *b)
{
	return a->room == b->room && a->off + a->len == b->off;
}

void
window_exchange(struct window *a, struct window *b)
{
	const struct window old = *a;

	a->room = b->room;
	a->off = b->off;
	a->len = b->len;
	a->cap = b->cap;
	a->head = b->head;
	a->tail = b->tail;
	b->room = old.room;
	b->off = old.off;
	b->len = old.len;
	b->cap = old.cap;
	b->head = old.head;
	b->tail = old.tail;
	mark_wiping(a);
	mark_wiping(b);
}

void
window_join(struct window *a, const struct window *b)
{
	/* Where a shows nothing, what is before b is before both. */
	if (a->len == 0 && b->head)
		a->head = true;
	a->len += b->len;
	if (b->tail)
		a->tail = true;
	else if (!a->tail)
		a->cap = most(most(a->cap, b->cap), a->len);
}

void
window_rejoin(struct window *a, struct window *b)
{
	window_join(a, b);
	window_free(b);
}
