/*
 * area.c - providers whose slabs lie in one area of memory.
 *
 *   | word |  slab ...  | word |  free ...  | word |  slab ...  |
 *   base   <-   UNIT bytes in front of each        base + size
 *
 *   word = bytes to the next word | USED
 *
 * So the words of pieces side by side make a list in the order of addresses.
 * The first free piece that is large enough is taken; free ones become one
 * when somebody looks for memory.  Slabs are few, so that costs nothing.
 *
 * The list is whole after each store: a piece is divided by writing the word of
 * its rest and then its own, and two become one by one store.  So a fork in
 * the middle leaves a whole list in the child, where the lock may be that of a
 * thread which is not there: it says of which process it is, and is taken over.
 */
#define _POSIX_C_SOURCE 200809L
#include "../library.h"

#include <ibuf/provider.h>

#include "../platform/memory.h"
#include "../platform/spin.h"
#include "slab.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNIT ((size_t)CACHE_LINE)
#define USED ((size_t)1)

static size_t *
word_at(const struct ibuf_provider_area *area, size_t at)
{
	return (size_t *)(void *)(area->base + at);
}

static size_t
length_at(const struct ibuf_provider_area *area, size_t at)
{
	return *word_at(area, at) & ~USED;
}

static bool
is_free(const struct ibuf_provider_area *area, size_t at)
{
	return (*word_at(area, at) & USED) == 0;
}

/* In the order of the stores also for a child that is forked meanwhile. */
static void
set_word(struct ibuf_provider_area *area, size_t at, size_t word)
{
	__atomic_store_n(word_at(area, at), word, __ATOMIC_RELEASE);
}

/* ---- the lock ---------------------------------------------------------- */

