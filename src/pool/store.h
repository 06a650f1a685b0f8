/*
 * cache.h - a pool's free objects, wherever they are.
 *
 * A cache is two depots, and the list of the tcaches that threads have for
 * this pool.  It knows what is out by counting:
 *
 *   objects out = taken - given, summed over the tcaches and the depot
 */
#ifndef IBUF_SRC_CACHE_H
#define IBUF_SRC_CACHE_H

#include "../message/owner.h"
#include "block.h"
#include "depot.h"
#include "tcache.h"
#include <pthread.h>

struct ibuf_cache {
	pthread_mutex_t lock;
	struct ibuf_depot elements;
	struct ibuf_depot windows;
	struct ibuf_owner *owner;
	bool closed; /* atomic, set under the lock: nothing goes out any more */
	/* Atomic: 1 until it is over, and who came to it from a tcache. */
	uint32_t holders;
	/* Free all of it; called once, without a lock, when it is closed and
	   nothing is out. */
	void (*end)(struct ibuf_cache *cache);
	/* Put in order what a fork left of other threads; lock held. */
	void (*forked)(struct ibuf_cache *cache);
	/* Under the lock: */
	struct ibuf_tcaches_
		*tcaches; /* on by window_.link_, back by element_'s */
	int64_t out;
	bool counted;    /* it is closed, and out is kept */
	bool over;       /* nothing is out: it has no tcaches, and ends */
	size_t patience; /* calls that will not look for dead threads */
	/* Under the threads lock: */
	struct ibuf_cache *next, *previous;
	bool doubted; /* a free may have been missed when it was closed */
};

/* Objects that flush and trim move before they let others have the lock. */
#define CACHE_STEP 64

/* All caches; under the threads lock. */
extern struct ibuf_cache *ibuf_caches_;

/* Put a cache into the list, or out of it; the threads lock is held. */
void ibuf_cache_list_(struct ibuf_cache *cache);
void ibuf_cache_unlist_(struct ibuf_cache *cache);

/* What a cache has counted, summed over all threads. */
struct ibuf_cache_counts {
	uint64_t taken;
	uint64_t given;
	uint64_t cached;
	uint64_t handles; /* windows out */
	size_t capacity;
};

/* Take or give past the tcaches; the lock is held.  NULL: none there. */
struct ibuf_mbuf *
ibuf_cache_take_(struct ibuf_depot *depot,
		 void (*carved)(struct ibuf_mbuf *m, void *arg), void *arg);
void ibuf_cache_give_(struct ibuf_depot *depot, struct ibuf_mbuf *m);

/*
 * Put up to n objects that the calling thread keeps into the stocks; how many.
 * The lock is held.
 */
size_t ibuf_cache_empty_own_(const struct ibuf_cache *cache, size_t n);
void ibuf_cache_flush_(struct ibuf_cache *cache);

/* Sum up; O(threads that use it).  The lock is not held. */
void ibuf_cache_count_(struct ibuf_cache *cache,
		       struct ibuf_cache_counts *counts);

/* Elements out; the same, at a third of the price. */
size_t ibuf_cache_count_out_(struct ibuf_cache *cache);

/*
 * Give a block tcaches for this cache, which are NULL now; false: it is closed,
 * or there is no memory.
 */
bool ibuf_pool_add_tcaches_(struct ibuf_cache *cache,
			    struct ibuf_tcaches_ *tcaches);

/* Take a pair of tcaches out of the list of a cache; the lock is held. */
void ibuf_cache_unlink_(struct ibuf_cache *cache,
			const struct ibuf_tcaches_ *tcaches);

/* Clear a pair of tcaches in some way; the lock is held. */
void ibuf_cache_clear_(struct ibuf_cache *cache, struct ibuf_tcaches_ *tcaches,
		       void (*clear_tcache)(struct ibuf_tcache_ *tcache));

/*
 * The cache that a pair of tcaches in a block belongs to, which lives until it
 * is let go; NULL: none.  Whoever ends a cache clears its tcaches first, so one
 * that is found is there.
 */
struct ibuf_cache *ibuf_cache_hold_(struct ibuf_block *block,
				    const struct ibuf_tcaches_ *tcaches);
void ibuf_cache_let_go_(struct ibuf_cache *cache);

/* One tcache of a pair. */
static inline struct ibuf_tcache_ *
slot_of(struct ibuf_tcaches_ *tcaches, bool window)
{
	return window ? &tcaches->window_ : &tcaches->element_;
}

/* What the calling thread has of a cache; NULL: nothing.  The lock is held. */
static inline struct ibuf_tcaches_ *
own_tcaches(const struct ibuf_cache *cache)
{
	uint32_t number = cache->owner->index;

	if (ibuf_tcaches_own_ == NULL || number >= IBUF_TCACHES_MAX_ ||
	    ibuf_tcaches_own_[number].element_.base_ == NULL)
		return NULL;
	return &ibuf_tcaches_own_[number];
}

#endif
