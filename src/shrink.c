/*
 * shrink.c - a window that keeps more memory alive than it shows moves to a
 * room of just its size, where that frees the larger one.
 */
#include "library.h"

#include <ibuf/mbuf.h>

#include "chain.h"
#include "moves.h"
#include <errno.h>

/* Is w all that keeps its room alive, so that it goes when w leaves? */
static bool
frees_its_room(const struct ibuf_mbuf *w)
{
	/* An element whose header is in use, here or elsewhere, stays. */
	return load_acquire_u32(&w->room_->count_) == 1 &&
	       !(is_element(w) && is_at_home(w));
}

static int
plan_smaller(const struct ibuf_mbuf *w, struct ibuf_place *place, uint32_t *off)
{
	const struct ibuf_home *home = home_of(w);

	if (!frees_its_room(w) || ibuf_room_size_(w) == w->len_)
		return 0;
	/* The element it has anyway costs nothing. */
	if (is_element(w) && w->len_ <= home->room_size - home->headroom &&
	    load_acquire_u32(&w->own_.count_) == IBUF_ROOM_HANDLE_) {
		if (!ibuf_place_for_(place, w, 0, w->len_))
			return -ENOMEM;
	} else if (!ibuf_place_heap_(place, 0, w->len_, home->wipe)) {
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
