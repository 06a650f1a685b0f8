/*
 * fault.c - stands in for the allocators: counts, fails on request, and
 * remembers each live block.
 *
 * Live blocks stand in a hash table without locks or orderings: a lock here
 * would order the threads of a test and so hide their races from
 * ThreadSanitizer.  That is enough because a block has one owner, who alone
 * may remove it.
 *
 *	block p stands in one of the WINDOW slots from hash(p) on
 */
#include "fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_DEFINED(block, size) ((void)0)
#endif

enum { SLOTS = 1 << 19, WINDOW = 64 };

static struct slot {
	_Atomic(uintptr_t) block; /* 0: empty */
	atomic_size_t size;
	atomic_size_t call; /* fault_calls() when it was allocated */
	_Atomic(uintptr_t) caller;
} slots[SLOTS + WINDOW];

static atomic_size_t live_blocks, live_bytes_mapped;
static atomic_size_t calls;
static atomic_size_t first_to_fail = SIZE_MAX, last_to_fail = SIZE_MAX;
static atomic_bool struck;

#define load(object) atomic_load_explicit(object, memory_order_relaxed)
#define store(object, value)                                                   \
	atomic_store_explicit(object, value, memory_order_relaxed)
#define add(object, value)                                                     \
	atomic_fetch_add_explicit(object, value, memory_order_relaxed)
#define subtract(object, value)                                                \
	atomic_fetch_sub_explicit(object, value, memory_order_relaxed)

/* ---- failing ------------------------------------------------------- */

static void
fail_between(size_t first, size_t last)
{
	store(&struck, false);
	store(&last_to_fail, last);
	store(&first_to_fail, first);
}

void
fault_at(size_t n)
{
	size_t call = load(&calls) + n;

	fail_between(call, call);
}

void
fault_from(size_t n)
{
	fail_between(load(&calls) + n, SIZE_MAX);
}

bool
fault_off(void)
{
	bool was_struck = load(&struck);

	fail_between(SIZE_MAX, SIZE_MAX);
	return was_struck;
}

size_t
fault_calls(void)
{
	return load(&calls);
}

/* Count a call; shall it fail? */
static bool
strikes(void)
{
	size_t call = add(&calls, 1) + 1;

	if (call < load(&first_to_fail) || call > load(&last_to_fail))
		return false;
	store(&struck, true);
	return true;
}

/* ---- remembering --------------------------------------------------- */

static struct slot *
window_of(const void *block)
{
	uint64_t hash = (uintptr_t)block * UINT64_C(0x9e3779b97f4a7c15);

	return &slots[hash >> 32 & (SLOTS - 1)];
}

static void *
remember(void *block, size_t size, void *caller)
{
	struct slot *slot = window_of(block);

	if (block == NULL)
		return NULL;
	for (int i = 0; i < WINDOW; i++, slot++) {
		uintptr_t empty = 0;

		if (!atomic_compare_exchange_strong_explicit(
			    &slot->block, &empty, (uintptr_t)block,
			    memory_order_relaxed, memory_order_relaxed))
			continue;
		store(&slot->size, size);
		store(&slot->call, load(&calls));
		store(&slot->caller, (uintptr_t)caller);
		add(&live_blocks, 1);
		return block;
	}
	fputs("fault.c: too many live blocks; make SLOTS larger\n", stderr);
	abort();
}

/* Blocks that libc itself allocated are not here, and may be freed. */
static size_t
forget(const void *block)
{
	struct slot *slot = window_of(block);

	if (block == NULL)
		return 0;
	for (int i = 0; i < WINDOW; i++, slot++) {
		if (load(&slot->block) != (uintptr_t)block)
			continue;
		size_t size = load(&slot->size);

		store(&slot->block, 0);
		subtract(&live_blocks, 1);
		return size;
	}
	return 0;
}

size_t
fault_live_blocks(void)
{
	return load(&live_blocks);
}

size_t
fault_live_bytes_mapped(void)
{
	return load(&live_bytes_mapped);
}

/* ---- looking at what is freed --------------------------------------- */

static struct {
	const void *bytes; /* NULL: nobody looks */
	size_t n;
	atomic_size_t found;
} watch;

void
fault_watch(const void *bytes, size_t n)
{
	watch.bytes = bytes;
	watch.n = n;
	store(&watch.found, 0);
}

size_t
fault_found(void)
{
	return load(&watch.found);
}

/* A block of that size goes back to the heap. */
static void
look_at(void *block, size_t size)
{
	if (watch.bytes == NULL || size < watch.n)
		return;
	/* Where it was never written there is nothing to find either. */
	VALGRIND_MAKE_MEM_DEFINED(block, size);
	if (memmem(block, size, watch.bytes, watch.n) != NULL)
		add(&watch.found, 1);
}

