/*
 * test_expand.c - a pool grows: by pieces that its provider can give, by no
 * more than max, and not at all when the call fails.
 */
#include "threads.h"

#include <semaphore.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a provider with limits --------------------------------------------- */

struct limited {
	size_t piece; /* most bytes in one */
	size_t total; /* most bytes in all */
	size_t bytes; /* given now */
	size_t maps, unmaps, refused, zero;
	size_t smallest, largest; /* given */
};

static void *
limited_map(size_t size, size_t alignment, void *context)
{
	struct limited *l = context;
	void *base;

	l->zero += size == 0;
	if (size > l->piece || size > l->total - l->bytes ||
	    posix_memalign(&base, alignment, size) != 0) {
		l->refused++;
		return NULL;
	}
	l->maps++;
	l->bytes += size;
	l->smallest =
		l->smallest == 0 || size < l->smallest ? size : l->smallest;
	l->largest = size > l->largest ? size : l->largest;
	return base;
}

static void
limited_unmap(void *base, size_t size, void *context)
{
	struct limited *l = context;

	l->unmaps++;
	l->bytes -= size;
	free(base);
}

static struct ibuf_pool *
pool_on(struct limited *l, size_t max, size_t cache)
{
	struct ibuf_provider provider = {limited_map, limited_unmap, l};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.max = max;
	o.cache = cache;
	o.provider = &provider;
	return pool_with(&o);
}

/* ---- calls that fail leave nothing ---------------------------------------- */

static bool
alloc_fails(struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	(void)m;
	return ibuf_pool_alloc(p) == NULL;
}

static bool
bulk_fails(struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *out[100];

	(void)m;
	return ibuf_pool_alloc_bulk(p, out, 100) != 0;
}

static bool
upto_gives_none(struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *out[100];

	(void)m;
	return ibuf_pool_alloc_upto(p, out, 100) == 0;
}

static bool
reserve_fails(struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	(void)m;
	return ibuf_pool_reserve(p, 100) != 0;
}

static bool
clone_fails(struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	(void)p;
	return ibuf_mbuf_clone(m) == NULL;
}

static bool
clone_bulk_fails(struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *out[100];

	(void)p;
	return ibuf_mbuf_clone_bulk(m, out, 100) != 0;
}

static bool
slice_fails(struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	(void)p;
	return ibuf_mbuf_slice(m, 0, 1) == NULL;
}

/* What must be after a failed call as it was before. */
struct traces {
	struct ibuf_pool_stats stats;
	size_t out, blocks, bytes;
};

static struct traces
traces_of(const struct ibuf_pool *p, const struct limited *l)
{
	struct traces t = {stats_of(p), l->maps - l->unmaps,
			   fault_live_blocks(), l->bytes};

	t.stats.failures = 0;
	return t;
}

static void
assert_leaves_no_trace(struct ibuf_pool *p, struct limited *l,
		       struct ibuf_mbuf *m,
		       bool (*fails)(struct ibuf_pool *p, struct ibuf_mbuf *m))
{
	struct traces before, after;

	/* What a first failure leaves in place for the next one is fine. */
	assert_true(fails(p, m));
	before = traces_of(p, l);
	for (unsigned i = 0; i < test_rounds(10000); i++)
		if (!fails(p, m))
			fail_msg("call %u", i);
	after = traces_of(p, l);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(l->zero, 0);
}

TEST(ten_thousand_failures_at_max_leave_nothing_behind)
{
	static const size_t caches[] = {0, 1, 2, IBUF_POOL_CACHE_AUTO};

	for (size_t c = 0; c < 4; c++) {
		struct limited l = {.piece = SIZE_MAX, .total = SIZE_MAX};
		struct ibuf_pool *p = pool_on(&l, 40, caches[c]);
		struct ibuf_mbuf *ms[41];
		size_t maps;

		assert_int_equal(take_all(p, ms, 41), 40);
		maps = l.maps;
		assert_leaves_no_trace(p, &l, NULL, alloc_fails);
		assert_leaves_no_trace(p, &l, NULL, bulk_fails);
		assert_leaves_no_trace(p, &l, NULL, upto_gives_none);
		assert_leaves_no_trace(p, &l, NULL, reserve_fails);
		assert_int_equal(l.maps, maps);
		assert_int_equal(l.refused, 0);
		ibuf_mbuf_free_bulk(ms, 40);
		assert_int_equal(ibuf_pool_destroy(p), 0);
		assert_int_equal(l.maps, l.unmaps);
	}
}

