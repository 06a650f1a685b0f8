/*
 * threads.h - threads that a test starts together and waits for.
 *
 * Assertions jump, and only the test's own thread may: the others count what
 * they find wrong in an atomic, and the test asserts that it is 0.
 */
#ifndef THREADS_H
#define THREADS_H

#include "pools.h"

#include <pthread.h>
#include <time.h>

/* Start n threads of one body; thread i gets args + i * size. */
static inline void
threads_start(pthread_t *threads, size_t n, void *(*body)(void *arg),
	      void *args, size_t size)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, body,
						(uint8_t *)args + i * size),
				 0);
}

static inline void
threads_join(const pthread_t *threads, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* Run n threads of one body from start to end. */
static inline void
threads_run(size_t n, void *(*body)(void *arg), void *args, size_t size)
{
	pthread_t threads[16];

	assert_true(n <= 16);
	threads_start(threads, n, body, args, size);
	threads_join(threads, n);
}

/* A barrier that libc may not have. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t opened;
	size_t missing; /* threads that have not come yet */
};

#define GATE_INIT(n)                                                           \
	{                                                                      \
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, n         \
	}

/* Wait until all have come; a gate opens once. */
static inline void
gate_wait(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	if (--gate->missing == 0)
		pthread_cond_broadcast(&gate->opened);
	while (gate->missing != 0)
		pthread_cond_wait(&gate->opened, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

/* Numbers that are the same in each run; state is not 0. */
static inline uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static inline int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void
sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

#endif
