/* test_queue_close.c - a queue is closed: what is refused, what is left. */
#include "queues.h"

TEST(a_closed_queue_refuses_pushes_and_gives_what_is_inside)
{
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(3, flags);
		struct ibuf_mbuf *ms[2];

		push_numbers(q, 1, 2);
		ibuf_queue_close(q);
		assert_refused(q, -EPIPE);
		assert_int_equal(ibuf_queue_len(q), 2);
		assert_int_equal(ibuf_queue_pop_wait(q, &ms[0], NULL), 0);
		assert_number(ms[0], 1);
		assert_int_equal(ibuf_queue_pop_bulk(q, ms, 2), 1);
		assert_number(ms[0], 2);
		assert_none(q, -EPIPE);
		assert_int_equal(ibuf_queue_pop_wait(q, ms, NULL), -EPIPE);
		ibuf_queue_destroy(q);
	}
}

TEST(a_queue_that_is_closed_and_full_says_closed)
{
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(2, flags);

		push_numbers(q, 1, 2);
		assert_refused(q, -EAGAIN);
		ibuf_queue_close(q);
		assert_refused(q, -EPIPE);
		pop_numbers(q, 1, 1);
		assert_refused(q, -EPIPE);
		pop_numbers(q, 2, 2);
		assert_none(q, -EPIPE);
		ibuf_queue_destroy(q);
	}
}

TEST(closing_twice_is_closing_once)
{
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(1, flags);

		ibuf_queue_close(q);
		ibuf_queue_close(q);
		assert_none(q, -EPIPE);
		assert_refused(q, -EPIPE);
		ibuf_queue_destroy(q);
	}
}

/* ---- against pushes ------------------------------------------------- */

struct pusher {
	struct ibuf_queue *q;
	struct gate *start;
	uint32_t pushed;
};

/* Push until the queue is closed; what was refused is ours. */
static void *
push_until_closed(void *arg)
{
	struct pusher *p = arg;
	struct ibuf_mbuf *m = NULL;
	int error = 0;

	gate_wait(p->start);
	while (error != -EPIPE) {
		if (m == NULL)
			m = ibuf_mbuf_new(0);
		error = ibuf_queue_push(p->q, m);
		if (error == 0) {
			p->pushed++;
			m = NULL;
		}
	}
	ibuf_mbuf_free(m);
	return NULL;
}

static void *
close_soon(void *arg)
{
	struct pusher *p = arg;

	gate_wait(p->start);
	for (volatile uint32_t n = p->pushed; n > 0; n--)
		;
	p->pushed = 0;
	ibuf_queue_close(p->q);
	return NULL;
}

/* Each push is in before a popper hears that nothing comes, or is refused. */
static void
close_against(unsigned flags, uint32_t delay, size_t pushers)
{
	struct ibuf_queue *q = queue_of(64, flags);
	struct gate start = GATE_INIT(pushers + 1);
	struct pusher ps[3] = {
		{q, &start, delay}, {q, &start, 0}, {q, &start, 0}};
	pthread_t threads[3];
	struct ibuf_mbuf *m;
	uint32_t popped = 0;

	threads_start(&threads[0], 1, close_soon, &ps[0], sizeof(ps[0]));
	threads_start(&threads[1], pushers, push_until_closed, &ps[1],
		      sizeof(ps[0]));
	for (; ibuf_queue_pop_wait(q, &m, NULL) == 0; popped++)
		ibuf_mbuf_free(m);
	threads_join(threads, pushers + 1);
	assert_int_equal(popped, ps[1].pushed + ps[2].pushed);
	assert_none(q, -EPIPE);
	ibuf_queue_destroy(q);
}

TEST(no_message_comes_once_a_popper_was_told_that_none_will)
{
	for (uint32_t i = 0; i < test_rounds(300); i++) {
		close_against(ALL_FLAGS, i * 37 % 2000, 1);
		close_against(IBUF_QUEUE_F_SINGLE_CONSUMER, i * 37 % 2000, 2);
	}
}

static void *
close_it(void *arg)
{
	struct pusher *p = arg;

	gate_wait(p->start);
	ibuf_queue_close(p->q);
	/* Whoever has closed it finds it closed, also when others did it. */
	if (ibuf_queue_push(p->q, NULL) == -EPIPE &&
	    ibuf_queue_pop_wait(p->q, NULL, NULL) == -EPIPE)
		p->pushed = 1;
	return NULL;
}

TEST(many_may_close_at_once)
{
	for (int i = 0; i < 50; i++) {
		struct ibuf_queue *q = queue_of(1, 0);
		struct gate start = GATE_INIT(4);
		struct pusher ps[4];

		for (int k = 0; k < 4; k++)
			ps[k] = (struct pusher){q, &start, 0};
		threads_run(4, close_it, ps, sizeof(ps[0]));
		for (int k = 0; k < 4; k++)
			assert_int_equal(ps[k].pushed, 1);
		ibuf_queue_destroy(q);
	}
}
