/* copies.c - the copies of the library in one process find each other. */
#include "copies.h"

#include "../platform/modules.h"
#include <stddef.h>
#include <string.h>

struct join {
	struct ibuf_copy *self;
	void *own_table;
	uint32_t *own_numbers;
	/* Found: */
	struct ibuf_copy *first, *first_alike;
	void *table;
	uint32_t *numbers;
};

/* Look at one copy.  The acquire pairs with the release in decide(): what is
   used has been set up. */
static void
visit(void *variable, void *arg)
{
	struct ibuf_copy *copy = variable;
	struct join *join = arg;
	void *table = __atomic_load_n(&copy->table, __ATOMIC_ACQUIRE);

	if (join->first == NULL)
		join->first = copy;
	if (join->numbers == NULL && table != NULL)
		join->numbers =
			__atomic_load_n(&copy->numbers, __ATOMIC_RELAXED);
	if (memcmp(&copy->layout, &join->self->layout, sizeof copy->layout) !=
	    0)
		return;
	if (join->first_alike == NULL)
		join->first_alike = copy;
	if (join->table == NULL)
		join->table = table;
}

/*
 * Nobody has joined.  Where the loader lets one thread at a time in here, what
 * is elected is taken at once; where it does not, modules are never unloaded,
 * and all who join now ask the same copy.
 */
static void *
elect_table(struct ibuf_copy *first, void *own)
{
	void *elected = NULL;

	if (__atomic_compare_exchange_n(&first->elected_table, &elected, own,
					false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return own;
	return elected;
}

static uint32_t *
elect_numbers(struct ibuf_copy *first, uint32_t *own)
{
	uint32_t *elected = NULL;

	if (__atomic_compare_exchange_n(&first->elected_numbers, &elected, own,
					false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return own;
	return elected;
}

static void
decide(void *arg)
{
	struct join *join = arg;
	struct ibuf_copy *self = join->self;

	if (__atomic_load_n(&self->table, __ATOMIC_ACQUIRE) != NULL)
		return;
	if (join->numbers == NULL)
		join->numbers =
			elect_numbers(join->first != NULL ? join->first : self,
				      join->own_numbers);
	if (join->table == NULL)
		join->table = elect_table(
			join->first_alike != NULL ? join->first_alike : self,
			join->own_table);
	__atomic_store_n(&self->numbers, join->numbers, __ATOMIC_RELAXED);
	__atomic_store_n(&self->table, join->table, __ATOMIC_RELEASE);
}

void
ibuf_copies_join_(struct ibuf_copy *self, void *own_table,
		  uint32_t *own_numbers)
{
	struct join join = {.self = self,
			    .own_table = own_table,
			    .own_numbers = own_numbers};

	ibuf_platform_visit_(visit, decide, &join);
	ibuf_platform_stay_();
}
