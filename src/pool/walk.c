/*
 * walk.c - all messages of a pool, found by the headers in its slabs.
 *
 * No lock is held: nobody else uses the pool, and what is called for each
 * message may look at all there is.
 */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

void
ibuf_walk_visit_(struct ibuf_mbuf *m, void *arg)
{
	struct ibuf_walk *walk = arg;

	/* The room of a header that is freed may be in use without it. */
	if ((m->flags_ & (IBUF_MBUF_LIVE_ | IBUF_MBUF_INNER_)) !=
	    IBUF_MBUF_LIVE_)
		return;
	walk->n++;
	walk->fn(m, walk->arg);
}

size_t
ibuf_walk_(struct ibuf_pool *p,
	   void (*fn)(const struct ibuf_mbuf *m, void *arg), void *arg)
{
	struct ibuf_walk walk = {fn, arg, 0};

	pool_must_be_open(p);
	ibuf_slabs_visit_(&p->store[IBUF_DIRECT_].slabs, ibuf_walk_visit_,
			  &walk);
	ibuf_slabs_visit_(&p->store[IBUF_INDIRECT_].slabs, ibuf_walk_visit_,
			  &walk);
	return walk.n;
}
