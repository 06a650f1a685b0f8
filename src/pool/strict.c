/*
 * strict.c - pools in which each free is looked at: for IBUF_DEBUG=quarantine
 * and redzone.
 *
 * Each header that goes out is recorded, and comes back to here.  What waits
 * in the quarantine is out for the pool, but free for who asks how much is; and
 * where the pool has nothing left, it goes back first.
 */
#define _POSIX_C_SOURCE 200809L
#include "debug.h"

/* ---- what goes out -------------------------------------------------------- */

static struct ibuf_mbuf *
goes_out(struct ibuf_pool *p, struct ibuf_mbuf *m, unsigned kind, void *caller)
{
	bool direct = kind == IBUF_DIRECT_;

	if (m == NULL)
		return NULL;
	if (direct && ibuf_debug_words_()->redzone != 0)
		ibuf_zone_fill_(p, m);
	if (ibuf_record_put_(m, p, kind, direct ? p->owner.room_size : 0,
			     caller) &&
	    p->owner.index != 0)
		m->flags_ |= DETOUR;
	return m;
}

/* The pool had nothing, but now may have; then it did not fail. */
static bool
try_again(struct ibuf_pool *p, size_t n)
{
	if (!ibuf_quarantine_yield_(p, n))
		return false;
	count_relaxed(&p->failures, UINT64_MAX);
	return true;
}

static struct ibuf_mbuf *
take_plainly(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m;

	do
		m = p->plain->alloc(p);
	while (m == NULL && try_again(p, 1));
	return m;
}

static struct ibuf_mbuf *
strict_alloc(struct ibuf_pool *p)
{
	return goes_out(p, take_plainly(p), IBUF_DIRECT_,
			__builtin_return_address(0));
}

static void
start_again(void *pool)
{
	ibuf_quarantine_start_(pool);
}

/* Take one without waiting for anybody. */
static struct ibuf_mbuf *
try_plainly(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m;
	int error;

	if (p->biased && ibuf_biased_try_(p, &m))
		return ibuf_alloc_open_(p, m);
	pthread_mutex_lock(&p->lock);
	error = p->biased ? ibuf_biased_locked_(p, &m)
			  : ibuf_alloc_locked_(p, &m);
	pthread_mutex_unlock(&p->lock);
	return error == 0 ? ibuf_alloc_open_(p, m) : NULL;
}

/* While somebody waits, what is freed goes back at once: to whoever waits. */
static struct ibuf_mbuf *
strict_alloc_wait(struct ibuf_pool *p, const struct timespec *timeout)
{
	struct ibuf_mbuf *m = NULL;

	pool_must_be_open(p);
	if (p->can_wait)
		do
			m = try_plainly(p);
		while (m == NULL && ibuf_quarantine_yield_(p, 1));
	if (m == NULL) {
		ibuf_quarantine_stop_(p);
		pthread_cleanup_push(start_again, p);
		m = p->plain->alloc_wait(p, timeout);
		pthread_cleanup_pop(1);
	}
	return goes_out(p, m, IBUF_DIRECT_, __builtin_return_address(0));
}

static int
strict_alloc_bulk(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n)
{
	size_t i;
	int error;

	do
		error = p->plain->alloc_bulk(p, out, n);
	while (error != 0 && try_again(p, n));
	for (i = 0; error == 0 && i < n; i++)
		(void)goes_out(p, out[i], IBUF_DIRECT_,
			       __builtin_return_address(0));
	return error;
}

static size_t
strict_alloc_upto(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n)
{
	size_t got = 0, i;

	do
		got += p->plain->alloc_upto(p, out + got, n - got);
	while (got < n && ibuf_quarantine_yield_(p, n - got));
	for (i = 0; i < got; i++)
		(void)goes_out(p, out[i], IBUF_DIRECT_,
			       __builtin_return_address(0));
	return got;
}

static struct ibuf_mbuf *
strict_take(struct ibuf_owner *owner, unsigned kind)
{
	struct ibuf_pool *p = pool_of(owner);
	struct ibuf_mbuf *m;

	do
		m = p->plain->take(owner, kind);
	while (m == NULL && ibuf_quarantine_yield_(p, 1));
	return goes_out(p, m, kind, __builtin_return_address(0));
}

/* ---- and comes back -------------------------------------------------------- */

