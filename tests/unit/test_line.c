/*
 * test_line.c - who waits for an mbuf stands in a line: the first gets the
 * first that comes back, and nobody who comes later does.  What was given to
 * one whose time is over, or who is cancelled at that moment, is not lost.
 */
#include "threads.h"

/* ---- moments -------------------------------------------------------- */

/* What happens while this thread sleeps, instead of its sleep; once.  It has
   no lock meanwhile. */
static __thread int (*asleep)(void);

static int
sleep_instead(pthread_mutex_t *lock)
{
	int (*moment)(void) = asleep;
	int error;

	asleep = NULL;
	pthread_mutex_unlock(lock);
	error = moment();
	pthread_mutex_lock(lock);
	pthread_testcancel();
	return error;
}

int __real_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock);
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock);

int
__wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock)
{
	return asleep != NULL ? sleep_instead(lock)
			      : __real_pthread_cond_wait(c, lock);
}

int __real_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *lock,
				  const struct timespec *end);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *lock,
				  const struct timespec *end);

int
__wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *lock,
			      const struct timespec *end)
{
	return asleep != NULL ? sleep_instead(lock)
			      : __real_pthread_cond_timedwait(c, lock, end);
}

/* ---- who waits ------------------------------------------------------ */

static const struct timespec for_hours = {7200, 0};

static struct ibuf_pool *
pool_to_wait_for(size_t max, size_t cache)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = 64;
	o.max = max;
	o.cache = cache;
	o.flags = IBUF_POOL_F_WAIT;
	return pool_with(&o);
}

static struct ibuf_pool *pool;
static struct ibuf_mbuf *kept; /* what the pool has, in somebody's hands */

struct waiter {
	pthread_t thread;
	const struct timespec *timeout;
	int (*asleep)(void);
	struct ibuf_mbuf *got;
	atomic_bool over;
};

static void *
wait_in_line(void *arg)
{
	struct waiter *w = arg;

	asleep = w->asleep;
	w->got = ibuf_pool_alloc_wait(pool, w->timeout);
	atomic_store(&w->over, true);
	return NULL;
}

/* Let one join the line, as the last. */
static void
join_the_line(struct waiter *w)
{
	uint64_t waits = stats_of(pool).waits;

	threads_start(&w->thread, 1, wait_in_line, w, 0);
	while (stats_of(pool).waits == waits)
		sleep_ms(1);
}

/* ---- the order ------------------------------------------------------ */

TEST(who_came_first_is_served_first)
{
	enum { LINE = 5 };

	for (size_t cache = 0; cache < 2; cache++) {
		struct waiter ws[LINE];

		pool = pool_to_wait_for(1, cache);
		kept = ibuf_pool_alloc(pool);
		for (size_t i = 0; i < LINE; i++) {
			ws[i] = (struct waiter){
				.timeout = i % 2 == 0 ? NULL : &for_hours};
			join_the_line(&ws[i]);
		}
		for (size_t i = 0; i < LINE; i++) {
			ibuf_mbuf_free(kept);
			threads_join(&ws[i].thread, 1);
			kept = ws[i].got;
			assert_non_null(kept);
			for (size_t k = i + 1; k < LINE; k++)
				assert_false(atomic_load(&ws[k].over));
		}
		ibuf_mbuf_free(kept);
		assert_books(pool, 0);
		assert_int_equal(ibuf_pool_destroy(pool), 0);
	}
}

TEST(who_comes_later_does_not_take_what_comes_back)
{
	struct ibuf_mbuf *more[2];

	pool = pool_to_wait_for(1, 1);
	kept = ibuf_pool_alloc(pool);
	for (int i = 0; i < 200; i++) {
		struct waiter w = {.timeout = NULL};

		join_the_line(&w);
		ibuf_mbuf_free(kept);
		/* At once, while the other one is still to be woken. */
		assert_null(ibuf_pool_alloc(pool));
		assert_int_equal(ibuf_pool_alloc_upto(pool, more, 2), 0);
		assert_null(
			ibuf_pool_alloc_wait(pool, &(struct timespec){0, 0}));
		threads_join(&w.thread, 1);
		kept = w.got;
		assert_non_null(kept);
	}
	ibuf_mbuf_free(kept);
	assert_books(pool, 0);
	assert_int_equal(ibuf_pool_destroy(pool), 0);
}

