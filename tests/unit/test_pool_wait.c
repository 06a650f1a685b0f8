/*
 * test_pool_wait.c - waiting for an mbuf to come back: for ever, for a
 * while, and by several threads at once.
 */
#include "threads.h"

static struct ibuf_pool *
pool_to_wait_for(size_t max)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = 64;
	o.headroom = 16;
	o.max = max;
	o.flags = IBUF_POOL_F_WAIT;
	return pool_with(&o);
}

static const struct timespec no_time = {0, 0};
static const struct timespec a_while = {0, 30 * 1000000};
static const struct timespec for_hours = {7200, 0};

/* Until so many threads sleep in alloc_wait: waits counts them. */
static void
await_waits(struct ibuf_pool *p, uint64_t waits)
{
	while (stats_of(p).waits < waits)
		sleep_ms(1);
}

/* ---- alone --------------------------------------------------------- */

TEST(a_pool_that_is_not_made_for_it_does_not_wait)
{
	struct ibuf_pool *p = pool_of(1, 0);
	int64_t start = now_ms();

	assert_null(ibuf_pool_alloc_wait(p, NULL));
	assert_null(ibuf_pool_alloc_wait(p, &for_hours));
	assert_true(now_ms() - start < 5000);
	assert_books(p, 0);
	assert_int_equal(stats_of(p).waits, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(what_is_there_is_had_without_waiting)
{
	struct ibuf_pool *p = pool_to_wait_for(3);
	struct ibuf_mbuf *ms[3];

	ms[0] = ibuf_pool_alloc_wait(p, NULL);
	ms[1] = ibuf_pool_alloc_wait(p, &no_time);
	ms[2] = ibuf_pool_alloc_wait(p, &for_hours);
	for (int i = 0; i < 3; i++)
		assert_fresh(p, ms[i], 16, 64);
	assert_books(p, 3);
	assert_int_equal(stats_of(p).waits, 0);
	assert_int_equal(stats_of(p).failures, 0);
	assert_int_equal(stats_of(p).cached, 0);
	ibuf_mbuf_free_bulk(ms, 3);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_pool_without_a_max_grows_instead_of_waiting)
{
	struct ibuf_pool *p = pool_to_wait_for(0);
	static struct ibuf_mbuf *ms[500];

	for (int i = 0; i < 500; i++) {
		ms[i] = ibuf_pool_alloc_wait(p, NULL);
		assert_non_null(ms[i]);
	}
	assert_int_equal(stats_of(p).waits, 0);
	ibuf_mbuf_free_bulk(ms, 500);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(without_memory_there_is_nothing_to_wait_for)
{
	struct ibuf_pool *p = pool_to_wait_for(3);
	struct ibuf_mbuf *m;

	fault_from(1);
	m = ibuf_pool_alloc_wait(p, &for_hours);
	fault_off();
	assert_null(m);
	assert_int_equal(stats_of(p).failures, 1);
	assert_books(p, 0);
	m = ibuf_pool_alloc_wait(p, &for_hours);
	assert_fresh(p, m, 16, 64);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(when_the_time_is_over_there_is_none)
{
	struct ibuf_pool *p = pool_to_wait_for(1);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	int64_t start = now_ms();

	assert_null(ibuf_pool_alloc_wait(p, &no_time));
	assert_null(ibuf_pool_alloc_wait(p, &(struct timespec){-1, 0}));
	assert_true(now_ms() - start < 5000);
	start = now_ms();
	assert_null(ibuf_pool_alloc_wait(p, &a_while));
	assert_true(now_ms() - start >= 29);
	assert_true(now_ms() - start < 5000);
	assert_int_equal(stats_of(p).failures, 3);
	assert_books(p, 1);
	ibuf_mbuf_free(m);
	m = ibuf_pool_alloc_wait(p, &no_time);
	assert_fresh(p, m, 16, 64);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- woken --------------------------------------------------------- */

/* A thread that waits, and what it got. */
struct waiter {
	struct ibuf_pool *p;
	const struct timespec *timeout;
	struct ibuf_mbuf *got;
};

static void *
wait_for_it(void *arg)
{
	struct waiter *w = arg;

	w->got = ibuf_pool_alloc_wait(w->p, w->timeout);
	return NULL;
}

TEST(a_free_wakes_who_waits_for_ever_and_who_waits_for_long)
{
	static const struct timespec longest = {
		sizeof(time_t) == 8 ? INT64_MAX : INT32_MAX, 999999999};
	static const struct timespec *const timeouts[] = {NULL, &for_hours,
							  &longest};

	for (int i = 0; i < 3; i++) {
		struct ibuf_pool *p = pool_to_wait_for(1);
		struct ibuf_mbuf *m = ibuf_pool_alloc(p);
		struct waiter w = {p, timeouts[i], NULL};
		pthread_t thread;

		threads_start(&thread, 1, wait_for_it, &w, sizeof(w));
		await_waits(p, 1);
		assert_int_equal(ibuf_mbuf_append(m, "dirty", 5), 0);
		ibuf_mbuf_free(m);
		threads_join(&thread, 1);
		assert_fresh(p, w.got, 16, 64);
		assert_int_equal(stats_of(p).waits, 1);
		assert_int_equal(stats_of(p).failures, 0);
		ibuf_mbuf_free(w.got);
		assert_books(p, 0);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

TEST(only_the_last_segment_on_an_mbuf_wakes)
{
	struct ibuf_pool *p = pool_to_wait_for(1);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct waiter w = {p, NULL, NULL};
	pthread_t thread;

	threads_start(&thread, 1, wait_for_it, &w, sizeof(w));
	await_waits(p, 1);
	ibuf_mbuf_free(m);
	sleep_ms(20);
	assert_books(p, 1);
	ibuf_pool_free(p, clone);
	threads_join(&thread, 1);
	assert_fresh(p, w.got, 16, 64);
	ibuf_mbuf_free(w.got);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(each_of_many_frees_wakes_one_of_many_waiters)
{
	struct ibuf_pool *p = pool_to_wait_for(6);
	struct waiter ws[6] = {{NULL, NULL, NULL}};
	struct ibuf_mbuf *ms[6];
	pthread_t threads[6];

	for (int i = 0; i < 6; i++)
		ws[i] = (struct waiter){p, i % 2 == 0 ? NULL : &for_hours,
					NULL};
	assert_int_equal(ibuf_pool_alloc_bulk(p, ms, 6), 0);
	threads_start(threads, 6, wait_for_it, ws, sizeof(ws[0]));
	await_waits(p, 6);
	ibuf_mbuf_free_bulk(ms, 6);
	threads_join(threads, 6);
	for (int i = 0; i < 6; i++) {
		assert_non_null(ws[i].got);
		for (int k = 0; k < i; k++)
			assert_ptr_not_equal(ws[i].got, ws[k].got);
	}
	assert_books(p, 6);
	for (int i = 0; i < 6; i++)
		ibuf_mbuf_free(ws[i].got);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(one_that_gives_up_takes_nobody_s_wake)
{
	struct ibuf_pool *p = pool_to_wait_for(1);

	for (int i = 0; i < 20; i++) {
		struct ibuf_mbuf *m = ibuf_pool_alloc(p);
		struct timespec short_time = {0, (i + 1) * 200000L};
		struct waiter ws[2] = {{p, &short_time, NULL},
				       {p, &for_hours, NULL}};
		uint64_t waits = stats_of(p).waits;
		pthread_t threads[2];

		threads_start(threads, 2, wait_for_it, ws, sizeof(ws[0]));
		await_waits(p, waits + 2);
		sleep_ms(i % 3);
		ibuf_mbuf_free(m);
		threads_join(&threads[0], 1);
		ibuf_mbuf_free(ws[0].got); /* or NULL: the time was over */
		threads_join(&threads[1], 1);
		assert_non_null(ws[1].got);
		ibuf_mbuf_free(ws[1].got);
		assert_books(p, 0);
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(one_that_is_cancelled_leaves_the_pool_in_order)
{
	struct ibuf_pool *p = pool_to_wait_for(1);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	struct waiter w = {p, NULL, NULL};
	pthread_t thread;

	threads_start(&thread, 1, wait_for_it, &w, sizeof(w));
	await_waits(p, 1);
	assert_int_equal(pthread_cancel(thread), 0);
	threads_join(&thread, 1);
	assert_books(p, 1);
	ibuf_mbuf_free(m);
	m = ibuf_pool_alloc_wait(p, &no_time);
	assert_fresh(p, m, 16, 64);
	ibuf_mbuf_free(m);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- many rounds --------------------------------------------------- */

#define ROUNDS 2000

static void *
wait_and_free(void *arg)
{
	struct waiter *w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct ibuf_mbuf *m = ibuf_pool_alloc_wait(w->p, w->timeout);

		if (m == NULL || ibuf_mbuf_append(m, &i, sizeof(i)) != 0)
			return NULL;
		if (i % 3 == 0)
			ibuf_mbuf_free(ibuf_mbuf_clone(m));
		ibuf_mbuf_free(m);
	}
	w->got = (struct ibuf_mbuf *)(void *)w; /* all went well */
	return NULL;
}

TEST(more_threads_than_mbufs_all_get_their_turns)
{
	for (size_t max = 1; max <= 3; max++) {
		struct ibuf_pool *p = pool_to_wait_for(max);
		struct waiter ws[5];

		for (int i = 0; i < 5; i++)
			ws[i] = (struct waiter){
				p, i % 2 == 0 ? NULL : &for_hours, NULL};
		threads_run(5, wait_and_free, ws, sizeof(ws[0]));
		for (int i = 0; i < 5; i++)
			assert_non_null(ws[i].got);
		assert_books(p, 0);
		assert_true(stats_of(p).capacity <= max);
		assert_int_equal(stats_of(p).failures, 0);
		assert_int_equal(stats_of(p).allocs, 5 * ROUNDS);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}
