/* chain.c - segments are linked, found and taken over. */
#include "chain.h"

const struct ibuf_mbuf *
ibuf_chain_find_(const struct ibuf_mbuf *m, size_t *off, size_t *index)
{
	const struct ibuf_mbuf *front = m, *back = chain_last(m);
	size_t front_end = m->len_, back_start = ibuf_mbuf_len(m) - back->len_;
	size_t steps = 0;

	/* A step from each end in turn, until one of the two is there. */
	while (*off >= front_end && *off < back_start) {
		front = front->next_;
		front_end += front->len_;
		back = back->last_;
		back_start -= back->len_;
		steps++;
	}
	if (*off < front_end) {
		*off -= front_end - front->len_;
		*index = steps;
		return front;
	}
	*off -= back_start;
	*index = ibuf_mbuf_segments(m) - 1 - steps;
	return back;
}

/* ---- a message loses its front ----------------------------------------- */

size_t
ibuf_chain_cut_front_(struct ibuf_mbuf *m, size_t n, struct ibuf_gone *gone)
{
	struct ibuf_mbuf *first = m->next_, *s = first, *last;
	size_t rest, segments;

	*gone = (struct ibuf_gone){{NULL, 0}, NULL, NULL};
	if (n < m->len_ || first == NULL)
		return n;
	n -= m->len_;
	last = m->last_;
	segments = last->rest_ - 1;
	for (rest = m->rest_ - s->len_; n >= s->len_ && s != last; segments--) {
		n -= s->len_;
		s = s->next_;
		rest -= s->len_;
	}
	if (s != first) {
		gone->segments = first;
		s->last_->next_ = NULL;
	}
	ibuf_segment_leave_(m, &gone->left);
	ibuf_segment_take_over_(m, s);
	gone->header = s;
	chain_link(m, s->next_);
	s->next_ = NULL;
	chain_set(m, last, rest, segments);
	return n;
}

void
ibuf_gone_gather_(struct ibuf_gone *gone, struct ibuf_releases *releases)
{
	if (gone->header != NULL)
		ibuf_segment_taken_(gone->header);
	ibuf_left_gather_(&gone->left, releases);
	ibuf_chain_gather_(gone->segments, releases);
}

struct ibuf_mbuf *
ibuf_chain_slice_(const struct ibuf_mbuf *s, size_t off, size_t n)
{
	struct ibuf_mbuf *first = NULL, *last = NULL;
	size_t segments = 0, left = n;

	do {
		size_t here = s->len_ - off < left ? s->len_ - off : left;
		struct ibuf_mbuf *w = ibuf_segment_new_(
			s, (uint32_t)off, (uint32_t)here, (uint32_t)here);

		if (w == NULL) {
			ibuf_chain_free_(first);
			return NULL;
		}
		if (first == NULL)
			first = w;
		else
			chain_link(last, w);
		last = w;
		segments++;
		left -= here;
		off = 0;
		s = s->next_;
	} while (left != 0);
	chain_set(first, last, n - first->len_, segments);
	return first;
}