/* Where the code at an address is, in words that addr2line understands. */
static void
print_place(FILE *to, uintptr_t code)
{
	Dl_info in;

	if (dladdr((const void *)code, &in) != 0)
		fprintf(to, "%s %#jx", in.dli_fname,
			(uintmax_t)(code - (uintptr_t)in.dli_fbase));
	else
		fprintf(to, "%#jx", (uintmax_t)code);
}

void
fault_list(FILE *to, size_t since)
{
	for (struct slot *s = slots; s < slots + SLOTS + WINDOW; s++) {
		if (load(&s->block) == 0 || load(&s->call) <= since)
			continue;
		fprintf(to, "%zu bytes at %#jx, allocated by ", load(&s->size),
			(uintmax_t)load(&s->block));
		print_place(to, load(&s->caller));
		fputc('\n', to);
	}
}

size_t
fault_live_of_static(size_t since)
{
	extern char __data_start[] __attribute__((weak));
	extern char _end[] __attribute__((weak));
	size_t n = 0;

	for (struct slot *s = slots; s < slots + SLOTS + WINDOW; s++) {
		uintptr_t block = load(&s->block), first;

		if (block == 0 || load(&s->call) <= since ||
		    load(&s->size) < sizeof(first))
			continue;
		memcpy(&first, (const void *)block, sizeof(first));
		n += first >= (uintptr_t)__data_start &&
		     first < (uintptr_t)_end;
	}
	return n;
}

void
fault_see(const void *bytes, size_t n)
{
	(void)bytes;
	(void)n;
	(void)VALGRIND_MAKE_MEM_DEFINED(bytes, n);
}

/* ---- standing in --------------------------------------------------- */

#define CALLER __builtin_return_address(0)

/* __real_f is f itself; __wrap_f is where the linker sends the callers of f. */
#define WRAPS(type, name, ...)                                                 \
	type __real_##name(__VA_ARGS__);                                       \
	type __wrap_##name(__VA_ARGS__);                                       \
	type __wrap_##name(__VA_ARGS__)

WRAPS(void *, malloc, size_t size)
{
	if (strikes()) {
		errno = ENOMEM;
		return NULL;
	}
	return remember(__real_malloc(size), size, CALLER);
}

WRAPS(void *, calloc, size_t n, size_t size)
{
	if (strikes()) {
		errno = ENOMEM;
		return NULL;
	}
	return remember(__real_calloc(n, size), n * size, CALLER);
}

WRAPS(void *, realloc, void *old, size_t size)
{
	if (strikes()) {
		errno = ENOMEM;
		return NULL;
	}
	/* Forgotten first: once it is free, another thread may get it. */
	size_t old_size = forget(old);

	look_at(old, old_size);
	void *block = __real_realloc(old, size);

	if (block == NULL && old_size != 0)
		remember(old, old_size, CALLER);
	return remember(block, size, CALLER);
}

WRAPS(void *, aligned_alloc, size_t alignment, size_t size)
{
	if (strikes()) {
		errno = ENOMEM;
		return NULL;
	}
	return remember(__real_aligned_alloc(alignment, size), size, CALLER);
}

WRAPS(int, posix_memalign, void **block, size_t alignment, size_t size)
{
	int error = strikes() ? ENOMEM
			      : __real_posix_memalign(block, alignment, size);

	if (error == 0)
		remember(*block, size, CALLER);
	return error;
}

WRAPS(void, free, void *block)
{
	look_at(block, forget(block));
	__real_free(block);
}

WRAPS(void *, mmap, void *at, size_t size, int protection, int flags, int fd,
      off_t offset)
{
	if (strikes()) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	void *pages = __real_mmap(at, size, protection, flags, fd, offset);

	if (pages != MAP_FAILED)
		add(&live_bytes_mapped, size);
	return pages;
}

WRAPS(int, munmap, void *pages, size_t size)
{
	int error = __real_munmap(pages, size);

	if (error == 0)
		subtract(&live_bytes_mapped, size);
	return error;
}

WRAPS(int, pthread_key_create, pthread_key_t *key, void (*destructor)(void *))
{
	return strikes() ? EAGAIN : __real_pthread_key_create(key, destructor);
}

WRAPS(int, pthread_mutex_init, pthread_mutex_t *mutex,
      const pthread_mutexattr_t *attributes)
{
	return strikes() ? EAGAIN
			 : __real_pthread_mutex_init(mutex, attributes);
}

WRAPS(int, pthread_cond_init, pthread_cond_t *condition,
      const pthread_condattr_t *attributes)
{
	return strikes() ? EAGAIN
			 : __real_pthread_cond_init(condition, attributes);
}

WRAPS(int, pthread_atfork, void (*prepare)(void), void (*parent)(void),
      void (*child)(void))
{
	return strikes() ? ENOMEM
			 : __real_pthread_atfork(prepare, parent, child);
}
