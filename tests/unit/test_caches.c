/*
 * test_caches.c - what threads keep back, for caches of every small size: as
 * much as they may and no more, and nothing is out of reach for the others.
 */
#include "threads.h"

enum { THREADS = 3, MAX = 64 };

static const size_t caches[] = {0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 20, 64, 1000};

#define FOR_EACH_CACHE(i)                                                      \
	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++)

struct caches {
	struct ibuf_pool *p;
	size_t n; /* how many to take and give back */
	struct gate filled;
	struct gate done;
};

static void *
fill_and_stay(void *arg)
{
	struct caches *w = arg;
	struct ibuf_mbuf *ms[MAX];
	size_t n = ibuf_pool_alloc_upto(w->p, ms, w->n);

	ibuf_mbuf_free_bulk(ms, n);
	gate_wait(&w->filled);
	gate_wait(&w->done);
	return NULL;
}

TEST(whatever_the_cache_a_thread_gets_all_but_what_the_others_may_keep)
{
	FOR_EACH_CACHE(i)
	{
		size_t cache = caches[i] < MAX ? caches[i] : MAX;
		size_t kept = (THREADS - 1) * cache;
		struct caches w = {.p = pool_of(MAX, caches[i]),
				   .n = MAX / THREADS,
				   .filled = GATE_INIT(THREADS),
				   .done = GATE_INIT(THREADS)};
		struct ibuf_mbuf *ms[MAX + 1];
		pthread_t threads[THREADS - 1];
		size_t n;

		threads_start(threads, THREADS - 1, fill_and_stay, &w, 0);
		gate_wait(&w.filled);
		assert_true(stats_of(w.p).cached <= kept);
		n = take_all(w.p, ms, MAX + 1);
		assert_true(n + kept >= MAX);
		assert_books(w.p, n);
		ibuf_mbuf_free_bulk(ms, n);
		/* The same in one call. */
		assert_int_equal(ibuf_pool_alloc_upto(w.p, ms, MAX + 1), n);
		ibuf_mbuf_free_bulk(ms, n);
		assert_int_equal(ibuf_pool_alloc_bulk(w.p, ms, n), 0);
		ibuf_mbuf_free_bulk(ms, n);
		gate_wait(&w.done);
		threads_join(threads, THREADS - 1);
		assert_int_equal(take_all(w.p, ms, MAX + 1), MAX);
		ibuf_mbuf_free_bulk(ms, MAX);
		assert_books(w.p, 0);
		assert_int_equal(ibuf_pool_destroy(w.p), 0);
	}
}

TEST(whatever_the_cache_the_books_are_right_at_every_step)
{
	FOR_EACH_CACHE(i)
	{
		struct ibuf_pool *p = pool_of(MAX, caches[i]);
		struct ibuf_mbuf *ms[MAX];
		uint32_t random = 2463534242u;
		size_t n = 0;

		for (size_t step = 0; step < 2000; step++) {
			uint32_t what = next_random(&random);
			size_t some = 1 + what / 16 % 24;

			if (what % 4 == 0 && n + some <= MAX) {
				assert_int_equal(
					ibuf_pool_alloc_bulk(p, ms + n, some),
					0);
				n += some;
			} else if (what % 4 == 1 && n < MAX) {
				ms[n] = ibuf_pool_alloc(p);
				assert_non_null(ms[n++]);
			} else if (n >= some) {
				ibuf_mbuf_free_bulk(ms + n - some, some);
				n -= some;
			}
			if (what % 64 == 5)
				ibuf_pool_flush(p);
			if (what % 64 == 6)
				ibuf_pool_trim(p);
			assert_int_equal(ibuf_pool_alloc_bulk(p, NULL, 0), 0);
			assert_int_equal(ibuf_pool_alloc_upto(p, NULL, 0), 0);
			assert_books(p, n);
			assert_true(stats_of(p).cached <= caches[i]);
		}
		ibuf_mbuf_free_bulk(ms, n);
		assert_books(p, 0);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

/* ---- without memory ------------------------------------------------- */

TEST(frees_need_no_memory)
{
	FOR_EACH_CACHE(i)
	{
		struct ibuf_pool *p = pool_of(MAX, caches[i]);
		struct ibuf_mbuf *ms[MAX], *clones[MAX];

		assert_int_equal(take_all(p, ms, MAX), MAX);
		for (size_t j = 0; j < MAX; j++) {
			clones[j] = ibuf_mbuf_clone(ms[j]);
			assert_non_null(clones[j]);
		}
		fault_from(1);
		ibuf_mbuf_free_bulk(ms, MAX);
		ibuf_mbuf_free_bulk(clones, MAX);
		(void)fault_off();
		assert_books(p, 0);
		assert_true(stats_of(p).cached <= caches[i]);
		assert_int_equal(stats_of(p).handles, 0);
		assert_int_equal(take_all(p, ms, MAX), MAX);
		ibuf_mbuf_free_bulk(ms, MAX);
		assert_books(p, 0);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

/* A thread that has used no pool yet, and for which there is no memory. */
static void *
take_and_give(void *arg)
{
	struct caches *w = arg;
	struct ibuf_mbuf *ms[MAX], *clone;

	w->n = take_all(w->p, ms, MAX);
	clone = ibuf_mbuf_clone(ms[0]);
	if (clone == NULL)
		w->n = 0;
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free_bulk(ms, w->n);
	return NULL;
}

TEST(a_thread_for_which_there_is_no_memory_uses_the_pool_all_the_same)
{
	struct caches w = {.p = NULL};
	struct ibuf_mbuf *ms[MAX], *clone;
	pthread_t thread;

	if (!caches_work())
		skip();
	w.p = pool_of(MAX, 8);
	/* All is made already, but none is kept back. */
	assert_int_equal(take_all(w.p, ms, MAX), MAX);
	clone = ibuf_mbuf_clone(ms[0]);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free_bulk(ms, MAX);
	ibuf_pool_flush(w.p);
	fault_from(1);
	assert_int_equal(pthread_create(&thread, NULL, take_and_give, &w), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(fault_off());
	assert_int_equal(w.n, MAX);
	assert_books(w.p, 0);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}
