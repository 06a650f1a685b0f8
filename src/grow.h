/*
 * grow.h - the growth law: how a window gets more room, or leaves a room.
 *
 * C is the capacity of the window, h0 the headroom its room was made with.
 *
 *   sole owner, n more bytes behind:
 *       slide back to h0 where the dead headroom is at least len and they
 *       then fit, else a new room of max(C + C / 2, len + n), data at h0
 *   sole owner, n more bytes in front:
 *       a new room of max(C + C / 2, len + tailroom + n); the tailroom is
 *       kept and the slack is in front
 *   not the owner (shared, or read-only):
 *       a new room of max(C, len + n), data at h0
 *
 * So each byte is moved O(1) times, and a FIFO that never holds more than
 * half its capacity never allocates.
 */
#ifndef IBUF_SRC_GROW_H
#define IBUF_SRC_GROW_H

#include "room.h"

/*
 * Let w have n bytes of tailroom that are its to write.  0, -ENOMEM or
 * -EOVERFLOW; on failure nothing has changed.
 */
int ibuf_grow_tail_(struct ibuf_mbuf *w, size_t n);

/* Let w have n bytes of headroom that are its to write; likewise. */
int ibuf_grow_head_(struct ibuf_mbuf *w, size_t n);

/* Would ibuf_grow_tail_() slide the bytes rather than find a new room? */
bool ibuf_grow_slides_(const struct ibuf_mbuf *w, size_t n);

/*
 * Find the new room that ibuf_grow_tail_() would move to and leave the move
 * to the caller: ibuf_window_move_() to off, or ibuf_place_drop_().
 */
int ibuf_grow_plan_(const struct ibuf_mbuf *w, size_t n,
		    struct ibuf_place *place, uint32_t *off);

#endif
