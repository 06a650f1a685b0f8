/*
 * store.h - all that a pool keeps of one kind of header.
 *
 *   thread cache <--- headers, one by one         (inline, no lock)
 *     |
 *   magazine, magazine --- whole ---> depot       (lock-free)
 *                                       |
 *                                     slabs       (lock)
 *
 *   slabs.capacity = out + in thread caches + in the depot + free in slabs
 *
 * Magazines are made on the way out of the pool only, for thread caches and,
 * as spares, for headers that had to come back without one.  The way back
 * takes what there is, and where there is none it uses the list of the slabs,
 * so giving back needs no memory.
 */
#ifndef IBUF_SRC_STORE_H
#define IBUF_SRC_STORE_H

#include "../message/owner.h"
#include "depot.h"
#include "slab.h"
#include <pthread.h>

#define INDIRECT_KEPT 62 /* in a magazine; they are small */

struct ibuf_store {
	struct ibuf_depot depot; /* first: a magazine leads to its store */
	struct ibuf_pool *pool;
	const struct ibuf_owner *owner; /* the pool as its headers see it */
	pthread_mutex_t *lock;          /* the pool's */
	unsigned kind;                  /* of header */
	bool single; /* a thread cache has one magazine, not two */
	size_t max;  /* headers; SIZE_MAX: no limit */
	/* Under the lock: */
	struct ibuf_slabs slabs;
	/* Headers of slabs that are between the provider and here, in either
	   direction; they count against max. */
	size_t moving;
	size_t piece; /* headers in the last slab, since one was refused; or 0 */
	/* Headers that went out and came back past the thread caches, and
	   through thread caches that are gone: */
	uint64_t taken;
	uint64_t given;
	size_t lost;    /* of capacity, with threads that a fork left behind */
	size_t peak;    /* most that were ever carved */
	uint64_t grows; /* slabs that came */
};

static inline struct ibuf_store *
store_of(struct ibuf_depot *depot)
{
	return (struct ibuf_store *)(void *)depot;
}

/* ---- all of these need the lock ---------------------------------------- */

/* Free headers in the slabs, carved or not. */
static inline size_t
store_free(const struct ibuf_store *store)
{
	const struct ibuf_slabs *slabs = &store->slabs;

	return slabs->n_listed + slabs->n_sorted + slabs->capacity -
	       slabs->carved;
}

/* Move up to n headers of the slabs into an array; how many. */
size_t ibuf_store_take_(struct ibuf_store *store, struct ibuf_mbuf **out,
			size_t n);

/*
 * Put n headers into the list of the slabs.  One that is in use, or listed
 * already, was freed twice: two frees that overlap may each have put it into
 * a magazine, and here they meet.
 */
void ibuf_store_put_(struct ibuf_store *store, struct ibuf_mbuf *const *ms,
		     size_t n);

/* Let one go out, or come back, past the thread caches.  NULL: none there. */
struct ibuf_mbuf *ibuf_store_take_counted_(struct ibuf_store *store);
void ibuf_store_put_counted_(struct ibuf_store *store, struct ibuf_mbuf *m);

/*
 * Put the headers of full magazines into the list until n are free in the
 * slabs, or there is no full magazine.
 */
void ibuf_store_unload_(struct ibuf_store *store, size_t n);

/*
 * Sort at most n headers, of the list or of full magazines, into the lists of
 * their slabs; how many.
 */
size_t ibuf_store_sort_(struct ibuf_store *store, size_t n);

/*
 * Headers came to the slabs: who waits for one gets it, the first in the line
 * first, and who waits for slabs under way looks again.  See wait.c.
 */
void ibuf_wait_serve_(struct ibuf_store *store);

/* ---- a free header ----------------------------------------------------- */

/*
 * What a free header holds beyond its first 16 bytes, so that whoever takes
 * it need not write it.
 */
static inline void
store_ready(const struct ibuf_store *store, struct ibuf_mbuf *m)
{
	const struct ibuf_owner *owner = store->owner;

	m->next_ = NULL;
	if (store->kind != IBUF_DIRECT_)
		return;
	m->base_ = (uint8_t *)m + owner->room_offset;
	m->room_ = &m->own_;
	m->own_.headroom_ = owner->headroom;
	store_relaxed_u32(&m->own_.count_, 1);
}

#endif
