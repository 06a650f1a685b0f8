/*
 * expand.c - a store gets slabs from its provider.
 *
 * The provider works without the pool's lock, so a growth has three parts:
 *
 *   claim    count the headers to come in store->moving       (lock)
 *   map      ask the provider, for less where it refuses      (no lock)
 *   commit   put all the slabs into the store, or none of them (lock)
 *
 *   capacity - lost + moving <= max
 *
 * Meanwhile other threads use what is free, and grow the pool too where max
 * leaves room.  Where it does not, they wait for the growths under way: these
 * may serve them, or fail and leave room.
 */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

#include <errno.h>

/* A slab that is worth a provider call, and one that is enough at once. */
#define SLAB_LEAST ((size_t)64 << 10)
#define SLAB_MOST ((size_t)2 << 20)

struct growth {
	bool exact;              /* no more than what is asked for */
	struct ibuf_slabs slabs; /* gathered */
	size_t last;             /* headers in the last of them */
	size_t claimed;          /* of store->moving */
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

/* How many headers may be added, if nothing comes of what is moving. */
static size_t
room_of(const struct ibuf_store *store)
{
	return store->max - (store->slabs.capacity - store->lost);
}

size_t
ibuf_expand_limit_(const struct ibuf_store *store)
{
	return room_of(store) - store->moving;
}

/* ---- claim ------------------------------------------------------------- */

static int
may_claim(const struct ibuf_store *store, const struct growth *g, size_t n)
{
	size_t room = room_of(store);

	if (n > room - g->claimed)
		return store->max == SIZE_MAX ? -ENOMEM : -ENOBUFS;
	/* No memory could hold them; do not try it piece by piece. */
	if (n > PTRDIFF_MAX / store->slabs.shape.stride)
		return -ENOMEM;
	return n > room - store->moving ? -EAGAIN : 0;
}

/*
 * How many headers to ask for when n are needed: as many as there are, from
 * SLAB_LEAST to SLAB_MOST bytes, so that the number of slabs is logarithmic
 * at first.  SLAB_MOST leaves ibuf_provider_huge() place for its note.  Only
 * one thread at a time doubles.  A provider that refused a slab is asked for
 * twice what it gave then, not for all of it again.
 */
static size_t
slab_headers(const struct ibuf_store *store, const struct growth *g, size_t n)
{
	const struct ibuf_slabs *slabs = &store->slabs;
	size_t most = (SLAB_MOST - at_most(SLAB_MOST, slabs->shape.alignment)) /
		      slabs->shape.stride;
	size_t count = SLAB_LEAST / slabs->shape.stride;

	if (g->exact)
		count = 0;
	else if (store->moving == g->claimed)
		count = at_least(count, slabs->capacity);
	if (store->piece != 0)
		count = at_most(count, 2 * store->piece);
	count = at_least(at_most(count, at_least(most, 1)), n);
	if (g->last != 0)
		count = at_most(count, g->last);
	return at_most(count, room_of(store) - store->moving);
}

void
ibuf_expand_moved_(struct ibuf_store *store, size_t n, uint64_t forks)
{
	struct ibuf_pool *p = store->pool;

	if (forks == p->forks)
		store->moving -= n;
	if (p->movers != 0)
		pthread_cond_broadcast(&p->moved);
	ibuf_wait_look_(p);
}

static void
unclaim(struct ibuf_store *store, struct growth *g, size_t n)
{
	g->claimed -= n;
	ibuf_expand_moved_(store, n, g->forks);
}

/* ---- map: gather slabs ------------------------------------------------- */

/* The child of a fork has forgotten all claims; make those of this again. */
static void
claim_again(struct ibuf_store *store, struct growth *g)
{
	if (g->forks == store->pool->forks)
		return;
	g->forks = store->pool->forks;
	store->moving += g->claimed;
}

/*
 * Is a slab memory that the pool has already?  Then its provider is at fault,
 * and the slab is not given back either: who has it would lose it.
 */
static bool
is_taken(const struct ibuf_store *store, const struct growth *g,
	 const struct ibuf_slab *slab)
{
	const struct ibuf_store *both = store->pool->store;

	return ibuf_slabs_overlaps_(&both[IBUF_DIRECT_].slabs, slab) ||
	       ibuf_slabs_overlaps_(&both[IBUF_INDIRECT_].slabs, slab) ||
	       ibuf_slabs_overlaps_(&g->slabs, slab);
}

/* One slab more, of n headers or fewer.  The lock is let go meanwhile. */
static int
gather(struct ibuf_store *store, struct growth *g, size_t n)
{
	struct ibuf_slab *slab = NULL;
	size_t count, got;
	int error = may_claim(store, g, n);

	if (error != 0)
		return error;
	count = slab_headers(store, g, n);
	store->moving += count;
	g->claimed += count;
	pthread_mutex_unlock(store->lock);
	error = ibuf_slab_map_(&slab, &store->slabs.shape, count,
			       at_most(n, count), &store->pool->provider);
	pthread_mutex_lock(store->lock);
	claim_again(store, g);
	if (error == 0 && is_taken(store, g, slab)) {
		ibuf_slab_forget_(slab, &store->pool->provider);
		error = -EINVAL;
	}
	got = error == 0 ? slab->headers : 0;
	if (got != count)
		unclaim(store, g, count - got);
	g->last = got;
	if (got != 0 && (got < count || store->piece != 0))
		store->piece = got;
	if (error == 0)
		ibuf_slabs_add_(&g->slabs, slab);
	return error;
}

/* ---- commit, or drop --------------------------------------------------- */

static int
commit(struct ibuf_store *store, struct growth *g)
{
	struct ibuf_slab *slab;
	int error = 0;

	while ((slab = ibuf_slabs_take_any_(&g->slabs)) != NULL) {
		/* Two growths at once may have been given the same. */
		if (is_taken(store, g, slab)) {
			ibuf_slab_forget_(slab, &store->pool->provider);
			error = -EINVAL;
			continue;
		}
		ibuf_slabs_add_(&store->slabs, slab);
		store->grows++;
		PROBE3(grow, store->pool->owner.name, slab->headers,
		       slab->size);
	}
	if (g->claimed != 0)
		unclaim(store, g, g->claimed);
	ibuf_wait_serve_(store);
	return error;
}

/* Give back what was gathered; the lock is let go meanwhile. */
static void
drop(struct ibuf_store *store, struct growth *g)
{
	struct ibuf_slab *slab;

	if (g->claimed == 0)
		return;
	pthread_mutex_unlock(store->lock);
	while ((slab = ibuf_slabs_take_any_(&g->slabs)) != NULL)
		pool_unmap(store->pool, slab);
	pthread_mutex_lock(store->lock);
	unclaim(store, g, g->claimed);
}

/* Commit what was gathered without an error, or in spite of one. */
static int
settle(struct ibuf_store *store, struct growth *g, int error, bool in_spite)
{
	int wrong = 0;

	if (error == 0 || in_spite)
		wrong = commit(store, g);
	else
		drop(store, g);
	return error != 0 ? error : wrong;
}

/* ---- growths ----------------------------------------------------------- */

/* How many of n headers are not free in the slabs, magazines unloaded. */
static size_t
missing(struct ibuf_store *store, size_t n)
{
	size_t there;

	ibuf_store_unload_(store, n);
	there = store_free(store);
	return n > there ? n - there : 0;
}

/*
 * When the lock was let go others may have brought headers back or taken
 * some: a failure is told only while the lock is held since the last look.
 */
static int
expand_once(struct ibuf_store *store, size_t n, bool some)
{
	struct growth g = {.forks = store->pool->forks};
	int error = 0;
	size_t more;

	while (error == 0 && (more = missing(store, n)) > g.slabs.capacity)
		error = gather(store, &g, more - g.slabs.capacity);
	error = settle(store, &g, error, some);
	return missing(store, n) == 0 ? 0 : error;
}

/*
 * What threads keep that are gone is looked for before a call fails.  What came
 * may have been given to those who stand in line (wait.c); then it grows on.
 */
int
ibuf_expand_try_(struct ibuf_store *store, size_t n, bool some)
{
	int error;

	do
		error = expand_once(store, n, some);
	while (error == 0 ? missing(store, n) != 0
			  : ibuf_close_reclaim_(store->pool));
	return error;
}

/*
 * Sleep until something has moved, if anything does.  Allocation is no
 * cancellation point.
 */
static void
wait_for_others(const struct ibuf_store *store)
{
	struct ibuf_pool *p = store->pool;
	int cancel;

	if (store->moving == 0)
		return;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	p->movers++;
	pthread_cond_wait(&p->moved, store->lock);
	p->movers--;
	pthread_setcancelstate(cancel, &cancel);
}

int
ibuf_expand_(struct ibuf_store *store, size_t n, bool some)
{
	int error;

	while ((error = ibuf_expand_try_(store, n, some)) != 0) {
		if (ibuf_recall_(store))
			continue;
		if (error != -EAGAIN || (some && store_free(store) != 0))
			break;
		wait_for_others(store);
	}
	return error;
}

int
ibuf_expand_by_(struct ibuf_store *store, size_t n, bool exact)
{
	struct growth g = {.exact = exact, .forks = store->pool->forks};
	int error = 0;

	while (error == 0 && g.slabs.capacity < n)
		error = gather(store, &g, n - g.slabs.capacity);
	return settle(store, &g, error, false);
}

int
ibuf_expand_reserve_(struct ibuf_pool *p, size_t n)
{
	struct ibuf_store *store = &p->store[IBUF_DIRECT_];
	struct ibuf_counts counts;
	size_t available;
	int error;

	pool_must_be_open(p);
	do {
		ibuf_stats_count_(p, &counts);
		available =
			counts.capacity - (size_t)(counts.taken - counts.given);
		if (n <= available)
			return 0;
		pthread_mutex_lock(&p->lock);
		error = ibuf_expand_by_(store, n - available, false);
		if (error == -EAGAIN)
			wait_for_others(store);
		pthread_mutex_unlock(&p->lock);
	} while (error == -EAGAIN);
	if (error != 0)
		pool_failed(p);
	return error;
}
