/*
 * race.h - what the race programs share.
 *
 *	race_NAME [CYCLES [SEED]]
 *
 * Each runs CYCLES cycles on several threads and ends at the first thing
 * that is wrong, having said the cycle and the seed.  ctest runs as many as
 * take a second or two, and under a sanitizer, which takes ten times as long,
 * half as many; the long runs are for people:
 *
 *	build/release/tests/race/race_ownership 100000000
 *
 * The programs order their threads by nothing but what a real program would:
 * whatever else they share is relaxed, so that ThreadSanitizer sees each
 * ordering that the library misses.
 */
#ifndef RACE_H
#define RACE_H

#include "../sanitizers.h"

#include <ibuf/ibuf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t race_cycles;
static uint32_t race_seed = 1;

#define RACE_SHARE (WITH_ASAN || WITH_TSAN ? 2 : 1)

static inline void
race_arguments(int argc, char **argv, uint64_t cycles)
{
	race_cycles =
		argc > 1 ? strtoull(argv[1], NULL, 10) : cycles / RACE_SHARE;
	if (argc > 2)
		race_seed = (uint32_t)strtoul(argv[2], NULL, 10);
	printf("%s %llu %lu\n", argv[0], (unsigned long long)race_cycles,
	       (unsigned long)race_seed);
	fflush(stdout);
}

#define check(what, cycle)                                                     \
	do {                                                                   \
		if (!(what))                                                   \
			race_over(#what, __FILE__, __LINE__, cycle);           \
	} while (0)

_Noreturn static inline void
race_over(const char *what, const char *file, int line, uint64_t cycle)
{
	fprintf(stderr, "%s:%d: not so: %s, in cycle %llu, seed %lu\n", file,
		line, what, (unsigned long long)cycle,
		(unsigned long)race_seed);
	abort();
}

/* Numbers that are the same in each run, for each thread its own. */
static inline uint32_t
race_random_init(uint32_t thread)
{
	uint32_t state = race_seed * 2654435761u ^ (thread + 1) * 2246822519u;

	return state == 0 ? 1 : state;
}

static inline uint32_t
race_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Run one body on n threads, the i-th with args + i * size. */
static inline void
race_run(size_t n, void *(*body)(void *), void *args, size_t size)
{
	pthread_t threads[16];

	for (size_t i = 0; i < n; i++)
		check(pthread_create(&threads[i], NULL, body,
				     (char *)args + i * size) == 0,
		      0);
	for (size_t i = 0; i < n; i++)
		check(pthread_join(threads[i], NULL) == 0, 0);
}

/* While nobody is inside the pool: all is in the pool, nothing is lost. */
static inline void
race_check_books(const struct ibuf_pool *p, uint64_t cycle)
{
	struct ibuf_pool_stats s;

	check(ibuf_pool_get_stats(p, &s, sizeof(s)) == 0, cycle);
	check(s.allocated == 0, cycle);
	check(s.handles == 0, cycle);
	check(s.capacity == s.available, cycle);
	check(s.cached <= s.available, cycle);
	check(s.allocs == s.frees, cycle);
}

#endif
