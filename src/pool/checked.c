/* checked.c - ibuf_pool_free(): a free that looks first. */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

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
 * Is m plainly a direct header of p in use, that shows its own room?  Only such
 * a one holds the address of that room, whatever other bytes may lie at m.
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

/* Is m a header of p, and if so, is it in use? */
static bool
is_ours(struct ibuf_pool *p, const struct ibuf_mbuf *m, bool *in_use)
{
	bool ours;

	/* While the lock is held the slab stays; afterwards m keeps it. */
	pthread_mutex_lock(&p->lock);
	ours = ibuf_slabs_has_(&p->store[IBUF_DIRECT_].slabs, m, &hint.from,
			       &hint.to) ||
	       ibuf_slabs_has_(&p->store[IBUF_INDIRECT_].slabs, m, &hint.from,
			       &hint.to);
	hint.generation = ours ? p->generation : 0;
	*in_use = ours && (m->flags_ & IBUF_MBUF_LIVE_) != 0;
	pthread_mutex_unlock(&p->lock);
	return ours;
}

void
ibuf_free_checked_(struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	bool in_use = true;

	pool_must_be_open(p);
	if (!is_plainly_ours(p, m) && !is_ours(p, m, &in_use))
		ibuf_platform_die_("ibuf: %p is no mbuf of pool \"%s\"",
				   (void *)m, p->owner.name);
	if (!in_use)
		ibuf_owner_freed_twice_(m);
	ibuf_mbuf_free(m);
}
