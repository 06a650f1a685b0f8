/* element.c - elements go out of a pool and come back. */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include "close.h"
#include <errno.h>

/* ---- a free element ------------------------------------------------ */

/*
 * What a free element holds beyond its first 16 bytes, so that an allocation
 * need not write it; next_ is NULL when it is not in a list.
 */
static void
put_in_order(const struct ibuf_owner *owner, struct ibuf_mbuf *m)
{
	m->base_ = (uint8_t *)m + owner->room_offset;
	m->room_ = &m->own_;
	m->next_ = NULL;
	m->own_.headroom_ = owner->headroom;
	store_relaxed_u32(&m->own_.count_, 1);
	clear_private(owner, m);
}

void
ibuf_element_carved_(struct ibuf_mbuf *m, void *pool)
{
	struct ibuf_pool *p = pool;

	m->flags_ = 0;
	m->pool_ = (uint16_t)p->owner.index;
	put_in_order(&p->owner, m);
	if (p->peak < p->cache.elements.stock.carved)
		p->peak = p->cache.elements.stock.carved;
}

/* ---- out ----------------------------------------------------------- */

/* Get at least one object into an empty tcache; the pool may grow. */
static int
fill(struct ibuf_pool *p, struct ibuf_tcache_ *tcache)
{
	int error = 0;

	if (ibuf_tcache_refill_(tcache))
		return 0;
	pthread_mutex_lock(&p->cache.lock);
	if (!ibuf_tcache_fill_(tcache, ibuf_element_carved_, p)) {
		error = ibuf_pool_stock_up_(p, &p->cache.elements, 1, false);
		if (error == 0)
			(void)ibuf_tcache_fill_(tcache, ibuf_element_carved_,
						p);
	}
	pthread_mutex_unlock(&p->cache.lock);
	/* Some may have come to the depot between the first look and now. */
	return error != 0 && ibuf_tcache_refill_(tcache) ? 0 : error;
}

/* The stock has one. */
static struct ibuf_mbuf *
take_stocked(struct ibuf_pool *p)
{
	return ibuf_cache_take_(&p->cache.elements, ibuf_element_carved_, p);
}

int
ibuf_element_from_stock_(struct ibuf_pool *p, struct ibuf_mbuf **m)
{
	int error = ibuf_pool_try_stock_up_(p, &p->cache.elements, 1, false);

	if (error == 0)
		*m = take_stocked(p);
	return error == -EAGAIN ? -ENOBUFS : error;
}

/* Take a free element. */
static int
take(struct ibuf_pool *p, struct ibuf_mbuf **m)
{
	struct ibuf_tcaches_ *tcaches = ibuf_threads_tcaches_(&p->cache);
	int error;

	if (tcaches != NULL) {
		struct ibuf_tcache_ *tcache = &tcaches->element_;

		error = tcache_has_header(tcache) ? 0 : fill(p, tcache);
		if (error == 0)
			*m = ibuf_tcache_take_(tcache,
					       ibuf_tcache_top_(tcache));
		return error;
	}
	pthread_mutex_lock(&p->cache.lock);
	error = ibuf_pool_stock_up_(p, &p->cache.elements, 1, false);
	if (error == 0)
		*m = take_stocked(p);
	pthread_mutex_unlock(&p->cache.lock);
	return error;
}

struct ibuf_mbuf *
ibuf_element_alloc_(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m;

	pool_must_be_open(p);
	if (take(p, &m) != 0) {
		count_relaxed(&p->failures, 1);
		return NULL;
	}
	return element_open(p, m);
}

struct ibuf_mbuf *
ibuf_element_take_(struct ibuf_owner *owner)
{
	struct ibuf_pool *p = pool_of(owner);
	struct ibuf_mbuf *m;

	if (__atomic_load_n(&p->cache.closed, __ATOMIC_ACQUIRE) ||
	    take(p, &m) != 0)
		return NULL;
	return element_open(p, m);
}

/* ---- many at once -------------------------------------------------- */

/* How many of n can be had: those in the stock, and what max leaves. */
static size_t
obtainable(struct ibuf_pool *p, size_t n)
{
	struct ibuf_depot *depot = &p->cache.elements;
	size_t there, room;

	ibuf_depot_unload_(depot, n);
	there = depot_stocked(depot);
	room = ibuf_pool_room_(p);
	if (n <= there || n - there <= room)
		return n;
	/* Where that is none, one may be moving. */
	return there + room != 0 || depot->moving == 0 ? there + room : 1;
}

/*
 * Get n elements from the stock, or up to n where some will do; how many.
 * The pool grows by what is missing, or by what it still may.
 */
static size_t
unstock_many(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n, bool some,
	     int *error)
{
	struct ibuf_depot *depot = &p->cache.elements;
	size_t got = 0;

	pthread_mutex_lock(&p->cache.lock);
	if (some)
		n = obtainable(p, n);
	*error = ibuf_pool_stock_up_(p, depot, n, some);
	if (*error == 0 || some) {
		got = ibuf_depot_unstock_(depot, out, n, ibuf_element_carved_,
					  p);
		depot->taken += got;
	}
	pthread_mutex_unlock(&p->cache.lock);
	return got;
}

