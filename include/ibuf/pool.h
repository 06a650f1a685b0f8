/*
 * pool.h - where mbufs come from and go back to.
 *
 *   ibuf_pool_alloc()    +--------+-----------------------------+
 *     gives one  ------> | header | room: headroom and capacity |   in a slab
 *                        +--------+-----------------------------+
 *   capacity = allocated + available
 *
 * A pool makes mbufs of one size, a header with a room behind it, in slabs:
 * pieces of provider memory, mapped when the pool is created and when it runs
 * out.  A slab is as large as all before it, from 64 KiB to 2 MiB, or smaller
 * where the provider refuses that or max is near.  An mbuf that outgrows its
 * room moves its bytes to the heap, and comes back at its original size.
 * Clones and slices are headers without a room, in slabs of their own.
 *
 * What a thread frees it keeps back for its next allocations, up to
 * options.cache mbufs; what it takes in advance is little at first and doubles
 * with use.  Giving back never needs memory: free, flush, trim, destroy and
 * the exit of a thread work when there is none.
 *
 * Any thread allocates, any thread frees, nothing is registered.  After fork,
 * parent and child each own a working pool; a fork handler that runs while the
 * pools are held (one that was registered before the first pool was made) must
 * not use them.
 *
 * A pool that is used after ibuf_pool_destroy(), while messages still keep its
 * memory, ends the program with one line that names the pool.
 *
 * Who allocated the messages that a program loses is reported where the
 * environment variable IBUF_DEBUG has the word leaks, or leaks=N for each N-th
 * allocation: when a pool is destroyed, and at the end of the program.  With the
 * words quarantine and redzone a message that is used after it was freed, freed
 * twice, or written beside its room aborts with the calls that allocated it.
 */
#ifndef IBUF_POOL_H
#define IBUF_POOL_H

#include <ibuf/base.h>
#include <ibuf/mbuf.h>
#include <ibuf/provider.h>
#include <time.h>

IBUF_BEGIN_DECLS

struct ibuf_pool;

/**
 * @defgroup pool Pools
 * Where mbufs come from and go back to.
 *
 * NULL from an allocation means no memory, or a pool at its max.  Errors are
 * -ENOMEM; -ENOBUFS: more than the pool's max; -EINVAL: also for a piece of
 * the provider's that is not aligned.
 * @owner the caller has each mbuf, and frees it with ibuf_mbuf_free()
 * @mt any
 * @cost O(1) for each mbuf, and provider calls when the pool grows
 * @{
 */

/** The default of options.cache: min(124, max / 8 if there is a max). */
#define IBUF_POOL_CACHE_AUTO SIZE_MAX

/**
 * Flag: rooms, private areas, rooms left by growth and what the library copied
 * are overwritten on free.  Bytes that a program adds to a segment which it
 * joined from elsewhere lie in that segment's room, and are not.
 *
 * @cost a call more a free, and the overwriting of what was written in a room;
 *       after a reserve, of all the tailroom that there was
 */
#define IBUF_POOL_F_WIPE 0x1u
/**
 * Flag: ibuf_pool_alloc_wait() may sleep until an mbuf comes back.  Who sleeps is
 * served in the order of coming.  What threads keep back is recalled when
 * somebody waits or finds the pool at its max, so any thread can have all that
 * is available.  Where the system has no membarrier(2) (not Linux, a sandbox)
 * threads of such a pool keep nothing back.
 *
 * Price: ibuf_pool_alloc() and ibuf_mbuf_free() are calls, and a pair takes at
 * most five times as long as without the flag.  A recall is a system call that
 * interrupts all threads of the process, at most once in 64 calls, and never
 * where nobody keeps anything back.
 */
#define IBUF_POOL_F_WAIT 0x2u

/** How a pool is made; start from #IBUF_POOL_OPTIONS_INIT. */
struct ibuf_pool_options {
	/** sizeof the struct that the caller knows; 0 is refused. */
	size_t size;
	/** For reports; copied.  Default: "ibuf", also for NULL. */
	const char *name;
	/** Bytes an mbuf holds before it grows.  Default: 2048. */
	size_t capacity;
	/** Bytes in front of a fresh mbuf's data.  Default: 128. */
	size_t headroom;
	/** Mbufs made at creation.  Default: 0. */
	size_t initial;
	/** Most mbufs ever made; 0, the default: no limit. */
	size_t max;
	/** Most free mbufs that a thread keeps back; 0: none; clamped to max.
	    Default: #IBUF_POOL_CACHE_AUTO. */
	size_t cache;
	/** Of the first data byte of a fresh mbuf; a power of two.  Default: 64,
	    also for 0. */
	size_t alignment;
	/** The caller's bytes beside each mbuf, see ibuf_mbuf_private(), which
	    clears them when it is first called; who does not pays nothing.
	    Default: 0. */
	size_t private_size;
	/** #IBUF_POOL_F_WIPE, #IBUF_POOL_F_WAIT.  Default: 0. */
	unsigned flags;
	/** Where the memory comes from; copied.  Its context must outlive the
	    last mbuf.  Default: NULL, which is ibuf_provider_pages(). */
	const struct ibuf_provider *provider;
};

