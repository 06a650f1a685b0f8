/* cache.c - a pool's free objects, in its depots and in tcaches: counted. */
#define _POSIX_C_SOURCE 200809L
#include "store.h"

struct ibuf_cache *ibuf_caches_;

/* ---- the list of caches: under the threads lock ----------------------- */

void
ibuf_cache_list_(struct ibuf_cache *cache)
{
	cache->previous = NULL;
	cache->next = ibuf_caches_;
	if (ibuf_caches_ != NULL)
		ibuf_caches_->previous = cache;
	ibuf_caches_ = cache;
}

void
ibuf_cache_unlist_(struct ibuf_cache *cache)
{
	if (cache->previous != NULL)
		cache->previous->next = cache->next;
	else
		ibuf_caches_ = cache->next;
	if (cache->next != NULL)
		cache->next->previous = cache->previous;
}

/* ---- past the tcaches ------------------------------------------------- */

struct ibuf_mbuf *
ibuf_cache_take_(struct ibuf_depot *depot,
		 void (*carved)(struct ibuf_mbuf *m, void *arg), void *arg)
{
	struct ibuf_mbuf *m;

	ibuf_depot_unload_(depot, 1);
	if (ibuf_depot_unstock_(depot, &m, 1, carved, arg) == 0)
		return NULL;
	depot->taken++;
	return m;
}

/* Two frees that overlap meet here: the second finds it listed. */
void
ibuf_cache_give_(struct ibuf_depot *depot, struct ibuf_mbuf *m)
{
	m->flags_ &= IBUF_MBUF_LISTED_;
	ibuf_depot_stock_(depot, &m, 1);
	depot->given++;
}

/* ---- counting: under the lock ---------------------------------------- */

/*
 * Sum up one kind of object.  given first, of all tcaches, and then taken: an
 * object that is seen to come back has been seen to go out, so the difference
 * is never below the truth.
 */
static void
sum(const struct ibuf_cache *cache, bool window,
    struct ibuf_cache_counts *counts)
{
	const struct ibuf_depot *depot =
		window ? &cache->windows : &cache->elements;
	struct ibuf_tcaches_ *s;

	counts->given = depot->given;
	for (s = cache->tcaches; s != NULL; s = s->window_.link_)
		counts->given += counted_acquire(&slot_of(s, window)->given_);
	counts->taken = depot->taken;
	for (s = cache->tcaches; s != NULL; s = s->window_.link_)
		counts->taken += counted_acquire(&slot_of(s, window)->taken_);
}

/* How many of n can be out of a depot: no more than were carved. */
static uint64_t
within(const struct ibuf_depot *depot, uint64_t n)
{
	uint64_t most = depot->stock.carved - depot->lost;

	return n < most ? n : most;
}

/*
 * Under load the sums are of several moments, and what went out between them
 * seems to be out, even if it came back.  That much of it did is certain.
 */
void
ibuf_cache_count_(struct ibuf_cache *cache, struct ibuf_cache_counts *counts)
{
	struct ibuf_tcaches_ *s;

	pthread_mutex_lock(&cache->lock);
	sum(cache, true, counts);
	counts->handles =
		within(&cache->windows, counts->taken - counts->given);
	sum(cache, false, counts);
	counts->given = counts->taken -
			within(&cache->elements, counts->taken - counts->given);
	counts->cached = 0;
	for (s = cache->tcaches; s != NULL; s = s->window_.link_)
		counts->cached += ibuf_tcache_held_(
			&s->element_, cache->elements.magazine_size);
	counts->capacity =
		cache->elements.stock.capacity - cache->elements.lost;
	pthread_mutex_unlock(&cache->lock);
}

size_t
ibuf_cache_count_out_(struct ibuf_cache *cache)
{
	struct ibuf_cache_counts counts;

	pthread_mutex_lock(&cache->lock);
	sum(cache, false, &counts);
	counts.taken = within(&cache->elements, counts.taken - counts.given);
	pthread_mutex_unlock(&cache->lock);
	return (size_t)counts.taken;
}

