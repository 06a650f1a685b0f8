/*
 * biased.c - headers of a pool that recalls go out and come back.
 *
 * As alloc.c has it, but each look into the calling thread's caches is behind
 * their bias (bias.h).  Where that says that somebody recalls, the way goes to
 * the slabs.  Headers of such a pool are CAREFUL, and the inline allocation
 * finds a thread cache of zeros, so that all come here.
 */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

#include <errno.h>

/* What a thread does inside; none of it is often. */
#define SELDOM static __attribute__((noinline, cold))

/* ---- inside ------------------------------------------------------------ */

/*
 * Take a header out of the magazine that the calling thread works with; NULL:
 * there is none.  When the thread is out, perhaps somebody has begun to
 * recall.
 */
static inline struct ibuf_mbuf *
take_top(uint32_t number, unsigned kind)
{
	struct ibuf_block *own = ibuf_block_own_;
	struct ibuf_tcache_ *tcache;
	struct ibuf_mbuf **top, *m = NULL;
	struct ibuf_bias *bias;
	uint32_t outside;

	if (!IBUF_LIKELY(own != NULL))
		return NULL;
	bias = &own->bias[number];
	if (!bias_enter(bias, &outside))
		return NULL;
	tcache = &own->thread.tcaches_[number].of_[kind];
	top = ibuf_tcache_top_(tcache);
	if (IBUF_LIKELY(!ibuf_tcache_is_empty_(tcache, top)))
		m = ibuf_tcache_take_(tcache, top);
	if (bias_leave(bias, outside))
		ibuf_recall_come_(own, number);
	return m;
}

bool
ibuf_biased_take_inside_(const struct ibuf_pool *p, unsigned kind,
			 struct ibuf_mbuf **out, size_t n)
{
	struct ibuf_block *own = ibuf_block_own_;
	const uint32_t number = p->owner.index;
	struct ibuf_tcache_ *tcache;
	uint32_t outside;
	bool got;

	if (own == NULL || !bias_enter(&own->bias[number], &outside))
		return false;
	tcache = &own->thread.tcaches_[number].of_[kind];
	got = tcache_is_open(tcache);
	if (got && n == 1)
		got = tcache_has_header(tcache) || ibuf_tcache_refill_(tcache);
	else if (got)
		got = ibuf_tcache_top_up_(tcache, n);
	if (got)
		ibuf_tcache_pour_(tcache, out, n);
	if (bias_leave(&own->bias[number], outside))
		ibuf_recall_come_(own, number);
	return got;
}

/* ---- under the lock ---------------------------------------------------- */

/* The calling thread's own, where it may work with them; NULL: not now. */
static struct ibuf_tcaches_ *
own_outside(const struct ibuf_pool *p)
{
	struct ibuf_tcaches_ *own = own_tcaches(p);

	if (own == NULL || bias_is_inside(bias_of(own, p->owner.index)))
		return NULL;
	return own;
}

/* While somebody recalls, what the calling thread keeps goes back. */
static void
bring(struct ibuf_pool *p)
{
	if (pool_recalls(p))
		(void)ibuf_pool_empty_(own_outside(p), STEP);
}

/* Take one by way of the own thread cache, which takes more at once. */
static bool
take_filling(struct ibuf_pool *p, unsigned kind, struct ibuf_mbuf **m)
{
	struct ibuf_tcaches_ *own = own_outside(p);
	struct ibuf_tcache_ *tcache;

	if (own == NULL || pool_recalls(p))
		return false;
	tcache = &own->of_[kind];
	if (!tcache_has_header(tcache) && !ibuf_tcache_fill_(tcache))
		return false;
	*m = ibuf_tcache_take_(tcache, ibuf_tcache_top_(tcache));
	return true;
}

/* Take one; expand is how the pool grows where there is none. */
static int
take_locked(struct ibuf_pool *p, unsigned kind, struct ibuf_mbuf **m,
	    int (*expand)(struct ibuf_store *store, size_t n, bool some))
{
	struct ibuf_store *store = &p->store[kind];
	int error = 0;

	bring(p);
	if (!take_filling(p, kind, m)) {
		error = expand(store, 1, false);
		if (error == 0 && !take_filling(p, kind, m))
			*m = ibuf_store_take_counted_(store);
	}
	ibuf_recall_relax_(p);
	return error;
}

int
ibuf_biased_locked_(struct ibuf_pool *p, struct ibuf_mbuf **m)
{
	int error = take_locked(p, IBUF_DIRECT_, m, ibuf_expand_try_);

	return error == -EAGAIN ? -ENOBUFS : error;
}

/* ---- out --------------------------------------------------------------- */

SELDOM int
take_slowly(struct ibuf_pool *p, unsigned kind, struct ibuf_mbuf **m)
{
	int error;

	if (ibuf_biased_take_inside_(p, kind, m, 1))
		return 0;
	if (!pool_recalls(p))
		(void)ibuf_threads_tcaches_(p);
	pthread_mutex_lock(&p->lock);
	error = take_locked(p, kind, m, ibuf_expand_);
	pthread_mutex_unlock(&p->lock);
	return error;
}

SELDOM struct ibuf_mbuf *
alloc_slowly(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m;

	pool_must_be_open(p); /* if it is not, it is recalling */
	if (take_slowly(p, IBUF_DIRECT_, &m) == 0)
		return ibuf_alloc_open_(p, m);
	pool_failed(p);
	return NULL;
}

