/*
 * pools.h - what the tests of pools share: a pool in one call, its books
 * checked, and a provider that counts.
 */
#ifndef POOLS_H
#define POOLS_H

#include "test.h"

#include <stdatomic.h>

/* ---- books --------------------------------------------------------- */

static inline struct ibuf_pool_stats
stats_of(const struct ibuf_pool *p)
{
	struct ibuf_pool_stats stats;

	assert_int_equal(ibuf_pool_get_stats(p, &stats, sizeof(stats)), 0);
	return stats;
}

/* While no other thread is inside the pool, this holds. */
static inline void
assert_books(const struct ibuf_pool *p, uint64_t allocated)
{
	struct ibuf_pool_stats s = stats_of(p);

	assert_int_equal(s.allocated, allocated);
	assert_int_equal(s.capacity, s.allocated + s.available);
	assert_int_equal(s.allocs - s.frees, s.allocated);
	assert_true(s.cached <= s.available);
	assert_true(s.peak >= s.allocated);
	assert_int_equal(ibuf_pool_allocated(p), s.allocated);
	assert_int_equal(ibuf_pool_available(p), s.available);
}

/* A message as an allocation from a pool gives it. */
static inline void
assert_fresh(struct ibuf_pool *p, const struct ibuf_mbuf *m, size_t headroom,
	     size_t capacity)
{
	assert_non_null(m);
	assert_message(m, "", 0);
	assert_ptr_equal(ibuf_mbuf_pool(m), p);
	assert_int_equal(ibuf_mbuf_headroom(m), headroom);
	assert_int_equal(ibuf_mbuf_tailroom(m), capacity);
	assert_int_equal(ibuf_mbuf_capacity(m), capacity);
	assert_int_equal(ibuf_mbuf_segments(m), 1);
	assert_true(ibuf_mbuf_is_unique(m));
}

/* ---- pools --------------------------------------------------------- */

static inline struct ibuf_pool *
pool_with(const struct ibuf_pool_options *options)
{
	struct ibuf_pool *p = NULL;

	assert_int_equal(ibuf_pool_create(&p, options), 0);
	assert_non_null(p);
	return p;
}

/* A pool of small mbufs: capacity 64, headroom 16. */
static inline struct ibuf_pool *
pool_of(size_t max, size_t cache)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = 64;
	o.headroom = 16;
	o.max = max;
	o.cache = cache;
	return pool_with(&o);
}

/* Not everywhere can caches work; where they cannot, pools keep nothing. */
static inline bool
caches_work(void)
{
	struct ibuf_pool *p = pool_of(1, 1);
	bool kept;

	ibuf_mbuf_free(ibuf_pool_alloc(p));
	kept = stats_of(p).cached != 0;
	ibuf_pool_destroy(p);
	return kept;
}

/* What a pool refuses; the caller's pointer stays what it was. */
static inline int
error_of(const struct ibuf_pool_options *options)
{
	struct ibuf_pool *untouched = (struct ibuf_pool *)(void *)&untouched;
	struct ibuf_pool *p = untouched;
	int error = ibuf_pool_create(&p, options);

	if (error == 0)
		assert_int_equal(ibuf_pool_destroy(p), 0);
	else
		assert_ptr_equal(p, untouched);
	return error;
}

/* Take until there is no more; at most n. */
static inline size_t
take_all(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		out[i] = ibuf_pool_alloc(p);
		if (out[i] == NULL)
			break;
	}
	return i;
}

/* ---- a provider that counts ---------------------------------------- */

#define PIECES 64

/* Atomic, because unmap may be called by whichever thread is last. */
struct counting {
	atomic_size_t maps;
	atomic_size_t unmaps;
	atomic_size_t bytes; /* mapped now */
	atomic_bool broken;  /* gives nothing */
	_Atomic(uint8_t *) bases[PIECES];
	atomic_size_t sizes[PIECES];
	atomic_size_t alignments[PIECES];
};

static inline void *
counting_map(size_t size, size_t alignment, void *context)
{
	struct counting *c = context;
	uint8_t *base;

	if (atomic_load(&c->broken))
		return NULL;
	base = ibuf_provider_heap()->map(size, alignment, NULL);
	if (base == NULL)
		return NULL;
	for (size_t i = 0; i < PIECES; i++) {
		uint8_t *none = NULL;

		if (!atomic_compare_exchange_strong(&c->bases[i], &none, base))
			continue;
		atomic_store(&c->sizes[i], size);
		atomic_store(&c->alignments[i], alignment);
		atomic_fetch_add(&c->maps, 1);
		atomic_fetch_add(&c->bytes, size);
		return base;
	}
	fail_msg("more than %d pieces mapped at once", PIECES);
	return NULL;
}

static inline void
counting_unmap(void *base, size_t size, void *context)
{
	struct counting *c = context;

	for (size_t i = 0; i < PIECES; i++) {
		if (atomic_load(&c->bases[i]) != base)
			continue;
		if (atomic_load(&c->sizes[i]) != size)
			break;
		atomic_fetch_add(&c->unmaps, 1);
		atomic_fetch_sub(&c->bytes, size);
		atomic_store(&c->bases[i], NULL);
		ibuf_provider_heap()->unmap(base, size, NULL);
		return;
	}
	/* Not fail_msg: this may be another thread than the test's. */
	fprintf(stderr, "unmap of %p, %zu bytes, which were never mapped\n",
		base, size);
	abort();
}

static inline struct ibuf_provider
counting_provider(struct counting *c)
{
	struct ibuf_provider provider = {counting_map, counting_unmap, c};

	return provider;
}

/* In which piece does an address lie?  PIECES: in none. */
static inline size_t
piece_of(struct counting *c, const void *address)
{
	uintptr_t at = (uintptr_t)address;

	for (size_t i = 0; i < PIECES; i++) {
		uintptr_t base = (uintptr_t)atomic_load(&c->bases[i]);

		if (base != 0 && at - base < atomic_load(&c->sizes[i]))
			return i;
	}
	return PIECES;
}

#endif
