/*
 * waiters.c - threads that sleep until a queue has a message, or room.
 *
 * Each has a condition variable of its own, so that a push wakes as many as it
 * has messages for, the first first.  While any sleep,
 *
 *   messages inside <= threads woken that have not looked yet
 *                      + messages of pushes that are still to wake somebody
 *
 * since who was woken and found nothing met an empty queue, and who was woken
 * and is cancelled wakes the next.
 */
#define _POSIX_C_SOURCE 200809L
#include "waiters.h"

#include "../platform/deadline.h"

#include <time.h>

struct waiter {
	pthread_cond_t wake;
	bool woken;
	struct waiter *before, *behind;
	struct ibuf_queue *q;
	struct waiters *in;
};

/* ---- the list ------------------------------------------------------- */

static void
join(struct waiter *w)
{
	w->behind = NULL;
	w->before = w->in->last;
	if (w->before == NULL)
		w->in->first = w;
	else
		w->before->behind = w;
	w->in->last = w;
	ibuf_queue_sign_(w->q, w->in->sign);
}

static void
leave(struct waiter *w)
{
	if (w->before == NULL)
		w->in->first = w->behind;
	else
		w->before->behind = w->behind;
	if (w->behind == NULL)
		w->in->last = w->before;
	else
		w->behind->before = w->before;
	if (w->in->first == NULL)
		fetch_clear_seq_cst_u32(&w->q->ring.signs, w->in->sign);
}

void
ibuf_waiters_wake_(struct waiters *waiters, size_t n)
{
	struct waiter *w;

	for (; n > 0 && waiters->first != NULL; n--) {
		w = waiters->first;
		leave(w);
		w->woken = true;
		/* It cannot return, and be gone, before the lock is let go. */
		pthread_cond_signal(&w->wake);
	}
}

/* ---- one of them ---------------------------------------------------- */

/*
 * Where a condition variable cannot be had: sleep a little and look again.
 * Other systems may need memory for it; Linux does not.
 */
static bool
nap(const struct timespec *end)
{
	static const struct timespec little = {0, 1000000};
	struct timespec now;

	nanosleep(&little, NULL);
	clock_gettime(CLOCK_MONOTONIC, &now);
	return end == NULL || now.tv_sec < end->tv_sec ||
	       (now.tv_sec == end->tv_sec && now.tv_nsec < end->tv_nsec);
}

/* The thread was cancelled while it slept; it has the lock. */
static void
cancelled(void *waiter)
{
	struct waiter *w = waiter;

	if (w->woken)
		ibuf_waiters_wake_(w->in, 1);
	else
		leave(w);
	pthread_mutex_unlock(&w->q->lock);
	pthread_cond_destroy(&w->wake);
}

static bool
nothing_to_wait_for(const struct waiter *w)
{
	return w->in == &w->q->to_pop ? queue_may_pop(w->q)
				      : queue_may_push(w->q);
}

static void
sleep_in_turn(struct waiter *w, const struct timespec *end)
{
	int error = 0;

	pthread_cleanup_push(cancelled, w);
	while (!w->woken && error == 0)
		error = end == NULL ? pthread_cond_wait(&w->wake, &w->q->lock)
				    : pthread_cond_timedwait(&w->wake,
							     &w->q->lock, end);
	pthread_cleanup_pop(0);
}

bool
ibuf_waiters_sleep_(struct ibuf_queue *q, struct waiters *waiters,
		    const struct timespec *end)
{
	struct waiter w = {.q = q, .in = waiters};
	bool again;

	if (ibuf_deadline_condition_(&w.wake) != 0)
		return nap(end);
	pthread_mutex_lock(&q->lock);
	join(&w);
	again = nothing_to_wait_for(&w);
	if (!again) {
		sleep_in_turn(&w, end);
		again = w.woken;
	}
	if (!w.woken)
		leave(&w);
	pthread_mutex_unlock(&q->lock);
	pthread_cond_destroy(&w.wake);
	return again;
}
