/*
 * test_queue_fd.c - the descriptor of a queue: when it is readable, and what
 * it costs.
 */
#include "queues.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- system calls, and what leads to them --------------------------- */

static atomic_int calls; /* that go with a descriptor or a sleeper */
static atomic_int locks; /* what does not take the slow way takes none */

#define COUNTS(counter, type, name, declared, given)                           \
	type __real_##name declared;                                           \
	type __wrap_##name declared;                                           \
	type __wrap_##name declared                                            \
	{                                                                      \
		counter++;                                                     \
		return __real_##name given;                                    \
	}

COUNTS(calls, ssize_t, read, (int fd, void *to, size_t n), (fd, to, n))
COUNTS(calls, ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
COUNTS(calls, int, pthread_cond_signal, (pthread_cond_t * c), (c))
COUNTS(locks, int, pthread_mutex_lock, (pthread_mutex_t * m), (m))

/* ---- looking -------------------------------------------------------- */

static bool
is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n = poll(&p, 1, 0);

	assert_true(n >= 0);
	assert_int_equal(p.revents, n == 1 ? POLLIN : 0);
	return n == 1;
}

static int
fd_of(struct ibuf_queue *q)
{
	int fd = ibuf_queue_fd(q);

	assert_true(fd >= 0);
	assert_int_equal(ibuf_queue_fd(q), fd);
	return fd;
}

/* ---- when it is readable -------------------------------------------- */

TEST(a_descriptor_is_closed_on_exec_and_by_destroy)
{
	struct ibuf_queue *q = queue_of(1, 0);
	int fd = fd_of(q);

	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ibuf_queue_destroy(q);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
}

TEST(it_is_readable_once_a_message_is_there_until_a_pop_finds_none)
{
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(4, flags);
		struct ibuf_mbuf *m;
		int fd = fd_of(q);

		assert_false(is_readable(fd));
		for (int way = 0; way < 3; way++) {
			push_numbers(q, 1, 2);
			assert_true(is_readable(fd));
			assert_true(is_readable(fd));
			pop_numbers(q, 1, 2);
			assert_true(is_readable(fd));
			if (way == 0)
				assert_null(ibuf_queue_pop(q));
			if (way == 1)
				assert_int_equal(ibuf_queue_pop_bulk(q, &m, 1),
						 0);
			if (way == 2)
				assert_int_equal(
					ibuf_queue_pop_wait(q, &m, &no_time),
					-ETIMEDOUT);
			assert_false(is_readable(fd));
		}
		ibuf_queue_destroy(q);
	}
}

TEST(a_bulk_that_is_short_does_not_arm_it)
{
	struct ibuf_queue *q = queue_of(4, 0);
	struct ibuf_mbuf *ms[4] = {numbered(1), numbered(2)};
	int fd = fd_of(q);

	assert_int_equal(ibuf_queue_push_bulk(q, ms, 2), 2);
	assert_true(is_readable(fd));
	assert_int_equal(ibuf_queue_pop_bulk(q, ms, 4), 2);
	assert_true(is_readable(fd));
	ibuf_mbuf_free_bulk(ms, 2);
	assert_int_equal(ibuf_queue_pop_bulk(q, ms, 4), 0);
	assert_false(is_readable(fd));
	push_numbers(q, 3, 3);
	assert_int_equal(ibuf_queue_pop_bulk(q, ms, 0), 0);
	assert_true(is_readable(fd));
	ibuf_queue_destroy(q);
}

TEST(it_is_readable_at_once_where_messages_are_or_the_queue_is_closed)
{
	struct ibuf_queue *q = queue_of(2, ALL_FLAGS);

	push_numbers(q, 1, 1);
	assert_true(is_readable(fd_of(q)));
	ibuf_queue_destroy(q);
	q = queue_of(2, ALL_FLAGS);
	ibuf_queue_close(q);
	assert_true(is_readable(fd_of(q)));
	ibuf_queue_destroy(q);
}

TEST(once_closed_it_is_readable_for_ever)
{
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(2, flags);
		int fd = fd_of(q);

		if (flags != 0) {
			push_numbers(q, 1, 1);
			assert_true(is_readable(fd));
		}
		ibuf_queue_close(q);
		assert_true(is_readable(fd));
		if (flags != 0)
			pop_numbers(q, 1, 1);
		for (int i = 0; i < 3; i++) {
			assert_none(q, -EPIPE);
			assert_true(is_readable(fd));
		}
		ibuf_queue_destroy(q);
	}
}

TEST(all_who_poll_see_it)
{
	struct ibuf_queue *q = queue_of(2, 0);
	struct pollfd p[3];

	for (int i = 0; i < 3; i++)
		p[i] = (struct pollfd){.fd = fd_of(q), .events = POLLIN};
	assert_int_equal(poll(p, 3, 0), 0);
	push_numbers(q, 1, 1);
	assert_int_equal(poll(p, 3, 0), 3);
	ibuf_queue_destroy(q);
}

/* ---- what it costs -------------------------------------------------- */

TEST(a_consumer_that_keeps_up_causes_no_system_call)
{
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(8, flags);

		for (int has_fd = 0; has_fd < 2; has_fd++) {
			push_numbers(q, 0, 2);
			calls = locks = 0;
			for (uint32_t i = 0; i < 1000; i++) {
				int lock = locks;
				struct ibuf_mbuf *m = numbered(i + 3);

				locks = lock; /* the heap's are none of ours */
				assert_int_equal(ibuf_queue_push(q, m), 0);
				m = ibuf_queue_pop(q);
				assert_int_equal(locks, lock);
				assert_number(m, i);
			}
			assert_int_equal(calls, 0);
			pop_numbers(q, 1000, 1002);
			assert_int_equal(calls, 0);
			(void)fd_of(q);
		}
		ibuf_queue_destroy(q);
	}
}

