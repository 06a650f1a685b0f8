/* cache.c - the threads of a process and the objects they keep back. */
#define _POSIX_C_SOURCE 200809L
#include "cache.h"

#include <errno.h>
#include <string.h>

/*
 * Under the address sanitizer every allocation and every free must be seen,
 * so the slots are not shown to the inline bodies.
 */
#if defined(__SANITIZE_ADDRESS__)
#define SLOTS_ARE_SHOWN false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOTS_ARE_SHOWN false
#endif
#endif
#ifndef SLOTS_ARE_SHOWN
#define SLOTS_ARE_SHOWN true
#endif

/* All the slots of one thread. */
struct block {
	struct block *next, *previous;
	size_t used; /* slots from this one on were never used */
	_Alignas(CACHE_LINE) struct ibuf_slots_ slots[IBUF_SLOTS_MAX_];
};

/* What a thread sees that keeps nothing: empty, and full. */
static struct ibuf_slots_ nobodys[IBUF_SLOTS_MAX_];

__thread struct ibuf_slots_ *ibuf_pool_slots_ = nobodys;
static __thread struct block *mine IBUF_TLS_;
static __thread bool leaving IBUF_TLS_; /* the thread is past our destructor */

static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ibuf_cache *caches; /* under threads_lock */
static struct block *blocks;      /* under threads_lock */

static bool prepared; /* under threads_lock; the two below are set then */
static pthread_key_t key;
static bool can_keep; /* there may be slots at all */

/* ---- slots --------------------------------------------------------- */

