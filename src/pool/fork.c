/*
 * fork.c - a fork leaves a process with one thread.
 *
 * The thread caches of the others are written off there: what they held may
 * have been half moved.
 */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

/* All locks are held meanwhile, so that none is held by a thread that the
   child does not have. */
static void
fork_prepares(void)
{
	struct ibuf_pool *p;
	struct ibuf_block *block;

	pthread_mutex_lock(&ibuf_threads_lock_);
	for (p = ibuf_pools_; p != NULL; p = p->next)
		pthread_mutex_lock(&p->lock);
	for (block = ibuf_blocks_; block != NULL; block = block->next)
		pthread_mutex_lock(&block->guard);
	if (ibuf_block_own_ != NULL)
		ibuf_block_let_go_(ibuf_block_own_);
}

static void
fork_parent(void)
{
	struct ibuf_pool *p;
	struct ibuf_block *block;

	if (ibuf_block_own_ != NULL)
		(void)ibuf_block_take_(ibuf_block_own_); /* nobody else can */
	for (block = ibuf_blocks_; block != NULL; block = block->next)
		pthread_mutex_unlock(&block->guard);
	for (p = ibuf_pools_; p != NULL; p = p->next)
		pthread_mutex_unlock(&p->lock);
	pthread_mutex_unlock(&ibuf_threads_lock_);
}

/* Headers that a thread which does not exist kept back, or was moving. */
static void
write_off(struct ibuf_store *store, const struct ibuf_tcache_ *own)
{
	size_t here = store_free(store);

	if (own != NULL)
		here += ibuf_tcache_held_(own, store->depot.magazine_size);
	store->lost = store->slabs.capacity - here -
		      (size_t)(store->taken - store->given) -
		      (own == NULL ? 0 : (size_t)(own->taken_ - own->given_));
}

static void
fork_child_store(struct ibuf_store *store, const struct ibuf_tcache_ *own)
{
	ibuf_tcache_inherit_(store, own);
	write_off(store, own);
}

/* Those who grew, recalled or waited are not there. */
static void
forget_others(struct ibuf_pool *p, struct ibuf_tcaches_ *own)
{
	p->forks++;
	p->store[IBUF_DIRECT_].moving = 0;
	p->store[IBUF_INDIRECT_].moving = 0;
	ibuf_recall_forked_(p, own);
	ibuf_wait_forked_(p);
}

/* Only the thread that forked is there: the thread caches of others are no
   more. */
static void
fork_child_pool(struct ibuf_pool *p)
{
	struct ibuf_tcaches_ *own = own_tcaches(p), *t, *next;

	forget_others(p, own);
	for (t = p->tcaches; t != NULL; t = next) {
		next = tcaches_next(t);
		if (t == own)
			continue;
		ibuf_tcache_abandon_(&t->of_[IBUF_DIRECT_]);
		ibuf_tcache_abandon_(&t->of_[IBUF_INDIRECT_]);
	}
	ibuf_pool_link_only_(p, own);
	fork_child_store(&p->store[IBUF_DIRECT_],
			 own == NULL ? NULL : &own->of_[IBUF_DIRECT_]);
	fork_child_store(&p->store[IBUF_INDIRECT_],
			 own == NULL ? NULL : &own->of_[IBUF_INDIRECT_]);
	ibuf_close_forked_(p);
}

static void
fork_child(void)
{
	struct ibuf_pool *p;

	for (p = ibuf_pools_; p != NULL; p = p->next)
		if (!p->over)
			fork_child_pool(p);
	ibuf_block_forked_();
	fork_parent();
}

int
ibuf_fork_prepare_(void)
{
	return pthread_atfork(fork_prepares, fork_parent, fork_child);
}
