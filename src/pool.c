/* pool.c - a pool is made, asked and ended. */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_MOST 124 /* what CACHE_AUTO gives where there is no max */

/* ---- options ------------------------------------------------------- */

static size_t
round_up(size_t n, size_t unit)
{
	return (n + unit - 1) & ~(unit - 1);
}

/* Take over what the caller's struct has; the rest are the defaults. */
static int
read_options(struct ibuf_pool_options *to, const struct ibuf_pool_options *from)
{
	static const struct ibuf_pool_options defaults = IBUF_POOL_OPTIONS_INIT;

	*to = defaults;
	if (from != NULL) {
		if (from->size == 0 || from->size > sizeof *to)
			return -EINVAL;
		memcpy(to, from, from->size);
	}
	return 0;
}

/* Check and complete the options. */
static int
check_options(struct ibuf_pool_options *o)
{
	bool can_wait = (o->flags & IBUF_POOL_F_WAIT) != 0;

	if ((o->flags & ~(IBUF_POOL_F_WIPE | IBUF_POOL_F_WAIT)) != 0)
		return -EINVAL;
	if (o->alignment == 0 || (o->alignment & (o->alignment - 1)) != 0)
		return -EINVAL;
	if (o->max != 0 && o->initial > o->max)
		return -EINVAL;
	if (o->cache == IBUF_POOL_CACHE_AUTO) {
		o->cache = can_wait ? 0 : CACHE_MOST;
		if (o->max != 0 && o->max / 8 < o->cache)
			o->cache = o->max / 8;
	}
	if (can_wait && o->cache != 0)
		return -EINVAL;
	if (o->max == 0)
		o->max = SIZE_MAX;
	if (o->cache > o->max)
		o->cache = o->max;
	if (o->name == NULL)
		o->name = "ibuf";
	if (o->provider == NULL)
		o->provider = ibuf_provider_pages();
	return 0;
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
	p->home.room_offset = (uint32_t)(first - o->headroom);
	p->home.room_size = (uint32_t)(o->headroom + o->capacity);
	p->home.headroom = (uint32_t)o->headroom;
	p->home.private_size = (uint32_t)o->private_size;
	p->elements.stride = whole;
	p->elements.alignment = unit;
	p->windows.stride = window;
	p->windows.alignment = CACHE_LINE;
	return 0;
}

/* ---- life ---------------------------------------------------------- */

