/* provider.c - the three providers a pool can be made with. */
#define _POSIX_C_SOURCE 200809L
#include "../library.h"

#include <ibuf/provider.h>

#include "../platform/platform.h"
#include <stdlib.h>

static void *
heap_map(size_t size, size_t alignment, void *context)
{
	void *base;

	(void)context;
	/* No heap has it, and valgrind takes the question for a fault. */
	if (size > PTRDIFF_MAX)
		return NULL;
	if (alignment < sizeof(void *))
		alignment = sizeof(void *);
	return posix_memalign(&base, alignment, size) == 0 ? base : NULL;
}

static void
heap_unmap(void *base, size_t size, void *context)
{
	(void)size;
	(void)context;
	free(base);
}

static void *
pages_map(size_t size, size_t alignment, void *context)
{
	(void)context;
	return ibuf_platform_map_(size, alignment, false);
}

static void
pages_unmap(void *base, size_t size, void *context)
{
	(void)context;
	ibuf_platform_unmap_(base, size, false);
}

/*
 * Huge pages, or ordinary ones where there are none.  Which of them a slab
 * has must be known when it is unmapped, since the two round its size up to
 * different units: a note in front of it says so.
 */
struct huge_note {
	bool huge;
	size_t front;
};

static void *
huge_map(size_t size, size_t alignment, void *context)
{
	size_t front = alignment < sizeof(struct huge_note)
			       ? sizeof(struct huge_note)
			       : alignment;
	struct huge_note *note;
	uint8_t *base;
	bool huge = true;

	(void)context;
	if (size > PTRDIFF_MAX - front)
		return NULL;
	base = ibuf_platform_map_(size + front, alignment, true);
	if (base == NULL) {
		huge = false;
		base = ibuf_platform_map_(size + front, alignment, false);
	}
	if (base == NULL)
		return NULL;
	note = (struct huge_note *)(void *)(base + front) - 1;
	note->huge = huge;
	note->front = front;
	return base + front;
}

static void
huge_unmap(void *base, size_t size, void *context)
{
	const struct huge_note *note = (struct huge_note *)base - 1;
	size_t front = note->front;

	(void)context;
	ibuf_platform_unmap_((uint8_t *)base - front, size + front, note->huge);
}

const struct ibuf_provider *
ibuf_provider_heap(void)
{
	static const struct ibuf_provider heap = {heap_map, heap_unmap, NULL};

	return &heap;
}

const struct ibuf_provider *
ibuf_provider_pages(void)
{
	static const struct ibuf_provider pages = {pages_map, pages_unmap,
						   NULL};

	return &pages;
}

const struct ibuf_provider *
ibuf_provider_huge(void)
{
	static const struct ibuf_provider huge = {huge_map, huge_unmap, NULL};

	return &huge;
}
