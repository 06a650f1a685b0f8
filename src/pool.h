/*
 * pool.h - the inside of a pool: one lock around two stocks.
 *
 * Elements are mbufs with a room; windows are headers alone, for clones and
 * slices.  Whatever lives in the pool's memory is counted: the memory goes
 * when the pool is closed and nothing is out.
 *
 *   capacity = allocated + available          (elements)
 *   live     = allocated + handles            (what keeps the memory)
 *
 * Everything below the lock is read and written under it; home.pool, which
 * says whether the pool is closed, and home.copied_bytes are atomic.
 */
#ifndef IBUF_SRC_POOL_H
#define IBUF_SRC_POOL_H

#include "room.h"
#include "slab.h"
#include <ibuf/pool.h>
#include <pthread.h>

/* flags_ of an object in a stock; nothing else has it. */
#define LISTED 0x80u

struct ibuf_pool {
	struct ibuf_home home; /* first: a home is its pool */
	struct ibuf_provider provider;
	size_t max;   /* elements; SIZE_MAX: no limit */
	size_t cache; /* elements a thread may keep back */
	bool can_wait;

	pthread_mutex_t lock;
	pthread_cond_t came_home; /* an element did; for can_wait */
	struct ibuf_stock elements;
	struct ibuf_stock windows;
	uint64_t allocated;
	uint64_t handles;
	uint64_t peak;
	uint64_t allocs;
	uint64_t frees;
	uint64_t grows;
	uint64_t failures;
	uint64_t waits;
	size_t waiters;
	bool closed;
};

/* What elements and windows do when they go out and come home. */
extern const struct ibuf_home_ops ibuf_pool_ops_;

/* Add a slab of at least n elements, within max; the lock is held. */
int ibuf_pool_grow_(struct ibuf_pool *p, size_t n);

/* Free the pool and all its memory; nobody can reach it any more. */
void ibuf_pool_end_(struct ibuf_pool *p);

#endif
