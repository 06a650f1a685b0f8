/* alloc.c - headers go out of a pool and come back. */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

#include <errno.h>

/* ---- out --------------------------------------------------------------- */

/* Get at least one header into an empty thread cache; the pool may grow. */
static int
fill(struct ibuf_store *store, struct ibuf_tcache_ *tcache)
{
	int error = 0;

	if (ibuf_tcache_refill_(tcache))
		return 0;
	pthread_mutex_lock(store->lock);
	if (!ibuf_tcache_fill_(tcache)) {
		error = ibuf_expand_(store, 1, false);
		if (error == 0)
			(void)ibuf_tcache_fill_(tcache);
	}
	pthread_mutex_unlock(store->lock);
	/* Some may have come to the depot between the first look and now. */
	return error != 0 && ibuf_tcache_refill_(tcache) ? 0 : error;
}

/* Take a free header of a kind. */
static int
take(struct ibuf_pool *p, unsigned kind, struct ibuf_mbuf **m)
{
	struct ibuf_tcaches_ *tcaches = ibuf_threads_tcaches_(p);
	struct ibuf_store *store = &p->store[kind];
	int error;

	if (tcaches != NULL) {
		struct ibuf_tcache_ *tcache = &tcaches->of_[kind];

		error = tcache_has_header(tcache) ? 0 : fill(store, tcache);
		if (error == 0)
			*m = ibuf_tcache_take_(tcache,
					       ibuf_tcache_top_(tcache));
		return error;
	}
	pthread_mutex_lock(&p->lock);
	error = ibuf_expand_(store, 1, false);
	if (error == 0)
		*m = ibuf_store_take_counted_(store);
	pthread_mutex_unlock(&p->lock);
	return error;
}

int
ibuf_alloc_locked_(struct ibuf_pool *p, struct ibuf_mbuf **m)
{
	struct ibuf_store *store = &p->store[IBUF_DIRECT_];
	int error = ibuf_expand_try_(store, 1, false);

	if (error == 0)
		*m = ibuf_store_take_counted_(store);
	return error == -EAGAIN ? -ENOBUFS : error;
}

/* Show a checker of memory that the room of a free header may be used. */
static inline void
unhide_room(const struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	unhide((uint8_t *)m + p->owner.room_offset, p->owner.room_size);
}

struct ibuf_mbuf *
ibuf_alloc_open_(const struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	unhide_room(p, m);
	memcpy(m, &p->front.fresh_, sizeof p->front.fresh_);
	return m;
}

/* A header that the calling thread keeps back, of a pool that the inline body
   finds none of; NULL: go the long way. */
static struct ibuf_mbuf *
take_kept(const struct ibuf_pool *p)
{
	uint32_t number = p->owner.index;
	struct ibuf_block *own = ibuf_block_own_;
	struct ibuf_tcaches_ *tcaches;
	struct ibuf_tcache_ *tcache;

	if (number < IBUF_TCACHES_MAX_ || own == NULL)
		return NULL;
	tcaches = thread_tcaches(&own->thread, number);
	if (tcaches == NULL || !tcache_has_header(&tcaches->of_[IBUF_DIRECT_]))
		return NULL;
	tcache = &tcaches->of_[IBUF_DIRECT_];
	if (!ibuf_platform_watched_)
		ibuf_pool_thread_ = &own->thread; /* as in threads.c */
	thread_remember(&own->thread, tcaches, number);
	return ibuf_tcache_take_(tcache, ibuf_tcache_top_(tcache));
}

struct ibuf_mbuf *
ibuf_alloc_(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m;

	pool_must_be_open(p);
	m = take_kept(p);
	if (m != NULL)
		return ibuf_alloc_open_(p, m);
	if (take(p, IBUF_DIRECT_, &m) != 0) {
		pool_failed(p);
		return NULL;
	}
	return ibuf_alloc_open_(p, m);
}

struct ibuf_mbuf *
ibuf_alloc_take_(struct ibuf_owner *owner, unsigned kind)
{
	struct ibuf_pool *p = pool_of(owner);
	struct ibuf_mbuf *m;

	if (__atomic_load_n(&p->closed, __ATOMIC_ACQUIRE))
		return NULL;
	if (take(p, kind, &m) != 0) {
		/* Without a direct header a room comes from the heap. */
		if (kind == IBUF_INDIRECT_)
			pool_failed(p);
		return NULL;
	}
	if (kind == IBUF_DIRECT_)
		return ibuf_alloc_open_(p, m);
	m->flags_ = (uint16_t)(IBUF_MBUF_LIVE_ |
			       (p->front.fresh_.flags_ &
				(IBUF_MBUF_CAREFUL_ | IBUF_MBUF_WIPES_)));
	return m;
}

/* ---- many at once ------------------------------------------------------ */

/* Take n headers out of what the calling thread keeps; false: it has not so
   many. */
