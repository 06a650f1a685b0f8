/* room.c - rooms come, are counted and go; windows are put onto them. */
#define _POSIX_C_SOURCE 200809L
#include "room.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a window may do ------------------------------------------ */

static struct ibuf_mbuf *
direct_of(const struct ibuf_room_ *room)
{
	return (struct ibuf_mbuf *)(void *)((uint8_t *)(uintptr_t)room -
					    offsetof(struct ibuf_mbuf, own_));
}

uint32_t
ibuf_room_size_(const struct ibuf_mbuf *w)
{
	if (w->flags_ & IBUF_MBUF_HEAP_)
		return ((const struct heap_room *)w->room_)->size;
	if (w->flags_ & IBUF_MBUF_WRAPPED_)
		return ((const struct wrapped_room *)w->room_)->size;
	return owner_of(direct_of(w->room_))->room_size;
}

/* Data is never NULL, also where the caller wrapped nothing. */
static const uint8_t *
wrapped_base(const struct wrapped_room *wrapped)
{
	return wrapped->bytes != NULL ? wrapped->bytes
				      : (const uint8_t *)(wrapped + 1);
}

const uint8_t *
ibuf_room_base_(const struct ibuf_mbuf *w)
{
	const struct ibuf_mbuf *e;

	if (w->flags_ & IBUF_MBUF_HEAP_)
		return (const uint8_t *)w->room_ + sizeof(struct heap_room);
	if (w->flags_ & IBUF_MBUF_WRAPPED_)
		return wrapped_base((const struct wrapped_room *)w->room_);
	e = direct_of(w->room_);
	return (const uint8_t *)e + owner_of(e)->room_offset;
}

uint32_t
ibuf_mbuf_room_capacity_(const struct ibuf_mbuf *w)
{
	return ibuf_room_size_(w) - w->room_->headroom_;
}

uint32_t
ibuf_segment_capacity_bare_(const struct ibuf_mbuf *w)
{
	return segment_is_sole(w) ? ibuf_mbuf_room_capacity_(w) : w->cap_;
}

void
ibuf_segment_regain_(struct ibuf_mbuf *w)
{
	if ((w->flags_ & BOTH_RIGHTS) == BOTH_RIGHTS)
		return;
	w->flags_ |= BOTH_RIGHTS;
	w->cap_ = ibuf_room_size_(w);
}

void
ibuf_segment_give_up_tail_(struct ibuf_mbuf *w)
{
	if ((w->flags_ & IBUF_MBUF_TAIL_) == 0)
		return;
	w->cap_ -= w->room_->headroom_;
	w->flags_ &= (uint16_t)~IBUF_MBUF_TAIL_;
}

/* ---- rooms --------------------------------------------------------- */

bool
ibuf_place_heap_(struct ibuf_place *place, size_t headroom, size_t capacity,
		 bool wipe)
{
	struct heap_room *heap = malloc(sizeof *heap + headroom + capacity);

	if (heap == NULL)
		return false;
	heap->room.count_ = 1;
	heap->room.headroom_ = (uint32_t)headroom;
	heap->size = (uint32_t)(headroom + capacity);
	heap->wipe = wipe;
	place->room = &heap->room;
	place->base = (uint8_t *)(heap + 1);
	place->size = heap->size;
	place->kind = IBUF_MBUF_HEAP_;
	return true;
}

/* The room behind e's header becomes a place; the header is not looked at. */
static void
place_own(struct ibuf_place *place, struct ibuf_mbuf *e,
	  const struct ibuf_owner *owner)
{
	place->room = &e->own_;
	place->base = (uint8_t *)e + owner->room_offset;
	place->size = owner->room_size;
	place->kind = 0;
}

bool
ibuf_place_for_(struct ibuf_place *place, const struct ibuf_mbuf *w,
		size_t headroom, size_t needed, size_t capacity, bool wipe)
{
	struct ibuf_owner *owner = owner_of(w);
	struct ibuf_mbuf *e = NULL;

	if (headroom <= owner->headroom &&
	    needed <= owner->room_size - owner->headroom &&
	    (owner->wipe || !wipe)) {
		/* Nobody but w's owner can bring windows to an idle room. */
		if (is_direct(w) &&
		    load_acquire_u32(&w->own_.count_) == IBUF_ROOM_HEADER_) {
			place_own(place, (struct ibuf_mbuf *)(uintptr_t)w,
				  owner);
			return true;
		}
		e = owner->ops->take(owner, IBUF_DIRECT_);
	}
	if (e == NULL)
		return ibuf_place_heap_(place, headroom, capacity, wipe);
	e->flags_ = IBUF_MBUF_DIRECT_; /* its header is not handed out */
	place_own(place, e, owner);
	return true;
}

