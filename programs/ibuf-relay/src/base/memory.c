/*
 * memory.c - what the process has taken from the system for messages.
 *
 * A thread adds up what it counts, and tells it when that is much: so many
 * small things cost no shared writes.  All atomics here are counters that
 * order nothing.
 */
#include "memory.h"
#include <stdatomic.h>
#include <stdint.h>

/* What a thread may not have told yet, of each kind. */
enum { UNTOLD_BYTES = 64 << 10 };

static size_t limit;
static atomic_size_t taken[MEMORY_KINDS], sum, most;
static _Thread_local ptrdiff_t untold[MEMORY_KINDS];

void
memory_init(size_t bytes)
{
	limit = bytes != 0 ? bytes : SIZE_MAX;
}

static void
tell(enum memory_kind kind, ptrdiff_t bytes)
{
	size_t now, before;

	atomic_fetch_add_explicit(&taken[kind], (size_t)bytes,
				  memory_order_relaxed);
	now = atomic_fetch_add_explicit(&sum, (size_t)bytes,
					memory_order_relaxed) +
	      (size_t)bytes;
	before = atomic_load_explicit(&most, memory_order_relaxed);
	while (now > before && now <= SIZE_MAX / 2 &&
	       !atomic_compare_exchange_weak_explicit(&most, &before, now,
						      memory_order_relaxed,
						      memory_order_relaxed))
		continue;
}

void
memory_count(enum memory_kind kind, ptrdiff_t bytes)
{
	ptrdiff_t *mine = &untold[kind];

	*mine += bytes;
	if (*mine > UNTOLD_BYTES || *mine < -UNTOLD_BYTES) {
		tell(kind, *mine);
		*mine = 0;
	}
}

void
memory_settle(void)
{
	for (unsigned kind = 0; kind < MEMORY_KINDS; kind++) {
		if (untold[kind] != 0)
			tell((enum memory_kind)kind, untold[kind]);
		untold[kind] = 0;
	}
}

static enum memory_kind
kind_of(void *context)
{
	return (enum memory_kind)(uintptr_t)context;
}

static void *
map(size_t size, size_t alignment, void *context)
{
	const struct ibuf_provider *pages = ibuf_provider_pages();
	void *base = pages->map(size, alignment, pages->context);

	if (base != NULL)
		tell(kind_of(context), (ptrdiff_t)size);
	return base;
}

static void
unmap(void *base, size_t size, void *context)
{
	const struct ibuf_provider *pages = ibuf_provider_pages();

	pages->unmap(base, size, pages->context);
	tell(kind_of(context), -(ptrdiff_t)size);
}

struct ibuf_provider
memory_provider(enum memory_kind kind)
{
	return (struct ibuf_provider){
		.map = map,
		.unmap = unmap,
		.context = (void *)(uintptr_t)kind,
	};
}

size_t
memory_taken(enum memory_kind kind)
{
	size_t n = atomic_load_explicit(&taken[kind], memory_order_relaxed);

	/* Freed by a thread that had not told that it was taken. */
	return n <= SIZE_MAX / 2 ? n : 0;
}

size_t
memory_taken_in_all(void)
{
	size_t n = atomic_load_explicit(&sum, memory_order_relaxed);

	return n <= SIZE_MAX / 2 ? n : 0;
}

size_t
memory_most(void)
{
	return atomic_load_explicit(&most, memory_order_relaxed);
}

bool
memory_is_short(size_t beyond)
{
	size_t n = memory_taken_in_all();

	return n > limit && n - limit > beyond;
}
