/* cursor.c - the cursor across segments. */
#include "../library.h"

#include <ibuf/cursor.h>

#include "chain.h"
#include <string.h>

/* Go to the next segment; something remains there. */
static void
next_segment(struct ibuf_cursor *c)
{
	size_t here;

	c->seg_ = c->seg_->next_;
	here = c->seg_->len_ < c->behind_ ? c->seg_->len_ : c->behind_;
	c->at_ = segment_data(c->seg_);
	c->end_ = c->at_ + here;
	c->behind_ -= here;
}

/* Is the next byte, where there is one, in the segment the cursor is in? */
static void
settle(struct ibuf_cursor *c)
{
	while (c->at_ == c->end_ && c->behind_ != 0)
		next_segment(c);
}

bool
ibuf_cursor_skip_any_(struct ibuf_cursor *c, size_t n)
{
	if (n > ibuf_cursor_remaining(c))
		return false;
	while (n > ibuf_cursor_here_(c)) {
		n -= ibuf_cursor_here_(c);
		next_segment(c);
	}
	c->at_ += n;
	return true;
}

bool
ibuf_cursor_read_any_(struct ibuf_cursor *c, void *dst, size_t n)
{
	uint8_t *to = dst;

	if (n > ibuf_cursor_remaining(c))
		return false;
	while (n != 0) {
		size_t here;

		settle(c);
		here = ibuf_cursor_here_(c) < n ? ibuf_cursor_here_(c) : n;
		memcpy(to, c->at_, here);
		c->at_ += here;
		to += here;
		n -= here;
	}
	return true;
}

bool
ibuf_cursor_seek(struct ibuf_cursor *c, size_t position)
{
	size_t off = position, left, here;

	if (position > c->stop_ || !chain_covers(c->m_, position, 0))
		return false;
	c->seg_ = chain_find(c->m_, &off);
	left = c->stop_ - position;
	here = c->seg_->len_ - off < left ? c->seg_->len_ - off : left;
	c->at_ = segment_data(c->seg_) + off;
	c->end_ = c->at_ + here;
	c->behind_ = left - here;
	return true;
}

bool
ibuf_cursor_limit(struct ibuf_cursor *c, size_t n)
{
	size_t remaining = ibuf_cursor_remaining(c);
	size_t here = ibuf_cursor_here_(c);

	if (n > remaining)
		return false;
	c->stop_ -= remaining - n;
	c->behind_ = n > here ? n - here : 0;
	if (n < here)
		c->end_ = c->at_ + n;
	return true;
}

const uint8_t *
ibuf_cursor_span(struct ibuf_cursor *c, size_t n)
{
	const uint8_t *at;

	settle(c);
	if (n > ibuf_cursor_here_(c))
		return NULL;
	at = c->at_;
	c->at_ += n;
	return at;
}

const uint8_t *
ibuf_cursor_view(struct ibuf_cursor *c, size_t n, void *scratch)
{
	settle(c);
	if (n <= ibuf_cursor_here_(c))
		return ibuf_cursor_span(c, n);
	if (!ibuf_cursor_read_any_(c, scratch, n))
		return NULL;
	count_copied(c->m_, n);
	return scratch;
}

size_t
ibuf_cursor_find(const struct ibuf_cursor *c, const void *needle, size_t n)
{
	size_t off = (size_t)(c->at_ - segment_data(c->seg_));

	return ibuf_chain_search_(c->seg_, off, ibuf_cursor_remaining(c),
				  needle, n);
}

struct ibuf_mbuf *
ibuf_cursor_take_any_(struct ibuf_cursor *c, size_t n)
{
	struct ibuf_mbuf *taken;
	size_t off;

	if (n > ibuf_cursor_remaining(c))
		return NULL;
	settle(c);
	off = (size_t)(c->at_ - segment_data(c->seg_));
	if (n > ibuf_cursor_here_(c))
		taken = ibuf_chain_slice_(c->seg_, off, n);
	else
		taken = ibuf_segment_new_(c->seg_, (uint32_t)off, (uint32_t)n,
					  (uint32_t)n);
	if (taken != NULL)
		(void)ibuf_cursor_skip(c, n);
	return taken;
}
