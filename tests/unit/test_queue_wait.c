/*
 * test_queue_wait.c - threads wait for a message, or for room: how long, who
 * is woken, and what is left of one that is cancelled.
 */
#include "queues.h"

#include <signal.h>

/* ---- when a thread sleeps ------------------------------------------- */

/*
 * The library calls these with the queue's lock held, which they let go once
 * the thread sleeps: so whoever sees the count and takes the lock finds it
 * asleep.
 */
static atomic_int sleeps;

int __real_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int __real_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
				  const struct timespec *end);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
				  const struct timespec *end);

int
__wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	sleeps++;
	return __real_pthread_cond_wait(c, m);
}

int
__wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
			      const struct timespec *end)
{
	sleeps++;
	return __real_pthread_cond_timedwait(c, m, end);
}

/* Until so many have gone to sleep since it was 0. */
static void
await_sleeps(int n)
{
	while (sleeps < n)
		sleep_ms(1);
}

/* ---- alone ---------------------------------------------------------- */

TEST(what_can_be_done_is_done_without_waiting)
{
	static const struct timespec negative = {-5, 0};
	static const struct timespec *const times[] = {NULL, &no_time,
						       &negative, &for_hours};

	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(1, flags);
		struct ibuf_mbuf *m = numbered(7);

		sleeps = 0;
		for (int i = 0; i < 4; i++) {
			assert_int_equal(ibuf_queue_push_wait(q, m, times[i]),
					 0);
			m = NULL;
			assert_int_equal(ibuf_queue_pop_wait(q, &m, times[i]),
					 0);
		}
		assert_number(m, 7);
		assert_int_equal(sleeps, 0);
		ibuf_queue_destroy(q);
	}
}

TEST(a_time_that_is_over_at_once_is_not_waited_for)
{
	static const struct timespec times[] = {
		{0, 0}, {0, -1}, {-1, 0}, {-1, 1000000000}, {1, -1000000000}};

	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(1, flags);
		struct ibuf_mbuf *m = NULL;

		sleeps = 0;
		for (int i = 0; i < 5; i++)
			assert_int_equal(ibuf_queue_pop_wait(q, &m, &times[i]),
					 -ETIMEDOUT);
		push_numbers(q, 1, 1);
		m = numbered(2);
		for (int i = 0; i < 5; i++)
			assert_int_equal(ibuf_queue_push_wait(q, m, &times[i]),
					 -ETIMEDOUT);
		assert_int_equal(sleeps, 0);
		assert_number(m, 2);
		pop_numbers(q, 1, 1);
		ibuf_queue_destroy(q);
	}
}

TEST(a_wait_is_as_long_as_it_was_asked_to_be)
{
	/* As a_while, but for how it is written. */
	static const struct timespec odd = {-1, 1030 * 1000000};

	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(1, flags);
		struct ibuf_mbuf *m = NULL;
		int64_t start = now_ms();

		assert_int_equal(ibuf_queue_pop_wait(q, &m, &a_while),
				 -ETIMEDOUT);
		assert_true(now_ms() - start >= 29);
		assert_true(now_ms() - start < 5000);
		assert_null(m);
		push_numbers(q, 1, 1);
		m = numbered(2);
		start = now_ms();
		assert_int_equal(ibuf_queue_push_wait(q, m, &odd), -ETIMEDOUT);
		assert_true(now_ms() - start >= 29);
		assert_true(now_ms() - start < 5000);
		assert_number(m, 2);
		pop_numbers(q, 1, 1);
		ibuf_queue_destroy(q);
	}
}

/* ---- woken ---------------------------------------------------------- */

struct waiter {
	struct ibuf_queue *q;
	const struct timespec *timeout;
	struct ibuf_mbuf *m; /* to push, or what was popped */
	int result;
};

static void *
wait_to_pop(void *arg)
{
	struct waiter *w = arg;

	w->result = ibuf_queue_pop_wait(w->q, &w->m, w->timeout);
	return NULL;
}

static void *
wait_to_push(void *arg)
{
	struct waiter *w = arg;

	w->result = ibuf_queue_push_wait(w->q, w->m, w->timeout);
	return NULL;
}

static const struct timespec longest = {
	sizeof(time_t) == 8 ? INT64_MAX : INT32_MAX, 999999999};
static const struct timespec *const long_times[] = {NULL, &for_hours, &longest};

