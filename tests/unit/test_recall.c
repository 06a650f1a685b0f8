/*
 * test_recall.c - what threads keep back of a pool that may wait is recalled:
 * by who waits, and by allocations that find the pool at its max; from threads
 * that never call again, from one that is inside its thread cache at that
 * moment, and where the system refuses the barrier.
 */
#include "fork.h"
#include "moments.h"

#include <semaphore.h>

/* ---- threads that keep something ------------------------------------ */

enum { KEEPERS = 8, ALL = 512, EACH = ALL / KEEPERS };

static struct keeper {
	pthread_t thread;
	struct ibuf_pool *p;
	sem_t go, done;
	size_t n; /* takes so many at first, and gives them back */
	struct ibuf_mbuf *ms[EACH];
	void (*then)(struct keeper *k); /* at its next step; NULL: exits */
	size_t wrong;
} keepers[KEEPERS];

static void
wait_for(sem_t *sem)
{
	while (sem_wait(sem) != 0)
		;
}

static void *
keep(void *arg)
{
	struct keeper *k = arg;

	for (size_t i = 0; i < k->n; i++)
		if ((k->ms[i] = ibuf_pool_alloc(k->p)) == NULL)
			k->wrong++;
	ibuf_mbuf_free_bulk(k->ms, k->n);
	sem_post(&k->done);
	for (wait_for(&k->go); k->then != NULL; wait_for(&k->go)) {
		k->then(k);
		sem_post(&k->done);
	}
	return NULL;
}

/* Start threads that keep up to n each, and sleep. */
static void
keepers_start(struct ibuf_pool *p, size_t count, size_t n)
{
	for (size_t i = 0; i < count; i++) {
		keepers[i] = (struct keeper){.p = p, .n = n};
		sem_init(&keepers[i].go, 0, 0);
		sem_init(&keepers[i].done, 0, 0);
		threads_start(&keepers[i].thread, 1, keep, &keepers[i], 0);
		wait_for(&keepers[i].done);
	}
}

/* Let one do a step. */
static void
keeper_does(struct keeper *k, void (*step)(struct keeper *k))
{
	k->then = step;
	sem_post(&k->go);
	wait_for(&k->done);
}

static void
keepers_end(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		keepers[i].then = NULL;
		sem_post(&keepers[i].go);
		threads_join(&keepers[i].thread, 1);
		assert_int_equal(keepers[i].wrong, 0);
		sem_destroy(&keepers[i].go);
		sem_destroy(&keepers[i].done);
	}
}

static struct ibuf_pool *
pool_to_wait_for(size_t max, size_t cache)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = 64;
	o.headroom = 16;
	o.max = max;
	o.cache = cache;
	o.flags = IBUF_POOL_F_WAIT;
	return pool_with(&o);
}

/* Where threads keep nothing back these tests see the same, but not by
   recalling: the counts say nothing there. */
static bool
recalls(void)
{
	return caches_work();
}

static struct ibuf_mbuf *out[ALL + 1];

static void
free_all(struct ibuf_pool *p, size_t n)
{
	ibuf_mbuf_free_bulk(out, n);
	assert_books(p, 0);
}

/* ---- nothing is stranded ---------------------------------------------- */

