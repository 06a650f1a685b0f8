/*
 * wait.c - a thread sleeps until an mbuf comes back.
 *
 * Those who wait stand in a line.  A header that comes to the slabs is given
 * to the first of them while the lock is held, so that nobody who comes later
 * can take it; hence the slabs have none while there is a line.  Who gives up
 * when one was given already takes it, and who is cancelled gives it on.
 */
#define _POSIX_C_SOURCE 200809L
#include "../platform/deadline.h"
#include "state.h"

#include <errno.h>

/* One who waits, on the stack of its thread; under the lock of the pool. */
struct ibuf_waiter {
	struct ibuf_pool *pool;
	struct ibuf_waiter *next, *previous;
	struct ibuf_mbuf *given; /* NULL: it stands in line */
	bool look;               /* slabs have moved: the pool may grow */
	pthread_cond_t called;
};

/* ---- the line ---------------------------------------------------------- */

static void
line_join(struct ibuf_pool *p, struct ibuf_waiter *w)
{
	w->previous = p->last;
	if (p->last != NULL)
		p->last->next = w;
	else
		p->line = w;
	p->last = w;
}

static void
line_leave(struct ibuf_pool *p, const struct ibuf_waiter *w)
{
	if (w->previous != NULL)
		w->previous->next = w->next;
	else
		p->line = w->next;
	if (w->next != NULL)
		w->next->previous = w->previous;
	else
		p->last = w->previous;
}

void
ibuf_wait_serve_(struct ibuf_store *store)
{
	struct ibuf_pool *p = store->pool;
	struct ibuf_waiter *w;

	if (store->kind != IBUF_DIRECT_)
		return;
	while ((w = p->line) != NULL &&
	       ibuf_store_take_(store, &w->given, 1) != 0) {
		store->taken++;
		line_leave(p, w);
		pthread_cond_signal(&w->called);
	}
	if (p->movers != 0)
		pthread_cond_broadcast(&p->moved);
}

void
ibuf_wait_look_(struct ibuf_pool *p)
{
	if (p->line == NULL)
		return;
	p->line->look = true;
	pthread_cond_signal(&p->line->called);
}

void
ibuf_wait_forked_(struct ibuf_pool *p)
{
	p->line = NULL;
	p->last = NULL;
	if (p->movers == 0)
		return;
	p->movers = 0;
	(void)ibuf_deadline_condition_(&p->moved);
}

/* ---- one who waits: the lock is held ----------------------------------- */

static int
take_locked(struct ibuf_pool *p, struct ibuf_mbuf **m)
{
	return p->biased ? ibuf_biased_locked_(p, m) : ibuf_alloc_locked_(p, m);
}

/* A header that was given is not wanted: as if it had not been given. */
static void
give_on(struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	struct ibuf_store *store = &p->store[IBUF_DIRECT_];

	store->taken--;
	ibuf_store_put_(store, &m, 1);
}

/* Who goes may have been told to look; then the next one is. */
static void
wait_ends(struct ibuf_waiter *w)
{
	struct ibuf_pool *p = w->pool;

	if (w->given == NULL)
		line_leave(p, w);
	pthread_cond_destroy(&w->called);
	if (ibuf_expand_limit_(&p->store[IBUF_DIRECT_]) != 0)
		ibuf_wait_look_(p);
	ibuf_recall_relax_(p);
}

/* A thread that waits may be cancelled; then it has the lock. */
static void
cancelled(void *waiter)
{
	struct ibuf_waiter *w = waiter;
	struct ibuf_pool *p = w->pool;

	wait_ends(w);
	if (w->given != NULL)
		give_on(p, w->given);
	pthread_mutex_unlock(&p->lock);
}

/* Slabs have moved: try once more.  The lock may be let go meanwhile, and
   something given. */
static int
look(struct ibuf_waiter *w)
{
	struct ibuf_mbuf *m;
	int error;

	w->look = false;
	error = take_locked(w->pool, &m);
	if (error != 0)
		return error;
	if (w->given != NULL) {
		give_on(w->pool, m);
		return 0;
	}
	line_leave(w->pool, w);
	w->given = m;
	return 0;
}

/* Until one was given, or the time is over, or there is no memory. */
static int
sleep_in_line(struct ibuf_waiter *w, const struct timespec *end)
{
	struct ibuf_pool *p = w->pool;
	int error = -ENOBUFS, over = 0;
	bool slept = false;

	while (w->given == NULL && error == -ENOBUFS) {
		if (w->look) {
			error = look(w);
			continue;
		}
		if (over != 0)
			return over;
		if (!slept)
			p->waits++;
		slept = true;
		over = end == NULL ? pthread_cond_wait(&w->called, &p->lock)
				   : pthread_cond_timedwait(&w->called,
							    &p->lock, end);
	}
	return w->given != NULL ? 0 : error;
}

static int
wait_for_one(struct ibuf_pool *p, struct ibuf_mbuf **m,
	     const struct timespec *end)
{
	struct ibuf_waiter w = {.pool = p};
	int error = ibuf_deadline_condition_(&w.called);

	if (error != 0)
		return error;
	line_join(p, &w);
	ibuf_recall_for_line_(p);
	pthread_cleanup_push(cancelled, &w);
	error = sleep_in_line(&w, end);
	pthread_cleanup_pop(0);
	wait_ends(&w);
	*m = w.given;
	return error;
}

struct ibuf_mbuf *
ibuf_wait_alloc_(struct ibuf_pool *p, const struct timespec *timeout)
{
	struct ibuf_mbuf *m = NULL;
	struct timespec end;
	bool may_wait;
	int error;

	if (p->biased && ibuf_biased_try_(p, &m))
		return ibuf_alloc_open_(p, m);
	pool_must_be_open(p);
	if (!p->can_wait)
		return NULL;
	may_wait = timeout == NULL || ibuf_deadline_after_(&end, timeout);
	pthread_mutex_lock(&p->lock);
	/* In the line nobody waits for a thread that is inside. */
	do
		error = take_locked(p, &m);
	while (error != 0 && !(error == -ENOBUFS && may_wait) &&
	       ibuf_recall_(&p->store[IBUF_DIRECT_]));
	if (error == -ENOBUFS && may_wait)
		error = wait_for_one(p, &m, timeout == NULL ? NULL : &end);
	pthread_mutex_unlock(&p->lock);
	if (error != 0) {
		pool_failed(p);
		return NULL;
	}
	return ibuf_alloc_open_(p, m);
}
