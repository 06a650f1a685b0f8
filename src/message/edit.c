/* edit.c - both ends of a message: longer, shorter, read, emptied. */
#define _POSIX_C_SOURCE 200809L
#include "../library.h"

#include <ibuf/mbuf.h>
#include <ibuf/segment.h>

#include "chain.h"
#include "grow.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- longer ------------------------------------------------------------ */

/*
 * Bytes to be added may be bytes of this message.  Where its data moves to
 * another room they are still in the one that was left, which goes last; where
 * its data slides towards the start of the room memmove() is enough.
 */

/* Let n more bytes, or bytes to come, fit behind the message. */
static int
make_tailroom(struct ibuf_mbuf *m, const void *bytes, size_t n,
	      struct ibuf_left *left)
{
	if (n > MESSAGE_MAX - ibuf_mbuf_len(m))
		return -EOVERFLOW;
	return ibuf_grow_tail_(chain_last(m), n, bytes, left);
}

/* Let n more bytes fit in front of the message. */
static int
make_headroom(struct ibuf_mbuf *m, size_t n, struct ibuf_left *left)
{
	if (n > MESSAGE_MAX - ibuf_mbuf_len(m))
		return -EOVERFLOW;
	return ibuf_grow_head_(m, n, left);
}

/* n bytes of the tailroom become data. */
static uint8_t *
claim_tail(struct ibuf_mbuf *m, size_t n)
{
	struct ibuf_mbuf *last = chain_last(m);
	uint8_t *end = segment_end(last);

	last->len_ += (uint32_t)n;
	if (last != m)
		m->rest_ += n;
	return end;
}

/* n bytes of the headroom become data. */
static uint8_t *
claim_head(struct ibuf_mbuf *m, size_t n)
{
	ibuf_mbuf_move_start_(m, 0 - (uint32_t)n);
	return segment_data(m);
}

int
ibuf_mbuf_append_any_(struct ibuf_mbuf *m, const void *bytes, size_t n)
{
	struct ibuf_left left;
	int error;

	if (n == 0)
		return 0;
	error = make_tailroom(m, bytes, n, &left);
	if (error != 0)
		return error;
	memmove(claim_tail(m, n), bytes, n);
	ibuf_left_drop_(&left);
	return 0;
}

/*
 * Copy n bytes, where what lay in the old place of len bytes of data lies in
 * the new one now.  to overlaps neither: it is in front of the data.
 */
static void
copy_slid(uint8_t *to, const uint8_t *bytes, size_t n, const uint8_t *old,
	  const uint8_t *new, size_t len)
{
	uintptr_t from = (uintptr_t)bytes, data = (uintptr_t)old;
	size_t before = 0, inside = 0;

	if (from < data + len && data < from + n) {
		before = from < data ? data - from : 0;
		inside = n - before;
		if (inside > data + len - (from + before))
			inside = data + len - (from + before);
		memcpy(to, bytes, before);
		memcpy(to + before, new + (from + before - data), inside);
	}
	memcpy(to + before + inside, bytes + before + inside,
	       n - before - inside);
}

int
ibuf_mbuf_prepend_any_(struct ibuf_mbuf *m, const void *bytes, size_t n)
{
	const struct ibuf_room_ *room = m->room_;
	const uint8_t *old = segment_data(m), *new;
	struct ibuf_left left;
	size_t len = m->len_;
	int error;

	if (n == 0)
		return 0;
	error = make_headroom(m, n, &left);
	if (error != 0)
		return error;
	new = segment_data(m);
	if (m->room_ == room && new != old)
		copy_slid(claim_head(m, n), bytes, n, old, new, len);
	else
		memcpy(claim_head(m, n), bytes, n);
	ibuf_left_drop_(&left);
	return 0;
}

int
ibuf_mbuf_append_fill(struct ibuf_mbuf *m, uint8_t byte, size_t n)
{
	struct ibuf_left left;
	int error = make_tailroom(m, NULL, n, &left);

	if (error != 0)
		return error;
	if (n != 0)
		memset(claim_tail(m, n), byte, n);
	ibuf_left_drop_(&left);
	return 0;
}

int
ibuf_mbuf_append_range(struct ibuf_mbuf *m, const struct ibuf_mbuf *from,
		       size_t off, size_t n)
{
	struct ibuf_left left;
	int error;

	if (!chain_covers(from, off, n))
		return -ERANGE;
	error = make_tailroom(m, NULL, n, &left);
	if (error != 0)
		return error;
	/* from may be m, which shows the same bytes wherever they are now. */
	(void)ibuf_mbuf_copy_out(from, off, segment_end(chain_last(m)), n);
	if (n != 0)
		claim_tail(m, n);
	ibuf_left_drop_(&left);
	return 0;
}