/* What others read of a slot is stored so. */
static void
set_u32(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static uint32_t
get_u32(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static struct ibuf_magazine *
current_of(const struct ibuf_slot_ *slot)
{
	return (struct ibuf_magazine *)(void *)((uint8_t *)slot->objects_ -
						offsetof(struct ibuf_magazine,
							 objects));
}

/* From now on the slot works with this magazine. */
static void
load(struct ibuf_slot_ *slot, struct ibuf_magazine *magazine)
{
	slot->objects_ = magazine->objects;
	set_u32(&slot->n_, magazine->n);
}

/* The magazine it works with, as a magazine. */
static struct ibuf_magazine *
unload(struct ibuf_slot_ *slot)
{
	struct ibuf_magazine *magazine = current_of(slot);

	magazine->n = slot->n_;
	return magazine;
}

static void
keep(struct ibuf_slot_ *slot, struct ibuf_magazine *magazine)
{
	slot->previous_ = magazine;
	set_u32(&slot->kept_, magazine->n);
}

static void
swap(struct ibuf_slot_ *slot)
{
	struct ibuf_magazine *magazine = slot->previous_;

	keep(slot, unload(slot));
	load(slot, magazine);
}

bool
ibuf_cache_refill_(struct ibuf_slot_ *slot)
{
	struct ibuf_magazine *magazine;

	if (slot->previous_ != NULL && slot->previous_->n != 0) {
		swap(slot);
		return true;
	}
	magazine = ibuf_depot_pop_full_(slot->depot_);
	if (magazine == NULL)
		return false;
	ibuf_depot_push_(slot->depot_, unload(slot));
	load(slot, magazine);
	return true;
}

bool
ibuf_cache_top_up_(struct ibuf_slot_ *slot, size_t n)
{
	struct ibuf_magazine *magazine;

	if (slot->n_ + slot->kept_ >= n)
		return true;
	if (slot->previous_ == NULL || slot->kept_ != 0)
		return false;
	magazine = ibuf_depot_pop_full_(slot->depot_);
	if (magazine == NULL)
		return false;
	ibuf_depot_push_(slot->depot_, slot->previous_);
	keep(slot, magazine);
	return slot->n_ + slot->kept_ >= n;
}

void
ibuf_cache_pour_(struct ibuf_slot_ *slot, struct ibuf_mbuf **out, size_t n)
{
	size_t left = n;

	for (;;) {
		size_t here = slot->n_ < left ? slot->n_ : left;

		memcpy(out, slot->objects_ + slot->n_ - here,
		       here * sizeof *out);
		set_u32(&slot->n_, slot->n_ - (uint32_t)here);
		out += here;
		left -= here;
		if (left == 0)
			break;
		swap(slot);
	}
	__atomic_store_n(&slot->taken_, slot->taken_ + n, __ATOMIC_RELEASE);
}

bool
ibuf_cache_unstock_(struct ibuf_slot_ *slot,
		    void (*carved)(struct ibuf_mbuf *m, void *arg), void *arg)
{
	struct ibuf_magazine *magazine = unload(slot);

	magazine->n = (uint32_t)ibuf_depot_unstock_(
		slot->depot_, magazine->objects, slot->depot_->magazine_size,
		carved, arg);
	load(slot, magazine);
	return magazine->n != 0;
}

/* Make room in a full slot. */
static void
drain(struct ibuf_slot_ *slot)
{
	struct ibuf_depot *depot = slot->depot_;
	pthread_mutex_t *lock = &depot->owner->lock;
	struct ibuf_magazine *full, *empty;

	if (slot->previous_ != NULL &&
	    slot->previous_->n < depot->magazine_size) {
		swap(slot);
		return;
	}
	empty = ibuf_depot_get_empty_(depot, false);
	if (empty == NULL) {
		pthread_mutex_lock(lock);
		empty = ibuf_depot_get_empty_(depot, true);
		if (empty == NULL) {
			/* No memory for a magazine: the stock needs none. */
			full = unload(slot);
			ibuf_depot_stock_(depot, full->objects, full->n);
			full->n = 0;
			load(slot, full);
		}
		pthread_mutex_unlock(lock);
		if (empty == NULL)
			return;
	}
	full = unload(slot);
	if (slot->previous_ != NULL) {
		ibuf_depot_push_(depot, slot->previous_);
		keep(slot, full);
	} else {
		ibuf_depot_push_(depot, full);
	}
	load(slot, empty);
}

bool
ibuf_cache_give_slot_(struct ibuf_slot_ *slot, struct ibuf_mbuf *m)
{
	while (ibuf_slot_n_(slot) >= ibuf_slot_cap_(slot)) {
		if (get_u32(&slot->cap_) == 0)
			return false;
		drain(slot);
	}
	ibuf_slot_give_(slot, ibuf_slot_n_(slot), m);
	return true;
}

/* ---- past the slots ------------------------------------------------ */

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

/* Two frees that overlap meet here, where each is listed once. */
void
ibuf_cache_give_(struct ibuf_depot *depot, struct ibuf_mbuf *m)
{
	if ((m->flags_ & IBUF_MBUF_LISTED_) != 0)
		ibuf_platform_die_(
			"ibuf: mbuf %p of pool \"%s\" is freed twice",
			(void *)m, home_of(m)->name);
	m->flags_ = IBUF_MBUF_LISTED_;
	ibuf_depot_stock_(depot, &m, 1);
	depot->given++;
}

/* ---- slots come and go --------------------------------------------- */

/* Put what a slot holds into the stock; the lock is held. */
static void
empty_slot(struct ibuf_slot_ *slot)
{
	struct ibuf_magazine *magazine = unload(slot);

	ibuf_depot_stock_(slot->depot_, magazine->objects, magazine->n);
	magazine->n = 0;
	load(slot, magazine);
	magazine = slot->previous_;
	if (magazine == NULL)
		return;
	ibuf_depot_stock_(slot->depot_, magazine->objects, magazine->n);
	magazine->n = 0;
	keep(slot, magazine);
}

/* What the calling thread keeps of a cache; the lock is held. */
static void
empty_own(const struct ibuf_cache *cache)
{
	uint32_t index = cache->home->index;
	struct ibuf_slots_ *slots;

	if (mine == NULL || index >= mine->used)
		return;
	slots = &mine->slots[index];
	if (slots->element_.depot_ == NULL)
		return;
	empty_slot(&slots->element_);
	empty_slot(&slots->window_);
}

/* A slot belongs to no cache any more; its thread sees zeros. */
static void
forget(struct ibuf_slot_ *slot)
{
	set_u32(&slot->n_, 0);
	set_u32(&slot->cap_, 0);
	set_u32(&slot->kept_, 0);
	slot->objects_ = NULL;
	slot->depot_ = NULL;
	slot->previous_ = NULL;
	slot->link_ = NULL;
	slot->taken_ = 0;
	slot->given_ = 0;
}

/* Hand a slot's numbers and empty magazines to the depot; lock held. */
static void
retire(struct ibuf_slot_ *slot)
{
	struct ibuf_depot *depot = slot->depot_;

	depot->taken += slot->taken_;
	depot->given += slot->given_;
	ibuf_depot_push_(depot, current_of(slot));
	if (slot->previous_ != NULL)
		ibuf_depot_push_(depot, slot->previous_);
	forget(slot);
}

/* A slot with two magazines, or one where it may keep one object only. */
static bool
set_up(struct ibuf_slot_ *slot, struct ibuf_depot *depot, bool two)
{
	struct ibuf_magazine *current = ibuf_depot_get_empty_(depot, true);
	struct ibuf_magazine *previous =
		two && current != NULL ? ibuf_depot_get_empty_(depot, true)
				       : NULL;

	if (current == NULL || (two && previous == NULL)) {
		if (current != NULL)
			ibuf_depot_push_(depot, current);
		return false;
	}
	slot->depot_ = depot;
	slot->previous_ = previous;
	load(slot, current);
	return true;
}

/* Open a slot that has been set up: it may be filled. */
static void
open_slot(struct ibuf_slot_ *slot)
{
	set_u32(&slot->cap_, (uint32_t)slot->depot_->magazine_size);
}

static bool
set_up_both(struct ibuf_slots_ *slots, struct ibuf_cache *cache)
{
	bool good;

	pthread_mutex_lock(&cache->lock);
	good = set_up(&slots->element_, &cache->elements,
		      !cache->elements.single);
	if (good && !set_up(&slots->window_, &cache->windows, true)) {
		retire(&slots->element_);
		good = false;
	}
	pthread_mutex_unlock(&cache->lock);
	if (!good)
		return false;
	slots->window_.link_ = cache->slots;
	cache->slots = slots;
	open_slot(&slots->element_);
	open_slot(&slots->window_);
	return true;
}

/* The thread that runs has none of the pools' objects any more. */
static void
unlink_slots(struct ibuf_cache *cache, const struct ibuf_slots_ *slots)
{
	struct ibuf_slots_ **link = &cache->slots;

	while (*link != slots)
		link = (struct ibuf_slots_ **)&(*link)->window_.link_;
	*link = slots->window_.link_;
}

/* ---- counting, closing, ending: under the threads lock ------------- */

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
		counts->cached +=
			get_u32(&s->element_.n_) + get_u32(&s->element_.kept_);
	counts->capacity =
		cache->elements.stock.capacity - cache->elements.lost;
}

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
		forget(&s->element_);
		forget(&s->window_);
	}
	cache->slots = NULL;
	if (cache->previous != NULL)
		cache->previous->next = cache->next;
	else
		caches = cache->next;
	if (cache->next != NULL)
		cache->next->previous = cache->previous;
	ibuf_home_unregister_(cache->home);
}

