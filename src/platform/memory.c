/* memory.c - pages of another kind: locked, guarded, of a NUMA node, shared. */
#ifdef IBUF_PLATFORM_POSIX
#define _POSIX_C_SOURCE 200809L
#elif !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "memory.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void
ibuf_memory_say_(const char *line)
{
	/* Nobody may be there to read it. */
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		return;
}

uint32_t
ibuf_memory_process_(void)
{
	return (uint32_t)getpid();
}

#ifdef IBUF_PLATFORM_POSIX

int
ibuf_memory_check_(const struct memory_kind *kind)
{
	return kind->locked || kind->guarded || kind->node != NODE_ANY
		       ? -ENOTSUP
		       : 0;
}

void *
ibuf_memory_map_(size_t size, size_t alignment, const struct memory_kind *kind)
{
	(void)kind;
	return ibuf_platform_map_(size, alignment, false);
}

void
ibuf_memory_unmap_(void *base, size_t size, const struct memory_kind *kind)
{
	(void)kind;
	ibuf_platform_unmap_(base, size, false);
}

bool
ibuf_memory_settle_(void *base, size_t size, bool huge,
		    const struct memory_kind *kind)
{
	(void)base;
	(void)size;
	(void)huge;
	(void)kind;
	return true;
}

int
ibuf_memory_share_(const char *name, size_t *size, uint8_t **base)
{
	(void)name;
	(void)size;
	(void)base;
	return -ENOTSUP;
}

void
ibuf_memory_unshare_(uint8_t *base, size_t size, int fd)
{
	(void)base;
	(void)size;
	(void)fd;
}

void
ibuf_memory_discard_(uint8_t *bytes, size_t n)
{
	(void)bytes;
	(void)n;
}

#else

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* As linux/mempolicy.h and linux/memfd.h have them, which not every libc
   comes with. */
#define PREFERRED 1
#define INTERLEAVE 3
#define LOCAL 4
#define WHAT_IS_ALLOWED 4ul
#define CLOSE_ON_EXEC 1u
#define ALLOW_SEALING 2u
#define ADD_SEALS (1024 + 9)
#define SEAL_SHRINK 2
#define SEAL_GROW 4

#define HUGE_PAGE ((size_t)2 << 20)
#define LONG_BITS (8 * sizeof(long))

struct nodes {
	unsigned long bits[(NODE_MOST + 1) / LONG_BITS];
};

/* 0; -ENOSYS: the kernel knows no nodes; -errno. */
static int
allowed(struct nodes *nodes)
{
	memset(nodes, 0, sizeof *nodes);
	return syscall(SYS_get_mempolicy, NULL, nodes->bits,
		       (unsigned long)NODE_MOST + 1, NULL, WHAT_IS_ALLOWED) == 0
		       ? 0
		       : -errno;
}

int
ibuf_memory_check_(const struct memory_kind *kind)
{
	struct nodes nodes;
	size_t node = (size_t)kind->node;
	int error;

	if (kind->node == NODE_ANY)
		return 0;
	error = allowed(&nodes);
	if (error == -ENOSYS)
		return kind->node > 0 ? -ENODEV : 0;
	if (error != 0)
		return -ENOTSUP;
	if (kind->node < 0)
		return 0;
	if (node > NODE_MOST ||
	    (nodes.bits[node / LONG_BITS] >> node % LONG_BITS & 1) == 0)
		return -ENODEV;
	return 0;
}

/* Say of which node the pages shall be; they come when they are touched. */
static bool
prefer(void *base, size_t size, int node)
{
	struct nodes nodes = {{0}};
	int mode = PREFERRED;

	if (node == NODE_ANY)
		return true;
	if (node == NODE_LOCAL) {
		mode = LOCAL;
	} else if (node == NODE_ALL) {
		mode = INTERLEAVE;
		if (allowed(&nodes) != 0)
			return errno == ENOSYS;
	} else {
		nodes.bits[(size_t)node / LONG_BITS] |=
			1ul << (size_t)node % LONG_BITS;
	}
	return syscall(SYS_mbind, base, size, mode,
		       mode == LOCAL ? NULL : nodes.bits,
		       mode == LOCAL ? 0ul : (unsigned long)NODE_MOST + 1,
		       0u) == 0 ||
	       errno == ENOSYS;
}

