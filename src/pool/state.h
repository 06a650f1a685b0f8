/*
 * state.h - the inside of a pool, and what its files do for each other.
 *
 * Direct headers have a room of their own and are what an allocation gives;
 * indirect ones are for clones and slices.  What is free of each lies in a
 * store (store.h); what is out is counted, and keeps the pool's memory when
 * the pool has been destroyed.
 *
 *   capacity = allocated + available          (direct headers)
 *   max     >= capacity
 *   out of a store = taken - given, summed over it and its thread caches
 */
#ifndef IBUF_SRC_POOL_STATE_H
#define IBUF_SRC_POOL_STATE_H

#include "../message/room.h"
#include "../platform/probe.h"
#include "block.h"
#include "store.h"
#include <ibuf/pool.h>
#include <pthread.h>
#include <string.h>

struct ibuf_waiter; /* wait.c */

/* How far a pool is in recalling, see recall.c; under its lock. */
struct ibuf_recall {
	uint32_t on;        /* atomic; 1: threads keep out of thread caches */
	bool armed;         /* all have passed a barrier since then */
	bool refused;       /* the system refused the barrier */
	uint32_t recallers; /* who pass it, or wait for a thread to be out */
	uint32_t left;      /* calls until threads keep something back again */
};

struct ibuf_record; /* record.h */

/* Headers that are freed and not used again yet, see quarantine.c; under the
   lock of the book. */
struct ibuf_quarantine {
	struct ibuf_record *first, *last;
	size_t n, direct; /* so many wait, and of them direct ones */
	size_t bytes;     /* of their rooms */
	size_t stops;     /* while it is not 0 nothing waits */
	unsigned forks;   /* the process in which that holds */
};

struct ibuf_pool {
	struct ibuf_pool_front_ front; /* first: the inline bodies see it */
	struct ibuf_owner owner;
	struct ibuf_provider provider;
	struct ibuf_pool_options options; /* in force */
	bool can_wait;
	bool biased; /* what its threads keep back is recalled, see recall.c */
	uint64_t failures;   /* atomic */
	uint64_t generation; /* atomic: of its memory, see trim.c */

	pthread_mutex_t lock;
	struct ibuf_store store[2]; /* IBUF_DIRECT_, IBUF_INDIRECT_ */
	bool closed; /* atomic, set under the lock: nothing goes out any more */
	/* Atomic: 1 until it is over, and who came to it from a thread
	   cache. */
	uint32_t holders;
	/* Under the lock: */
	struct ibuf_tcaches_ *tcaches; /* those of all threads; linked */
	int64_t out;
	bool counted;    /* it is closed, and out is kept */
	bool over;       /* nothing is out: it has no thread caches, and ends */
	size_t patience; /* calls that will not look for dead threads */
	pthread_cond_t moved; /* slabs have, or a direct header came back */
	size_t movers;        /* who sleep until then */
	uint64_t waits;
	struct ibuf_waiter *line,
		*last;  /* who wait for one: the first, the last */
	uint64_t forks; /* how often this process came from a fork */
	struct ibuf_recall recall;
	/* Under the threads lock: */
	struct ibuf_pool *next, *previous;
	bool doubted; /* a free may have been missed when it was closed */
	/* Of a pool that IBUF_DEBUG watches, see debug.c: */
	struct ibuf_owner_ops watched;
	const struct ibuf_owner_ops *plain; /* what it did before */
	size_t kept_at;                     /* front.tcache_ before */
	struct ibuf_quarantine quarantine;
};

static inline struct ibuf_pool *
pool_of(const struct ibuf_owner *owner)
{
	return (struct ibuf_pool *)(void *)((uint8_t *)(uintptr_t)owner -
					    offsetof(struct ibuf_pool, owner));
}

/* May threads keep headers of this pool back? */
static inline bool
pool_has_tcaches(const struct ibuf_pool *p)
{
	return p->store[IBUF_INDIRECT_].depot.magazine_size != 0;
}

/* A call could not be served. */
static inline void
pool_failed(struct ibuf_pool *p)
{
	count_relaxed(&p->failures, 1);
	PROBE2(exhausted, p->owner.name, p->store[IBUF_DIRECT_].slabs.capacity);
}

/* Do threads keep out of its thread caches?  A hint for who has not the lock:
   the bias of its own tells each thread. */
static inline bool
pool_recalls(const struct ibuf_pool *p)
{
	return load_relaxed_u32(&p->recall.on) != 0;
}

/* ---- options.c --------------------------------------------------------- */

