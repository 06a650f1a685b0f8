/* fork.c - a fork leaves a process with one thread. */
#define _POSIX_C_SOURCE 200809L
#include "fork.h"

#include "close.h"

/* All locks are held meanwhile, so that none is held by a thread that the
   child does not have. */
static void
fork_prepares(void)
{
	struct ibuf_cache *cache;
	struct ibuf_block *block;

	pthread_mutex_lock(&ibuf_threads_lock_);
	for (cache = ibuf_caches_; cache != NULL; cache = cache->next)
		pthread_mutex_lock(&cache->lock);
	for (block = ibuf_blocks_; block != NULL; block = block->next)
		pthread_mutex_lock(&block->guard);
	if (ibuf_block_own_ != NULL)
		ibuf_block_let_go_(ibuf_block_own_);
}

static void
fork_parent(void)
{
	struct ibuf_cache *cache;
	struct ibuf_block *block;

	if (ibuf_block_own_ != NULL)
		(void)ibuf_block_take_(ibuf_block_own_); /* nobody else can */
	for (block = ibuf_blocks_; block != NULL; block = block->next)
		pthread_mutex_unlock(&block->guard);
	for (cache = ibuf_caches_; cache != NULL; cache = cache->next)
		pthread_mutex_unlock(&cache->lock);
	pthread_mutex_unlock(&ibuf_threads_lock_);
}

/* Objects that a thread which does not exist kept back, or was moving. */
static void
write_off(struct ibuf_depot *depot, const struct ibuf_tcache_ *own)
{
	size_t here = depot_stocked(depot);

	if (own != NULL)
		here += ibuf_tcache_held_(own, depot->magazine_size);
	depot->lost = depot->stock.capacity - here -
		      (size_t)(depot->taken - depot->given) -
		      (own == NULL ? 0 : (size_t)(own->taken_ - own->given_));
}

/* Only the thread that forked is there: the tcaches of others are no more. */
static void
fork_child_cache(struct ibuf_cache *cache)
{
	struct ibuf_block *block = ibuf_block_own_;
	struct ibuf_tcaches_ *s, *next, *own = NULL;

	for (s = cache->tcaches; s != NULL; s = next) {
		next = s->window_.link_;
		if (block != NULL &&
		    s == &block->thread.tcaches_[cache->owner->index]) {
			own = s;
			continue;
		}
		ibuf_tcache_abandon_(&s->element_);
		ibuf_tcache_abandon_(&s->window_);
	}
	cache->tcaches = own;
	if (own != NULL) {
		own->window_.link_ = NULL;
		own->element_.link_ = NULL;
	}
	ibuf_tcache_inherit_(&cache->elements,
			     own == NULL ? NULL : &own->element_);
	ibuf_tcache_inherit_(&cache->windows,
			     own == NULL ? NULL : &own->window_);
	write_off(&cache->elements, own == NULL ? NULL : &own->element_);
	write_off(&cache->windows, own == NULL ? NULL : &own->window_);
	ibuf_cache_forked_(cache);
	cache->forked(cache);
}

static void
fork_child(void)
{
	struct ibuf_cache *cache;

	for (cache = ibuf_caches_; cache != NULL; cache = cache->next)
		if (!cache->over)
			fork_child_cache(cache);
	ibuf_block_forked_();
	fork_parent();
}

int
ibuf_fork_prepare_(void)
{
	return pthread_atfork(fork_prepares, fork_parent, fork_child);
}
