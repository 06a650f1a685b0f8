/* edit.c - both ends of a message: longer, shorter, read, emptied. */
#define _POSIX_C_SOURCE 200809L
#include "library.h"

#include <ibuf/mbuf.h>
#include <ibuf/segment.h>

#include "chain.h"
#include "grow.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- longer -------------------------------------------------------- */

/*
 * Bytes to be copied may be bytes of the window that is about to move: then
 * they are known by their offset, and found again behind it.  Where they go
 * on beyond the window, another one of this message looks at the same room;
 * that keeps the room, and so the bytes, where they are.
 */
struct source {
	const uint8_t *bytes;
	bool inside;
	size_t index;
};

static struct source
source_of(const struct ibuf_mbuf *w, const void *bytes, size_t n)
{
	struct source from = {bytes, false, 0};

	from.index = (uintptr_t)bytes - (uintptr_t)window_data(w);
	from.inside = from.index < w->len_ && n <= w->len_ - from.index;
	return from;
}

static const uint8_t *
source_bytes(const struct ibuf_mbuf *w, const struct source *from)
{
	return from->inside ? window_data(w) + from->index : from->bytes;
}

/* Let n more bytes fit behind the message. */
static int
make_tailroom(struct ibuf_mbuf *m, size_t n)
{
	if (n > MESSAGE_MAX - ibuf_mbuf_len(m))
		return -EOVERFLOW;
	return ibuf_grow_tail_(chain_last(m), n);
}

/* Let n more bytes fit in front of the message. */
static int
make_headroom(struct ibuf_mbuf *m, size_t n)
{
	if (n > MESSAGE_MAX - ibuf_mbuf_len(m))
		return -EOVERFLOW;
	return ibuf_grow_head_(m, n);
}

/* n bytes of the tailroom become data. */
static uint8_t *
claim_tail(struct ibuf_mbuf *m, size_t n)
{
	struct ibuf_mbuf *last = chain_last(m);
	uint8_t *end = window_end(last);

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
	return window_data(m);
}

int
ibuf_mbuf_append_any_(struct ibuf_mbuf *m, const void *bytes, size_t n)
{
	struct ibuf_mbuf *last = chain_last(m);
	struct source from;
	int error;

	if (n == 0)
		return 0;
	from = source_of(last, bytes, n);
	error = make_tailroom(m, n);
	if (error == 0)
		memcpy(claim_tail(m, n), source_bytes(last, &from), n);
	return error;
}

int
ibuf_mbuf_prepend_any_(struct ibuf_mbuf *m, const void *bytes, size_t n)
{
	struct source from;
	int error;

	if (n == 0)
		return 0;
	from = source_of(m, bytes, n);
	error = make_headroom(m, n);
	if (error == 0) {
		bytes = source_bytes(m, &from);
		memcpy(claim_head(m, n), bytes, n);
	}
	return error;
}

int
ibuf_mbuf_append_fill(struct ibuf_mbuf *m, uint8_t byte, size_t n)
{
	int error = make_tailroom(m, n);

	if (error == 0 && n != 0)
		memset(claim_tail(m, n), byte, n);
	return error;
}

void *
ibuf_mbuf_extend_tail_any_(struct ibuf_mbuf *m, size_t n)
{
	return make_tailroom(m, n) == 0 ? claim_tail(m, n) : NULL;
}

void *
ibuf_mbuf_extend_head_any_(struct ibuf_mbuf *m, size_t n)
{
	return make_headroom(m, n) == 0 ? claim_head(m, n) : NULL;
}

void *
ibuf_mbuf_reserve_any_(struct ibuf_mbuf *m, size_t n)
{
	return make_tailroom(m, n) == 0 ? window_end(chain_last(m)) : NULL;
}

int
ibuf_mbuf_commit_any_(struct ibuf_mbuf *m, size_t n)
{
	if (n > ibuf_mbuf_tailroom(m))
		return -ERANGE;
	if (n == 0)
		return 0;
	/* It is there, so this is no more than taking the right again. */
	(void)make_tailroom(m, n);
	claim_tail(m, n);
	return 0;
}

/* ---- shorter ------------------------------------------------------- */

static void
window_trim_head(struct ibuf_mbuf *w, size_t n)
{
	if (n == 0)
		return;
	if (window_owns(w))
		ibuf_window_regain_(w);
	else
		w->flags_ &= (uint16_t)~IBUF_MBUF_HEAD_;
	ibuf_mbuf_move_start_(w, (uint32_t)n);
}

static void
window_trim_tail(struct ibuf_mbuf *w, size_t n)
{
	if (n == 0)
		return;
	if (window_owns(w))
		ibuf_window_regain_(w);
	else
		ibuf_window_give_up_tail_(w);
	w->len_ -= (uint32_t)n;
}

int
ibuf_mbuf_trim_head_any_(struct ibuf_mbuf *m, size_t n)
{
	if (n > ibuf_mbuf_len(m))
		return -ERANGE;
	while (n >= m->len_ && m->next_ != NULL) {
		n -= m->len_;
		ibuf_chain_drop_first_(m);
	}
	window_trim_head(m, n);
	return 0;
}

int
ibuf_mbuf_trim_tail_any_(struct ibuf_mbuf *m, size_t n)
{
	struct ibuf_mbuf *s = m, *gone;
	size_t len = ibuf_mbuf_len(m), upto, segments = 1;

	if (n > len)
		return -ERANGE;
	/* s becomes the segment with the last byte that stays, or the first. */
	for (upto = m->len_; upto < len - n; upto += s->len_) {
		s = s->next_;
		segments++;
	}
	gone = s->next_;
	s->next_ = NULL;
	ibuf_chain_free_(gone);
	window_trim_tail(s, upto - (len - n));
	chain_set(m, s, len - n - m->len_, segments);
	return 0;
}

void
ibuf_mbuf_clear_any_(struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *gone = m->next_;

	m->next_ = NULL;
	chain_set(m, m, 0, 1);
	ibuf_chain_free_(gone);
	if (window_owns(m)) {
		ibuf_window_regain_(m);
		m->off_ = m->room_->headroom_;
	} else {
		ibuf_window_give_up_tail_(m);
	}
	m->len_ = 0;
}

/* ---- stream -------------------------------------------------------- */

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