TEST(an_armed_descriptor_costs_a_call_a_time_and_not_a_message)
{
	struct ibuf_queue *q = queue_of(8, 0);

	(void)fd_of(q);
	calls = 0;
	for (int i = 0; i < 5; i++)
		assert_none(q, -ETIMEDOUT);
	assert_int_equal(calls, 0);
	push_numbers(q, 1, 8);
	assert_int_equal(calls, 1);
	pop_numbers(q, 1, 8);
	assert_int_equal(calls, 1);
	assert_none(q, -ETIMEDOUT);
	assert_int_equal(calls, 2);
	ibuf_queue_destroy(q);
}

TEST(once_nobody_sleeps_any_more_a_message_costs_no_lock)
{
	static const struct timespec soon = {0, 1000};

	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(1, flags);
		struct ibuf_mbuf *m = numbered(1), *none;

		assert_int_equal(ibuf_queue_pop_wait(q, &none, &soon),
				 -ETIMEDOUT);
		locks = 0;
		assert_int_equal(ibuf_queue_push(q, m), 0);
		assert_int_equal(locks, 0);
		assert_int_equal(ibuf_queue_push_wait(q, m, &soon), -ETIMEDOUT);
		locks = 0;
		assert_ptr_equal(ibuf_queue_pop(q), m);
		assert_int_equal(locks, 0);
		ibuf_mbuf_free(m);
		ibuf_queue_destroy(q);
	}
}

TEST(a_closed_queue_that_has_run_empty_costs_neither_a_call_nor_a_lock)
{
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(2, flags);
		struct ibuf_mbuf *m;

		(void)fd_of(q);
		ibuf_queue_close(q);
		calls = locks = 0;
		for (int i = 0; i < 100; i++) {
			assert_null(ibuf_queue_pop(q));
			assert_int_equal(ibuf_queue_pop_bulk(q, &m, 1), 0);
			assert_int_equal(ibuf_queue_pop_wait(q, &m, NULL),
					 -EPIPE);
		}
		assert_int_equal(calls, 0);
		assert_int_equal(locks, 0);
		ibuf_queue_destroy(q);
	}
}

TEST(without_a_descriptor_nothing_is_armed)
{
	struct ibuf_queue *q = queue_of(8, 0);

	calls = 0;
	push_numbers(q, 1, 8);
	pop_numbers(q, 1, 8);
	assert_none(q, -ETIMEDOUT);
	assert_none(q, -ETIMEDOUT);
	assert_int_equal(calls, 0);
	ibuf_queue_destroy(q);
}

/* ---- trouble -------------------------------------------------------- */

TEST(without_descriptors_the_error_is_told_and_the_queue_works)
{
	struct ibuf_queue *q = queue_of(2, 0);
	struct rlimit limit, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int error = ibuf_queue_fd(q);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(error, -EMFILE);
	push_numbers(q, 1, 1);
	pop_numbers(q, 1, 1);
	assert_none(q, -ETIMEDOUT);
	assert_false(is_readable(fd_of(q)));
	ibuf_queue_destroy(q);
}

/* ---- threads -------------------------------------------------------- */

#define ROUNDS test_rounds(5000)

struct side {
	struct ibuf_queue *q;
	struct ibuf_mbuf *m;
	uint32_t done;
};

static void *
push_rounds(void *arg)
{
	struct side *s = arg;

	while (s->done < ROUNDS) {
		if (ibuf_queue_push(s->q, s->m) == 0)
			s->done++;
		else
			sched_yield();
	}
	return NULL;
}

/* A consumer that polls, and pops until there is none. */
static void *
poll_rounds(void *arg)
{
	struct side *s = arg;
	struct pollfd p = {.fd = ibuf_queue_fd(s->q), .events = POLLIN};

	for (;;) {
		if (poll(&p, 1, 10000) != 1)
			return NULL; /* a message was not told */
		while (ibuf_queue_pop(s->q) != NULL)
			s->done++;
		if (ibuf_queue_pop_wait(s->q, &s->m, &no_time) == -EPIPE)
			return s;
	}
}

static void
poll_with(unsigned flags, size_t consumers)
{
	struct ibuf_queue *q = queue_of(16, flags);
	struct ibuf_mbuf *m = numbered(1);
	struct side producer = {q, m, 0}, ss[3];
	pthread_t thread, threads[3];
	uint32_t lost = ROUNDS;
	void *result;

	for (size_t i = 0; i < consumers; i++)
		ss[i] = (struct side){q, NULL, 0};
	threads_start(threads, consumers, poll_rounds, ss, sizeof(ss[0]));
	threads_start(&thread, 1, push_rounds, &producer, 0);
	threads_join(&thread, 1);
	ibuf_queue_close(q);
	for (size_t i = 0; i < consumers; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_non_null(result);
		lost -= ss[i].done;
	}
	/* What pop_wait took in poll_rounds() is not counted there. */
	assert_true(lost < ROUNDS);
	ibuf_mbuf_free(m);
	ibuf_queue_destroy(q);
}

TEST(one_who_polls_is_told_of_every_message)
{
	poll_with(ALL_FLAGS, 1);
	poll_with(0, 1);
}

TEST(several_who_poll_are_told_of_every_message)
{
	poll_with(0, 3);
	poll_with(IBUF_QUEUE_F_SINGLE_PRODUCER, 3);
}
