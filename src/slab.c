/* slab.c - objects of one stride, carved from slabs when first needed. */
#include "slab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Index of the first slab whose base is above the address. */
static size_t
slab_above(const struct ibuf_stock *stock, uintptr_t address)
{
	size_t low = 0, high = stock->n_slabs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((uintptr_t)stock->slabs[middle].base <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int
ibuf_stock_grow_(struct ibuf_stock *stock, size_t n,
		 const struct ibuf_provider *provider)
{
	struct ibuf_slab *slabs, slab = {.objects = n};
	size_t at;

	if (n > (PTRDIFF_MAX - stock->phase) / stock->stride)
		return -EOVERFLOW;
	slab.size = stock->phase + n * stock->stride;
	slabs = realloc(stock->slabs, (stock->n_slabs + 1) * sizeof *slabs);
	if (slabs == NULL)
		return -ENOMEM;
	stock->slabs = slabs;
	slab.base =
		provider->map(slab.size, stock->alignment, provider->context);
	if (slab.base == NULL)
		return -ENOMEM;
	at = slab_above(stock, (uintptr_t)slab.base);
	memmove(slabs + at + 1, slabs + at,
		(stock->n_slabs - at) * sizeof *slabs);
	slabs[at] = slab;
	stock->n_slabs++;
	stock->capacity += n;
	if (at < stock->carving)
		stock->carving = at;
	return 0;
}

static struct ibuf_mbuf *
carve(struct ibuf_stock *stock)
{
	struct ibuf_slab *slab;

	for (; stock->carving < stock->n_slabs; stock->carving++) {
		slab = &stock->slabs[stock->carving];
		if (slab->carved < slab->objects) {
			stock->carved++;
			return (struct ibuf_mbuf
					*)(void *)(slab->base + stock->phase +
						   slab->carved++ *
							   stock->stride);
		}
	}
	return NULL;
}

struct ibuf_mbuf *
ibuf_stock_take_(struct ibuf_stock *stock, bool *fresh)
{
	struct ibuf_mbuf *m = stock->listed;

	*fresh = m == NULL;
	if (m == NULL)
		return carve(stock);
	stock->listed = m->next_;
	stock->n_listed--;
	return m;
}

void
ibuf_stock_give_(struct ibuf_stock *stock, struct ibuf_mbuf *m)
{
	m->next_ = stock->listed;
	stock->listed = m;
	stock->n_listed++;
}

/* The slab an address lies in; NULL: none. */
static struct ibuf_slab *
slab_of(const struct ibuf_stock *stock, const void *address)
{
	size_t above = slab_above(stock, (uintptr_t)address);
	struct ibuf_slab *slab;

	if (above == 0)
		return NULL;
	slab = &stock->slabs[above - 1];
	if ((uintptr_t)address - (uintptr_t)slab->base >= slab->size)
		return NULL;
	return slab;
}

bool
ibuf_stock_has_(const struct ibuf_stock *stock, const void *address,
		uintptr_t *from, uintptr_t *to)
{
	const struct ibuf_slab *slab = slab_of(stock, address);
	size_t off;

	if (slab == NULL)
		return false;
	*from = (uintptr_t)slab->base;
	*to = *from + slab->size;
	off = (uintptr_t)address - *from;
	return off >= stock->phase &&
	       (off - stock->phase) % stock->stride == 0 &&
	       (off - stock->phase) / stock->stride < slab->carved;
}

/* Does a slab have nothing but free objects? */
static bool
is_idle(const struct ibuf_slab *slab)
{
	return slab->carved == 0;
}

size_t
ibuf_stock_trim_(struct ibuf_stock *stock, struct ibuf_slab *gone)
{
	struct ibuf_mbuf *m, **link;
	size_t i, kept = 0, n_gone = 0;

	/*
	 * Take the listed objects off what is carved; then a slab is idle
	 * when nothing is left, and the others get theirs back.
	 */
	for (m = stock->listed; m != NULL; m = m->next_)
		slab_of(stock, m)->carved--;
	for (link = &stock->listed; *link != NULL;) {
		if (is_idle(slab_of(stock, *link))) {
			*link = (*link)->next_;
			stock->n_listed--;
		} else {
			link = &(*link)->next_;
		}
	}
	for (i = 0; i < stock->n_slabs; i++) {
		if (is_idle(&stock->slabs[i]))
			gone[n_gone++] = stock->slabs[i];
		else
			stock->slabs[kept++] = stock->slabs[i];
	}
	stock->n_slabs = kept;
	stock->carving = 0;
	for (m = stock->listed; m != NULL; m = m->next_)
		slab_of(stock, m)->carved++;
	stock->carved = 0;
	stock->capacity = 0;
	for (i = 0; i < kept; i++) {
		stock->carved += stock->slabs[i].carved;
		stock->capacity += stock->slabs[i].objects;
	}
	return n_gone;
}

size_t
ibuf_stock_bytes_(const struct ibuf_stock *stock)
{
	size_t bytes = 0, i;

	for (i = 0; i < stock->n_slabs; i++)
		bytes += stock->slabs[i].size;
	return bytes;
}
