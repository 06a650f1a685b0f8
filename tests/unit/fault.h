/*
 * fault.h - make an allocation fail, and know what is still allocated.
 *
 * The test programs are linked so that malloc, calloc, realloc,
 * aligned_alloc, posix_memalign, mmap, and the pthread functions that make a
 * key, a mutex, a condition variable or a fork handler, called by a test or
 * by the library, come here first.  Each such call is an allocation.
 *
 * To see that a call survives every failure, in turn:
 *
 *	bool struck;
 *	size_t n = 0;
 *
 *	do {
 *		... build the world ...
 *		fault_at(++n);
 *		int error = ibuf_mbuf_append(m, bytes, len);
 *		struck = fault_off();
 *		... struck: it failed, nothing changed; else it worked ...
 *	} while (struck);
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Let the n-th allocation from now fail, 1 being the next one. */
void fault_at(size_t n);

/* Let the n-th allocation from now and all that follow fail. */
void fault_from(size_t n);

/* Let none fail any more; did one? */
bool fault_off(void);

/* How many allocations there were since the program started. */
size_t fault_calls(void);

/* How many heap blocks are live, and how many bytes are mapped. */
size_t fault_live_blocks(void);
size_t fault_live_bytes_mapped(void);

/*
 * Look for these bytes in every heap block that is given back from now on,
 * NULL: no more; in how many were they, since fault_watch()?
 */
void fault_watch(const void *bytes, size_t n);
size_t fault_found(void);

/* List the live blocks that were allocated after the given fault_calls(). */
void fault_list(FILE *to, size_t since);

/* Let memcheck not mind that the test looks at bytes that nobody has written. */
void fault_see(const void *bytes, size_t n);

/* Live blocks, allocated after so many calls, that begin with a pointer to
   static memory of the program. */
size_t fault_live_of_static(size_t since);

#endif
