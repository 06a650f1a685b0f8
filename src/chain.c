/* chain.c - segments are linked, taken over and freed. */
#include "chain.h"

/* Free a plain header into the calling thread's slot; false: it cannot. */
static inline bool
free_plain(struct ibuf_mbuf *s)
{
	struct ibuf_thread_ *own = ibuf_pool_thread_;
	uint32_t kind = ibuf_mbuf_kind_(s) & ~ibuf_kind_(IBUF_MBUF_CHAINED_, 0);
	struct ibuf_slots_ *slots;
	bool freed;

	if (kind == ibuf_kind_(IBUF_MBUF_PLAIN_ELEMENT_, s->pool_)) {
		slots = &own->slots_[s->pool_];
		freed = ibuf_mbuf_free_element_(s, &slots->element_);
	} else if (kind == ibuf_kind_(IBUF_MBUF_PLAIN_WINDOW_, s->pool_)) {
		slots = &own->slots_[s->pool_];
		freed = ibuf_mbuf_free_window_(s, &slots->window_);
	} else {
		return false; /* also where its number is beyond the slots */
	}
	/* What took it is a slot of the thread's own struct. */
	if (freed && own->recent_.slots_ != slots)
		thread_remember(own, slots);
	return freed;
}

void
ibuf_chain_free_(struct ibuf_mbuf *s)
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
				(void *)s, home_of(s)->name);
		s->flags_ &= (uint16_t)~IBUF_MBUF_CHAINED_;
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