/* Pieces of what a bulk needs are given, and then no more. */
TEST(ten_thousand_failures_without_memory_leave_nothing_behind)
{
	static const size_t caches[] = {0, 1, 2, IBUF_POOL_CACHE_AUTO};

	for (size_t c = 0; c < 4; c++) {
		struct limited l = {.piece = 32 << 10, .total = SIZE_MAX};
		struct ibuf_pool *p = pool_on(&l, 0, caches[c]);
		struct ibuf_mbuf *ms[41];
		size_t n;

		ms[0] = ibuf_pool_alloc(p);
		assert_int_equal(ibuf_mbuf_append(ms[0], "bytes", 5), 0);
		l.total = l.bytes;
		n = 1 + take_all(p, ms + 1, 40);
		assert_leaves_no_trace(p, &l, NULL, alloc_fails);
		assert_leaves_no_trace(p, &l, NULL, upto_gives_none);
		assert_leaves_no_trace(p, &l, ms[0], clone_fails);
		assert_leaves_no_trace(p, &l, ms[0], clone_bulk_fails);
		assert_leaves_no_trace(p, &l, ms[0], slice_fails);
		l.total = l.bytes + (64 << 10);
		assert_leaves_no_trace(p, &l, NULL, bulk_fails);
		assert_leaves_no_trace(p, &l, NULL, reserve_fails);
		/* There was something to leave. */
		assert_true(l.maps > test_rounds(20000));
		ibuf_mbuf_free_bulk(ms, n);
		assert_int_equal(ibuf_pool_destroy(p), 0);
		assert_int_equal(l.maps, l.unmaps);
	}
}

TEST(receiving_with_fewer_free_than_asked_for_leaves_nothing_behind)
{
	struct limited l = {.piece = SIZE_MAX, .total = SIZE_MAX};
	struct ibuf_pool *p = pool_on(&l, 4, 0);
	struct ibuf_io_datagram d[8];
	struct ibuf_mbuf *ms[3];
	struct traces before;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	assert_int_equal(take_all(p, ms, 3), 3);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(send(ends[0], "x", 1, 0), 1);
		assert_int_equal(ibuf_io_recv(ends[1], p, d, 8, MSG_DONTWAIT),
				 1);
		ibuf_mbuf_free(d[0].m);
		if (i == 0)
			before = traces_of(p, &l);
	}
	assert_int_equal(l.maps, 1);
	assert_int_equal(l.zero, 0);
	assert_int_equal(stats_of(p).capacity, 4);
	assert_int_equal(fault_live_blocks(), before.blocks);
	ibuf_mbuf_free_bulk(ms, 3);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- pieces that the provider can give -------------------------------------- */

TEST(where_only_small_pieces_are_to_be_had_the_pool_grows_by_those)
{
	enum { N = 1000 };
	static const size_t pieces[] = {2304, 8 << 10, 100000, 256 << 10};
	static struct ibuf_mbuf *ms[N], *clones[N];

	for (size_t i = 0; i < 4; i++) {
		struct limited l = {.piece = pieces[i], .total = SIZE_MAX};
		struct ibuf_pool *p = pool_on(&l, 0, IBUF_POOL_CACHE_AUTO);

		assert_int_equal(take_all(p, ms, N), N);
		for (size_t k = 0; k < N; k++)
			assert_non_null(clones[k] = ibuf_mbuf_clone(ms[k]));
		assert_true(l.largest <= pieces[i]);
		/* No smaller than they had to be. */
		assert_true(l.maps <= 8 + 2 * N * 2400 / pieces[i]);
		ibuf_mbuf_free_bulk(clones, N);
		ibuf_mbuf_free_bulk(ms, N);
		assert_int_equal(ibuf_pool_alloc_bulk(p, ms, N), 0);
		ibuf_mbuf_free_bulk(ms, N);
		ibuf_pool_trim(p);
		assert_int_equal(l.bytes, 0);
		assert_int_equal(ibuf_pool_destroy(p), 0);
		assert_int_equal(l.maps, l.unmaps);
	}
}

