/*
 * trim.c - a pool gives slabs back to its provider.
 *
 * In steps of at most STEP headers and one slab, between which others
 * may have the lock.  It needs no memory.
 */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

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
 * Take an idle slab out of the slabs; NULL: there is none.  It counts against
 * max until it is unmapped, so that a provider never has to give more.
 */
static struct ibuf_slab *
take_idle(struct ibuf_pool *p, struct ibuf_store *store)
{
	struct ibuf_slab *slab = ibuf_slabs_take_idle_(&store->slabs);

	if (slab != NULL) {
		store->moving += slab->headers;
		ibuf_pool_renew_(p);
	}
	return slab;
}

/* Unmap a slab that was taken out; how many bytes it had. */
static size_t
give_back(struct ibuf_pool *p, struct ibuf_store *store, struct ibuf_slab *slab,
	  uint64_t forks)
{
	size_t bytes = slab->size, headers = slab->headers;

	pool_unmap(p, slab);
	pthread_mutex_lock(&p->lock);
	ibuf_expand_moved_(store, headers, forks);
	pthread_mutex_unlock(&p->lock);
	return bytes;
}

static size_t
trim_store(struct ibuf_pool *p, struct ibuf_store *store)
{
	size_t bytes = 0, left = SIZE_MAX, n;
	struct ibuf_slab *slab;
	uint64_t forks;

	do {
		pthread_mutex_lock(&p->lock);
		/* What comes back meanwhile is not waited for. */
		if (left > store->slabs.capacity)
			left = store->slabs.capacity;
		n = ibuf_store_sort_(store, left < STEP ? left : STEP);
		left -= n;
		slab = take_idle(p, store);
		forks = p->forks;
		pthread_mutex_unlock(&p->lock);
		if (slab != NULL)
			bytes += give_back(p, store, slab, forks);
		else
			ibuf_platform_yield_();
	} while (slab != NULL || n == STEP);
	return bytes;
}

size_t
ibuf_trim_(struct ibuf_pool *p)
{
	pool_must_be_open(p);
	ibuf_pool_flush_(p);
	pthread_mutex_lock(&p->lock);
	p->patience = 0; /* to look now */
	(void)ibuf_close_reclaim_(p);
	pthread_mutex_unlock(&p->lock);
	return trim_store(p, &p->store[IBUF_DIRECT_]) +
	       trim_store(p, &p->store[IBUF_INDIRECT_]);
}
