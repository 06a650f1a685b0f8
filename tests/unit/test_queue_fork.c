/*
 * test_queue_fork.c - a process that has queues forks: both go on with what
 * was inside, whatever other threads did.
 */
#include "queues.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run body in a child that has ten seconds; 0: all was right there. */
static int
in_child(int (*body)(struct ibuf_queue *q), struct ibuf_queue *q)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(10);
		_exit(body(q));
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		fail_msg("the child died of signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what))                                                   \
			return __LINE__ % 255 + 1;                             \
	} while (0)

/* ---- quiet ---------------------------------------------------------- */

/* What is inside is 1 and 2, and there is room for one more. */
static int
works_in_child(struct ibuf_queue *q)
{
	uint32_t three = 3;
	struct ibuf_mbuf *m = ibuf_mbuf_from(&three, 4), *ms[3];

	CHECK(ibuf_queue_len(q) == 2);
	CHECK(ibuf_queue_push(q, m) == 0);
	CHECK(ibuf_queue_push(q, m) == -EAGAIN);
	CHECK(ibuf_queue_push_wait(q, m, &a_while) == -ETIMEDOUT);
	CHECK(ibuf_queue_pop_bulk(q, ms, 3) == 3);
	for (uint32_t i = 0; i < 3; i++)
		CHECK(number_of(ms[i]) == i + 1);
	CHECK(ibuf_queue_pop_wait(q, &m, &a_while) == -ETIMEDOUT);
	ibuf_queue_close(q);
	CHECK(ibuf_queue_pop_wait(q, &m, NULL) == -EPIPE);
	ibuf_mbuf_free_bulk(ms, 3);
	ibuf_queue_destroy(q);
	return 0;
}

TEST(parent_and_child_have_what_was_inside)
{
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(3, flags);

		push_numbers(q, 1, 2);
		assert_int_equal(in_child(works_in_child, q), 0);
		push_numbers(q, 3, 3);
		pop_numbers(q, 1, 3);
		assert_none(q, -ETIMEDOUT);
		ibuf_queue_destroy(q);
	}
}

/* ---- with threads --------------------------------------------------- */

struct worker {
	struct ibuf_queue *q;
	struct ibuf_mbuf *m;
	atomic_bool *over;
	int result;
};

static void *
wait_to_pop(void *arg)
{
	struct worker *w = arg;

	w->result = ibuf_queue_pop_wait(w->q, &w->m, NULL);
	return NULL;
}

/* Nobody waits here: a push wakes no one, and a close waits for no one. */
static int
has_no_waiters(struct ibuf_queue *q)
{
	uint32_t one = 1;
	struct ibuf_mbuf *m = ibuf_mbuf_from(&one, 4);

	CHECK(ibuf_queue_push(q, m) == 0);
	CHECK(ibuf_queue_pop_wait(q, &m, NULL) == 0);
	CHECK(number_of(m) == 1);
	ibuf_mbuf_free(m);
	ibuf_queue_destroy(q);
	return 0;
}

/* Its stack is that of a thread of the parent, so what was left in it is not
   to be met by chance. */
static void *
wait_deeper(void *arg)
{
	volatile char deep[5000];

	deep[0] = 0;
	wait_to_pop(arg);
	deep[1] = deep[0];
	return NULL;
}

/* A thread that waits here is woken, and not one that is not here. */
static int
wakes_its_own(struct ibuf_queue *q)
{
	struct worker w = {q, NULL, NULL, 1};
	struct ibuf_mbuf *m = ibuf_mbuf_new(4);
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, wait_deeper, &w) == 0);
	sleep_ms(20);
	CHECK(ibuf_queue_push(q, m) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(w.result == 0 && w.m == m);
	return 0;
}

