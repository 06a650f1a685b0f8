/* owner.c - the table of owners. */
#define _POSIX_C_SOURCE 200809L
#include "owner.h"

#include "../platform/modules.h"
#include "../platform/platform.h"
#include "copies.h"
#include <errno.h>
#include <stdlib.h>

_Static_assert(sizeof(struct ibuf_mbuf) <= HEADER_SIZE,
	       "a header is one cache line: what touches two costs twice");
_Static_assert(offsetof(struct ibuf_mbuf, base_) == 16,
	       "the first 16 bytes are written by one store at allocation");

_Static_assert(offsetof(struct ibuf_mbuf, room_) ==
		       offsetof(struct ibuf_mbuf, base_) + sizeof(void *),
	       "a clone copies base_ and room_ as one");

/* ---- the table --------------------------------------------------------- */

/* What this copy puts up when it is the first; zeros, so that it takes no
   place in a program's file. */
static struct ibuf_owners own;
static struct ibuf_owner *first_part[OWNERS_PART];
static uint32_t own_numbers[OWNERS_MAX / 32]; /* one bit each; atomic */

/* What it sees before it has joined. */
static struct ibuf_owners none;

struct ibuf_owners *ibuf_owners_ = &none;

struct ibuf_copy ibuf_copy_ __attribute__((used, visibility("hidden"))) = {
	.layout = {.version = OWNERS_LAYOUT,
		   .sizes = {sizeof(struct ibuf_owner),
			     sizeof(struct ibuf_owner_ops),
			     sizeof(struct ibuf_owners)}},
};

LEAVE_NOTE(1, ibuf_copy_);

/* Use the table that all copies use, which may be our own. */
static void
join(void)
{
	/* Again and again the same, by whichever thread. */
	__atomic_store_n(&first_part[0], ibuf_owner_own_heap_,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&own.parts[0], first_part, __ATOMIC_RELEASE);
	ibuf_copies_join_(&ibuf_copy_, &own, own_numbers);
	/* Pairs with the acquire in owner_by(). */
	__atomic_store_n(&ibuf_owners_, ibuf_copy_.table, __ATOMIC_RELEASE);
}

struct ibuf_owner *
ibuf_owner_find_(uint32_t number)
{
	struct ibuf_owner *owner = owner_by(number);

	if (owner != NULL ||
	    __atomic_load_n(&ibuf_owners_, __ATOMIC_ACQUIRE) != &none)
		return owner;
	join();
	return owner_by(number);
}

struct ibuf_owner *
ibuf_owner_of_(const struct ibuf_mbuf *m)
{
	struct ibuf_owner *owner = ibuf_owner_find_(m->pool_);

	if (owner == NULL)
		ibuf_platform_die_("ibuf: mbuf %p is of no pool that this copy "
				   "of the library knows",
				   (const void *)m);
	return owner;
}

__attribute__((noinline, cold)) _Noreturn void
ibuf_owner_freed_twice_(const struct ibuf_mbuf *m)
{
	struct ibuf_owner *owner = owner_of(m);

	if (owner->ops->twice != NULL)
		owner->ops->twice(owner, m);
	ibuf_platform_die_("ibuf: mbuf %p of pool \"%s\" is freed twice",
			   (const void *)m, owner->name);
}

/* Take the lowest number that is free; 0: all are in use. */
static uint32_t
take_number(void)
{
	uint32_t *numbers = ibuf_copy_.numbers;
	uint32_t i, bit, was;

	for (i = 0; i < OWNERS_MAX / 32; i++) {
		was = load_relaxed_u32(&numbers[i]) | (i == 0 ? 1 : 0);
		while (was != UINT32_MAX) {
			bit = ~was & (was + 1); /* the lowest that is clear */
			/* Acquire: whoever had the number is out of the
			   table. */
			was = __atomic_fetch_or(&numbers[i], bit,
						__ATOMIC_ACQUIRE) |
			      (i == 0 ? 1 : 0); /* the heap's */
			if ((was & bit) == 0)
				return i * 32 + (uint32_t)__builtin_ctz(bit);
		}
	}
	return 0;
}

/* Pairs with the acquire in take_number(). */
static void
give_number(uint32_t number)
{
	__atomic_fetch_and(&ibuf_copy_.numbers[number / 32],
			   ~(UINT32_C(1) << number % 32), __ATOMIC_RELEASE);
}

/* The part of the table for a number, made when it is not there. */
static struct ibuf_owner **
part_for(uint32_t number)
{
	/* Acquire: as in owner_by(), as another thread may join again. */
	struct ibuf_owners *owners =
		__atomic_load_n(&ibuf_owners_, __ATOMIC_ACQUIRE);
	struct ibuf_owner ***at = &owners->parts[number / OWNERS_PART];
	struct ibuf_owner **made;
	struct ibuf_owner **part = __atomic_load_n(at, __ATOMIC_ACQUIRE);
	size_t size = OWNERS_PART * sizeof(*part);

	if (part != NULL)
		return part;
	made = ibuf_platform_map_(size, CACHE_LINE, false);
	if (made == NULL)
		return NULL;
	memset(made, 0, size); /* POSIX has no zeroed pages */
	/* Release: who finds the part finds it empty. */
	if (__atomic_compare_exchange_n(at, &part, made, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return made;
	ibuf_platform_unmap_(made, size, false);
	return part;
}

int
ibuf_owner_register_(struct ibuf_owner *owner)
{
	struct ibuf_owner **part;
	uint32_t number;

	(void)owner_heap(); /* it has joined then */
	number = take_number();
	if (number == 0)
		return -ENOBUFS;
	part = part_for(number);
	if (part == NULL) {
		give_number(number);
		return -ENOMEM;
	}
	owner->index = number;
	__atomic_store_n(&part[number % OWNERS_PART], owner, __ATOMIC_RELAXED);
	return 0;
}

void
ibuf_owner_unregister_(struct ibuf_owner *owner)
{
	uint32_t number = owner->index;

	__atomic_store_n(&part_for(number)[number % OWNERS_PART], NULL,
			 __ATOMIC_RELAXED);
	give_number(number);
}

/* ---- headers ----------------------------------------------------------- */

struct ibuf_mbuf *
ibuf_owner_take_indirect_(struct ibuf_owner *owner)
{
	struct ibuf_mbuf *m = owner->ops->take(owner, IBUF_INDIRECT_);

	/* The heap has no pool either, but is not asked twice. */
	if (m == NULL && owner->index != 0 &&
	    __atomic_load_n(&owner->pool, __ATOMIC_ACQUIRE) == NULL) {
		owner = owner_heap();
		m = owner->ops->take(owner, IBUF_INDIRECT_);
	}
	return m;
}