/* ---- tcaches ----------------------------------------------------------- */

static void
link_tcaches(struct ibuf_cache *cache, struct ibuf_tcaches_ *tcaches)
{
	tcaches->element_.link_ = NULL;
	tcaches->window_.link_ = cache->tcaches;
	if (cache->tcaches != NULL)
		cache->tcaches->element_.link_ = tcaches;
	cache->tcaches = tcaches;
}

void
ibuf_cache_unlink_(struct ibuf_cache *cache,
		   const struct ibuf_tcaches_ *tcaches)
{
	struct ibuf_tcaches_ *next = tcaches->window_.link_;
	struct ibuf_tcaches_ *previous = tcaches->element_.link_;

	if (previous != NULL)
		previous->window_.link_ = next;
	else
		cache->tcaches = next;
	if (next != NULL)
		next->element_.link_ = previous;
}

bool
ibuf_pool_add_tcaches_(struct ibuf_cache *cache, struct ibuf_tcaches_ *tcaches)
{
	bool good;

	pthread_mutex_lock(&cache->lock);
	/* It may have been closed since the caller looked. */
	good = !cache->closed &&
	       ibuf_tcache_set_up_(&tcaches->element_, &cache->elements,
				   !cache->elements.single);
	if (good &&
	    !ibuf_tcache_set_up_(&tcaches->window_, &cache->windows, true)) {
		ibuf_tcache_retire_(&tcaches->element_);
		good = false;
	}
	if (good) {
		link_tcaches(cache, tcaches);
		ibuf_tcache_open_(&tcaches->element_);
		ibuf_tcache_open_(&tcaches->window_);
	}
	pthread_mutex_unlock(&cache->lock);
	return good;
}

/* Clear both tcaches of a pair in some way; only then is the guard needed. */
void
ibuf_cache_clear_(struct ibuf_cache *cache, struct ibuf_tcaches_ *tcaches,
		  void (*clear_tcache)(struct ibuf_tcache_ *tcache))
{
	struct ibuf_block *block = block_of(tcaches, cache->owner->index);

	pthread_mutex_lock(&block->guard);
	clear_tcache(&tcaches->element_);
	clear_tcache(&tcaches->window_);
	pthread_mutex_unlock(&block->guard);
}

/*
 * The cache that a pair of tcaches belongs to, which lives until it is let go;
 * NULL: none.  Whoever ends a cache clears its tcaches first, so one that is
 * found is there.
 */
struct ibuf_cache *
ibuf_cache_hold_(struct ibuf_block *block, const struct ibuf_tcaches_ *tcaches)
{
	struct ibuf_cache *cache = NULL;

	pthread_mutex_lock(&block->guard);
	if (tcaches->element_.base_ != NULL) {
		cache = tcache_depot(&tcaches->element_)->owner;
		/* Relaxed: the guard orders it before the clearing. */
		fetch_add_relaxed_u32(&cache->holders, 1);
	}
	pthread_mutex_unlock(&block->guard);
	return cache;
}

/* Release: my use of it is over.  Acquire, for the last: everybody's is. */
void
ibuf_cache_let_go_(struct ibuf_cache *cache)
{
	if (fetch_sub_acq_rel_u32(&cache->holders, 1) == 1)
		cache->end(cache);
}

size_t
ibuf_cache_empty_own_(const struct ibuf_cache *cache, size_t n)
{
	struct ibuf_tcaches_ *tcaches = own_tcaches(cache);
	size_t emptied;

	if (tcaches == NULL)
		return 0;
	emptied = ibuf_tcache_empty_(&tcaches->element_, n);
	return emptied + ibuf_tcache_empty_(&tcaches->window_, n - emptied);
}

void
ibuf_cache_flush_(struct ibuf_cache *cache)
{
	size_t emptied;

	do {
		pthread_mutex_lock(&cache->lock);
		emptied = ibuf_cache_empty_own_(cache, CACHE_STEP);
		pthread_mutex_unlock(&cache->lock);
	} while (emptied == CACHE_STEP);
}
