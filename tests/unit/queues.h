/* queues.h - queues of numbered messages, for the tests of queues. */
#ifndef QUEUES_H
#define QUEUES_H

#include "threads.h"

#define ALL_FLAGS (IBUF_QUEUE_F_SINGLE_PRODUCER | IBUF_QUEUE_F_SINGLE_CONSUMER)

/* With each of the four sets of promises. */
#define for_each_promise(flags)                                                \
	for (unsigned flags = 0; flags <= ALL_FLAGS; flags++)

static const struct timespec no_time = {0, 0};
static const struct timespec a_while = {0, 30 * 1000000};
static const struct timespec for_hours = {7200, 0};

static inline struct ibuf_queue *
queue_of(size_t capacity, unsigned flags)
{
	struct ibuf_queue *q = NULL;

	assert_int_equal(ibuf_queue_create(&q, capacity, flags), 0);
	assert_non_null(q);
	assert_int_equal(ibuf_queue_len(q), 0);
	return q;
}

static inline struct ibuf_mbuf *
numbered(uint32_t number)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from(&number, sizeof(number));

	assert_non_null(m);
	return m;
}

static inline uint32_t
number_of(const struct ibuf_mbuf *m)
{
	uint32_t number;

	memcpy(&number, ibuf_mbuf_data(m), sizeof(number));
	return number;
}

/* The message is this one; it is freed. */
static inline void
assert_number(struct ibuf_mbuf *m, uint32_t number)
{
	assert_non_null(m);
	assert_int_equal(number_of(m), number);
	ibuf_mbuf_free(m);
}

/* Push the messages first to last, which fit. */
static inline void
push_numbers(struct ibuf_queue *q, uint32_t first, uint32_t last)
{
	for (uint32_t i = first; i <= last; i++)
		assert_int_equal(ibuf_queue_push(q, numbered(i)), 0);
}

/* Pop the messages first to last, which are there. */
static inline void
pop_numbers(struct ibuf_queue *q, uint32_t first, uint32_t last)
{
	for (uint32_t i = first; i <= last; i++)
		assert_number(ibuf_queue_pop(q), i);
}

/* A push gives this error, and the message is ours. */
static inline void
assert_refused(struct ibuf_queue *q, int error)
{
	struct ibuf_mbuf *m = numbered(4711);
	size_t len = ibuf_queue_len(q);

	assert_int_equal(ibuf_queue_push(q, m), error);
	assert_int_equal(ibuf_queue_push_bulk(q, &m, 1), 0);
	assert_int_equal(ibuf_queue_push_wait(q, m, &no_time),
			 error == -EAGAIN ? -ETIMEDOUT : error);
	assert_int_equal(ibuf_queue_len(q), len);
	assert_number(m, 4711);
}

/* Nothing is there, by each way to ask; pop_wait says why. */
static inline void
assert_none(struct ibuf_queue *q, int error)
{
	struct ibuf_mbuf *untouched = (struct ibuf_mbuf *)(void *)q;
	struct ibuf_mbuf *m = untouched;

	assert_null(ibuf_queue_pop(q));
	assert_int_equal(ibuf_queue_pop_bulk(q, &m, 1), 0);
	assert_int_equal(ibuf_queue_pop_wait(q, &m, &no_time), error);
	assert_ptr_equal(m, untouched);
	assert_int_equal(ibuf_queue_len(q), 0);
}

#endif