static int
init_locks(struct ibuf_pool *p)
{
	pthread_condattr_t monotonic;
	int error = pthread_mutex_init(&p->lock, NULL);

	if (error != 0)
		return -error;
	error = pthread_condattr_init(&monotonic);
	if (error != 0)
		goto no_condition;
	error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	if (error == 0)
		error = pthread_cond_init(&p->came_home, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (error == 0)
		return 0;
no_condition:
	pthread_mutex_destroy(&p->lock);
	return -error;
}

/* A pool with the options, all but its number and its first elements. */
static int
pool_make(struct ibuf_pool **made, const struct ibuf_pool_options *o)
{
	size_t name_size = strlen(o->name) + 1;
	struct ibuf_pool *p = calloc(1, sizeof *p + name_size);
	int error;

	if (p == NULL)
		return -ENOMEM;
	p->home.ops = &ibuf_pool_ops_;
	p->home.pool = p;
	p->home.name = memcpy(p + 1, o->name, name_size);
	p->home.wipe = (o->flags & IBUF_POOL_F_WIPE) != 0;
	p->provider = *o->provider;
	p->max = o->max;
	p->cache = o->cache;
	p->can_wait = (o->flags & IBUF_POOL_F_WAIT) != 0;
	error = lay_out(p, o);
	if (error == 0)
		error = init_locks(p);
	if (error != 0) {
		free(p);
		return error;
	}
	*made = p;
	return 0;
}

static void
pool_unmake(struct ibuf_pool *p)
{
	size_t i;

	for (i = 0; i < p->elements.n_slabs; i++)
		p->provider.unmap(p->elements.slabs[i].base,
				  p->elements.slabs[i].size,
				  p->provider.context);
	for (i = 0; i < p->windows.n_slabs; i++)
		p->provider.unmap(p->windows.slabs[i].base,
				  p->windows.slabs[i].size,
				  p->provider.context);
	free(p->elements.slabs);
	free(p->windows.slabs);
	pthread_cond_destroy(&p->came_home);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void
ibuf_pool_end_(struct ibuf_pool *p)
{
	ibuf_home_unregister_(&p->home);
	pool_unmake(p);
}

int
ibuf_pool_create(struct ibuf_pool **pool,
		 const struct ibuf_pool_options *options)
{
	struct ibuf_pool_options o;
	struct ibuf_pool *p;
	int error = read_options(&o, options);

	if (error == 0)
		error = check_options(&o);
	if (error == 0)
		error = pool_make(&p, &o);
	if (error != 0)
		return error;
	if (o.initial != 0)
		error = ibuf_stock_grow_(&p->elements, o.initial, &p->provider);
	if (error == 0 && !ibuf_home_register_(&p->home))
		error = -ENOBUFS;
	if (error != 0) {
		pool_unmake(p);
		return error;
	}
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

size_t
ibuf_pool_destroy(struct ibuf_pool *p)
{
	size_t in_use;
	bool last;

	if (p == NULL)
		return 0;
	pthread_mutex_lock(&p->lock);
	in_use = (size_t)p->allocated;
	last = p->allocated + p->handles == 0;
	p->closed = true;
	/* Pairs with the load in ibuf_home_window_() and ibuf_mbuf_pool(). */
	__atomic_store_n(&p->home.pool, NULL, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&p->lock);
	if (last)
		ibuf_pool_end_(p);
	return in_use;
}

/* ---- memory -------------------------------------------------------- */

/* A slab that is worth a provider call, and one that is enough at once. */
#define SLAB_LEAST ((size_t)64 << 10)
#define SLAB_MOST ((size_t)2 << 20)

static size_t
at_least(size_t a, size_t b)
{
	return a > b ? a : b;
}

int
ibuf_pool_grow_(struct ibuf_pool *p, size_t n)
{
	size_t stride = p->elements.stride, capacity = p->elements.capacity;
	size_t most = at_least(SLAB_MOST / stride, 1);
	size_t count;
	int error;

	if (n > p->max - capacity)
		return p->max == SIZE_MAX ? -EOVERFLOW : -ENOBUFS;
	/* Double, between the two sizes; then what is needed; then max. */
	count = at_least(capacity, at_least(SLAB_LEAST / stride, 1));
	if (count > most)
		count = most;
	count = at_least(count, n);
	if (count > p->max - capacity)
		count = p->max - capacity;
	error = ibuf_stock_grow_(&p->elements, count, &p->provider);
	if (error == 0)
		p->grows++;
	return error;
}

int
ibuf_pool_reserve(struct ibuf_pool *p, size_t n)
{
	size_t available;
	int error = 0;

	pthread_mutex_lock(&p->lock);
	available = p->elements.capacity - (size_t)p->allocated;
	if (n > available)
		error = ibuf_pool_grow_(p, n - available);
	if (error == -EOVERFLOW)
		error = -ENOMEM;
	if (error != 0)
		p->failures++;
	pthread_mutex_unlock(&p->lock);
	return error;
}

/* Give the idle slabs of a stock back; no lock is held while unmapping. */
static size_t
trim_stock(struct ibuf_pool *p, struct ibuf_stock *stock)
{
	struct ibuf_slab *gone;
	size_t n = 0, bytes = 0, i;

	pthread_mutex_lock(&p->lock);
	gone = malloc((stock->n_slabs + 1) * sizeof *gone);
	if (gone != NULL)
		n = ibuf_stock_trim_(stock, gone);
	pthread_mutex_unlock(&p->lock);
	for (i = 0; i < n; i++) {
		bytes += gone[i].size;
		p->provider.unmap(gone[i].base, gone[i].size,
				  p->provider.context);
	}
	free(gone);
	return bytes;
}

size_t
ibuf_pool_trim(struct ibuf_pool *p)
{
	return trim_stock(p, &p->elements) + trim_stock(p, &p->windows);
}

void
ibuf_pool_flush(struct ibuf_pool *p)
{
	(void)p; /* no thread keeps anything back */
}

/* ---- statistics ---------------------------------------------------- */

static void
read_heap(struct ibuf_pool_stats *stats)
{
	const struct ibuf_home_heap *heap = &ibuf_home_heap_;

	/* given first: what is given was taken before, so never negative. */
	stats->frees = counted_acquire(&heap->given);
	stats->allocs = counted_acquire(&heap->taken);
	stats->allocated = stats->allocs - stats->frees;
	stats->handles = stats->allocated;
	stats->capacity = stats->allocated;
	stats->copied_bytes = counted_relaxed(&heap->home.copied_bytes);
}

static void
read_pool(struct ibuf_pool_stats *stats, struct ibuf_pool *p)
{
	pthread_mutex_lock(&p->lock);
	stats->capacity = p->elements.capacity;
	stats->allocated = p->allocated;
	stats->available = stats->capacity - stats->allocated;
	stats->peak = p->peak;
	stats->handles = p->handles;
	stats->allocs = p->allocs;
	stats->frees = p->frees;
	stats->grows = p->grows;
	stats->failures = p->failures;
	stats->waits = p->waits;
	stats->copied_bytes = counted_relaxed(&p->home.copied_bytes);
	stats->mapped_bytes = ibuf_stock_bytes_(&p->elements) +
			      ibuf_stock_bytes_(&p->windows);
	pthread_mutex_unlock(&p->lock);
}

int
ibuf_pool_get_stats(const struct ibuf_pool *p, struct ibuf_pool_stats *out,
		    size_t out_size)
{
	struct ibuf_pool_stats stats = {0};

	if (out_size == 0)
		return -EINVAL;
	if (p == NULL)
		read_heap(&stats);
	else
		read_pool(&stats, (struct ibuf_pool *)(uintptr_t)p);
	memcpy(out, &stats, out_size < sizeof stats ? out_size : sizeof stats);
	return 0;
}

size_t
ibuf_pool_allocated(const struct ibuf_pool *p)
{
	struct ibuf_pool_stats stats;

	ibuf_pool_get_stats(p, &stats, sizeof stats);
	return (size_t)stats.allocated;
}

size_t
ibuf_pool_available(const struct ibuf_pool *p)
{
	struct ibuf_pool_stats stats;

	ibuf_pool_get_stats(p, &stats, sizeof stats);
	return (size_t)stats.available;
}