/** The defaults. */
#define IBUF_POOL_OPTIONS_INIT                                                 \
	{                                                                      \
		sizeof(struct ibuf_pool_options), "ibuf", 2048, 128, 0, 0,     \
			IBUF_POOL_CACHE_AUTO, 64, 0, 0, NULL                   \
	}

/** What a pool counts. */
struct ibuf_pool_stats {
	/** Mbufs made: allocated + available. */
	uint64_t capacity;
	/** Mbufs whose header or room is in use. */
	uint64_t allocated;
	/** Mbufs free, also those that threads keep back: see
	    ibuf_pool_available(). */
	uint64_t available;
	/** Free mbufs that threads keep back. */
	uint64_t cached;
	/** Mbufs ever carved from slabs: never below the true peak of allocated. */
	uint64_t peak;
	/** Headers without a room of their own in use: clones, slices and the
	    rests of splits, one for each of their segments. */
	uint64_t handles;
	/** Mbufs handed out. */
	uint64_t allocs;
	/** Mbufs come back. */
	uint64_t frees;
	/** Slabs of mbufs made after creation. */
	uint64_t grows;
	/** Calls that could not be served, whatever they asked for. */
	uint64_t failures;
	/** Calls of ibuf_pool_alloc_wait() that slept. */
	uint64_t waits;
	/** Bytes copied for the library's own reasons: growth, private copies,
	    linearize, pullup, shrink, view, datagrams of too many segments. */
	uint64_t copied_bytes;
	/** Bytes that the provider gave. */
	uint64_t mapped_bytes;
};

/**
 * Make a pool.
 *
 * @param pool where the pool goes; untouched on failure
 * @param options how it is made; NULL, and members that its size does not
 *        cover in full, mean the defaults
 * @return 0; -ENOMEM; -EOVERFLOW: sizes beyond the limits; -ENOBUFS: too many
 *         pools (65535); -EINVAL: a size of 0 or larger than this library
 *         knows, an unknown flag, an alignment that is no power of two, initial
 *         larger than max, a provider without
 *         both functions, or one that gives a piece which is not aligned
 * @owner the caller has the pool, and ends it with ibuf_pool_destroy()
 * @cost one provider call when initial is not 0, or several where it refuses
 *       that; mbufs are carved later
 */
IBUF_API IBUF_MUST_USE int
ibuf_pool_create(struct ibuf_pool **pool,
		 const struct ibuf_pool_options *options) IBUF_NONNULL((1));

/**
 * End a pool.
 *
 * Messages that still live keep every function; what they need anew comes
 * from the heap.  The pool's memory goes with the last of them.
 *
 * @param p the pool, not to be used any more; NULL is fine
 * @return mbufs whose header or room is still in use
 * @mt setup for the pool; live messages may be used meanwhile
 * @cost O(slabs + threads that use the pool), and a system call where other
 *       threads do; each late free is O(1)
 */
IBUF_API size_t ibuf_pool_destroy(struct ibuf_pool *p);

/**
 * Make a pool with the defaults, but for two: the mbufs made now, and the bytes
 * that each holds before it grows.
 *
 * @return the pool; NULL: no memory, or sizes beyond the limits
 * @owner the caller has the pool, and ends it with ibuf_pool_destroy()
 */
IBUF_API IBUF_MAKES_POOL struct ibuf_pool *ibuf_pool_new(size_t initial,
							 size_t capacity);

/**
 * Get an empty mbuf, or NULL.
 *
 * @mt any; while other threads are getting all that max leaves, it waits for
 *     them, and only for them
 * @cost as above; with #IBUF_POOL_F_WAIT at its max also O(threads that use the
 *       pool), to see whether any keeps something back
 */
IBUF_INLINE_ALWAYS IBUF_MAKES_MBUF struct ibuf_mbuf *
ibuf_pool_alloc(struct ibuf_pool *p) IBUF_NONNULL((1));

/**
 * Get an empty mbuf; wait for one to come back when the pool is at its max.
 *
 * @param timeout how long at most, on the monotonic clock; nanoseconds past a
 *        second are carried, and a negative time is over at once; NULL, and
 *        more than 10^9 s: for ever
 * @return the mbuf; NULL: the time is over, no memory, or a pool without
 *         #IBUF_POOL_F_WAIT
 * @mt any; a cancellation point, where nothing is lost
 */
IBUF_API IBUF_MAKES_MBUF struct ibuf_mbuf *
ibuf_pool_alloc_wait(struct ibuf_pool *p, const struct timespec *timeout)
	IBUF_NONNULL((1));

/**
 * Get n empty mbufs, or none.
 *
 * @param out where they go; untouched on failure
 * @param n how many; several slabs hold them where one cannot
 * @return 0; -ENOBUFS; -ENOMEM; -EINVAL
 * @mt as ibuf_pool_alloc()
 */
IBUF_API IBUF_MUST_USE int ibuf_pool_alloc_bulk(struct ibuf_pool *p,
						struct ibuf_mbuf **out,
						size_t n) IBUF_NONNULL((1));