TEST(a_push_wakes_who_waits_for_a_message)
{
	for_each_promise(flags)
	{
		for (int i = 0; i < 3; i++) {
			struct ibuf_queue *q = queue_of(4, flags);
			struct waiter w = {q, long_times[i], NULL, 1};
			struct ibuf_mbuf *m = numbered(5);
			pthread_t thread;

			sleeps = 0;
			threads_start(&thread, 1, wait_to_pop, &w, sizeof(w));
			await_sleeps(1);
			if (i == 1)
				assert_int_equal(ibuf_queue_push_bulk(q, &m, 1),
						 1);
			else
				assert_int_equal(ibuf_queue_push(q, m), 0);
			threads_join(&thread, 1);
			assert_int_equal(w.result, 0);
			assert_number(w.m, 5);
			ibuf_queue_destroy(q);
		}
	}
}

TEST(a_pop_wakes_who_waits_for_room)
{
	for_each_promise(flags)
	{
		for (int i = 0; i < 3; i++) {
			struct ibuf_queue *q = queue_of(1, flags);
			struct waiter w = {q, long_times[i], numbered(2), 1};
			struct ibuf_mbuf *m;
			pthread_t thread;

			push_numbers(q, 1, 1);
			sleeps = 0;
			threads_start(&thread, 1, wait_to_push, &w, sizeof(w));
			await_sleeps(1);
			if (i == 1)
				assert_int_equal(ibuf_queue_pop_bulk(q, &m, 1),
						 1);
			else
				m = ibuf_queue_pop(q);
			assert_number(m, 1);
			threads_join(&thread, 1);
			assert_int_equal(w.result, 0);
			pop_numbers(q, 2, 2);
			ibuf_queue_destroy(q);
		}
	}
}

TEST(a_bulk_wakes_as_many_as_it_has_messages_or_room_for)
{
	struct ibuf_queue *q = queue_of(6, 0);
	struct waiter ws[6];
	struct ibuf_mbuf *ms[6];
	pthread_t threads[6];
	uint32_t sum = 0;

	sleeps = 0;
	for (uint32_t i = 0; i < 6; i++) {
		ws[i] = (struct waiter){q, i % 2 ? NULL : &for_hours, NULL, 1};
		ms[i] = numbered(1u << i);
	}
	threads_start(threads, 6, wait_to_pop, ws, sizeof(ws[0]));
	await_sleeps(6);
	assert_int_equal(ibuf_queue_push_bulk(q, ms, 6), 6);
	threads_join(threads, 6);
	for (int i = 0; i < 6; i++) {
		sum |= number_of(ws[i].m);
		ibuf_mbuf_free(ws[i].m);
	}
	assert_int_equal(sum, 63);
	push_numbers(q, 1, 6);
	sleeps = 0;
	for (uint32_t i = 0; i < 6; i++)
		ws[i].m = numbered(1u << i);
	threads_start(threads, 6, wait_to_push, ws, sizeof(ws[0]));
	await_sleeps(6);
	assert_int_equal(ibuf_queue_pop_bulk(q, ms, 6), 6);
	threads_join(threads, 6);
	ibuf_mbuf_free_bulk(ms, 6);
	assert_int_equal(ibuf_queue_pop_bulk(q, ms, 6), 6);
	for (int i = 0; i < 6; i++)
		sum -= number_of(ms[i]);
	assert_int_equal(sum, 0);
	ibuf_mbuf_free_bulk(ms, 6);
	ibuf_queue_destroy(q);
}

TEST(those_who_wait_are_woken_in_the_order_in_which_they_came)
{
	struct ibuf_queue *q = queue_of(6, 0);
	struct waiter ws[4];
	pthread_t threads[4];

	sleeps = 0;
	for (int i = 0; i < 4; i++) {
		ws[i] = (struct waiter){q, NULL, NULL, 1};
		threads_start(&threads[i], 1, wait_to_pop, &ws[i], 0);
		await_sleeps(i + 1);
	}
	for (uint32_t i = 0; i < 4; i++) {
		push_numbers(q, i, i);
		threads_join(&threads[i], 1);
		assert_int_equal(ws[i].result, 0);
		assert_number(ws[i].m, i);
	}
	ibuf_queue_destroy(q);
}

