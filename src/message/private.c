/* private.c - bytes are made private before they are written in place. */
#include "private.h"

#include "chain.h"
#include "grow.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- several segments move, or none does ------------------------------- */

static void
free_block(struct ibuf_relocations *moves)
{
	if (moves->list != moves->few)
		free(moves->list);
}

int
ibuf_relocate_begin_(struct ibuf_relocations *moves, struct ibuf_mbuf *s,
		     size_t n, ibuf_relocate_plan_fn *plan)
{
	int result = 0;
	size_t i;

	moves->n = 0;
	moves->list = moves->few;
	if (n > RELOCATIONS_FEW)
		moves->list = calloc(n, sizeof *moves->list);
	if (moves->list == NULL)
		return -ENOMEM;
	for (; n != 0 && result >= 0; n--) {
		struct ibuf_relocation *move = &moves->list[moves->n];

		result = plan(s, &move->place, &move->off);
		if (result > 0) {
			move->s = s;
			moves->n++;
		}
		s = s->next_;
	}
	for (i = 0; i < moves->n; i++) {
		struct ibuf_relocation *move = &moves->list[i];

		if (result < 0)
			ibuf_place_drop_(&move->place);
		else
			ibuf_segment_move_(move->s, &move->place, move->off,
					   &move->left);
	}
	if (result < 0)
		free_block(moves);
	return result < 0 ? result : 0;
}

bool
ibuf_relocate_end_(struct ibuf_relocations *moves)
{
	struct ibuf_releases releases = {NULL, NULL};
	bool calls;
	size_t i;

	for (i = 0; i < moves->n; i++)
		ibuf_left_gather_(&moves->list[i].left, &releases);
	free_block(moves);
	calls = releases.first != NULL;
	releases_run(&releases);
	return calls;
}

int
ibuf_relocate_(struct ibuf_mbuf *s, size_t n, ibuf_relocate_plan_fn *plan)
{
	struct ibuf_relocations moves;
	bool again;
	int error;

	/* A callback may have cloned what had just become private. */
	do {
		error = ibuf_relocate_begin_(&moves, s, n, plan);
		again = error == 0 && ibuf_relocate_end_(&moves);
	} while (again);
	return error;
}

/* ---- written in place -------------------------------------------------- */

static int
plan_private(const struct ibuf_mbuf *s, struct ibuf_place *place, uint32_t *off)
{
	int error;

	if (segment_owns(s))
		return 0;
	error = ibuf_grow_plan_(s, 0, place, off);
	return error == 0 ? 1 : error;
}

int
ibuf_mbuf_unshare(struct ibuf_mbuf *m)
{
	return ibuf_relocate_(m, ibuf_mbuf_segments(m), plan_private);
}

uint8_t *
ibuf_mbuf_data_mut(struct ibuf_mbuf *m)
{
	if (m->next_ != NULL || ibuf_relocate_(m, 1, plan_private) != 0)
		return NULL;
	return segment_data(m);
}

uint8_t *
ibuf_mbuf_at_mut(struct ibuf_mbuf *m, size_t off, size_t *run)
{
	struct ibuf_mbuf *s;

	if (!chain_covers(m, off, 0))
		return NULL;
	s = chain_find_mut(m, &off);
	if (ibuf_relocate_(s, 1, plan_private) != 0)
		return NULL;
	if (run != NULL)
		*run = s->len_ - off;
	return segment_data(s) + off;
}

/* How many segments from s on hold the n bytes at off of s?  n is not 0. */
static size_t
segments_of(const struct ibuf_mbuf *s, size_t off, size_t n)
{
	size_t segments = 1, upto;

	for (upto = s->len_ - off; upto < n; upto += s->len_) {
		s = s->next_;
		segments++;
	}
	return segments;
}

/* Is one of n bytes in one of so many segments from s on? */
static bool
is_among(const struct ibuf_mbuf *s, size_t segments, const void *bytes,
	 size_t n)
{
	uintptr_t from = (uintptr_t)bytes;

	for (; segments != 0; segments--) {
		uintptr_t data = (uintptr_t)segment_data(s);

		if (from < data + s->len_ && data < from + n)
			return true;
		s = s->next_;
	}
	return false;
}

/* The range is private; bytes may be in it where it is in one segment. */
static void
copy_in(struct ibuf_mbuf *s, size_t off, const uint8_t *bytes, size_t n)
{
	while (n != 0) {
		size_t here = s->len_ - off < n ? s->len_ - off : n;

		memmove(segment_data(s) + off, bytes, here);
		bytes += here;
		n -= here;
		off = 0;
		s = s->next_;
	}
}

/* Is what is to be written over read for what is written behind it? */
static bool
needs_aside(const struct ibuf_mbuf *s, size_t segments, const void *bytes,
	    size_t n)
{
	return segments > 1 && is_among(s, segments, bytes, n);
}

int
ibuf_mbuf_write_at(struct ibuf_mbuf *m, size_t off, const void *bytes, size_t n)
{
	struct ibuf_relocations moves;
	uint8_t *aside = NULL;
	size_t segments;
	int error;

	if (!chain_covers(m, off, n))
		return -ERANGE;
	if (n == 0)
		return 0;
	m = chain_find_mut(m, &off);
	segments = segments_of(m, off, n);
	if (needs_aside(m, segments, bytes, n)) {
		aside = malloc(n);
		if (aside == NULL)
			return -ENOMEM;
		bytes = memcpy(aside, bytes, n);
	}
	error = ibuf_relocate_begin_(&moves, m, segments, plan_private);
	if (error == 0)
		copy_in(m, off, bytes, n); /* what moved can still be read */
	if (aside != NULL) {
		ibuf_platform_wipe_(aside, n); /* it may have been secret */
		free(aside);
	}
	if (error == 0)
		(void)ibuf_relocate_end_(&moves);
	return error;
}
