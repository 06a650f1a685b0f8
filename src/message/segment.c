/* segment.c - messages are joined and made contiguous. */
#include "../library.h"

#include <ibuf/segment.h>

#include "chain.h"
#include "grow.h"
#include <errno.h>
#include <string.h>

/* ---- concat ------------------------------------------------------------ */

/* Does b begin, in the same room, where a ends? */
static bool
adjacent(const struct ibuf_mbuf *a, const struct ibuf_mbuf *b)
{
	return a->room_ == b->room_ && segment_end(a) == segment_data(b);
}

/* Let a show b's bytes too, with b's right to the tailroom, and to the
   headroom where a shows none. */
static void
rejoin(struct ibuf_mbuf *a, const struct ibuf_mbuf *b)
{
	if (a->len_ == 0)
		a->flags_ |= b->flags_ & IBUF_MBUF_HEAD_;
	a->len_ += b->len_;
	if ((b->flags_ & IBUF_MBUF_TAIL_) != 0) {
		a->flags_ |= IBUF_MBUF_TAIL_;
		a->cap_ = b->cap_;
	} else if ((a->flags_ & IBUF_MBUF_TAIL_) == 0) {
		/* The larger C of the two, and what it shows at least. */
		if (a->cap_ < b->cap_)
			a->cap_ = b->cap_;
		if (a->cap_ < a->len_)
			a->cap_ = a->len_;
	}
}

/* Link the segments from first to last behind m. */
static void
link_behind(struct ibuf_mbuf *m, struct ibuf_mbuf *first,
	    struct ibuf_mbuf *last, size_t bytes, size_t segments)
{
	size_t rest = ibuf_mbuf_len(m) - m->len_ + bytes;

	segments += ibuf_mbuf_segments(m);
	chain_link(chain_last(m), first);
	chain_set(m, last, rest, segments);
}

/*
 * Join them where something must be merged, dropped or taken over.  Not
 * inline: what it keeps in registers would be saved on the short way too.
 */
static __attribute__((noinline)) void
join(struct ibuf_mbuf *m, struct ibuf_mbuf *tail, size_t bytes)
{
	struct ibuf_releases releases = {NULL, NULL};
	struct ibuf_gone gone = {{NULL, 0}, NULL, NULL};
	struct ibuf_mbuf *end, *first, *last;
	size_t segments;

	segments = ibuf_mbuf_segments(tail);
	first = tail;
	last = chain_last(tail);
	end = chain_last(m);
	if (adjacent(end, tail)) {
		if (end != m)
			m->rest_ += tail->len_;
		rejoin(end, tail);
		gone.segments = tail;
	} else if (bytes == 0) {
		gone.segments = tail;
	} else if (ibuf_mbuf_len(m) == 0) {
		ibuf_segment_leave_(m, &gone.left);
		ibuf_segment_take_over_(m, tail);
		gone.header = tail;
	}
	if (gone.segments != NULL || gone.header != NULL) {
		first = tail->next_;
		tail->next_ = NULL;
		bytes -= tail->len_;
		segments--;
	}
	if (segments != 0)
		link_behind(m, first, last, bytes, segments);
	ibuf_gone_gather_(&gone, &releases);
	releases_run(&releases);
}

int
ibuf_mbuf_concat(struct ibuf_mbuf *m, struct ibuf_mbuf *tail)
{
	size_t bytes = ibuf_mbuf_len(tail);
	struct ibuf_mbuf *end;

	if (m == tail)
		return -EINVAL;
	if (bytes > MESSAGE_MAX - ibuf_mbuf_len(m))
		return -EOVERFLOW;
	end = chain_last(m);
	if (tail->next_ != NULL || bytes == 0 || m->len_ == 0 ||
	    end->room_ == tail->room_) {
		join(m, tail, bytes);
		return 0;
	}
	/* Most often: one segment more. */
	if (end == m) {
		m->flags_ |= IBUF_MBUF_CHAINED_;
		m->rest_ = bytes;
		tail->rest_ = 2;
	} else {
		m->rest_ += bytes;
		tail->rest_ = end->rest_ + 1;
	}
	end->next_ = tail;
	tail->flags_ |= IBUF_MBUF_INNER_;
	tail->last_ = end;
	m->last_ = tail;
	return 0;
}

/* ---- concat in front ------------------------------------------------- */

/*
 * Let m, which shows none, or whose bytes front's last segment shows too,
 * begin with front's first segment; gone is what is to be freed.
 */
static void
begin_with(struct ibuf_mbuf *m, struct ibuf_mbuf *front, struct ibuf_gone *gone)
{
	ibuf_segment_leave_(m, &gone->left);
	ibuf_segment_take_over_(m, front);
	gone->header = front;
}

/*
 * Let m begin with front's first segment, and front's header, behind the last
 * of front's, show what m showed.
 */
