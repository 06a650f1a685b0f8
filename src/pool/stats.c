/* stats.c - what a pool has counted. */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

#include <string.h>

/* ---- counting: under the lock ------------------------------------------ */

/*
 * Sum up one kind of header.  given first, of all thread caches, and then
 * taken: a header that is seen to come back has been seen to go out, so the
 * difference is never below the truth.
 */
static void
sum(const struct ibuf_store *store, uint64_t *taken, uint64_t *given)
{
	const struct ibuf_tcaches_ *first = store->pool->tcaches, *t;

	*given = store->given;
	for (t = first; t != NULL; t = tcaches_next(t))
		*given += counted_acquire(&t->of_[store->kind].given_);
	*taken = store->taken;
	for (t = first; t != NULL; t = tcaches_next(t))
		*taken += counted_acquire(&t->of_[store->kind].taken_);
}

/*
 * How many are out.  Under load the sums are of several moments, and what went
 * out between them seems to be out, even if it came back.  But no more are out
 * than were carved: that much of it did come back.
 */
static uint64_t
out_of(const struct ibuf_store *store, uint64_t *taken)
{
	uint64_t most = store->slabs.carved - store->lost, given;

	sum(store, taken, &given);
	return *taken - given < most ? *taken - given : most;
}

void
ibuf_stats_count_(struct ibuf_pool *p, struct ibuf_counts *counts)
{
	const struct ibuf_store *direct = &p->store[IBUF_DIRECT_];
	const struct ibuf_tcaches_ *t;
	uint64_t indirect;

	pthread_mutex_lock(&p->lock);
	counts->indirect = out_of(&p->store[IBUF_INDIRECT_], &indirect);
	counts->given = out_of(direct, &counts->taken);
	counts->given = counts->taken - counts->given;
	counts->cached = 0;
	for (t = p->tcaches; t != NULL; t = tcaches_next(t))
		counts->cached += ibuf_tcache_held_(
			&t->of_[IBUF_DIRECT_], direct->depot.magazine_size);
	counts->capacity = direct->slabs.capacity - direct->lost;
	pthread_mutex_unlock(&p->lock);
}

/* The direct ones that are out; the same, at a third of the price. */
static size_t
count_out(struct ibuf_pool *p)
{
	uint64_t out, taken;

	pthread_mutex_lock(&p->lock);
	out = out_of(&p->store[IBUF_DIRECT_], &taken);
	pthread_mutex_unlock(&p->lock);
	return (size_t)out;
}

/* ---- reading ----------------------------------------------------------- */

static void
read_heap(struct ibuf_pool_stats *stats, struct ibuf_pool *heap)
{
	uint64_t out;

	pthread_mutex_lock(&heap->lock);
	out = out_of(&heap->store[IBUF_INDIRECT_], &stats->allocs);
	pthread_mutex_unlock(&heap->lock);
	stats->frees = stats->allocs - out;
	stats->allocated = out;
	stats->handles = out;
	stats->capacity = out;
	stats->copied_bytes = counted_relaxed(&heap->owner.copied_bytes);
}

static void
read_pool(struct ibuf_pool_stats *stats, struct ibuf_pool *p)
{
	const struct ibuf_store *direct = &p->store[IBUF_DIRECT_];
	struct ibuf_counts counts;

	pool_must_be_open(p);
	ibuf_stats_count_(p, &counts);
	stats->capacity = counts.capacity;
	stats->allocated = counts.taken - counts.given;
	stats->available = stats->capacity - stats->allocated;
	stats->cached = counts.cached < stats->available ? counts.cached
							 : stats->available;
	stats->handles = counts.indirect;
	stats->allocs = counts.taken;
	stats->frees = counts.given;
	stats->failures = counted_relaxed(&p->failures);
	stats->copied_bytes = counted_relaxed(&p->owner.copied_bytes);
	pthread_mutex_lock(&p->lock);
	stats->peak = direct->peak;
	stats->grows = direct->grows;
	stats->waits = p->waits;
	stats->mapped_bytes =
		direct->slabs.bytes + p->store[IBUF_INDIRECT_].slabs.bytes;
	pthread_mutex_unlock(&p->lock);
}

/* Either way, the smaller of the two sizes is written. */
static int
tell(const struct ibuf_pool_stats *stats, struct ibuf_pool_stats *out,
     size_t out_size)
{
	memcpy(out, stats, out_size < sizeof *stats ? out_size : sizeof *stats);
	return 0;
}

int
ibuf_stats_get_(const struct ibuf_pool *p, struct ibuf_pool_stats *out,
		size_t out_size)
{
	struct ibuf_pool_stats stats = {0};

	read_pool(&stats, (struct ibuf_pool *)(uintptr_t)p);
	return tell(&stats, out, out_size);
}

int
ibuf_stats_get_heap_(const struct ibuf_pool *heap, struct ibuf_pool_stats *out,
		     size_t out_size)
{
	struct ibuf_pool_stats stats = {0};

	read_heap(&stats, (struct ibuf_pool *)(uintptr_t)heap);
	return tell(&stats, out, out_size);
}

size_t
ibuf_stats_allocated_(const struct ibuf_pool *p)
{
	pool_must_be_open(p);
	return count_out((struct ibuf_pool *)(uintptr_t)p);
}
