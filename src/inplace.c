/*
 * inplace.c - bytes are made private before they are written in place.
 */
#include "library.h"

#include <ibuf/mbuf.h>

#include "chain.h"
#include "grow.h"
#include "moves.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
plan_private(const struct ibuf_mbuf *w, struct ibuf_place *place, uint32_t *off)
{
	int error;

	if (window_owns(w))
		return 0;
	error = ibuf_grow_plan_(w, 0, place, off);
	return error == 0 ? 1 : error;
}

/* Make the segments that hold the range off, n private; n is not 0. */
static int
unshare_range(struct ibuf_mbuf *m, size_t off, size_t n)
{
	struct ibuf_mbuf *first = chain_find_mut(m, &off), *s = first;
	size_t segments = 1, upto;

	for (upto = s->len_ - off; upto < n; upto += s->len_) {
		s = s->next_;
		segments++;
	}
	return ibuf_moves_(first, segments, plan_private);
}

int
ibuf_mbuf_unshare(struct ibuf_mbuf *m)
{
	return ibuf_moves_(m, ibuf_mbuf_segments(m), plan_private);
}

uint8_t *
ibuf_mbuf_data_mut(struct ibuf_mbuf *m)
{
	if (m->next_ != NULL || ibuf_moves_(m, 1, plan_private) != 0)
		return NULL;
	return window_data(m);
}

uint8_t *
ibuf_mbuf_at_mut(struct ibuf_mbuf *m, size_t off, size_t *run)
{
	struct ibuf_mbuf *s;

	if (!chain_covers(m, off, 0))
		return NULL;
	s = chain_find_mut(m, &off);
	if (ibuf_moves_(s, 1, plan_private) != 0)
		return NULL;
	if (run != NULL)
		*run = s->len_ - off;
	return window_data(s) + off;
}

/* Does some byte of the range lie in a segment of m? */
static bool
is_inside(const struct ibuf_mbuf *m, const uint8_t *bytes, size_t n)
{
	uintptr_t from = (uintptr_t)bytes;

	for (; m != NULL; m = m->next_) {
		uintptr_t data = (uintptr_t)window_data(m);

		if (from < data + m->len_ && data < from + n)
			return true;
	}
	return false;
}

/* The range is private and the bytes are not of this message. */
static void
copy_in(struct ibuf_mbuf *m, size_t off, const uint8_t *bytes, size_t n)
{
	struct ibuf_mbuf *s = chain_find_mut(m, &off);

	while (n != 0) {
		size_t here = s->len_ - off < n ? s->len_ - off : n;

		memcpy(window_data(s) + off, bytes, here);
		bytes += here;
		n -= here;
		off = 0;
		s = s->next_;
	}
}

int
ibuf_mbuf_write_at(struct ibuf_mbuf *m, size_t off, const void *bytes, size_t n)
{
	uint8_t *aside = NULL;
	int error;

	if (!chain_covers(m, off, n))
		return -ERANGE;
	if (n == 0)
		return 0;
	if (is_inside(m, bytes, n)) {
		/* What is read may move, or be written, before it is read. */
		aside = malloc(n);
		if (aside == NULL)
			return -ENOMEM;
		bytes = memcpy(aside, bytes, n);
	}
	error = unshare_range(m, off, n);
	if (error == 0)
		copy_in(m, off, bytes, n);
	free(aside);
	return error;
}
