/* room.c - rooms come, are counted, and go. */
#define _POSIX_C_SOURCE 200809L
#include "room.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The direct header before a room of its own. */
static struct ibuf_mbuf *
direct_of(const struct ibuf_room_ *room)
{
	return (struct ibuf_mbuf *)(void *)((uint8_t *)(uintptr_t)room -
					    offsetof(struct ibuf_mbuf, own_));
}

/* ---- what depends on the kind of room ---------------------------------- */

uint32_t
ibuf_room_size_(const struct ibuf_mbuf *s)
{
	switch (s->flags_ & ROOM_KIND) {
	case IBUF_MBUF_HEAP_:
		return ((const struct heap_room *)s->room_)->size;
	case IBUF_MBUF_WRAPPED_:
		return ((const struct wrapped_room *)s->room_)->size;
	default:
		return owner_of(direct_of(s->room_))->room_size;
	}
}

/* Data is never NULL, also where the caller wrapped nothing. */
static const uint8_t *
wrapped_base(const struct wrapped_room *wrapped)
{
	return wrapped->bytes != NULL ? wrapped->bytes
				      : (const uint8_t *)(wrapped + 1);
}

const uint8_t *
ibuf_room_base_(const struct ibuf_mbuf *s)
{
	const struct ibuf_mbuf *direct;

	switch (s->flags_ & ROOM_KIND) {
	case IBUF_MBUF_HEAP_:
		return (const uint8_t *)s->room_ + sizeof(struct heap_room);
	case IBUF_MBUF_WRAPPED_:
		return wrapped_base((const struct wrapped_room *)s->room_);
	default:
		direct = direct_of(s->room_);
		return (const uint8_t *)direct + owner_of(direct)->room_offset;
	}
}

const char *
ibuf_room_name_(const struct ibuf_mbuf *s)
{
	switch (s->flags_ & ROOM_KIND) {
	case IBUF_MBUF_HEAP_:
		return "heap";
	case IBUF_MBUF_WRAPPED_:
		return (s->flags_ & IBUF_MBUF_RDONLY_) != 0 ? "wrapped const"
							    : "wrapped";
	default:
		return "pool";
	}
}

bool
ibuf_room_wipes_(const struct ibuf_mbuf *s)
{
	switch (s->flags_ & ROOM_KIND) {
	case IBUF_MBUF_HEAP_:
		return load_relaxed_u32(
			       &((const struct heap_room *)s->room_)->fate) ==
		       FATE_WIPED;
	case IBUF_MBUF_WRAPPED_:
		return false;
	default:
		return owner_of(direct_of(s->room_))->wipe;
	}
}

static void
wrapped_gone(struct wrapped_room *wrapped, struct ibuf_releases *releases)
{
	wrapped->next = NULL;
	if (releases->first == NULL)
		releases->first = wrapped;
	else
		releases->last->next = wrapped;
	releases->last = wrapped;
}

void
ibuf_room_gone_(struct ibuf_room_ *room, unsigned kind,
		struct ibuf_releases *releases)
{
	struct ibuf_owner *owner;

	switch (kind & ROOM_KIND) {
	case IBUF_MBUF_HEAP_:
		heap_room_free((struct heap_room *)room);
		break;
	case IBUF_MBUF_WRAPPED_:
		wrapped_gone((struct wrapped_room *)room, releases);
		break;
	default:
		owner = owner_of(direct_of(room));
		owner->ops->give(owner, direct_of(room), IBUF_DIRECT_);
	}
}

uint32_t
ibuf_mbuf_room_capacity_(const struct ibuf_mbuf *s)
{
	return ibuf_room_size_(s) - s->room_->headroom_;
}

/* ---- rooms that nothing shows yet -------------------------------------- */

bool
ibuf_place_heap_(struct ibuf_place *place, size_t headroom, size_t capacity,
		 bool wipe)
{
	struct heap_room *heap = heap_room_new(headroom, capacity, wipe);

	if (heap == NULL)
		return false;
	place->room = &heap->room;
	place->base = heap_room_base(heap);
	place->size = heap->size;
	place->kind = IBUF_MBUF_HEAP_;
	return true;
}

/* The room of a direct header becomes a place. */
static void
place_own(struct ibuf_place *place, struct ibuf_mbuf *direct,
	  const struct ibuf_owner *owner)
{
	place->room = &direct->own_;
	place->base = (uint8_t *)direct + owner->room_offset;
	place->size = owner->room_size;
	place->kind = owner->wipe ? IBUF_MBUF_MARKED_ : 0;
}

bool
ibuf_place_for_(struct ibuf_place *place, const struct ibuf_mbuf *s,
		size_t headroom, size_t needed, size_t capacity, bool wipe)
{
	struct ibuf_owner *owner = owner_of(s);
	struct ibuf_mbuf *direct = NULL;

	if (headroom <= owner->headroom &&
	    needed <= owner->room_size - owner->headroom &&
	    (owner->wipe || !wipe)) {
		/* Nobody but the caller can bring segments to an idle room. */
		if (is_direct(s) &&
		    load_acquire_u32(&s->own_.count_) == IBUF_ROOM_HEADER_) {
			place_own(place, (struct ibuf_mbuf *)(uintptr_t)s,
				  owner);
			return true;
		}
		direct = owner->ops->take(owner, IBUF_DIRECT_);
	}
	if (direct == NULL)
		return ibuf_place_heap_(place, headroom, capacity, wipe);
	direct->flags_ = IBUF_MBUF_DIRECT_; /* the header is not handed out */
	place_own(place, direct, owner);
	return true;
}

void
ibuf_place_drop_(const struct ibuf_place *place)
{
	struct ibuf_releases none = {NULL, NULL}; /* no place is wrapped */

	/* The idle room of a live header just stays where it is. */
	if (load_acquire_u32(&place->room->count_) != IBUF_ROOM_HEADER_)
		ibuf_room_gone_(place->room, place->kind, &none);
}

/* ---- counting ---------------------------------------------------------- */

bool
ibuf_room_add_(struct ibuf_room_ *room, uint32_t n)
{
	/* Relaxed: whoever adds has a segment there, or holds its message. */
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
	/* Another segment remains, so nothing ends here. */
	fetch_sub_acq_rel_u32(&room->count_, n);
}

/*
 * The release half says: my reads of the bytes are done.  The acquire half,
 * for the last: everybody's are, so the room may go.  A sole owner skips the
 * subtraction: nobody else is there to add to it.
 */
void
ibuf_room_drop_(struct ibuf_room_ *room, unsigned kind,
		struct ibuf_releases *releases)
{
	if (load_acquire_u32(&room->count_) == 1 ||
	    fetch_sub_acq_rel_u32(&room->count_, 1) == 1)
		ibuf_room_gone_(room, kind, releases);
}

void
ibuf_left_gather_(const struct ibuf_left *left, struct ibuf_releases *releases)
{
	if (left->room != NULL)
		ibuf_room_drop_(left->room, left->kind, releases);
}

void
ibuf_left_drop_(const struct ibuf_left *left)
{
	struct ibuf_releases releases = {NULL, NULL};

	ibuf_left_gather_(left, &releases);
	releases_run(&releases);
}

/* ---- callbacks --------------------------------------------------------- */

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
