/* threads.c - the threads of a process, each with its slots. */
#define _POSIX_C_SOURCE 200809L
#include "threads.h"

#include <errno.h>

/* All the slots of one thread. */
struct block {
	struct block *next, *previous;
	size_t used; /* slots from this one on were never used */
	_Alignas(CACHE_LINE) struct ibuf_thread_ thread;
};

/* What a thread sees that keeps nothing: empty, and full. */
static struct ibuf_thread_ nobodys;

__thread struct ibuf_thread_ *ibuf_pool_thread_ IBUF_TLS_ = &nobodys;
static __thread struct block *mine IBUF_TLS_;
static __thread bool leaving IBUF_TLS_; /* the thread is past our destructor */

static struct block *blocks; /* under the threads lock */

static bool prepared; /* under the threads lock; the two below are set then */
static pthread_key_t key;
static bool can_keep; /* there may be slots at all */

/* ---- the slots of a thread for a pool ------------------------------- */

static bool
set_up_both(struct ibuf_slots_ *slots, struct ibuf_cache *cache)
{
	bool good;

	pthread_mutex_lock(&cache->lock);
	good = ibuf_slot_set_up_(&slots->element_, &cache->elements,
				 !cache->elements.single);
	if (good &&
	    !ibuf_slot_set_up_(&slots->window_, &cache->windows, true)) {
		ibuf_slot_retire_(&slots->element_);
		good = false;
	}
	pthread_mutex_unlock(&cache->lock);
	if (!good)
		return false;
	slots->window_.link_ = cache->slots;
	cache->slots = slots;
	ibuf_slot_open_(&slots->element_);
	ibuf_slot_open_(&slots->window_);
	return true;
}

/* Take slots out of their cache's list. */
static void
unlink_slots(struct ibuf_cache *cache, const struct ibuf_slots_ *slots)
{
	struct ibuf_slots_ **link = &cache->slots;

	while (*link != slots)
		link = (struct ibuf_slots_ **)&(*link)->window_.link_;
	*link = slots->window_.link_;
}

/* Take one pair of slots from a block; the cache, where it had one. */
static struct ibuf_cache *
drop_slots(struct ibuf_slots_ *slots)
{
	struct ibuf_cache *cache;

	if (slots->element_.base_ == NULL)
		return NULL;
	cache = slot_depot(&slots->element_)->owner;
	pthread_mutex_lock(&cache->lock);
	unlink_slots(cache, slots);
	(void)ibuf_slot_empty_(&slots->element_, SIZE_MAX);
	(void)ibuf_slot_empty_(&slots->window_, SIZE_MAX);
	ibuf_slot_retire_(&slots->element_);
	ibuf_slot_retire_(&slots->window_);
	pthread_mutex_unlock(&cache->lock);
	return cache;
}

/* ---- threads that exit ------------------------------------------------ */

static void
unlink_block(struct block *block)
{
	if (block->previous != NULL)
		block->previous->next = block->next;
	else
		blocks = block->next;
	if (block->next != NULL)
		block->next->previous = block->previous;
}

/*
 * A thread exits.  Destructors of others may run after ours and free mbufs
 * still; they go past the slots.
 */
static void
thread_exits(void *arg)
{
	struct block *block = arg;
	size_t i;

	leaving = true;
	mine = NULL;
	ibuf_slots_own_ = NULL;
	ibuf_pool_thread_ = &nobodys;
	for (i = 0; i < block->used; i++) {
		pthread_mutex_lock(&ibuf_threads_lock_);
		ibuf_cache_leave_(drop_slots(&block->thread.slots_[i]));
	}
	pthread_mutex_lock(&ibuf_threads_lock_);
	unlink_block(block);
	pthread_mutex_unlock(&ibuf_threads_lock_);
	ibuf_platform_unmap_(block, sizeof *block, false);
}

/* ---- fork -------------------------------------------------------------- */

static void
fork_prepares(void)
{
	struct ibuf_cache *cache;

	pthread_mutex_lock(&ibuf_threads_lock_);
	for (cache = ibuf_caches_; cache != NULL; cache = cache->next)
		pthread_mutex_lock(&cache->lock);
}

static void
fork_parent(void)
{
	struct ibuf_cache *cache;

	for (cache = ibuf_caches_; cache != NULL; cache = cache->next)
		pthread_mutex_unlock(&cache->lock);
	pthread_mutex_unlock(&ibuf_threads_lock_);
}

/* Objects that a thread which does not exist kept back, or was moving. */
static void
write_off(struct ibuf_depot *depot, const struct ibuf_slot_ *own)
{
	size_t here = depot_stocked(depot);

	if (own != NULL)
		here += ibuf_slot_held_(own, depot->magazine_size);
	depot->lost = depot->stock.capacity - here -
		      (size_t)(depot->taken - depot->given) -
		      (own == NULL ? 0 : (size_t)(own->taken_ - own->given_));
}

