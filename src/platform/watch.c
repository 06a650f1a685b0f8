/*
 * platform_watch.c - the address sanitizer and memcheck are told what is free.
 *
 * The sanitizer's runtime may be there without our being built for it: where
 * the program was.  It is found by names that nobody else need define.
 */
#include "platform.h"

#if defined(__SANITIZE_ADDRESS__)
#define WATCHED_BY_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED_BY_ASAN
#endif
#endif

#if defined(__has_include) && !defined(__cppcheck__) /* cannot read it */
#if __has_include(<valgrind/memcheck.h>)
#define WATCHED_BY_MEMCHECK
#endif
#endif

/* ---- the address sanitizer's runtime ------------------------------------- */

void __asan_poison_memory_region(void const volatile *bytes, size_t n);
void __asan_unpoison_memory_region(void const volatile *bytes, size_t n);
#ifndef WATCHED_BY_ASAN
#pragma weak __asan_poison_memory_region
#pragma weak __asan_unpoison_memory_region
#endif

static inline bool
has_asan(void)
{
#ifdef WATCHED_BY_ASAN
	return true;
#else
	return __asan_poison_memory_region != NULL; /* who has one has both */
#endif
}

/* ---- memcheck ------------------------------------------------------------ */

/* Not where we are built for the sanitizer: the two do not go together. */
#if defined(WATCHED_BY_MEMCHECK) && !defined(WATCHED_BY_ASAN)
#include <valgrind/memcheck.h>

/* memcheck, that is: its other tools do not ask who may touch what, and only
   memcheck answers this request. */
static inline bool
has_memcheck(void)
{
	uint8_t byte = 0, bits;

	return VALGRIND_GET_VBITS(&byte, &bits, 1) == 1;
}

static inline void
memcheck_hide(void *bytes, size_t n)
{
	(void)VALGRIND_MAKE_MEM_NOACCESS(bytes, n);
}

static inline void
memcheck_unhide(void *bytes, size_t n)
{
	(void)VALGRIND_MAKE_MEM_UNDEFINED(bytes, n);
}

#else

static inline bool
has_memcheck(void)
{
	return false;
}

static inline void
memcheck_hide(void *bytes, size_t n)
{
	(void)bytes;
	(void)n;
}

static inline void
memcheck_unhide(void *bytes, size_t n)
{
	(void)bytes;
	(void)n;
}

#endif

/* ---- either -------------------------------------------------------------- */

static __attribute__((noinline)) bool
is_watched(void)
{
	return has_asan() || has_memcheck();
}

void
ibuf_platform_hide_(void *bytes, size_t n)
{
	if (has_asan())
		__asan_poison_memory_region(bytes, n);
	else
		memcheck_hide(bytes, n);
}

void
ibuf_platform_unhide_(void *bytes, size_t n)
{
	if (has_asan())
		__asan_unpoison_memory_region(bytes, n);
	else
		memcheck_unhide(bytes, n);
}

bool ibuf_platform_watched_;

void
ibuf_platform_probe_(void)
{
	ibuf_platform_watched_ = is_watched();
}

/* There where a program was built with it. */
void __lsan_do_leak_check(void);
#pragma weak __lsan_do_leak_check

bool
ibuf_platform_leaks_watched_(void)
{
	return is_watched() || __lsan_do_leak_check != NULL;
}

/* There where the runtime of a sanitizer is. */
void __tsan_init(void);
#pragma weak __tsan_init
void __msan_init(void);
#pragma weak __msan_init

bool
ibuf_platform_malloc_watched_(void)
{
	return ibuf_platform_leaks_watched_() || __tsan_init != NULL ||
	       __msan_init != NULL;
}
