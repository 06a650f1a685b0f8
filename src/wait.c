/* wait.c - a thread sleeps until an mbuf comes home. */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include <errno.h>

#define FOR_EVER 1000000000 /* seconds; more than this is no timeout */

/* The moment when a wait is over. */
static struct timespec
deadline_of(const struct timespec *timeout)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += timeout->tv_sec < FOR_EVER ? timeout->tv_sec : FOR_EVER;
	end.tv_nsec += timeout->tv_nsec;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	return end;
}

/* A thread that waits may be cancelled; then it has the lock. */
static void
stop_waiting(void *pool)
{
	struct ibuf_pool *p = pool;

	p->waiters--;
	pthread_mutex_unlock(&p->cache.lock);
}

/* Sleep until an element is there; the lock is held, before and after. */
static int
wait_for_one(struct ibuf_pool *p, struct ibuf_mbuf **m,
	     const struct timespec *end)
{
	int error, got;

	p->waits++;
	p->waiters++;
	pthread_cleanup_push(stop_waiting, p);
	do {
		error = end == NULL
				? pthread_cond_wait(&p->came_home,
						    &p->cache.lock)
				: pthread_cond_timedwait(&p->came_home,
							 &p->cache.lock, end);
		got = ibuf_element_from_stock_(p, m);
		if (got == 0 || error == 0)
			error = got;
	} while (error == -ENOBUFS); /* somebody was faster */
	pthread_cleanup_pop(0);
	p->waiters--;
	return error;
}

struct ibuf_mbuf *
ibuf_pool_alloc_wait(struct ibuf_pool *p, const struct timespec *timeout)
{
	struct ibuf_mbuf *m = NULL;
	struct timespec end;
	int error;

	pool_must_be_open(p);
	if (!p->can_wait)
		return NULL;
	if (timeout != NULL)
		end = deadline_of(timeout);
	pthread_mutex_lock(&p->cache.lock);
	error = ibuf_element_from_stock_(p, &m);
	if (error == -ENOBUFS)
		error = wait_for_one(p, &m, timeout == NULL ? NULL : &end);
	pthread_mutex_unlock(&p->cache.lock);
	if (error != 0) {
		count_relaxed(&p->failures, 1);
		return NULL;
	}
	return element_open(p, m);
}
