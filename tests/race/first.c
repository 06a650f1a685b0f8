/*
 * first.c - several threads are the first of a program to use the library.
 *
 *	race_first [CYCLES]
 *
 * Each cycle is a process of its own, as there is only one first time.  Half of
 * them begin with messages of the heap, the others with pools.
 */
#include <ibuf/ibuf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4

static pthread_barrier_t start;

static void *
use(void *arg)
{
	const int *with_pool = arg;
	struct ibuf_pool *pool = NULL;
	struct ibuf_mbuf *m;

	pthread_barrier_wait(&start);
	if (*with_pool)
		pool = ibuf_pool_new(4, 64);
	m = *with_pool ? ibuf_pool_alloc(pool) : ibuf_mbuf_new(64);
	if (m == NULL || ibuf_mbuf_append(m, "first", 5) != 0)
		abort();
	ibuf_mbuf_free(m);
	if (ibuf_pool_destroy(pool) != 0)
		abort();
	return NULL;
}

static int
one_process(int with_pool)
{
	pthread_t threads[THREADS];
	int i;

	pthread_barrier_init(&start, NULL, THREADS);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, use, &with_pool) != 0)
			return 1;
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

int
main(int argc, char **argv)
{
	long cycles = argc > 1 ? atol(argv[1]) : 10, i;

	for (i = 0; i < cycles; i++) {
		pid_t child = fork();
		int status = 1;

		if (child == 0)
			exit(one_process((int)(i % 2)));
		if (child < 0 || waitpid(child, &status, 0) != child ||
		    status != 0) {
			fprintf(stderr, "cycle %ld: status %#x\n", i,
				(unsigned)status);
			return 1;
		}
	}
	return 0;
}