/* Let the threads lock go; end a cache that is over. */
static void
leave(struct ibuf_cache *cache)
{
	bool over = cache != NULL && is_over(cache);

	if (over)
		detach(cache);
	pthread_mutex_unlock(&threads_lock);
	if (over)
		cache->end(cache);
}

void
ibuf_pool_late_(struct ibuf_slot_ *slot)
{
	pthread_mutex_lock(&threads_lock);
	leave(slot->depot_ == NULL ? NULL : slot->depot_->owner);
}

void
ibuf_cache_give_late_(struct ibuf_depot *depot, struct ibuf_mbuf *m)
{
	struct ibuf_cache *cache = depot->owner;

	pthread_mutex_lock(&threads_lock);
	pthread_mutex_lock(&cache->lock);
	ibuf_cache_give_(depot, m);
	pthread_mutex_unlock(&cache->lock);
	leave(cache);
}

size_t
ibuf_cache_close_(struct ibuf_cache *cache)
{
	struct ibuf_cache_counts counts;
	struct ibuf_slots_ *s;

	pthread_mutex_lock(&threads_lock);
	/* Under its lock too: who gives past the slots looks there. */
	pthread_mutex_lock(&cache->lock);
	__atomic_store_n(&cache->closed, true, __ATOMIC_RELEASE);
	empty_own(cache);
	pthread_mutex_unlock(&cache->lock);
	for (s = cache->slots; s != NULL; s = s->window_.link_) {
		set_u32(&s->element_.cap_, 0);
		set_u32(&s->window_.cap_, 0);
	}
	if (cache->slots != NULL)
		ibuf_platform_barrier_(); /* see ibuf_slot_give_() */
	pthread_mutex_lock(&cache->lock);
	count(cache, &counts);
	pthread_mutex_unlock(&cache->lock);
	leave(cache);
	return (size_t)(counts.taken - counts.given);
}

void
ibuf_cache_count_(struct ibuf_cache *cache, struct ibuf_cache_counts *counts)
{
	pthread_mutex_lock(&threads_lock);
	pthread_mutex_lock(&cache->lock);
	count(cache, counts);
	pthread_mutex_unlock(&cache->lock);
	pthread_mutex_unlock(&threads_lock);
}

