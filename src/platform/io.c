/* platform_io.c - what a call takes, on Linux and on plain POSIX. */
#ifdef IBUF_PLATFORM_POSIX
#define _POSIX_C_SOURCE 200809L
#elif !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "io.h"

#include <errno.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

/* The limit as it is known at compile time. */
#if defined(IOV_MAX)
#define PIECES_KNOWN IOV_MAX
#elif defined(UIO_MAXIOV)
#define PIECES_KNOWN UIO_MAXIOV
#else
#define PIECES_KNOWN PIECES_MOST
#endif

size_t
ibuf_platform_pieces_(void)
{
	long here = sysconf(_SC_IOV_MAX); /* -1: there is no limit */
	size_t most = PIECES_MOST;

	if (most > PIECES_KNOWN)
		most = PIECES_KNOWN;
	if (here > 0 && most > (size_t)here)
		most = (size_t)here;
	return most;
}

#ifdef IBUF_PLATFORM_POSIX

int
ibuf_platform_recv_(int fd, struct ibuf_datagram_ *d, unsigned n, int flags)
{
	ssize_t got;

	(void)n;
	do
		got = recvmsg(fd, &d->header, flags);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	d->bytes = (unsigned)got;
	return 1;
}

int
ibuf_platform_send_(int fd, struct ibuf_datagram_ *d, unsigned n, int flags)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		ssize_t sent;

		do
			sent = sendmsg(fd, &d[i].header, flags);
		while (sent < 0 && errno == EINTR);
		if (sent < 0)
			return i != 0 ? (int)i : -errno;
		d[i].bytes = (unsigned)sent;
	}
	return (int)i;
}

#else

_Static_assert(sizeof(struct ibuf_datagram_) == sizeof(struct mmsghdr) &&
		       offsetof(struct ibuf_datagram_, bytes) ==
			       offsetof(struct mmsghdr, msg_len),
	       "the kernel is given our struct");

int
ibuf_platform_recv_(int fd, struct ibuf_datagram_ *d, unsigned n, int flags)
{
	int got;

	do
		got = recvmmsg(fd, (struct mmsghdr *)(void *)d, n,
			       flags | MSG_WAITFORONE, NULL);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

int
ibuf_platform_send_(int fd, struct ibuf_datagram_ *d, unsigned n, int flags)
{
	int sent;

	do
		sent = sendmmsg(fd, (struct mmsghdr *)(void *)d, n, flags);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

#endif