TEST(who_waits_in_the_parent_does_not_in_the_child)
{
	struct ibuf_queue *q = queue_of(3, 0);
	struct worker w = {q, NULL, NULL, 1};
	pthread_t thread;

	threads_start(&thread, 1, wait_to_pop, &w, sizeof(w));
	sleep_ms(20);
	assert_int_equal(in_child(has_no_waiters, q), 0);
	/* The thread sanitizer allows no new threads there. */
#if !defined(__SANITIZE_THREAD__)
	assert_int_equal(in_child(wakes_its_own, q), 0);
#else
	(void)wakes_its_own;
#endif
	push_numbers(q, 2, 2);
	threads_join(&thread, 1);
	assert_int_equal(w.result, 0);
	assert_number(w.m, 2);
	ibuf_queue_destroy(q);
}

static void *
push_for_ever(void *arg)
{
	struct worker *w = arg;

	while (!*w->over)
		(void)!ibuf_queue_push(w->q, w->m);
	return NULL;
}

static void *
pop_for_ever(void *arg)
{
	struct worker *w = arg;

	while (!*w->over)
		(void)!ibuf_queue_pop(w->q);
	return NULL;
}

static struct ibuf_mbuf *the_message;

/* Whatever was under way: all that is inside is the message, and no more
   than fits. */
static int
is_in_order(struct ibuf_queue *q)
{
	struct ibuf_mbuf *m;
	size_t len = ibuf_queue_len(q), n;

	CHECK(len <= 5);
	for (n = 0; (m = ibuf_queue_pop(q)) != NULL; n++)
		CHECK(m == the_message);
	CHECK(n == len);
	for (n = 0; ibuf_queue_push(q, the_message) == 0; n++)
		CHECK(n < 5);
	CHECK(n == 5);
	ibuf_queue_close(q);
	for (n = 0; ibuf_queue_pop_wait(q, &m, NULL) == 0; n++)
		CHECK(m == the_message);
	CHECK(n == 5);
	return 0;
}

TEST(a_fork_meets_pushes_and_pops_only_before_or_behind)
{
	the_message = numbered(1);
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(5, flags);
		atomic_bool over = false;
		struct worker w = {q, the_message, &over, 0};
		pthread_t threads[2];

		threads_start(&threads[0], 1, push_for_ever, &w, 0);
		threads_start(&threads[1], 1, pop_for_ever, &w, 0);
		for (unsigned i = test_rounds(16); i > 0; i--)
			assert_int_equal(in_child(is_in_order, q), 0);
		over = true;
		threads_join(threads, 2);
		while (ibuf_queue_pop(q) != NULL)
			;
		ibuf_queue_destroy(q);
	}
	ibuf_mbuf_free(the_message);
}

/* ---- the descriptor -------------------------------------------------- */

static bool
is_readable(struct ibuf_queue *q)
{
	struct pollfd p = {.fd = ibuf_queue_fd(q), .events = POLLIN};

	return poll(&p, 1, 0) == 1 && p.revents == POLLIN;
}

static int fd_of_parent;

static int
has_a_descriptor_of_its_own(struct ibuf_queue *q)
{
	struct ibuf_mbuf *m;

	CHECK(ibuf_queue_fd(q) == fd_of_parent);
	if (ibuf_queue_len(q) != 0) {
		CHECK(is_readable(q));
		m = ibuf_queue_pop(q);
		CHECK(ibuf_queue_pop(q) == NULL);
		CHECK(!is_readable(q));
	} else {
		CHECK(!is_readable(q));
		m = ibuf_mbuf_new(4);
		CHECK(ibuf_queue_push(q, m) == 0);
		CHECK(is_readable(q));
	}
	return 0;
}

TEST(what_the_child_does_to_its_descriptor_is_not_seen_in_the_parent)
{
	struct ibuf_queue *q = queue_of(3, 0);

	fd_of_parent = ibuf_queue_fd(q);
	assert_false(is_readable(q));
	assert_int_equal(in_child(has_a_descriptor_of_its_own, q), 0);
	assert_false(is_readable(q));
	push_numbers(q, 1, 1);
	assert_true(is_readable(q));
	assert_int_equal(in_child(has_a_descriptor_of_its_own, q), 0);
	assert_true(is_readable(q));
	pop_numbers(q, 1, 1);
	assert_none(q, -ETIMEDOUT);
	assert_false(is_readable(q));
	ibuf_queue_destroy(q);
}
