/*
 * ck.c - Concurrency Kit's ring, which is all that it has of this: no bulk.
 *
 * Its functions for one producer and one consumer, or for many, are chosen by
 * the caller.
 */
#include "../bench.h"

#include <ck_ring.h>
#include <stdbool.h>
#include <stdlib.h>

struct queue {
	ck_ring_t ring;
	ck_ring_buffer_t *slots;
};

#define QUEUE struct queue *

static QUEUE
queue_new(size_t slots, bool many)
{
	QUEUE q = aligned_alloc(64, (sizeof *q + 63) / 64 * 64);

	(void)many;
	if (q == NULL)
		bench_die("aligned_alloc");
	q->slots = aligned_alloc(64, (slots + 1) * sizeof *q->slots);
	if (q->slots == NULL)
		bench_die("aligned_alloc");
	ck_ring_init(&q->ring, (unsigned)slots + 1);
	return q;
}

static void
queue_free(QUEUE q)
{
	free(q->slots);
	free(q);
}

static BENCH_INLINE bool
queue_push(QUEUE q, void *p)
{
	return ck_ring_enqueue_spsc(&q->ring, q->slots, p);
}

static BENCH_INLINE void *
queue_pop(QUEUE q)
{
	void *p;

	return ck_ring_dequeue_spsc(&q->ring, q->slots, &p) ? p : NULL;
}

#define HAS_QUEUE_MANY
static BENCH_INLINE bool
queue_push_many(QUEUE q, void *p)
{
	return ck_ring_enqueue_mpmc(&q->ring, q->slots, p);
}

static BENCH_INLINE void *
queue_pop_many(QUEUE q)
{
	void *p;

	return ck_ring_dequeue_mpmc(&q->ring, q->slots, &p) ? p : NULL;
}

#include "../loops/queue.h"

static const struct bench_case cases[] = {
	QUEUE_CASES{NULL, NULL, NULL, NULL},
};

static const char *
version(void)
{
	return "0.7.1";
}

static void
start(unsigned cpu)
{
	(void)cpu;
}

static void
open_nothing(const struct bench_setup *setup)
{
	(void)setup;
}

static void
nothing(void)
{
}

const struct bench_peer bench_peer = {
	.name = "ck",
	.most = 0,
	.version = version,
	.start = start,
	.open = open_nothing,
	.close = nothing,
	.enter = nothing,
	.leave = nothing,
	.cases = cases,
};
