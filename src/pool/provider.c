/* provider.c - the providers of ordinary memory. */
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
