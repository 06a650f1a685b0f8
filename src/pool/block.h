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
	size_t used; /* thread caches from this one on were never used */
	/* Locked by its thread, or by who found that thread gone. */
	pthread_mutex_t alive;
	/* Held to find the pool of a thread cache, and to clear one. */
	pthread_mutex_t guard;
	_Alignas(CACHE_LINE) struct ibuf_thread_ thread;
	/* By the number of the pool, of those that recall. */
	struct ibuf_bias bias[IBUF_TCACHES_MAX_];
};

/* The threads lock, and all blocks. */
extern pthread_mutex_t ibuf_threads_lock_;
extern struct ibuf_block *ibuf_blocks_;

/* The calling thread's; NULL: it has none. */
extern __thread struct ibuf_block *ibuf_block_own_ IBUF_TLS_;

/* The block that a thread's thread caches for the owner with this number lie
   in. */
static inline struct ibuf_block *
block_of(struct ibuf_tcaches_ *tcaches, uint32_t number)
{
	return (struct ibuf_block *)(void *)((uint8_t *)(tcaches - number) -
					     offsetof(struct ibuf_block,
						      thread.tcaches_));
}

/* The bias of a thread's thread caches for the owner with this number. */
static inline struct ibuf_bias *
bias_of(struct ibuf_tcaches_ *tcaches, uint32_t number)
{
	return &block_of(tcaches, number)->bias[number];
}

/* A block for the calling thread; NULL: no memory. */
struct ibuf_block *ibuf_block_new_(void);

/* Free a block without thread caches; the caller has it, as below. */
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
