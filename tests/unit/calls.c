/* calls.c - stands in for the system calls of the library. */
#include "calls.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
	size_t made;
	size_t first_to_fail, last_to_fail;
	int error;
	size_t limit;
	unsigned percent, noise;
	size_t most_pieces, most_asked;
	bool scribbles, swallows;
	int flags[4]; /* of the first calls of sendmsg */
	size_t sent;
} calls = {.limit = SIZE_MAX};

void
calls_reset(void)
{
	calls.made = 0;
	calls.first_to_fail = calls.last_to_fail = 0;
	calls.limit = SIZE_MAX;
	calls.percent = 0;
	calls.most_pieces = calls.most_asked = 0;
	calls.scribbles = calls.swallows = false;
	calls.sent = 0;
}

void
calls_scribble(void)
{
	calls.scribbles = true;
}

void
calls_swallow(void)
{
	calls.swallows = true;
}

void
calls_fail_at(size_t n, int error)
{
	calls.first_to_fail = calls.last_to_fail = calls.made + n;
	calls.error = error;
}

void
calls_fail(size_t n, int error)
{
	calls.first_to_fail = calls.made + 1;
	calls.last_to_fail = calls.made + n;
	calls.error = error;
}

void
calls_limit(size_t most)
{
	calls.limit = most;
}

void
calls_trouble(unsigned percent, unsigned seed)
{
	calls.percent = percent;
	calls.noise = seed;
}

size_t
calls_made(void)
{
	return calls.made;
}

size_t
calls_most_pieces(void)
{
	return calls.most_pieces;
}

size_t
calls_most_asked(void)
{
	return calls.most_asked;
}

int
calls_flags(size_t n)
{
	return calls.flags[n - 1];
}

static unsigned
noise(unsigned below)
{
	calls.noise = calls.noise * 1103515245 + 12345;
	return (calls.noise >> 16) % below;
}

/* Count a call; 0: go on, else fail with that error.  *most: do no more. */
static int
strike(size_t *most)
{
	size_t call = ++calls.made;

	*most = calls.limit;
	if (calls.first_to_fail <= call && call <= calls.last_to_fail)
		return calls.error;
	if (calls.percent == 0 || noise(100) >= calls.percent)
		return 0;
	switch (noise(3)) {
	case 0:
		return EINTR;
	case 1:
		return EAGAIN;
	default:
		*most = 1 + noise(5000);
		return 0;
	}
}

static void
see_pieces(size_t n)
{
	if (calls.most_pieces < n)
		calls.most_pieces = n;
}

/* Leave out of iov what is beyond most; few is room for the result. */
#define PIECES 1024

static size_t
shorten(struct iovec *few, const struct iovec *iov, size_t n, size_t most)
{
	size_t i;

	for (i = 0; i < n && most != 0; i++) {
		few[i] = iov[i];
		if (few[i].iov_len > most)
			few[i].iov_len = most;
		most -= few[i].iov_len;
	}
	return i;
}

/* What Linux takes of them in one call, MAX_RW_COUNT at most. */
static ssize_t
swallow(const struct iovec *iov, size_t n)
{
	size_t taken = 0;

	for (size_t i = 0; i < n; i++)
		taken += iov[i].iov_len;
	return taken < 0x7ffff000 ? (ssize_t)taken : 0x7ffff000;
}

/* ---- standing in --------------------------------------------------- */

/* __real_f is f itself; __wrap_f is where the linker sends the callers of f. */
#define WRAPS(type, name, ...)                                                 \
	type __real_##name(__VA_ARGS__);                                       \
	type __wrap_##name(__VA_ARGS__);                                       \
	type __wrap_##name(__VA_ARGS__)

/* Shall this call fail?  Then errno says why.  *most: else, do no more. */
static bool
fails(size_t *most)
{
	int error = strike(most);

	if (error != 0)
		errno = error;
	return error != 0;
}

WRAPS(ssize_t, read, int fd, void *to, size_t n)
{
	size_t most;

	if (calls.most_asked < n)
		calls.most_asked = n;
	if (fails(&most)) {
		if (calls.scribbles)
			memset(to, 0x5a, n);
		return -1;
	}
	return __real_read(fd, to, n < most ? n : most);
}

WRAPS(ssize_t, writev, int fd, const struct iovec *iov, int n)
{
	struct iovec few[PIECES];
	size_t most;

	if (fails(&most))
		return -1;
	see_pieces((size_t)n);
	if (calls.swallows)
		return swallow(iov, (size_t)n);
	if (most == SIZE_MAX || n > PIECES)
		return __real_writev(fd, iov, n);
	return __real_writev(fd, few, (int)shorten(few, iov, (size_t)n, most));
}

WRAPS(ssize_t, sendmsg, int fd, const struct msghdr *message, int flags)
{
	struct iovec few[PIECES];
	struct msghdr shorter = *message;
	size_t most;

	if (fails(&most))
		return -1;
	see_pieces(message->msg_iovlen);
	if (calls.sent < sizeof(calls.flags) / sizeof(*calls.flags))
		calls.flags[calls.sent++] = flags;
	if (calls.swallows)
		return swallow(message->msg_iov, message->msg_iovlen);
	if (most == SIZE_MAX || message->msg_iovlen > PIECES)
		return __real_sendmsg(fd, message, flags);
	shorter.msg_iovlen =
		shorten(few, message->msg_iov, message->msg_iovlen, most);
	shorter.msg_iov = few;
	return __real_sendmsg(fd, &shorter, flags);
}

WRAPS(ssize_t, recvmsg, int fd, struct msghdr *message, int flags)
{
	size_t most;

	if (fails(&most))
		return -1;
	return __real_recvmsg(fd, message, flags);
}

WRAPS(int, sendmmsg, int fd, struct mmsghdr *messages, unsigned n, int flags)
{
	size_t most;

	if (fails(&most))
		return -1;
	for (unsigned i = 0; i < n; i++)
		see_pieces(messages[i].msg_hdr.msg_iovlen);
	return __real_sendmmsg(fd, messages, n < most ? n : (unsigned)most,
			       flags);
}

WRAPS(int, recvmmsg, int fd, struct mmsghdr *messages, unsigned n, int flags,
      struct timespec *timeout)
{
	size_t most;

	if (fails(&most))
		return -1;
	return __real_recvmmsg(fd, messages, n < most ? n : (unsigned)most,
			       flags, timeout);
}
