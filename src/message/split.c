/* split.c - messages are cut in two. */
#include "../library.h"

#include <ibuf/segment.h>

#include "chain.h"
#include <errno.h>

/* Cut the segment s at off; the rest has its right to the tailroom. */
static struct ibuf_mbuf *
split_segment(struct ibuf_mbuf *s, uint32_t off)
{
	bool owns = segment_owns(s);
	struct ibuf_mbuf *rest =
		ibuf_segment_new_(s, off, s->len_ - off, s->cap_);

	if (rest == NULL)
		return NULL;
	if (owns) {
		ibuf_segment_regain_(s);
		rest->cap_ = s->cap_;
	}
	rest->flags_ |= s->flags_ & IBUF_MBUF_TAIL_;
	s->flags_ &= (uint16_t)~IBUF_MBUF_TAIL_;
	s->len_ = off;
	s->cap_ = off;
	return rest;
}

struct ibuf_mbuf *
ibuf_mbuf_split(struct ibuf_mbuf *m, size_t at)
{
	size_t len = ibuf_mbuf_len(m), all = ibuf_mbuf_segments(m);
	struct ibuf_mbuf *last = chain_last(m), *s, *rest;
	size_t off = at != 0 ? at - 1 : 0, index;

	if (at > len)
		return NULL;
	/* The segment with the last byte that stays, or the first. */
	s = (struct ibuf_mbuf *)(uintptr_t)ibuf_chain_find_(m, &off, &index);
	if (at != 0)
		off++;
	if (off != s->len_ || s->next_ == NULL || at == 0) {
		/* Inside s; behind the last; or in front of the first. */
		rest = split_segment(s, (uint32_t)off);
		if (rest == NULL)
			return NULL;
		chain_link(rest, s->next_);
		if (last == s)
			last = rest;
		all++;
	} else {
		rest = s->next_;
		chain_begin(rest);
	}
	s->next_ = NULL;
	chain_set(rest, last, len - at - rest->len_, all - index - 1);
	chain_set(m, s, at - m->len_, index + 1);
	return rest;
}

/*
 * Cut the segment s at off; s becomes the rest, and what it gives is a new
 * header for the front, which has the right to the headroom.
 */
static struct ibuf_mbuf *
split_front_of(struct ibuf_mbuf *s, uint32_t off)
{
	bool owns = segment_owns(s);
	struct ibuf_mbuf *front = ibuf_segment_new_(s, 0, off, off);

	if (front == NULL)
		return NULL;
	if (owns)
		ibuf_segment_regain_(s);
	front->flags_ |= s->flags_ & IBUF_MBUF_HEAD_;
	s->flags_ &= (uint16_t)~IBUF_MBUF_HEAD_;
	ibuf_mbuf_move_start_(s, off);
	return front;
}

/*
 * m keeps its header and goes on with segment s, the first of the rest; s's
 * header takes m's place before the segments in front of it, the last of
 * which is cut, or NULL: it is the one before s.
 */
static struct ibuf_mbuf *
change_places(struct ibuf_mbuf *m, struct ibuf_mbuf *s, struct ibuf_mbuf *cut,
	      struct ibuf_mbuf **last)
{
	struct ibuf_mbuf *before = s->last_, *next = s->next_;

	ibuf_segment_exchange_(m, s);
	chain_begin(s);
	*last = before == m ? s : before;
	chain_link(s, m->next_ == s ? NULL : m->next_);
	(*last)->next_ = NULL;
	if (cut != NULL) {
		chain_link(*last, cut);
		*last = cut;
	}
	chain_link(m, next);
	return s;
}

int
ibuf_mbuf_split_front(struct ibuf_mbuf *m, size_t n, struct ibuf_mbuf **front)
{
	size_t len = ibuf_mbuf_len(m), all = ibuf_mbuf_segments(m);
	struct ibuf_mbuf *last = chain_last(m), *front_last, *s, *cut = NULL;
	size_t off = n, index;

	if (n > len)
		return -ERANGE;
	/* The segment with the first byte of the rest, or the last one. */
	s = (struct ibuf_mbuf *)(uintptr_t)ibuf_chain_find_(m, &off, &index);
	if (off != 0 || s == m) {
		cut = split_front_of(s, (uint32_t)off);
		if (cut == NULL)
			return -ENOMEM;
	}
	if (s == m) {
		*front = cut;
		chain_set(m, last, len - n - m->len_, all);
		return 0;
	}
	*front = change_places(m, s, cut, &front_last);
	chain_set(*front, front_last, n - (*front)->len_,
		  index + (cut != NULL ? 1 : 0));
	chain_set(m, last, len - n - m->len_, all - index);
	return 0;
}
