/* pool.c - a pool is made and ended. */
#define _POSIX_C_SOURCE 200809L
#include "../platform/deadline.h"
#include "debug.h"
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGAZINE_MOST 65536

/* ---- the layout -------------------------------------------------------- */

static size_t
round_up(size_t n, size_t unit)
{
	return (n + unit - 1) & ~(unit - 1);
}

/*
 * Lay out a direct header and its room, so that the first data byte is aligned:
 *
 *   | header 64 | private | mark | pad | headroom | capacity | pad |
 *                                       ^ base_    ^ a multiple of alignment
 *
 * The stride is an odd number of alignments (of cache lines at least), so
 * that the headers of a slab spread over all sets of the cache.  Only pools
 * that wipe have marks.  With IBUF_DEBUG=redzone there are zones in front of
 * the mark, or the pad, and behind the capacity.
 */
static int
lay_out(struct ibuf_pool *p, const struct ibuf_pool_options *o)
{
	size_t unit = o->alignment < CACHE_LINE ? CACHE_LINE : o->alignment;
	size_t zone = ibuf_debug_words_()->redzone, front, first, whole;

	if (o->headroom > ROOM_MAX || o->capacity > ROOM_MAX - o->headroom ||
	    o->private_size > UINT32_MAX / 4 || unit > UINT32_MAX / 4)
		return -EOVERFLOW;
	front = HEADER_SIZE + round_up(o->private_size, 16) + zone +
		(p->owner.wipe ? MARK_SPACE : 0);
	if (o->headroom > PTRDIFF_MAX - front - 2 * unit ||
	    o->capacity > PTRDIFF_MAX - front - zone - o->headroom - 3 * unit)
		return -EOVERFLOW;
	first = round_up(front + o->headroom, o->alignment);
	whole = round_up(first + o->capacity + zone, unit);
	if (whole / unit % 2 == 0)
		whole += unit;
	if (first - o->headroom > UINT32_MAX)
		return -EOVERFLOW;
	p->owner.room_offset = (uint32_t)(first - o->headroom);
	p->owner.room_size = (uint32_t)(o->headroom + o->capacity);
	p->owner.headroom = (uint32_t)o->headroom;
	p->owner.private_size = (uint32_t)o->private_size;
	p->store[IBUF_DIRECT_].slabs.shape =
		(struct ibuf_slab_shape){.stride = whole, .alignment = unit};
	p->store[IBUF_INDIRECT_].slabs.shape = (struct ibuf_slab_shape){
		.stride = round_up(HEADER_SIZE + o->private_size, CACHE_LINE),
		.alignment = CACHE_LINE};
	return 0;
}

/*
 * What a thread may keep back: two magazines, which are never more than
 * the option says.
 */
static void
lay_out_magazines(struct ibuf_pool *p, const struct ibuf_pool_options *o)
{
	size_t size = o->cache < 2 ? o->cache : o->cache / 2;

	if (size > MAGAZINE_MOST)
		size = MAGAZINE_MOST;
	if (size == 0)
		return;
	/* Without a barrier nothing could be recalled. */
	if (p->can_wait && !ibuf_platform_barrier_prepare_())
		return;
	p->store[IBUF_DIRECT_].depot.magazine_size = size;
	p->store[IBUF_DIRECT_].single = o->cache < 2;
	p->store[IBUF_INDIRECT_].depot.magazine_size = INDIRECT_KEPT;
}

/* ---- life -------------------------------------------------------------- */

static int
init_locks(struct ibuf_pool *p)
{
	int error = -pthread_mutex_init(&p->lock, NULL);

	if (error != 0)
		return error;
	error = -ibuf_deadline_condition_(&p->moved);
	if (error != 0)
		pthread_mutex_destroy(&p->lock);
	return error;
}

static void
pool_flush(struct ibuf_pool *p)
{
	pool_must_be_open(p);
	ibuf_pool_flush_(p);
}

static size_t
pool_destroy(struct ibuf_pool *p)
{
	pool_must_be_open(p);
	/* What other threads keep back is not to be had by the inline body. */
	p->front.tcache_ = tcache_offset(0);
	p->kept_at = p->front.tcache_;
	/* Pairs with the loads in ibuf_owner_take_indirect_() and
	   ibuf_mbuf_pool(): who finds the pool closed finds no pool. */
	__atomic_store_n(&p->owner.pool, NULL, __ATOMIC_RELEASE);
	return ibuf_close_(p);
}

