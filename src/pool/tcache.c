/* tcache.c - a thread cache works with two magazines, and trades them with a
   depot. */
#include "tcache.h"

#include <string.h>

#define FIRST_REFILL 2

/* Objects in the magazine it works with. */
static uint32_t
current_n(const struct ibuf_tcache_ *tcache)
{
	return (uint32_t)(tcache->top_ - tcache->base_);
}

static void
move_top(struct ibuf_tcache_ *tcache, struct ibuf_mbuf **top)
{
	__atomic_store_n(&tcache->top_, top, __ATOMIC_RELAXED);
}

/*
 * From now on the thread cache works with this magazine.  Another thread may
 * close the thread cache at any moment, and closed it stays.
 */
static void
load(struct ibuf_tcache_ *tcache, struct ibuf_magazine *magazine)
{
	struct ibuf_mbuf **base = magazine->headers;
	struct ibuf_mbuf **end = base + magazine->depot->magazine_size;
	struct ibuf_mbuf **old =
		__atomic_load_n(&tcache->end_, __ATOMIC_RELAXED);

	__atomic_store_n(&tcache->base_, base, __ATOMIC_RELAXED);
	move_top(tcache, base + magazine->n);
	if (old != NULL)
		__atomic_compare_exchange_n(&tcache->end_, &old, end, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* The magazine it works with, as a magazine. */
static struct ibuf_magazine *
unload(struct ibuf_tcache_ *tcache)
{
	struct ibuf_magazine *magazine = tcache_magazine(tcache);

	magazine->n = current_n(tcache);
	return magazine;
}

/*
 * The two ends are read one after the other, and its thread may change the
 * magazine meanwhile.  An end of another magazine lies farther away than
 * magazines are long, since a magazine has more in front than headers; then
 * what is being exchanged is left out.
 */
uint32_t
ibuf_tcache_held_(const struct ibuf_tcache_ *tcache, size_t size)
{
	uintptr_t base =
		(uintptr_t)__atomic_load_n(&tcache->base_, __ATOMIC_RELAXED);
	uintptr_t top =
		(uintptr_t)__atomic_load_n(&tcache->top_, __ATOMIC_RELAXED);
	size_t n = (top - base) / sizeof(*tcache->base_);

	return (n <= size ? (uint32_t)n : 0) + load_relaxed_u32(&tcache->kept_);
}

static void
keep(struct ibuf_tcache_ *tcache, struct ibuf_magazine *magazine)
{
	tcache->previous_ = magazine;
	store_relaxed_u32(&tcache->kept_, magazine->n);
}

static void
swap(struct ibuf_tcache_ *tcache)
{
	struct ibuf_magazine *magazine = tcache->previous_;

	keep(tcache, unload(tcache));
	load(tcache, magazine);
}

/* ---- headers out ------------------------------------------------------- */

bool
ibuf_tcache_refill_(struct ibuf_tcache_ *tcache)
{
	struct ibuf_magazine *magazine;

	if (tcache->previous_ != NULL && tcache->previous_->n != 0) {
		swap(tcache);
		return true;
	}
	magazine = ibuf_depot_pop_full_(&tcache_store(tcache)->depot);
	if (magazine == NULL)
		return false;
	ibuf_depot_push_(&tcache_store(tcache)->depot, unload(tcache));
	load(tcache, magazine);
	return true;
}

bool
ibuf_tcache_top_up_(struct ibuf_tcache_ *tcache, size_t n)
{
	struct ibuf_magazine *magazine;

	if (current_n(tcache) + tcache->kept_ >= n)
		return true;
	if (tcache->previous_ == NULL || tcache->kept_ != 0)
		return false;
	magazine = ibuf_depot_pop_full_(&tcache_store(tcache)->depot);
	if (magazine == NULL)
		return false;
	ibuf_depot_push_(&tcache_store(tcache)->depot, tcache->previous_);
	keep(tcache, magazine);
	return current_n(tcache) + tcache->kept_ >= n;
}

void
ibuf_tcache_pour_(struct ibuf_tcache_ *tcache, struct ibuf_mbuf **out, size_t n)
{
	size_t left = n;

	while (left != 0) {
		size_t here;

		if (current_n(tcache) == 0)
			swap(tcache);
		here = current_n(tcache) < left ? current_n(tcache) : left;
		memcpy(out, tcache->top_ - here, here * sizeof *out);
		move_top(tcache, tcache->top_ - here);
		out += here;
		left -= here;
	}
	__atomic_store_n(&tcache->taken_, tcache->taken_ + n, __ATOMIC_RELEASE);
}

/* How many headers a thread cache asks the slabs for, this time. */
static size_t
refill_size(const struct ibuf_tcache_ *tcache, size_t magazine_size)
{
	size_t n = tcache->refill_ == 0 ? FIRST_REFILL : tcache->refill_;

	return n < magazine_size ? n : magazine_size;
}

bool
ibuf_tcache_fill_(struct ibuf_tcache_ *tcache)
{
	struct ibuf_store *store = tcache_store(tcache);
	struct ibuf_magazine *magazine = unload(tcache);
	size_t listed = store->slabs.n_listed;
	size_t n = refill_size(tcache, store->depot.magazine_size);

	n = ibuf_store_take_(store, magazine->headers, n);
	if (store->slabs.n_listed != listed)
		ibuf_depot_spare_(&store->depot, store->slabs.carved);
	if (n != 0 && tcache_is_open(tcache))
		tcache->refill_ = (uint32_t)(2 * n);
	magazine->n = (uint32_t)n;
	load(tcache, magazine);
	return n != 0;
}

/* ---- headers back ------------------------------------------------------ */

/* Make room in a full thread cache. */
static void
drain(struct ibuf_tcache_ *tcache)
{
	struct ibuf_store *store = tcache_store(tcache);
	struct ibuf_magazine *full, *empty;

	if (tcache->previous_ != NULL &&
	    tcache->previous_->n < store->depot.magazine_size) {
		swap(tcache);
		return;
	}
	empty = ibuf_depot_pop_empty_(&store->depot);
	full = unload(tcache);
	if (empty == NULL) {
		/* The slabs need no magazine. */
		pthread_mutex_lock(store->lock);
		ibuf_store_put_(store, full->headers, full->n);
		pthread_mutex_unlock(store->lock);
		full->n = 0;
		load(tcache, full);
		return;
	}
	if (tcache->previous_ != NULL) {
		ibuf_depot_push_(&store->depot, tcache->previous_);
		keep(tcache, full);
	} else {
		ibuf_depot_push_(&store->depot, full);
	}
	load(tcache, empty);
}

bool
ibuf_tcache_put_(struct ibuf_tcache_ *tcache, struct ibuf_mbuf *m)
{
	while (ibuf_tcache_is_full_(tcache, ibuf_tcache_top_(tcache))) {
		if (!tcache_is_open(tcache))
			return false;
		drain(tcache);
	}
	ibuf_tcache_give_(tcache, ibuf_tcache_top_(tcache), m);
	return true;
}

/* ---- thread caches come and go ----------------------------------------- */

/* A thread cache with two magazines, or one where it may keep one header
   only. */
bool
ibuf_tcache_set_up_(struct ibuf_tcache_ *tcache, struct ibuf_store *store)
{
	struct ibuf_depot *depot = &store->depot;
	struct ibuf_magazine *current = ibuf_depot_get_empty_(depot);
	struct ibuf_magazine *previous = NULL;

	if (current != NULL && !store->single)
		previous = ibuf_depot_get_empty_(depot);
	if (current == NULL || (previous == NULL && !store->single)) {
		if (current != NULL)
			ibuf_depot_push_(depot, current);
		return false;
	}
	tcache->previous_ = previous;
	load(tcache, current);
	return true;
}

void
ibuf_tcache_open_(struct ibuf_tcache_ *tcache)
{
	__atomic_store_n(&tcache->end_,
			 tcache->base_ +
				 tcache_store(tcache)->depot.magazine_size,
			 __ATOMIC_RELAXED);
}

void
ibuf_tcache_close_(struct ibuf_tcache_ *tcache)
{
	__atomic_store_n(&tcache->end_, NULL, __ATOMIC_RELAXED);
}

/* Put up to n headers from the top of a magazine into the slabs. */
static size_t
empty_magazine(struct ibuf_magazine *magazine, size_t n)
{
	if (n > magazine->n)
		n = magazine->n;
	magazine->n -= (uint32_t)n;
	ibuf_store_put_(store_of(magazine->depot),
			magazine->headers + magazine->n, n);
	return n;
}

size_t
ibuf_tcache_empty_(struct ibuf_tcache_ *tcache, size_t n)
{
	struct ibuf_magazine *current = unload(tcache);
	struct ibuf_magazine *previous = tcache->previous_;
	size_t emptied = empty_magazine(current, n);

	/* Where its magazine lies others may be reading, see held.c. */
	move_top(tcache, current->headers + current->n);
	if (previous != NULL && emptied < n) {
		emptied += empty_magazine(previous, n - emptied);
		keep(tcache, previous);
	}
	return emptied;
}

/* A thread cache belongs to no cache any more; its thread sees zeros. */
void
ibuf_tcache_forget_(struct ibuf_tcache_ *tcache)
{
	ibuf_tcache_close_(tcache);
	__atomic_store_n(&tcache->base_, NULL, __ATOMIC_RELAXED);
	move_top(tcache, NULL);
	store_relaxed_u32(&tcache->kept_, 0);
	tcache->previous_ = NULL;
	tcache->link_ = NULL;
	tcache->refill_ = 0;
	tcache->taken_ = 0;
	tcache->given_ = 0;
}

void
ibuf_tcache_abandon_(struct ibuf_tcache_ *tcache)
{
	struct ibuf_store *store = tcache_store(tcache);

	store->taken += tcache->taken_;
	store->given += tcache->given_;
	ibuf_tcache_forget_(tcache);
}

/* Hand a thread cache's numbers and empty magazines to the depot; lock held. */
void
ibuf_tcache_retire_(struct ibuf_tcache_ *tcache)
{
	struct ibuf_depot *depot = &tcache_store(tcache)->depot;

	ibuf_depot_push_(depot, tcache_magazine(tcache));
	if (tcache->previous_ != NULL)
		ibuf_depot_push_(depot, tcache->previous_);
	ibuf_tcache_abandon_(tcache);
}

void
ibuf_tcache_inherit_(struct ibuf_store *store, const struct ibuf_tcache_ *own)
{
	ibuf_store_unload_(store, SIZE_MAX);
	if (own == NULL)
		ibuf_depot_inherit_(&store->depot, NULL, NULL);
	else
		ibuf_depot_inherit_(&store->depot, tcache_magazine(own),
				    own->previous_);
}
