/* chain.c - segments are linked, taken over and freed. */
#include "chain.h"

/* Free a plain header into the calling thread's tcache; false: it cannot. */
static inline bool
free_plain(struct ibuf_mbuf *s)
{
	struct ibuf_thread_ *own = ibuf_pool_thread_;
	uint32_t kind = ibuf_mbuf_key_(s) & ~ibuf_key_(IBUF_MBUF_CHAINED_, 0);
	struct ibuf_tcaches_ *tcaches;
	bool freed;

	if (kind == ibuf_key_(IBUF_MBUF_PLAIN_DIRECT_, s->pool_)) {
		tcaches = &own->tcaches_[s->pool_];
		freed = ibuf_mbuf_free_direct_(s, &tcaches->of_[IBUF_DIRECT_]);
	} else if (kind == ibuf_key_(IBUF_MBUF_PLAIN_INDIRECT_, s->pool_) &&
		   (s->flags_ & IBUF_MBUF_WRAPPED_) == 0) {
		/* A wrapped room may have a callback, which must wait. */
		tcaches = &own->tcaches_[s->pool_];
		freed = ibuf_mbuf_free_indirect_(s,
						 &tcaches->of_[IBUF_INDIRECT_]);
	} else {
		return false; /* also where its number is beyond the tcaches */
	}
	/* What took it is a tcache of the thread's own struct. */
	if (freed && own->recent_.tcaches_ != tcaches)
		thread_remember(own, tcaches);
	return freed;
}

static inline void
free_all(struct ibuf_mbuf *s, struct ibuf_releases *releases)
{
	struct ibuf_mbuf *next;

	for (; s != NULL; s = next) {
		next = s->next_;
		s->next_ = NULL;
		if (free_plain(s))
			continue;
		if ((s->flags_ & IBUF_MBUF_LIVE_) == 0)
			ibuf_platform_die_(
				"ibuf: mbuf %p of pool \"%s\" is freed twice",
				(void *)s, owner_of(s)->name);
		s->flags_ &= (uint16_t)~IBUF_MBUF_CHAINED_;
		ibuf_segment_free_(s, releases);
	}
}

void
ibuf_chain_gather_(struct ibuf_mbuf *s, struct ibuf_releases *releases)
{
	free_all(s, releases);
}

void
ibuf_chain_free_(struct ibuf_mbuf *s)
{
	struct ibuf_releases releases = {NULL, NULL};

	free_all(s, &releases);
	releases_run(&releases);
}

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

/* ---- a message loses its front -------------------------------------- */

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