/* Options in force: complete, checked but for their sizes.  0 or -EINVAL. */
int ibuf_options_read_(struct ibuf_pool_options *to,
		       const struct ibuf_pool_options *from);

int ibuf_options_get_(const struct ibuf_pool *p, struct ibuf_pool_options *out,
		      size_t out_size);

/* ---- held.c: who holds a pool, and its end -------------------------------- */

/* All pools; under the threads lock, see pools.c. */
extern struct ibuf_pool *ibuf_pools_;

/* Put a pool into the list, or out of it; the threads lock is held. */
void ibuf_pool_list_(struct ibuf_pool *p);
void ibuf_pool_unlist_(struct ibuf_pool *p);

/*
 * The pool that a pair of thread caches in a block belongs to, which lives
 * until it is let go; NULL: none.  Whoever ends a pool clears its thread
 * caches first, so one that is found is there.
 */
struct ibuf_pool *ibuf_pool_hold_(struct ibuf_block *block,
				  const struct ibuf_tcaches_ *tcaches);
void ibuf_pool_let_go_(struct ibuf_pool *p);

/* Free a pool that nobody can reach. */
void ibuf_pool_unmake_(struct ibuf_pool *p);

/* The first thing that every call of a program with a pool does. */
static inline void
pool_must_be_open(const struct ibuf_pool *p)
{
	if (__atomic_load_n(&p->closed, __ATOMIC_ACQUIRE))
		ibuf_platform_die_("ibuf: pool \"%s\" is used after it was "
				   "destroyed",
				   p->owner.name);
}

/* ---- expand.c, trim.c: memory comes and goes --------------------------- */

/* Where the lock is held, it is let go while a provider works. */

/*
 * Get n free headers into the slabs of a store, which grow where they must;
 * some: or as many as can be had, which is still a failure.  The lock is held.
 *
 * 0; -ENOBUFS; -ENOMEM; -EINVAL: a wrong slab; -EAGAIN: what max leaves is
 * moving, which the first of the two waits for.
 */
int ibuf_expand_(struct ibuf_store *store, size_t n, bool some);
int ibuf_expand_try_(struct ibuf_store *store, size_t n, bool some);

/* Add n headers, or at least n; errors as above.  The lock is held. */
int ibuf_expand_by_(struct ibuf_store *store, size_t n, bool exact);

/* How many headers max leaves that are not moving.  The lock is held. */
size_t ibuf_expand_limit_(const struct ibuf_store *store);

/*
 * n headers do not move any more: those who wait for that look again.  forks
 * is p->forks from when they began to.  The lock is held.
 */
void ibuf_expand_moved_(struct ibuf_store *store, size_t n, uint64_t forks);

/* Forget what checked frees remember of the pool's memory. */
void ibuf_pool_renew_(struct ibuf_pool *p);

/* Unmap a slab that is in no store; no lock is held. */
static inline void
pool_unmap(const struct ibuf_pool *p, struct ibuf_slab *slab)
{
	unhide(slab->base, slab->size);
	ibuf_slab_unmap_(slab, &p->provider);
}

/* ---- alloc.c: headers go out and come back ----------------------------- */

/* Make a free direct header a message. */
struct ibuf_mbuf *ibuf_alloc_open_(const struct ibuf_pool *p,
				   struct ibuf_mbuf *m);

/*
 * Take a direct header past the thread caches; the lock is held.  It is
 * -ENOBUFS also where the pool is at its max only until slabs have moved.
 */
int ibuf_alloc_locked_(struct ibuf_pool *p, struct ibuf_mbuf **m);

/* What a header's room and private area held is nobody's to read any more. */
void ibuf_alloc_close_(const struct ibuf_owner *owner, struct ibuf_mbuf *m,
		       unsigned kind);

/* What an owner does. */
struct ibuf_mbuf *ibuf_alloc_take_(struct ibuf_owner *owner, unsigned kind);
bool ibuf_alloc_take_many_(struct ibuf_owner *owner, struct ibuf_mbuf **out,
			   size_t n);
void ibuf_alloc_give_(struct ibuf_owner *owner, struct ibuf_mbuf *m,
		      unsigned kind);

/* ---- wait.c: threads sleep until a direct header comes back ------------ */

/* The pool may grow again: the first in the line tries it.  Lock held. */
void ibuf_wait_look_(struct ibuf_pool *p);

/* In the child of a fork: those who waited are not there. */
void ibuf_wait_forked_(struct ibuf_pool *p);

