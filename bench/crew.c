/*
 * crew.c - pinned threads that all run the same workload at once.
 *
 * Two barriers frame a run; between the first one and the work each thread
 * spins until all of them are awake, so that what is timed is not how fast the
 * kernel wakes a thread.  Where threads outnumber CPUs that would stall, and
 * is left out.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

static struct crew {
	pthread_t *threads;
	double *began, *ended;
	unsigned n;
	unsigned awake; /* atomic */
	bool over;
	pthread_barrier_t start, end;
	bench_run_fn *run;
	uint64_t times;
} crew;

/* ---- CPUs ---------------------------------------------------------- */

/* Those the program was started with, before it pinned itself. */
static const cpu_set_t *
allowed(void)
{
	static cpu_set_t set;
	static bool known;

	if (!known && sched_getaffinity(0, sizeof set, &set) != 0)
		bench_die("sched_getaffinity");
	known = true;
	return &set;
}

unsigned
bench_cpus(void)
{
	return (unsigned)CPU_COUNT(allowed());
}

unsigned
bench_cpu(unsigned i)
{
	unsigned cpu = 0;

	for (i %= bench_cpus();; cpu++)
		if (CPU_ISSET(cpu, allowed()) && i-- == 0)
			return cpu;
}

void
bench_pin(unsigned i)
{
	cpu_set_t set;
	unsigned cpu = bench_cpu(i);

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
		bench_die("pthread_setaffinity_np");
}

/* ---- the crew ------------------------------------------------------ */

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
wait_until_all_are_awake(void)
{
	__atomic_add_fetch(&crew.awake, 1, __ATOMIC_ACQ_REL);
	while (crew.n <= bench_cpus() &&
	       __atomic_load_n(&crew.awake, __ATOMIC_ACQUIRE) < crew.n)
		;
}

static void *
member(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg;

	bench_pin(i);
	bench_peer.enter();
	for (;;) {
		pthread_barrier_wait(&crew.start);
		if (crew.over)
			break;
		wait_until_all_are_awake();
		crew.began[i] = now();
		crew.run(crew.times, i);
		crew.ended[i] = now();
		pthread_barrier_wait(&crew.end);
	}
	bench_peer.leave();
	return NULL;
}

void
bench_crew_start(unsigned threads)
{
	unsigned i;

	crew.n = threads;
	crew.over = false;
	crew.threads = calloc(threads, sizeof *crew.threads);
	crew.began = calloc(threads, sizeof *crew.began);
	crew.ended = calloc(threads, sizeof *crew.ended);
	if (crew.threads == NULL || crew.began == NULL || crew.ended == NULL)
		bench_die("no memory for the threads");
	pthread_barrier_init(&crew.start, NULL, threads + 1);
	pthread_barrier_init(&crew.end, NULL, threads + 1);
	for (i = 0; i < threads; i++)
		if (pthread_create(&crew.threads[i], NULL, member,
				   (void *)(uintptr_t)i) != 0)
			bench_die("pthread_create");
}

double
bench_crew_run(bench_run_fn *run, uint64_t n)
{
	double began, ended;
	unsigned i;

	crew.run = run;
	crew.times = n;
	crew.awake = 0;
	pthread_barrier_wait(&crew.start);
	pthread_barrier_wait(&crew.end);
	began = crew.began[0];
	ended = crew.ended[0];
	for (i = 1; i < crew.n; i++) {
		began = crew.began[i] < began ? crew.began[i] : began;
		ended = crew.ended[i] > ended ? crew.ended[i] : ended;
	}
	return ended - began;
}

void
bench_crew_stop(void)
{
	unsigned i;

	crew.over = true;
	pthread_barrier_wait(&crew.start);
	for (i = 0; i < crew.n; i++)
		pthread_join(crew.threads[i], NULL);
	pthread_barrier_destroy(&crew.start);
	pthread_barrier_destroy(&crew.end);
	free(crew.threads);
	free(crew.began);
	free(crew.ended);
}