struct ibuf_mbuf *
ibuf_biased_alloc_(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m = take_top(p->owner.index, IBUF_DIRECT_);

	if (!IBUF_LIKELY(m != NULL))
		return alloc_slowly(p);
	if (!IBUF_LIKELY(!ibuf_platform_watched_))
		return ibuf_alloc_open_(p, m);
	memcpy(m, &p->front.fresh_, sizeof p->front.fresh_);
	return m;
}

bool
ibuf_biased_try_(struct ibuf_pool *p, struct ibuf_mbuf **m)
{
	if (ibuf_biased_take_inside_(p, IBUF_DIRECT_, m, 1))
		return true;
	if (!pool_recalls(p))
		(void)ibuf_threads_tcaches_(p);
	return false;
}

/* Take one for a message that is there; NULL: no memory, or it is closed. */
SELDOM struct ibuf_mbuf *
take_for_message(struct ibuf_pool *p, unsigned kind)
{
	struct ibuf_mbuf *m;

	if (__atomic_load_n(&p->closed, __ATOMIC_ACQUIRE))
		return NULL;
	if (take_slowly(p, kind, &m) == 0)
		return m;
	/* Without a direct header a room comes from the heap. */
	if (kind == IBUF_INDIRECT_)
		pool_failed(p);
	return NULL;
}

struct ibuf_mbuf *
ibuf_biased_take_(struct ibuf_owner *owner, unsigned kind)
{
	struct ibuf_pool *p = pool_of(owner);
	struct ibuf_mbuf *m = take_top(owner->index, kind);

	if (m == NULL)
		m = take_for_message(p, kind);
	if (m == NULL)
		return NULL;
	if (kind == IBUF_DIRECT_)
		return ibuf_alloc_open_(p, m);
	m->flags_ = (uint16_t)(IBUF_MBUF_LIVE_ |
			       (p->front.fresh_.flags_ &
				(IBUF_MBUF_CAREFUL_ | IBUF_MBUF_BIASED_ |
				 IBUF_MBUF_WIPES_)));
	return m;
}

/* ---- back -------------------------------------------------------------- */

static void
put_into_slabs(struct ibuf_pool *p, struct ibuf_store *store,
	       struct ibuf_mbuf *m)
{
	bool closed;

	pthread_mutex_lock(&p->lock);
	closed = p->closed;
	if (!closed) {
		ibuf_store_put_counted_(store, m);
		bring(p);
		ibuf_recall_relax_(p);
	}
	pthread_mutex_unlock(&p->lock);
	if (closed)
		ibuf_close_give_late_(store, m);
}

/* Put a header into the calling thread's cache, full or not; false: it cannot.
   When the header is there, the pool may go. */
static bool
put_inside(struct ibuf_block *own, uint32_t number, unsigned kind,
	   struct ibuf_mbuf *m)
{
	uint32_t outside;
	bool put;

	if (!bias_enter(&own->bias[number], &outside))
		return false;
	m->flags_ = IBUF_MBUF_FREE_;
	put = ibuf_tcache_put_(&own->thread.tcaches_[number].of_[kind], m);
	if (bias_leave(&own->bias[number], outside))
		ibuf_recall_come_(own, number);
	return put;
}

SELDOM void
give_slowly(struct ibuf_owner *owner, struct ibuf_mbuf *m, unsigned kind)
{
	struct ibuf_pool *p = pool_of(owner);
	struct ibuf_tcaches_ *tcaches = NULL;

	if (!pool_recalls(p))
		tcaches = ibuf_threads_tcaches_to_give_(p);
	if (tcaches == NULL ||
	    !put_inside(ibuf_block_own_, owner->index, kind, m))
		put_into_slabs(p, &p->store[kind], m);
}

/*
 * Put a free header on top of the magazine that the calling thread works with,
 * or go the long way.  When it is there, the pool may be gone.
 */
static inline void
give(struct ibuf_owner *owner, struct ibuf_mbuf *m, unsigned kind)
{
	const uint32_t number = m->pool_; /* known sooner than the owner's */
	struct ibuf_block *own = ibuf_block_own_;
	struct ibuf_tcache_ *tcache;
	struct ibuf_mbuf **top;
	struct ibuf_bias *bias;
	uint32_t outside;

	if (!IBUF_LIKELY(own != NULL)) {
		give_slowly(owner, m, kind);
		return;
	}
	bias = &own->bias[number];
	if (!bias_enter(bias, &outside)) {
		give_slowly(owner, m, kind);
		return;
	}
	tcache = &own->thread.tcaches_[number].of_[kind];
	top = ibuf_tcache_top_(tcache);
	if (!IBUF_LIKELY(!ibuf_tcache_is_full_(tcache, top))) {
		if (bias_leave(bias, outside))
			ibuf_recall_come_(own, number);
		give_slowly(owner, m, kind);
		return;
	}
	m->flags_ = IBUF_MBUF_FREE_;
	ibuf_tcache_give_(tcache, top, m);
	if (bias_leave(bias, outside))
		ibuf_recall_come_(own, number);
}

void
ibuf_biased_give_(struct ibuf_owner *owner, struct ibuf_mbuf *m, unsigned kind)
{
	ibuf_alloc_close_(owner, m, kind);
	store_ready(&pool_of(owner)->store[kind], m);
	give(owner, m, kind);
}

/* All but its first 16 bytes is as it was when it went out. */
void
ibuf_biased_give_plain_(struct ibuf_owner *owner, struct ibuf_mbuf *m)
{
	if (!IBUF_LIKELY(!ibuf_platform_watched_ && !owner->wipe &&
			 owner->private_size == 0))
		ibuf_biased_give_(owner, m, IBUF_DIRECT_);
	else
		give(owner, m, IBUF_DIRECT_);
}
