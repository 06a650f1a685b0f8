/* element.c - elements and windows go out of a pool and come home. */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WINDOWS_A_SLAB 64

static struct ibuf_pool *
pool_of(struct ibuf_home *home)
{
	return (struct ibuf_pool *)home;
}

_Static_assert(offsetof(struct ibuf_pool, home) == 0, "a home is its pool");

/* ---- out ----------------------------------------------------------- */

static void
clear_private(const struct ibuf_home *home, struct ibuf_mbuf *m)
{
	if (home->private_size != 0)
		memset((uint8_t *)m + HEADER_SIZE, 0, home->private_size);
}

/* What a free element holds, so that an allocation need not write it. */
static void
element_init(const struct ibuf_home *home, struct ibuf_mbuf *m)
{
	m->pool_ = (uint16_t)home->index;
	m->base_ = (uint8_t *)m + home->room_offset;
	m->room_ = &m->own_;
	m->own_.headroom_ = home->headroom;
	store_relaxed_u32(&m->own_.count_, 1);
}

/* What makes a free element a message. */
static struct ibuf_mbuf *
element_open(const struct ibuf_home *home, struct ibuf_mbuf *m)
{
	m->off_ = home->headroom;
	m->len_ = 0;
	m->cap_ = home->room_size;
	m->flags_ = BOTH_RIGHTS | IBUF_MBUF_ELEMENT_ | IBUF_MBUF_LIVE_;
	m->next_ = NULL;
	clear_private(home, m);
	return m;
}

/* Hand out an element, which is there; the lock is held. */
static struct ibuf_mbuf *
take_one(struct ibuf_pool *p)
{
	bool fresh;
	struct ibuf_mbuf *m = ibuf_stock_take_(&p->elements, &fresh);

	if (fresh)
		element_init(&p->home, m);
	p->allocated++;
	p->allocs++;
	if (p->peak < p->elements.carved)
		p->peak = p->elements.carved;
	return m;
}

/* See to it that n elements are there; the lock is held. */
static int
make_available(struct ibuf_pool *p, size_t n)
{
	size_t available = p->elements.capacity - (size_t)p->allocated;
	int error = n > available ? ibuf_pool_grow_(p, n - available) : 0;

	return error == -EOVERFLOW ? -ENOMEM : error;
}

/* Take n elements, or none. */
static int
take_all(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n, bool may_fail)
{
	size_t i;
	int error;

	pthread_mutex_lock(&p->lock);
	error = p->closed ? -ENOMEM : make_available(p, n);
	for (i = 0; i < n && error == 0; i++)
		out[i] = take_one(p);
	if (error != 0 && !may_fail)
		p->failures++;
	pthread_mutex_unlock(&p->lock);
	for (i = 0; i < n && error == 0; i++)
		element_open(&p->home, out[i]);
	return error;
}

struct ibuf_mbuf *
ibuf_pool_alloc(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m;

	return take_all(p, &m, 1, false) == 0 ? m : NULL;
}

int
ibuf_pool_alloc_bulk(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n)
{
	return take_all(p, out, n, false);
}

size_t
ibuf_pool_alloc_upto(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (take_all(p, &out[i], 1, true) != 0)
			break;
	return i;
}

static struct ibuf_mbuf *
element_take(struct ibuf_home *home)
{
	struct ibuf_mbuf *m;

	return take_all(pool_of(home), &m, 1, true) == 0 ? m : NULL;
}

/* ---- wait ---------------------------------------------------------- */

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
	pthread_mutex_unlock(&p->lock);
}

