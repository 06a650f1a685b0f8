/* stack.c - return addresses, where the C library knows them. */
#ifdef IBUF_PLATFORM_POSIX
#define _POSIX_C_SOURCE 200809L
#elif !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "stack.h"

#include <ibuf/base.h>
#include <stdio.h>
#include <string.h>

#if !defined(IBUF_PLATFORM_POSIX) && defined(__has_include)
/* musl has none, and may find the header of another C library. */
#if defined(__GLIBC__) && __has_include(<execinfo.h>)
#define HAS_STACKS
#endif
#if __has_include(<link.h>) && __has_include(<dlfcn.h>)
#define HAS_FILES
#endif
#endif

/* ---- who called --------------------------------------------------------- */

#ifdef HAS_STACKS
#include "platform.h"
#include <execinfo.h>

/* Weak, so that no static program has it for our sake. */
#pragma weak backtrace

static int
walk(void **callers, int max)
{
	return backtrace != NULL ? backtrace(callers, max) : 0;
}

#else

static int
walk(void **callers, int max)
{
	(void)callers;
	(void)max;
	return 0;
}

#endif

void
ibuf_stack_prepare_(void)
{
	void *caller;

	(void)walk(&caller, 1);
}

/* Leave out the library's own calls. */
static void
begin_at(struct ibuf_stack *stack, void *caller)
{
	unsigned i = 0;

	while (i < stack->n && stack->callers[i] != caller)
		i++;
	if (i == stack->n && stack->n != 0)
		return;
	if (stack->n == 0) {
		stack->n = 1;
		stack->callers[0] = caller;
	}
	stack->n -= i;
	memmove(stack->callers, stack->callers + i,
		stack->n * sizeof *stack->callers);
}

void
ibuf_stack_take_(struct ibuf_stack *stack, void *caller)
{
	int n = walk(stack->callers, STACK_DEPTH);

	stack->n = n > 0 ? (unsigned)n : 0;
	begin_at(stack, caller);
}

/* ---- what they are called ----------------------------------------------- */

#ifdef HAS_FILES
#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#pragma weak dladdr

/* The linker's address of a caller in a file that was loaded at base. */
static size_t
linked_at(const void *caller, const void *base)
{
	const ElfW(Ehdr) *header = base;

	return header->e_type == ET_EXEC ? (uintptr_t)caller
					 : (uintptr_t)caller - (uintptr_t)base;
}

/* The file, which the loader knows as it was started: by its name alone
   perhaps. */
static const char *
file_of(const Dl_info *info, char *path, size_t size)
{
	ssize_t n;

	if (strchr(info->dli_fname, '/') != NULL)
		return info->dli_fname;
	n = readlink("/proc/self/exe", path, size - 1);
	if (n <= 0)
		return info->dli_fname;
	path[n] = '\0';
	return path;
}

void
ibuf_stack_name_(void *caller, char *line, size_t size)
{
	void *call = (char *)caller - 1;
	char path[256], function[128] = "";
	Dl_info info;

	if (dladdr == NULL || dladdr(call, &info) == 0) {
		(void)snprintf(line, size, "%p", call);
		return;
	}
	if (info.dli_sname != NULL)
		(void)snprintf(
			function, sizeof function, "%s+0x%zx ", info.dli_sname,
			(size_t)((uintptr_t)call - (uintptr_t)info.dli_saddr));
	(void)snprintf(line, size, "%s(%s+0x%zx)", function,
		       file_of(&info, path, sizeof path),
		       linked_at(call, info.dli_fbase));
}

#else

void
ibuf_stack_name_(void *caller, char *line, size_t size)
{
	(void)snprintf(line, size, "%p", (void *)((char *)caller - 1));
}

#endif

/* ---- a stack that has been seen ----------------------------------------- */

#if defined(HAS_STACKS) && defined(__x86_64__)
#include <pthread.h>

/* Others' variables lie there too, which nobody need have written. */
#define RAW __attribute__((noinline, no_sanitize("address", "thread")))

/*
 * The stack that the system gave the calling thread; from 0: not asked yet, or
 * not known.  Whoever runs on another, in a coroutine or on what
 * sigaltstack() was told, may be a few bytes below memory that is not there,
 * and walks.
 */
static __thread struct {
	uintptr_t from, to;
	bool asked;
} own_stack IBUF_TLS_;

static __attribute__((noinline, cold)) void
ask_own_stack(void)
{
	pthread_attr_t attributes;
	void *base;
	size_t size;

	own_stack.asked = true;
	if (pthread_getattr_np(pthread_self(), &attributes) != 0)
		return;
	if (pthread_attr_getstack(&attributes, &base, &size) == 0) {
		own_stack.from = (uintptr_t)base;
		own_stack.to = (uintptr_t)base + size;
	}
	(void)pthread_attr_destroy(&attributes);
}

/* Where the stack ends that from lies in; NULL: it is none to be read. */
static void *const *
end_of_stack(void *const *from)
{
	if (!own_stack.asked)
		ask_own_stack();
	if ((uintptr_t)from < own_stack.from || (uintptr_t)from >= own_stack.to)
		return NULL;
	return (void *const *)(own_stack.to & ~(sizeof(void *) - 1));
}

RAW bool
ibuf_stack_find_(const struct ibuf_stack *stack, void *const *from,
		 struct ibuf_stack_places *places)
{
	void *const *end = end_of_stack(from);
	unsigned i;

	if (ibuf_platform_watched_ || end == NULL)
		return false;
	for (i = 0; i < stack->n; i++) {
		/* Who walked may have come from here to another stack. */
		while (from < end && *from != stack->callers[i])
			from++;
		if (from >= end)
			return false;
		places->at[i] = from++;
	}
	return true;
}

RAW bool
ibuf_stack_is_(const struct ibuf_stack *stack, void *const *from,
	       const struct ibuf_stack_places *places)
{
	void *const *end = end_of_stack(from);
	unsigned i;

	/* They ascend, and may have been another thread's with more stack. */
	if (end == NULL || stack->n == 0 || places->at[0] < from ||
	    places->at[stack->n - 1] >= end)
		return false;
	for (i = 0; i < stack->n; i++)
		if (*places->at[i] != stack->callers[i])
			return false;
	return true;
}

#else

bool
ibuf_stack_find_(const struct ibuf_stack *stack, void *const *from,
		 struct ibuf_stack_places *places)
{
	(void)stack;
	(void)from;
	(void)places;
	return false;
}

bool
ibuf_stack_is_(const struct ibuf_stack *stack, void *const *from,
	       const struct ibuf_stack_places *places)
{
	(void)stack;
	(void)from;
	(void)places;
	return false;
}

#endif
