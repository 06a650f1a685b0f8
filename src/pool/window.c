/* window.c - windows, the headers of clones and slices, go out and come back. */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include "close.h"

/*
 * A free window, in a tcache or taken from the stock, has its owner's number
 * and no next one, and its private area is zero.
 */

static void
window_carved(struct ibuf_mbuf *m, void *pool)
{
	struct ibuf_pool *p = pool;

	m->flags_ = 0;
	m->pool_ = (uint16_t)p->owner.index;
	clear_private(&p->owner, m);
}

/* See that the stock has a window; the lock is held. */
static bool
stock_up(struct ibuf_pool *p)
{
	return ibuf_pool_stock_up_(p, &p->cache.windows, 1, false) == 0;
}

static bool
fill(struct ibuf_pool *p, struct ibuf_tcache_ *tcache)
{
	bool good;

	if (ibuf_tcache_refill_(tcache))
		return true;
	pthread_mutex_lock(&p->cache.lock);
	good = ibuf_tcache_fill_(tcache, window_carved, p) ||
	       (stock_up(p) && ibuf_tcache_fill_(tcache, window_carved, p));
	pthread_mutex_unlock(&p->cache.lock);
	return good;
}

static struct ibuf_mbuf *
take_from_stock(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m = NULL;

	pthread_mutex_lock(&p->cache.lock);
	if (stock_up(p))
		m = ibuf_cache_take_(&p->cache.windows, window_carved, p);
	pthread_mutex_unlock(&p->cache.lock);
	return m;
}

struct ibuf_mbuf *
XX_indirect_take_(struct ibuf_owner *owner)
{
	struct ibuf_pool *p = pool_of(owner);
	struct ibuf_tcaches_ *tcaches;
	struct ibuf_mbuf *m = NULL;

	if (__atomic_load_n(&p->cache.closed, __ATOMIC_ACQUIRE))
		return NULL;
	tcaches = ibuf_threads_tcaches_(&p->cache);
	if (tcaches == NULL) {
		m = take_from_stock(p);
	} else if (tcache_has_header(&tcaches->window_) ||
		   fill(p, &tcaches->window_)) {
		m = ibuf_tcache_take_(&tcaches->window_,
				      ibuf_tcache_top_(&tcaches->window_));
	}
	if (m == NULL) {
		count_relaxed(&p->failures, 1);
		return NULL;
	}
	m->flags_ = (uint16_t)(IBUF_MBUF_LIVE_ |
			       (p->front.fresh_.flags_ & IBUF_MBUF_CAREFUL_));
	return m;
}

bool
XX_indirect_take_many_(struct ibuf_owner *owner, struct ibuf_mbuf **out,
		       size_t n)
{
	struct ibuf_pool *p = pool_of(owner);
	struct ibuf_tcaches_ *tcaches;

	if (__atomic_load_n(&p->cache.closed, __ATOMIC_ACQUIRE))
		return false;
	tcaches = ibuf_threads_tcaches_(&p->cache);
	if (tcaches == NULL || !ibuf_tcache_top_up_(&tcaches->window_, n))
		return false;
	ibuf_tcache_pour_(&tcaches->window_, out, n);
	return true;
}

void
XX_indirect_give_(struct ibuf_owner *owner, struct ibuf_mbuf *m)
{
	struct ibuf_pool *p = pool_of(owner);
	struct ibuf_tcaches_ *tcaches =
		ibuf_threads_tcaches_to_give_(&p->cache);
	bool done;

	clear_private(owner, m);
	m->next_ = NULL;
	if (tcaches != NULL) {
		m->flags_ = 0;
		done = ibuf_tcache_put_(&tcaches->window_, m);
	} else {
		pthread_mutex_lock(&p->cache.lock);
		done = !p->cache.closed;
		if (done)
			ibuf_cache_give_(&p->cache.windows, m);
		pthread_mutex_unlock(&p->cache.lock);
	}
	if (!done)
		ibuf_cache_give_late_(&p->cache.windows, m);
}