/* The room of kind has lost its last window. */
static void
room_gone(struct ibuf_room_ *room, unsigned kind,
	  struct ibuf_releases *releases)
{
	if (kind & IBUF_MBUF_HEAP_) {
		struct heap_room *heap = (struct heap_room *)room;

		if (load_relaxed_u32(&heap->wipe) != 0)
			ibuf_platform_wipe_(heap + 1, heap->size);
		free(heap);
	} else if (kind & IBUF_MBUF_WRAPPED_) {
		struct wrapped_room *wrapped = (struct wrapped_room *)room;

		wrapped->next = NULL;
		if (releases->first == NULL)
			releases->first = wrapped;
		else
			releases->last->next = wrapped;
		releases->last = wrapped;
	} else {
		struct ibuf_mbuf *e = direct_of(room);
		struct ibuf_owner *owner = owner_of(e);

		owner->ops->give(owner, e, IBUF_DIRECT_);
	}
}

static void
release_others(void *releases)
{
	ibuf_releases_call_(releases);
}

/*
 * A callback that never returns, since its thread is cancelled in it or since
 * it throws, must not keep the other rooms from their release.  (What throws
 * passes the handler only in a library that is built with -fexceptions.)
 */
void
ibuf_releases_call_(struct ibuf_releases *releases)
{
	while (releases->first != NULL) {
		struct wrapped_room gone = *releases->first;

		free(releases->first);
		releases->first = gone.next;
		if (gone.release == NULL)
			continue;
		if (gone.next == NULL) {
			gone.release(gone.bytes, gone.size, gone.arg);
			return;
		}
		pthread_cleanup_push(release_others, releases);
		gone.release(gone.bytes, gone.size, gone.arg);
		pthread_cleanup_pop(0);
	}
}

void
ibuf_place_drop_(const struct ibuf_place *place)
{
	struct ibuf_releases none = {NULL, NULL}; /* no place is wrapped */

	/* The idle room of a live element just stays where it is. */
	if (load_acquire_u32(&place->room->count_) != IBUF_ROOM_HEADER_)
		room_gone(place->room, place->kind, &none);
}

bool
ibuf_room_add_(struct ibuf_room_ *room, uint32_t n)
{
	/* Relaxed: who adds has a window already, or holds its message. */
	uint32_t old = fetch_add_relaxed_u32(&room->count_, n);

	if (n <= SEGMENTS_MAX &&
	    (old & IBUF_ROOM_SEGMENTS_) <= SEGMENTS_MAX - n)
		return true;
	ibuf_room_undo_(room, n);
	return false;
}

void
ibuf_room_undo_(struct ibuf_room_ *room, uint32_t n)
{
	/* Another window remains, so nothing ends here. */
	fetch_sub_acq_rel_u32(&room->count_, n);
}

/*
 * Drop one window.  The release half says: my reads of the bytes are done.
 * The acquire half, for the last: everybody's are, so the room may go.  A
 * sole window skips the subtraction: nobody else is there to add one.
 */
static void
room_drop(struct ibuf_room_ *room, unsigned kind,
	  struct ibuf_releases *releases)
{
	if (load_acquire_u32(&room->count_) == 1 ||
	    fetch_sub_acq_rel_u32(&room->count_, 1) == 1)
		room_gone(room, kind, releases);
}

/* ---- windows and headers ------------------------------------------- */

/* From now on an element's header is in use but looks elsewhere. */
static void
leave_own_room(struct ibuf_mbuf *m)
{
	m->flags_ |= IBUF_MBUF_AWAY_;
	fetch_add_acq_rel_u32(&m->own_.count_, IBUF_ROOM_HEADER_ - 1);
}

void
ibuf_segment_put_(struct ibuf_mbuf *w, const struct ibuf_place *place,
		  uint32_t off, uint32_t len)
{
	w->off_ = off;
	w->len_ = len;
	w->cap_ = place->size;
	w->flags_ = (uint16_t)((w->flags_ & ~ROOM_FLAGS) | place->kind |
			       BOTH_RIGHTS);
	w->base_ = place->base;
	w->room_ = place->room;
	if (is_direct(w) && has_own_room(w)) {
		/* Back from elsewhere: idle until now, so nobody looks. */
		w->flags_ &= (uint16_t)~IBUF_MBUF_AWAY_;
		store_relaxed_u32(&w->own_.count_, 1);
	}
}

void
ibuf_segment_leave_(struct ibuf_mbuf *w, struct ibuf_left *left)
{
	left->room = NULL;
	if (is_direct(w) && has_own_room(w)) {
		leave_own_room(w);
		return;
	}
	left->room = w->room_;
	left->kind = w->flags_ & ROOM_KIND;
}

void
ibuf_left_gather_(const struct ibuf_left *left, struct ibuf_releases *releases)
{
	if (left->room != NULL)
		room_drop(left->room, left->kind, releases);
}

void
ibuf_left_drop_(const struct ibuf_left *left)
{
	struct ibuf_releases releases = {NULL, NULL};

	ibuf_left_gather_(left, &releases);
	releases_run(&releases);
}

