/* stock.c - free objects of one kind, carved from slabs when first needed. */
#define _POSIX_C_SOURCE 200809L
#include "stock.h"

/* The slab an address lies in; NULL: none. */
static struct ibuf_slab *
slab_of(const struct ibuf_slabs *stock, const void *address)
{
	struct ibuf_slab *slab =
		ibuf_slab_floor_(stock->root, (uintptr_t)address);

	return slab != NULL && slab_covers(slab, (uintptr_t)address) ? slab
								     : NULL;
}

/* ---- open slabs: idle ones stand behind the others -------------------- */

static bool
is_idle(const struct ibuf_slab *slab)
{
	return slab->n_free == slab->carved;
}

static bool
is_open(const struct ibuf_slab *slab)
{
	return slab->n_free != 0 || slab->carved < slab->objects;
}

static void
open_slab(struct ibuf_slabs *stock, struct ibuf_slab *slab)
{
	bool last = is_idle(slab);

	slab->previous = last ? stock->last_open : NULL;
	slab->next = last ? NULL : stock->first_open;
	*(slab->previous != NULL ? &slab->previous->next : &stock->first_open) =
		slab;
	*(slab->next != NULL ? &slab->next->previous : &stock->last_open) =
		slab;
}

static void
close_slab(struct ibuf_slabs *stock, struct ibuf_slab *slab)
{
	*(slab->previous != NULL ? &slab->previous->next : &stock->first_open) =
		slab->next;
	*(slab->next != NULL ? &slab->next->previous : &stock->last_open) =
		slab->previous;
}

/* ---- slabs come and go ------------------------------------------------ */

bool
ibuf_slabs_overlaps_(const struct ibuf_slabs *stock,
		     const struct ibuf_slab *slab)
{
	const struct ibuf_slab *other = ibuf_slab_floor_(
		stock->root, slab_start(slab) + slab->size - 1);

	return other != NULL && (slab_start(other) >= slab_start(slab) ||
				 slab_covers(other, slab_start(slab)));
}

void
ibuf_slabs_add_(struct ibuf_slabs *stock, struct ibuf_slab *slab)
{
	ibuf_slab_insert_(&stock->root, slab);
	open_slab(stock, slab);
	stock->capacity += slab->objects;
	stock->bytes += slab->size;
}

static void
take_out(struct ibuf_slabs *stock, struct ibuf_slab *slab)
{
	if (is_open(slab))
		close_slab(stock, slab);
	ibuf_slab_remove_(&stock->root, slab);
	stock->capacity -= slab->objects;
	stock->bytes -= slab->size;
	stock->carved -= slab->carved;
	stock->n_sorted -= slab->n_free;
}

struct ibuf_slab *
ibuf_slabs_take_idle_(struct ibuf_slabs *stock)
{
	struct ibuf_slab *slab = stock->last_open;

	if (slab == NULL || !is_idle(slab))
		return NULL;
	take_out(stock, slab);
	return slab;
}

struct ibuf_slab *
ibuf_slabs_take_any_(struct ibuf_slabs *stock)
{
	struct ibuf_slab *slab = stock->root;

	if (slab != NULL)
		take_out(stock, slab);
	return slab;
}

/* ---- objects come and go ---------------------------------------------- */

struct ibuf_mbuf *
ibuf_slabs_unlist_(struct ibuf_slabs *stock)
{
	struct ibuf_mbuf *m = stock->listed;

	if (m == NULL)
		return NULL;
	stock->listed = m->next_;
	stock->n_listed--;
	return m;
}

static struct ibuf_mbuf *
carve(struct ibuf_slabs *stock, struct ibuf_slab *slab)
{
	uint8_t *at = slab->base + slab->carved * stock->kind.stride;

	slab->carved++;
	stock->carved++;
	return (struct ibuf_mbuf *)(void *)at;
}

static struct ibuf_mbuf *
unsort(struct ibuf_slabs *stock, struct ibuf_slab *slab)
{
	struct ibuf_mbuf *m = slab->free;

	slab->free = m->next_;
	slab->n_free--;
	stock->n_sorted--;
	return m;
}

struct ibuf_mbuf *
ibuf_slabs_take_(struct ibuf_slabs *stock, bool *fresh)
{
	struct ibuf_slab *slab = stock->first_open;
	struct ibuf_mbuf *m = ibuf_slabs_unlist_(stock);

	*fresh = false;
	if (m != NULL || slab == NULL)
		return m;
	*fresh = slab->n_free == 0;
	m = *fresh ? carve(stock, slab) : unsort(stock, slab);
	if (!is_open(slab))
		close_slab(stock, slab);
	return m;
}

void
ibuf_slabs_give_(struct ibuf_slabs *stock, struct ibuf_mbuf *m)
{
	m->next_ = stock->listed;
	stock->listed = m;
	stock->n_listed++;
}

void
ibuf_slabs_sort_(struct ibuf_slabs *stock, struct ibuf_mbuf *m,
		 struct ibuf_slab **recent)
{
	struct ibuf_slab *slab = *recent;
	bool was_open;

	if (slab == NULL || !slab_covers(slab, (uintptr_t)m))
		*recent = slab = slab_of(stock, m);
	was_open = is_open(slab);
	m->next_ = slab->free;
	slab->free = m;
	slab->n_free++;
	stock->n_sorted++;
	if (was_open && !is_idle(slab))
		return;
	if (was_open)
		close_slab(stock, slab);
	open_slab(stock, slab);
}

bool
ibuf_slabs_has_(const struct ibuf_slabs *stock, const void *address,
		uintptr_t *from, uintptr_t *to)
{
	const struct ibuf_slab *slab = slab_of(stock, address);
	size_t off;

	if (slab == NULL)
		return false;
	*from = slab_start(slab);
	*to = *from + slab->size;
	off = (uintptr_t)address - *from;
	return off % stock->kind.stride == 0 &&
	       off / stock->kind.stride < slab->carved;
}
