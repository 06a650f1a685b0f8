/* pool.c - a pool is made and ended. */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include "close.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WINDOWS_KEPT 62 /* in a magazine; they are small */
#define MAGAZINE_MOST 65536

/* ---- the layout ------------------------------------------------------ */

static size_t
round_up(size_t n, size_t unit)
{
	return (n + unit - 1) & ~(unit - 1);
}

/*
 * Lay out an element, so that its first data byte is aligned:
 *
 *   | header 64 | private | pad | headroom | capacity | pad |
 *                                ^ base_    ^ a multiple of alignment
 *
 * The stride is an odd number of alignments (of cache lines at least), so
 * that the headers of a slab spread over all sets of the cache.
 */
static int
lay_out(struct ibuf_pool *p, const struct ibuf_pool_options *o)
{
	size_t unit = o->alignment < CACHE_LINE ? CACHE_LINE : o->alignment;
	size_t front, first, whole, window;

	if (o->headroom > ROOM_MAX || o->capacity > ROOM_MAX - o->headroom ||
	    o->private_size > UINT32_MAX / 4 || unit > UINT32_MAX / 4)
		return -EOVERFLOW;
	window = round_up(HEADER_SIZE + o->private_size, CACHE_LINE);
	front = HEADER_SIZE + round_up(o->private_size, 16);
	if (o->headroom > PTRDIFF_MAX - front - 2 * unit ||
	    o->capacity > PTRDIFF_MAX - front - o->headroom - 3 * unit)
		return -EOVERFLOW;
	first = round_up(front + o->headroom, o->alignment);
	whole = round_up(first + o->capacity, unit);
	if (whole / unit % 2 == 0)
		whole += unit;
	if (first - o->headroom > UINT32_MAX)
		return -EOVERFLOW;
	p->owner.room_offset = (uint32_t)(first - o->headroom);
	p->owner.room_size = (uint32_t)(o->headroom + o->capacity);
	p->owner.headroom = (uint32_t)o->headroom;
	p->owner.private_size = (uint32_t)o->private_size;
	p->cache.elements.stock.kind.stride = whole;
	p->cache.elements.stock.kind.alignment = unit;
	p->cache.windows.stock.kind.stride = window;
	p->cache.windows.stock.kind.alignment = CACHE_LINE;
	return 0;
}

/*
 * What a thread may keep back: two magazines, which are never more than
 * the option says.  A pool that wipes must see every free, so it has none.
 */
static void
lay_out_cache(struct ibuf_pool *p, const struct ibuf_pool_options *o)
{
	size_t size = o->cache < 2 ? o->cache : o->cache / 2;

	if (size > MAGAZINE_MOST)
		size = MAGAZINE_MOST;
	if (size == 0 || p->owner.wipe)
		return;
	p->cache.elements.magazine_size = size;
	p->cache.elements.single = o->cache < 2;
	p->cache.windows.magazine_size = WINDOWS_KEPT;
}

/* ---- life ---------------------------------------------------------- */

