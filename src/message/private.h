/*
 * private.h - several segments move to rooms of their own, or none does.
 *
 * Every room is found before the first segment moves, so a call that fails
 * for memory has changed nothing.  The rooms that were left stay until
 * ibuf_relocate_end_(), so what was in them can still be read.
 */
#ifndef IBUF_SRC_PRIVATE_H
#define IBUF_SRC_PRIVATE_H

#include "header.h"

/* The usual message needs no memory to plan in. */
#define RELOCATIONS_FEW 4

struct ibuf_relocation {
	struct ibuf_mbuf *s;
	struct ibuf_place place;
	uint32_t off;
	struct ibuf_left left;
};

struct ibuf_relocations {
	struct ibuf_relocation *list; /* few, or a block of the heap */
	size_t n;
	struct ibuf_relocation few[RELOCATIONS_FEW];
};

/*
 * Find the room that s is to move to and where in it.  1: found; 0: s stays
 * where it is; -errno.
 */
typedef int ibuf_relocate_plan_fn(const struct ibuf_mbuf *s,
				  struct ibuf_place *place, uint32_t *off);

/*
 * Move what plan wants to move of the n segments from s on.  0, and the moves
 * must be ended; or -errno, and they must not.
 */
int ibuf_relocate_begin_(struct ibuf_relocations *moves, struct ibuf_mbuf *s,
			 size_t n, ibuf_relocate_plan_fn *plan);

/*
 * Drop what was left: the last thing a function does.  true: a callback may
 * have looked at the message.
 */
bool ibuf_relocate_end_(struct ibuf_relocations *moves);

/* Both, where nothing is to be done in between; again after a callback. */
int ibuf_relocate_(struct ibuf_mbuf *s, size_t n, ibuf_relocate_plan_fn *plan);

#endif
