/*
 * debug.h - what the environment variable IBUF_DEBUG asks for.
 *
 * Nothing on any usual way asks whether it is set.  A pool that is watched has
 * functions of its own in its owner, which do what they did and a little more.
 * Its front leads the inline allocation to them, and a header that is of
 * interest has flags of which no short free knows the sum (DETOUR), so it comes
 * back through its owner too.
 */
#ifndef IBUF_SRC_POOL_DEBUG_H
#define IBUF_SRC_POOL_DEBUG_H

#include "../message/owner.h"
#include "../platform/stack.h"

/* A pool that wipes and recalls has them all, but goes there anyway. */
#define DETOUR (IBUF_MBUF_CAREFUL_ | IBUF_MBUF_WIPES_ | IBUF_MBUF_BIASED_)

/* Watch a pool that nobody uses yet, if that is asked for. */
void ibuf_debug_pool_(struct ibuf_pool *p);

/* The same of the heap; false: it is not asked for. */
typedef bool ibuf_debug_heap_fn(struct ibuf_pool *heap);
ibuf_debug_heap_fn ibuf_debug_heap_;

/* In heap.c, under ibuf_threads_lock_: that function, or NULL until a pool is
   watched. */
extern ibuf_debug_heap_fn *ibuf_debug_heap_hook_;

/* ---- record.c ----------------------------------------------------------- */

/* Begin; false: no memory, and nothing is recorded. */
bool ibuf_record_prepare_(void);

/* Somebody allocated m, by a call that returns to caller. */
void ibuf_record_put_(struct ibuf_mbuf *m, struct ibuf_pool *p, size_t bytes,
		      void *caller);

/* It comes back. */
void ibuf_record_remove_(const struct ibuf_mbuf *m);

/* Tell of what lives of a pool, or of all, that was not told of. */
void ibuf_record_report_(const struct ibuf_pool *p, unsigned each);

#endif
