/*
 * trim.c - a pool gives slabs back to its provider.
 *
 * In steps of at most CACHE_STEP objects and one slab, between which others
 * may have the lock.  It needs no memory.
 */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include "close.h"

/*
 * Numbers for what a checked free remembers of a pool's memory.  Each pool
 * has one of its own, and another one whenever a slab leaves it.
 */
static uint64_t generations;

void
ibuf_pool_renew_(struct ibuf_pool *p)
{
	uint64_t next = __atomic_add_fetch(&generations, 1, __ATOMIC_RELAXED);

	/* Pairs with the acquire in ibuf_pool_free(). */
	__atomic_store_n(&p->generation, next, __ATOMIC_RELEASE);
}

/*
 * Take an idle slab out of the stock; NULL: there is none.  It counts against
 * max until it is unmapped, so that a provider never has to give more.
 */
static struct ibuf_slab *
take_idle(struct ibuf_pool *p, struct ibuf_depot *depot)
{
	struct ibuf_slab *slab = ibuf_slabs_take_idle_(&depot->stock);

	if (slab != NULL) {
		depot->moving += slab->objects;
		ibuf_pool_renew_(p);
	}
	return slab;
}

/* Unmap a slab that was taken out; how many bytes it had. */
static size_t
give_back(struct ibuf_pool *p, struct ibuf_depot *depot, struct ibuf_slab *slab,
	  uint64_t forks)
{
	size_t bytes = slab->size, objects = slab->objects;

	pool_unmap(p, slab);
	pthread_mutex_lock(&p->cache.lock);
	ibuf_pool_moved_(p, depot, objects, forks);
	pthread_mutex_unlock(&p->cache.lock);
	return bytes;
}

static size_t
trim_depot(struct ibuf_pool *p, struct ibuf_depot *depot)
{
	size_t bytes = 0, left = SIZE_MAX, n;
	struct ibuf_slab *slab;
	uint64_t forks;

	do {
		pthread_mutex_lock(&p->cache.lock);
		/* What comes back meanwhile is not waited for. */
		if (left > depot->stock.capacity)
			left = depot->stock.capacity;
		n = ibuf_depot_sort_(depot,
				     left < CACHE_STEP ? left : CACHE_STEP);
		left -= n;
		slab = take_idle(p, depot);
		forks = p->forks;
		pthread_mutex_unlock(&p->cache.lock);
		if (slab != NULL)
			bytes += give_back(p, depot, slab, forks);
		else
			ibuf_platform_yield_();
	} while (slab != NULL || n == CACHE_STEP);
	return bytes;
}

size_t
ibuf_trim_(struct ibuf_pool *p)
{
	pool_must_be_open(p);
	ibuf_cache_flush_(&p->cache);
	pthread_mutex_lock(&p->cache.lock);
	p->cache.patience = 0; /* to look now */
	(void)ibuf_cache_reclaim_(&p->cache);
	pthread_mutex_unlock(&p->cache.lock);
	return trim_depot(p, &p->cache.elements) +
	       trim_depot(p, &p->cache.windows);
}
