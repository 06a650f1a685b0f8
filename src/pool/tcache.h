/*
 * thread cache.h - a thread cache at work: two magazines, traded with a depot.
 *
 *   base_ to top_       the magazine that headers go to and come from
 *   previous_ (kept_)   the one before: full or empty, or what an exchange
 *                       has left
 *
 * Taking and giving swap the two first; only when that does not help does a
 * whole magazine go to the depot or come from it.  All functions are for the
 * thread whose thread cache it is, where they do not say otherwise.
 */
#ifndef IBUF_SRC_TCACHE_H
#define IBUF_SRC_TCACHE_H

#include "store.h"
#include <ibuf/inline/thread.h>

/* The magazine that a thread cache, not one of zeros, works with. */
static inline struct ibuf_magazine *
tcache_magazine(const struct ibuf_tcache_ *tcache)
{
	return (struct ibuf_magazine *)(void *)((uint8_t *)tcache->base_ -
						offsetof(struct ibuf_magazine,
							 headers));
}

/* Where it trades them. */
static inline struct ibuf_store *
tcache_store(const struct ibuf_tcache_ *tcache)
{
	return store_of(tcache_magazine(tcache)->depot);
}

/* How many headers a thread cache has, for any thread; size is that of a
   magazine. */
uint32_t ibuf_tcache_held_(const struct ibuf_tcache_ *tcache, size_t size);

/* Get headers into an empty thread cache without a lock; false: there are
   none. */
bool ibuf_tcache_refill_(struct ibuf_tcache_ *tcache);

/* See to it that a thread cache has n headers, without a lock; false: it
   cannot. */
bool ibuf_tcache_top_up_(struct ibuf_tcache_ *tcache, size_t n);

/* Take n headers out of a thread cache that has them. */
void ibuf_tcache_pour_(struct ibuf_tcache_ *tcache, struct ibuf_mbuf **out,
		       size_t n);

/*
 * Get headers into an empty thread cache from the slabs; the lock is held.
 * They are few at first and twice as many each time, up to a magazine: what a
 * thread keeps back grows with its use of the pool.
 */
bool ibuf_tcache_fill_(struct ibuf_tcache_ *tcache);

/* Put a header into a thread cache, full or not; false: it has been closed. */
bool ibuf_tcache_put_(struct ibuf_tcache_ *tcache, struct ibuf_mbuf *m);

/*
 * Give a thread cache its magazines, two or one; it stays closed. false: no
 * memory.  The lock is held, as for the three below.
 */
bool ibuf_tcache_set_up_(struct ibuf_tcache_ *tcache, struct ibuf_store *store);

/* Open a thread cache that has been set up: it may be filled. */
void ibuf_tcache_open_(struct ibuf_tcache_ *tcache);

/* Has it been opened, and not closed?  For its thread. */
static inline bool
tcache_is_open(const struct ibuf_tcache_ *tcache)
{
	return __atomic_load_n(&tcache->end_, __ATOMIC_RELAXED) != NULL;
}

/* Close a thread cache of any thread, for good: who fills it finds it full. */
void ibuf_tcache_close_(struct ibuf_tcache_ *tcache);

/* Put what a thread cache holds into the slabs, at most n headers; how many. */
size_t ibuf_tcache_empty_(struct ibuf_tcache_ *tcache, size_t n);

/* Hand the numbers and the magazines of an empty thread cache to the depot. */
void ibuf_tcache_retire_(struct ibuf_tcache_ *tcache);

/*
 * In the child of a fork: a thread cache whose thread is not there leaves its
 * numbers to the depot; then the depot has all magazines but those of the
 * thread that is there, where that has a thread cache.
 */
void ibuf_tcache_abandon_(struct ibuf_tcache_ *tcache);
void ibuf_tcache_inherit_(struct ibuf_store *store,
			  const struct ibuf_tcache_ *own);

/* A thread cache belongs to no cache any more; its thread, any, sees zeros. */
void ibuf_tcache_forget_(struct ibuf_tcache_ *tcache);

#endif