static int
init_condition(struct ibuf_pool *p)
{
	pthread_condattr_t monotonic;
	int error = pthread_condattr_init(&monotonic);

	if (error != 0)
		return -error;
	error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	if (error == 0)
		error = pthread_cond_init(&p->came_back, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return -error;
}

static int
init_locks(struct ibuf_pool *p)
{
	int error = -pthread_mutex_init(&p->cache.lock, NULL);

	if (error != 0)
		return error;
	error = init_condition(p);
	if (error != 0)
		pthread_mutex_destroy(&p->cache.lock);
	return error;
}

static void
unmap_stock(struct ibuf_pool *p, struct ibuf_slabs *stock)
{
	struct ibuf_slab *slab;

	while ((slab = ibuf_slabs_take_any_(stock)) != NULL)
		pool_unmap(p, slab);
}

/* Free a pool that nobody can reach. */
static void
pool_unmake(struct ibuf_cache *cache)
{
	struct ibuf_pool *p = pool_of(cache->owner);

	unmap_stock(p, &cache->elements.stock);
	unmap_stock(p, &cache->windows.stock);
	ibuf_depot_end_(&cache->elements);
	ibuf_depot_end_(&cache->windows);
	pthread_cond_destroy(&p->came_back);
	pthread_mutex_destroy(&cache->lock);
	free(p);
}

/* In the child of a fork: those who waited or grew are not there. */
static void
pool_forked(struct ibuf_cache *cache)
{
	struct ibuf_pool *p = pool_of(cache->owner);

	p->forks++;
	cache->elements.moving = 0;
	cache->windows.moving = 0;
	if (p->waiters == 0)
		return;
	p->waiters = 0;
	(void)init_condition(p);
}

/* Where an allocation looks for a free element: nowhere, in tcaches of zeros. */
static size_t
tcache_offset(uint32_t index)
{
	return offsetof(struct ibuf_thread_, tcaches_) +
	       index * sizeof(struct ibuf_tcaches_);
}

static void
pool_flush(struct ibuf_pool *p)
{
	pool_must_be_open(p);
	ibuf_cache_flush_(&p->cache);
}

static size_t
pool_destroy(struct ibuf_pool *p)
{
	pool_must_be_open(p);
	/* What other threads keep back is not to be had by the inline body. */
	p->front.tcache_ = tcache_offset(0);
	/* Pairs with the loads in ibuf_owner_take_indirect_() and ibuf_mbuf_pool():
	   who finds the cache closed finds no pool. */
	__atomic_store_n(&p->owner.pool, NULL, __ATOMIC_RELEASE);
	return ibuf_cache_close_(&p->cache);
}

static const struct ibuf_owner_ops pool_ops = {
	.window_take = XX_indirect_take_,
	.windows_take = XX_indirect_take_many_,
	.window_give = XX_indirect_give_,
	.element_take = ibuf_element_take_,
	.element_give = ibuf_element_give_,
	.alloc = ibuf_element_alloc_,
	.alloc_wait = ibuf_wait_alloc_,
	.alloc_bulk = ibuf_element_alloc_bulk_,
	.alloc_upto = ibuf_element_alloc_upto_,
	.free = ibuf_element_free_,
	.reserve = ibuf_supply_reserve_,
	.trim = ibuf_trim_,
	.flush = pool_flush,
	.get_stats = ibuf_stats_get_,
	.allocated = ibuf_stats_allocated_,
	.destroy = pool_destroy,
};

/* A pool with the options, all but its number and its first elements. */
static int
pool_make(struct ibuf_pool **made, const struct ibuf_pool_options *o)
{
	size_t name_size = strlen(o->name) + 1;
	struct ibuf_pool *p;
	int error;

	if (posix_memalign((void **)&p, CACHE_LINE, sizeof *p + name_size) != 0)
		return -ENOMEM;
	memset(p, 0, sizeof *p);
	p->owner.ops = &pool_ops;
	p->owner.pool = p;
	p->owner.name = memcpy(p + 1, o->name, name_size);
	p->owner.wipe = (o->flags & IBUF_POOL_F_WIPE) != 0;
	p->provider = *o->provider;
	p->max = o->max;
	p->can_wait = (o->flags & IBUF_POOL_F_WAIT) != 0;
	p->cache.owner = &p->owner;
	p->cache.elements.owner = &p->cache;
	p->cache.elements.lock = &p->cache.lock;
	p->cache.windows.owner = &p->cache;
	p->cache.windows.lock = &p->cache.lock;
	p->cache.end = pool_unmake;
	p->cache.forked = pool_forked;
	ibuf_pool_renew_(p);
	error = lay_out(p, o);
	lay_out_cache(p, o);
	if (error == 0)
		error = init_locks(p);
	if (error != 0) {
		free(p);
		return error;
	}
	*made = p;
	return 0;
}

/* What an allocation writes, and where it looks. */
static void
set_front(struct ibuf_pool *p)
{
	bool has_tcaches = p->owner.index < IBUF_TCACHES_MAX_;
	bool careful =
		!has_tcaches || p->owner.wipe || p->owner.private_size != 0;

	p->front.fresh_.off_ = p->owner.headroom;
	p->front.fresh_.cap_ = p->owner.room_size;
	p->front.fresh_.flags_ =
		(uint16_t)(BOTH_RIGHTS | IBUF_MBUF_DIRECT_ | IBUF_MBUF_LIVE_ |
			   (careful ? IBUF_MBUF_CAREFUL_ : 0));
	p->front.fresh_.pool_ = (uint16_t)p->owner.index;
	p->front.tcache_ = tcache_offset(has_tcaches ? p->owner.index : 0);
}

/* The first elements; they are no growth. */
static int
make_initial(struct ibuf_pool *p, size_t n)
{
	int error;

	if (n > PTRDIFF_MAX / p->cache.elements.stock.kind.stride)
		return -EOVERFLOW;
	pthread_mutex_lock(&p->cache.lock);
	error = ibuf_pool_grow_by_(p, n, true);
	p->grows = 0;
	pthread_mutex_unlock(&p->cache.lock);
	return error;
}

int
ibuf_pool_create(struct ibuf_pool **pool,
		 const struct ibuf_pool_options *options)
{
	struct ibuf_pool_options o;
	struct ibuf_pool *p = NULL;
	int error = ibuf_options_read_(&o, options);

	if (error == 0)
		error = pool_make(&p, &o);
	if (error != 0)
		return error;
	error = make_initial(p, o.initial);
	if (error == 0)
		error = ibuf_threads_register_(&p->cache);
	if (error != 0) {
		pool_unmake(&p->cache);
		return error;
	}
	set_front(p);
	*pool = p;
	return 0;
}

struct ibuf_pool *
ibuf_pool_new(size_t initial, size_t capacity)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;

	options.initial = initial;
	options.capacity = capacity;
	return ibuf_pool_create(&p, &options) == 0 ? p : NULL;
}

_Noreturn void
ibuf_pool_is_closed_(const struct ibuf_pool *p)
{
	ibuf_platform_die_("ibuf: pool \"%s\" is used after it was destroyed",
			   p->owner.name);
}
