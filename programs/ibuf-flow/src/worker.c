/*
 * worker.c - batches of packets to a thread and back.
 */
#include "worker.h"
#include "mailbox.h"
#include <pthread.h>
#include <stdlib.h>

/*
 * Large packets fill a batch sooner: memory is bounded in bytes too.  An mbuf
 * beyond its element's capacity is on the heap.
 */
enum { BATCH_BYTES = 256 * 1024 };

struct batch {
	size_t count;
	size_t bytes;
	struct ibuf_mbuf *packets[WORKER_BATCH];
};

struct worker {
	/* The reader's. */
	struct batch *filling;
	/* Between them. */
	struct mailbox full;
	struct mailbox empty;
	struct batch batches[WORKER_BATCHES];
	pthread_t thread;
	worker_fn *take;
	void *arg;
};

_Static_assert((int)WORKER_BATCHES < (int)MAILBOX_MAX,
	       "all batches and the end mark fit into a mailbox");

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct batch *batch;

	/* NULL is the end mark. */
	while ((batch = mailbox_take(&w->full)) != NULL) {
		w->take(w->arg, batch->packets, batch->count);
		batch->count = 0;
		batch->bytes = 0;
		mailbox_put(&w->empty, batch);
	}
	return NULL;
}

struct worker *
worker_start(worker_fn *take, void *arg)
{
	struct worker *w = calloc(1, sizeof *w);
	size_t i;

	if (w == NULL)
		return NULL;
	w->take = take;
	w->arg = arg;
	mailbox_init(&w->full);
	mailbox_init(&w->empty);
	for (i = 0; i < WORKER_BATCHES; i++)
		mailbox_put(&w->empty, &w->batches[i]);
	if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
		worker_free(w);
		return NULL;
	}
	return w;
}

void
worker_flush(struct worker *w)
{
	if (w->filling != NULL)
		mailbox_put(&w->full, w->filling);
	w->filling = NULL;
}

void
worker_give(struct worker *w, struct ibuf_mbuf *m)
{
	struct batch *batch = w->filling;

	if (batch == NULL)
		batch = w->filling = mailbox_take(&w->empty);
	batch->packets[batch->count++] = m;
	batch->bytes += ibuf_mbuf_len(m);
	if (batch->count == WORKER_BATCH || batch->bytes >= BATCH_BYTES)
		worker_flush(w);
}

void
worker_finish(struct worker *w)
{
	worker_flush(w);
	mailbox_put(&w->full, NULL);
	pthread_join(w->thread, NULL);
}

void
worker_free(struct worker *w)
{
	mailbox_destroy(&w->full);
	mailbox_destroy(&w->empty);
	free(w);
}
