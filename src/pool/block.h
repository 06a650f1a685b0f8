/*
 * block.h - all the thread caches of one thread.
 *
 * A block belongs to one thread, from the first pool it uses to its exit.
 * Most threads give theirs back in the destructor of a key.  A thread that
 * uses its first pool in the last round of such destructors has no more of
 * them to come, so each holds a robust mutex as long as it lives: who finds
 * that mutex left behind by the dead takes the block over.
 *
 * Locks, in this order, and none while a provider works:
 *
 *   the threads lock      one for all: the lists of blocks and of pools
 *   the lock of a pool    its stores, its thread caches, what else it has
 *   the guard of a block  the way from a thread cache to its pool
 *
 * Only a fork takes one of the second while it has the first, so no thread
 * waits for a pool that it does not use.  No lock is held on the way that is
 * usually taken.
 */
#ifndef IBUF_SRC_BLOCK_H
#define IBUF_SRC_BLOCK_H

#include "bias.h"
#include "tcache.h"

struct ibuf_block {
	struct ibuf_block *next, *previous; /* under the threads lock */
	/* Thread caches from this one on were never used; parts come by
	   themselves. */
	size_t used;
	/* Locked by its thread, or by who found that thread gone. */
	pthread_mutex_t alive;
	/* Held to find the pool of a thread cache, and to clear one. */
	pthread_mutex_t guard;
	_Alignas(CACHE_LINE) struct ibuf_thread_ thread;
	/* By the number of the pool, of those that recall. */
	struct ibuf_bias bias[IBUF_TCACHES_MAX_];
};

/*
 * The thread caches of one thread for IBUF_TCACHES_MAX_ numbers that are high.
 * Made by its thread when that allocates from such a pool, and unmapped with
 * the block: on the way back nothing is made.
 */
struct ibuf_part {
	struct ibuf_block *block;
	size_t used; /* thread caches from this one on were never used */
	_Alignas(CACHE_LINE) struct ibuf_tcaches_ tcaches[IBUF_TCACHES_MAX_];
};

/* The threads lock, and all blocks. */
extern pthread_mutex_t ibuf_threads_lock_;
extern struct ibuf_block *ibuf_blocks_;

/* The calling thread's; NULL: it has none. */
extern __thread struct ibuf_block *ibuf_block_own_ IBUF_TLS_;

/* The part that begins with these thread caches. */
static inline struct ibuf_part *
part_of(struct ibuf_tcaches_ *first)
{
	return (struct ibuf_part *)(void *)((uint8_t *)first -
					    offsetof(struct ibuf_part,
						     tcaches));
}

/* The block that a thread's thread caches for the owner with this number lie
   in, or that their part is of. */
static inline struct ibuf_block *
block_of(struct ibuf_tcaches_ *tcaches, uint32_t number)
{
	struct ibuf_tcaches_ *first = tcaches - number % IBUF_TCACHES_MAX_;

	if (number >= IBUF_TCACHES_MAX_)
		return part_of(first)->block;
	return (struct ibuf_block *)(void *)((uint8_t *)first -
					     offsetof(struct ibuf_block,
						      thread.tcaches_));
}

/* Make the part for a number in the calling thread's block; the pair for that
   number, or NULL: no memory. */
struct ibuf_tcaches_ *ibuf_block_make_(struct ibuf_block *block,
				       uint32_t number);

/* They may be used: whoever gives back the block looks there. */
void ibuf_block_use_(struct ibuf_block *block, uint32_t number);

/* The pair of the calling thread's block that has this thread cache; NULL:
   none. */
struct ibuf_tcaches_ *ibuf_block_find_(struct ibuf_block *block,
				       const struct ibuf_tcache_ *tcache);
/* The bias of a thread's thread caches for the owner with this number. */
static inline struct ibuf_bias *
bias_of(struct ibuf_tcaches_ *tcaches, uint32_t number)
{
	return &block_of(tcaches, number)->bias[number];
}

/* A block for the calling thread; NULL: no memory. */
struct ibuf_block *ibuf_block_new_(void);

/* Free a block without thread caches, and its parts; the caller has it, as
   below. */
void ibuf_block_free_(struct ibuf_block *block);

/*
 * Take a block whose thread is gone; false: it lives, or another has the
 * block.  Never waits.  Let go, it can be taken again.
 *
 * A thread lets its own go before a fork and takes it after, in the parent and
 * in the child: a mutex is held by a thread of one process.
 */
bool ibuf_block_take_(struct ibuf_block *block);
void ibuf_block_let_go_(struct ibuf_block *block);

/* Put a block into the list, or out of it; the threads lock is held. */
void ibuf_block_link_(struct ibuf_block *block);
void ibuf_block_unlink_(struct ibuf_block *block);

/*
 * Look at a few blocks, by turns, and take one whose thread is gone; NULL:
 * none of these.  The threads lock is held.
 */
struct ibuf_block *ibuf_block_take_dead_(void);

/* In the child of a fork: there is no block but the calling thread's. */
void ibuf_block_forked_(void);

#endif
