/*
 * moves.h - several windows move to rooms of their own, or none does.
 *
 * Every room is found before the first window moves, so a call that fails
 * for memory has changed nothing.
 */
#ifndef IBUF_SRC_MOVES_H
#define IBUF_SRC_MOVES_H

#include "room.h"

/*
 * Find the room that w is to move to and where in it.  1: found; 0: w stays
 * where it is; -errno.
 */
typedef int ibuf_moves_plan_fn(const struct ibuf_mbuf *w,
			       struct ibuf_place *place, uint32_t *off);

/* Move what plan wants to move of the n segments from s on. */
int ibuf_moves_(struct ibuf_mbuf *s, size_t n, ibuf_moves_plan_fn *plan);

#endif
