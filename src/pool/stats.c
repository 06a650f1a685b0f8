/* stats.c - what a pool has counted. */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include <string.h>

static void
read_heap(struct ibuf_pool_stats *stats)
{
	const struct ibuf_owner_heap *heap =
		(const struct ibuf_owner_heap *)owner_heap();

	/* given first: what is given was taken before, so never negative;
	   but for what a copy took that has another table of owners. */
	stats->frees = counted_acquire(&heap->given);
	stats->allocs = counted_acquire(&heap->taken);
	if (stats->frees > stats->allocs)
		stats->frees = stats->allocs;
	stats->allocated = stats->allocs - stats->frees;
	stats->handles = stats->allocated;
	stats->capacity = stats->allocated;
	stats->copied_bytes = counted_relaxed(&heap->owner.copied_bytes);
}

static void
read_pool(struct ibuf_pool_stats *stats, struct ibuf_pool *p)
{
	struct ibuf_cache_counts counts;

	pool_must_be_open(p);
	ibuf_cache_count_(&p->cache, &counts);
	stats->capacity = counts.capacity;
	stats->allocated = counts.taken - counts.given;
	stats->available = stats->capacity - stats->allocated;
	stats->cached = counts.cached < stats->available ? counts.cached
							 : stats->available;
	stats->handles = counts.handles;
	stats->allocs = counts.taken;
	stats->frees = counts.given;
	stats->failures = counted_relaxed(&p->failures);
	stats->copied_bytes = counted_relaxed(&p->owner.copied_bytes);
	pthread_mutex_lock(&p->cache.lock);
	stats->peak = p->peak;
	stats->grows = p->grows;
	stats->waits = p->waits;
	stats->mapped_bytes =
		p->cache.elements.stock.bytes + p->cache.windows.stock.bytes;
	pthread_mutex_unlock(&p->cache.lock);
}

int
ibuf_stats_get_(const struct ibuf_pool *p, struct ibuf_pool_stats *out,
		size_t out_size)
{
	struct ibuf_pool_stats stats = {0};

	if (p == NULL)
		read_heap(&stats);
	else
		read_pool(&stats, (struct ibuf_pool *)(uintptr_t)p);
	memcpy(out, &stats, out_size < sizeof stats ? out_size : sizeof stats);
	return 0;
}

size_t
ibuf_stats_allocated_(const struct ibuf_pool *p)
{
	pool_must_be_open(p);
	return ibuf_cache_count_out_(
		&((struct ibuf_pool *)(uintptr_t)p)->cache);
}
