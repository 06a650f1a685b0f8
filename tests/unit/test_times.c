/*
 * test_times.c - any timespec is a time: negative is over at once, whole
 * seconds of nanoseconds are carried, and more than 10^9 s is for ever.
 */
#include "pools.h"

#include <limits.h>
#include <pthread.h>
#include <time.h>

/* ---- the wait that would be ---------------------------------------- */

static struct timespec asked; /* the moment at which it is over */
static int waits;

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition,
				  pthread_mutex_t *mutex,
				  const struct timespec *end);

int
__wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
			      const struct timespec *end)
{
	(void)condition;
	(void)mutex;
	asked = *end;
	waits++;
	return ETIMEDOUT;
}

#define SECOND 1000000000

static const time_t most_seconds =
	sizeof(time_t) == 8 ? (time_t)INT64_MAX : (time_t)INT32_MAX;
static const time_t least_seconds =
	sizeof(time_t) == 8 ? (time_t)INT64_MIN : (time_t)INT32_MIN;

/* How a wait of a time begins: nanoseconds until it is over; -1: none. */
static int64_t
wait_of(struct ibuf_pool *p, time_t seconds, long nanoseconds)
{
	struct timespec timeout = {seconds, nanoseconds}, before, after;
	int64_t from, to;

	waits = 0;
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_null(ibuf_pool_alloc_wait(p, &timeout));
	clock_gettime(CLOCK_MONOTONIC, &after);
	if (waits == 0)
		return -1;
	assert_int_equal(waits, 1);
	assert_in_range(asked.tv_nsec, 0, SECOND - 1);
	from = (int64_t)(asked.tv_sec - after.tv_sec) * SECOND + asked.tv_nsec -
	       after.tv_nsec;
	to = (int64_t)(asked.tv_sec - before.tv_sec) * SECOND + asked.tv_nsec -
	     before.tv_nsec;
	/* The call lay between: in whole seconds both say the same. */
	assert_true(from <= to);
	return to;
}

static struct ibuf_pool *
empty_pool(struct ibuf_mbuf **out)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;

	o.max = 1;
	o.flags = IBUF_POOL_F_WAIT;
	p = pool_with(&o);
	*out = ibuf_pool_alloc(p);
	assert_non_null(*out);
	return p;
}

static void
end_pool(struct ibuf_pool *p, struct ibuf_mbuf *out)
{
	ibuf_mbuf_free(out);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- times ---------------------------------------------------------- */

TEST(a_time_that_is_not_positive_is_over_at_once)
{
	static const long nanoseconds[] = {0, -1, -SECOND, LONG_MIN};
	struct ibuf_mbuf *out;
	struct ibuf_pool *p = empty_pool(&out);

	for (int i = 0; i < 4; i++) {
		assert_int_equal(wait_of(p, 0, nanoseconds[i]), -1);
		assert_int_equal(wait_of(p, -1, nanoseconds[i]), -1);
		assert_int_equal(wait_of(p, least_seconds, nanoseconds[i]), -1);
	}
	assert_int_equal(wait_of(p, -1, SECOND), -1);
	assert_int_equal(wait_of(p, -3, SECOND - 1), -1);
	assert_int_equal(wait_of(p, least_seconds, LONG_MAX), -1);
	assert_int_equal(wait_of(p, 1, -SECOND), -1);
	assert_int_equal(wait_of(p, 1, -SECOND - 1), -1);
	/* Nobody slept, and each was a failure. */
	assert_int_equal(stats_of(p).waits, 0);
	assert_int_equal(stats_of(p).failures, 17);
	end_pool(p, out);
}

/* It takes less than a minute to run the test, and an hour is much more. */
#define assert_about(wait, seconds)                                            \
	do {                                                                   \
		int64_t wait_ = wait;                                          \
		int64_t most_ = (seconds) * (int64_t)SECOND;                   \
		assert_true(wait_ >= most_);                                   \
		assert_true(wait_ <= most_ + 60 * (int64_t)SECOND);            \
	} while (0)

TEST(nanoseconds_past_a_second_are_carried)
{
	struct ibuf_mbuf *out;
	struct ibuf_pool *p = empty_pool(&out);

	assert_about(wait_of(p, 3600, 0), 3600);
	assert_about(wait_of(p, 3600, SECOND - 1), 3600);
	assert_about(wait_of(p, 3600, SECOND), 3601);
	assert_about(wait_of(p, 0, SECOND), 1);
	assert_about(wait_of(p, 3600, 2 * (SECOND - 1)), 3601);
	assert_about(wait_of(p, 3600, -1), 3599);
	assert_about(wait_of(p, 3600, -SECOND), 3599);
	assert_about(wait_of(p, 3601, -SECOND - 1), 3599);
	assert_about(wait_of(p, 0, LONG_MAX),
		     LONG_MAX / SECOND < SECOND ? LONG_MAX / SECOND : SECOND);
	assert_true(wait_of(p, 1, -1) >= SECOND - 1);
	end_pool(p, out);
}

TEST(more_than_ten_to_the_ninth_seconds_is_for_ever)
{
	struct ibuf_mbuf *out;
	struct ibuf_pool *p = empty_pool(&out);

	assert_about(wait_of(p, SECOND - 1, SECOND - 1), SECOND - 1);
	assert_about(wait_of(p, SECOND, 0), SECOND);
	assert_about(wait_of(p, SECOND, SECOND - 1), SECOND);
	assert_about(wait_of(p, SECOND + 1, 0), SECOND);
	assert_about(wait_of(p, most_seconds, 0), SECOND);
	assert_about(wait_of(p, most_seconds, SECOND - 1), SECOND);
	assert_about(wait_of(p, most_seconds, LONG_MAX), SECOND);
	if (sizeof(time_t) == 8)
		assert_about(wait_of(p, most_seconds, LONG_MIN), SECOND);
	end_pool(p, out);
}
