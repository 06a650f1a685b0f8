/* supply.c - a pool gets memory from its provider, and gives it back. */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include "close.h"
#include <errno.h>
#include <stdlib.h>

/* A slab that is worth a provider call, and one that is enough at once. */
#define SLAB_LEAST ((size_t)64 << 10)
#define SLAB_MOST ((size_t)2 << 20)

static size_t
at_least(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Get n elements into the stock from threads that are gone. */
static bool
reclaim(struct ibuf_pool *p, size_t n)
{
	size_t before = depot_stocked(&p->cache.elements);

	return ibuf_cache_reclaim_(&p->cache) &&
	       depot_stocked(&p->cache.elements) - before >= n;
}

int
ibuf_pool_grow_(struct ibuf_pool *p, size_t n)
{
	struct ibuf_depot *depot = &p->cache.elements;
	size_t stride = depot->stock.stride;
	size_t capacity = depot->stock.capacity - depot->lost;
	size_t most = at_least(SLAB_MOST / stride, 1);
	size_t count;
	int error;

	if (n > p->max - capacity) {
		if (reclaim(p, n))
			return 0;
		return p->max == SIZE_MAX ? -ENOMEM : -ENOBUFS;
	}
	/* Double, between the two sizes; then what is needed; then max. */
	count = at_least(capacity, at_least(SLAB_LEAST / stride, 1));
	if (count > most)
		count = most;
	count = at_least(count, n);
	if (count > p->max - capacity)
		count = p->max - capacity;
	error = ibuf_stock_grow_(&depot->stock, count, &p->provider);
	if (error == 0)
		p->grows++;
	else if (reclaim(p, n))
		return 0;
	return error == -EOVERFLOW ? -ENOMEM : error;
}

int
ibuf_supply_reserve_(struct ibuf_pool *p, size_t n)
{
	struct ibuf_cache_counts counts;
	size_t available;
	int error = 0;

	ibuf_cache_count_(&p->cache, &counts);
	available = counts.capacity - (size_t)(counts.taken - counts.given);
	if (n > available) {
		pthread_mutex_lock(&p->cache.lock);
		error = ibuf_pool_grow_(p, n - available);
		pthread_mutex_unlock(&p->cache.lock);
	}
	if (error != 0)
		count_relaxed(&p->failures, 1);
	return error;
}

/* Give the idle slabs of a depot back; no lock is held while unmapping. */
static size_t
trim_depot(struct ibuf_pool *p, struct ibuf_depot *depot)
{
	struct ibuf_stock *stock = &depot->stock;
	struct ibuf_slab *gone;
	size_t n = 0, bytes = 0, i;

	pthread_mutex_lock(&p->cache.lock);
	gone = malloc((stock->n_slabs + 1) * sizeof *gone);
	if (gone != NULL) {
		ibuf_depot_unload_(depot, SIZE_MAX);
		n = ibuf_stock_trim_(stock, gone);
	}
	pthread_mutex_unlock(&p->cache.lock);
	for (i = 0; i < n; i++) {
		bytes += gone[i].size;
		show(gone[i].base, gone[i].size);
		p->provider.unmap(gone[i].base, gone[i].size,
				  p->provider.context);
	}
	free(gone);
	return bytes;
}

size_t
ibuf_supply_trim_(struct ibuf_pool *p)
{
	return trim_depot(p, &p->cache.elements) +
	       trim_depot(p, &p->cache.windows);
}
