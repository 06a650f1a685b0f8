/* 05_threads.c - ten threads share one pool, and one message. */
#include <ibuf/ibuf.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 10, ROUNDS = 1000 };

struct work {
	struct ibuf_pool *pool;
	struct ibuf_mbuf *greeting; /* a clone of its own */
	int good;
};

static void *
run(void *arg)
{
	struct work *work = arg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		struct ibuf_mbuf *m = ibuf_pool_alloc(work->pool);

		if (m != NULL && ibuf_mbuf_append(m, &i, sizeof i) == 0 &&
		    memcmp(ibuf_mbuf_data(m), &i, sizeof i) == 0)
			work->good++;
		ibuf_mbuf_free(m);
	}
	/* To write is safe: it happens in a copy that nobody else sees. */
	if (ibuf_mbuf_append(work->greeting, " to you", 7) != 0)
		work->good = 0;
	ibuf_mbuf_free(work->greeting);
	return NULL;
}

int
main(void)
{
	struct ibuf_pool *pool = ibuf_pool_new(THREADS, 512);
	struct ibuf_mbuf *greeting = ibuf_mbuf_from("hello", 5);
	struct work works[THREADS];
	pthread_t threads[THREADS];
	int i, good = 0;

	if (pool == NULL || greeting == NULL)
		return 1;
	for (i = 0; i < THREADS; i++) {
		works[i] = (struct work){pool, ibuf_mbuf_clone(greeting), 0};
		if (works[i].greeting == NULL ||
		    pthread_create(&threads[i], NULL, run, &works[i]) != 0)
			return 1;
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		good += works[i].good;
	}
	printf("%d of %d messages were right\n", good, THREADS * ROUNDS);
	printf("still here: %.*s\n", (int)ibuf_mbuf_len(greeting),
	       (const char *)ibuf_mbuf_data(greeting));
	ibuf_mbuf_free(greeting);
	printf("in use at the end: %zu\n", ibuf_pool_destroy(pool));
	return 0;
}

/* Prints:
 * 10000 of 10000 messages were right
 * still here: hello
 * in use at the end: 0
 */
