/* home.c - the table of homes, and the heap as one of them. */
#define _POSIX_C_SOURCE 200809L
#include "home.h"

#include "platform.h"
#include <stdlib.h>

_Static_assert(sizeof(struct ibuf_mbuf) <= HEADER_SIZE,
	       "a header is one cache line: what touches two costs twice");
_Static_assert(offsetof(struct ibuf_mbuf, base_) == 16,
	       "the first 16 bytes are written by one store at allocation");

_Static_assert(offsetof(struct ibuf_mbuf, room_) ==
		       offsetof(struct ibuf_mbuf, base_) + sizeof(void *),
	       "a clone copies base_ and room_ as one");

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
 * Writers take turns, see cache.c.  Readers need no lock: whoever holds an
 * mbuf got it from somebody who saw its home registered.
 */
static uint32_t lowest = 1; /* no number below this one is free */

bool
ibuf_home_register_(struct ibuf_home *home)
{
	while (lowest < HOMES_MAX && ibuf_homes_[lowest] != NULL)
		lowest++;
	if (lowest == HOMES_MAX)
		return false;
	home->index = lowest;
	ibuf_homes_[lowest] = home;
	return true;
}

void
ibuf_home_unregister_(struct ibuf_home *home)
{
	ibuf_homes_[home->index] = NULL;
	if (home->index < lowest)
		lowest = home->index;
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
