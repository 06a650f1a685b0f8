/*
 * pool.h - where mbufs come from and go back to.
 *
 *   capacity = allocated + available
 *
 * A pool makes mbufs of one size in slabs (one piece of provider memory
 * each), when it is created and when it runs out.  A slab is as large as all
 * before it, from 64 KiB to 2 MiB, or smaller where the provider refuses that
 * or max is near.  An mbuf that outgrows its element moves to the heap and
 * comes back at its original size.  Clones and slices are windows, small
 * headers of their own, in slabs of their own; they cost no element.
 *
 * What a thread frees it keeps back for its next allocations, up to
 * options.cache elements; what it takes from the pool in advance is little at
 * first and doubles with use.  Giving back never needs memory: free, flush,
 * trim, destroy and the exit of a thread work when there is none.
 *
 * A handle that is used after ibuf_pool_destroy(), while messages still keep
 * the pool's memory, ends the program with one line that names the pool.
 *
 * Any thread allocates, any thread frees, nothing is registered.  After fork,
 * parent and child each own a working pool; a fork handler that runs while
 * the pools are held (one that was registered before the first pool was made)
 * must not use them.
 */
#ifndef IBUF_POOL_H
#define IBUF_POOL_H

#include <ibuf/base.h>
#include <ibuf/mbuf.h>
#include <ibuf/provider.h>
#include <time.h>

IBUF_BEGIN_DECLS

struct ibuf_pool;

/** options.cache: min(124, max / 8 if there is a max). */
#define IBUF_POOL_CACHE_AUTO SIZE_MAX

/**
 * Room, private area, rooms left by growth and what the library copied are
 * overwritten on free.  Bytes that a program adds to a segment which it joined
 * from elsewhere lie in that segment's room, and are not.
 */
#define IBUF_POOL_F_WIPE 0x1u
/** ibuf_pool_alloc_wait() may sleep until an mbuf comes back. */
#define IBUF_POOL_F_WAIT 0x2u

/** How a pool is made; start from IBUF_POOL_OPTIONS_INIT. */
struct ibuf_pool_options {
	/** sizeof the struct the caller knows; 0 is refused. */
	size_t size;
	/** For reports; copied. */
	const char *name;
	/** Bytes an mbuf holds before it grows. */
	size_t capacity;
	/** Bytes in front of a fresh mbuf's data. */
	size_t headroom;
	/** Mbufs made at creation. */
	size_t initial;
	/** Most mbufs ever made; 0: no limit. */
	size_t max;
	/** Free mbufs a thread may keep back; 0: none; clamped to max. */
	size_t cache;
	/** Of the first data byte of a fresh mbuf; a power of two; 0: 64. */
	size_t alignment;
	/** The caller's bytes beside each mbuf: ibuf_mbuf_private(). */
	size_t private_size;
	/** IBUF_POOL_F_WIPE, IBUF_POOL_F_WAIT. */
	unsigned flags;
	/** NULL: pages.  Copied; its context must outlive the last mbuf. */
	const struct ibuf_provider *provider;
};

/** The defaults. */
#define IBUF_POOL_OPTIONS_INIT                                                 \
	{                                                                      \
		sizeof(struct ibuf_pool_options), "ibuf", 2048, 128, 0, 0,     \
			IBUF_POOL_CACHE_AUTO, 64, 0, 0, NULL                   \
	}

/** What a pool counts; elements are what mbufs are made in. */
struct ibuf_pool_stats {
	/** Elements made: allocated + available. */
	uint64_t capacity;
	/** Elements whose room or handle is in use. */
	uint64_t allocated;
	/** Elements free, cached included: see ibuf_pool_available(). */
	uint64_t available;
	/** Free elements that threads keep back. */
	uint64_t cached;
	/** Elements ever carved: never below the true peak of allocated. */
	uint64_t peak;
	/** Windows in use: clones, slices and the rests of splits. */
	uint64_t handles;
	/** Elements handed out. */
	uint64_t allocs;
	/** Elements come back. */
	uint64_t frees;
	/** Slabs made after creation. */
	uint64_t grows;
	/** Calls that could not be served, whatever they asked for. */
	uint64_t failures;
	/** Calls of ibuf_pool_alloc_wait() that slept. */
	uint64_t waits;
	/** Bytes moved for the library's own reasons: growth, private copies,
	    linearize, pullup, shrink, view. */
	uint64_t copied_bytes;
	/** Bytes the provider gave. */
	uint64_t mapped_bytes;
};

