/*
 * heap.c - the heap as an owner: number 0, a pool of indirect headers only.
 *
 * The rooms of its messages are blocks of malloc's, or the caller's; their
 * headers come from slabs, by thread caches, as those of clones do.  It begins
 * with the first message, and never ends.
 *
 *   store[IBUF_DIRECT_]     none; its thread caches, which the inline bodies of
 *                           pools without any look at, are full and empty
 *   store[IBUF_INDIRECT_]   all headers
 *
 * Where a leak checker looks, each header is a block of malloc's of its own,
 * and no list leads to one that is in use.  So a message is a leak, its
 * header and its room, when nothing of the program leads to it, and else is
 * none.
 */
#define _POSIX_C_SOURCE 200809L
#include "debug.h"
#include "state.h"

#include <stdlib.h>

static struct ibuf_mbuf *heap_take(struct ibuf_owner *owner, unsigned kind);
static size_t heap_walk(struct ibuf_pool *p,
			void (*fn)(const struct ibuf_mbuf *m, void *arg),
			void *arg);

static const struct ibuf_owner_ops heap_ops = {
	.take = heap_take,
	.take_many = ibuf_alloc_take_many_,
	.give = ibuf_alloc_give_,
	.get_stats = ibuf_stats_get_heap_,
	.walk = heap_walk,
};

static struct ibuf_pool heap = {
	.owner = {.ops = &heap_ops, .name = "heap"},
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.moved = PTHREAD_COND_INITIALIZER,
	.holders = 1,
	.store = {[IBUF_DIRECT_] = {.pool = &heap,
				    .owner = &heap.owner,
				    .lock = &heap.lock,
				    .kind = IBUF_DIRECT_,
				    .single = true},
		  [IBUF_INDIRECT_] = {.depot.magazine_size = INDIRECT_KEPT,
				      .pool = &heap,
				      .owner = &heap.owner,
				      .lock = &heap.lock,
				      .kind = IBUF_INDIRECT_,
				      .max = SIZE_MAX,
				      .slabs.shape = {.stride = HEADER_SIZE,
						      .alignment =
							      CACHE_LINE}}},
};

struct ibuf_owner *const ibuf_owner_own_heap_ = &heap.owner;

static uint32_t begun;     /* atomic */
static bool leaks_watched; /* set before it has begun */

/* ---- where a leak checker looks ----------------------------------------- */

/* One of them, and which was made before, all bits flipped: who looks for
   pointers finds none. */
struct block {
	struct ibuf_mbuf m; /* first: the program's pointer is to the block */
	uintptr_t before;
};

static uintptr_t newest; /* flipped too; 0: none */

static struct block *
flipped(uintptr_t block)
{
	return block == 0 ? NULL : (struct block *)~block;
}

/* A header more; NULL: no memory.  The lock is held. */
static struct ibuf_mbuf *
make_block(struct ibuf_store *store)
{
	struct block *block = malloc(sizeof *block);

	if (block == NULL)
		return NULL;
	block->before = newest;
	newest = ~(uintptr_t)block;
	store_ready(store, &block->m);
	block->m.pool_ = 0;
	store->slabs.capacity++;
	store->slabs.carved++;
	store->taken++;
	return &block->m;
}

static struct ibuf_mbuf *
take_block(struct ibuf_store *store)
{
	struct ibuf_mbuf *m;

	pthread_mutex_lock(store->lock);
	m = ibuf_store_take_counted_(store);
	if (m == NULL)
		m = make_block(store);
	pthread_mutex_unlock(store->lock);
	if (m != NULL)
		m->flags_ = IBUF_MBUF_LIVE_;
	return m;
}

/* ---- headers go out ------------------------------------------------------ */

#ifdef IBUF_HIDE_
/* A program with the archive that makes no pool is to stay small. */
ibuf_debug_heap_fn *ibuf_debug_heap_hook_;
#else
ibuf_debug_heap_fn *ibuf_debug_heap_hook_ = ibuf_debug_heap_;
#endif

__attribute__((noinline, cold)) static bool
begin(void)
{
	bool good = true;

	(void)owner_heap(); /* joins the other copies, under no lock of ours */
	pthread_mutex_lock(&ibuf_threads_lock_);
	if (load_relaxed_u32(&begun) == 0) {
		good = ibuf_threads_prepare_() == 0;
		if (good) {
			heap.provider = *ibuf_provider_pages();
			leaks_watched = ibuf_platform_leaks_watched_();
			/* Then each header comes through here. */
			if ((ibuf_debug_heap_hook_ != NULL &&
			     ibuf_debug_heap_hook_(&heap)) ||
			    leaks_watched)
				heap.store[IBUF_INDIRECT_].depot.magazine_size =
					0;
			ibuf_pool_list_(&heap);
			/* Pairs with the acquire in heap_take(). */
			store_release_u32(&begun, 1);
		}
	}
	pthread_mutex_unlock(&ibuf_threads_lock_);
	return good;
}

static struct ibuf_mbuf *
heap_take(struct ibuf_owner *owner, unsigned kind)
{
	if (kind == IBUF_DIRECT_)
		return NULL; /* it has none */
	if (load_acquire_u32(&begun) == 0)
		/* From the first header on by who watches. */
		return begin() ? owner->ops->take(owner, kind) : NULL;
	if (leaks_watched)
		return take_block(&heap.store[IBUF_INDIRECT_]);
	return ibuf_alloc_take_(owner, kind);
}

/* ---- and are found ------------------------------------------------------- */

static size_t
heap_walk(struct ibuf_pool *p, void (*fn)(const struct ibuf_mbuf *m, void *arg),
	  void *arg)
{
	struct ibuf_walk walk = {fn, arg, 0};
	struct block *block;

	if (!leaks_watched)
		return ibuf_walk_(p, fn, arg);
	for (block = flipped(newest); block != NULL;
	     block = flipped(block->before))
		ibuf_walk_visit_(&block->m, &walk);
	return walk.n;
}
