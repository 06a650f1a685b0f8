/* close.c - a cache is closed, and ends when nothing is out of it. */
#define _POSIX_C_SOURCE 200809L
#include "close.h"

/* How many are doubted; atomic, written under the threads lock. */
static uint32_t doubts;

/* ---- ending: under the lock ------------------------------------------ */

/* What a tcache counted since somebody looked; its thread is the caller, gone,
   or kept out by a barrier. */
static void
see(struct ibuf_cache *cache, struct ibuf_tcache_ *tcache)
{
	uint32_t now = (uint32_t)(counted_relaxed(&tcache->taken_) -
				  counted_relaxed(&tcache->given_));

	cache->out += (int32_t)(now - tcache->seen_);
	tcache->seen_ = now;
}

static void
see_both(struct ibuf_cache *cache, struct ibuf_tcaches_ *tcaches)
{
	see(cache, &tcaches->element_);
	see(cache, &tcaches->window_);
}

/* sum() of a closed cache, which notes what it sees of each tcache. */
static int64_t
ask(struct ibuf_cache *cache, bool window)
{
	const struct ibuf_depot *depot =
		window ? &cache->windows : &cache->elements;
	uint64_t given = depot->given, taken = depot->taken, of_tcache;
	struct ibuf_tcaches_ *s;

	for (s = cache->tcaches; s != NULL; s = s->window_.link_) {
		of_tcache = counted_acquire(&slot_of(s, window)->given_);
		slot_of(s, window)->seen_ = (uint32_t)of_tcache;
		given += of_tcache;
	}
	for (s = cache->tcaches; s != NULL; s = s->window_.link_) {
		of_tcache = counted_acquire(&slot_of(s, window)->taken_);
		slot_of(s, window)->seen_ =
			(uint32_t)of_tcache - slot_of(s, window)->seen_;
		taken += of_tcache;
	}
	return (int64_t)(taken - given);
}

/* Ask every tcache what is out; gives the elements among it. */
static int64_t
ask_all(struct ibuf_cache *cache)
{
	int64_t windows = ask(cache, true), elements = ask(cache, false);

	cache->out = windows + elements;
	return elements;
}

/* Is nothing out of it, as is just known?  Then nobody can reach it. */
static bool
is_over(struct ibuf_cache *cache)
{
	struct ibuf_tcaches_ *s, *next;

	if (cache->out != 0)
		return false;
	cache->over = true;
	for (s = cache->tcaches; s != NULL; s = next) {
		next = s->window_.link_;
		ibuf_cache_clear_(cache, s, ibuf_tcache_forget_);
	}
	cache->tcaches = NULL;
	return true;
}

/* Is it over, as far as out says, and then as all say? */
static bool
seems_over(struct ibuf_cache *cache)
{
	if (!cache->counted || cache->over || cache->out > 0)
		return false;
	ask_all(cache);
	return is_over(cache);
}

/* Doubt a cache or no more; under the threads lock. */
static void
doubt(struct ibuf_cache *cache, bool doubted)
{
	if (cache->doubted == doubted)
		return;
	cache->doubted = doubted;
	/* Relaxed: who looks too early leaves it to the next. */
	store_relaxed_u32(&doubts, doubts + (doubted ? 1 : UINT32_MAX));
}

/* Take a cache that is over out of everything; without the lock. */
static void
finish(struct ibuf_cache *cache)
{
	pthread_mutex_lock(&ibuf_threads_lock_);
	doubt(cache, false);
	ibuf_cache_unlist_(cache);
	pthread_mutex_unlock(&ibuf_threads_lock_);
	ibuf_owner_unregister_(cache->owner);
	ibuf_cache_let_go_(cache);
}

/* Let the lock go; end the cache where that is due. */
static void
leave(struct ibuf_cache *cache)
{
	bool over = seems_over(cache);

	pthread_mutex_unlock(&cache->lock);
	if (over)
		finish(cache);
}

/* ---- what may end a cache -------------------------------------------- */

/* A tcache in the calling thread's block may have been filled after it was
   closed; false: it is in no such block. */
static bool
late(struct ibuf_tcache_ *tcache)
{
	size_t n = ((uintptr_t)tcache - (uintptr_t)ibuf_tcaches_own_) /
		   sizeof(struct ibuf_tcaches_);
	struct ibuf_tcaches_ *tcaches;
	struct ibuf_cache *cache;

	if (ibuf_tcaches_own_ == NULL || n >= IBUF_TCACHES_MAX_)
		return false;
	tcaches = &ibuf_tcaches_own_[n];
	cache = ibuf_cache_hold_(block_of(ibuf_tcaches_own_, 0), tcaches);
	if (cache == NULL)
		return true;
	pthread_mutex_lock(&cache->lock);
	if (cache->counted && !cache->over)
		see_both(cache, tcaches);
	leave(cache);
	ibuf_cache_let_go_(cache);
	return true;
}

static struct ibuf_late late_here = {.late = late};

/* The linker may have sent us what was meant for another copy. */
void
ibuf_pool_late_(struct ibuf_tcache_ *tcache)
{
	const struct ibuf_late *copy;

	if (late(tcache))
		return;
	copy = __atomic_load_n(&ibuf_owners_->late, __ATOMIC_ACQUIRE);
	while (copy != NULL && !copy->late(tcache))
		copy = copy->next;
}

