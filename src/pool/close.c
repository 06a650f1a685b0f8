/*
 * close.c - a pool is closed, and ends when nothing is out of it.
 *
 * From when it is closed on a pool keeps in out what is out, as far as it
 * knows, so that a free need not ask every thread:
 *
 *   out = sum of seen_ of the thread caches + taken - given of the stores
 *
 * seen_ is a thread cache's taken_ - given_ when somebody looked.  Takes that
 * nobody has seen make the truth larger than out, gives make it smaller; but
 * whoever gives to a closed thread cache comes to tell.  So in the end out is
 * 0 or less, and then all are asked again, which is exact.
 */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

/* How many are doubted; atomic, written under the threads lock. */
static uint32_t doubts;

/* ---- ending: under the lock -------------------------------------------- */

/* What a thread cache counted since somebody looked; its thread is the
   caller, gone, or kept out by a barrier. */
static void
see(struct ibuf_pool *p, struct ibuf_tcache_ *tcache)
{
	uint32_t now = (uint32_t)(counted_relaxed(&tcache->taken_) -
				  counted_relaxed(&tcache->given_));

	p->out += (int32_t)(now - tcache->seen_);
	tcache->seen_ = now;
}

static void
see_both(struct ibuf_pool *p, struct ibuf_tcaches_ *tcaches)
{
	see(p, &tcaches->of_[IBUF_DIRECT_]);
	see(p, &tcaches->of_[IBUF_INDIRECT_]);
}

/* sum() of a store that is closed, which notes what it sees of each. */
static int64_t
ask(struct ibuf_store *store)
{
	struct ibuf_tcaches_ *first = store->pool->tcaches, *t;
	uint64_t given = store->given, taken = store->taken, of_one;

	for (t = first; t != NULL; t = tcaches_next(t)) {
		of_one = counted_acquire(&t->of_[store->kind].given_);
		t->of_[store->kind].seen_ = (uint32_t)of_one;
		given += of_one;
	}
	for (t = first; t != NULL; t = tcaches_next(t)) {
		of_one = counted_acquire(&t->of_[store->kind].taken_);
		t->of_[store->kind].seen_ =
			(uint32_t)of_one - t->of_[store->kind].seen_;
		taken += of_one;
	}
	return (int64_t)(taken - given);
}

/* Ask every thread cache what is out; gives the direct headers among it. */
static int64_t
ask_all(struct ibuf_pool *p)
{
	int64_t indirect = ask(&p->store[IBUF_INDIRECT_]);
	int64_t direct = ask(&p->store[IBUF_DIRECT_]);

	p->out = indirect + direct;
	return direct;
}

/* Is nothing out of it, as is just known?  Then nobody can reach it. */
static bool
is_over(struct ibuf_pool *p)
{
	struct ibuf_tcaches_ *s, *next;

	if (p->out != 0)
		return false;
	p->over = true;
	for (s = p->tcaches; s != NULL; s = next) {
		next = tcaches_next(s);
		ibuf_pool_clear_(p, s, ibuf_tcache_forget_);
	}
	p->tcaches = NULL;
	return true;
}

/* Is it over, as far as out says, and then as all say? */
static bool
seems_over(struct ibuf_pool *p)
{
	if (!p->counted || p->over || p->out > 0)
		return false;
	ask_all(p);
	return is_over(p);
}

/* Doubt a pool or no more; under the threads lock. */
static void
doubt(struct ibuf_pool *p, bool doubted)
{
	if (p->doubted == doubted)
		return;
	p->doubted = doubted;
	/* Relaxed: who looks too early leaves it to the next. */
	store_relaxed_u32(&doubts, doubts + (doubted ? 1 : UINT32_MAX));
}

/* Take a pool that is over out of everything; without the lock. */
static void
finish(struct ibuf_pool *p)
{
	pthread_mutex_lock(&ibuf_threads_lock_);
	doubt(p, false);
	ibuf_pool_unlist_(p);
	pthread_mutex_unlock(&ibuf_threads_lock_);
	ibuf_owner_unregister_(&p->owner);
	ibuf_pool_let_go_(p);
}

/* Let the lock go; end the pool where that is due. */
static void
leave(struct ibuf_pool *p)
{
	bool over = seems_over(p);

	pthread_mutex_unlock(&p->lock);
	if (over)
		finish(p);
}

/* ---- what may end a pool ----------------------------------------------- */

/* A thread cache in the calling thread's block may have been filled after it
   was closed; false: it is in no such block. */
static bool
late(struct ibuf_tcache_ *tcache)
{
	struct ibuf_block *block = ibuf_block_own_;
	struct ibuf_tcaches_ *tcaches;
	struct ibuf_pool *p;

	if (block == NULL)
		return false;
	tcaches = ibuf_block_find_(block, tcache);
	if (tcaches == NULL)
		return false;
	p = ibuf_pool_hold_(block, tcaches);
	if (p == NULL)
		return true;
	pthread_mutex_lock(&p->lock);
	if (p->counted && !p->over)
		see_both(p, tcaches);
	leave(p);
	ibuf_pool_let_go_(p);
	return true;
}

static struct ibuf_late late_here = {.late = late};

/* The linker may have sent us what was meant for another copy. */
void
ibuf_pool_late_(struct ibuf_tcache_ *tcache)
{
	const struct ibuf_late *copy;
	struct ibuf_owners *owners;

	if (late(tcache))
		return;
	/* Acquire: as in owner_by(), as another thread may join again. */
	owners = __atomic_load_n(&ibuf_owners_, __ATOMIC_ACQUIRE);
	copy = __atomic_load_n(&owners->late, __ATOMIC_ACQUIRE);
	while (copy != NULL && !copy->late(tcache))
		copy = copy->next;
}