static inline bool
pour_kept(struct ibuf_pool *p, unsigned kind, struct ibuf_mbuf **out, size_t n)
{
	struct ibuf_tcaches_ *tcaches;

	if (p->biased)
		return ibuf_biased_take_inside_(p, kind, out, n);
	tcaches = ibuf_threads_tcaches_(p);
	if (tcaches == NULL || !ibuf_tcache_top_up_(&tcaches->of_[kind], n))
		return false;
	ibuf_tcache_pour_(&tcaches->of_[kind], out, n);
	return true;
}

bool
ibuf_alloc_take_many_(struct ibuf_owner *owner, struct ibuf_mbuf **out,
		      size_t n)
{
	struct ibuf_pool *p = pool_of(owner);

	return !__atomic_load_n(&p->closed, __ATOMIC_ACQUIRE) &&
	       pour_kept(p, IBUF_INDIRECT_, out, n);
}

/* How many of n can be had: those in the slabs, and what max leaves. */
static size_t
obtainable(struct ibuf_store *store, size_t n)
{
	size_t there, more;

	do {
		ibuf_store_unload_(store, n);
		there = store_free(store);
		more = ibuf_expand_limit_(store);
	} while (n > there && n - there > more && ibuf_recall_(store));
	if (n <= there || n - there <= more)
		return n;
	/* Where that is none, one may be moving. */
	return there + more != 0 || store->moving == 0 ? there + more : 1;
}

/*
 * Get n direct headers from the slabs, or up to n where some will do; how
 * many.  The pool grows by what is missing, or by what it still may.
 */
static size_t
take_from_slabs(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n,
		bool some, int *error)
{
	struct ibuf_store *store = &p->store[IBUF_DIRECT_];
	size_t got = 0;

	pthread_mutex_lock(&p->lock);
	if (some)
		n = obtainable(store, n);
	*error = ibuf_expand_(store, n, some);
	if (*error == 0 || some) {
		got = ibuf_store_take_(store, out, n);
		store->taken += got;
	}
	pthread_mutex_unlock(&p->lock);
	return got;
}

/* Make n direct headers messages, by one template. */
static void
open_many(const struct ibuf_pool *p, struct ibuf_mbuf **ms, size_t n)
{
	const struct ibuf_fresh_ fresh = p->front.fresh_;
	size_t i;

	if (ibuf_platform_watched_)
		for (i = 0; i < n; i++)
			unhide_room(p, ms[i]);
	for (i = 0; i < n; i++)
		memcpy(ms[i], &fresh, sizeof fresh);
}

/* Take n messages, or up to n; how many.  Fewer than n: *error says why. */
static size_t
take_many(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n, bool some,
	  int *error)
{
	size_t got = n;

	*error = 0;
	if (!pour_kept(p, IBUF_DIRECT_, out, n)) {
		pool_must_be_open(p); /* if it is not, no thread caches are */
		if (pool_has_tcaches(p))
			ibuf_pool_flush_(p);
		got = take_from_slabs(p, out, n, some, error);
	}
	open_many(p, out, got);
	return got;
}

int
ibuf_alloc_bulk_(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n)
{
	int error;

	if (take_many(p, out, n, false, &error) == n && error == 0)
		return 0;
	pool_failed(p);
	return error;
}

size_t
ibuf_alloc_upto_(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n)
{
	int error;

	return take_many(p, out, n, true, &error);
}

/* ---- back -------------------------------------------------------------- */

/* Put past the thread caches; false: the pool is closed. */
static bool
put_into_slabs(struct ibuf_pool *p, struct ibuf_store *store,
	       struct ibuf_mbuf *m)
{
	bool closed;

	pthread_mutex_lock(&p->lock);
	closed = p->closed;
	if (!closed)
		ibuf_store_put_counted_(store, m);
	pthread_mutex_unlock(&p->lock);
	return !closed;
}

void
ibuf_alloc_close_(const struct ibuf_owner *owner, struct ibuf_mbuf *m,
		  unsigned kind)
{
	uint8_t *base = (uint8_t *)m + owner->room_offset;

	if (owner->wipe)
		private_wipe(owner, m);
	if (kind == IBUF_INDIRECT_)
		return;
	if (owner->wipe)
		mark_wipe(base, 0, 0); /* no segment shows it */
	/* The header stays visible: it is what finds a second free. */
	hide(base, owner->room_size);
}

void
ibuf_alloc_give_(struct ibuf_owner *owner, struct ibuf_mbuf *m, unsigned kind)
{
	struct ibuf_pool *p = pool_of(owner);
	struct ibuf_store *store = &p->store[kind];
	struct ibuf_tcaches_ *tcaches;
	bool done;

	ibuf_alloc_close_(owner, m, kind);
	store_ready(store, m);
	tcaches = ibuf_threads_tcaches_to_give_(p);
	if (tcaches != NULL) {
		m->flags_ = IBUF_MBUF_FREE_;
		done = ibuf_tcache_put_(&tcaches->of_[kind], m);
	} else {
		done = put_into_slabs(p, store, m);
	}
	if (!done)
		ibuf_close_give_late_(store, m);
}
