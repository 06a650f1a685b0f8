/*
 * supply.c - a pool gets slabs from its provider.
 *
 * The provider works without the pool's lock, so a growth has three parts:
 *
 *   claim    count the objects to come in depot->moving       (lock)
 *   map      ask the provider, for less where it refuses      (no lock)
 *   commit   put all the slabs into the stock, or none of them (lock)
 *
 *   capacity - lost + moving <= max
 *
 * Meanwhile other threads use what is free, and grow the pool too where max
 * leaves room.  Where it does not, they wait for the growths under way: these
 * may serve them, or fail and leave room.
 */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include "close.h"
#include <errno.h>

/* A slab that is worth a provider call, and one that is enough at once. */
#define SLAB_LEAST ((size_t)64 << 10)
#define SLAB_MOST ((size_t)2 << 20)

struct growth {
	bool exact;              /* no more than what is asked for */
	struct ibuf_slabs slabs; /* gathered */
	size_t last;             /* objects in the last of them */
	size_t claimed;          /* of depot->moving */
	uint64_t forks;          /* p->forks when that was claimed */
};

static size_t
at_least(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t
at_most(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t
max_of(const struct ibuf_pool *p, const struct ibuf_depot *depot)
{
	return depot == &p->cache.elements ? p->max : SIZE_MAX;
}

/* How many objects may be added, if nothing comes of what is moving. */
static size_t
room_of(const struct ibuf_pool *p, const struct ibuf_depot *depot)
{
	return max_of(p, depot) - (depot->stock.capacity - depot->lost);
}

size_t
ibuf_pool_room_(const struct ibuf_pool *p)
{
	return room_of(p, &p->cache.elements) - p->cache.elements.moving;
}

/* ---- claim ----------------------------------------------------------- */

static int
may_claim(const struct ibuf_pool *p, const struct ibuf_depot *depot,
	  const struct growth *g, size_t n)
{
	size_t room = room_of(p, depot);

	if (n > room - g->claimed)
		return max_of(p, depot) == SIZE_MAX ? -ENOMEM : -ENOBUFS;
	/* No memory could hold them; do not try it piece by piece. */
	if (n > PTRDIFF_MAX / depot->stock.kind.stride)
		return -ENOMEM;
	return n > room - depot->moving ? -EAGAIN : 0;
}

/*
 * How many objects to ask for when n are needed: as many as there are, from
 * SLAB_LEAST to SLAB_MOST bytes, so that the number of slabs is logarithmic
 * at first.  SLAB_MOST leaves ibuf_provider_huge() place for its note.  Only
 * one thread at a time doubles.  A provider that refused a slab is asked for
 * twice what it gave then, not for all of it again.
 */
static size_t
slab_objects(const struct ibuf_pool *p, const struct ibuf_depot *depot,
	     const struct growth *g, size_t n)
{
	const struct ibuf_slabs *stock = &depot->stock;
	size_t most = (SLAB_MOST - at_most(SLAB_MOST, stock->kind.alignment)) /
		      stock->kind.stride;
	size_t count = SLAB_LEAST / stock->kind.stride;

	if (g->exact)
		count = 0;
	else if (depot->moving == g->claimed)
		count = at_least(count, stock->capacity);
	if (depot->piece != 0)
		count = at_most(count, 2 * depot->piece);
	count = at_least(at_most(count, at_least(most, 1)), n);
	if (g->last != 0)
		count = at_most(count, g->last);
	return at_most(count, room_of(p, depot) - depot->moving);
}

void
ibuf_pool_moved_(struct ibuf_pool *p, struct ibuf_depot *depot, size_t n,
		 uint64_t forks)
{
	if (forks == p->forks)
		depot->moving -= n;
	if (p->waiters != 0)
		pthread_cond_broadcast(&p->came_back);
}

static void
unclaim(struct ibuf_pool *p, struct ibuf_depot *depot, struct growth *g,
	size_t n)
{
	g->claimed -= n;
	ibuf_pool_moved_(p, depot, n, g->forks);
}

/* ---- map: gather slabs ------------------------------------------------- */

/* The child of a fork has forgotten all claims; make those of this again. */
static void
claim_again(const struct ibuf_pool *p, struct ibuf_depot *depot,
	    struct growth *g)
{
	if (g->forks == p->forks)
		return;
	g->forks = p->forks;
	depot->moving += g->claimed;
}

/*
 * Is a slab memory that the pool has already?  Then its provider is at fault,
 * and the slab is not given back either: who has it would lose it.
 */
static bool
is_taken(const struct ibuf_pool *p, const struct growth *g,
	 const struct ibuf_slab *slab)
{
	return ibuf_slabs_overlaps_(&p->cache.elements.stock, slab) ||
	       ibuf_slabs_overlaps_(&p->cache.windows.stock, slab) ||
	       ibuf_slabs_overlaps_(&g->slabs, slab);
}

/* One slab more, of n objects or fewer.  The lock is let go meanwhile. */
static int
gather(struct ibuf_pool *p, struct ibuf_depot *depot, struct growth *g,
       size_t n)
{
	struct ibuf_slab *slab = NULL;
	size_t count, got;
	int error = may_claim(p, depot, g, n);

	if (error != 0)
		return error;
	count = slab_objects(p, depot, g, n);
	depot->moving += count;
	g->claimed += count;
	pthread_mutex_unlock(&p->cache.lock);
	error = ibuf_slab_map_(&slab, &depot->stock.kind, count,
			       at_most(n, count), &p->provider);
	pthread_mutex_lock(&p->cache.lock);
	claim_again(p, depot, g);
	if (error == 0 && is_taken(p, g, slab)) {
		ibuf_slab_forget_(slab);
		error = -EINVAL;
	}
	got = error == 0 ? slab->objects : 0;
	if (got != count)
		unclaim(p, depot, g, count - got);
	g->last = got;
	if (got != 0 && (got < count || depot->piece != 0))
		depot->piece = got;
	if (error == 0)
		ibuf_slabs_add_(&g->slabs, slab);
	return error;
}

/* ---- commit, or drop -------------------------------------------------- */

static int
commit(struct ibuf_pool *p, struct ibuf_depot *depot, struct growth *g)
{
	struct ibuf_slab *slab;
	int error = 0;

	while ((slab = ibuf_slabs_take_any_(&g->slabs)) != NULL) {
		/* Two growths at once may have been given the same. */
		if (is_taken(p, g, slab)) {
			ibuf_slab_forget_(slab);
			error = -EINVAL;
			continue;
		}
		ibuf_slabs_add_(&depot->stock, slab);
		if (depot == &p->cache.elements)
			p->grows++;
	}
	if (g->claimed != 0)
		unclaim(p, depot, g, g->claimed);
	return error;
}

/* Give back what was gathered; the lock is let go meanwhile. */
static void
drop(struct ibuf_pool *p, struct ibuf_depot *depot, struct growth *g)
{
	struct ibuf_slab *slab;

	if (g->claimed == 0)
		return;
	pthread_mutex_unlock(&p->cache.lock);
	while ((slab = ibuf_slabs_take_any_(&g->slabs)) != NULL)
		pool_unmap(p, slab);
	pthread_mutex_lock(&p->cache.lock);
	unclaim(p, depot, g, g->claimed);
}

/* Commit what was gathered without an error, or in spite of one. */
static int
settle(struct ibuf_pool *p, struct ibuf_depot *depot, struct growth *g,
       int error, bool in_spite)
{
	int wrong = 0;

	if (error == 0 || in_spite)
		wrong = commit(p, depot, g);
	else
		drop(p, depot, g);
	return error != 0 ? error : wrong;
}

/* ---- growths ------------------------------------------------------------ */

/* How many of n objects are not in the stock, magazines unloaded. */
static size_t
missing(struct ibuf_depot *depot, size_t n)
{
	size_t there;

	ibuf_depot_unload_(depot, n);
	there = depot_stocked(depot);
	return n > there ? n - there : 0;
}

/*
 * When the lock was let go others may have brought objects back or taken
 * some: a failure is told only while the lock is held since the last look.
 */
static int
stock_up_once(struct ibuf_pool *p, struct ibuf_depot *depot, size_t n,
	      bool some)
{
	struct growth g = {.forks = p->forks};
	int error = 0;
	size_t more;

	while (error == 0 && (more = missing(depot, n)) > g.slabs.capacity)
		error = gather(p, depot, &g, more - g.slabs.capacity);
	error = settle(p, depot, &g, error, some);
	return missing(depot, n) == 0 ? 0 : error;
}

/* What threads keep that are gone is looked for before a call fails. */
int
ibuf_pool_try_stock_up_(struct ibuf_pool *p, struct ibuf_depot *depot, size_t n,
			bool some)
{
	int error;

	do
		error = stock_up_once(p, depot, n, some);
	while (error != 0 && ibuf_cache_reclaim_(&p->cache));
	return error;
}

/*
 * Sleep until something has moved, if anything does.  Allocation is no
 * cancellation point.
 */
static void
wait_for_others(struct ibuf_pool *p, const struct ibuf_depot *depot)
{
	int cancel;

	if (depot->moving == 0)
		return;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	p->waiters++;
	pthread_cond_wait(&p->came_back, &p->cache.lock);
	p->waiters--;
	pthread_setcancelstate(cancel, &cancel);
}

int
ibuf_pool_stock_up_(struct ibuf_pool *p, struct ibuf_depot *depot, size_t n,
		    bool some)
{
	int error;

	while ((error = ibuf_pool_try_stock_up_(p, depot, n, some)) ==
		       -EAGAIN &&
	       !(some && depot_stocked(depot) != 0))
		wait_for_others(p, depot);
	return error;
}

int
ibuf_pool_grow_by_(struct ibuf_pool *p, size_t n, bool exact)
{
	struct ibuf_depot *depot = &p->cache.elements;
	struct growth g = {.exact = exact, .forks = p->forks};
	int error = 0;

	while (error == 0 && g.slabs.capacity < n)
		error = gather(p, depot, &g, n - g.slabs.capacity);
	return settle(p, depot, &g, error, false);
}

int
ibuf_supply_reserve_(struct ibuf_pool *p, size_t n)
{
	struct ibuf_cache_counts counts;
	size_t available;
	int error;

	pool_must_be_open(p);
	do {
		ibuf_cache_count_(&p->cache, &counts);
		available =
			counts.capacity - (size_t)(counts.taken - counts.given);
		if (n <= available)
			return 0;
		pthread_mutex_lock(&p->cache.lock);
		error = ibuf_pool_grow_by_(p, n - available, false);
		if (error == -EAGAIN)
			wait_for_others(p, &p->cache.elements);
		pthread_mutex_unlock(&p->cache.lock);
	} while (error == -EAGAIN);
	if (error != 0)
		count_relaxed(&p->failures, 1);
	return error;
}