void
ibuf_close_have_tcaches_(void)
{
	/* Acquire: as in owner_by(), as another thread may join again. */
	struct ibuf_owners *owners =
		__atomic_load_n(&ibuf_owners_, __ATOMIC_ACQUIRE);
	struct ibuf_late **first = &owners->late;

	late_here.next = __atomic_load_n(first, __ATOMIC_RELAXED);
	/* Release: who finds it finds its members. */
	while (!__atomic_compare_exchange_n(first, &late_here.next, &late_here,
					    true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
}

void
ibuf_close_give_late_(struct ibuf_store *store, struct ibuf_mbuf *m)
{
	struct ibuf_pool *p = store->pool;
	struct ibuf_tcaches_ *own;

	pthread_mutex_lock(&p->lock);
	ibuf_store_put_counted_(store, m);
	if (p->counted) {
		own = own_tcaches(p);
		p->out--;
		if (own != NULL)
			see_both(p, own);
	}
	leave(p);
}

/* Take a pair of thread caches out of a pool. */
static void
drop(struct ibuf_pool *p, struct ibuf_tcaches_ *tcaches)
{
	if (p->counted)
		see_both(p, tcaches);
	ibuf_pool_unlink_(p, tcaches);
	(void)ibuf_pool_empty_(tcaches, SIZE_MAX);
	ibuf_pool_clear_(p, tcaches, ibuf_tcache_retire_);
}

void
ibuf_close_drop_tcaches_(struct ibuf_block *block,
			 struct ibuf_tcaches_ *tcaches)
{
	struct ibuf_pool *p = ibuf_pool_hold_(block, tcaches);

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	if (tcaches->of_[IBUF_DIRECT_].base_ != NULL)
		drop(p, tcaches);
	leave(p);
	ibuf_pool_let_go_(p);
}

bool
ibuf_close_reclaim_(struct ibuf_pool *p)
{
	struct ibuf_tcaches_ *own = own_tcaches(p), *s, *next;
	struct ibuf_block *block;
	bool found = false;
	size_t n = 0;

	if (p->patience != 0) {
		p->patience--;
		return false;
	}
	for (s = p->tcaches; s != NULL; s = next, n++) {
		next = tcaches_next(s);
		block = block_of(s, p->owner.index);
		if (s == own || !ibuf_block_take_(block))
			continue;
		drop(p, s);
		ibuf_block_let_go_(block);
		found = true;
	}
	p->patience = found ? 0 : n / 16;
	return found;
}

/* ---- closing ----------------------------------------------------------- */

/* Close all thread caches; true: another thread has some, and may be filling
   them. */
static bool
close_tcaches(struct ibuf_pool *p)
{
	const struct ibuf_tcaches_ *own = own_tcaches(p);
	bool others = false;
	struct ibuf_tcaches_ *s;

	for (s = p->tcaches; s != NULL; s = tcaches_next(s)) {
		ibuf_tcache_close_(&s->of_[IBUF_DIRECT_]);
		ibuf_tcache_close_(&s->of_[IBUF_INDIRECT_]);
		others = others || s != own;
	}
	return others;
}

/*
 * All threads pass a barrier: then whoever fills a thread cache sees that it is
 * closed, or we see what was put there, see ibuf_tcache_given_().  Where the
 * system refuses it, a free that is under way may be missed.  That keeps the
 * memory for too long, and nothing else: its count reaches the memory soon,
 * and who looks again finds it.
 */
static void
keep_out(struct ibuf_pool *p)
{
	if (ibuf_platform_barrier_())
		return;
	pthread_mutex_lock(&ibuf_threads_lock_);
	doubt(p, true);
	pthread_mutex_unlock(&ibuf_threads_lock_);
}

size_t
ibuf_close_(struct ibuf_pool *p)
{
	int64_t direct;
	bool others, over;

	ibuf_close_look_again_();
	pthread_mutex_lock(&p->lock);
	__atomic_store_n(&p->closed, true, __ATOMIC_RELEASE);
	(void)ibuf_pool_empty_(own_tcaches(p), SIZE_MAX);
	if (p->biased)
		ibuf_recall_begin_(p);
	others = close_tcaches(p);
	pthread_mutex_unlock(&p->lock);
	if (others)
		keep_out(p);
	pthread_mutex_lock(&p->lock);
	direct = ask_all(p);
	p->counted = true;
	over = is_over(p);
	PROBE2(destroy, p->owner.name, direct);
	pthread_mutex_unlock(&p->lock);
	if (over)
		finish(p);
	return (size_t)direct;
}

/* The next pool that is doubted, by turns, held; NULL: none. */
static struct ibuf_pool *
hold_doubted(void)
{
	struct ibuf_pool *p, *found = NULL;

	pthread_mutex_lock(&ibuf_threads_lock_);
	/* The last in the list, which then becomes the first. */
	for (p = ibuf_pools_; p != NULL; p = p->next)
		if (p->doubted)
			found = p;
	if (found != NULL) {
		ibuf_pool_unlist_(found);
		ibuf_pool_list_(found);
		fetch_add_relaxed_u32(&found->holders, 1);
	}
	pthread_mutex_unlock(&ibuf_threads_lock_);
	return found;
}

void
ibuf_close_look_again_(void)
{
	struct ibuf_pool *p;

	if (load_relaxed_u32(&doubts) == 0)
		return;
	p = hold_doubted();
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->out = 0; /* so that all are asked */
	leave(p);
	ibuf_pool_let_go_(p);
}

void
ibuf_close_forked_(struct ibuf_pool *p)
{
	p->holders = 1;
	if (!p->closed || p->over)
		return;
	/* Whoever was closing it is not there to end it. */
	doubt(p, p->doubted || !p->counted);
	p->counted = true;
	ask_all(p);
}
