/*
 * dry.h - the heap without free headers, so that the next message of it, or
 * clone of one, needs memory.
 */
#ifndef DRY_H
#define DRY_H

#include "test.h"

static struct {
	size_t blocks, mapped;
} dry;

/* Let the heap be dry.  What the test has so far is not looked at when it is
   over. */
static inline void
heap_dry(void)
{
	dry.blocks = fault_live_blocks();
	dry.mapped = fault_live_bytes_mapped();
	test_heap_drain();
}

/* Dry no more.  What has come since then must be what the heap keeps. */
static inline void
heap_wet_since(size_t blocks, size_t mapped)
{
	test_heap_fill();
	test_keeps(fault_live_blocks() - blocks,
		   fault_live_bytes_mapped() - mapped);
}

/* The same, since heap_dry(). */
static inline void
heap_wet(void)
{
	heap_wet_since(dry.blocks, dry.mapped);
}

#endif