void
ibuf_header_free_(struct ibuf_mbuf *m)
{
	struct ibuf_owner *owner = owner_of(m);

	if (!is_direct(m)) {
		struct ibuf_tcache_ *tcache = indirect_tcache(m);

		if (tcache != NULL && tcache_has_place(tcache)) {
			m->flags_ = 0;
			m->next_ = NULL;
			ibuf_tcache_give_(tcache, ibuf_tcache_top_(tcache), m);
		} else {
			owner->ops->give(owner, m, IBUF_INDIRECT_);
		}
		return;
	}
	m->flags_ &= (uint16_t)~IBUF_MBUF_LIVE_;
	if (fetch_sub_acq_rel_u32(&m->own_.count_, IBUF_ROOM_HEADER_) ==
	    IBUF_ROOM_HEADER_)
		owner->ops->give(owner, m, IBUF_DIRECT_);
}

void
ibuf_segment_take_over_(struct ibuf_mbuf *w, const struct ibuf_mbuf *from)
{
	bool back = is_direct(w) && from->room_ == &w->own_;

	w->off_ = from->off_;
	w->len_ = from->len_;
	w->cap_ = from->cap_;
	w->flags_ = (uint16_t)((w->flags_ & ~(ROOM_FLAGS | BOTH_RIGHTS)) |
			       (from->flags_ & (ROOM_FLAGS | BOTH_RIGHTS)));
	w->base_ = from->base_;
	w->room_ = from->room_;
	if (owner_of(w)->wipe && (w->flags_ & IBUF_MBUF_HEAP_) != 0)
		room_must_wipe(w); /* what is written there is w's from now */
	if (back) {
		/* The window is one of w's own room: no longer elsewhere. */
		w->flags_ &= (uint16_t)~IBUF_MBUF_AWAY_;
		fetch_sub_acq_rel_u32(&w->own_.count_, IBUF_ROOM_HEADER_);
	}
}

void
ibuf_segment_taken_(struct ibuf_mbuf *from)
{
	if (is_direct(from) && has_own_room(from)) {
		/* Its window lives on and keeps the element out. */
		from->flags_ &= (uint16_t)~IBUF_MBUF_LIVE_;
	} else {
		ibuf_header_free_(from);
	}
}

void
ibuf_segment_move_(struct ibuf_mbuf *w, const struct ibuf_place *place,
		   uint32_t off, struct ibuf_left *left)
{
	if (w->len_ != 0)
		memcpy(place->base + off, segment_data(w), w->len_);
	count_copied(w, w->len_);
	ibuf_segment_leave_(w, left);
	ibuf_segment_put_(w, place, off, w->len_);
}

/* A new window whose header comes from the owner itself. */
static struct ibuf_mbuf *
segment_new_from_owner(const struct ibuf_mbuf *w, uint32_t off, uint32_t len,
		       uint32_t capacity)
{
	struct ibuf_mbuf *m = ibuf_owner_take_indirect_(owner_of(w));

	if (m == NULL)
		return NULL;
	if (!ibuf_room_add_(w->room_, 1)) {
		ibuf_header_free_(m);
		return NULL;
	}
	segment_refer(m, w, capacity);
	m->off_ += off;
	m->len_ = len;
	return m;
}

struct ibuf_mbuf *
ibuf_segment_new_(const struct ibuf_mbuf *w, uint32_t off, uint32_t len,
		  uint32_t capacity)
{
	uint32_t windows;
	struct ibuf_mbuf *m = ibuf_mbuf_indirect_(
		w, w->off_ + off, len, capacity, IBUF_MBUF_CAREFUL_, &windows);

	return m != NULL ? m : segment_new_from_owner(w, off, len, capacity);
}

void
ibuf_segment_free_(struct ibuf_mbuf *s, struct ibuf_releases *releases)
{
	struct ibuf_room_ *room = s->room_;
	unsigned kind = s->flags_;

	if (is_direct(s) && has_own_room(s)) {
		/* Header and window go in one step. */
		s->flags_ &= (uint16_t)~IBUF_MBUF_LIVE_;
		kind = 0;
	} else {
		ibuf_header_free_(s);
	}
	room_drop(room, kind, releases);
}

void
ibuf_mbuf_free_last_(struct ibuf_mbuf *m)
{
	struct ibuf_releases releases = {NULL, NULL};
	struct ibuf_room_ *room = m->room_;
	unsigned kind = m->flags_;

	ibuf_header_free_(m);
	room_gone(room, kind, &releases);
	releases_run(&releases);
}

/* ---- wiping -------------------------------------------------------- */

bool
ibuf_segment_wipes_(const struct ibuf_mbuf *w)
{
	if (owner_of(w)->wipe)
		return true;
	if (w->flags_ & IBUF_MBUF_HEAP_)
		return load_relaxed_u32(
			       &((const struct heap_room *)w->room_)->wipe) !=
		       0;
	if (w->flags_ & IBUF_MBUF_WRAPPED_)
		return false;
	return owner_of(direct_of(w->room_))->wipe;
}

bool
ibuf_segments_wipe_(const struct ibuf_mbuf *s, size_t n)
{
	for (; n != 0; n--) {
		if (ibuf_segment_wipes_(s))
			return true;
		s = s->next_;
	}
	return false;
}
