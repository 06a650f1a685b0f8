/* cache.c - a pool's free objects: counted, closed and ended. */
#define _POSIX_C_SOURCE 200809L
#include "cache.h"

pthread_mutex_t ibuf_threads_lock_ = PTHREAD_MUTEX_INITIALIZER;
struct ibuf_cache *ibuf_caches_;

/* ---- past the slots ------------------------------------------------- */

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

/* ---- counting: under both locks -------------------------------------- */

/* taken - given is read so that it is never below the truth. */
static void
sum(struct ibuf_cache *cache, bool windows, struct ibuf_cache_counts *to)
{
	const struct ibuf_depot *depot =
		windows ? &cache->windows : &cache->elements;
	const struct ibuf_slots_ *s;

	to->given = depot->given;
	for (s = cache->slots; s != NULL; s = s->window_.link_)
		to->given += counted_acquire(windows ? &s->window_.given_
						     : &s->element_.given_);
	to->taken = depot->taken;
	for (s = cache->slots; s != NULL; s = s->window_.link_)
		to->taken += counted_acquire(windows ? &s->window_.taken_
						     : &s->element_.taken_);
}

static void
count(struct ibuf_cache *cache, struct ibuf_cache_counts *counts)
{
	const struct ibuf_slots_ *s;

	sum(cache, true, counts);
	counts->handles = counts->taken - counts->given;
	sum(cache, false, counts);
	counts->cached = 0;
	for (s = cache->slots; s != NULL; s = s->window_.link_)
		counts->cached += ibuf_slot_held_(
			&s->element_, cache->elements.magazine_size);
	counts->capacity =
		cache->elements.stock.capacity - cache->elements.lost;
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
 * seems to be out, even if it came home.  That much of it did is certain.
 */
void
ibuf_cache_count_(struct ibuf_cache *cache, struct ibuf_cache_counts *counts)
{
	pthread_mutex_lock(&ibuf_threads_lock_);
	pthread_mutex_lock(&cache->lock);
	count(cache, counts);
	counts->given = counts->taken -
			within(&cache->elements, counts->taken - counts->given);
	counts->handles = within(&cache->windows, counts->handles);
	pthread_mutex_unlock(&cache->lock);
	pthread_mutex_unlock(&ibuf_threads_lock_);
}

/* ---- closing and ending: under the threads lock ---------------------- */

/* Nothing is out of a closed cache; then nobody can reach it. */
static bool
is_over(struct ibuf_cache *cache)
{
	struct ibuf_cache_counts counts;
	bool over;

	if (!__atomic_load_n(&cache->closed, __ATOMIC_ACQUIRE))
		return false;
	pthread_mutex_lock(&cache->lock);
	count(cache, &counts);
	over = counts.taken == counts.given && counts.handles == 0;
	pthread_mutex_unlock(&cache->lock);
	return over;
}

/* Take a cache that is over out of everything. */
static void
detach(struct ibuf_cache *cache)
{
	struct ibuf_slots_ *s, *next;

	for (s = cache->slots; s != NULL; s = next) {
		next = s->window_.link_;
		ibuf_slot_forget_(&s->element_);
		ibuf_slot_forget_(&s->window_);
	}
	cache->slots = NULL;
	if (cache->previous != NULL)
		cache->previous->next = cache->next;
	else
		ibuf_caches_ = cache->next;
	if (cache->next != NULL)
		cache->next->previous = cache->previous;
	ibuf_home_unregister_(cache->home);
}

/* Let the threads lock go; end a cache that is over. */
void
ibuf_cache_leave_(struct ibuf_cache *cache)
{
	bool over = cache != NULL && is_over(cache);

	if (over)
		detach(cache);
	pthread_mutex_unlock(&ibuf_threads_lock_);
	if (over)
		cache->end(cache);
}

void
ibuf_pool_late_(struct ibuf_slot_ *slot)
{
	pthread_mutex_lock(&ibuf_threads_lock_);
	ibuf_cache_leave_(slot->base_ == NULL ? NULL : slot_depot(slot)->owner);
}

void
ibuf_cache_give_late_(struct ibuf_depot *depot, struct ibuf_mbuf *m)
{
	struct ibuf_cache *cache = depot->owner;

	pthread_mutex_lock(&ibuf_threads_lock_);
	pthread_mutex_lock(&cache->lock);
	ibuf_cache_give_(depot, m);
	pthread_mutex_unlock(&cache->lock);
	ibuf_cache_leave_(cache);
}

/*
 * Put up to n objects that the calling thread keeps of a cache into its
 * stocks; how many.  The lock is held.
 */
static size_t
empty_own(const struct ibuf_cache *cache, size_t n)
{
	uint32_t index = cache->home->index;
	struct ibuf_slots_ *slots;
	size_t emptied;

	if (ibuf_slots_own_ == NULL || index >= IBUF_SLOTS_MAX_)
		return 0;
	slots = &ibuf_slots_own_[index];
	if (slots->element_.base_ == NULL)
		return 0;
	emptied = ibuf_slot_empty_(&slots->element_, n);
	return emptied + ibuf_slot_empty_(&slots->window_, n - emptied);
}

size_t
ibuf_cache_close_(struct ibuf_cache *cache)
{
	struct ibuf_cache_counts counts;
	struct ibuf_slots_ *s;

	pthread_mutex_lock(&ibuf_threads_lock_);
	/* Under its lock too: who gives past the slots looks there. */
	pthread_mutex_lock(&cache->lock);
	__atomic_store_n(&cache->closed, true, __ATOMIC_RELEASE);
	(void)empty_own(cache, SIZE_MAX);
	pthread_mutex_unlock(&cache->lock);
	for (s = cache->slots; s != NULL; s = s->window_.link_) {
		ibuf_slot_close_(&s->element_);
		ibuf_slot_close_(&s->window_);
	}
	if (cache->slots != NULL)
		ibuf_platform_barrier_(); /* see ibuf_slot_give_() */
	pthread_mutex_lock(&cache->lock);
	count(cache, &counts);
	pthread_mutex_unlock(&cache->lock);
	ibuf_cache_leave_(cache);
	return (size_t)(counts.taken - counts.given);
}

void
ibuf_cache_flush_(struct ibuf_cache *cache)
{
	size_t emptied;

	do {
		pthread_mutex_lock(&cache->lock);
		emptied = empty_own(cache, CACHE_STEP);
		pthread_mutex_unlock(&cache->lock);
	} while (emptied == CACHE_STEP);
}
