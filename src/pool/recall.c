/*
 * recall.c - a pool that may wait strands nothing: what its threads keep back
 * comes back when somebody needs it, also from threads that never call again.
 *
 *   off      threads work in their thread caches, each behind its bias
 *   on       they keep out, and go to the slabs, as from now on
 *   armed    and have passed a barrier since: whoever has the lock may take
 *            out of any thread cache whose thread is not inside (bias.h)
 *
 * An allocation that fails turns it on only if there is something to recall,
 * and who is about to sleep always does, since a free may be under way that
 * nobody has seen.  It stays on while anybody sleeps, so that all that comes
 * back comes to who waits; and for a while after, so that a pool that lives at
 * its max does not pay a barrier for each few mbufs.
 *
 * The lock is not held while the barrier is passed.  Nobody sleeps for a
 * thread that is inside: that one finds itself recalled and comes.  An
 * allocation gives it some time.
 *
 * Where the system refuses the barrier it stays on, for good: each thread
 * brings what it keeps back when it next calls or exits.
 */
#define _POSIX_C_SOURCE 200809L
#include "../platform/spin.h"
#include "state.h"

#define CALLS_PAST 64  /* that go past the thread caches after a recall */
#define PATIENCE 40000 /* looks at a thread that is inside: seconds */

/* ---- what others keep: under the lock ---------------------------------- */

/* Has a thread cache any header?  Perhaps, where its thread is at work. */
static bool
keeps(const struct ibuf_store *store, struct ibuf_tcaches_ *t)
{
	struct ibuf_bias *bias = bias_of(t, store->owner->index);
	uint32_t inside = load_acquire_u32(&bias->inside);

	return inside % 2 != 0 ||
	       ibuf_tcache_held_(&t->of_[store->kind],
				 store->depot.magazine_size) != 0 ||
	       load_relaxed_u32(&bias->inside) != inside;
}

static bool
others_keep(const struct ibuf_store *store)
{
	const struct ibuf_tcaches_ *own = own_tcaches(store->pool);
	struct ibuf_tcaches_ *t;

	for (t = store->pool->tcaches; t != NULL; t = tcaches_next(t))
		if (t != own && keeps(store, t))
			return true;
	return false;
}

/* Does any other thread have thread caches? */
static bool
others_are_there(const struct ibuf_pool *p)
{
	const struct ibuf_tcaches_ *own = own_tcaches(p);

	return p->tcaches != NULL &&
	       (p->tcaches != own || tcaches_next(p->tcaches) != NULL);
}

/*
 * Put up to STEP headers of this kind from thread caches into the slabs; how
 * many, and how many other threads were inside.  It is armed.
 */
static size_t
take_back(struct ibuf_store *store, size_t *inside)
{
	const struct ibuf_tcaches_ *own = own_tcaches(store->pool);
	struct ibuf_tcaches_ *t;
	size_t n = 0;

	*inside = 0;
	for (t = store->pool->tcaches; t != NULL && n < STEP;
	     t = tcaches_next(t)) {
		if (!bias_is_inside(bias_of(t, store->owner->index)))
			n += ibuf_tcache_empty_(&t->of_[store->kind], STEP - n);
		else if (t != own)
			++*inside;
	}
	return n;
}

/* ---- on, and armed ----------------------------------------------------- */

void
ibuf_recall_begin_(struct ibuf_pool *p)
{
	struct ibuf_tcaches_ *t;

	for (t = p->tcaches; t != NULL; t = tcaches_next(t))
		bias_recall(bias_of(t, p->owner.index));
	/* A hint for who has not the lock. */
	store_relaxed_u32(&p->recall.on, 1);
}

/* Make every thread pass a barrier; the lock is let go meanwhile.  false: the
   system refuses, or this is the child of a fork and nobody else is there. */
static bool
pass(struct ibuf_pool *p)
{
	uint64_t forks = p->forks;
	bool passed;

	p->recall.recallers++;
	pthread_mutex_unlock(&p->lock);
	passed = ibuf_platform_barrier_();
	pthread_mutex_lock(&p->lock);
	if (forks != p->forks)
		return false;
	p->recall.recallers--;
	p->recall.refused = !passed;
	PROBE2(recall, p->owner.name, passed);
	return passed;
}

/* See to it that it is armed, as it then stays as long as somebody is in the
   line or the lock is held. */
static bool
arm(struct ibuf_pool *p)
{
	ibuf_recall_begin_(p);
	p->recall.left = CALLS_PAST;
	if (!p->recall.armed)
		p->recall.armed = !others_are_there(p) || pass(p);
	return p->recall.armed;
}

void
ibuf_recall_relax_(struct ibuf_pool *p)
{
	struct ibuf_recall *recall = &p->recall;
	struct ibuf_tcaches_ *t;

	if (!pool_recalls(p) || p->line != NULL || recall->recallers != 0 ||
	    recall->refused || p->closed)
		return;
	if (recall->left != 0 && --recall->left != 0)
		return;
	for (t = p->tcaches; t != NULL; t = tcaches_next(t))
		bias_let(bias_of(t, p->owner.index));
	store_relaxed_u32(&recall->on, 0);
	recall->armed = false;
}

/* ---- who recalls ------------------------------------------------------- */

/* Wait a little, without the lock, for threads that are inside. */
static void
wait_for_owners(struct ibuf_pool *p, unsigned *tries)
{
	uint64_t forks = p->forks;

	p->recall.recallers++;
	pthread_mutex_unlock(&p->lock);
	ibuf_spin_wait_(tries);
	pthread_mutex_lock(&p->lock);
	if (forks == p->forks)
		p->recall.recallers--;
}

bool
ibuf_recall_(struct ibuf_store *store)
{
	struct ibuf_pool *p = store->pool;
	unsigned tries = 0, looks = 0;
	bool was_armed = p->recall.armed;
	size_t n, inside;

	if (!p->biased || p->closed)
		return false;
	if (!was_armed && (p->recall.refused || !others_keep(store)))
		return false;
	if (!arm(p))
		return true; /* the lock was let go: look once more */
	while ((n = take_back(store, &inside)) == 0 && inside != 0) {
		if (looks++ == PATIENCE)
			return false;
		wait_for_owners(p, &tries);
	}
	/* Where the lock was let go, something may have come by itself. */
	return n != 0 || !was_armed || looks != 0;
}

void
ibuf_recall_for_line_(struct ibuf_pool *p)
{
	size_t inside;

	if (!p->biased || !arm(p))
		return;
	while (p->line != NULL &&
	       take_back(&p->store[IBUF_DIRECT_], &inside) != 0)
		; /* each step serves one at least */
}

void
ibuf_recall_come_(struct ibuf_block *own, uint32_t number)
{
	struct ibuf_pool *p =
		ibuf_pool_hold_(own, &own->thread.tcaches_[number]);

	if (p == NULL)
		return;
	ibuf_pool_flush_(p);
	ibuf_pool_let_go_(p);
}

void
ibuf_recall_forked_(struct ibuf_pool *p, struct ibuf_tcaches_ *own)
{
	static const struct ibuf_recall off;

	if (!p->biased || p->closed)
		return;
	p->recall = off;
	if (own != NULL)
		bias_let(bias_of(own, p->owner.index));
}
