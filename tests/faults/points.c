/* points.c - stands in for what the library calls, and can fail. */
#include "points.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Each point, and the ways in which it fails.  EINTR is never the first: who
   tries again after it would do so for ever. */
#define POINTS(X)                                                              \
	X(malloc, ENOMEM)                                                      \
	X(calloc, ENOMEM)                                                      \
	X(realloc, ENOMEM)                                                     \
	X(posix_memalign, ENOMEM)                                              \
	X(mmap, ENOMEM, ENODEV)                                                \
	X(munmap, ENOMEM)                                                      \
	X(madvise, EINVAL, ENOMEM)                                             \
	X(mprotect, ENOMEM)                                                    \
	X(mlock, ENOMEM, EAGAIN)                                               \
	X(ftruncate, ENOSPC)                                                   \
	X(syscall, ENOSYS, EPERM)                                              \
	X(sysconf, EINVAL)                                                     \
	X(pthread_atfork, ENOMEM)                                              \
	X(pthread_key_create, EAGAIN)                                          \
	X(pthread_setspecific, ENOMEM)                                         \
	X(pthread_mutex_init, EAGAIN)                                          \
	X(pthread_mutexattr_init, ENOMEM)                                      \
	X(pthread_mutexattr_setrobust, EINVAL)                                 \
	X(pthread_cond_init, EAGAIN)                                           \
	X(pthread_condattr_init, ENOMEM)                                       \
	X(pthread_condattr_setclock, EINVAL)                                   \
	X(pipe, EMFILE, ENFILE)                                                \
	X(fcntl, EINVAL)                                                       \
	X(eventfd, EMFILE, ENFILE, ENOMEM)                                     \
	X(dup2, EMFILE)                                                        \
	X(dup3, EMFILE)                                                        \
	X(close, EIO, EINTR)                                                   \
	X(read, EIO, EINTR, EAGAIN)                                            \
	X(write, EAGAIN, EINTR)                                                \
	X(writev, EIO, EINTR, EAGAIN)                                          \
	X(sendmsg, EIO, EINTR, EAGAIN)                                         \
	X(recvmsg, EIO, EINTR, EAGAIN)                                         \
	X(sendmmsg, EIO, EINTR, EAGAIN)                                        \
	X(recvmmsg, EIO, EINTR, EAGAIN)                                        \
	X(getsockopt, ENOPROTOOPT, ENOBUFS)                                    \
	X(vsnprintf, EILSEQ)                                                   \
	X(dladdr, EINVAL)                                                      \
	X(dlsym, EINVAL)                                                       \
	X(readlink, ENOENT)

enum {
#define NUMBER(name, ...) POINT_##name,
	POINTS(NUMBER) POINT_COUNT
};

static const struct {
	const char *name;
	int errors[4]; /* 0: that was all */
} points[] = {
#define ROW(name, ...) {#name, {__VA_ARGS__}},
	POINTS(ROW)};

static bool armed, lasts;
static size_t calls, first = SIZE_MAX;
static unsigned way;
static int struck = -1;
static bool gave[256]; /* by error */
static size_t blocks, mapped;

void
points_arm(size_t n, unsigned which, bool for_ever)
{
	calls = 0;
	first = n;
	way = which;
	lasts = for_ever;
	struck = -1;
	memset(gave, 0, sizeof(gave));
	armed = true;
}

void
points_disarm(void)
{
	armed = false;
}

size_t
points_met(void)
{
	return calls;
}

const char *
points_struck(void)
{
	return struck < 0 ? NULL : points[struck].name;
}

unsigned
points_number(void)
{
	return (unsigned)struck;
}

unsigned
points_ways(void)
{
	unsigned n = 0;

	while (n < 4 && points[struck].errors[n] != 0)
		n++;
	return n;
}

bool
points_gave(int error)
{
	return error > 0 && error < 256 && gave[error];
}

unsigned
points_count(void)
{
	return POINT_COUNT;
}

const char *
points_name(unsigned number)
{
	return points[number].name;
}

size_t
points_blocks(void)
{
	return blocks;
}

size_t
points_mapped(void)
{
	return mapped;
}

/* Count a call; 0: it goes on, else it fails with that error. */
static int
strike(int point)
{
	int error;

	if (!armed)
		return 0;
	calls++;
	if (calls < first || (calls > first && !lasts))
		return 0;
	error = points[point].errors[calls == first ? way : 0];
	if (struck < 0)
		struck = point;
	gave[error] = true;
	errno = error;
	return error;
}

/* ---- standing in --------------------------------------------------- */

/* __real_f is f itself; __wrap_f is where the linker sends the callers of f. */
#define WRAPS(type, name, ...)                                                 \
	type __real_##name(__VA_ARGS__);                                       \
	type __wrap_##name(__VA_ARGS__);                                       \
	type __wrap_##name(__VA_ARGS__)

