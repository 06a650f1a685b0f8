/*
 * cache.h - a pool's free objects, wherever they are.
 *
 * A cache is two depots, and the list of the slots that threads have for
 * this pool.  It knows what is out by counting:
 *
 *   objects out = taken - given, summed over the slots and the depot
 *
 * Locks, in this order: the threads lock (one for all), which
 * guards which slot belongs to which cache; then a cache's own, which guards
 * its stocks and whatever else its pool has.  No lock is held on the way
 * that is usually taken.
 */
#ifndef IBUF_SRC_CACHE_H
#define IBUF_SRC_CACHE_H

#include "depot.h"
#include "home.h"
#include "slot.h"
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

/* Objects that flush and trim move before they let others have the lock. */
#define CACHE_STEP 64

/* The threads lock, and all caches. */
extern pthread_mutex_t ibuf_threads_lock_;
extern struct ibuf_cache *ibuf_caches_;

/* What a cache has counted, summed over all threads. */
struct ibuf_cache_counts {
	uint64_t taken;
	uint64_t given;
	uint64_t cached;
	uint64_t handles; /* windows out */
	size_t capacity;
};

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

/* Let the threads lock go, and end the cache, which may be NULL, if it is
   closed and nothing is out. */
void ibuf_cache_leave_(struct ibuf_cache *cache);

#endif
