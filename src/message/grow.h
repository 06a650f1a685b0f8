/*
 * grow.h - the growth law: how a segment gets more room, or leaves a room.
 *
 * C is the capacity of the segment, h0 the headroom its room was made with;
 * free bytes are all bytes of the room that show none of its data, h0 among
 * them.
 *
 *   sole owner, n more bytes behind:
 *       slide back to h0 where the dead headroom is at least len and they
 *       then fit, else a new room of max(C + C / 2, len + n), data at h0
 *   sole owner, n more bytes in front:
 *       slide where the tailroom is at least len and n fits the free bytes:
 *       headroom becomes the larger half of them, or n;
 *       else a new room of max(C + C / 2, len + n), the free bytes in front
 *       but for the old tailroom, which stays as far as it is half of them
 *   not the owner (shared, or read-only):
 *       a new room of C where len + n fits, else of max(C + C / 2, len + n),
 *       and of max(C, len) to be written in place; for bytes in front the free
 *       bytes as above, else data at h0
 *
 * So any rhythm of the four ends keeps a room within a constant factor of the
 * longest length there was, and moves each byte O(1) times.
 */
#ifndef IBUF_SRC_GROW_H
#define IBUF_SRC_GROW_H

#include "header.h"

/*
 * Let s have n bytes of tailroom that are its to write.  0, -ENOMEM or
 * -EOVERFLOW; on failure nothing has changed.  The n bytes to come may be
 * bytes of s (NULL: there are none yet): where it moves to another room they
 * stay where they are until the room that is left is dropped, and where its
 * data slides, until they are overwritten from the data's end on.
 */
int ibuf_grow_tail_(struct ibuf_mbuf *s, size_t n, const void *bytes,
		    struct ibuf_left *left);

/*
 * Let s have n bytes of headroom that are its to write; likewise, but what
 * slides is found at its new place only.
 */
int ibuf_grow_head_(struct ibuf_mbuf *s, size_t n, struct ibuf_left *left);

/* Let s have n bytes of tailroom in a room that is overwritten when it goes. */
int ibuf_grow_tail_wiping_(struct ibuf_mbuf *s, size_t n,
			   struct ibuf_left *left);

/* Would ibuf_grow_tail_() slide the bytes rather than find a new room? */
bool ibuf_grow_slides_(const struct ibuf_mbuf *s, size_t n);

/*
 * Find the new room that ibuf_grow_tail_() would move to and leave the move
 * to the caller: ibuf_segment_move_() to off, or ibuf_place_drop_().
 */
int ibuf_grow_plan_(const struct ibuf_mbuf *s, size_t n,
		    struct ibuf_place *place, uint32_t *off);

#endif
