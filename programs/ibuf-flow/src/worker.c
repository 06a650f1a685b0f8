/*
 * worker.c - a thread behind a queue.
 */
#include "worker.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct worker {
	struct ibuf_queue *queue;
	pthread_t thread;
	worker_fn *take;
	void *arg;
};

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct ibuf_mbuf *block;

	while (ibuf_queue_pop_wait(w->queue, &block, NULL) == 0)
		w->take(w->arg, block);
	return NULL;
}

/* Signals are the reader's, whose calls they interrupt. */
static bool
start_thread(struct worker *w)
{
	sigset_t all, before;
	bool done;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	done = pthread_create(&w->thread, NULL, worker_main, w) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return done;
}

struct worker *
worker_start(worker_fn *take, void *arg)
{
	struct worker *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->take = take;
	w->arg = arg;
	if (ibuf_queue_create(&w->queue, WORKER_QUEUE,
			      IBUF_QUEUE_F_SINGLE_PRODUCER |
				      IBUF_QUEUE_F_SINGLE_CONSUMER) != 0)
		goto fail;
	if (!start_thread(w))
		goto fail;
	return w;
fail:
	ibuf_queue_destroy(w->queue);
	free(w);
	return NULL;
}

void
worker_give(struct worker *w, struct ibuf_mbuf *block)
{
	/* It fails only when the queue is closed, which worker_finish() does. */
	if (ibuf_queue_push_wait(w->queue, block, NULL) != 0)
		ibuf_mbuf_free(block);
}

bool
worker_is_busy(const struct worker *w)
{
	return ibuf_queue_len(w->queue) >= WORKER_QUEUE / 2;
}

void
worker_finish(struct worker *w)
{
	ibuf_queue_close(w->queue);
	pthread_join(w->thread, NULL);
	ibuf_queue_destroy(w->queue);
	free(w);
}