/* Make n elements messages, by one template. */
static void
open_many(const struct ibuf_pool *p, struct ibuf_mbuf **ms, size_t n)
{
	const struct ibuf_fresh_ fresh = p->front.fresh_;
	size_t i;

	if (ibuf_platform_watched_)
		for (i = 0; i < n; i++)
			element_show(p, ms[i]);
	for (i = 0; i < n; i++)
		memcpy(ms[i], &fresh, sizeof fresh);
}

/* Take n elements, or up to n; how many.  Fewer than n: *error says why. */
static size_t
take_many(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n, bool some,
	  int *error)
{
	struct ibuf_tcaches_ *tcaches = ibuf_threads_tcaches_(&p->cache);
	size_t got = n;

	*error = 0;
	if (tcaches != NULL && ibuf_tcache_top_up_(&tcaches->element_, n)) {
		ibuf_tcache_pour_(&tcaches->element_, out, n);
	} else {
		pool_must_be_open(p); /* if it is not, no tcaches are */
		if (tcaches != NULL)
			ibuf_cache_flush_(&p->cache);
		got = unstock_many(p, out, n, some, error);
	}
	open_many(p, out, got);
	return got;
}

int
ibuf_element_alloc_bulk_(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n)
{
	int error;

	if (take_many(p, out, n, false, &error) == n && error == 0)
		return 0;
	count_relaxed(&p->failures, 1);
	return error;
}

size_t
ibuf_element_alloc_upto_(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n)
{
	int error;

	return take_many(p, out, n, true, &error);
}

/* ---- owner ---------------------------------------------------------- */

/* Give past the tcaches; false: the pool is closed. */
static bool
give_to_stock(struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	bool closed;

	pthread_mutex_lock(&p->cache.lock);
	closed = p->cache.closed;
	if (!closed)
		ibuf_cache_give_(&p->cache.elements, m);
	if (p->waiters != 0)
		pthread_cond_signal(&p->came_back);
	pthread_mutex_unlock(&p->cache.lock);
	return !closed;
}

void
ibuf_element_give_(struct ibuf_owner *owner, struct ibuf_mbuf *m)
{
	struct ibuf_pool *p = pool_of(owner);
	struct ibuf_tcaches_ *tcaches;
	bool done;

	if (owner->wipe)
		ibuf_platform_wipe_((uint8_t *)m + owner->room_offset,
				    owner->room_size);
	put_in_order(owner, m);
	/* The header stays visible: it is what finds a second free. */
	hide((uint8_t *)m + owner->room_offset, owner->room_size);
	tcaches = ibuf_threads_tcaches_to_give_(&p->cache);
	if (tcaches != NULL) {
		m->flags_ = 0;
		done = ibuf_tcache_put_(&tcaches->element_, m);
	} else {
		done = give_to_stock(p, m);
	}
	if (!done)
		ibuf_cache_give_late_(&p->cache.elements, m);
}

/* ---- checked free -------------------------------------------------- */

/*
 * The slab in which the calling thread's last checked free was: most often
 * that of the next.  It says only that there is memory to look at, and only
 * as long as no slab has left that pool.  A slab that leaves while we look
 * has no mbuf in use, so a correct free does not meet it.
 */
static __thread struct {
	uint64_t generation; /* of the pool; 0: none */
	uintptr_t from, to;
} hint IBUF_TLS_;

/*
 * Is m plainly an element of p in use, in its own room?  Only an element holds the
 * address of its own room, whatever other bytes may lie at m.
 */
static bool
is_plainly_ours(const struct ibuf_pool *p, const struct ibuf_mbuf *m)
{
	uintptr_t at = (uintptr_t)m;

	/* Pairs with the release in ibuf_pool_renew_(): who frees after a
	   trim, in whatever thread that was, sees its new number. */
	return hint.generation ==
		       __atomic_load_n(&p->generation, __ATOMIC_ACQUIRE) &&
	       at >= hint.from && at < hint.to - HEADER_SIZE &&
	       at % CACHE_LINE == 0 && (m->flags_ & IBUF_MBUF_LIVE_) != 0 &&
	       m->pool_ == p->owner.index &&
	       m->base_ == (const uint8_t *)m + p->owner.room_offset &&
	       m->room_ == &m->own_;
}

/* Is m an object of p, and if so, is it in use? */
static bool
is_ours(struct ibuf_pool *p, const struct ibuf_mbuf *m, bool *in_use)
{
	bool ours;

	/* While the lock is held the slab stays; afterwards m keeps it. */
	pthread_mutex_lock(&p->cache.lock);
	ours = ibuf_slabs_has_(&p->cache.elements.stock, m, &hint.from,
			       &hint.to) ||
	       ibuf_slabs_has_(&p->cache.windows.stock, m, &hint.from,
			       &hint.to);
	hint.generation = ours ? p->generation : 0;
	*in_use = ours && (m->flags_ & IBUF_MBUF_LIVE_) != 0;
	pthread_mutex_unlock(&p->cache.lock);
	return ours;
}

void
ibuf_element_free_(struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	bool in_use = true;

	pool_must_be_open(p);
	if (!is_plainly_ours(p, m) && !is_ours(p, m, &in_use))
		ibuf_platform_die_("ibuf: %p is no mbuf of pool \"%s\"",
				   (void *)m, p->owner.name);
	if (!in_use)
		ibuf_platform_die_(
			"ibuf: mbuf %p of pool \"%s\" is freed twice",
			(void *)m, p->owner.name);
	ibuf_mbuf_free(m);
}
