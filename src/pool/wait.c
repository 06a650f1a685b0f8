/* wait.c - a thread sleeps until an mbuf comes back. */
#define _POSIX_C_SOURCE 200809L
#include "../platform/deadline.h"
#include "state.h"

#include <errno.h>

/* A thread that waits may be cancelled; then it has the lock. */
static void
stop_waiting(void *pool)
{
	struct ibuf_pool *p = pool;

	p->waiters--;
	pthread_mutex_unlock(&p->lock);
}

/* Sleep until a direct header is there; the lock is held, before and after. */
static int
wait_for_one(struct ibuf_pool *p, struct ibuf_mbuf **m,
	     const struct timespec *end)
{
	int error, got;

	p->waits++;
	p->waiters++;
	pthread_cleanup_push(stop_waiting, p);
	do {
		error = end == NULL ? pthread_cond_wait(&p->came_back, &p->lock)
				    : pthread_cond_timedwait(&p->came_back,
							     &p->lock, end);
		got = ibuf_alloc_locked_(p, m);
		if (got == 0 || error == 0)
			error = got;
	} while (error == -ENOBUFS); /* somebody was faster */
	pthread_cleanup_pop(0);
	p->waiters--;
	return error;
}

struct ibuf_mbuf *
ibuf_wait_alloc_(struct ibuf_pool *p, const struct timespec *timeout)
{
	struct ibuf_mbuf *m = NULL;
	struct timespec end;
	bool may_wait;
	int error;

	pool_must_be_open(p);
	if (!p->can_wait)
		return NULL;
	may_wait = timeout == NULL || ibuf_deadline_after_(&end, timeout);
	pthread_mutex_lock(&p->lock);
	error = ibuf_alloc_locked_(p, &m);
	if (error == -ENOBUFS && may_wait)
		error = wait_for_one(p, &m, timeout == NULL ? NULL : &end);
	pthread_mutex_unlock(&p->lock);
	if (error != 0) {
		count_relaxed(&p->failures, 1);
		return NULL;
	}
	return ibuf_alloc_open_(p, m);
}
