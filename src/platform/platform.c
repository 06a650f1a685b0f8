/* platform.c - pages, wiping and dying, on Linux and on plain POSIX. */
#ifdef IBUF_PLATFORM_POSIX
#define _POSIX_C_SOURCE 200809L
#elif !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "platform.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef IBUF_PLATFORM_POSIX

/* POSIX has no barrier for all threads; pools then keep nothing back. */
bool
ibuf_platform_barrier_prepare_(void)
{
	return false;
}

bool
ibuf_platform_barrier_(void)
{
	return false;
}

/* POSIX has no anonymous mapping; its aligned allocation is as good. */
void *
ibuf_platform_map_(size_t size, size_t alignment, bool huge)
{
	void *base;

	if (alignment < sizeof(void *))
		alignment = sizeof(void *); /* it takes no less */
	if (huge || posix_memalign(&base, alignment, size) != 0)
		return NULL;
	return base;
}

void
ibuf_platform_unmap_(void *base, size_t size, bool huge)
{
	(void)size;
	(void)huge;
	free(base);
}

#else

#include <sys/mman.h>
#include <sys/syscall.h>

/* As linux/membarrier.h has them, which not every libc comes with. */
#define BARRIER_GLOBAL 1
#define BARRIER_PRIVATE 8
#define BARRIER_REGISTER_PRIVATE 16

/* Yields after which the stores of others have reached the memory. */
#define MOMENT 8

static bool
membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0) == 0;
}

bool
ibuf_platform_barrier_prepare_(void)
{
	return membarrier(BARRIER_REGISTER_PRIVATE);
}

bool
ibuf_platform_barrier_(void)
{
	int i;

	if (membarrier(BARRIER_PRIVATE))
		return true;
	/* The registration may be gone, but not the right to it; and one
	   command needs none, but a few milliseconds. */
	if (membarrier(BARRIER_REGISTER_PRIVATE) && membarrier(BARRIER_PRIVATE))
		return true;
	if (membarrier(BARRIER_GLOBAL))
		return true;
	for (i = 0; i < MOMENT; i++)
		sched_yield();
	return false;
}

#define HUGE_PAGE ((size_t)2 << 20)

static size_t
round_up(size_t size, size_t unit)
{
	return (size + unit - 1) & ~(unit - 1);
}

/* The size that is really mapped; 0: it cannot be said in a size_t. */
static size_t
mapped_size(size_t size, bool huge)
{
	size_t unit = huge ? HUGE_PAGE : (size_t)sysconf(_SC_PAGESIZE);

	return size > PTRDIFF_MAX - unit ? 0 : round_up(size, unit);
}

void *
ibuf_platform_map_(size_t size, size_t alignment, bool huge)
{
	size_t page = huge ? HUGE_PAGE : (size_t)sysconf(_SC_PAGESIZE);
	size_t mapped = mapped_size(size, huge);
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (huge ? MAP_HUGETLB : 0);
	size_t slack, front;
	uint8_t *base;

	if (!huge && mapped >= HUGE_PAGE && alignment < HUGE_PAGE)
		alignment = HUGE_PAGE;
	slack = alignment > page ? alignment - page : 0;
	if (mapped == 0 || mapped > PTRDIFF_MAX - slack)
		return NULL;
	if (huge && mapped - size > mapped / 4)
		return NULL;
	base = mmap(NULL, mapped + slack, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	front = round_up((uintptr_t)base, alignment) - (uintptr_t)base;
	if (slack != 0) {
		if (front != 0)
			munmap(base, front);
		if (front != slack)
			munmap(base + front + mapped, slack - front);
		base += front;
	}
	/* Advice only: where it is refused the pages are merely small. */
	if (!huge && mapped >= HUGE_PAGE)
		(void)madvise(base, mapped, MADV_HUGEPAGE);
	return base;
}

void
ibuf_platform_unmap_(void *base, size_t size, bool huge)
{
	munmap(base, mapped_size(size, huge));
}

#endif

void
ibuf_platform_yield_(void)
{
	(void)sched_yield();
}

void
ibuf_platform_wipe_(void *bytes, size_t n)
{
	if (n == 0)
		return;
	memset(bytes, 0, n);
	__asm__ volatile("" : : "r"(bytes) : "memory");
}

_Noreturn void
ibuf_platform_die_(const char *format, ...)
{
	char line[256];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof line - 1, format, args);
	va_end(args);
	if (n < 0)
		n = 0;
	if ((size_t)n > sizeof line - 2)
		n = sizeof line - 2;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		abort(); /* nobody reads it; the end is the same */
	abort();
}