TEST(threads_of_a_pool_to_wait_for_keep_back_what_they_free)
{
	struct ibuf_pool *p = pool_to_wait_for(ALL, IBUF_POOL_CACHE_AUTO);
	struct ibuf_pool_options o;

	assert_int_equal(ibuf_pool_get_options(p, &o, sizeof(o)), 0);
	assert_int_equal(o.cache, recalls() ? ALL / 8 : 0);
	ibuf_mbuf_free(ibuf_pool_alloc(p));
	assert_int_equal(stats_of(p).cached != 0, recalls());
	ibuf_pool_flush(p);
	assert_int_equal(stats_of(p).cached, 0);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* The ways to get all. */
static void
by_one(struct ibuf_pool *p)
{
	assert_int_equal(take_all(p, out, ALL + 1), ALL);
}

static void
by_waiting(struct ibuf_pool *p)
{
	static const struct timespec no_time = {0, 0};

	for (size_t i = 0; i < ALL; i++)
		assert_non_null(out[i] = ibuf_pool_alloc_wait(p, NULL));
	assert_null(ibuf_pool_alloc_wait(p, &no_time));
	assert_int_equal(stats_of(p).waits, 0);
}

static void
by_bulk(struct ibuf_pool *p)
{
	out[0] = NULL;
	assert_int_equal(ibuf_pool_alloc_bulk(p, out, ALL + 1), -ENOBUFS);
	assert_null(out[0]);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_alloc_bulk(p, out, ALL), 0);
}

static void
by_some(struct ibuf_pool *p)
{
	assert_int_equal(ibuf_pool_alloc_upto(p, out, ALL + 1), ALL);
}

static void
by_reserving(struct ibuf_pool *p)
{
	int before = barriers;

	/* They are available already, and that is what counts. */
	assert_int_equal(ibuf_pool_reserve(p, ALL), 0);
	assert_int_equal(ibuf_pool_reserve(p, ALL + 1), -ENOBUFS);
	assert_int_equal(barriers, before);
	by_one(p);
}

