/*
 * held.c - pools are found from thread caches, and go when nobody holds them.
 *
 * A pool is held until it is over, and by whoever came to it from a thread
 * cache meanwhile; the last to let it go frees it.
 */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

#include <stdlib.h>

/* ---- the list of pools: under the threads lock ------------------------- */

void
ibuf_pool_list_(struct ibuf_pool *p)
{
	p->previous = NULL;
	p->next = ibuf_pools_;
	if (ibuf_pools_ != NULL)
		ibuf_pools_->previous = p;
	ibuf_pools_ = p;
}

void
ibuf_pool_unlist_(struct ibuf_pool *p)
{
	if (p->previous != NULL)
		p->previous->next = p->next;
	else
		ibuf_pools_ = p->next;
	if (p->next != NULL)
		p->next->previous = p->previous;
}

/* ---- a pool that nobody can reach ------------------------------------ */

static void
store_end(struct ibuf_store *store)
{
	struct ibuf_slab *slab;

	while ((slab = ibuf_slabs_take_any_(&store->slabs)) != NULL)
		pool_unmap(store->pool, slab);
	ibuf_depot_end_(&store->depot);
}

void
ibuf_pool_unmake_(struct ibuf_pool *p)
{
	store_end(&p->store[IBUF_DIRECT_]);
	store_end(&p->store[IBUF_INDIRECT_]);
	pthread_cond_destroy(&p->moved);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* ---- held ------------------------------------------------------------- */

struct ibuf_pool *
ibuf_pool_hold_(struct ibuf_block *block, const struct ibuf_tcaches_ *tcaches)
{
	const struct ibuf_tcache_ *direct = &tcaches->of_[IBUF_DIRECT_];
	struct ibuf_pool *p = NULL;

	pthread_mutex_lock(&block->guard);
	if (direct->base_ != NULL) {
		p = tcache_store(direct)->pool;
		/* Relaxed: the guard orders it before the clearing. */
		fetch_add_relaxed_u32(&p->holders, 1);
	}
	pthread_mutex_unlock(&block->guard);
	return p;
}

/* Release: my use of it is over.  Acquire, for the last: everybody's is. */
void
ibuf_pool_let_go_(struct ibuf_pool *p)
{
	if (fetch_sub_acq_rel_u32(&p->holders, 1) == 1)
		ibuf_pool_unmake_(p);
}
