/* slot.c - a slot works with two magazines, and trades them with a depot. */
#include "slot.h"

#include <string.h>

__thread struct ibuf_slots_ *ibuf_slots_own_ IBUF_TLS_;

static struct ibuf_magazine *
current_of(const struct ibuf_slot_ *slot)
{
	return (struct ibuf_magazine *)(void *)((uint8_t *)slot->objects_ -
						offsetof(struct ibuf_magazine,
							 objects));
}

/* From now on the slot works with this magazine. */
static void
load(struct ibuf_slot_ *slot, struct ibuf_magazine *magazine)
{
	slot->objects_ = magazine->objects;
	store_relaxed_u32(&slot->n_, magazine->n);
}

/* The magazine it works with, as a magazine. */
static struct ibuf_magazine *
unload(struct ibuf_slot_ *slot)
{
	struct ibuf_magazine *magazine = current_of(slot);

	magazine->n = slot->n_;
	return magazine;
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
	magazine = ibuf_depot_pop_full_(slot->depot_);
	if (magazine == NULL)
		return false;
	ibuf_depot_push_(slot->depot_, unload(slot));
	load(slot, magazine);
	return true;
}

bool
ibuf_slot_top_up_(struct ibuf_slot_ *slot, size_t n)
{
	struct ibuf_magazine *magazine;

	if (slot->n_ + slot->kept_ >= n)
		return true;
	if (slot->previous_ == NULL || slot->kept_ != 0)
		return false;
	magazine = ibuf_depot_pop_full_(slot->depot_);
	if (magazine == NULL)
		return false;
	ibuf_depot_push_(slot->depot_, slot->previous_);
	keep(slot, magazine);
	return slot->n_ + slot->kept_ >= n;
}

void
ibuf_slot_pour_(struct ibuf_slot_ *slot, struct ibuf_mbuf **out, size_t n)
{
	size_t left = n;

	while (left != 0) {
		size_t here;

		if (slot->n_ == 0)
			swap(slot);
		here = slot->n_ < left ? slot->n_ : left;
		memcpy(out, slot->objects_ + slot->n_ - here,
		       here * sizeof *out);
		store_relaxed_u32(&slot->n_, slot->n_ - (uint32_t)here);
		out += here;
		left -= here;
	}
	__atomic_store_n(&slot->taken_, slot->taken_ + n, __ATOMIC_RELEASE);
}

bool
ibuf_slot_unstock_(struct ibuf_slot_ *slot,
		   void (*carved)(struct ibuf_mbuf *m, void *arg), void *arg)
{
	struct ibuf_magazine *magazine = unload(slot);

	magazine->n = (uint32_t)ibuf_depot_unstock_(
		slot->depot_, magazine->objects, slot->depot_->magazine_size,
		carved, arg);
	load(slot, magazine);
	return magazine->n != 0;
}

/* ---- objects home --------------------------------------------------- */

/* Make room in a full slot. */
static void
drain(struct ibuf_slot_ *slot)
{
	struct ibuf_depot *depot = slot->depot_;
	struct ibuf_magazine *full, *empty;

	if (slot->previous_ != NULL &&
	    slot->previous_->n < depot->magazine_size) {
		swap(slot);
		return;
	}
	empty = ibuf_depot_get_empty_(depot, false);
	if (empty == NULL) {
		pthread_mutex_lock(depot->lock);
		empty = ibuf_depot_get_empty_(depot, true);
		if (empty == NULL) {
			/* No memory for a magazine: the stock needs none. */
			full = unload(slot);
			ibuf_depot_stock_(depot, full->objects, full->n);
			full->n = 0;
			load(slot, full);
		}
		pthread_mutex_unlock(depot->lock);
		if (empty == NULL)
			return;
	}
	full = unload(slot);
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
	while (ibuf_slot_n_(slot) >= ibuf_slot_cap_(slot)) {
		if (ibuf_slot_cap_(slot) == 0)
			return false;
		drain(slot);
	}
	ibuf_slot_give_(slot, ibuf_slot_n_(slot), m);
	return true;
}

/* ---- slots come and go ---------------------------------------------- */

/* A slot with two magazines, or one where it may keep one object only. */
bool
ibuf_slot_set_up_(struct ibuf_slot_ *slot, struct ibuf_depot *depot, bool two)
{
	struct ibuf_magazine *current = ibuf_depot_get_empty_(depot, true);
	struct ibuf_magazine *previous =
		two && current != NULL ? ibuf_depot_get_empty_(depot, true)
				       : NULL;

	if (current == NULL || (two && previous == NULL)) {
		if (current != NULL)
			ibuf_depot_push_(depot, current);
		return false;
	}
	slot->depot_ = depot;
	slot->previous_ = previous;
	load(slot, current);
	return true;
}

/* Open a slot that has been set up: it may be filled. */
void
ibuf_slot_open_(struct ibuf_slot_ *slot)
{
	store_relaxed_u32(&slot->cap_, (uint32_t)slot->depot_->magazine_size);
}

/* Put what a slot holds into the stock; the lock is held. */
void
ibuf_slot_empty_(struct ibuf_slot_ *slot)
{
	struct ibuf_magazine *magazine = unload(slot);

	ibuf_depot_stock_(slot->depot_, magazine->objects, magazine->n);
	magazine->n = 0;
	load(slot, magazine);
	magazine = slot->previous_;
	if (magazine == NULL)
		return;
	ibuf_depot_stock_(slot->depot_, magazine->objects, magazine->n);
	magazine->n = 0;
	keep(slot, magazine);
}

/* A slot belongs to no cache any more; its thread sees zeros. */
void
ibuf_slot_forget_(struct ibuf_slot_ *slot)
{
	store_relaxed_u32(&slot->n_, 0);
	store_relaxed_u32(&slot->cap_, 0);
	store_relaxed_u32(&slot->kept_, 0);
	slot->objects_ = NULL;
	slot->depot_ = NULL;
	slot->previous_ = NULL;
	slot->link_ = NULL;
	slot->taken_ = 0;
	slot->given_ = 0;
}

void
ibuf_slot_abandon_(struct ibuf_slot_ *slot)
{
	struct ibuf_depot *depot = slot->depot_;

	depot->taken += slot->taken_;
	depot->given += slot->given_;
	ibuf_slot_forget_(slot);
}

/* Hand a slot's numbers and empty magazines to the depot; lock held. */
void
ibuf_slot_retire_(struct ibuf_slot_ *slot)
{
	struct ibuf_depot *depot = slot->depot_;

	ibuf_depot_push_(depot, current_of(slot));
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
		ibuf_depot_inherit_(depot, current_of(own), own->previous_);
}
