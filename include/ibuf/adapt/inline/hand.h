/*
 * adapt/inline/hand.h - what ThreadSanitizer is told where a neighbour hands
 * bytes from thread to thread by means that it does not see: atomics, or locks
 * of C11, in a library that is not compiled with it.  Else it is nothing.
 */
#ifndef IBUF_ADAPT_HAND_H
#define IBUF_ADAPT_HAND_H

#include <ibuf/base.h>
#ifdef IBUF_TSAN_
#include <sanitizer/tsan_interface.h>
#endif

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

/* What was done so far comes before what the next one to take it over does. */
static inline void
ibuf_hand_over_(const void *bytes)
{
	(void)bytes;
#ifdef IBUF_TSAN_
	__tsan_release((void *)(uintptr_t)bytes);
#endif
}

static inline void
ibuf_take_over_(const void *bytes)
{
	(void)bytes;
#ifdef IBUF_TSAN_
	__tsan_acquire((void *)(uintptr_t)bytes);
#endif
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