/**
 * Get up to n empty mbufs.
 *
 * @param out where they go; what lies beyond those is untouched
 * @return how many; fewer than n is no failure
 * @mt as ibuf_pool_alloc()
 */
IBUF_API IBUF_MUST_USE size_t ibuf_pool_alloc_upto(struct ibuf_pool *p,
						   struct ibuf_mbuf **out,
						   size_t n) IBUF_NONNULL((1));

/**
 * Free a message that must be this pool's.
 *
 * Aborts, before anything happens, when it is not: a message of another pool
 * or of the heap, one that is free already, also where a trim has unmapped it
 * since, a pointer that is no mbuf.
 *
 * @param m the message; NULL is fine
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
 * @return 0; -ENOBUFS; -ENOMEM; -EINVAL; on failure it did not grow
 * @mt as ibuf_pool_alloc()
 * @cost as ibuf_pool_get_stats(), and provider calls when the pool grows
 */
IBUF_API IBUF_MUST_USE int ibuf_pool_reserve(struct ibuf_pool *p, size_t n)
	IBUF_NONNULL((1));

/**
 * Give slabs in which everything is free back to the provider.
 *
 * What the calling thread keeps back is given to the pool first.  A slab stays
 * while a message or a clone, or what another thread keeps back, has anything
 * of it.  That thread's own ibuf_pool_flush() or exit frees it; where the thread
 * is gone, this call does.  What comes back while the call runs may stay for
 * the next one.
 *
 * @return bytes given back by this call
 * @mt any; the pool's lock is held for at most 64 headers at a time, or all
 *     that threads which are gone kept, and not while the provider takes a slab
 * @cost O(log slabs) for each header that came back since the last trim; a
 *       provider call for each slab
 */
IBUF_API size_t ibuf_pool_trim(struct ibuf_pool *p) IBUF_NONNULL((1));

/**
 * Give back what the calling thread keeps of this pool.
 *
 * @cost O(cache)
 */
IBUF_API void ibuf_pool_flush(struct ibuf_pool *p) IBUF_NONNULL((1));

/**
 * Read what a pool has counted.
 *
 * @param p the pool; NULL: the messages of the heap, where each live segment
 *        counts in allocated and in handles, and nothing is available
 * @param out where the numbers go
 * @param out_size sizeof the struct that the caller knows; the smaller of the
 *        two sizes is written
 * @return 0; -EINVAL: out_size is 0
 * @mt any; exact whenever no other thread is inside the pool
 * @cost O(threads that use the pool), under the pool's lock, which their usual
 *       allocations and frees do not take
 */
IBUF_API int ibuf_pool_get_stats(const struct ibuf_pool *p,
				 struct ibuf_pool_stats *out, size_t out_size);

/**
 * Read the options of a pool as they are in force: ibuf_pool_create() makes
 * another such pool of them.
 *
 * @param out where they go: AUTO is resolved, cache is clamped, and 0 where
 *        nothing is kept back; name and provider live as long as the pool
 * @param out_size sizeof the struct that the caller knows; the smaller of the
 *        two sizes is written, and is what out->size says
 * @return 0; -EINVAL: out_size is 0
 * @cost O(1)
 */
IBUF_API int ibuf_pool_get_options(const struct ibuf_pool *p,
				   struct ibuf_pool_options *out,
				   size_t out_size);

/**
 * Tell the name of a pool, which lives as long as the pool.
 *
 * @cost O(1)
 */
IBUF_API const char *ibuf_pool_name(const struct ibuf_pool *p)
	IBUF_NONNULL((1));

/**
 * Count the mbufs whose header or room is in use.
 *
 * @cost as ibuf_pool_get_stats(), about a third of it
 */
IBUF_API size_t ibuf_pool_allocated(const struct ibuf_pool *p)
	IBUF_NONNULL((1));

/**
 * Count the mbufs that are free, also those that threads keep back, which only
 * these threads can have.  So with T threads that use the pool, any of them
 * can have at least available - (T - 1) * cache before the pool grows; with
 * #IBUF_POOL_F_WAIT any can have all of them.
 *
 * @cost as ibuf_pool_get_stats()
 */
IBUF_API size_t ibuf_pool_available(const struct ibuf_pool *p)
	IBUF_NONNULL((1));

/**
 * Visit every live message of a pool, clones and slices too: each once, by its
 * first segment, in no order.
 *
 * @param p the pool; NULL: the messages of the heap, and those to which a
 *        destroyed pool's have turned for a header
 * @param fn called for each; it may look at all messages, and do no more
 * @param arg for fn
 * @return how many there are
 * @mt setup: also the pool's messages, or all of the heap, are nobody else's
 * @cost O(mbufs and clones that there ever were at once)
 */
IBUF_API size_t ibuf_pool_walk(struct ibuf_pool *p,
			       void (*fn)(const struct ibuf_mbuf *m, void *arg),
			       void *arg) IBUF_NONNULL((2));

/** @} */

IBUF_END_DECLS

#if !defined(IBUF_OUTLINE)
#include <ibuf/inline/pool.h>
#endif

#endif
