/*
 * cache.h - the threads of a process and the objects they keep back.
 *
 * Each thread has a block of slots, a pair for each pool it uses; see
 * ibuf/home.h for what a slot is.  A cache is what a pool has of all this:
 * two depots, and the list of its slots in all threads.
 *
 *   objects out = taken - given, summed over the slots and the depot
 *
 * Locks, in this order: the threads lock (one for all, in cache.c), which
 * guards which slot belongs to which cache; then a cache's own, which guards
 * its stocks and whatever else its pool has.  No lock is held on the way
 * that is usually taken.
 */
#ifndef IBUF_SRC_CACHE_H
#define IBUF_SRC_CACHE_H

#include "depot.h"
#include "home.h"
#include <pthread.h>

struct ibuf_cache {
	pthread_mutex_t lock;
	struct ibuf_depot elements;
	struct ibuf_depot windows;
	struct ibuf_home *home;
	bool closed; /* atomic: nothing goes out any more */
	/* Free all of it; called once, without a lock, when it is closed and
	   nothing is out. */
	void (*end)(struct ibuf_cache *cache);
	/* Put in order what a fork left of other threads; lock held. */
	void (*forked)(struct ibuf_cache *cache);
	/* Under the threads lock: */
	struct ibuf_slots_ *slots; /* linked by window_.link_ */
	struct ibuf_cache *next, *previous;
};

/* What a cache has counted, summed over all threads. */
struct ibuf_cache_counts {
	uint64_t taken;
	uint64_t given;
	uint64_t cached;
	uint64_t handles; /* windows out */
	size_t capacity;
};

/* Give the cache's home a number, and list it.  0, -ENOMEM or -ENOBUFS. */
int ibuf_cache_register_(struct ibuf_cache *cache);

/*
 * The calling thread's slots for a cache, made when it has none; NULL: it
 * cannot have any, and objects must be taken from the stock and given to it.
 */
struct ibuf_slots_ *ibuf_cache_slots_(struct ibuf_cache *cache);

/* Get objects into an empty slot without a lock; false: there are none. */
bool ibuf_cache_refill_(struct ibuf_slot_ *slot);

/* See to it that a slot has n objects, without a lock; false: take them elsewhere. */
bool ibuf_cache_top_up_(struct ibuf_slot_ *slot, size_t n);

/* Take n objects out of a slot that has them. */
void ibuf_cache_pour_(struct ibuf_slot_ *slot, struct ibuf_mbuf **out,
		      size_t n);

/* Get objects into an empty slot from the stock; the lock is held. */
bool ibuf_cache_unstock_(struct ibuf_slot_ *slot,
			 void (*carved)(struct ibuf_mbuf *m, void *arg),
			 void *arg);

/* Put an object into a slot, full or not; false: the cache was closed. */
bool ibuf_cache_give_slot_(struct ibuf_slot_ *slot, struct ibuf_mbuf *m);

/* Take or give past the slots; the lock is held.  NULL: none there. */
struct ibuf_mbuf *
ibuf_cache_take_(struct ibuf_depot *depot,
		 void (*carved)(struct ibuf_mbuf *m, void *arg), void *arg);
void ibuf_cache_give_(struct ibuf_depot *depot, struct ibuf_mbuf *m);

/* An object of a closed cache comes home, perhaps the last. */
void ibuf_cache_give_late_(struct ibuf_depot *depot, struct ibuf_mbuf *m);

/* Give back what the calling thread keeps. */
void ibuf_cache_flush_(struct ibuf_cache *cache);

/* Sum up.  Takes both locks, or needs neither held. */
void ibuf_cache_count_(struct ibuf_cache *cache,
		       struct ibuf_cache_counts *counts);

/* Close: elements that are still out.  The cache may be gone afterwards. */
size_t ibuf_cache_close_(struct ibuf_cache *cache);

#endif