static void
put_behind(struct ibuf_mbuf *m, struct ibuf_mbuf *front)
{
	ibuf_segment_exchange_(m, front);
	front->flags_ &= (uint16_t)~IBUF_MBUF_CHAINED_;
	chain_link(front, m->next_);
}

int
ibuf_mbuf_concat_front(struct ibuf_mbuf *m, struct ibuf_mbuf *front)
{
	struct ibuf_releases releases = {NULL, NULL};
	struct ibuf_gone gone = {{NULL, 0}, NULL, NULL};
	struct ibuf_mbuf *end, *next, *last;
	size_t bytes, segments;

	if (m == front)
		return -EINVAL;
	if (ibuf_mbuf_len(front) > MESSAGE_MAX - ibuf_mbuf_len(m))
		return -EOVERFLOW;
	bytes = ibuf_mbuf_len(front) + ibuf_mbuf_len(m);
	segments = ibuf_mbuf_segments(front) + ibuf_mbuf_segments(m);
	end = chain_last(front);
	next = front->next_;
	last = chain_last(m);
	if (adjacent(end, m)) {
		rejoin(end, m);
		chain_link(end, m->next_);
		next = front->next_;
		last = last == m ? end : last;
		begin_with(m, front, &gone);
		segments--;
	} else if (ibuf_mbuf_len(front) == 0) {
		gone.segments = front;
		next = m->next_;
		segments--;
	} else if (ibuf_mbuf_len(m) == 0) {
		begin_with(m, front, &gone);
		last = end;
		segments--;
	} else {
		put_behind(m, front);
		last = last == m ? front : last;
		if (end == front)
			next = front;
		else
			chain_link(end, front);
	}
	if (gone.header != NULL)
		gone.header->next_ = NULL;
	chain_link(m, next);
	chain_set(m, last, bytes - m->len_, segments);
	ibuf_gone_gather_(&gone, &releases);
	releases_run(&releases);
	return 0;
}

/* ---- contiguous -------------------------------------------------------- */

/* Copy the bytes that are missing from the segments behind m; n of them. */
static void
copy_behind(struct ibuf_mbuf *m, size_t n)
{
	const struct ibuf_mbuf *s = m;

	count_copied(m, n);
	while (n != 0) {
		size_t here;

		s = s->next_;
		here = s->len_ < n ? s->len_ : n;
		memcpy(segment_end(m), segment_data(s), here);
		m->len_ += (uint32_t)here;
		n -= here;
	}
}

/*
 * Take n bytes off the segments behind m: free those that empty, all but the
 * callbacks, and cut the next one.
 */
static void
cut_behind(struct ibuf_mbuf *m, size_t n, struct ibuf_releases *releases)
{
	struct ibuf_mbuf *first = m->next_, *s = first, *last = m->last_;
	size_t rest = m->rest_ - n, segments = last->rest_;

	for (; s != NULL && n >= s->len_; s = s->next_) {
		n -= s->len_;
		segments--;
	}
	if (s != first) {
		if (s != NULL)
			s->last_->next_ = NULL;
		chain_link(m, s);
		ibuf_chain_gather_(first, releases);
	}
	if (s != NULL && n != 0) {
		/* A private copy of its front exists; it goes on. */
		if (segment_owns(s))
			ibuf_segment_regain_(s);
		else
			s->flags_ &= (uint16_t)~IBUF_MBUF_HEAD_;
		mark_shown(s);
		ibuf_mbuf_move_start_(s, (uint32_t)n);
	}
	chain_set(m, last, rest, segments);
}

/* Does some of the n bytes behind m have to be overwritten, but m not? */
static bool
brings_secrets(const struct ibuf_mbuf *m, size_t n)
{
	const struct ibuf_mbuf *s = m->next_;

	if (ibuf_segment_wipes_(m))
		return false;
	for (; !ibuf_segment_wipes_(s); s = s->next_) {
		if (n <= s->len_)
			return false;
		n -= s->len_;
	}
	return true;
}

/* Make the first n bytes of m one segment; n is more than that has. */
static int
gather(struct ibuf_mbuf *m, size_t n)
{
	struct ibuf_releases releases = {NULL, NULL};
	size_t missing = n - m->len_;
	struct ibuf_left left;
	int error = brings_secrets(m, missing)
			    ? ibuf_grow_tail_wiping_(m, missing, &left)
			    : ibuf_grow_tail_(m, missing, NULL, &left);

	if (error != 0)
		return error;
	ibuf_left_gather_(&left, &releases);
	copy_behind(m, missing);
	cut_behind(m, missing, &releases);
	releases_run(&releases);
	return 0;
}

int
ibuf_mbuf_linearize(struct ibuf_mbuf *m)
{
	return m->next_ == NULL ? 0 : gather(m, ibuf_mbuf_len(m));
}

const uint8_t *
ibuf_mbuf_pullup(struct ibuf_mbuf *m, size_t n)
{
	if (n > ibuf_mbuf_len(m) || (n > m->len_ && gather(m, n) != 0))
		return NULL;
	return segment_data(m);
}