TEST(one_that_gives_up_leaves_the_others_in_their_order)
{
	/* The first, one in the midst, and the last. */
	for (int leaves = 0; leaves < 3; leaves++) {
		static const struct timespec moment = {0, 20000000};
		struct waiter ws[3];

		pool = pool_to_wait_for(1, 0);
		kept = ibuf_pool_alloc(pool);
		for (int i = 0; i < 3; i++) {
			ws[i] = (struct waiter){.timeout = i == leaves ? &moment
								       : NULL};
			join_the_line(&ws[i]);
		}
		threads_join(&ws[leaves].thread, 1);
		if (ws[leaves].got != NULL)
			fail_msg("none came back");
		for (int i = 0; i < 3; i++) {
			if (i == leaves)
				continue;
			ibuf_mbuf_free(kept);
			threads_join(&ws[i].thread, 1);
			kept = ws[i].got;
			assert_non_null(kept);
		}
		ibuf_mbuf_free(kept);
		assert_books(pool, 0);
		assert_int_equal(ibuf_pool_destroy(pool), 0);
	}
}

/* ---- given, and over ---------------------------------------------------- */

static int
is_given_and_late(void)
{
	ibuf_mbuf_free(kept);
	return ETIMEDOUT;
}

TEST(what_was_given_when_the_time_is_over_is_taken)
{
	for (size_t cache = 0; cache < 2; cache++) {
		struct ibuf_mbuf *m;

		pool = pool_to_wait_for(1, cache);
		kept = ibuf_pool_alloc(pool);
		asleep = is_given_and_late;
		m = ibuf_pool_alloc_wait(pool, &for_hours);
		assert_non_null(m);
		assert_int_equal(stats_of(pool).failures, 0);
		assert_books(pool, 1);
		ibuf_mbuf_free(m);
		assert_books(pool, 0);
		assert_int_equal(ibuf_pool_destroy(pool), 0);
	}
}

static int
is_late(void)
{
	return ETIMEDOUT;
}

TEST(one_whose_time_is_over_is_in_the_line_no_more)
{
	pool = pool_to_wait_for(1, 1);
	kept = ibuf_pool_alloc(pool);
	asleep = is_late;
	assert_null(ibuf_pool_alloc_wait(pool, &for_hours));
	ibuf_mbuf_free(kept);
	assert_books(pool, 0);
	kept = ibuf_pool_alloc(pool);
	assert_non_null(kept);
	ibuf_mbuf_free(kept);
	assert_int_equal(ibuf_pool_destroy(pool), 0);
}

static int
is_given_and_cancelled(void)
{
	ibuf_mbuf_free(kept);
	return pthread_cancel(pthread_self());
}

TEST(what_was_given_to_one_that_is_cancelled_is_there_for_others)
{
	for (size_t cache = 0; cache < 2; cache++) {
		struct waiter w = {.asleep = is_given_and_cancelled};
		struct ibuf_pool_stats s;

		pool = pool_to_wait_for(1, cache);
		kept = ibuf_pool_alloc(pool);
		threads_start(&w.thread, 1, wait_in_line, &w, 0);
		threads_join(&w.thread, 1);
		assert_books(pool, 0);
		s = stats_of(pool);
		assert_int_equal(s.allocs, 1); /* it was never handed out */
		kept = ibuf_pool_alloc_wait(pool, NULL);
		assert_non_null(kept);
		ibuf_mbuf_free(kept);
		assert_books(pool, 0);
		assert_int_equal(ibuf_pool_destroy(pool), 0);
	}
}

static atomic_bool another_waits;

static int
is_cancelled_once_another_waits(void)
{
	while (!atomic_load(&another_waits))
		sleep_ms(1);
	return is_given_and_cancelled();
}

