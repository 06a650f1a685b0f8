/* depot.c - magazines, and the two stacks they lie on. */
#include "depot.h"

#include "../message/owner.h"
#include <stdlib.h>

#define NUMBER_BITS 24
#define NUMBER_MASK ((UINT64_C(1) << NUMBER_BITS) - 1)
#define TAG_ONE (UINT64_C(1) << NUMBER_BITS)
#define FIRST_PART 64u

/* ---- magazines by number ------------------------------------------- */

/* Which part holds a number, and where in it. */
static unsigned
part_of(uint32_t number, uint32_t *at)
{
	uint32_t index = number - 1 + FIRST_PART;
	unsigned part = 31 - 6 - (unsigned)__builtin_clz(index);

	*at = index - (FIRST_PART << part);
	return part;
}

static struct ibuf_magazine *
magazine_by(const struct ibuf_depot *depot, uint32_t number)
{
	uint32_t at;
	unsigned part = part_of(number, &at);

	/* Pairs with the release in make(): a number that was read from a
	   stack leads to what was there before the number was pushed. */
	return __atomic_load_n(&depot->parts[part], __ATOMIC_ACQUIRE)[at];
}

/* A new magazine with a number; the lock is held. */
static struct ibuf_magazine *
make(struct ibuf_depot *depot)
{
	uint32_t number = depot->n_magazines + 1, at;
	unsigned part = part_of(number, &at);
	struct ibuf_magazine *magazine;

	if (part >= DEPOT_PARTS)
		return NULL;
	if (depot->parts[part] == NULL) {
		struct ibuf_magazine **table =
			calloc(FIRST_PART << part, sizeof(*table));

		if (table == NULL)
			return NULL;
		__atomic_store_n(&depot->parts[part], table, __ATOMIC_RELEASE);
	}
	magazine = malloc(sizeof *magazine +
			  depot->magazine_size * sizeof magazine->objects[0]);
	if (magazine == NULL)
		return NULL;
	magazine->depot = depot;
	magazine->number = number;
	magazine->next = 0;
	magazine->n = 0;
	depot->parts[part][at] = magazine;
	depot->n_magazines = number;
	return magazine;
}

/* ---- the stacks ---------------------------------------------------- */

/*
 * Pop.  head is read with acquire, so that the magazine's objects, written
 * before the push that released it, are seen.  next may be read from a
 * magazine that another thread has popped meanwhile; then the tag has
 * changed, the compare fails and next is thrown away.
 */
