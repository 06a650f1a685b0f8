/* free.c - messages are freed, of one segment or of many, one or many at
   once. */
#define _POSIX_C_SOURCE 200809L
#include "../library.h"

#include <ibuf/mbuf.h>

#include "header.h"

/* ---- one segment ------------------------------------------------------- */

void
ibuf_header_free_(struct ibuf_mbuf *m)
{
	struct ibuf_owner *owner = owner_of(m);

	if (!is_direct(m)) {
		struct ibuf_tcache_ *tcache = indirect_tcache(m);

		if (tcache != NULL && tcache_has_place(tcache)) {
			m->flags_ = IBUF_MBUF_FREE_;
			m->next_ = NULL;
			ibuf_tcache_give_(tcache, ibuf_tcache_top_(tcache), m);
		} else {
			owner->ops->give(owner, m, IBUF_INDIRECT_);
		}
		return;
	}
	m->flags_ &= (uint16_t)~IBUF_MBUF_LIVE_;
	if (fetch_sub_acq_rel_u32(&m->own_.count_, IBUF_ROOM_HEADER_) ==
	    IBUF_ROOM_HEADER_)
		owner->ops->give(owner, m, IBUF_DIRECT_);
}

void
ibuf_segment_free_(struct ibuf_mbuf *s, struct ibuf_releases *releases)
{
	struct ibuf_room_ *room = s->room_;
	unsigned kind = s->flags_;

	mark_shown(s);
	if (is_in_own_room(s)) {
		/* Header and room go in one step. */
		s->flags_ &= (uint16_t)~IBUF_MBUF_LIVE_;
		kind = 0;
	} else {
		ibuf_header_free_(s);
	}
	ibuf_room_drop_(room, kind, releases);
}

void
ibuf_mbuf_free_last_(struct ibuf_mbuf *m)
{
	struct ibuf_releases releases = {NULL, NULL};
	struct ibuf_room_ *room = m->room_;
	unsigned kind = m->flags_;

	ibuf_header_free_(m);
	ibuf_room_gone_(room, kind, &releases);
	releases_run(&releases);
}

/* ---- all segments of a message ----------------------------------------- */

/*
 * Free a direct header of a wiping pool, in its own room, as in
 * ibuf_mbuf_free_direct_(): what was written goes first.
 */
static inline bool
free_wiping(struct ibuf_mbuf *m, struct ibuf_tcache_ *tcache)
{
	struct ibuf_mbuf **top = ibuf_tcache_top_(tcache);

	if (!IBUF_LIKELY(load_acquire_u32(&m->own_.count_) == 1 &&
			 !ibuf_tcache_is_full_(tcache, top)))
		return false;
	mark_wipe(m->base_, m->off_, m->len_);
	if ((m->flags_ & IBUF_MBUF_PRIVATE_) != 0)
		private_wipe(owner_of(m), m);
	m->flags_ = IBUF_MBUF_FREE_;
	ibuf_tcache_give_(tcache, top, m);
	return true;
}

/* Free a CAREFUL header into the calling thread's thread cache, as below. */
static __attribute__((noinline)) bool
free_careful(struct ibuf_mbuf *s, unsigned what)
{
	struct ibuf_thread_ *own = ibuf_pool_thread_;
	uint32_t number = s->pool_; /* s may be gone once it is freed */
	struct ibuf_tcaches_ *tcaches = thread_tcaches(own, number);
	bool freed = false;

	if (tcaches == NULL)
		return false;
	if (what == WIPING_DIRECT)
		freed = free_wiping(s, &tcaches->of_[IBUF_DIRECT_]);
	else if (what == (IBUF_MBUF_PLAIN_DIRECT_ | IBUF_MBUF_CAREFUL_))
		freed = ibuf_mbuf_free_direct_(s, &tcaches->of_[IBUF_DIRECT_]);
	else if (what == (IBUF_MBUF_PLAIN_INDIRECT_ | IBUF_MBUF_CAREFUL_) &&
		 (s->flags_ & IBUF_MBUF_WRAPPED_) == 0)
		freed = ibuf_mbuf_free_indirect_(s,
						 &tcaches->of_[IBUF_INDIRECT_]);
	if (freed)
		thread_remember(own, tcaches, number);
	return freed;
}

/* Free a header into the calling thread's thread cache; false: it cannot. */
static inline bool
free_plain(struct ibuf_mbuf *s)
{
	struct ibuf_thread_ *own = ibuf_pool_thread_;
	unsigned what =
		(unsigned)s->flags_ &
		~(IBUF_MBUF_LEFT_OUT_ | IBUF_MBUF_CHAINED_ | IBUF_MBUF_INNER_);
	uint32_t number = s->pool_;
	struct ibuf_tcaches_ *tcaches;
	bool freed;

	if (what == IBUF_MBUF_PLAIN_DIRECT_) {
		tcaches = &own->tcaches_[number];
		freed = ibuf_mbuf_free_direct_(s, &tcaches->of_[IBUF_DIRECT_]);
	} else if (what == IBUF_MBUF_PLAIN_INDIRECT_ &&
		   (s->flags_ & IBUF_MBUF_WRAPPED_) == 0) {
		/* A wrapped room may have a callback, which must wait. */
		tcaches = &own->tcaches_[number];
		freed = ibuf_mbuf_free_indirect_(s,
						 &tcaches->of_[IBUF_INDIRECT_]);
	} else {
		return (what & IBUF_MBUF_CAREFUL_) != 0 &&
		       free_careful(s, what);
	}
	/* What took it is a thread cache of the thread's own struct. */
	if (freed && own->recent_.tcaches_ != tcaches)
		thread_remember(own, tcaches, number);
	return freed;
}