/**
 * Make a pool.
 *
 * @param pool where the pool goes; untouched on failure
 * @param options what it shall be; members its size does not cover in full,
 *        and NULL for all, mean the defaults
 * @return 0; -EINVAL: a size of 0 or larger than this library knows, an
 *         unknown flag, an alignment that is no power of two, initial larger
 *         than max, IBUF_POOL_F_WAIT with a cache, a provider without both
 *         functions, or one that gives a piece which is not aligned;
 *         -EOVERFLOW: sizes beyond the limits; -ENOMEM; -ENOBUFS: too many
 *         pools (65535)
 * @owner the caller; ends with ibuf_pool_destroy()
 * @mt any
 * @cost one provider call when initial is not 0, or several where it refuses
 *       that; elements are carved later
 */
IBUF_API int ibuf_pool_create(struct ibuf_pool **pool,
			      const struct ibuf_pool_options *options);

/**
 * Make a pool of which only the two main things are said.
 *
 * @param initial mbufs made now; more are made when it runs out
 * @param capacity bytes an mbuf holds before it grows
 * @return the pool; NULL: no memory, or sizes beyond the limits
 * @owner the caller; ends with ibuf_pool_destroy()
 * @mt any
 * @cost as ibuf_pool_create()
 */
IBUF_API struct ibuf_pool *ibuf_pool_new(size_t initial, size_t capacity);

/**
 * Get an empty mbuf.
 *
 * @return the mbuf; NULL: the pool is at its max, or no memory
 * @owner the caller; ends with ibuf_mbuf_free()
 * @mt any; while other threads are getting all that max leaves, it waits for
 *     them, and only for them
 * @cost O(1); provider calls when the pool grows
 */
IBUF_INLINE_ALWAYS struct ibuf_mbuf *ibuf_pool_alloc(struct ibuf_pool *p);

/**
 * Get an empty mbuf; wait for one to come back when the pool is at its max.
 *
 * @param timeout how long at most, on the monotonic clock: any numbers, of
 *        which whole seconds of nanoseconds are carried; negative is over at
 *        once; NULL, and more than 10^9 s: for ever
 * @return the mbuf; NULL: the time is over, no memory, or the pool was made
 *         without IBUF_POOL_F_WAIT
 * @owner the caller; ends with ibuf_mbuf_free()
 * @mt any
 * @cost O(1) and the wait
 */
IBUF_API struct ibuf_mbuf *ibuf_pool_alloc_wait(struct ibuf_pool *p,
						const struct timespec *timeout);

/**
 * Get n empty mbufs, or none.
 *
 * Where one slab cannot hold what is missing, several do, or none is kept.
 *
 * @param out where they go; untouched on failure
 * @param n how many
 * @return 0; -ENOBUFS: they would exceed the pool's max; -ENOMEM; -EINVAL: a
 *         piece of the provider's is not aligned
 * @owner the caller owns each
 * @mt as ibuf_pool_alloc()
 * @cost O(n)
 */
IBUF_API int ibuf_pool_alloc_bulk(struct ibuf_pool *p, struct ibuf_mbuf **out,
				  size_t n);

/**
 * Get up to n empty mbufs.
 *
 * @param out where they go; what lies beyond those is untouched
 * @param n how many at most
 * @return how many; fewer than n is no failure
 * @owner the caller owns each
 * @mt as ibuf_pool_alloc()
 * @cost O(n)
 */
IBUF_API size_t ibuf_pool_alloc_upto(struct ibuf_pool *p,
				     struct ibuf_mbuf **out, size_t n);