static struct ibuf_magazine *
pop(struct ibuf_depot *depot, uint64_t *stack)
{
	uint64_t head = __atomic_load_n(stack, __ATOMIC_ACQUIRE), below;
	struct ibuf_magazine *top;

	do {
		if ((head & NUMBER_MASK) == 0)
			return NULL;
		top = magazine_by(depot, (uint32_t)(head & NUMBER_MASK));
		below = ((head & ~NUMBER_MASK) + TAG_ONE) |
			__atomic_load_n(&top->next, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(
		stack, &head, below, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return top;
}

/* Push: releases the magazine's objects to who pops it. */
static void
push(uint64_t *stack, struct ibuf_magazine *top)
{
	uint64_t head = __atomic_load_n(stack, __ATOMIC_RELAXED), above;

	do {
		__atomic_store_n(&top->next, (uint32_t)(head & NUMBER_MASK),
				 __ATOMIC_RELAXED);
		above = (head & ~NUMBER_MASK) | top->number;
	} while (!__atomic_compare_exchange_n(
		stack, &head, above, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
}

struct ibuf_magazine *
ibuf_depot_pop_full_(struct ibuf_depot *depot)
{
	return pop(depot, &depot->full);
}

void
ibuf_depot_push_(struct ibuf_depot *depot, struct ibuf_magazine *magazine)
{
	push(magazine->n != 0 ? &depot->full : &depot->empty, magazine);
}

struct ibuf_magazine *
ibuf_depot_pop_empty_(struct ibuf_depot *depot)
{
	return pop(depot, &depot->empty);
}

struct ibuf_magazine *
ibuf_depot_get_empty_(struct ibuf_depot *depot)
{
	struct ibuf_magazine *magazine = pop(depot, &depot->empty);

	return magazine == NULL ? make(depot) : magazine;
}

void
ibuf_depot_spare_(struct ibuf_depot *depot)
{
	struct ibuf_magazine *magazine;

	if (depot->n_spares >= depot->stock.carved / depot->magazine_size)
		return;
	magazine = make(depot);
	if (magazine == NULL)
		return;
	depot->n_spares++;
	push(&depot->empty, magazine);
}

/* ---- the stock ----------------------------------------------------- */

size_t
ibuf_depot_unstock_(struct ibuf_depot *depot, struct ibuf_mbuf **out, size_t n,
		    void (*carved)(struct ibuf_mbuf *m, void *arg), void *arg)
{
	struct ibuf_mbuf *m;
	size_t i;
	bool fresh;

	for (i = 0; i < n; i++) {
		m = ibuf_slabs_take_(&depot->stock, &fresh);
		if (m == NULL)
			break;
		if (fresh)
			carved(m, arg);
		m->next_ = NULL;
		m->flags_ = 0;
		out[i] = m;
	}
	return i;
}

/* An object goes into a list of the stock, where it may not be yet. */
static void
mark_listed(struct ibuf_mbuf *m)
{
	if ((m->flags_ & (IBUF_MBUF_LIVE_ | IBUF_MBUF_LISTED_)) != 0)
		ibuf_platform_die_(
			"ibuf: mbuf %p of pool \"%s\" is freed twice",
			(void *)m, owner_of(m)->name);
	m->flags_ = IBUF_MBUF_LISTED_;
}

void
ibuf_depot_stock_(struct ibuf_depot *depot, struct ibuf_mbuf *const *ms,
		  size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		mark_listed(ms[i]);
		ibuf_slabs_give_(&depot->stock, ms[i]);
	}
}

void
ibuf_depot_unload_(struct ibuf_depot *depot, size_t n)
{
	struct ibuf_magazine *magazine;

	while (depot_stocked(depot) < n &&
	       (magazine = pop(depot, &depot->full)) != NULL) {
		ibuf_depot_stock_(depot, magazine->objects, magazine->n);
		magazine->n = 0;
		push(&depot->empty, magazine);
	}
}

size_t
ibuf_depot_sort_(struct ibuf_depot *depot, size_t n)
{
	struct ibuf_slab *recent = NULL;
	struct ibuf_magazine *magazine;
	struct ibuf_mbuf *m;
	size_t left = n;

	while (left != 0 && (m = ibuf_slabs_unlist_(&depot->stock)) != NULL) {
		ibuf_slabs_sort_(&depot->stock, m, &recent);
		left--;
	}
	while (left != 0 && (magazine = pop(depot, &depot->full)) != NULL) {
		while (left != 0 && magazine->n != 0) {
			m = magazine->objects[--magazine->n];
			mark_listed(m);
			ibuf_slabs_sort_(&depot->stock, m, &recent);
			left--;
		}
		ibuf_depot_push_(depot, magazine);
	}
	return n - left;
}

void
ibuf_depot_inherit_(struct ibuf_depot *depot, const struct ibuf_magazine *but,
		    const struct ibuf_magazine *and_but)
{
	uint32_t number;

	ibuf_depot_unload_(depot, SIZE_MAX);
	depot->empty &= ~NUMBER_MASK;
	for (number = 1; number <= depot->n_magazines; number++) {
		struct ibuf_magazine *magazine = magazine_by(depot, number);

		if (magazine == but || magazine == and_but)
			continue;
		magazine->n = 0;
		push(&depot->empty, magazine);
	}
}

void
ibuf_depot_end_(struct ibuf_depot *depot)
{
	uint32_t number;
	unsigned part;

	for (number = 1; number <= depot->n_magazines; number++)
		free(magazine_by(depot, number));
	/* A part may be there of which no magazine could be made. */
	for (part = 0; part < DEPOT_PARTS; part++)
		free(depot->parts[part]);
}