/* Only the thread that forked is there: the slots of others are no more. */
static void
fork_child_cache(struct ibuf_cache *cache)
{
	struct ibuf_slots_ *s, *next, *own = NULL;

	for (s = cache->slots; s != NULL; s = next) {
		next = s->window_.link_;
		if (mine != NULL &&
		    s == &mine->thread.slots_[cache->home->index]) {
			own = s;
			continue;
		}
		ibuf_slot_abandon_(&s->element_);
		ibuf_slot_abandon_(&s->window_);
	}
	cache->slots = own;
	if (own != NULL)
		own->window_.link_ = NULL;
	ibuf_slot_inherit_(&cache->elements,
			   own == NULL ? NULL : &own->element_);
	ibuf_slot_inherit_(&cache->windows, own == NULL ? NULL : &own->window_);
	write_off(&cache->elements, own == NULL ? NULL : &own->element_);
	write_off(&cache->windows, own == NULL ? NULL : &own->window_);
	cache->forked(cache);
}

static void
fork_child(void)
{
	struct ibuf_cache *cache;
	struct block *block, *next;

	for (cache = ibuf_caches_; cache != NULL; cache = cache->next)
		fork_child_cache(cache);
	for (block = blocks; block != NULL; block = next) {
		next = block->next;
		if (block != mine)
			ibuf_platform_unmap_(block, sizeof *block, false);
	}
	blocks = mine;
	if (mine != NULL) {
		mine->next = NULL;
		mine->previous = NULL;
	}
	fork_parent();
}

/* ---- threads and pools that begin --------------------------------------- */

/* What is done once in a process; again, where it failed for memory. */
static int
prepare(void)
{
	int error;

	if (prepared)
		return 0;
	error = pthread_key_create(&key, thread_exits);
	if (error != 0)
		return -ENOMEM;
	error = pthread_atfork(fork_prepares, fork_parent, fork_child);
	if (error != 0) {
		pthread_key_delete(key);
		return -ENOMEM;
	}
	can_keep = ibuf_platform_barrier_prepare_();
	ibuf_platform_look_around_();
	prepared = true;
	return 0;
}

/* The calling thread's block, made when it has none; NULL: it cannot. */
static struct block *
own_block(void)
{
	struct block *block;

	if (mine != NULL || leaving)
		return mine;
	if (!can_keep)
		return NULL;
	block = ibuf_platform_map_(sizeof *block, CACHE_LINE, false);
	if (block == NULL)
		return NULL;
	if (pthread_setspecific(key, block) != 0) {
		ibuf_platform_unmap_(block, sizeof *block, false);
		return NULL;
	}
	pthread_mutex_lock(&ibuf_threads_lock_);
	block->next = blocks;
	if (blocks != NULL)
		blocks->previous = block;
	blocks = block;
	pthread_mutex_unlock(&ibuf_threads_lock_);
	mine = block;
	ibuf_slots_own_ = block->thread.slots_;
	if (!ibuf_platform_watched_)
		ibuf_pool_thread_ = &block->thread;
	return block;
}

int
ibuf_threads_register_(struct ibuf_cache *cache)
{
	int error;

	pthread_mutex_lock(&ibuf_threads_lock_);
	error = prepare();
	if (error == 0 && !ibuf_home_register_(cache->home))
		error = -ENOBUFS;
	if (error == 0) {
		cache->next = ibuf_caches_;
		if (ibuf_caches_ != NULL)
			ibuf_caches_->previous = cache;
		ibuf_caches_ = cache;
	}
	pthread_mutex_unlock(&ibuf_threads_lock_);
	return error;
}

struct ibuf_slots_ *
ibuf_threads_slots_(struct ibuf_cache *cache)
{
	uint32_t index = cache->home->index;
	struct ibuf_slots_ *slots;
	struct block *block;
	bool good;

	if (cache->elements.magazine_size == 0 || index >= IBUF_SLOTS_MAX_)
		return NULL;
	block = own_block();
	if (block == NULL)
		return NULL;
	slots = &block->thread.slots_[index];
	thread_remember(&block->thread, slots);
	if (slot_is_open(&slots->element_))
		return slots;
	if (__atomic_load_n(&cache->closed, __ATOMIC_ACQUIRE))
		return NULL;
	pthread_mutex_lock(&ibuf_threads_lock_);
	good = !cache->closed && set_up_both(slots, cache);
	if (good && block->used <= index)
		block->used = index + 1;
	pthread_mutex_unlock(&ibuf_threads_lock_);
	return good ? slots : NULL;
}

/* How often a thread goes past its slots before it is worth having them. */
#define GIVES_PAST 64

struct ibuf_slots_ *
ibuf_threads_slots_to_give_(struct ibuf_cache *cache)
{
	static __thread unsigned past IBUF_TLS_;
	uint32_t index = cache->home->index;
	struct ibuf_slots_ *slots;

	if (mine != NULL && index < IBUF_SLOTS_MAX_) {
		slots = &mine->thread.slots_[index];
		if (slot_is_open(&slots->element_)) {
			thread_remember(&mine->thread, slots);
			return slots;
		}
	}
	return ++past % GIVES_PAST != 0 ? NULL : ibuf_threads_slots_(cache);
}
