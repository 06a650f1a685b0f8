/* home.c - the table of homes, and the heap as one of them. */
#define _POSIX_C_SOURCE 200809L
#include "home.h"

#include "platform.h"
#include <pthread.h>
#include <stdlib.h>

_Static_assert(sizeof(struct ibuf_mbuf) <= HEADER_SIZE,
	       "a header is one cache line: what touches two costs twice");
_Static_assert(offsetof(struct ibuf_mbuf, base_) == 16,
	       "the first 16 bytes are written by one store at allocation");

static struct ibuf_mbuf *
heap_window_take(struct ibuf_home *home)
{
	struct ibuf_mbuf *m = malloc(sizeof *m);

	(void)home;
	if (m == NULL)
		return NULL;
	m->flags_ = IBUF_MBUF_LIVE_;
	m->pool_ = 0;
	m->next_ = NULL;
	count_relaxed(&ibuf_home_heap_.taken, 1);
	return m;
}

static void
heap_window_give(struct ibuf_home *home, struct ibuf_mbuf *m)
{
	(void)home;
	count_relaxed(&ibuf_home_heap_.given, 1);
	free(m);
}

static struct ibuf_mbuf *
heap_element_take(struct ibuf_home *home)
{
	(void)home;
	return NULL; /* the heap has no elements */
}

static const struct ibuf_home_ops heap_ops = {
	.window_take = heap_window_take,
	.window_give = heap_window_give,
	.element_take = heap_element_take,
};

struct ibuf_home_heap ibuf_home_heap_ = {
	.home = {.ops = &heap_ops, .name = "heap"},
};

struct ibuf_home *ibuf_homes_[HOMES_MAX] = {&ibuf_home_heap_.home};

/*
 * Guards the search for a free number.  Readers of the table need no lock:
 * whoever holds an mbuf got it from somebody who saw its home registered.
 */
static pthread_mutex_t homes_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t homes_next = 1; /* where the search begins */

bool
ibuf_home_register_(struct ibuf_home *home)
{
	uint32_t tries, index;
	bool found = false;

	pthread_mutex_lock(&homes_lock);
	index = homes_next;
	for (tries = 1; tries < HOMES_MAX && !found; tries++) {
		if (ibuf_homes_[index] == NULL) {
			home->index = index;
			ibuf_homes_[index] = home;
			found = true;
		}
		index = index + 1 == HOMES_MAX ? 1 : index + 1;
	}
	homes_next = index;
	pthread_mutex_unlock(&homes_lock);
	return found;
}

void
ibuf_home_unregister_(struct ibuf_home *home)
{
	pthread_mutex_lock(&homes_lock);
	ibuf_homes_[home->index] = NULL;
	pthread_mutex_unlock(&homes_lock);
}

struct ibuf_mbuf *
ibuf_home_window_(struct ibuf_home *home)
{
	struct ibuf_mbuf *m = home->ops->window_take(home);

	/* The heap has no pool either, but is not asked twice. */
	if (m == NULL && home != &ibuf_home_heap_.home &&
	    __atomic_load_n(&home->pool, __ATOMIC_ACQUIRE) == NULL)
		m = heap_window_take(&ibuf_home_heap_.home);
	return m;
}