void
ibuf_close_have_tcaches_(void)
{
	struct ibuf_late **first = &ibuf_owners_->late;

	late_here.next = __atomic_load_n(first, __ATOMIC_RELAXED);
	/* Release: who finds it finds its members. */
	while (!__atomic_compare_exchange_n(first, &late_here.next, &late_here,
					    true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
}

void
ibuf_cache_give_late_(struct ibuf_depot *depot, struct ibuf_mbuf *m)
{
	struct ibuf_cache *cache = depot->owner;
	struct ibuf_tcaches_ *own;

	pthread_mutex_lock(&cache->lock);
	ibuf_cache_give_(depot, m);
	if (cache->counted) {
		own = own_tcaches(cache);
		cache->out--;
		if (own != NULL)
			see_both(cache, own);
	}
	leave(cache);
}

/* Take a pair of tcaches out of a cache. */
static void
drop(struct ibuf_cache *cache, struct ibuf_tcaches_ *tcaches)
{
	if (cache->counted)
		see_both(cache, tcaches);
	ibuf_cache_unlink_(cache, tcaches);
	(void)ibuf_tcache_empty_(&tcaches->element_, SIZE_MAX);
	(void)ibuf_tcache_empty_(&tcaches->window_, SIZE_MAX);
	ibuf_cache_clear_(cache, tcaches, ibuf_tcache_retire_);
}

void
ibuf_pool_drop_tcaches_(struct ibuf_block *block, uint32_t number)
{
	struct ibuf_tcaches_ *tcaches = &block->thread.tcaches_[number];
	struct ibuf_cache *cache = ibuf_cache_hold_(block, tcaches);

	if (cache == NULL)
		return;
	pthread_mutex_lock(&cache->lock);
	if (tcaches->element_.base_ != NULL)
		drop(cache, tcaches);
	leave(cache);
	ibuf_cache_let_go_(cache);
}

bool
ibuf_cache_reclaim_(struct ibuf_cache *cache)
{
	struct ibuf_tcaches_ *own = own_tcaches(cache), *s, *next;
	struct ibuf_block *block;
	bool found = false;
	size_t n = 0;

	if (cache->patience != 0) {
		cache->patience--;
		return false;
	}
	for (s = cache->tcaches; s != NULL; s = next, n++) {
		next = s->window_.link_;
		block = block_of(s, cache->owner->index);
		if (s == own || !ibuf_block_take_(block))
			continue;
		drop(cache, s);
		ibuf_block_let_go_(block);
		found = true;
	}
	cache->patience = found ? 0 : n / 16;
	return found;
}

/* ---- closing ---------------------------------------------------------- */

/* Close all tcaches; true: another thread has some, and may be filling them. */
static bool
close_tcaches(struct ibuf_cache *cache)
{
	const struct ibuf_tcaches_ *own = own_tcaches(cache);
	bool others = false;
	struct ibuf_tcaches_ *s;

	for (s = cache->tcaches; s != NULL; s = s->window_.link_) {
		ibuf_tcache_close_(&s->element_);
		ibuf_tcache_close_(&s->window_);
		others = others || s != own;
	}
	return others;
}

/*
 * All threads pass a barrier: then whoever fills a tcache sees that it is
 * closed, or we see what was put there, see ibuf_tcache_given_().  Where the
 * system refuses it, a free that is under way may be missed.  That keeps the
 * memory for too long, and nothing else: its count reaches the memory soon,
 * and who looks again finds it.
 */
static void
keep_out(struct ibuf_cache *cache)
{
	if (ibuf_platform_barrier_())
		return;
	pthread_mutex_lock(&ibuf_threads_lock_);
	doubt(cache, true);
	pthread_mutex_unlock(&ibuf_threads_lock_);
}

size_t
ibuf_cache_close_(struct ibuf_cache *cache)
{
	int64_t elements;
	bool others, over;

	ibuf_cache_look_again_();
	pthread_mutex_lock(&cache->lock);
	__atomic_store_n(&cache->closed, true, __ATOMIC_RELEASE);
	(void)ibuf_cache_empty_own_(cache, SIZE_MAX);
	others = close_tcaches(cache);
	pthread_mutex_unlock(&cache->lock);
	if (others)
		keep_out(cache);
	pthread_mutex_lock(&cache->lock);
	elements = ask_all(cache);
	cache->counted = true;
	over = is_over(cache);
	pthread_mutex_unlock(&cache->lock);
	if (over)
		finish(cache);
	return (size_t)elements;
}

/* The next cache that is doubted, by turns, held; NULL: none. */
static struct ibuf_cache *
hold_doubted(void)
{
	struct ibuf_cache *cache, *found = NULL;

	pthread_mutex_lock(&ibuf_threads_lock_);
	/* The last in the list, which then becomes the first. */
	for (cache = ibuf_caches_; cache != NULL; cache = cache->next)
		if (cache->doubted)
			found = cache;
	if (found != NULL) {
		ibuf_cache_unlist_(found);
		ibuf_cache_list_(found);
		fetch_add_relaxed_u32(&found->holders, 1);
	}
	pthread_mutex_unlock(&ibuf_threads_lock_);
	return found;
}

void
ibuf_cache_look_again_(void)
{
	struct ibuf_cache *cache;

	if (load_relaxed_u32(&doubts) == 0)
		return;
	cache = hold_doubted();
	if (cache == NULL)
		return;
	pthread_mutex_lock(&cache->lock);
	cache->out = 0; /* so that all are asked */
	leave(cache);
	ibuf_cache_let_go_(cache);
}

void
ibuf_cache_forked_(struct ibuf_cache *cache)
{
	cache->holders = 1;
	if (!cache->closed || cache->over)
		return;
	/* Whoever was closing it is not there to end it. */
	doubt(cache, cache->doubted || !cache->counted);
	cache->counted = true;
	ask_all(cache);
}
