/* forked.c - all queues of this copy of the library, which a fork copies. */
#define _POSIX_C_SOURCE 200809L
#include "forked.h"

#include "ready.h"

#include <errno.h>

/* Of the list of queues, and of the two below; taken before all other locks
   of queues. */
static pthread_mutex_t forks = PTHREAD_MUTEX_INITIALIZER;
static bool prepared;
static bool has_barrier;

/* ---- fork ----------------------------------------------------------- */

static void
enter(struct ring_end *end)
{
	if (end->many)
		spin_lock(&end->lock);
}

static void
leave(struct ring_end *end)
{
	if (end->many)
		spin_unlock(&end->lock);
}

static void
fork_prepares(void)
{
	struct ibuf_queue *q;

	pthread_mutex_lock(&forks);
	for (q = ibuf_queues_; q != NULL; q = q->next) {
		enter(&q->ring.putting);
		enter(&q->ring.taking);
		pthread_mutex_lock(&q->lock);
	}
}

static void
fork_is_over(void)
{
	struct ibuf_queue *q;

	for (q = ibuf_queues_; q != NULL; q = q->next) {
		pthread_mutex_unlock(&q->lock);
		leave(&q->ring.taking);
		leave(&q->ring.putting);
	}
	pthread_mutex_unlock(&forks);
}

static void
fork_child_queue(struct ibuf_queue *q)
{
	/* What an end shows is what has happened. */
	store_relaxed_u32(&q->ring.pushing, q->ring.putting.shown);
	q->to_pop.first = q->to_pop.last = NULL;
	q->to_push.first = q->to_push.last = NULL;
	fetch_clear_seq_cst_u32(&q->ring.signs, WAIT_TO_POP | WAIT_TO_PUSH);
	/* Whoever was closing it is not there to seal it. */
	if (q->ring.signs & CLOSED)
		fetch_or_seq_cst_u32(&q->ring.signs, SEALED);
	ibuf_ready_forked_(q);
}

static void
fork_child(void)
{
	struct ibuf_queue *q;

	for (q = ibuf_queues_; q != NULL; q = q->next)
		fork_child_queue(q);
	fork_is_over();
}

/* ---- the list ------------------------------------------------------- */

/* What is done once in a process; again, where it failed for memory. */
static int
prepare(void)
{
	if (prepared)
		return 0;
	if (pthread_atfork(fork_prepares, fork_is_over, fork_child) != 0)
		return -ENOMEM;
	has_barrier = ibuf_platform_barrier_prepare_();
	prepared = true;
	return 0;
}

int
ibuf_forked_add_(struct ibuf_queue *q)
{
	int error;

	pthread_mutex_lock(&forks);
	error = prepare();
	if (error == 0) {
		q->ring.fenced = !has_barrier;
		q->next = ibuf_queues_;
		q->link = &ibuf_queues_;
		if (ibuf_queues_ != NULL)
			ibuf_queues_->link = &q->next;
		ibuf_queues_ = q;
	}
	pthread_mutex_unlock(&forks);
	return error;
}

void
ibuf_forked_remove_(struct ibuf_queue *q)
{
	pthread_mutex_lock(&forks);
	*q->link = q->next;
	if (q->next != NULL)
		q->next->link = q->link;
	pthread_mutex_unlock(&forks);
}