static size_t
page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t
round_up(size_t size, size_t unit)
{
	return (size + unit - 1) & ~(unit - 1);
}

bool
ibuf_memory_settle_(void *base, size_t size, bool huge,
		    const struct memory_kind *kind)
{
	size = round_up(size, huge ? HUGE_PAGE : page_size());
	return prefer(base, size, kind->node) &&
	       (!kind->locked || mlock(base, size) == 0);
}

/*
 * | no access |  . . .  base .. base + size | no access |
 *    a page      less than a page              a page
 *
 * So that unmap finds the mapping by base and size alone.
 */
static uint8_t *
map_guarded(size_t size, size_t alignment)
{
	size_t page = page_size(), slack, middle, front;
	uint8_t *at;

	if (size == 0 || size > PTRDIFF_MAX - 4 * page)
		return NULL;
	middle = round_up(size, page);
	slack = alignment > page ? alignment - page : 0;
	if (slack > PTRDIFF_MAX - middle - 2 * page)
		return NULL;
	at = mmap(NULL, middle + slack + 2 * page, PROT_NONE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return NULL;
	if (slack != 0) {
		front = round_up((uintptr_t)at + page, alignment) - page -
			(uintptr_t)at;
		if (front != 0)
			munmap(at, front);
		if (front != slack)
			munmap(at + front + middle + 2 * page, slack - front);
		at += front;
	}
	if (mprotect(at + page, middle, PROT_READ | PROT_WRITE) != 0) {
		munmap(at, middle + 2 * page);
		return NULL;
	}
	at += page;
	/* Its end at the guard, where the alignment allows that. */
	return alignment > page ? at : at + middle - round_up(size, alignment);
}

static void
unmap_guarded(uint8_t *base, size_t size)
{
	size_t page = page_size(), off = (uintptr_t)base % page;

	munmap(base - off - page, round_up(off + size, page) + 2 * page);
}

void *
ibuf_memory_map_(size_t size, size_t alignment, const struct memory_kind *kind)
{
	uint8_t *base = kind->guarded
				? map_guarded(size, alignment)
				: ibuf_platform_map_(size, alignment, false);
	size_t off;

	if (base == NULL)
		return NULL;
	off = (uintptr_t)base % page_size();
	if (ibuf_memory_settle_(base - off, size + off, false, kind))
		return base;
	ibuf_memory_unmap_(base, size, kind);
	return NULL;
}

void
ibuf_memory_unmap_(void *base, size_t size, const struct memory_kind *kind)
{
	if (kind->guarded)
		unmap_guarded(base, size);
	else
		ibuf_platform_unmap_(base, size, false);
}

/* ---- shared ------------------------------------------------------------ */

/* Who maps it must never find that it has become shorter. */
static int
map_file(int fd, size_t size, uint8_t **base)
{
	void *at;

	if (ftruncate(fd, (off_t)size) != 0 ||
	    fcntl(fd, ADD_SEALS, SEAL_SHRINK | SEAL_GROW) != 0)
		return -errno;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	*base = at;
	return 0;
}

int
ibuf_memory_share_(const char *name, size_t *size, uint8_t **base)
{
	size_t page = page_size();
	int fd, error;

	if (*size == 0)
		return -EINVAL;
	if (*size > PTRDIFF_MAX - page)
		return -ENOMEM;
	fd = (int)syscall(SYS_memfd_create, name,
			  CLOSE_ON_EXEC | ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	error = map_file(fd, round_up(*size, page), base);
	if (error != 0) {
		close(fd);
		return error;
	}
	*size = round_up(*size, page);
	return fd;
}

void
ibuf_memory_unshare_(uint8_t *base, size_t size, int fd)
{
	munmap(base, size);
	close(fd);
}

void
ibuf_memory_discard_(uint8_t *bytes, size_t n)
{
	size_t page = page_size();
	size_t front = round_up((uintptr_t)bytes, page) - (uintptr_t)bytes;

	/* Where it is refused the memory merely stays. */
	if (n >= front + page)
		(void)madvise(bytes + front, (n - front) & ~(page - 1),
			      MADV_REMOVE);
}

#endif