TEST(closing_wakes_all_who_wait)
{
	for (int full = 0; full < 2; full++) {
		struct ibuf_queue *q = queue_of(1, 0);
		struct waiter ws[4];
		pthread_t threads[4];

		if (full)
			push_numbers(q, 1, 1);
		sleeps = 0;
		for (int i = 0; i < 4; i++)
			ws[i] = (struct waiter){q, i % 2 ? NULL : &for_hours,
						full ? numbered(2) : NULL, 1};
		threads_start(threads, 4, full ? wait_to_push : wait_to_pop, ws,
			      sizeof(ws[0]));
		await_sleeps(4);
		ibuf_queue_close(q);
		threads_join(threads, 4);
		for (int i = 0; i < 4; i++) {
			assert_int_equal(ws[i].result, -EPIPE);
			ibuf_mbuf_free(ws[i].m);
		}
		assert_int_equal(ibuf_queue_len(q), full);
		ibuf_queue_destroy(q);
	}
}

TEST(one_whose_time_is_over_takes_nobody_s_wake)
{
	for (int i = 0; i < 20; i++) {
		struct ibuf_queue *q = queue_of(4, 0);
		struct timespec short_time = {0, (i + 1) * 200000L};
		struct waiter ws[2] = {{q, &short_time, NULL, 1},
				       {q, &for_hours, NULL, 1}};
		pthread_t threads[2];

		sleeps = 0;
		threads_start(threads, 2, wait_to_pop, ws, sizeof(ws[0]));
		await_sleeps(2);
		sleep_ms(i % 3);
		push_numbers(q, 1, 1);
		threads_join(&threads[0], 1);
		if (ws[0].result == 0)
			push_numbers(q, 2, 2);
		else
			assert_int_equal(ws[0].result, -ETIMEDOUT);
		threads_join(&threads[1], 1);
		assert_int_equal(ws[1].result, 0);
		ibuf_mbuf_free(ws[0].m);
		ibuf_mbuf_free(ws[1].m);
		assert_none(q, -ETIMEDOUT);
		ibuf_queue_destroy(q);
	}
}

TEST(one_that_found_nothing_to_sleep_on_waits_all_the_same)
{
	struct ibuf_queue *q = queue_of(1, 0);
	struct waiter w = {q, &for_hours, NULL, 1};
	struct ibuf_mbuf *m = NULL;
	pthread_t thread;

	/* No condition variable can be made. */
	fault_from(1);
	assert_int_equal(ibuf_queue_pop_wait(q, &m, &a_while), -ETIMEDOUT);
	assert_true(fault_off());
	sleeps = 0;
	m = numbered(3);
	fault_from(1);
	threads_start(&thread, 1, wait_to_pop, &w, sizeof(w));
	sleep_ms(20);
	assert_int_equal(ibuf_queue_push(q, m), 0);
	threads_join(&thread, 1);
	assert_true(fault_off());
	assert_int_equal(sleeps, 0);
	assert_int_equal(w.result, 0);
	assert_number(w.m, 3);
	ibuf_queue_destroy(q);
}

/* ---- interrupted ---------------------------------------------------- */

static void
nothing(int number)
{
	(void)number;
}

TEST(a_signal_ends_no_wait)
{
	struct sigaction action = {.sa_handler = nothing}, before;
	struct ibuf_queue *q = queue_of(1, 0);
	struct waiter w = {q, NULL, NULL, 1};
	pthread_t thread;

	assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
	sleeps = 0;
	threads_start(&thread, 1, wait_to_pop, &w, sizeof(w));
	await_sleeps(1);
	for (int i = 0; i < 20; i++) {
		pthread_kill(thread, SIGUSR1);
		sleep_ms(1);
	}
	assert_int_equal(w.result, 1);
	push_numbers(q, 1, 1);
	threads_join(&thread, 1);
	assert_int_equal(w.result, 0);
	assert_number(w.m, 1);
	sigaction(SIGUSR1, &before, NULL);
	ibuf_queue_destroy(q);
}

/* ---- cancelled ------------------------------------------------------ */

static void
cancel(pthread_t thread)
{
	void *result;

	assert_int_equal(pthread_cancel(thread), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, PTHREAD_CANCELED);
}

TEST(one_that_is_cancelled_leaves_the_queue_in_order)
{
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(1, flags);
		struct waiter w = {q, flags % 2 ? NULL : &for_hours, NULL, 1};
		pthread_t thread;

		sleeps = 0;
		threads_start(&thread, 1, wait_to_pop, &w, sizeof(w));
		await_sleeps(1);
		cancel(thread);
		push_numbers(q, 1, 1);
		w.m = numbered(2);
		threads_start(&thread, 1, wait_to_push, &w, sizeof(w));
		await_sleeps(2);
		cancel(thread);
		assert_number(w.m, 2);
		pop_numbers(q, 1, 1);
		assert_none(q, -ETIMEDOUT);
		push_numbers(q, 3, 3);
		assert_refused(q, -EAGAIN);
		ibuf_queue_close(q);
		ibuf_queue_destroy(q);
	}
}

