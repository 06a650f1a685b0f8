/*
 * platform.h - the floor: what the library asks of the machine and the
 * system, in words whose memory order is part of the name.
 *
 * Everything that is Linux's own lives behind this header; with
 * IBUF_PLATFORM_POSIX the same functions use POSIX alone.
 */
#ifndef IBUF_SRC_PLATFORM_H
#define IBUF_SRC_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_LINE 64

/* ---- atomics ----------------------------------------------------------- */

/* Pairs with a release of the same word. */
static inline uint32_t
load_acquire_u32(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* The same, or for a word that no other thread can see. */
static inline void
store_relaxed_u32(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/* For a number that one thread writes and others look at. */
static inline uint32_t
load_relaxed_u32(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* Gives the old value. */
static inline uint32_t
fetch_add_relaxed_u32(uint32_t *word, uint32_t value)
{
	return __atomic_fetch_add(word, value, __ATOMIC_RELAXED);
}

/* Gives the old value. */
static inline uint32_t
fetch_add_acq_rel_u32(uint32_t *word, uint32_t value)
{
	return __atomic_fetch_add(word, value, __ATOMIC_ACQ_REL);
}

/* Gives the old value. */
static inline uint32_t
fetch_sub_acq_rel_u32(uint32_t *word, uint32_t value)
{
	return __atomic_fetch_sub(word, value, __ATOMIC_ACQ_REL);
}

/* Statistics only: the sum is right, the moment is not said. */
static inline void
count_relaxed(uint64_t *counter, uint64_t value)
{
	__atomic_fetch_add(counter, value, __ATOMIC_RELAXED);
}

static inline uint64_t
counted_relaxed(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* Pairs with nothing but orders what is read after it. */
static inline uint64_t
counted_acquire(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/* Pairs with an acquire of the same word. */
static inline void
store_release_u32(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* All seq_cst operations have one order, the same for every thread. */
static inline void
store_seq_cst_u32(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t
load_seq_cst_u32(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* Gives the old value. */
static inline uint32_t
exchange_acquire_u32(uint32_t *word, uint32_t value)
{
	return __atomic_exchange_n(word, value, __ATOMIC_ACQUIRE);
}

/* Sets bits; gives the old value. */
static inline uint32_t
fetch_or_seq_cst_u32(uint32_t *word, uint32_t bits)
{
	return __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

/* Clears bits; gives the old value. */
static inline uint32_t
fetch_clear_seq_cst_u32(uint32_t *word, uint32_t bits)
{
	return __atomic_fetch_and(word, ~bits, __ATOMIC_SEQ_CST);
}

/*
 * Keep the compiler's order of what is before and what is behind.  The
 * machine's too, against a thread that calls ibuf_platform_barrier_().
 */
static inline void
keep_order(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/*
 * Make every thread of the process pass a barrier, so that a thread which
 * only keeps the compiler's order is ordered with the caller as if both had
 * a full barrier.  Prepare once; false: the system cannot.
 *
 * What it could when it was prepared it may refuse later, as in a sandbox.
 * Then the barrier waits for a moment, which is as good as ever seen but
 * nothing to rely on, and gives false.
 */
bool ibuf_platform_barrier_prepare_(void);
bool ibuf_platform_barrier_(void);

/* Let other threads run first, if any want to. */
void ibuf_platform_yield_(void);

/* ---- memory ------------------------------------------------------------ */

/*
 * Map size bytes of zeroed pages at a multiple of alignment, a power of two;
 * NULL: cannot.  huge asks for huge pages, and fails where there are none, or
 * where more than a quarter of them would be left over.
 */
void *ibuf_platform_map_(size_t size, size_t alignment, bool huge);

/* With POSIX alone they are not zeroed. */
#ifdef IBUF_PLATFORM_POSIX
#define PAGES_ARE_ZEROED false
#else
#define PAGES_ARE_ZEROED true
#endif

/* Unmap what ibuf_platform_map_() gave for the same size and huge. */
void ibuf_platform_unmap_(void *base, size_t size, bool huge);

/* Overwrite with zeros, also where the compiler thinks nobody will look. */
void ibuf_platform_wipe_(void *bytes, size_t n);

/* ---- memory that is watched -------------------------------------------- */

/*
 * Is an address sanitizer or valgrind looking, that should be told which
 * memory is free?  Then every allocation and every free must go the long
 * way.  Set by ibuf_platform_probe_(), once.
 */
extern bool ibuf_platform_watched_;
void ibuf_platform_probe_(void);

/*
 * Is somebody looking who tells at the end which blocks of malloc nothing leads
 * to?  The leak sanitizer's runtime counts, whatever the library was built
 * with.
 */
bool ibuf_platform_leaks_watched_(void);

/* Is somebody looking at each block of malloc: they, or a sanitizer of threads
   or of what is initialized? */
bool ibuf_platform_malloc_watched_(void);

void ibuf_platform_hide_(void *bytes, size_t n);
void ibuf_platform_unhide_(void *bytes, size_t n);

/* Nobody may touch these bytes. */
static inline void
hide(void *bytes, size_t n)
{
	if (ibuf_platform_watched_)
		ibuf_platform_hide_(bytes, n);
}

/* They may again. */
static inline void
unhide(void *bytes, size_t n)
{
	if (ibuf_platform_watched_)
		ibuf_platform_unhide_(bytes, n);
}

/* ---- the end ----------------------------------------------------------- */

/* Write one line to standard error and abort; allocates nothing. */
_Noreturn void ibuf_platform_die_(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif
