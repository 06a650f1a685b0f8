/*
 * queue.h - pointers from threads to threads, through what the peer has for
 * that: W17, W17b, W17m.
 *
 * A peer has QUEUE, a pointer; queue_new(slots, many), for one thread on each
 * side or for many; queue_free(q); queue_push(q, p), false when it is full;
 * queue_pop(q), NULL when it is empty.  With HAS_QUEUE_BULK also
 * queue_push_bulk(q, ps, n) and queue_pop_bulk(q, ps, n), which give how many;
 * with HAS_QUEUE_MANY also queue_push_many(q, p) and queue_pop_many(q), which
 * are for many threads where that is said with each call.
 *
 * All have room for 1023 and are written to and read as soon as possible; what
 * goes through is never looked at.
 */
#ifndef BENCH_LOOPS_QUEUE_H
#define BENCH_LOOPS_QUEUE_H

#include "../bench.h"
#include "../ring.h"

#include <stdbool.h>

static QUEUE loop_queue;

/* ---- W17: one by one ------------------------------------------------ */

static void
queue_prepare(const struct bench_setup *setup)
{
	(void)setup;
	loop_queue = queue_new(RING_SLOTS - 1, false);
}

static void
queue_finish(void)
{
	queue_free(loop_queue);
}

static void
run_queue(uint64_t n, unsigned thread)
{
	QUEUE q = loop_queue;
	unsigned tries = 0;
	void *p;

	while (n-- > 0) {
		if (thread == 0) {
			while (!queue_push(q, bench_source + n % BENCH_SOURCE))
				ring_wait(&tries);
		} else {
			while ((p = queue_pop(q)) == NULL)
				ring_wait(&tries);
			BENCH_KEEP(p);
		}
	}
}

/* ---- W17b: by 32 ---------------------------------------------------- */

#ifdef HAS_QUEUE_BULK
static void
run_queue_bulk(uint64_t n, unsigned thread)
{
	QUEUE q = loop_queue;
	unsigned tries = 0;
	void *ps[32];
	size_t i, done;

	for (i = 0; i < 32; i++)
		ps[i] = bench_source + i;
	while (n > 0) {
		size_t most = n < 32 ? (size_t)n : 32;

		BENCH_KEEP(ps);
		done = thread == 0 ? queue_push_bulk(q, ps, most)
				   : queue_pop_bulk(q, ps, most);
		BENCH_KEEP(ps);
		if (done == 0)
			ring_wait(&tries);
		n -= done;
	}
}
#endif

/* ---- W17m: two producers, two consumers ----------------------------- */

#ifdef HAS_QUEUE_MANY
static void
queue_prepare_many(const struct bench_setup *setup)
{
	(void)setup;
	loop_queue = queue_new(RING_SLOTS - 1, true);
}

static void
run_queue_many(uint64_t n, unsigned thread)
{
	QUEUE q = loop_queue;
	unsigned tries = 0;
	void *p;

	while (n-- > 0) {
		if (thread % 2 == 0) {
			while (!queue_push_many(q, bench_source +
							   n % BENCH_SOURCE))
				ring_wait(&tries);
		} else {
			while ((p = queue_pop_many(q)) == NULL)
				ring_wait(&tries);
			BENCH_KEEP(p);
		}
	}
}
#endif

/* ---- all of them ---------------------------------------------------- */

#ifdef HAS_QUEUE_BULK
#define QUEUE_BULK_CASE {"W17b", run_queue_bulk, queue_prepare, queue_finish},
#else
#define QUEUE_BULK_CASE
#endif
#ifdef HAS_QUEUE_MANY
#define QUEUE_MANY_CASE                                                        \
	{"W17m", run_queue_many, queue_prepare_many, queue_finish},
#else
#define QUEUE_MANY_CASE
#endif
#define QUEUE_CASES                                                            \
	{"W17", run_queue, queue_prepare, queue_finish},                       \
		QUEUE_BULK_CASE QUEUE_MANY_CASE

#endif
