/*
 * dry.h - the heap without free headers, so that the next message of it, or
 * clone of one, needs memory.
 */
#ifndef DRY_H
#define DRY_H

#include "test.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

static struct {
	size_t blocks, mapped;
} dry;

void __lsan_do_leak_check(void);
#pragma weak __lsan_do_leak_check

/*
 * How many blocks a call that fails may leave to the heap, where it took up to
 * n headers: none, but where a leak checker looks each is one.
 */
static inline size_t
heap_may_keep(size_t n)
{
	return __lsan_do_leak_check != NULL || RUNNING_ON_VALGRIND ? n : 0;
}

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