TEST(a_bulk_comes_from_as_many_pieces_as_it_needs_or_from_none)
{
	enum { N = 500 };
	static struct ibuf_mbuf *ms[N + 1];
	struct limited l = {.piece = 64 << 10, .total = SIZE_MAX};
	struct ibuf_pool *p = pool_on(&l, 0, 0);
	struct ibuf_pool_stats before;
	size_t maps;

	assert_int_equal(ibuf_pool_alloc_bulk(p, ms, N), 0);
	assert_true(l.maps > 10);
	assert_int_equal(stats_of(p).grows, l.maps);
	assert_books(p, N);
	ibuf_mbuf_free_bulk(ms, N);
	assert_int_equal(ibuf_pool_trim(p), l.maps * l.largest);
	assert_int_equal(l.bytes, 0);
	/* Half of that is there; a bulk that fails gives it back. */
	l.total = 10 * l.largest;
	before = stats_of(p);
	maps = l.maps;
	memset(ms, 0x5a, sizeof(ms));
	assert_int_equal(ibuf_pool_alloc_bulk(p, ms, N), -ENOMEM);
	for (size_t i = 0; i < N; i++)
		assert_int_equal((uintptr_t)ms[i], (uintptr_t)ms[N]);
	assert_true(l.maps >= maps + 10);
	assert_int_equal(l.bytes, 0);
	assert_int_equal(stats_of(p).capacity, 0);
	assert_int_equal(stats_of(p).grows, before.grows);
	assert_int_equal(stats_of(p).failures, before.failures + 1);
	/* Reserving is the same; up to so many takes what there is. */
	assert_int_equal(ibuf_pool_reserve(p, N), -ENOMEM);
	assert_int_equal(l.bytes, 0);
	maps = ibuf_pool_alloc_upto(p, ms, N);
	assert_in_range(maps, 100, N - 1);
	for (size_t i = maps; i < N; i++)
		assert_int_equal((uintptr_t)ms[i], (uintptr_t)ms[N]);
	assert_null(ibuf_pool_alloc(p));
	ibuf_mbuf_free_bulk(ms, maps);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(l.maps, l.unmaps);
}