void *
ibuf_mbuf_extend_tail_any_(struct ibuf_mbuf *m, size_t n)
{
	struct ibuf_left left;
	uint8_t *added;

	if (make_tailroom(m, NULL, n, &left) != 0)
		return NULL;
	added = claim_tail(m, n);
	ibuf_left_drop_(&left);
	return added;
}

void *
ibuf_mbuf_extend_head_any_(struct ibuf_mbuf *m, size_t n)
{
	struct ibuf_left left;
	uint8_t *added;

	if (make_headroom(m, n, &left) != 0)
		return NULL;
	added = claim_head(m, n);
	ibuf_left_drop_(&left);
	return added;
}

void *
ibuf_mbuf_reserve_any_(struct ibuf_mbuf *m, size_t n)
{
	struct ibuf_left left;
	struct ibuf_mbuf *last;
	uint8_t *end;

	if (make_tailroom(m, NULL, n, &left) != 0)
		return NULL;
	last = chain_last(m);
	end = segment_end(last);
	/* Not just n: all that tailroom() says may be written. */
	mark_bytes(last, last->off_ + last->len_, segment_tailroom(last));
	ibuf_left_drop_(&left);
	return end;
}

int
ibuf_mbuf_commit_any_(struct ibuf_mbuf *m, size_t n)
{
	struct ibuf_left none;

	if (n > ibuf_mbuf_tailroom(m))
		return -ERANGE;
	if (n == 0)
		return 0;
	/* It is there, so this is no more than taking the right again. */
	(void)make_tailroom(m, NULL, n, &none);
	claim_tail(m, n);
	return 0;
}

/* ---- shorter ----------------------------------------------------------- */

static void
segment_trim_head(struct ibuf_mbuf *s, size_t n)
{
	if (n == 0)
		return;
	if (segment_owns(s))
		ibuf_segment_regain_(s);
	else
		s->flags_ &= (uint16_t)~IBUF_MBUF_HEAD_;
	mark_shown(s);
	ibuf_mbuf_move_start_(s, (uint32_t)n);
}

static void
segment_trim_tail(struct ibuf_mbuf *s, size_t n)
{
	if (n == 0)
		return;
	if (segment_owns(s))
		ibuf_segment_regain_(s);
	else
		ibuf_segment_give_up_tail_(s);
	mark_shown(s);
	s->len_ -= (uint32_t)n;
}

int
ibuf_mbuf_trim_head_any_(struct ibuf_mbuf *m, size_t n)
{
	struct ibuf_releases releases = {NULL, NULL};
	struct ibuf_gone gone;

	if (n > ibuf_mbuf_len(m))
		return -ERANGE;
	n = ibuf_chain_cut_front_(m, n, &gone);
	ibuf_gone_gather_(&gone, &releases);
	segment_trim_head(m, n);
	releases_run(&releases);
	return 0;
}

int
ibuf_mbuf_trim_tail_any_(struct ibuf_mbuf *m, size_t n)
{
	struct ibuf_releases releases = {NULL, NULL};
	struct ibuf_mbuf *last = chain_last(m), *gone = NULL;
	size_t rest = ibuf_mbuf_len(m) - m->len_, segments;

	if (n > rest + m->len_)
		return -ERANGE;
	segments = ibuf_mbuf_segments(m);
	/* last becomes the segment with the last byte that stays, or m. */
	while (n >= last->len_ && last != m) {
		n -= last->len_;
		rest -= last->len_;
		gone = last;
		last = last->last_;
		segments--;
	}
	last->next_ = NULL;
	ibuf_chain_gather_(gone, &releases);
	segment_trim_tail(last, n);
	chain_set(m, last, last == m ? 0 : rest - n, segments);
	releases_run(&releases);
	return 0;
}

void
ibuf_mbuf_clear_any_(struct ibuf_mbuf *m)
{
	struct ibuf_releases releases = {NULL, NULL};
	struct ibuf_mbuf *gone = m->next_;

	m->next_ = NULL;
	chain_set(m, m, 0, 1);
	ibuf_chain_gather_(gone, &releases);
	mark_shown(m);
	if (segment_owns(m)) {
		ibuf_segment_regain_(m);
		m->off_ = m->room_->headroom_;
	} else {
		ibuf_segment_give_up_tail_(m);
	}
	m->len_ = 0;
	releases_run(&releases);
}

/* ---- stream ------------------------------------------------------------ */

size_t
ibuf_mbuf_read_any_(struct ibuf_mbuf *m, void *dst, size_t n)
{
	size_t len = ibuf_mbuf_len(m);

	if (n > len)
		n = len;
	(void)ibuf_mbuf_copy_out(m, 0, dst, n);
	(void)ibuf_mbuf_trim_head_any_(m, n);
	return n;
}
