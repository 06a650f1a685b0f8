/*
 * pool.h - the inside of a pool.
 *
 * Elements are mbufs with a room; windows are headers alone, for clones and
 * slices.  What is free lies in a cache (cache.h); what is out is counted
 * there, and keeps the pool's memory when the pool has been destroyed.
 *
 *   capacity = allocated + available          (elements)
 *   max     >= capacity
 *
 * cache.lock guards what stands below it here.
 */
#ifndef IBUF_SRC_POOL_H
#define IBUF_SRC_POOL_H

#include "../message/room.h"
#include "threads.h"
#include <ibuf/pool.h>
#include <string.h>

struct ibuf_pool {
	struct ibuf_pool_front_ front; /* first: the inline bodies see it */
	struct ibuf_owner owner;
	struct ibuf_provider provider;
	size_t max; /* elements; SIZE_MAX: no limit */
	bool can_wait;
	uint64_t failures;   /* atomic */
	uint64_t generation; /* atomic: of its memory, see trim.c */

	struct ibuf_cache cache;
	pthread_cond_t came_back; /* an element did, or slabs have moved */
	uint64_t peak;
	uint64_t grows;
	uint64_t waits;
	size_t waiters;
	uint64_t forks; /* how often this process came from a fork */
};

static inline struct ibuf_pool *
pool_of(const struct ibuf_owner *owner)
{
	return (struct ibuf_pool *)(void *)((uint8_t *)(uintptr_t)owner -
					    offsetof(struct ibuf_pool, owner));
}

/* ---- options: options.c ------------------------------------------------ */

/* Options in force: complete, checked but for their sizes.  0 or -EINVAL. */
int ibuf_options_read_(struct ibuf_pool_options *to,
		       const struct ibuf_pool_options *from);

/* ---- misuse: pool.c --------------------------------------------------- */

_Noreturn void ibuf_pool_is_closed_(const struct ibuf_pool *p);

/* The first thing that every call of a program with a handle does. */
static inline void
pool_must_be_open(const struct ibuf_pool *p)
{
	if (__atomic_load_n(&p->cache.closed, __ATOMIC_ACQUIRE))
		ibuf_pool_is_closed_(p);
}

/* ---- memory: supply.c, trim.c ----------------------------------------- */

/* Where the lock is held, it is let go while a provider works. */

/*
 * Get n objects into the stock of a depot, which grows where it must; some:
 * or as many as can be had, which is still a failure.  The lock is held.
 *
 * 0; -ENOBUFS; -ENOMEM; -EINVAL: a wrong slab; -EAGAIN: what max leaves is
 * moving, which the first of the two waits for.
 */
int ibuf_pool_stock_up_(struct ibuf_pool *p, struct ibuf_depot *depot, size_t n,
			bool some);
int ibuf_pool_try_stock_up_(struct ibuf_pool *p, struct ibuf_depot *depot,
			    size_t n, bool some);

/* Add n elements, or at least n; errors as above.  The lock is held. */
int ibuf_pool_grow_by_(struct ibuf_pool *p, size_t n, bool exact);

/* How many elements max leaves that are not moving.  The lock is held. */
size_t ibuf_pool_room_(const struct ibuf_pool *p);

/*
 * n objects do not move any more: those who wait for that look again.  forks
 * is p->forks from when they began to.  The lock is held.
 */
void ibuf_pool_moved_(struct ibuf_pool *p, struct ibuf_depot *depot, size_t n,
		      uint64_t forks);

/* Forget what checked frees remember of the pool's memory. */
void ibuf_pool_renew_(struct ibuf_pool *p);

/* Unmap a slab that is in no stock; no lock is held. */
static inline void
pool_unmap(const struct ibuf_pool *p, struct ibuf_slab *slab)
{
	show(slab->base, slab->size);
	ibuf_slab_unmap_(slab, &p->provider);
}

/* ---- elements: element.c ------------------------------------------- */

/* Make an element that was just carved as a free one is. */
void ibuf_element_carved_(struct ibuf_mbuf *m, void *pool);

/* Show a checker of memory that the room of a free element may be used. */
static inline void
element_show(const struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	show((uint8_t *)m + p->owner.room_offset, p->owner.room_size);
}

/* Make a free element a message. */
static inline struct ibuf_mbuf *
element_open(const struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	element_show(p, m);
	memcpy(m, &p->front.fresh_, sizeof p->front.fresh_);
	return m;
}

/*
 * Take an element from the stock, which may grow; the lock is held.  It is
 * -ENOBUFS also where the pool is at its max only until slabs have moved.
 */
int ibuf_element_from_stock_(struct ibuf_pool *p, struct ibuf_mbuf **m);

struct ibuf_mbuf *ibuf_element_take_(struct ibuf_owner *owner);
void ibuf_element_give_(struct ibuf_owner *owner, struct ibuf_mbuf *m);

/* ---- what handle.c calls by the names of ibuf/pool.h ----------------- */

struct ibuf_mbuf *ibuf_element_alloc_(struct ibuf_pool *p);
int ibuf_element_alloc_bulk_(struct ibuf_pool *p, struct ibuf_mbuf **out,
			     size_t n);
size_t ibuf_element_alloc_upto_(struct ibuf_pool *p, struct ibuf_mbuf **out,
				size_t n);
void ibuf_element_free_(struct ibuf_pool *p, struct ibuf_mbuf *m);
struct ibuf_mbuf *ibuf_wait_alloc_(struct ibuf_pool *p,
				   const struct timespec *timeout);
int ibuf_supply_reserve_(struct ibuf_pool *p, size_t n);
size_t ibuf_trim_(struct ibuf_pool *p);
/* p may be NULL: the heap. */
int ibuf_stats_get_(const struct ibuf_pool *p, struct ibuf_pool_stats *out,
		    size_t out_size);
size_t ibuf_stats_allocated_(const struct ibuf_pool *p);

/* ---- windows: window.c --------------------------------------------- */

struct ibuf_mbuf *XX_indirect_take_(struct ibuf_owner *owner);
bool XX_indirect_take_many_(struct ibuf_owner *owner, struct ibuf_mbuf **out,
			    size_t n);
void XX_indirect_give_(struct ibuf_owner *owner, struct ibuf_mbuf *m);

#endif
