/* platform_io.c - batches of datagrams, on Linux and on plain POSIX. */
#ifdef IBUF_PLATFORM_POSIX
#define _POSIX_C_SOURCE 200809L
#elif !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "platform_io.h"

#include <errno.h>
#include <stddef.h>

#ifdef IBUF_PLATFORM_POSIX

#ifndef MSG_DONTWAIT /* then a batch is one datagram */
#define MSG_DONTWAIT 0
#endif

int
ibuf_platform_recv_(int fd, struct ibuf_datagram_ *d, unsigned n, int flags)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		ssize_t got;

		if (i != 0 && MSG_DONTWAIT == 0)
			break;
		do
			got = recvmsg(fd, &d[i].header,
				      flags | (i == 0 ? 0 : MSG_DONTWAIT));
		while (got < 0 && errno == EINTR);
		if (got < 0)
			return i != 0 ? (int)i : -errno;
		d[i].bytes = (unsigned)got;
	}
	return (int)i;
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