TEST(small_pieces_reach_max_exactly_and_in_one_call)
{
	enum { MAX = 101 };
	struct limited l = {.piece = 10000, .total = 50000};
	struct ibuf_mbuf *ms[MAX + 1];
	struct ibuf_pool *p = pool_on(&l, MAX, 0);

	/* What could not be had is not missing later. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(ibuf_pool_alloc_bulk(p, ms, MAX), -ENOMEM);
	assert_int_equal(l.bytes, 0);
	l.total = SIZE_MAX;
	assert_int_equal(ibuf_pool_alloc_bulk(p, ms, MAX + 1), -ENOBUFS);
	assert_int_equal(ibuf_pool_alloc_bulk(p, ms, MAX), 0);
	assert_int_equal(stats_of(p).capacity, MAX);
	assert_null(ibuf_pool_alloc(p));
	ibuf_mbuf_free_bulk(ms, MAX);
	ibuf_pool_trim(p);
	assert_int_equal(l.bytes, 0);
	assert_int_equal(ibuf_pool_alloc_upto(p, ms, MAX + 1), MAX);
	ibuf_mbuf_free_bulk(ms, MAX);
	ibuf_pool_trim(p);
	assert_int_equal(ibuf_pool_reserve(p, MAX), 0);
	assert_int_equal(stats_of(p).capacity, MAX);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(the_first_mbufs_come_from_several_pieces_or_not_at_all)
{
	struct limited l = {.piece = 64 << 10, .total = SIZE_MAX};
	struct ibuf_provider provider = {limited_map, limited_unmap, &l};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;

	o.initial = 100;
	o.provider = &provider;
	p = pool_with(&o);
	assert_true(l.maps > 1);
	assert_int_equal(stats_of(p).capacity, 100);
	assert_int_equal(stats_of(p).grows, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	l.total = 128 << 10;
	assert_int_equal(error_of(&o), -ENOMEM);
	assert_int_equal(l.bytes, 0);
	assert_int_equal(l.maps, l.unmaps);
}

TEST(headers_are_mapped_by_the_byte_not_by_the_number)
{
	static const size_t sizes[] = {0, 16, 4000, 65536, 1 << 20};
	static struct ibuf_mbuf *clones[3000];

	for (size_t i = 0; i < 5; i++) {
		struct limited l = {.piece = SIZE_MAX, .total = SIZE_MAX};
		struct ibuf_provider provider = {limited_map, limited_unmap,
						 &l};
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		size_t n = sizes[i] > 4000 ? 8 : 3000, before, first, header;
		struct ibuf_pool *p;
		struct ibuf_mbuf *m;

		o.private_size = sizes[i];
		o.provider = &provider;
		p = pool_with(&o);
		m = ibuf_pool_alloc(p);
		before = l.bytes;
		header = (64 + sizes[i] + 63) / 64 * 64;
		clones[0] = ibuf_mbuf_clone(m);
		first = l.bytes - before;
		assert_true(first <= (64 << 10) || first == header);
		for (size_t k = 1; k < n; k++)
			assert_non_null(clones[k] = ibuf_mbuf_clone(m));
		/* Twice what is used, or the first piece. */
		assert_true(l.bytes - before <= 2 * n * header + (64 << 10));
		ibuf_mbuf_free_bulk(clones, n);
		ibuf_mbuf_free(m);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

TEST(the_number_of_provider_calls_for_many_clones_is_small)
{
	enum { N = 200000 };
	static struct ibuf_mbuf *clones[N];
	struct limited l = {.piece = SIZE_MAX, .total = SIZE_MAX};
	struct ibuf_pool *p = pool_on(&l, 0, IBUF_POOL_CACHE_AUTO);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	for (size_t i = 0; i < N; i++)
		assert_non_null(clones[i] = ibuf_mbuf_clone(m));
	assert_in_range(l.maps, 1, 16);
	assert_in_range(l.largest, 1 << 20, 2 << 20);
	assert_true(l.bytes <= (size_t)N * 64 + (3u << 20));
	ibuf_mbuf_free_bulk(clones, N);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- pieces that are wrong --------------------------------------------------- */

static _Alignas(4096) uint8_t region[1 << 20];
static size_t region_maps, region_unmaps;
static uintptr_t where; /* what is given */

static void *
wrong_map(size_t size, size_t alignment, void *context)
{
	(void)size;
	(void)alignment;
	(void)context;
	region_maps++;
	return (void *)where; /* NOLINT: it is no pointer, that is the point */
}

static void
wrong_unmap(void *base, size_t size, void *context)
{
	(void)size;
	(void)context;
	assert_int_equal((uintptr_t)base, where);
	region_unmaps++;
}

TEST(a_piece_that_is_not_aligned_or_wraps_is_given_back_and_never_used)
{
	static const struct ibuf_provider provider = {wrong_map, wrong_unmap,
						      NULL};
	const uintptr_t wrong[] = {
		(uintptr_t)region + 1,
		(uintptr_t)region + 8,
		(uintptr_t)region + 32,
		UINTPTR_MAX - 4095,
		UINTPTR_MAX,
		(uintptr_t)region + 65,
	};

	for (size_t i = 0; i < 6; i++) {
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct ibuf_mbuf *ms[3], *untouched = (void *)&o;
		struct ibuf_pool *p;

		where = wrong[i];
		region_maps = region_unmaps = 0;
		o.provider = &provider;
		o.initial = 4;
		assert_int_equal(error_of(&o), -EINVAL);
		assert_int_equal(region_maps, 1);
		assert_int_equal(region_unmaps, 1);
		o.initial = 0;
		p = pool_with(&o);
		ms[0] = untouched;
		assert_null(ibuf_pool_alloc(p));
		assert_int_equal(ibuf_pool_alloc_bulk(p, ms, 3), -EINVAL);
		assert_int_equal(ibuf_pool_reserve(p, 3), -EINVAL);
		assert_int_equal(ibuf_pool_alloc_upto(p, ms, 3), 0);
		assert_ptr_equal(ms[0], untouched);
		assert_int_equal(stats_of(p).failures, 3);
		assert_int_equal(stats_of(p).capacity, 0);
		assert_int_equal(stats_of(p).mapped_bytes, 0);
		assert_int_equal(region_maps, 5);
		assert_int_equal(region_unmaps, 5);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
	assert_int_equal(region[0], 0);
}

/* It is in use: neither is it used twice nor given back before its time. */
TEST(a_piece_that_was_given_before_is_refused)
{
	static const struct ibuf_provider provider = {wrong_map, wrong_unmap,
						      NULL};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_mbuf *ms[400], *m;
	struct ibuf_pool *p;
	size_t n;

	o.provider = &provider;
	where = (uintptr_t)region;
	region_maps = region_unmaps = 0;
	p = pool_with(&o);
	n = take_all(p, ms, 400);
	assert_in_range(n, 1, 399);
	assert_int_equal(ibuf_mbuf_append(ms[0], "bytes", 5), 0);
	assert_null(ibuf_mbuf_clone(ms[0])); /* headers come from there too */
	where += 128;
	assert_null(ibuf_pool_alloc(p));
	where -= 128;
	assert_int_equal(region_unmaps, 0);
	assert_message(ms[0], "bytes", 5);
	assert_books(p, n);
	ibuf_mbuf_free_bulk(ms, n);
	m = ibuf_pool_alloc(p);
	assert_fresh(p, m, 128, 2048);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(region_unmaps, 1);
}

/* ---- while a provider works -------------------------------------------------- */

/* The next map, or unmap, waits until it is told to go on. */
struct slow {
	struct ibuf_pool *p;
	struct ibuf_mbuf *spare, *clone; /* of p, to free */
	atomic_bool hold, hold_unmap, refuse;
	sem_t inside, go_on;
	atomic_size_t wrong;
};

static void
stand_still(struct slow *s)
{
	sem_post(&s->inside);
	while (sem_wait(&s->go_on) != 0)
		;
}

static void *
slow_map(size_t size, size_t alignment, void *context)
{
	struct slow *s = context;

	if (atomic_exchange(&s->hold, false)) {
		stand_still(s);
		if (atomic_exchange(&s->refuse, false))
			return NULL;
	}
	return ibuf_provider_heap()->map(size, alignment, NULL);
}

static void
slow_unmap(void *base, size_t size, void *context)
{
	struct slow *s = context;

	if (atomic_exchange(&s->hold_unmap, false))
		stand_still(s);
	ibuf_provider_heap()->unmap(base, size, NULL);
}

static void
slow_open(struct slow *s, size_t max, size_t initial, unsigned flags)
{
	struct ibuf_provider provider = {slow_map, slow_unmap, s};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	memset(s, 0, sizeof(*s));
	assert_int_equal(sem_init(&s->inside, 0, 0), 0);
	assert_int_equal(sem_init(&s->go_on, 0, 0), 0);
	o.capacity = 64;
	o.max = max;
	o.initial = initial;
	o.cache = 0;
	o.flags = flags;
	o.provider = &provider;
	s->p = pool_with(&o);
}

static void
slow_close(struct slow *s)
{
	assert_int_equal(s->wrong, 0);
	assert_books(s->p, 0);
	assert_int_equal(ibuf_pool_destroy(s->p), 0);
	sem_destroy(&s->inside);
	sem_destroy(&s->go_on);
}

static void *
take_one_more(void *arg)
{
	struct slow *s = arg;
	struct ibuf_mbuf *m = ibuf_pool_alloc(s->p);

	if (m == NULL)
		atomic_fetch_add(&s->wrong, 1);
	ibuf_mbuf_free(m);
	return NULL;
}

static void *
trim_it(void *arg)
{
	ibuf_pool_trim(((struct slow *)arg)->p);
	return NULL;
}

/* All that another thread may want of the pool, and of others. */
static void *
use_it(void *arg)
{
	struct slow *s = arg;
	struct ibuf_mbuf *out[2];
	struct ibuf_pool *other = pool_of(2, 0);

	ibuf_mbuf_free(ibuf_pool_alloc(other));
	ibuf_pool_destroy(other);
	ibuf_pool_allocated(s->p);
	ibuf_mbuf_free(s->spare);
	ibuf_mbuf_free(s->clone);
	if (ibuf_pool_alloc_upto(s->p, out, 1) != 1)
		atomic_fetch_add(&s->wrong, 1);
	ibuf_pool_free(s->p, out[0]);
	ibuf_pool_flush(s->p);
	ibuf_pool_trim(s->p);
	return NULL;
}

static int
use_it_in_a_child(struct slow *s)
{
	struct ibuf_mbuf *ms[10];

	/* Nobody grows here: all that max leaves can be had. */
	if (take_all(s->p, ms, 10) != 10 - 3 || ibuf_pool_alloc(s->p) != NULL)
		return 1;
	ibuf_mbuf_free_bulk(ms, 10 - 3);
	return ibuf_pool_destroy(s->p) == 3 ? 0 : 2;
}

TEST(while_a_provider_gives_memory_nobody_else_waits)
{
	struct ibuf_mbuf *ms[4];
	pthread_t grower, user;
	struct slow s;
	pid_t child;
	int status;

	slow_open(&s, 10, 4, 0);
	assert_int_equal(take_all(s.p, ms, 4), 4);
	s.clone = ibuf_mbuf_clone(ms[3]);
	s.spare = ms[3];
	s.hold = true;
	threads_start(&grower, 1, take_one_more, &s, 0);
	while (sem_wait(&s.inside) != 0)
		;
	threads_start(&user, 1, use_it, &s, 0);
	threads_join(&user, 1); /* or it would never come back */
	assert_int_equal(ibuf_pool_allocated(s.p), 3);
	child = fork();
	if (child == 0) {
		alarm(10);
		_exit(use_it_in_a_child(&s));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	sem_post(&s.go_on);
	threads_join(&grower, 1);
	ibuf_mbuf_free_bulk(ms, 3);
	slow_close(&s);
}

TEST(while_a_provider_takes_memory_back_nobody_else_waits)
{
	struct ibuf_mbuf *ms[6];
	pthread_t trimmer, user;
	struct slow s;

	slow_open(&s, 10, 4, 0);
	assert_int_equal(take_all(s.p, ms, 6), 6);
	ibuf_mbuf_free_bulk(ms, 4); /* one piece of two */
	s.clone = ibuf_mbuf_clone(ms[4]);
	s.spare = ms[4];
	s.hold_unmap = true;
	threads_start(&trimmer, 1, trim_it, &s, 0);
	while (sem_wait(&s.inside) != 0)
		;
	threads_start(&user, 1, use_it, &s, 0);
	threads_join(&user, 1);
	assert_int_equal(ibuf_pool_allocated(s.p), 1);
	sem_post(&s.go_on);
	threads_join(&trimmer, 1);
	ibuf_mbuf_free(ms[5]);
	slow_close(&s);
}

/* ---- several that grow at once ------------------------------------------------ */

/*
 * One thread is about to get all that max leaves.  Another one that needs
 * some does not fail for that: it waits, and is served, or grows instead.
 */
static void
grow_at_max(bool refuse, unsigned flags, void *(*body)(void *arg))
{
	pthread_t threads[2];
	struct slow s;

	slow_open(&s, 10, 0, flags);
	s.hold = true;
	s.refuse = refuse;
	threads_start(&threads[0], 1, take_one_more, &s, 0);
	while (sem_wait(&s.inside) != 0)
		;
	threads_start(&threads[1], 1, body, &s, 0);
	/* It can do nothing but wait: no more can be mapped. */
	for (int i = 0; i < 20; i++) {
		sleep_ms(1);
		assert_int_equal(stats_of(s.p).capacity, 0);
	}
	sem_post(&s.go_on);
	threads_join(threads, 2);
	/* Where it was refused the first tries with fewer. */
	assert_in_range(stats_of(s.p).capacity, 1, 10);
	slow_close(&s);
}

static void *
wait_for_one_more(void *arg)
{
	const struct timespec long_enough = {60, 0};
	struct slow *s = arg;
	struct ibuf_mbuf *m = ibuf_pool_alloc_wait(s->p, &long_enough);

	if (m == NULL)
		atomic_fetch_add(&s->wrong, 1);
	ibuf_mbuf_free(m);
	return NULL;
}

static void *
take_some_more(void *arg)
{
	struct slow *s = arg;
	struct ibuf_mbuf *ms[10];
	size_t n = ibuf_pool_alloc_upto(s->p, ms, 10);

	if (n == 0)
		atomic_fetch_add(&s->wrong, 1);
	ibuf_mbuf_free_bulk(ms, n);
	return NULL;
}

static void *
take_five_more(void *arg)
{
	struct slow *s = arg;
	struct ibuf_mbuf *ms[5];

	if (ibuf_pool_alloc_bulk(s->p, ms, 5) != 0)
		atomic_fetch_add(&s->wrong, 1);
	else
		ibuf_mbuf_free_bulk(ms, 5);
	return NULL;
}

static void *
reserve_five(void *arg)
{
	struct slow *s = arg;

	if (ibuf_pool_reserve(s->p, 5) != 0)
		atomic_fetch_add(&s->wrong, 1);
	return NULL;
}

TEST(who_finds_that_others_are_getting_all_that_max_leaves_waits_for_them)
{
	for (int refuse = 0; refuse < 2; refuse++) {
		grow_at_max(refuse, 0, take_one_more);
		grow_at_max(refuse, 0, take_some_more);
		grow_at_max(refuse, 0, take_five_more);
		grow_at_max(refuse, 0, reserve_five);
		grow_at_max(refuse, IBUF_POOL_F_WAIT, take_one_more);
		grow_at_max(refuse, IBUF_POOL_F_WAIT, wait_for_one_more);
	}
}

TEST(where_max_leaves_room_one_thread_s_growth_does_not_stop_another)
{
	pthread_t threads[2];
	struct slow s;

	slow_open(&s, 0, 0, 0);
	s.hold = true;
	threads_start(&threads[0], 1, take_one_more, &s, 0);
	while (sem_wait(&s.inside) != 0)
		;
	threads_start(&threads[1], 1, take_one_more, &s, 0);
	threads_join(&threads[1], 1);
	assert_true(stats_of(s.p).capacity != 0);
	sem_post(&s.go_on);
	threads_join(&threads[0], 1);
	assert_int_equal(stats_of(s.p).grows, 2);
	slow_close(&s);
}

/* A slab that is being given back counts until it is gone. */
TEST(a_pool_never_has_more_than_max_mapped)
{
	pthread_t threads[2];
	struct slow s;

	slow_open(&s, 10, 10, 0);
	s.hold_unmap = true;
	threads_start(&threads[0], 1, trim_it, &s, 0);
	while (sem_wait(&s.inside) != 0)
		;
	threads_start(&threads[1], 1, take_one_more, &s, 0);
	for (int i = 0; i < 20; i++) {
		sleep_ms(1);
		assert_int_equal(stats_of(s.p).mapped_bytes, 0);
	}
	sem_post(&s.go_on);
	threads_join(threads, 2);
	slow_close(&s);
}

/* ---- cancelled ------------------------------------------------------------------ */

static void *
take_and_be_cancelled(void *arg)
{
	take_one_more(arg);
	pthread_testcancel();
	return arg;
}

TEST(a_thread_that_is_cancelled_while_it_waits_or_grows_leaves_the_pool_whole)
{
	pthread_t threads[2];
	void *result;
	struct slow s;

	slow_open(&s, 10, 0, 0);
	s.hold = true;
	threads_start(&threads[0], 1, take_and_be_cancelled, &s, 0);
	while (sem_wait(&s.inside) != 0)
		;
	threads_start(&threads[1], 1, take_and_be_cancelled, &s, 0);
	sleep_ms(5);
	assert_int_equal(pthread_cancel(threads[0]), 0);
	assert_int_equal(pthread_cancel(threads[1]), 0);
	sem_post(&s.go_on);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, PTHREAD_CANCELED);
	}
	assert_int_equal(stats_of(s.p).allocs, 2);
	slow_close(&s);
}