/* One that gives -1 when it fails, or the error itself. */
#define FAILS_WITH(result, type, name, arguments, ...)                         \
	WRAPS(type, name, __VA_ARGS__)                                         \
	{                                                                      \
		int error = strike(POINT_##name);                              \
                                                                               \
		return error != 0 ? (type)(result) : __real_##name arguments;  \
	}

/* ---- memory -------------------------------------------------------- */

static void *
count_block(void *block)
{
	blocks += block != NULL;
	return block;
}

WRAPS(void *, malloc, size_t size)
{
	return strike(POINT_malloc) != 0 ? NULL
					 : count_block(__real_malloc(size));
}

WRAPS(void *, calloc, size_t n, size_t size)
{
	return strike(POINT_calloc) != 0 ? NULL
					 : count_block(__real_calloc(n, size));
}

WRAPS(void *, realloc, void *old, size_t size)
{
	void *block;

	if (strike(POINT_realloc) != 0)
		return NULL;
	block = __real_realloc(old, size);
	blocks += old == NULL && block != NULL;
	return block;
}

WRAPS(int, posix_memalign, void **block, size_t alignment, size_t size)
{
	int error = strike(POINT_posix_memalign);

	if (error == 0)
		error = __real_posix_memalign(block, alignment, size);
	blocks += error == 0;
	return error;
}

WRAPS(void, free, void *block)
{
	blocks -= block != NULL;
	__real_free(block);
}

WRAPS(void *, mmap, void *at, size_t size, int protection, int flags, int fd,
      off_t offset)
{
	void *pages = MAP_FAILED;

	if (strike(POINT_mmap) == 0)
		pages = __real_mmap(at, size, protection, flags, fd, offset);
	if (pages != MAP_FAILED)
		mapped += size;
	return pages;
}

/* Pages that the system does not take back are no leak of the library's. */
WRAPS(int, munmap, void *pages, size_t size)
{
	mapped -= size;
	return strike(POINT_munmap) != 0 ? -1 : __real_munmap(pages, size);
}

FAILS_WITH(-1, int, madvise, (pages, size, advice), void *pages, size_t size,
	   int advice)
FAILS_WITH(-1, int, mprotect, (pages, size, protection), void *pages,
	   size_t size, int protection)
FAILS_WITH(-1, int, mlock, (pages, size), const void *pages, size_t size)
FAILS_WITH(-1, int, ftruncate, (fd, size), int fd, off_t size)

/* ---- the system ---------------------------------------------------- */

FAILS_WITH(-1, long, syscall, (number, a, b, c, d, e, f), long number, long a,
	   long b, long c, long d, long e, long f)

/* The size of a page is always known; whether there is a limit is not. */
WRAPS(long, sysconf, int name)
{
	if (name != _SC_PAGESIZE && strike(POINT_sysconf) != 0)
		return -1;
	return __real_sysconf(name);
}

FAILS_WITH(0, int, dladdr, (code, in), const void *code, Dl_info *in)
FAILS_WITH(0, void *, dlsym, (in, name), void *in, const char *name)
FAILS_WITH(-1, ssize_t, readlink, (path, to, size), const char *path, char *to,
	   size_t size)
FAILS_WITH(-1, int, vsnprintf, (to, size, format, args), char *to, size_t size,
	   const char *format, va_list args)

/* ---- threads ------------------------------------------------------- */

FAILS_WITH(error, int, pthread_atfork, (prepare, parent, child),
	   void (*prepare)(void), void (*parent)(void), void (*child)(void))
FAILS_WITH(error, int, pthread_key_create, (key, destroy), pthread_key_t *key,
	   void (*destroy)(void *))
FAILS_WITH(error, int, pthread_setspecific, (key, value), pthread_key_t key,
	   const void *value)
FAILS_WITH(error, int, pthread_mutex_init, (mutex, how), pthread_mutex_t *mutex,
	   const pthread_mutexattr_t *how)
FAILS_WITH(error, int, pthread_mutexattr_init, (how), pthread_mutexattr_t *how)
FAILS_WITH(error, int, pthread_mutexattr_setrobust, (how, robust),
	   pthread_mutexattr_t *how, int robust)
FAILS_WITH(error, int, pthread_cond_init, (condition, how),
	   pthread_cond_t *condition, const pthread_condattr_t *how)
FAILS_WITH(error, int, pthread_condattr_init, (how), pthread_condattr_t *how)
FAILS_WITH(error, int, pthread_condattr_setclock, (how, clock),
	   pthread_condattr_t *how, clockid_t clock)

/* ---- descriptors --------------------------------------------------- */

FAILS_WITH(-1, int, pipe, (ends), int ends[2])
FAILS_WITH(-1, int, fcntl, (fd, command, value), int fd, int command,
	   long value)
FAILS_WITH(-1, int, eventfd, (value, flags), unsigned value, int flags)
FAILS_WITH(-1, int, dup2, (from, to), int from, int to)
FAILS_WITH(-1, int, dup3, (from, to, flags), int from, int to, int flags)

/* The descriptor is closed in any case, as on Linux. */
WRAPS(int, close, int fd)
{
	int result = __real_close(fd);

	return strike(POINT_close) != 0 ? -1 : result;
}

FAILS_WITH(-1, ssize_t, read, (fd, to, n), int fd, void *to, size_t n)

/* The library writes to its own descriptor, which is readable where it takes
   no more. */
WRAPS(ssize_t, write, int fd, const void *from, size_t n)
{
	int error = strike(POINT_write);

	if (error == 0)
		return __real_write(fd, from, n);
	if (error != EINTR)
		(void)!__real_write(fd, from, n);
	errno = error;
	return -1;
}

FAILS_WITH(-1, ssize_t, writev, (fd, iov, n), int fd, const struct iovec *iov,
	   int n)
FAILS_WITH(-1, ssize_t, sendmsg, (fd, message, flags), int fd,
	   const struct msghdr *message, int flags)
FAILS_WITH(-1, ssize_t, recvmsg, (fd, message, flags), int fd,
	   struct msghdr *message, int flags)
FAILS_WITH(-1, int, sendmmsg, (fd, messages, n, flags), int fd,
	   struct mmsghdr *messages, unsigned n, int flags)
FAILS_WITH(-1, int, recvmmsg, (fd, messages, n, flags, timeout), int fd,
	   struct mmsghdr *messages, unsigned n, int flags,
	   struct timespec *timeout)
FAILS_WITH(-1, int, getsockopt, (fd, level, name, value, size), int fd,
	   int level, int name, void *value, socklen_t *size)