TEST(a_ninth_thread_can_have_all_that_eight_idle_ones_keep)
{
	static void (*const ways[])(struct ibuf_pool * p) = {
		by_one, by_waiting, by_bulk, by_some, by_reserving};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct ibuf_pool *p =
			pool_to_wait_for(ALL, IBUF_POOL_CACHE_AUTO);

		keepers_start(p, KEEPERS, EACH);
		/* With magazines of their own in hand they keep all. */
		assert_true(!recalls() || stats_of(p).cached >= ALL / 2);
		assert_int_equal(ibuf_pool_reserve(p, ALL), 0);
		assert_books(p, 0);
		ways[i](p);
		assert_books(p, ALL);
		free_all(p, ALL);
		/* And the others, whose caches are empty, have theirs again. */
		ibuf_pool_flush(p);
		keepers_end(KEEPERS);
		assert_books(p, 0);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

static void
take_one(struct keeper *k)
{
	k->ms[0] = ibuf_pool_alloc(k->p);
	if (k->ms[0] == NULL)
		k->wrong++;
}

static void
give_one(struct keeper *k)
{
	ibuf_mbuf_free(k->ms[0]);
}

TEST(one_whose_cache_was_recalled_keeps_something_again_later)
{
	struct ibuf_pool *p = pool_to_wait_for(16, 8);

	if (!recalls())
		skip();
	keepers_start(p, 1, 8);
	assert_int_equal(take_all(p, out, 17), 16);
	ibuf_mbuf_free_bulk(out, 16);
	for (int i = 0; i < 200; i++) {
		keeper_does(&keepers[0], take_one);
		keeper_does(&keepers[0], give_one);
	}
	assert_true(stats_of(p).cached != 0);
	assert_int_equal(take_all(p, out, 17), 16);
	free_all(p, 16);
	keepers_end(1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- the price ----------------------------------------------------- */

TEST(an_allocation_that_fails_passes_no_barrier_where_nothing_is_kept)
{
	struct ibuf_pool *p = pool_to_wait_for(4, 2);
	int before;

	keepers_start(p, 2, 2);
	assert_int_equal(take_all(p, out, 5), 4);
	/* Others have thread caches, which are empty. */
	ibuf_mbuf_free(out[3]);
	for (int i = 0; i < 200; i++)
		ibuf_mbuf_free(ibuf_pool_alloc(p)); /* until they may fill */
	assert_non_null(out[3] = ibuf_pool_alloc(p));
	before = barriers;
	for (int i = 0; i < 100; i++) {
		assert_null(ibuf_pool_alloc(p));
		assert_int_equal(ibuf_pool_alloc_upto(p, out + 4, 3), 0);
		assert_int_equal(ibuf_pool_alloc_bulk(p, out + 4, 3), -ENOBUFS);
		assert_null(ibuf_pool_alloc_wait(p, &(struct timespec){0, 0}));
	}
	assert_int_equal(barriers, before);
	assert_int_equal(stats_of(p).failures, 1 + 3 * 100);
	free_all(p, 4);
	keepers_end(2);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(one_barrier_is_enough_for_many_that_are_kept)
{
	struct ibuf_pool *p = pool_to_wait_for(ALL, IBUF_POOL_CACHE_AUTO);
	int before;

	if (!recalls())
		skip();
	keepers_start(p, KEEPERS, EACH);
	before = barriers;
	assert_int_equal(take_all(p, out, ALL + 1), ALL);
	assert_true(barriers > before && barriers <= before + ALL / 64);
	free_all(p, ALL);
	keepers_end(KEEPERS);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_pool_that_no_other_thread_uses_passes_no_barrier)
{
	struct ibuf_pool *p = pool_to_wait_for(8, 8);
	int before = barriers;

	assert_int_equal(take_all(p, out, 9), 8);
	assert_null(ibuf_pool_alloc_wait(p, &(struct timespec){0, 1000}));
	free_all(p, 8);
	assert_int_equal(barriers, before);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- threads that are inside ------------------------------------------ */

static struct keeper *inside; /* the one that stops there */

static void
stop_here(void)
{
	sem_post(&inside->done);
	wait_for(&inside->go);
}

/* With one place in its thread cache, the second free takes the lock. */
static void
take_two(struct keeper *k)
{
	for (int i = 0; i < 2; i++)
		if ((k->ms[i] = ibuf_pool_alloc(k->p)) == NULL)
			k->wrong++;
}

static void
give_two_and_stop_inside(struct keeper *k)
{
	ibuf_mbuf_free(k->ms[0]);
	inside = k;
	before_lock = stop_here;
	ibuf_mbuf_free(k->ms[1]);
	if (before_lock != NULL)
		k->wrong++; /* no lock was taken */
}

static void *
go_on_soon(void *arg)
{
	sleep_ms(20);
	sem_post(&inside->go);
	return arg;
}

static void
take_beside_one_inside(bool waits)
{
	struct ibuf_pool *p = pool_to_wait_for(2, 1);
	struct keeper *k = &keepers[0];
	pthread_t other;

	keepers_start(p, 1, 0);
	keeper_does(k, take_two);
	keeper_does(k, give_two_and_stop_inside);
	threads_start(&other, 1, go_on_soon, inside, 0);
	if (waits)
		out[0] = ibuf_pool_alloc_wait(p, NULL);
	else
		out[0] = ibuf_pool_alloc(p);
	assert_fresh(p, out[0], 16, 64);
	assert_int_equal(stats_of(p).waits, waits ? 1 : 0);
	threads_join(&other, 1);
	wait_for(&k->done);
	/* The last one lies in its thread cache, or was brought. */
	assert_non_null(out[1] = ibuf_pool_alloc_wait(p, NULL));
	free_all(p, 2);
	keepers_end(1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_thread_that_is_inside_brings_what_it_has_to_who_waits)
{
	if (!recalls())
		skip();
	take_beside_one_inside(true);
}

TEST(an_allocation_waits_for_a_thread_that_is_inside)
{
	if (!recalls())
		skip();
	take_beside_one_inside(false);
}

static void *
wait_for_seconds(void *arg)
{
	static const struct timespec seconds = {10, 0};
	struct family *w = arg;

	w->m = ibuf_pool_alloc_wait(w->p, &seconds);
	return NULL;
}

TEST(a_thread_that_is_inside_comes_by_itself_to_all_who_sleep)
{
	struct ibuf_pool *p = pool_to_wait_for(2, 1);
	struct family ws[2] = {{.p = p}, {.p = p}};
	struct keeper *k = &keepers[0];
	pthread_t threads[2];

	if (!recalls())
		skip();
	keepers_start(p, 1, 0);
	keeper_does(k, take_two);
	keeper_does(k, give_two_and_stop_inside);
	threads_start(threads, 2, wait_for_seconds, ws, sizeof(ws[0]));
	while (stats_of(p).waits < 2)
		sleep_ms(1);
	sem_post(&k->go);
	threads_join(threads, 2);
	wait_for(&k->done);
	for (int i = 0; i < 2; i++) {
		assert_non_null(ws[i].m);
		ibuf_mbuf_free(ws[i].m);
	}
	keepers_end(1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

static void
free_the_last(void)
{
	ibuf_mbuf_free(out[2]);
}

TEST(a_free_in_the_midst_of_another_of_its_thread_loses_nothing)
{
	struct ibuf_pool *p = pool_to_wait_for(3, 1);

	if (!recalls())
		skip();
	assert_int_equal(take_all(p, out, 4), 3);
	ibuf_mbuf_free(out[0]);
	/* As in a signal handler: the second free is inside then. */
	before_lock = free_the_last;
	ibuf_mbuf_free(out[1]);
	assert_null(before_lock);
	assert_books(p, 0);
	assert_int_equal(take_all(p, out, 4), 3);
	free_all(p, 3);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

static void
give_meanwhile(void)
{
	keeper_does(&keepers[0], give_one);
}

TEST(what_is_freed_while_the_barrier_is_passed_comes_to_who_waits)
{
	struct ibuf_pool *p = pool_to_wait_for(2, 2);

	if (!recalls())
		skip();
	keepers_start(p, 1, 1);
	keeper_does(&keepers[0], take_one);
	assert_int_equal(take_all(p, out, 2), 1);
	at_barrier = give_meanwhile;
	assert_non_null(out[1] = ibuf_pool_alloc_wait(p, NULL));
	assert_null(at_barrier);
	assert_int_equal(stats_of(p).waits, 0);
	free_all(p, 2);
	keepers_end(1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

static void
exit_meanwhile(void)
{
	keepers_end(1);
}

TEST(what_a_thread_kept_that_exits_meanwhile_is_there)
{
	struct ibuf_pool *p = pool_to_wait_for(4, 4);

	if (!recalls())
		skip();
	keepers_start(p, 1, 4);
	at_barrier = exit_meanwhile;
	assert_int_equal(take_all(p, out, 5), 4);
	assert_null(at_barrier);
	free_all(p, 4);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- forks and ends --------------------------------------------------- */

static void *
wait_for_one(void *arg)
{
	struct family *w = arg;

	w->m = ibuf_pool_alloc_wait(w->p, NULL);
	return NULL;
}

/* All are in use there too; what its own thread frees it can have. */
static int
have_one_in_the_child(struct family *w)
{
	if (!books_are_right(w->p) || ibuf_pool_alloc(w->p) != NULL)
		return 1;
	/* Who waits in the parent is not given it, nor what comes to the
	   slabs. */
	for (int i = 0; i < 2; i++) {
		ibuf_mbuf_free(out[0]);
		if (i != 0)
			ibuf_pool_flush(w->p);
		out[0] = ibuf_pool_alloc_wait(w->p, &(struct timespec){0, 0});
		if (out[0] == NULL)
			return 2;
	}
	ibuf_mbuf_free(out[0]);
	for (int i = 0; i < 300; i++)
		ibuf_mbuf_free(ibuf_pool_alloc(w->p));
	return books_are_right(w->p) && ibuf_pool_allocated(w->p) == MAX - 1
		       ? 0
		       : 3;
}

TEST(a_child_of_a_fork_has_none_of_who_waited_in_its_line)
{
	struct family w = {.p = pool_to_wait_for(MAX, CACHE)};
	pthread_t thread;

	keepers_start(w.p, 1, 1);
	keeper_does(&keepers[0], take_one);
	assert_int_equal(take_all(w.p, out, MAX), MAX - 1);
	threads_start(&thread, 1, wait_for_one, &w, 0);
	while (stats_of(w.p).waits == 0)
		sleep_ms(1);
	assert_int_equal(in_child(have_one_in_the_child, &w), 0);
	keeper_does(&keepers[0], give_one);
	threads_join(&thread, 1);
	assert_non_null(w.m);
	ibuf_mbuf_free(w.m);
	free_all(w.p, MAX - 1);
	keepers_end(1);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}

static int
have_what_is_left(struct family *w)
{
	static struct ibuf_mbuf *ms[MAX + 1];
	size_t n = 0;

	/* What the other thread kept left the capacity, which may grow. */
	for (int round = 0; round < 2; round++) {
		for (n = 0; n <= MAX; n++)
			if ((ms[n] = ibuf_pool_alloc(w->p)) == NULL)
				break;
		if (n != MAX || !books_are_right(w->p))
			return 1 + round;
		ibuf_mbuf_free_bulk(ms, n);
		for (int i = 0; i < 200; i++)
			ibuf_mbuf_free(ibuf_pool_alloc(w->p));
	}
	return ibuf_pool_destroy(w->p) == 0 ? 0 : 3;
}

TEST(a_child_can_have_max_whether_or_not_its_parent_recalled)
{
	for (int recalled = 0; recalled < 2; recalled++) {
		struct family w = {.p = pool_to_wait_for(MAX, CACHE)};

		keepers_start(w.p, 2, CACHE);
		if (recalled) {
			assert_int_equal(take_all(w.p, out, MAX + 1), MAX);
			ibuf_mbuf_free_bulk(out, MAX);
		}
		assert_int_equal(in_child(have_what_is_left, &w), 0);
		assert_int_equal(take_all(w.p, out, MAX + 1), MAX);
		free_all(w.p, MAX);
		keepers_end(2);
		assert_int_equal(ibuf_pool_destroy(w.p), 0);
	}
}

/* Its thread may keep something, though its parent recalls. */
static int
keep_in_the_child(struct family *w)
{
	ibuf_mbuf_free(out[0]);
	for (int i = 0; i < 300; i++)
		ibuf_mbuf_free(ibuf_pool_alloc(w->p));
	return stats_of(w->p).cached != 0 && books_are_right(w->p) ? 0 : 1;
}

static struct family recalling;
static int wrong_in_the_child;

static void
fork_meanwhile(void)
{
	wrong_in_the_child = in_child(keep_in_the_child, &recalling);
}

TEST(a_child_does_not_go_on_to_recall_for_its_parent)
{
	struct ibuf_pool *p = pool_to_wait_for(3, 4);

	if (!recalls())
		skip();
	recalling.p = p;
	keepers_start(p, 1, 2);
	assert_non_null(out[0] = ibuf_pool_alloc(p));
	at_barrier = fork_meanwhile;
	wrong_in_the_child = -1;
	assert_int_equal(take_all(p, out + 1, 3), 2);
	assert_int_equal(wrong_in_the_child, 0);
	free_all(p, 3);
	keepers_end(1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

static void
give_all(struct keeper *k)
{
	ibuf_mbuf_free_bulk(k->ms, 4);
}

static void
take_four(struct keeper *k)
{
	if (ibuf_pool_alloc_bulk(k->p, k->ms, 4) != 0)
		k->wrong++;
}

TEST(the_memory_goes_with_the_last_message_recalled_or_not)
{
	for (int recalled = 0; recalled < 2; recalled++) {
		struct counting c = {0};
		struct ibuf_provider provider = counting_provider(&c);
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct ibuf_pool *p;

		o.capacity = 64;
		o.max = 16;
		o.cache = 8;
		o.provider = &provider;
		o.flags = IBUF_POOL_F_WAIT;
		p = pool_with(&o);
		keepers_start(p, 2, 4);
		if (recalled) {
			assert_int_equal(take_all(p, out, 17), 16);
			ibuf_mbuf_free_bulk(out, 16);
		}
		keeper_does(&keepers[0], take_four);
		keeper_does(&keepers[1], take_four);
		out[0] = ibuf_mbuf_clone(keepers[0].ms[0]);
		assert_int_equal(ibuf_pool_destroy(p), 8);
		keeper_does(&keepers[0], give_all);
		keeper_does(&keepers[1], give_all);
		assert_true(c.bytes != 0);
		ibuf_mbuf_free(out[0]);
		assert_int_equal(c.bytes, 0);
		keepers_end(2);
	}
}

/* ---- where the system refuses ------------------------------------------ */

TEST(without_barriers_from_the_start_nothing_is_kept)
{
	struct ibuf_pool_options o;
	struct ibuf_pool *p;

	no_barriers = true;
	p = pool_to_wait_for(ALL, IBUF_POOL_CACHE_AUTO);
	assert_int_equal(ibuf_pool_get_options(p, &o, sizeof(o)), 0);
	assert_int_equal(o.cache, 0);
	keepers_start(p, KEEPERS, EACH);
	assert_int_equal(stats_of(p).cached, 0);
	assert_int_equal(take_all(p, out, ALL + 1), ALL);
	free_all(p, ALL);
	keepers_end(KEEPERS);
	no_barriers = false;
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(where_barriers_are_refused_later_each_thread_brings_what_it_keeps)
{
	struct ibuf_pool *p = pool_to_wait_for(16, 8);
	struct ibuf_mbuf *m;
	size_t n;

	if (!recalls())
		skip();
	keepers_start(p, 2, 8);
	keeper_does(&keepers[0], take_one);
	no_barriers = true;
	n = take_all(p, out, 17);
	assert_true(n < 16); /* it cannot be had, and is not lost */
	assert_books(p, n + 1);
	assert_int_equal(stats_of(p).cached, 16 - 1 - n);
	assert_null(ibuf_pool_alloc_wait(p, &(struct timespec){0, 1000000}));
	assert_books(p, n + 1);
	/* One brings all that it keeps with its next call, */
	keeper_does(&keepers[0], give_one);
	m = ibuf_pool_alloc_wait(p, NULL);
	assert_non_null(m);
	ibuf_mbuf_free(m);
	n += take_all(p, out + n, 17 - n);
	assert_int_equal(stats_of(p).cached, 16 - n);
	/* the other one at its end. */
	keepers_end(2);
	n += take_all(p, out + n, 17 - n);
	assert_int_equal(n, 16);
	free_all(p, 16);
	/* From then on nobody keeps anything. */
	assert_int_equal(stats_of(p).cached, 0);
	keepers_start(p, 2, 8);
	assert_int_equal(stats_of(p).cached, 0);
	for (int i = 0; i < 200; i++)
		ibuf_mbuf_free(ibuf_pool_alloc(p));
	assert_int_equal(stats_of(p).cached, 0);
	assert_int_equal(take_all(p, out, 17), 16);
	free_all(p, 16);
	keepers_end(2);
	no_barriers = false;
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_barrier_that_works_again_recalls_what_was_left)
{
	struct ibuf_pool *p = pool_to_wait_for(8, 8);

	if (!recalls())
		skip();
	keepers_start(p, 1, 8);
	no_barriers = true;
	assert_true(take_all(p, out, 9) < 8);
	no_barriers = false;
	ibuf_mbuf_free_bulk(out, 8 - stats_of(p).cached);
	for (int i = 0; i < 8; i++)
		assert_non_null(out[i] = ibuf_pool_alloc_wait(p, NULL));
	free_all(p, 8);
	keepers_end(1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
