/* depot.c - magazines, and the two stacks they lie on. */
#include "depot.h"

#include <stdlib.h>

#define NUMBER_BITS 24
#define NUMBER_MASK ((UINT64_C(1) << NUMBER_BITS) - 1)
#define TAG_ONE (UINT64_C(1) << NUMBER_BITS)
#define FIRST_PART 64u

/* ---- magazines by number ----------------------------------------------- */

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
			  depot->magazine_size * sizeof magazine->headers[0]);
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

/* ---- the stacks -------------------------------------------------------- */

/*
 * Pop.  head is read with acquire, so that the magazine's headers, written
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

/* Push: releases the magazine's headers to who pops it. */
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
ibuf_depot_spare_(struct ibuf_depot *depot, size_t headers)
{
	struct ibuf_magazine *magazine;

	if (depot->n_spares >= headers / depot->magazine_size)
		return;
	magazine = make(depot);
	if (magazine == NULL)
		return;
	depot->n_spares++;
	push(&depot->empty, magazine);
}

void
ibuf_depot_inherit_(struct ibuf_depot *depot, const struct ibuf_magazine *but,
		    const struct ibuf_magazine *and_but)
{
	uint32_t number;

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
