/* window.c - windows, the headers of clones and slices, go out and come home. */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include "close.h"

/*
 * A free window, in a slot or taken from the stock, has its home's number
 * and no next one, and its private area is zero.
 */

static void
window_carved(struct ibuf_mbuf *m, void *pool)
{
	struct ibuf_pool *p = pool;

	m->flags_ = 0;
	m->pool_ = (uint16_t)p->home.index;
	clear_private(&p->home, m);
}

/* See that the stock has a window; the lock is held. */
static bool
stock_up(struct ibuf_pool *p)
{
	return ibuf_pool_stock_up_(p, &p->cache.windows, 1, false) == 0;
}

static bool
fill(struct ibuf_pool *p, struct ibuf_slot_ *slot)
{
	bool good;

	if (ibuf_slot_refill_(slot))
		return true;
	pthread_mutex_lock(&p->cache.lock);
	good = ibuf_slot_unstock_(slot, window_carved, p) ||
	       (stock_up(p) && ibuf_slot_unstock_(slot, window_carved, p));
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
ibuf_window_take_(struct ibuf_home *home)
{
	struct ibuf_pool *p = pool_of(home);
	struct ibuf_slots_ *slots;
	struct ibuf_mbuf *m = NULL;

	if (__atomic_load_n(&p->cache.closed, __ATOMIC_ACQUIRE))
		return NULL;
	slots = ibuf_threads_slots_(&p->cache);
	if (slots == NULL) {
		m = take_from_stock(p);
	} else if (slot_has_object(&slots->window_) ||
		   fill(p, &slots->window_)) {
		m = ibuf_slot_take_(&slots->window_,
				    ibuf_slot_top_(&slots->window_));
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
ibuf_windows_take_(struct ibuf_home *home, struct ibuf_mbuf **out, size_t n)
{
	struct ibuf_pool *p = pool_of(home);
	struct ibuf_slots_ *slots;

	if (__atomic_load_n(&p->cache.closed, __ATOMIC_ACQUIRE))
		return false;
	slots = ibuf_threads_slots_(&p->cache);
	if (slots == NULL || !ibuf_slot_top_up_(&slots->window_, n))
		return false;
	ibuf_slot_pour_(&slots->window_, out, n);
	return true;
}

void
ibuf_window_give_(struct ibuf_home *home, struct ibuf_mbuf *m)
{
	struct ibuf_pool *p = pool_of(home);
	struct ibuf_slots_ *slots = ibuf_threads_slots_to_give_(&p->cache);
	bool done;

	clear_private(home, m);
	m->next_ = NULL;
	if (slots != NULL) {
		m->flags_ = 0;
		done = ibuf_slot_put_(&slots->window_, m);
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
