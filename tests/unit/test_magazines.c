/*
 * test_magazines.c - objects move between threads and the pool by magazines:
 * few at first, without the lock later, in as many magazines as they need.
 */
#include "threads.h"

static atomic_size_t locked; /* how often a lock was taken */

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int
__wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	atomic_fetch_add(&locked, 1);
	return __real_pthread_mutex_lock(mutex);
}

/* ---- few at first --------------------------------------------------- */

TEST(what_a_thread_keeps_back_grows_with_its_use)
{
	struct ibuf_mbuf *ms[200];
	struct ibuf_pool *p;

	if (!caches_work())
		skip();
	p = pool_of(0, 124);
	for (size_t n = 1; n <= 200; n++) {
		ms[n - 1] = ibuf_pool_alloc(p);
		/* At most as many again, and never more than a magazine. */
		assert_in_range(stats_of(p).cached, 0, n <= 62 ? n : 62);
		assert_in_range(stats_of(p).peak, n, 2 * n);
	}
	ibuf_mbuf_free_bulk(ms, 200);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

static void *
use_once_and_stay(void *arg)
{
	struct gate *gates = ((void **)arg)[1];
	struct ibuf_pool *p = ((void **)arg)[0];
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	ibuf_mbuf_free(ibuf_mbuf_clone(m));
	ibuf_mbuf_free(m);
	gate_wait(&gates[0]);
	gate_wait(&gates[1]);
	return NULL;
}

TEST(a_thread_that_takes_one_costs_little_more_than_one)
{
	enum { THREADS = 16 };
	struct gate gates[2] = {GATE_INIT(THREADS + 1), GATE_INIT(THREADS + 1)};
	struct ibuf_pool *p = pool_of(0, 124);
	void *args[] = {p, gates};
	pthread_t threads[THREADS];
	size_t bytes = fault_live_blocks();

	threads_start(threads, THREADS, use_once_and_stay, args, 0);
	gate_wait(&gates[0]);
	assert_in_range(stats_of(p).peak, 1, 2 * THREADS);
	/* Two magazines for mbufs and two for headers; the slabs. */
	assert_in_range(fault_live_blocks() - bytes, 0, 4 * THREADS + 8);
	gate_wait(&gates[1]);
	threads_join(threads, THREADS);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- without the lock later ------------------------------------------ */

TEST(bursts_come_to_go_out_and_back_without_the_lock)
{
	enum { N = 6200 };
	static struct ibuf_mbuf *ms[N], *clones[N];
	size_t blocks = 0;
	struct ibuf_pool *p;

	if (!caches_work())
		skip();
	p = pool_of(0, 124);
	for (int round = 0; round < 6; round++) {
		size_t before = locked;

		assert_int_equal(take_all(p, ms, N), N);
		for (size_t i = 0; i < N; i++)
			clones[i] = ibuf_mbuf_clone(ms[i]);
		for (size_t i = 0; i < N; i++)
			ibuf_mbuf_free(clones[i]);
		for (size_t i = 0; i < N; i++)
			ibuf_mbuf_free(ms[i]);
		if (round == 3)
			blocks = fault_live_blocks();
		if (round >= 3)
			assert_in_range(locked - before, 0, 20);
	}
	/* There are magazines for all objects, and no more and more. */
	assert_int_equal(fault_live_blocks(), blocks);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(however_often_objects_pass_the_stock_magazines_stay_few)
{
	enum { N = 620, ROUNDS = 1000 };
	struct ibuf_mbuf *ms[N];
	struct ibuf_pool *p = pool_of(N, 124);
	size_t blocks = fault_live_blocks();

	for (int round = 0; round < ROUNDS; round++) {
		assert_int_equal(take_all(p, ms, N), N);
		ibuf_mbuf_free_bulk(ms, N);
		ibuf_pool_flush(p);
	}
	assert_in_range(fault_live_blocks() - blocks, 0, N / 62 + 10);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- threads that only give ------------------------------------------- */

struct work {
	struct ibuf_mbuf **ms;
	size_t n, locked;
};

static void *
only_free(void *arg)
{
	struct work *w = arg;

	for (size_t i = 0; i < w->n; i++)
		ibuf_mbuf_free(w->ms[i]);
	w->locked = locked;
	return NULL;
}

TEST(a_thread_that_frees_much_comes_to_do_it_without_the_lock)
{
	enum { N = 6200 };
	static struct ibuf_mbuf *ms[N];
	struct work w = {ms, N, 0};
	struct ibuf_pool *p;
	size_t before;

	if (!caches_work())
		skip();
	p = pool_of(0, 124);
	for (int round = 0; round < 5; round++) {
		assert_int_equal(take_all(p, ms, N), N);
		before = locked;
		threads_run(1, only_free, &w, 0);
		if (round == 4)
			assert_in_range(w.locked - before, 0, 64 + 20);
	}
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