/* ---- recall.c: what other threads keep back is recalled ---------------- */

/*
 * Put something of what other threads keep back of a store into the slabs;
 * false: there is nothing, or the system refuses.  Only a pool that is biased
 * does.  The lock is held, and may be let go meanwhile; then true may also say
 * that it is worth another look.
 */
bool ibuf_recall_(struct ibuf_store *store);

/* The same until nobody stands in line, and so that whatever comes back from
   now on comes to the slabs. */
void ibuf_recall_for_line_(struct ibuf_pool *p);

/* The calling thread was inside while that began: what it keeps goes back. */
void ibuf_recall_come_(struct ibuf_block *own, uint32_t number);

/* Keep threads out of the thread caches; the lock is held. */
void ibuf_recall_begin_(struct ibuf_pool *p);

/* Something came or went past the thread caches: perhaps they need not any
   more.  The lock is held. */
void ibuf_recall_relax_(struct ibuf_pool *p);

/* In the child of a fork: who recalled is not there. */
void ibuf_recall_forked_(struct ibuf_pool *p, struct ibuf_tcaches_ *own);

/* ---- biased.c: headers of a pool that recalls -------------------------- */

/*
 * Take n headers out of what the calling thread keeps, having traded
 * magazines; false: there are not as many.
 */
bool ibuf_biased_take_inside_(const struct ibuf_pool *p, unsigned kind,
			      struct ibuf_mbuf **out, size_t n);

/* Take a direct header out of the calling thread's cache; false: none. */
bool ibuf_biased_try_(struct ibuf_pool *p, struct ibuf_mbuf **m);

/* As ibuf_alloc_locked_(), and what the calling thread keeps goes back; what
   others keep is not looked for. */
int ibuf_biased_locked_(struct ibuf_pool *p, struct ibuf_mbuf **m);

/* As those of alloc.c, for pools that are biased. */
struct ibuf_mbuf *ibuf_biased_take_(struct ibuf_owner *owner, unsigned kind);
void ibuf_biased_give_(struct ibuf_owner *owner, struct ibuf_mbuf *m,
		       unsigned kind);
void ibuf_biased_give_plain_(struct ibuf_owner *owner, struct ibuf_mbuf *m);
struct ibuf_mbuf *ibuf_biased_alloc_(struct ibuf_pool *p);

/* ---- stats.c: what has been counted ------------------------------------ */

struct ibuf_counts {
	uint64_t taken; /* direct headers */
	uint64_t given;
	uint64_t cached;
	uint64_t indirect; /* indirect headers that are out */
	size_t capacity;
};

/* Sum up over all threads; O(threads that use it).  The lock is not held. */
void ibuf_stats_count_(struct ibuf_pool *p, struct ibuf_counts *counts);

/* ---- walk.c ------------------------------------------------------------- */

struct ibuf_walk {
	void (*fn)(const struct ibuf_mbuf *m, void *arg);
	void *arg;
	size_t n; /* messages that were met */
};

/* Tell of a header where it is the first of a message; arg is the walk. */
void ibuf_walk_visit_(struct ibuf_mbuf *m, void *arg);

/* ---- what entry.c calls by the names of ibuf/pool.h -------------------- */

struct ibuf_mbuf *ibuf_alloc_(struct ibuf_pool *p);
int ibuf_alloc_bulk_(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n);
size_t ibuf_alloc_upto_(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n);
void ibuf_free_checked_(struct ibuf_pool *p, struct ibuf_mbuf *m);
struct ibuf_mbuf *ibuf_wait_alloc_(struct ibuf_pool *p,
				   const struct timespec *timeout);
int ibuf_expand_reserve_(struct ibuf_pool *p, size_t n);
size_t ibuf_trim_(struct ibuf_pool *p);
int ibuf_stats_get_(const struct ibuf_pool *p, struct ibuf_pool_stats *out,
		    size_t out_size);
int ibuf_stats_get_heap_(const struct ibuf_pool *heap,
			 struct ibuf_pool_stats *out, size_t out_size);
size_t ibuf_stats_allocated_(const struct ibuf_pool *p);
size_t ibuf_walk_(struct ibuf_pool *p,
		  void (*fn)(const struct ibuf_mbuf *m, void *arg), void *arg);

/* ---- threads.c: the threads of a process, each with its thread caches --- */

/*
 * A thread gets a block of thread caches when it first uses a pool, and gives
 * back what they hold when it exits.
 */

/* Give a pool a number, and list it.  0, -ENOMEM or -ENOBUFS. */
int ibuf_threads_register_(struct ibuf_pool *p);

