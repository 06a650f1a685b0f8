/*
 * shrink.c - a segment that shows a part of a room moves to one of just its
 * size, so that the message keeps no memory alive beyond its own bytes.
 */
#include "../library.h"

#include <ibuf/mbuf.h>

#include "chain.h"
#include "private.h"
#include <errno.h>

static int
plan_smaller(const struct ibuf_mbuf *s, struct ibuf_place *place, uint32_t *off)
{
	const struct ibuf_owner *owner = owner_of(s);
	bool wipe = ibuf_segment_wipes_(s);

	/* The room behind its own header stays as long as the header does. */
	if (ibuf_room_size_(s) == s->len_ || is_in_own_room(s))
		return 0;
	if (is_direct(s) && s->len_ <= owner->room_size - owner->headroom &&
	    (owner->wipe || !wipe) &&
	    load_acquire_u32(&s->own_.count_) == IBUF_ROOM_HEADER_) {
		if (!ibuf_place_for_(place, s, 0, s->len_, s->len_, wipe))
			return -ENOMEM;
	} else if (!ibuf_place_heap_(place, 0, s->len_, wipe)) {
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
