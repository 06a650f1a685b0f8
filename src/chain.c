/* chain.c - segments are linked, taken over and freed. */
#include "chain.h"

void
ibuf_chain_free_(struct ibuf_mbuf *s)
{
	struct ibuf_mbuf *next;

	for (; s != NULL; s = next) {
		if ((s->flags_ & IBUF_MBUF_LIVE_) == 0)
			ibuf_platform_die_(
				"ibuf: mbuf %p of pool \"%s\" is freed twice",
				(void *)s, home_of(s)->name);
		next = s->next_;
		s->next_ = NULL;
		s->flags_ &= (uint16_t)~IBUF_MBUF_CHAINED_;
		if (ibuf_mbuf_nature_(s) != IBUF_MBUF_PLAIN_ELEMENT_ ||
		    !ibuf_mbuf_free_element_(s))
			ibuf_segment_free_(s);
	}
}

void
ibuf_chain_drop_first_(struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *second = m->next_;
	struct ibuf_mbuf *last = m->last_;
	size_t rest = m->rest_ - second->len_;
	size_t segments = last->rest_;

	m->next_ = second->next_;
	ibuf_window_drop_(m);
	ibuf_window_take_over_(m, second);
	chain_set(m, last, rest, segments - 1);
}

struct ibuf_mbuf *
ibuf_chain_slice_(const struct ibuf_mbuf *s, size_t off, size_t n)
{
	struct ibuf_mbuf *first = NULL, *last = NULL;
	size_t segments = 0, left = n;

	do {
		size_t here = s->len_ - off < left ? s->len_ - off : left;
		struct ibuf_mbuf *w = ibuf_window_new_(
			s, (uint32_t)off, (uint32_t)here, (uint32_t)here);

		if (w == NULL) {
			ibuf_chain_free_(first);
			return NULL;
		}
		if (first == NULL)
			first = w;
		else
			last->next_ = w;
		last = w;
		segments++;
		left -= here;
		off = 0;
		s = s->next_;
	} while (left != 0);
	chain_set(first, last, n - first->len_, segments);
	return first;
}
