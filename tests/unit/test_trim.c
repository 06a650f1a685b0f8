/*
 * test_trim.c - a pool gives memory back: which, in what steps, and without
 * needing any.
 */
#include "threads.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- what is given back ------------------------------------------------ */

TEST(trim_gives_everything_back_when_everything_is_free)
{
	struct counting c = {0};
	struct ibuf_provider provider = counting_provider(&c);
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_mbuf *ms[100], *clone;

	o.provider = &provider;
	o.initial = 10;

	struct ibuf_pool *p = pool_with(&o);

	for (int round = 0; round < 3; round++) {
		assert_int_equal(ibuf_pool_alloc_bulk(p, ms, 100), 0);
		clone = ibuf_mbuf_clone(ms[3]);
		assert_non_null(clone);
		ibuf_mbuf_free(clone);
		ibuf_mbuf_free_bulk(ms, 100);
		size_t bytes = c.bytes;

		assert_int_equal(stats_of(p).mapped_bytes, bytes);
		assert_int_equal(ibuf_pool_trim(p), bytes);
		assert_int_equal(c.bytes, 0);
		assert_int_equal(stats_of(p).mapped_bytes, 0);
		assert_int_equal(stats_of(p).capacity, 0);
		assert_books(p, 0);
		assert_int_equal(ibuf_pool_trim(p), 0);
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(trim_keeps_a_piece_in_which_anything_is_in_use)
{
	struct counting c = {0};
	struct ibuf_provider provider = counting_provider(&c);
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_mbuf *ms[400], *kept;
	size_t before, trimmed, available;

	o.provider = &provider;
	o.initial = 20;
	o.capacity = 64;

	struct ibuf_pool *p = pool_with(&o);

	assert_int_equal(take_all(p, ms, 400), 400);
	assert_true(c.maps >= 2);
	kept = ms[250];
	ms[250] = NULL;
	assert_int_equal(ibuf_mbuf_append(kept, "kept", 4), 0);
	ibuf_mbuf_free_bulk(ms, 400);
	before = c.bytes;
	trimmed = ibuf_pool_trim(p);
	assert_true(trimmed > 0);
	assert_int_equal(c.bytes, before - trimmed);
	assert_int_equal(c.maps - c.unmaps, 1);
	assert_true(piece_of(&c, kept) < PIECES);
	assert_message(kept, "kept", 4);
	assert_books(p, 1);
	available = ibuf_pool_available(p);
	assert_true(available < 400);
	assert_int_equal(take_all(p, ms, available), available);
	assert_int_equal(c.maps - c.unmaps, 1);
	for (size_t i = 0; i < available; i++)
		assert_int_equal(piece_of(&c, ms[i]), piece_of(&c, kept));
	ibuf_mbuf_free_bulk(ms, available);
	ibuf_mbuf_free(kept);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(c.bytes, 0);
}

TEST(trim_keeps_what_only_a_clone_looks_at)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *clone;

	assert_int_equal(ibuf_mbuf_append(m, "bytes", 5), 0);
	clone = ibuf_mbuf_clone(m);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_trim(p), 0);
	assert_message(clone, "bytes", 5);
	ibuf_mbuf_free(clone);
	assert_true(ibuf_pool_trim(p) > 0);
	assert_int_equal(stats_of(p).mapped_bytes, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(max_holds_over_trims)
{
	struct ibuf_pool *p = pool_of(50, 8);
	struct ibuf_mbuf *ms[51];

	for (int round = 0; round < 5; round++) {
		assert_int_equal(take_all(p, ms, 51), 50);
		ibuf_mbuf_free_bulk(ms, 50);
		assert_true(ibuf_pool_trim(p) > 0);
		assert_int_equal(stats_of(p).capacity, 0);
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

static void
shuffle(struct ibuf_mbuf **ms, size_t n)
{
	uint32_t random = 2463534242u;

	for (size_t i = n; i > 1; i--) {
		size_t j = next_random(&random) % i;
		struct ibuf_mbuf *other = ms[j];

		ms[j] = ms[i - 1];
		ms[i - 1] = other;
	}
}

TEST(trim_gives_back_whatever_the_order_of_the_frees_and_the_cache)
{
	enum { N = 5000 };
	static const size_t caches[] = {0, 1, 2, 17, 124, 5000};
	static struct ibuf_mbuf *ms[N], *clones[N];

	for (size_t c = 0; c < 6; c++) {
		struct ibuf_pool *p = pool_of(0, caches[c]);

		for (int round = 0; round < 3; round++) {
			assert_int_equal(take_all(p, ms, N), N);
			for (size_t i = 0; i < N; i++)
				clones[i] = ibuf_mbuf_clone(ms[i]);
			shuffle(ms, N);
			shuffle(clones, N);
			ibuf_mbuf_free_bulk(ms, N);
			ibuf_mbuf_free_bulk(clones, N);
			size_t mapped = (size_t)stats_of(p).mapped_bytes;

			assert_int_equal(ibuf_pool_trim(p), mapped);
			assert_int_equal(stats_of(p).mapped_bytes, 0);
			assert_int_equal(stats_of(p).cached, 0);
			assert_int_equal(stats_of(p).capacity, 0);
			assert_books(p, 0);
			assert_int_equal(ibuf_pool_reserve(p, 100), 0);
		}
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

TEST(after_a_trim_what_is_left_goes_out_again_each_once)
{
	enum { N = 1000 };
	struct ibuf_pool *p = pool_of(N, 0);
	static struct ibuf_mbuf *ms[N + 1];

	for (int round = 0; round < 3; round++) {
		struct ibuf_mbuf *kept[3];
		size_t left;

		assert_int_equal(take_all(p, ms, N + 1), N);
		shuffle(ms, N);
		memcpy(kept, ms, sizeof(kept));
		ibuf_mbuf_free_bulk(ms + 3, N - 3);
		ibuf_pool_trim(p);
		left = ibuf_pool_available(p);
		assert_true(left < N - 3);
		assert_int_equal(take_all(p, ms, left), left);
		for (size_t i = 0; i < left; i++) {
			assert_fresh(p, ms[i], 16, 64);
			assert_int_equal(ibuf_mbuf_append(ms[i], &i, sizeof(i)),
					 0);
		}
		for (size_t i = 0; i < left; i++)
			assert_message(ms[i], &i, sizeof(i));
		assert_books(p, left + 3);
		ibuf_mbuf_free_bulk(ms, left);
		ibuf_mbuf_free_bulk(kept, 3);
	}
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

struct trimmed {
	struct ibuf_pool *p;
	struct gate filled, done;
};

static void *
keep_some_back(void *arg)
{
	struct trimmed *w = arg;

	ibuf_mbuf_free(ibuf_pool_alloc(w->p));
	gate_wait(&w->filled);
	gate_wait(&w->done);
	return NULL;
}

TEST(trim_leaves_what_other_threads_keep_back_until_they_exit)
{
	struct trimmed w = {.p = pool_of(0, 8),
			    .filled = GATE_INIT(2),
			    .done = GATE_INIT(2)};
	pthread_t thread;

	if (!caches_work())
		skip();
	threads_start(&thread, 1, keep_some_back, &w, 0);
	gate_wait(&w.filled);
	assert_int_equal(ibuf_pool_reserve(w.p, 3000), 0);
	assert_true(ibuf_pool_trim(w.p) > 0);
	assert_in_range(stats_of(w.p).mapped_bytes, 1, 128 << 10);
	assert_in_range(stats_of(w.p).cached, 1, 8);
	gate_wait(&w.done);
	threads_join(&thread, 1);
	assert_true(ibuf_pool_trim(w.p) > 0);
	assert_int_equal(stats_of(w.p).mapped_bytes, 0);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}

/* ---- in steps ------------------------------------------------------------ */

/*
 * Direct headers as the test's own provider holds them, looked at under the
 * lock.  Other tests take locks in several threads: while looks is not set, it
 * is all that is read.
 */
static struct {
	bool looks;
	uint8_t *base;
	size_t size;
	uint8_t *before; /* their headers when the lock was taken */
	size_t stride;
	size_t most;  /* mbufs changed while it was held once */
	size_t holds; /* how often it was held */
} held;

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int
__wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	int error = __real_pthread_mutex_lock(mutex);

	for (size_t at = 0; held.looks && at + 64 <= held.size;
	     at += held.stride)
		memcpy(held.before + at, held.base + at, 64);
	return error;
}

int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int
__wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	size_t changed = 0;

	if (!held.looks)
		return __real_pthread_mutex_unlock(mutex);
	for (size_t at = 0; at + 64 <= held.size; at += held.stride)
		changed += memcmp(held.base + at, held.before + at, 64) != 0;
	if (changed > held.most)
		held.most = changed;
	held.holds++;
	return __real_pthread_mutex_unlock(mutex);
}

static void *
map_held(size_t size, size_t alignment, void *context)
{
	(void)context;
	if (held.base != NULL ||
	    posix_memalign((void **)&held.base, alignment, size) != 0)
		return NULL;
	held.size = size;
	memset(held.base, 0, size);
	return held.base;
}

static void
unmap_held(void *base, size_t size, void *context)
{
	(void)size;
	(void)context;
	held.looks = false;
	free(base);
	held.base = NULL;
}

/* Whatever the pool keeps them in, list or magazines of any size. */
TEST(trim_and_flush_hold_the_lock_for_few_objects_at_a_time)
{
	enum { N = 2000, FEW = 64 };
	static const size_t caches[] = {0, 124, 2 * N};
	static struct ibuf_mbuf *ms[N];

	for (size_t c = 0; c < 3 * 2; c++) {
		const struct ibuf_provider provider = {map_held, unmap_held,
						       NULL};
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct ibuf_pool *p;

		o.capacity = 64;
		o.headroom = 0;
		o.cache = caches[c / 2];
		o.initial = N;
		o.provider = &provider;
		p = pool_with(&o);
		assert_int_equal(take_all(p, ms, N), N);
		held.stride = held.size / N;
		held.before = malloc(held.size);
		shuffle(ms, N);
		/* One stays, or all of it is gone at once. */
		ibuf_mbuf_free_bulk(ms + 1, N - 1);
		held.most = 0;
		held.holds = 0;
		held.looks = true;
		if (c % 2 == 0)
			ibuf_pool_trim(p);
		else
			ibuf_pool_flush(p);
		held.looks = false;
		assert_in_range(held.most, 0, FEW);
		if (c % 2 == 0)
			assert_in_range(held.holds, N / FEW, N);
		free(held.before);
		ibuf_mbuf_free(ms[0]);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

/* ---- without memory ------------------------------------------------------- */

/* What the main thread has taken, somebody else frees. */
struct burden {
	struct ibuf_pool *p;
	struct ibuf_mbuf **ms;
	size_t n;
};

static void *
free_a_few(void *arg)
{
	struct burden *b = arg;

	ibuf_mbuf_free_bulk(b->ms, b->n);
	ibuf_pool_flush(b->p);
	ibuf_pool_trim(b->p);
	return NULL;
}

/*
 * Not one allocation, or growth, is even tried: not by free, flush, trim and
 * destroy, here or in a thread that is new to the pool, nor by its exit.
 */
TEST(on_the_way_down_nothing_is_allocated)
{
	enum { N = 3000, FEW = 30 };
	static const size_t caches[] = {0, 1, 2, 17, 124};
	static struct ibuf_mbuf *ms[N], *clones[N];

	for (size_t c = 0; c < 5; c++) {
		struct counting counting = {0};
		struct ibuf_provider provider = counting_provider(&counting);
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct burden b = {.n = FEW};
		size_t calls, maps;
		pthread_t thread;

		o.capacity = 64;
		o.cache = caches[c];
		o.provider = &provider;
		b.p = pool_with(&o);
		b.ms = ms + N - FEW;
		assert_int_equal(take_all(b.p, ms, N), N);
		for (size_t i = 0; i < N; i++)
			assert_non_null(clones[i] = ibuf_mbuf_clone(ms[i]));
		shuffle(ms, N);
		maps = counting.maps;
		calls = fault_calls();
		fault_from(1);
		ibuf_mbuf_free_bulk(clones, N);
		ibuf_mbuf_free_bulk(ms, N - FEW);
		assert_int_equal(fault_calls(), calls);
		/* pthread_create() itself may allocate, not by our hand. */
		assert_int_equal(pthread_create(&thread, NULL, free_a_few, &b),
				 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		ibuf_pool_flush(b.p);
		ibuf_pool_trim(b.p);
		assert_int_equal(counting.bytes, 0);
		assert_books(b.p, 0);
		assert_int_equal(ibuf_pool_destroy(b.p), 0);
		assert_int_equal(fault_calls(), calls);
		assert_false(fault_off());
		assert_int_equal(counting.maps, maps);
		assert_int_equal(counting.unmaps, maps);
	}
}

TEST(orphans_need_no_memory_to_go)
{
	enum { N = 500 };
	struct ibuf_pool *p = pool_of(0, 17);
	struct ibuf_mbuf *ms[N];
	size_t calls;

	assert_int_equal(take_all(p, ms, N), N);
	calls = fault_calls();
	fault_from(1);
	assert_int_equal(ibuf_pool_destroy(p), N);
	ibuf_mbuf_free_bulk(ms, N);
	assert_false(fault_off());
	assert_int_equal(fault_calls(), calls);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHADOWED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SHADOWED
#endif
#endif

#ifndef SHADOWED
/* Bytes of address space that this process has. */
static size_t
address_space(void)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (statm == NULL || fscanf(statm, "%lu", &pages) != 1)
		pages = 0;
	if (statm != NULL)
		fclose(statm);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* An emulator may take the limit and not keep it. */
static bool
is_limited(void)
{
	void *map = mmap(NULL, 64 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	if (map == MAP_FAILED)
		return true;
	munmap(map, 64 << 20);
	return false;
}

/* Fill the address space, free all of it, trim; 0: it came back. */
static int
fill_and_trim(void)
{
	enum { N = 200000 };
	static struct ibuf_mbuf *ms[N];
	struct ibuf_pool *p = ibuf_pool_new(0, 2048);
	rlim_t most = address_space() + (32 << 20);
	struct rlimit limit = {most, most};
	size_t n, back;
	uint64_t mapped;

	if (setrlimit(RLIMIT_AS, &limit) != 0)
		return 1;
	if (!is_limited())
		return 77;
	n = take_all(p, ms, N);
	for (size_t size = 1 << 20; size >= 16; size /= 2)
		while (malloc(size) != NULL)
			;
	mapped = stats_of(p).mapped_bytes;
	ibuf_mbuf_free_bulk(ms, n);
	back = ibuf_pool_trim(p);
	if (n == 0 || n == N)
		return 2;
	return back == mapped && ibuf_pool_destroy(p) == 0 ? 0 : 3;
}

TEST(a_pool_that_fills_the_address_space_gives_it_back)
{
	pid_t child;
	int status;

	if (getenv("LD_PRELOAD") != NULL)
		skip(); /* valgrind lives in this address space too */
	child = fork();
	if (child == 0)
		_exit(fill_and_trim());
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}
#endif