void
ibuf_cache_flush_(struct ibuf_cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	empty_own(cache);
	pthread_mutex_unlock(&cache->lock);
}

/* ---- threads ------------------------------------------------------- */

/* Take one pair of slots from a block; the cache, where it had one. */
static struct ibuf_cache *
drop_slots(struct ibuf_slots_ *slots)
{
	struct ibuf_cache *cache;

	if (slots->element_.depot_ == NULL)
		return NULL;
	cache = slots->element_.depot_->owner;
	pthread_mutex_lock(&cache->lock);
	unlink_slots(cache, slots);
	empty_slot(&slots->element_);
	empty_slot(&slots->window_);
	retire(&slots->element_);
	retire(&slots->window_);
	pthread_mutex_unlock(&cache->lock);
	return cache;
}

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
	ibuf_pool_slots_ = nobodys;
	for (i = 0; i < block->used; i++) {
		pthread_mutex_lock(&threads_lock);
		leave(drop_slots(&block->slots[i]));
	}
	pthread_mutex_lock(&threads_lock);
	unlink_block(block);
	pthread_mutex_unlock(&threads_lock);
	ibuf_platform_unmap_(block, sizeof *block, false);
}

static void
fork_prepares(void)
{
	struct ibuf_cache *cache;

	pthread_mutex_lock(&threads_lock);
	for (cache = caches; cache != NULL; cache = cache->next)
		pthread_mutex_lock(&cache->lock);
}

static void
fork_parent(void)
{
	struct ibuf_cache *cache;

	for (cache = caches; cache != NULL; cache = cache->next)
		pthread_mutex_unlock(&cache->lock);
	pthread_mutex_unlock(&threads_lock);
}

/* Objects that a thread which does not exist kept back, or was moving. */
static void
write_off(struct ibuf_depot *depot, const struct ibuf_slot_ *own)
{
	size_t here = depot_stocked(depot);

	if (own != NULL)
		here += own->n_ + own->kept_;
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
		if (mine != NULL && s == &mine->slots[cache->home->index]) {
			own = s;
			continue;
		}
		/* What it has in its hands may be torn: give it all up. */
		current_of(&s->element_)->n = 0;
		current_of(&s->window_)->n = 0;
		if (s->element_.previous_ != NULL)
			s->element_.previous_->n = 0;
		s->window_.previous_->n = 0;
		retire(&s->element_);
		retire(&s->window_);
	}
	cache->slots = own;
	if (own != NULL)
		own->window_.link_ = NULL;
	ibuf_depot_unload_(&cache->elements, SIZE_MAX);
	ibuf_depot_unload_(&cache->windows, SIZE_MAX);
	write_off(&cache->elements, own == NULL ? NULL : &own->element_);
	write_off(&cache->windows, own == NULL ? NULL : &own->window_);
	cache->forked(cache);
}

static void
fork_child(void)
{
	struct ibuf_cache *cache;
	struct block *block, *next;

	for (cache = caches; cache != NULL; cache = cache->next)
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
	pthread_mutex_lock(&threads_lock);
	block->next = blocks;
	if (blocks != NULL)
		blocks->previous = block;
	blocks = block;
	pthread_mutex_unlock(&threads_lock);
	mine = block;
	if (SLOTS_ARE_SHOWN)
		ibuf_pool_slots_ = block->slots;
	return block;
}

int
ibuf_cache_register_(struct ibuf_cache *cache)
{
	int error;

	pthread_mutex_lock(&threads_lock);
	error = prepare();
	if (error == 0 && !ibuf_home_register_(cache->home))
		error = -ENOBUFS;
	if (error == 0) {
		cache->next = caches;
		if (caches != NULL)
			caches->previous = cache;
		caches = cache;
	}
	pthread_mutex_unlock(&threads_lock);
	return error;
}

struct ibuf_slots_ *
ibuf_cache_slots_(struct ibuf_cache *cache)
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
	slots = &block->slots[index];
	if (get_u32(&slots->element_.cap_) != 0)
		return slots;
	if (__atomic_load_n(&cache->closed, __ATOMIC_ACQUIRE))
		return NULL;
	pthread_mutex_lock(&threads_lock);
	good = !cache->closed && set_up_both(slots, cache);
	if (good && block->used <= index)
		block->used = index + 1;
	pthread_mutex_unlock(&threads_lock);
	return good ? slots : NULL;
}
