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
	const struct ibuf_home *home = home_of(w);
	bool wipe = ibuf_window_wipes_(w);

	/* The room behind its own header stays as long as the header does. */
	if (ibuf_room_size_(w) == w->len_ || (is_element(w) && is_at_home(w)))
		return 0;
	if (is_element(w) && w->len_ <= home->room_size - home->headroom &&
	    (home->wipe || !wipe) &&
	    load_acquire_u32(&w->own_.count_) == IBUF_ROOM_HANDLE_) {
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
	return ibuf_moves_(m, ibuf_mbuf_segments(m), plan_smaller);
}
