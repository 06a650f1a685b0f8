/* slot.c - a slot works with two magazines, and trades them with a depot. */
#include "tcache.h"

#include <string.h>

#define FIRST_REFILL 2

__thread struct ibuf_slots_ *ibuf_slots_own_ IBUF_TLS_;

/* Objects in the magazine it works with. */
static uint32_t
current_n(const struct ibuf_slot_ *slot)
{
	return (uint32_t)(slot->top_ - slot->base_);
}

static void
move_top(struct ibuf_slot_ *slot, struct ibuf_mbuf **top)
{
	__atomic_store_n(&slot->top_, top, __ATOMIC_RELAXED);
}

/*
 * From now on the slot works with this magazine.  Another thread may close
 * the slot at any moment, and closed it stays.
 */
static void
load(struct ibuf_slot_ *slot, struct ibuf_magazine *magazine)
{
	struct ibuf_mbuf **base = magazine->objects;
	struct ibuf_mbuf **end = base + magazine->depot->magazine_size;
	struct ibuf_mbuf **old = __atomic_load_n(&slot->end_, __ATOMIC_RELAXED);

	__atomic_store_n(&slot->base_, base, __ATOMIC_RELAXED);
	move_top(slot, base + magazine->n);
	if (old != NULL)
		__atomic_compare_exchange_n(&slot->end_, &old, end, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* The magazine it works with, as a magazine. */
static struct ibuf_magazine *
unload(struct ibuf_slot_ *slot)
{
	struct ibuf_magazine *magazine = slot_magazine(slot);

	magazine->n = current_n(slot);
	return magazine;
}

/*
 * The two ends are read one after the other, and its thread may change the
 * magazine meanwhile.  An end of another magazine lies farther away than
 * magazines are long, since a magazine has more in front than objects; then
 * what is being exchanged is left out.
 */
uint32_t
ibuf_slot_held_(const struct ibuf_slot_ *slot, size_t size)
{
	uintptr_t base =
		(uintptr_t)__atomic_load_n(&slot->base_, __ATOMIC_RELAXED);
	uintptr_t top =
		(uintptr_t)__atomic_load_n(&slot->top_, __ATOMIC_RELAXED);
	size_t n = (top - base) / sizeof(*slot->base_);

	return (n <= size ? (uint32_t)n : 0) + load_relaxed_u32(&slot->kept_);
}

static void
keep(struct ibuf_slot_ *slot, struct ibuf_magazine *magazine)
{
	slot->previous_ = magazine;
	store_relaxed_u32(&slot->kept_, magazine->n);
}

static void
swap(struct ibuf_slot_ *slot)
{
	struct ibuf_magazine *magazine = slot->previous_;

	keep(slot, unload(slot));
	load(slot, magazine);
}

/* ---- objects out ---------------------------------------------------- */

bool
ibuf_slot_refill_(struct ibuf_slot_ *slot)
{
	struct ibuf_magazine *magazine;

	if (slot->previous_ != NULL && slot->previous_->n != 0) {
		swap(slot);
		return true;
	}
	magazine = ibuf_depot_pop_full_(slot_depot(slot));
	if (magazine == NULL)
		return false;
	ibuf_depot_push_(slot_depot(slot), unload(slot));
	load(slot, magazine);
	return true;
}

bool
ibuf_slot_top_up_(struct ibuf_slot_ *slot, size_t n)
{
	struct ibuf_magazine *magazine;

	if (current_n(slot) + slot->kept_ >= n)
		return true;
	if (slot->previous_ == NULL || slot->kept_ != 0)
		return false;
	magazine = ibuf_depot_pop_full_(slot_depot(slot));
	if (magazine == NULL)
		return false;
	ibuf_depot_push_(slot_depot(slot), slot->previous_);
	keep(slot, magazine);
	return current_n(slot) + slot->kept_ >= n;
}

void
ibuf_slot_pour_(struct ibuf_slot_ *slot, struct ibuf_mbuf **out, size_t n)
{
	size_t left = n;

	while (left != 0) {
		size_t here;

		if (current_n(slot) == 0)
			swap(slot);
		here = current_n(slot) < left ? current_n(slot) : left;
		memcpy(out, slot->top_ - here, here * sizeof *out);
		move_top(slot, slot->top_ - here);
		out += here;
		left -= here;
	}
	__atomic_store_n(&slot->taken_, slot->taken_ + n, __ATOMIC_RELEASE);
}

/* How many objects a slot asks the stock for, this time. */
static size_t
refill_size(const struct ibuf_slot_ *slot, size_t magazine_size)
{
	size_t n = slot->refill_ == 0 ? FIRST_REFILL : slot->refill_;

	return n < magazine_size ? n : magazine_size;
}

bool
ibuf_slot_unstock_(struct ibuf_slot_ *slot,
		   void (*carved)(struct ibuf_mbuf *m, void *arg), void *arg)
{
	struct ibuf_depot *depot = slot_depot(slot);
	struct ibuf_magazine *magazine = unload(slot);
	size_t listed = depot->stock.n_listed;
	size_t n = refill_size(slot, depot->magazine_size);

	n = ibuf_depot_unstock_(depot, magazine->objects, n, carved, arg);
	if (depot->stock.n_listed != listed)
		ibuf_depot_spare_(depot);
	if (n != 0 && slot_is_open(slot))
		slot->refill_ = (uint32_t)(2 * n);
	magazine->n = (uint32_t)n;
	load(slot, magazine);
	return n != 0;
}

/* ---- objects home --------------------------------------------------- */

/* Make room in a full slot. */
static void
drain(struct ibuf_slot_ *slot)
{
	struct ibuf_depot *depot = slot_depot(slot);
	struct ibuf_magazine *full, *empty;

	if (slot->previous_ != NULL &&
	    slot->previous_->n < depot->magazine_size) {
		swap(slot);
		return;
	}
	empty = ibuf_depot_pop_empty_(depot);
	full = unload(slot);
	if (empty == NULL) {
		/* The stock needs no magazine. */
		pthread_mutex_lock(depot->lock);
		ibuf_depot_stock_(depot, full->objects, full->n);
		pthread_mutex_unlock(depot->lock);
		full->n = 0;
		load(slot, full);
		return;
	}
	if (slot->previous_ != NULL) {
		ibuf_depot_push_(depot, slot->previous_);
		keep(slot, full);
	} else {
		ibuf_depot_push_(depot, full);
	}
	load(slot, empty);
}

bool
ibuf_slot_put_(struct ibuf_slot_ *slot, struct ibuf_mbuf *m)
{
	while (ibuf_slot_is_full_(slot, ibuf_slot_top_(slot))) {
		if (!slot_is_open(slot))
			return false;
		drain(slot);
	}
	ibuf_slot_give_(slot, ibuf_slot_top_(slot), m);
	return true;
}

/* ---- slots come and go ---------------------------------------------- */

/* A slot with two magazines, or one where it may keep one object only. */
bool
ibuf_slot_set_up_(struct ibuf_slot_ *slot, struct ibuf_depot *depot, bool two)
{
	struct ibuf_magazine *current = ibuf_depot_get_empty_(depot);
	struct ibuf_magazine *previous =
		two && current != NULL ? ibuf_depot_get_empty_(depot) : NULL;

	if (current == NULL || (two && previous == NULL)) {
		if (current != NULL)
			ibuf_depot_push_(depot, current);
		return false;
	}
	slot->previous_ = previous;
	load(slot, current);
	return true;
}

void
ibuf_slot_open_(struct ibuf_slot_ *slot)
{
	__atomic_store_n(&slot->end_,
			 slot->base_ + slot_depot(slot)->magazine_size,
			 __ATOMIC_RELAXED);
}

void
ibuf_slot_close_(struct ibuf_slot_ *slot)
{
	__atomic_store_n(&slot->end_, NULL, __ATOMIC_RELAXED);
}

/* Put up to n objects from the top of a magazine into the stock. */
static size_t
empty_magazine(struct ibuf_magazine *magazine, size_t n)
{
	if (n > magazine->n)
		n = magazine->n;
	magazine->n -= (uint32_t)n;
	ibuf_depot_stock_(magazine->depot, magazine->objects + magazine->n, n);
	return n;
}

size_t
ibuf_slot_empty_(struct ibuf_slot_ *slot, size_t n)
{
	struct ibuf_magazine *current = unload(slot);
	struct ibuf_magazine *previous = slot->previous_;
	size_t emptied = empty_magazine(current, n);

	load(slot, current);
	if (previous != NULL && emptied < n) {
		emptied += empty_magazine(previous, n - emptied);
		keep(slot, previous);
	}
	return emptied;
}

/* A slot belongs to no cache any more; its thread sees zeros. */
void
ibuf_slot_forget_(struct ibuf_slot_ *slot)
{
	ibuf_slot_close_(slot);
	__atomic_store_n(&slot->base_, NULL, __ATOMIC_RELAXED);
	move_top(slot, NULL);
	store_relaxed_u32(&slot->kept_, 0);
	slot->previous_ = NULL;
	slot->link_ = NULL;
	slot->refill_ = 0;
	slot->taken_ = 0;
	slot->given_ = 0;
}

void
ibuf_slot_abandon_(struct ibuf_slot_ *slot)
{
	struct ibuf_depot *depot = slot_depot(slot);

	depot->taken += slot->taken_;
	depot->given += slot->given_;
	ibuf_slot_forget_(slot);
}

/* Hand a slot's numbers and empty magazines to the depot; lock held. */
void
ibuf_slot_retire_(struct ibuf_slot_ *slot)
{
	struct ibuf_depot *depot = slot_depot(slot);

	ibuf_depot_push_(depot, slot_magazine(slot));
	if (slot->previous_ != NULL)
		ibuf_depot_push_(depot, slot->previous_);
	ibuf_slot_abandon_(slot);
}

void
ibuf_slot_inherit_(struct ibuf_depot *depot, const struct ibuf_slot_ *own)
{
	if (own == NULL)
		ibuf_depot_inherit_(depot, NULL, NULL);
	else
		ibuf_depot_inherit_(depot, slot_magazine(own), own->previous_);
}