static inline void
free_all(struct ibuf_mbuf *s, struct ibuf_releases *releases)
{
	struct ibuf_mbuf *next;

	for (; s != NULL; s = next) {
		next = s->next_;
		s->next_ = NULL;
		if (free_plain(s))
			continue;
		if ((s->flags_ & IBUF_MBUF_LIVE_) == 0)
			ibuf_owner_freed_twice_(s);
		s->flags_ &= (uint16_t)~IBUF_MBUF_CHAINED_;
		ibuf_segment_free_(s, releases);
	}
}

void
ibuf_chain_gather_(struct ibuf_mbuf *s, struct ibuf_releases *releases)
{
	free_all(s, releases);
}

void
ibuf_chain_free_(struct ibuf_mbuf *s)
{
	struct ibuf_releases releases = {NULL, NULL};

	free_all(s, &releases);
	releases_run(&releases);
}

/*
 * Free a message as it was born on the heap: at once, where nobody else shows
 * its room.  Not inline: others need none of its registers.
 */
static __attribute__((noinline)) void
free_born(struct ibuf_mbuf *m)
{
	struct heap_room *heap = (struct heap_room *)m->room_;

	if (load_acquire_u32(&heap->room.count_) == 1 && heap_tcache_give(m))
		heap_room_free(heap);
	else
		ibuf_chain_free_(m);
}

/* What a direct header of a biased pool has, in its own room. */
#define BIASED_DIRECT                                                          \
	(IBUF_MBUF_PLAIN_DIRECT_ | IBUF_MBUF_CAREFUL_ | IBUF_MBUF_BIASED_)

/* Free a CAREFUL message in the short way of its pool; false: it has none. */
static inline bool
free_shortly(struct ibuf_mbuf *m)
{
	const struct ibuf_recent_ *recent;
	struct ibuf_owner *owner;

	if ((m->flags_ & ~(unsigned)BOTH_RIGHTS) == BIASED_DIRECT) {
		owner = owner_by(m->pool_);
		if (load_acquire_u32(&m->own_.count_) != 1 || owner == NULL)
			return false;
		owner->ops->give_biased(owner, m);
		return true;
	}
	recent = &ibuf_pool_thread_->recent_;
	return ibuf_mbuf_key_(m) == recent->wiping_ &&
	       recent->tcaches_ != NULL &&
	       free_wiping(m, &recent->tcaches_->of_[IBUF_DIRECT_]);
}

void
ibuf_mbuf_free_any_(struct ibuf_mbuf *m)
{
	if ((m->flags_ & IBUF_MBUF_CAREFUL_) != 0) {
		if (!free_shortly(m))
			ibuf_chain_free_(m);
	} else if (ibuf_mbuf_both_(m) == born_key(IBUF_MBUF_HEAP_)) {
		free_born(m);
	} else {
		ibuf_chain_free_(m);
	}
}

/* ---- many messages ----------------------------------------------------- */

/*
 * Free plain direct headers of the pool that the thread went to last, as many
 * of the first ones as there are and its thread cache takes, and count them
 * once; how many.  Each is as in ibuf_mbuf_free_direct_().
 */
static size_t
free_direct(struct ibuf_mbuf *const *ms, size_t n)
{
	const struct ibuf_recent_ *recent = &ibuf_pool_thread_->recent_;
	const uint32_t key = recent->direct_;
	struct ibuf_tcache_ *tcache;
	struct ibuf_mbuf **top, *m;
	size_t i, places;

	if (recent->tcaches_ == NULL)
		return 0;
	tcache = &recent->tcaches_->of_[IBUF_DIRECT_];
	top = ibuf_tcache_top_(tcache);
	places = tcache_places(tcache, top);
	for (i = 0; i < n && i < places; i++) {
		m = ms[i];
		if (m == NULL || ibuf_mbuf_key_(m) != key ||
		    load_acquire_u32(&m->own_.count_) != 1)
			break;
		m->flags_ = IBUF_MBUF_FREE_;
		*top++ = m;
	}
	if (i != 0) {
		__atomic_store_n(&tcache->top_, top, __ATOMIC_RELAXED);
		__atomic_store_n(&tcache->given_, tcache->given_ + i,
				 __ATOMIC_RELEASE);
		ibuf_tcache_given_(tcache);
	}
	return i;
}

void
ibuf_mbuf_free_bulk(struct ibuf_mbuf **ms, size_t n)
{
	struct ibuf_releases releases = {NULL, NULL};
	size_t i = 0;

	while (i < n) {
		size_t freed = free_direct(ms + i, n - i);

		if (freed == 0) {
			ibuf_chain_gather_(ms[i], &releases);
			freed = 1;
		}
		i += freed;
	}
	releases_run(&releases);
}