TEST(what_was_given_to_one_that_is_cancelled_goes_to_the_next)
{
	struct waiter first = {.asleep = is_cancelled_once_another_waits};
	struct waiter next = {.timeout = NULL};

	pool = pool_to_wait_for(1, 1);
	kept = ibuf_pool_alloc(pool);
	atomic_store(&another_waits, false);
	join_the_line(&first);
	join_the_line(&next);
	atomic_store(&another_waits, true);
	threads_join(&first.thread, 1);
	threads_join(&next.thread, 1);
	assert_non_null(next.got);
	assert_books(pool, 1);
	ibuf_mbuf_free(next.got);
	assert_books(pool, 0);
	assert_int_equal(ibuf_pool_destroy(pool), 0);
}

TEST(who_waits_is_served_by_whatever_frees)
{
	struct ibuf_mbuf *m, *rest;
	struct waiter w;

	pool = pool_to_wait_for(2, 2);
	/* A clone, a slice, a chain, a header whose room was left. */
	for (int way = 0; way < 4; way++) {
		assert_non_null(m = ibuf_pool_alloc(pool));
		assert_non_null(kept = ibuf_pool_alloc(pool));
		assert_int_equal(ibuf_mbuf_append(m, "abcdef", 6), 0);
		w = (struct waiter){.timeout = NULL};
		join_the_line(&w);
		switch (way) {
		case 0:
			rest = ibuf_mbuf_clone(m);
			ibuf_mbuf_free(m);
			ibuf_mbuf_free(rest);
			break;
		case 1:
			rest = ibuf_mbuf_slice(m, 1, 3);
			ibuf_mbuf_free(m);
			ibuf_mbuf_free_bulk(&rest, 1);
			break;
		case 2:
			rest = ibuf_mbuf_new(8);
			assert_int_equal(ibuf_mbuf_concat(rest, m), 0);
			ibuf_mbuf_free(rest);
			break;
		default:
			assert_int_equal(ibuf_mbuf_append_fill(m, 0, 500), 0);
			ibuf_pool_free(pool, m);
			break;
		}
		threads_join(&w.thread, 1);
		assert_fresh(pool, w.got, 128, 64);
		ibuf_mbuf_free(w.got);
		ibuf_mbuf_free(kept);
		assert_books(pool, 0);
	}
	assert_int_equal(ibuf_pool_destroy(pool), 0);
}

/* ---- beside a growth ---------------------------------------------------- */

static struct waiter early;

static void *
alloc_one(void *arg)
{
	struct waiter *w = arg;

	w->got = ibuf_pool_alloc(pool);
	return NULL;
}

static struct waiter mover;

/* While the provider works, one comes to the line, and another one waits for
   what is under way. */
static void *
map_slowly(size_t size, size_t alignment, void *context)
{
	if (!atomic_exchange(&another_waits, true)) {
		threads_start(&mover.thread, 1, alloc_one, &mover, 0);
		sleep_ms(10);
		join_the_line(&early);
	}
	return ibuf_provider_pages()->map(size, alignment, context);
}

static void
unmap(void *base, size_t size, void *context)
{
	ibuf_provider_pages()->unmap(base, size, context);
}

TEST(what_a_growth_brings_goes_to_the_line_first)
{
	struct ibuf_provider provider = {map_slowly, unmap, NULL};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = 64;
	o.max = 1;
	o.flags = IBUF_POOL_F_WAIT;
	o.provider = &provider;
	pool = pool_with(&o);
	early = (struct waiter){.timeout = NULL};
	mover = (struct waiter){.timeout = NULL};
	atomic_store(&another_waits, false);
	/* Who grew finds all given away; so does who waited for that. */
	assert_null(ibuf_pool_alloc(pool));
	threads_join(&early.thread, 1);
	threads_join(&mover.thread, 1);
	assert_fresh(pool, early.got, 128, 64);
	assert_null(mover.got);
	assert_books(pool, 1);
	ibuf_mbuf_free(early.got);
	assert_books(pool, 0);
	assert_int_equal(ibuf_pool_destroy(pool), 0);
}
