/* segment.c - the model of one segment: counts and rights, cut and joined. */
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
owner_has_direct(const struct owner *owner)
{
	return owner->pool != NULL &&
	       (owner->max == 0 || owner->direct < owner->max);
}

struct room *
room_of_direct(struct owner *owner)
{
	struct room *room = room_new(owner->headroom, owner->capacity);

	room->owner = owner;
	room->header = true;
	owner->direct++;
	return room;
}

/* A room goes with the last segment, a direct header's with its header too. */
static void
room_end(struct room *room)
{
	if (room->segments != 0 || room->header)
		return;
	if (room->owner != NULL)
		room->owner->direct--;
	if (room->wrap != NULL) {
		CHECK_EQUAL(room->wrap->released, 1);
		free(room->wrap);
	}
	free(room);
}

void
room_drop(struct room *room)
{
	room->segments--;
	room_end(room);
}

/* ---- what can be seen ---------------------------------------------- */

static bool
is_read_only(const struct segment *w)
{
	return w->room->wrap != NULL && w->room->wrap->read_only;
}

bool
segment_is_sole(const struct segment *w)
{
	return w->room->segments == 1;
}

bool
segment_owns(const struct segment *w)
{
	return segment_is_sole(w) && !is_read_only(w);
}

size_t
segment_capacity(const struct segment *w)
{
	if (w->tail || segment_is_sole(w))
		return w->room->size - w->room->h0;
	return w->cap;
}

size_t
segment_headroom(const struct segment *w)
{
	return w->head || segment_owns(w) ? w->off : 0;
}

size_t
segment_tailroom(const struct segment *w)
{
	if (w->tail || segment_owns(w))
		return w->room->size - w->off - w->len;
	return 0;
}

/* ---- headers ------------------------------------------------------- */

static void
header_free(struct segment *w)
{
	if (w->own != NULL) {
		w->own->header = false;
		room_end(w->own);
	} else {
		w->owner->others--;
	}
}

void
segment_put(struct segment *w, struct owner *header_owner, struct room *room)
{
	memset(w, 0, sizeof(*w));
	w->room = room;
	w->off = room->h0;
	w->owner = header_owner;
	w->head = w->tail = !is_read_only(w);
	w->cap = room->size - room->h0;
	room->segments++;
	if (room->header)
		w->own = room;
	else
		header_owner->others++;
}

void
segment_share(struct segment *to, const struct segment *w, size_t off,
	      size_t len, size_t cap)
{
	memset(to, 0, sizeof(*to));
	to->room = w->room;
	to->off = w->off + off;
	to->len = len;
	to->cap = cap;
	/* What a destroyed pool's messages need anew comes from the heap. */
	to->owner = w->owner->pool != NULL ? w->owner : &heap;
	to->owner->others++;
	to->room->segments++;
}

/* What is written to a heap room from now on is w's, and may be secret. */
static void
mark_wiping(struct segment *w)
{
	if (w->owner->wipe && w->room->owner == NULL && w->room->wrap == NULL)
		w->room->wipe = true;
}

void
segment_take_over(struct segment *w, const struct segment *from)
{
	struct segment gone = *from;
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
segment_free(struct segment *w)
{
	struct room *room = w->room;

	/* The header first: the room of its own must be there for that. */
	room->segments++;
	header_free(w);
	room->segments--;
	room_drop(room);
}

/* ---- shorter, cut, joined ------------------------------------------ */

void
segment_regain(struct segment *w)
{
	w->head = w->tail = true;
}

void
segment_trim_head(struct segment *w, size_t n)
{
	if (n == 0)
		return;
	if (segment_owns(w))
		segment_regain(w);
	else
		w->head = false;
	w->off += n;
	w->len -= n;
}

static void
give_up_tail(struct segment *w)
{
	if (w->tail)
		w->cap = w->room->size - w->room->h0;
	w->tail = false;
}

void
segment_trim_tail(struct segment *w, size_t n)
{
	if (n == 0)
		return;
	if (segment_owns(w))
		segment_regain(w);
	else
		give_up_tail(w);
	w->len -= n;
}

void
segment_clear(struct segment *w)
{
	if (segment_owns(w)) {
		segment_regain(w);
		w->off = w->room->h0;
	} else {
		give_up_tail(w);
	}
	w->len = 0;
}

void
segment_split(struct segment *rest, struct segment *w, size_t at)
{
	if (segment_owns(w))
		segment_regain(w);
	segment_share(rest, w, at, w->len - at, w->cap);
	rest->tail = w->tail;
	w->tail = false;
	w->len = at;
	w->cap = at;
}

void
segment_split_front(struct segment *front, struct segment *w, size_t at)
{
	if (segment_owns(w))
		segment_regain(w);
	segment_share(front, w, 0, at, at);
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
segment_is_adjacent(const struct segment *a, const struct segment *b)
{
	return a->room == b->room && a->off + a->len == b->off;
}

void
segment_exchange(struct segment *a, struct segment *b)
{
	const struct segment old = *a;

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
segment_join(struct segment *a, const struct segment *b)
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
segment_rejoin(struct segment *a, struct segment *b)
{
	segment_join(a, b);
	segment_free(b);
}