/* What all pools do alike. */
#define COMMON_OPS                                                             \
	.take_many = ibuf_alloc_take_many_, .alloc_bulk = ibuf_alloc_bulk_,    \
	.alloc_upto = ibuf_alloc_upto_, .alloc_wait = ibuf_wait_alloc_,        \
	.free = ibuf_free_checked_, .reserve = ibuf_expand_reserve_,           \
	.trim = ibuf_trim_, .flush = pool_flush, .get_stats = ibuf_stats_get_, \
	.allocated = ibuf_stats_allocated_, .get_options = ibuf_options_get_,  \
	.walk = ibuf_walk_, .destroy = pool_destroy

static const struct ibuf_owner_ops pool_ops = {
	.take = ibuf_alloc_take_,
	.give = ibuf_alloc_give_,
	.alloc = ibuf_alloc_,
	COMMON_OPS,
};

/* Where what threads keep back is recalled. */
static const struct ibuf_owner_ops biased_ops = {
	.take = ibuf_biased_take_,
	.give = ibuf_biased_give_,
	.give_biased = ibuf_biased_give_plain_,
	.alloc = ibuf_biased_alloc_,
	COMMON_OPS,
};

static void
store_make(struct ibuf_pool *p, unsigned kind, size_t max)
{
	struct ibuf_store *store = &p->store[kind];

	store->pool = p;
	store->owner = &p->owner;
	store->lock = &p->lock;
	store->kind = kind;
	store->max = max;
}

/* The options as they are in force, for whoever asks. */
static void
keep_options(struct ibuf_pool *p, const struct ibuf_pool_options *o)
{
	p->options = *o;
	p->options.size = sizeof *o;
	p->options.name = p->owner.name;
	p->options.provider = &p->provider;
	if (p->store[IBUF_DIRECT_].depot.magazine_size == 0)
		p->options.cache = 0;
	if (o->max == SIZE_MAX)
		p->options.max = 0;
}

/* A pool with the options, all but its number and its first headers. */
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
	p->can_wait = (o->flags & IBUF_POOL_F_WAIT) != 0;
	store_make(p, IBUF_DIRECT_, o->max);
	store_make(p, IBUF_INDIRECT_, SIZE_MAX);
	ibuf_pool_renew_(p);
	error = lay_out(p, o);
	lay_out_magazines(p, o);
	keep_options(p, o);
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
	bool high = p->owner.index >= IBUF_TCACHES_MAX_;
	unsigned wiping = IBUF_MBUF_WIPES_ | IBUF_MBUF_MARKED_;

	p->biased = p->can_wait && pool_has_tcaches(p) &&
		    p->owner.index < IBUF_TCACHES_MAX_;
	if (p->biased) {
		p->owner.ops = &biased_ops;
	} else if (p->can_wait) {
		/* What cannot be recalled is not kept back. */
		p->store[IBUF_DIRECT_].depot.magazine_size = 0;
		p->store[IBUF_INDIRECT_].depot.magazine_size = 0;
		p->options.cache = 0;
	}
	p->front.fresh_.off_ = p->owner.headroom;
	p->front.fresh_.cap_ = p->owner.room_size;
	p->front.fresh_.flags_ =
		(uint16_t)(BOTH_RIGHTS | IBUF_MBUF_DIRECT_ | IBUF_MBUF_LIVE_ |
			   (high || p->biased || p->owner.wipe
				    ? IBUF_MBUF_CAREFUL_
				    : 0) |
			   (p->biased ? IBUF_MBUF_BIASED_ : 0) |
			   (p->owner.wipe ? wiping : 0));
	p->front.fresh_.pool_ = (uint16_t)p->owner.index;
	p->front.tcache_ =
		tcache_offset(high || p->biased ? 0 : p->owner.index);
	ibuf_debug_pool_(p);
}

/* The first mbufs; they are no growth. */
static int
make_initial(struct ibuf_pool *p, size_t n)
{
	struct ibuf_store *store = &p->store[IBUF_DIRECT_];
	int error;

	if (n > PTRDIFF_MAX / store->slabs.shape.stride)
		return -EOVERFLOW;
	pthread_mutex_lock(&p->lock);
	error = ibuf_expand_by_(store, n, true);
	store->grows = 0;
	pthread_mutex_unlock(&p->lock);
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
		error = ibuf_threads_register_(p);
	if (error != 0) {
		ibuf_pool_unmake_(p);
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