static void
strict_give(struct ibuf_owner *owner, struct ibuf_mbuf *m, unsigned kind)
{
	const struct ibuf_debug_words *words = ibuf_debug_words_();
	struct ibuf_pool *p = pool_of(owner);
	void *caller = __builtin_return_address(0);
	struct ibuf_record *record = ibuf_record_freed_(m, caller);

	if (record == NULL) {
		p->plain->give(owner, m, kind);
		return;
	}
	if (record->held)
		ibuf_debug_die_twice_(record, owner->name, m, caller);
	if (words->redzone != 0 && kind == IBUF_DIRECT_)
		ibuf_zone_check_(p, m, record);
	if (words->quarantine != 0) {
		ibuf_quarantine_put_(p, record);
		return;
	}
	ibuf_record_remove_(m);
	p->plain->give(owner, m, kind);
}

static void
strict_twice(struct ibuf_owner *owner, const struct ibuf_mbuf *m)
{
	const struct ibuf_record *record;

	ibuf_record_lock_();
	record = ibuf_record_find_(m);
	ibuf_record_unlock_();
	ibuf_debug_die_twice_(record, owner->name, m,
			      __builtin_return_address(0));
}

/* ---- what else a pool does ------------------------------------------------ */

static int
strict_reserve(struct ibuf_pool *p, size_t n)
{
	int error = p->plain->reserve(p, n);

	if (error != 0 && ibuf_quarantine_yield_(p, SIZE_MAX))
		error = p->plain->reserve(p, n);
	return error;
}

static size_t
strict_trim(struct ibuf_pool *p)
{
	pool_must_be_open(p);
	(void)ibuf_quarantine_yield_(p, SIZE_MAX);
	return p->plain->trim(p);
}

/* What a number is without those that wait, of which some may have been counted
   before or after. */
static uint64_t
without(uint64_t number, uint64_t waiting)
{
	return number > waiting ? number - waiting : 0;
}

static int
strict_get_stats(const struct ibuf_pool *pool, struct ibuf_pool_stats *out,
		 size_t out_size)
{
	struct ibuf_pool *p = (struct ibuf_pool *)(uintptr_t)pool;
	struct ibuf_pool_stats stats;
	int error = p->plain->get_stats(p, &stats, sizeof stats);
	uint64_t handles = ibuf_quarantine_count_(p, IBUF_INDIRECT_);
	uint64_t allocated = stats.allocated;

	stats.handles = without(stats.handles, handles);
	if (p->owner.index == 0) {
		stats.allocated = stats.handles;
		stats.capacity = stats.handles;
	} else {
		stats.allocated = without(
			allocated, ibuf_quarantine_count_(p, IBUF_DIRECT_));
		stats.available += allocated - stats.allocated;
	}
	stats.frees += allocated - stats.allocated;
	memcpy(out, &stats, out_size < sizeof stats ? out_size : sizeof stats);
	return error;
}

static size_t
strict_allocated(const struct ibuf_pool *pool)
{
	struct ibuf_pool *p = (struct ibuf_pool *)(uintptr_t)pool;

	return (size_t)without(p->plain->allocated(p),
			       ibuf_quarantine_count_(p, IBUF_DIRECT_));
}

/* Nothing waits any more: the pool ends with the last that comes back. */
static size_t
strict_destroy(struct ibuf_pool *p)
{
	pool_must_be_open(p);
	ibuf_quarantine_stop_(p);
	if (ibuf_debug_words_()->leaks != 0)
		ibuf_debug_report_leaks_(p, 1);
	return p->plain->destroy(p);
}

void
ibuf_strict_heap_(struct ibuf_owner_ops *ops)
{
	ops->take = strict_take;
	ops->take_many = NULL;
	ops->give = strict_give;
	ops->twice = strict_twice;
	ops->get_stats = strict_get_stats;
}

void
ibuf_strict_pool_(struct ibuf_owner_ops *ops)
{
	ibuf_strict_heap_(ops);
	ops->alloc = strict_alloc;
	ops->alloc_wait = strict_alloc_wait;
	ops->alloc_bulk = strict_alloc_bulk;
	ops->alloc_upto = strict_alloc_upto;
	ops->reserve = strict_reserve;
	ops->trim = strict_trim;
	ops->allocated = strict_allocated;
	ops->destroy = strict_destroy;
}