TEST(a_wake_that_a_cancelled_thread_got_goes_to_the_next)
{
	for (int i = 0; i < 300; i++) {
		struct ibuf_queue *q = queue_of(4, 0);
		struct waiter ws[2] = {{q, NULL, NULL, 1}, {q, NULL, NULL, 1}};
		pthread_t threads[2];
		void *result;

		sleeps = 0;
		threads_start(&threads[0], 1, wait_to_pop, &ws[0], 0);
		await_sleeps(1);
		threads_start(&threads[1], 1, wait_to_pop, &ws[1], 0);
		await_sleeps(2);
		/* The first is woken and cancelled at once, in either order. */
		if (i % 2 == 0)
			pthread_cancel(threads[0]);
		push_numbers(q, 1, 1);
		if (i % 2 != 0)
			pthread_cancel(threads[0]);
		assert_int_equal(pthread_join(threads[0], &result), 0);
		if (result != PTHREAD_CANCELED)
			push_numbers(q, 2, 2);
		else
			assert_int_equal(ws[0].result, 1);
		threads_join(&threads[1], 1);
		assert_int_equal(ws[1].result, 0);
		ibuf_mbuf_free(ws[0].m);
		ibuf_mbuf_free(ws[1].m);
		assert_none(q, -ETIMEDOUT);
		ibuf_queue_destroy(q);
	}
}

static void *
push_and_pop(void *arg)
{
	struct waiter *w = arg;

	/* A request that is pending is none of theirs. */
	pthread_cancel(pthread_self());
	w->result = ibuf_queue_push(w->q, w->m);
	w->m = ibuf_queue_pop(w->q);
	ibuf_queue_close(w->q);
	return w;
}

TEST(what_does_not_wait_is_no_cancellation_point)
{
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(1, flags);
		struct waiter w = {q, NULL, numbered(1), 1};
		struct waiter other = {q, NULL, NULL, 1};
		pthread_t threads[2];
		void *result;

		/* With somebody to wake and a descriptor to set. */
		assert_true(ibuf_queue_fd(q) >= 0);
		sleeps = 0;
		if ((flags & IBUF_QUEUE_F_SINGLE_CONSUMER) == 0) {
			threads_start(&threads[1], 1, wait_to_pop, &other, 0);
			await_sleeps(1);
		}
		threads_start(&threads[0], 1, push_and_pop, &w, 0);
		assert_int_equal(pthread_join(threads[0], &result), 0);
		assert_ptr_equal(result, &w);
		assert_int_equal(w.result, 0);
		if ((flags & IBUF_QUEUE_F_SINGLE_CONSUMER) == 0)
			threads_join(&threads[1], 1);
		ibuf_mbuf_free(w.m);
		ibuf_mbuf_free(other.m);
		ibuf_queue_destroy(q);
	}
}

/* ---- many rounds ---------------------------------------------------- */

#define ROUNDS (int)test_rounds(3000)

static void *
push_rounds(void *arg)
{
	struct waiter *w = arg;
	int i;

	for (i = 0; i < ROUNDS; i++)
		if (ibuf_queue_push_wait(w->q, w->m, w->timeout) != 0)
			break;
	w->result = i;
	return NULL;
}

static void *
pop_rounds(void *arg)
{
	struct waiter *w = arg;
	int i;

	for (i = 0; i < ROUNDS; i++)
		if (ibuf_queue_pop_wait(w->q, &w->m, w->timeout) != 0)
			break;
	w->result = i;
	return NULL;
}

TEST(all_who_wait_get_their_turns)
{
	static struct ibuf_mbuf *m;

	m = numbered(1);
	for (size_t capacity = 1; capacity <= 3; capacity++) {
		struct ibuf_queue *q = queue_of(capacity, 0);
		struct waiter ws[6];
		pthread_t threads[6];

		for (int i = 0; i < 6; i++)
			ws[i] = (struct waiter){q, i % 2 ? NULL : &for_hours, m,
						0};
		threads_start(threads, 3, push_rounds, ws, sizeof(ws[0]));
		threads_start(threads + 3, 3, pop_rounds, ws + 3,
			      sizeof(ws[0]));
		threads_join(threads, 6);
		for (int i = 0; i < 6; i++)
			assert_int_equal(ws[i].result, ROUNDS);
		assert_none(q, -ETIMEDOUT);
		ibuf_queue_destroy(q);
	}
	ibuf_mbuf_free(m);
}