/**
 * Free a message that must be this pool's.
 *
 * Aborts, before anything happens, when it is not: one of another pool or of
 * the heap, one that is free already, also where a trim has unmapped it since,
 * a pointer that is no mbuf.
 *
 * @param m the message; NULL is fine
 * @owner m is gone
 * @mt any for the pool, object for the message
 * @cost as ibuf_mbuf_free(), where this thread's last checked free was of the
 *       same slab and no slab has left the pool since; else, and for clones,
 *       also the pool's lock and O(log slabs)
 */
IBUF_API void ibuf_pool_free(struct ibuf_pool *p, struct ibuf_mbuf *m);

/**
 * Make the pool grow until n mbufs are available.
 *
 * @param n how many, counted as by ibuf_pool_available()
 * @return 0; -ENOBUFS: they would exceed the pool's max; -ENOMEM; -EINVAL: a
 *         piece of the provider's is not aligned.  On failure it did not grow
 * @mt as ibuf_pool_alloc()
 * @cost as ibuf_pool_get_stats(); provider calls when the pool grows
 */
IBUF_API int ibuf_pool_reserve(struct ibuf_pool *p, size_t n);

/**
 * Give slabs in which everything is free back to the provider.
 *
 * Free are the mbufs and headers that nobody keeps back; what the calling
 * thread does is given to the pool first.  A slab stays if a message, a clone
 * or the cache of another thread has anything of it; such a cache is emptied
 * by that thread's own ibuf_pool_flush(), or its exit, or by this call where the
 * thread is gone.  What comes back while the call runs may stay for the next one.
 *
 * @return bytes given back by this call
 * @mt any; others use the pool meanwhile: its lock is held for at most 64
 *     objects at a time, or all that threads which are gone kept, and not
 *     while the provider takes a slab
 * @cost O(log slabs) for each free element and header that came back since
 *       the last trim; a provider call for each slab
 */
IBUF_API size_t ibuf_pool_trim(struct ibuf_pool *p);

/**
 * Give back what the calling thread keeps of this pool.
 *
 * @mt any
 * @cost O(cache)
 */
IBUF_API void ibuf_pool_flush(struct ibuf_pool *p);

/**
 * Read what a pool has counted.
 *
 * @param p the pool; NULL: the messages of the heap, where each live segment
 *        counts as allocated, and as a handle, and nothing is available
 * @param out where the numbers go
 * @param out_size sizeof the struct the caller knows; the smaller of the two
 *        sizes is written
 * @return 0; -EINVAL: out_size is 0
 * @mt any; exact whenever no other thread is inside the pool
 * @cost O(threads that use the pool), under the pool's lock, which their usual
 *       allocations and frees do not take
 */
IBUF_API int ibuf_pool_get_stats(const struct ibuf_pool *p,
				 struct ibuf_pool_stats *out, size_t out_size);

/**
 * Count the mbufs in use.
 *
 * @return elements whose room or handle is in use
 * @mt any
 * @cost O(threads that use the pool), under the pool's lock: about a third of
 *       ibuf_pool_get_stats()
 */
IBUF_API size_t ibuf_pool_allocated(const struct ibuf_pool *p);

/**
 * Count the mbufs that are free, wherever they are.
 *
 * That includes what threads keep back, which only they can have.  So with T
 * threads that use the pool, any of them can have at least
 * available - (T - 1) * cache before the pool grows.
 *
 * @return elements free, cached included
 * @mt any
 * @cost as ibuf_pool_get_stats()
 */
IBUF_API size_t ibuf_pool_available(const struct ibuf_pool *p);

/**
 * End a pool.
 *
 * Messages that still live keep every function; what they need anew comes
 * from the heap.  The pool's memory goes with the last of them.
 *
 * @param p the pool; NULL is fine
 * @return elements still in use
 * @owner the handle is gone
 * @mt setup for the handle; live messages may be used meanwhile
 * @cost O(slabs + threads that use the pool), and a system call where other
 *       threads do; each late free is O(1)
 */
IBUF_API size_t ibuf_pool_destroy(struct ibuf_pool *p);

IBUF_END_DECLS

#if !defined(IBUF_OUTLINE)
#include <ibuf/inline/pool.h>
#endif

#endif
