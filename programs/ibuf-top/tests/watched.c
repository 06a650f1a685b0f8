/*
 * watched.c - a program for ibuf-top to look at.
 *
 *   watched quiet   tells its own numbers, a line each, and does nothing more
 *   watched busy    two threads allocate, pass on and free, without end
 *
 * Either ends with its standard input.
 */
#include <ibuf/ibuf.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ibuf_pool *pool;
static struct ibuf_queue *queue;

static void
must(int error)
{
	if (error != 0)
		exit(1);
}

static void *
work(void *unused)
{
	struct ibuf_mbuf *m;

	for (;;) {
		m = ibuf_pool_alloc(pool);
		if (m != NULL && ibuf_queue_push(queue, m) != 0)
			ibuf_mbuf_free(m);
		if (ibuf_queue_len(queue) > 5)
			ibuf_mbuf_free(ibuf_queue_pop(queue));
	}
	return unused;
}

/* 7 of 10 are allocated, 2 of them are in the queue, one has a clone and was
   copied as it grew; and 3 calls fail. */
static void
be_quiet(void)
{
	struct ibuf_mbuf *m[7], *clone, *heap;
	struct ibuf_pool_stats stats;
	unsigned i;

	for (i = 0; i < 7; i++) {
		m[i] = ibuf_pool_alloc(pool);
		if (m[i] == NULL)
			exit(1);
	}
	must(ibuf_mbuf_append(m[0], "twenty bytes of text", 20));
	clone = ibuf_mbuf_clone(m[0]);
	heap = ibuf_mbuf_from("heap", 4);
	if (clone == NULL || heap == NULL)
		exit(1);
	must(ibuf_mbuf_append_fill(m[0], 'x', 4000));
	must(ibuf_queue_push(queue, m[5]));
	must(ibuf_queue_push(queue, m[6]));
	for (i = 0; i < 3; i++)
		if (ibuf_pool_reserve(pool, 1000) == 0)
			exit(1);
	must(ibuf_pool_get_stats(pool, &stats, sizeof stats));
#define TELL(name_, field_) printf(name_ " %" PRIu64 "\n", stats.field_)
	TELL("allocated", allocated);
	TELL("capacity", capacity);
	TELL("cached", cached);
	TELL("peak", peak);
	TELL("clones", handles);
	TELL("mapped_bytes", mapped_bytes);
	TELL("allocs", allocs);
	TELL("frees", frees);
	TELL("grows", grows);
	TELL("failures", failures);
	TELL("waits", waits);
	TELL("copied_bytes", copied_bytes);
}

int
main(int n, char **arguments)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;
	bool busy = n > 1 && strcmp(arguments[1], "busy") == 0;
	pthread_t threads[2];

	options.name = busy ? "busy" : "quiet";
	options.max = 10;
	must(ibuf_pool_create(&pool, &options));
	must(ibuf_queue_create(&queue, 6, 0));
	if (!busy)
		be_quiet();
	for (n = 0; busy && n < 2; n++)
		must(pthread_create(&threads[n], NULL, work, NULL));
	puts("ready");
	must(fflush(stdout));
	while (getchar() != EOF)
		;
	_exit(0);
}
