/* 10_pipeline.c - a reader, workers and a writer, with queues between them. */

/*
 * At most 16 messages are on the way:
 *
 *   reader --> work --> three workers --> results --> writer
 *
 * Whoever is ahead waits: the reader for a free message or for room in a
 * queue, the others for messages.  The end travels like the messages: a queue
 * is closed by the last thread that pushes to it, and is over once it is
 * empty.
 */
#include <ibuf/ibuf.h>
#include <pthread.h>
#include <stdio.h>

enum { MESSAGES = 1000, WORKERS = 3 };

struct pipeline {
	struct ibuf_pool *pool;
	struct ibuf_queue *work, *results;
	uint64_t sum; /* the writer's */
	int written;
};

static void *
reader(void *arg)
{
	struct pipeline *p = arg;
	uint32_t i;

	for (i = 1; i <= MESSAGES; i++) {
		struct ibuf_mbuf *m = ibuf_pool_alloc_wait(p->pool, NULL);

		if (m == NULL)
			break;
		if (ibuf_mbuf_append_be32(m, i) != 0 ||
		    ibuf_queue_push_wait(p->work, m, NULL) != 0)
			ibuf_mbuf_free(m);
	}
	ibuf_queue_close(p->work);
	return NULL;
}

/* The square of each number, in the message that brought it. */
static void *
worker(void *arg)
{
	struct pipeline *p = arg;
	struct ibuf_mbuf *m;

	while (ibuf_queue_pop_wait(p->work, &m, NULL) == 0) {
		struct ibuf_cursor c;
		uint32_t number = 0;

		ibuf_cursor_init(&c, m);
		ibuf_cursor_get_be32(&c, &number);
		ibuf_mbuf_clear(m);
		if (ibuf_mbuf_append_be64(m, (uint64_t)number * number) != 0 ||
		    ibuf_queue_push_wait(p->results, m, NULL) != 0)
			ibuf_mbuf_free(m);
	}
	return NULL;
}

static void *
writer(void *arg)
{
	struct pipeline *p = arg;
	struct ibuf_mbuf *m;

	while (ibuf_queue_pop_wait(p->results, &m, NULL) == 0) {
		struct ibuf_cursor c;
		uint64_t square = 0;

		ibuf_cursor_init(&c, m);
		ibuf_cursor_get_be64(&c, &square);
		p->sum += square;
		p->written++;
		ibuf_mbuf_free(m);
	}
	return NULL;
}

/* A pool that never has more than 16 messages, and waits for them. */
static struct ibuf_pool *
bounded_pool(void)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *pool = NULL;

	o.max = 16;
	o.flags = IBUF_POOL_F_WAIT;
	return ibuf_pool_create(&pool, &o) == 0 ? pool : NULL;
}

int
main(void)
{
	struct pipeline p = {.pool = bounded_pool()};
	pthread_t read, write, work[WORKERS];
	int i;

	if (p.pool == NULL ||
	    ibuf_queue_create(&p.work, 8, IBUF_QUEUE_F_SINGLE_PRODUCER) != 0 ||
	    ibuf_queue_create(&p.results, 8, IBUF_QUEUE_F_SINGLE_CONSUMER) != 0)
		return 1;
	if (pthread_create(&write, NULL, writer, &p) != 0 ||
	    pthread_create(&read, NULL, reader, &p) != 0)
		return 1;
	for (i = 0; i < WORKERS; i++)
		if (pthread_create(&work[i], NULL, worker, &p) != 0)
			return 1;
	pthread_join(read, NULL);
	for (i = 0; i < WORKERS; i++)
		pthread_join(work[i], NULL);
	ibuf_queue_close(p.results);
	pthread_join(write, NULL);

	printf("%d results, the sum of the squares is %llu\n", p.written,
	       (unsigned long long)p.sum);
	ibuf_queue_destroy(p.work);
	ibuf_queue_destroy(p.results);
	printf("in use at the end: %zu\n", ibuf_pool_destroy(p.pool));
	return 0;
}

/* Prints:
 * 1000 results, the sum of the squares is 333833500
 * in use at the end: 0
 */