static bool
change(uint32_t *lock, uint32_t from, uint32_t to)
{
	/* Acquire: pairs with the release of whoever had it. */
	return __atomic_compare_exchange_n(lock, &from, to, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void
lock_area(struct ibuf_provider_area *area)
{
	uint32_t self = ibuf_memory_process_(), holder;
	unsigned tries = 0;

	while (!change(&area->lock_, 0, self)) {
		holder = load_relaxed_u32(&area->lock_);
		/* Before the fork that made this process. */
		if (holder != 0 && holder != self &&
		    change(&area->lock_, holder, self))
			return;
		ibuf_spin_wait_(&tries);
	}
}

static void
unlock_area(struct ibuf_provider_area *area)
{
	store_release_u32(&area->lock_, 0);
}

/* ---- pieces ------------------------------------------------------------ */

/* What is free at a place and behind it becomes one piece; its length. */
static size_t
join(struct ibuf_provider_area *area, size_t at)
{
	size_t length = length_at(area, at);

	while (at + length < area->size && is_free(area, at + length)) {
		length += length_at(area, at + length);
		set_word(area, at, length);
	}
	return length;
}

/* Where in a free piece size bytes begin, behind a word; SIZE_MAX: nowhere. */
static size_t
fit(const struct ibuf_provider_area *area, size_t at, size_t length,
    size_t size, size_t alignment)
{
	uintptr_t least = (uintptr_t)area->base + at + UNIT;
	size_t skip = (size_t)(0 - least) & (alignment - 1);

	if (length - UNIT < skip || length - UNIT - skip < size)
		return SIZE_MAX;
	return at + UNIT + skip;
}

/* Make of a free piece one that begins at start - UNIT and is used. */
static void
cut(struct ibuf_provider_area *area, size_t at, size_t length, size_t start,
    size_t size)
{
	size_t own = start - UNIT, end = at + length;

	if (own != at) {
		set_word(area, own, end - own);
		set_word(area, at, own - at);
	}
	if (start + size != end)
		set_word(area, start + size, end - start - size);
	set_word(area, own, (UNIT + size) | USED);
}

static void *
take(struct ibuf_provider_area *area, size_t size, size_t alignment)
{
	size_t at, length, start;

	for (at = 0; at < area->size; at += length) {
		length = length_at(area, at);
		if (!is_free(area, at))
			continue;
		length = join(area, at);
		start = fit(area, at, length, size, alignment);
		if (start == SIZE_MAX)
			continue;
		cut(area, at, length, start, size);
		return area->base + start;
	}
	return NULL;
}

/* ---- the providers ----------------------------------------------------- */

static void *
area_map(size_t size, size_t alignment, void *context)
{
	struct ibuf_provider_area *area = context;
	void *base;

	if (size > area->size)
		return NULL;
	if (alignment < UNIT)
		alignment = UNIT;
	lock_area(area);
	base = take(area, (size + UNIT - 1) & ~(UNIT - 1), alignment);
	unlock_area(area);
	return base;
}

static void
area_unmap(void *base, size_t size, void *context)
{
	struct ibuf_provider_area *area = context;
	size_t at = (size_t)((uint8_t *)base - area->base) - UNIT;

	if (area->fd >= 0)
		ibuf_memory_discard_(base, size);
	lock_area(area);
	set_word(area, at, length_at(area, at));
	unlock_area(area);
}

/* What is known of a slab of an area lies in the area, too. */
static struct ibuf_slab *
make_record(const struct ibuf_provider *provider)
{
	struct ibuf_slab *slab;

	if (provider->map != area_map)
		return calloc(1, sizeof *slab);
	slab = area_map(sizeof *slab, UNIT, provider->context);
	if (slab != NULL)
		memset(slab, 0, sizeof *slab);
	return slab;
}

static void
drop_record(struct ibuf_slab *slab, const struct ibuf_provider *provider)
{
	if (provider->map == area_map)
		area_unmap(slab, sizeof *slab, provider->context);
	else
		free(slab);
}

static void
area_make(struct ibuf_provider_area *area, uint8_t *base, size_t size, int fd)
{
	static const struct ibuf_slab_records records = {make_record,
							 drop_record};
	struct ibuf_provider_area made = {
		{area_map, area_unmap, area}, base, size, fd, 0};

	*area = made;
	if (size != 0)
		set_word(area, 0, size);
	__atomic_store_n(&ibuf_slab_records_, &records, __ATOMIC_RELEASE);
}

/* ---- public ------------------------------------------------------------ */

/* So much in front of the first multiple of UNIT; SIZE_MAX: there is none. */
static size_t
skip_of(const void *base, size_t size)
{
	size_t skip = (size_t)(0 - (uintptr_t)base) & (UNIT - 1);

	return skip <= size ? skip : SIZE_MAX;
}

void
ibuf_provider_area_make(struct ibuf_provider_area *area, void *base,
			size_t size)
{
	size_t skip = skip_of(base, size);

	if (skip == SIZE_MAX)
		size = skip = 0;
	area_make(area, (uint8_t *)base + skip, (size - skip) & ~(UNIT - 1),
		  -1);
}

const struct ibuf_provider *
ibuf_provider_arena(void *base, size_t size)
{
	size_t skip = skip_of(base, size), head;
	struct ibuf_provider_area *area;

	head = (sizeof(struct ibuf_provider_area) + UNIT - 1) & ~(UNIT - 1);
	if (skip == SIZE_MAX || size - skip < head)
		return NULL;
	area = (void *)((uint8_t *)base + skip);
	ibuf_provider_area_make(area, (uint8_t *)area + head,
				size - skip - head);
	return &area->provider;
}

int
ibuf_provider_memfd(struct ibuf_provider_area *area, const char *name,
		    size_t size)
{
	uint8_t *base = NULL;
	int fd = ibuf_memory_share_(name, &size, &base);

	if (fd < 0)
		return fd;
	area_make(area, base, size, fd);
	return 0;
}

int
ibuf_provider_area_close(struct ibuf_provider_area *area)
{
	bool idle;

	lock_area(area);
	idle = area->size == 0 ||
	       (is_free(area, 0) && join(area, 0) == area->size);
	unlock_area(area);
	if (!idle)
		return -EBUSY;
	if (area->fd >= 0)
		ibuf_memory_unshare_(area->base, area->size, area->fd);
	area->fd = -1;
	area->size = 0;
	return 0;
}