/* What is done once in a process, again where it failed: 0 or -ENOMEM; the
   threads lock is held. */
int ibuf_threads_prepare_(void);

/*
 * The calling thread's thread caches for a pool, made when it has none; NULL:
 * it cannot have any, and headers must be taken from the slabs and put there.
 */
struct ibuf_tcaches_ *ibuf_threads_tcaches_(struct ibuf_pool *p);

/*
 * The same for a thread that gives something back.  Giving back needs no
 * memory, so thread caches are made only for a thread that has done it often.
 */
struct ibuf_tcaches_ *ibuf_threads_tcaches_to_give_(struct ibuf_pool *p);

/* ---- tcaches.c: the thread caches of one pool -------------------------- */

/* Headers that flush and trim move before they let others have the lock. */
#define STEP 64

/* The next pair in the list of a pool, after the one of another thread. */
static inline struct ibuf_tcaches_ *
tcaches_next(const struct ibuf_tcaches_ *t)
{
	return t->of_[IBUF_INDIRECT_].link_;
}

/* What the calling thread has of a pool; NULL: nothing.  The lock is held. */
static inline struct ibuf_tcaches_ *
own_tcaches(const struct ibuf_pool *p)
{
	struct ibuf_tcaches_ *own;

	if (ibuf_block_own_ == NULL)
		return NULL;
	own = thread_tcaches(&ibuf_block_own_->thread, p->owner.index);
	return own == NULL || own->of_[IBUF_DIRECT_].base_ == NULL ? NULL : own;
}

/*
 * Give a block thread caches for this pool, which are NULL now; false: it is
 * closed, or there is no memory.
 */
bool ibuf_pool_add_tcaches_(struct ibuf_pool *p, struct ibuf_tcaches_ *tcaches);

/* Take a pair of thread caches out of the list of a pool; the lock is held. */
void ibuf_pool_unlink_(struct ibuf_pool *p,
		       const struct ibuf_tcaches_ *tcaches);

/* Only the calling thread is left, with this pair or NULL; the lock is held. */
void ibuf_pool_link_only_(struct ibuf_pool *p, struct ibuf_tcaches_ *own);

/* Clear a pair of thread caches in some way; the lock is held. */
void ibuf_pool_clear_(struct ibuf_pool *p, struct ibuf_tcaches_ *tcaches,
		      void (*clear)(struct ibuf_tcache_ *tcache));

/*
 * Put up to n headers of a pair of thread caches into the slabs; how many.
 * The lock is held.
 */
size_t ibuf_pool_empty_(struct ibuf_tcaches_ *tcaches, size_t n);

/* The same for all that the calling thread keeps; the lock is not held. */
void ibuf_pool_flush_(struct ibuf_pool *p);

/* ---- close.c: a pool is closed, and ends when nothing is out of it ----- */

/* A header of a closed pool comes back, perhaps the last. */
void ibuf_close_give_late_(struct ibuf_store *store, struct ibuf_mbuf *m);

/* Say that this copy of the library has thread caches; once, having joined. */
void ibuf_close_have_tcaches_(void);

/* Take a pair of thread caches from a block, which may be zeros. */
void ibuf_close_drop_tcaches_(struct ibuf_block *block,
			      struct ibuf_tcaches_ *tcaches);

/*
 * Put into the slabs what threads kept that are gone; the lock is held.
 * true: there was something.  Looks seldom where it is asked often in vain:
 * the cost is O(1) a call, O(threads that use it) the first time.
 */
bool ibuf_close_reclaim_(struct ibuf_pool *p);

/* Close: direct headers that are still out.  The pool may be gone then. */
size_t ibuf_close_(struct ibuf_pool *p);

/*
 * Ask a closed pool again whose last free may have been missed: whoever makes
 * or ends a pool or a thread does.  No lock is held.
 */
void ibuf_close_look_again_(void);

/* Count anew what is out, in the child of a fork; all locks are held. */
void ibuf_close_forked_(struct ibuf_pool *p);

/* ---- fork.c ------------------------------------------------------------ */

/* Let forks be handled from now on; 0 or an error number. */
int ibuf_fork_prepare_(void);

/* Where an allocation looks for a free header; 0: nowhere, since those of the
   heap are zeros. */
static inline size_t
tcache_offset(uint32_t index)
{
	return offsetof(struct ibuf_thread_, tcaches_) +
	       index * sizeof(struct ibuf_tcaches_);
}

#endif