/* Sleep until an element is there; the lock is held, before and after. */
static int
wait_for_one(struct ibuf_pool *p, const struct timespec *end)
{
	int error, got;

	p->waits++;
	p->waiters++;
	pthread_cleanup_push(stop_waiting, p);
	do {
		if (end == NULL)
			error = pthread_cond_wait(&p->came_home, &p->lock);
		else
			error = pthread_cond_timedwait(&p->came_home, &p->lock,
						       end);
		got = make_available(p, 1);
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

	if (!p->can_wait)
		return NULL;
	if (timeout != NULL)
		end = deadline_of(timeout);
	pthread_mutex_lock(&p->lock);
	error = make_available(p, 1);
	if (error == -ENOBUFS)
		error = wait_for_one(p, timeout == NULL ? NULL : &end);
	if (error == 0)
		m = take_one(p);
	else
		p->failures++;
	pthread_mutex_unlock(&p->lock);
	return m == NULL ? NULL : element_open(&p->home, m);
}

/* ---- home ---------------------------------------------------------- */

/* Nothing is out of a closed pool: it may end. */
static bool
is_over(const struct ibuf_pool *p)
{
	return p->closed && p->allocated + p->handles == 0;
}

static void
element_wipe(const struct ibuf_home *home, struct ibuf_mbuf *m)
{
	ibuf_platform_wipe_((uint8_t *)m + home->room_offset, home->room_size);
	ibuf_platform_wipe_((uint8_t *)m + HEADER_SIZE, home->private_size);
}

/* Put an object back; the lock is held.  Two frees that overlap meet here. */
static void
give_one(struct ibuf_pool *p, struct ibuf_stock *stock, struct ibuf_mbuf *m)
{
	if ((m->flags_ & LISTED) != 0)
		ibuf_platform_die_(
			"ibuf: mbuf %p of pool \"%s\" is freed twice",
			(void *)m, p->home.name);
	m->flags_ = LISTED;
	ibuf_stock_give_(stock, m);
}

static void
element_give(struct ibuf_home *home, struct ibuf_mbuf *m)
{
	struct ibuf_pool *p = pool_of(home);
	bool over;

	if (home->wipe)
		element_wipe(home, m);
	element_init(home, m);
	pthread_mutex_lock(&p->lock);
	give_one(p, &p->elements, m);
	p->allocated--;
	p->frees++;
	over = is_over(p);
	if (p->waiters != 0)
		pthread_cond_signal(&p->came_home);
	pthread_mutex_unlock(&p->lock);
	if (over)
		ibuf_pool_end_(p);
}

/* ---- windows ------------------------------------------------------- */

static struct ibuf_mbuf *
window_take(struct ibuf_home *home)
{
	struct ibuf_pool *p = pool_of(home);
	struct ibuf_mbuf *m = NULL;
	bool fresh;

	pthread_mutex_lock(&p->lock);
	if (!p->closed) {
		m = ibuf_stock_take_(&p->windows, &fresh);
		if (m == NULL && ibuf_stock_grow_(&p->windows, WINDOWS_A_SLAB,
						  &p->provider) == 0)
			m = ibuf_stock_take_(&p->windows, &fresh);
		if (m != NULL)
			p->handles++;
		else
			p->failures++;
	}
	pthread_mutex_unlock(&p->lock);
	if (m == NULL)
		return NULL;
	m->flags_ = IBUF_MBUF_LIVE_;
	m->pool_ = (uint16_t)home->index;
	m->next_ = NULL;
	clear_private(home, m);
	return m;
}

static void
window_give(struct ibuf_home *home, struct ibuf_mbuf *m)
{
	struct ibuf_pool *p = pool_of(home);
	bool over;

	if (home->wipe)
		ibuf_platform_wipe_((uint8_t *)m + HEADER_SIZE,
				    home->private_size);
	pthread_mutex_lock(&p->lock);
	give_one(p, &p->windows, m);
	p->handles--;
	over = is_over(p);
	pthread_mutex_unlock(&p->lock);
	if (over)
		ibuf_pool_end_(p);
}

const struct ibuf_home_ops ibuf_pool_ops_ = {
	.window_take = window_take,
	.window_give = window_give,
	.element_take = element_take,
	.element_give = element_give,
};

/* ---- checked free -------------------------------------------------- */

void
ibuf_pool_free(struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	bool ours;

	if (m == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	ours = ibuf_stock_has_(&p->elements, m) ||
	       ibuf_stock_has_(&p->windows, m);
	pthread_mutex_unlock(&p->lock);
	if (!ours)
		ibuf_platform_die_("ibuf: %p is no mbuf of pool \"%s\"",
				   (void *)m, p->home.name);
	ibuf_mbuf_free(m);
}
