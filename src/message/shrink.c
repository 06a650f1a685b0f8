/*
 * shrink.c - a window that shows a part of a room moves to one of just its
 * size, so that the message keeps no memory alive beyond its own bytes.
 */
#include "../library.h"

#include <ibuf/mbuf.h>

#include "chain.h"
#include "private.h"
#include <errno.h>

static int
plan_smaller(const struct ibuf_mbuf *w, struct ibuf_place *place, uint32_t *off)
{
	const struct ibuf_owner *owner = owner_of(w);
	bool wipe = ibuf_segment_wipes_(w);

	/* The room behind its own header stays as long as the header does. */
	if (ibuf_room_size_(w) == w->len_ || (is_direct(w) && has_own_room(w)))
		return 0;
	if (is_direct(w) && w->len_ <= owner->room_size - owner->headroom &&
	    (owner->wipe || !wipe) &&
	    load_acquire_u32(&w->own_.count_) == IBUF_ROOM_HEADER_) {
		if (!ibuf_place_for_(place, w, 0, w->len_, w->len_, wipe))
			return -ENOMEM;
	} else if (!ibuf_place_heap_(place, 0, w->len_, wipe)) {
		return -ENOMEM;
	}
	*off = place->room->headroom_;
	return 1;
}

int
ibuf_mbuf_shrink(struct ibuf_mbuf *m)
{
	return ibuf_relocate_(m, ibuf_mbuf_segments(m), plan_smaller);
}
