/* platform_control.c - control messages, on Linux and on plain POSIX. */
#ifdef IBUF_PLATFORM_POSIX
#define _POSIX_C_SOURCE 200809L
#elif !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* Linux 6.5 passes a process that way, on a socket that asks for it. */
#if defined(__linux__) && !defined(SCM_PIDFD)
#define SCM_PIDFD 0x04
#endif

/* Headers of the system may be older than it is. */
#ifndef IBUF_PLATFORM_POSIX
#define LEVEL_UDP IPPROTO_UDP
#define SEGMENT_SENT 103 /* UDP_SEGMENT: a uint16_t */
#define SEGMENT_CAME 104 /* UDP_GRO: an int */
#endif

static bool
has_descriptors(const struct cmsghdr *c)
{
	if (c->cmsg_level != SOL_SOCKET)
		return false;
#ifdef SCM_PIDFD
	if (c->cmsg_type == SCM_PIDFD)
		return true;
#endif
	return c->cmsg_type == SCM_RIGHTS;
}

/* Close the descriptors, or only see that no exec() inherits them. */
static void
settle_descriptors(struct cmsghdr *c, bool closes)
{
	const uint8_t *at = CMSG_DATA(c), *end = (uint8_t *)c + c->cmsg_len;

	for (; end - at >= (ptrdiff_t)sizeof(int); at += sizeof(int)) {
		int fd;

		memcpy(&fd, at, sizeof fd);
		if (closes)
			(void)close(fd);
#ifndef MSG_CMSG_CLOEXEC
		else
			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
	}
}

/* Is it the size of the segments of a run? */
static bool
is_segment_size(const struct cmsghdr *c)
{
#ifdef SEGMENT_CAME
	return c->cmsg_level == LEVEL_UDP && c->cmsg_type == SEGMENT_CAME;
#else
	(void)c;
	return false;
#endif
}

static uint16_t
segment_size_of(struct cmsghdr *c)
{
	int size = 0;

	if (c->cmsg_len - (size_t)(CMSG_DATA(c) - (uint8_t *)c) >= sizeof size)
		memcpy(&size, CMSG_DATA(c), sizeof size);
	return (uint16_t)size;
}

static size_t
sort(struct msghdr *from, uint8_t *to, size_t size, bool descriptors,
     uint16_t *segment_size)
{
	uint8_t *end = (uint8_t *)from->msg_control + from->msg_controllen;
	struct cmsghdr *c, *next;
	size_t used = 0;

	*segment_size = 0;
	for (c = CMSG_FIRSTHDR(from); c != NULL; c = next) {
		size_t n;
		bool copied;

		/* Before it is overwritten, if it is. */
		next = CMSG_NXTHDR(from, c);
		if (is_segment_size(c)) {
			*segment_size = segment_size_of(c);
			continue;
		}
		n = (size_t)((next != NULL ? (uint8_t *)next : end) -
			     (uint8_t *)c);
		/* What is behind the last is only there to align the next. */
		if (n > size - used)
			n = c->cmsg_len;
		copied = n <= size - used &&
			 (descriptors || !has_descriptors(c));
		if (has_descriptors(c))
			settle_descriptors(c, !copied);
		if (!copied) {
			from->msg_flags |= MSG_CTRUNC;
			continue;
		}
		memmove(to + used, c, n);
		used += n;
	}
	return used;
}

size_t
ibuf_platform_control_sort_(struct msghdr *from, uint8_t *to, size_t size,
			    bool descriptors, uint16_t *segment_size)
{
	size_t used;
	int state;

	/* close() is a cancellation point: the rest would stay open. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	used = sort(from, to, size, descriptors, segment_size);
	pthread_setcancelstate(state, &state);
	return used;
}

#ifdef IBUF_PLATFORM_POSIX

size_t
ibuf_platform_control_segment_(uint8_t *room, size_t size, size_t used,
			       uint16_t segment_size)
{
	(void)room;
	(void)size;
	(void)used;
	(void)segment_size;
	return 0;
}

int
ibuf_platform_segments_(int fd)
{
	(void)fd;
	return -ENOTSUP;
}

#else

size_t
ibuf_platform_control_segment_(uint8_t *room, size_t size, size_t used,
			       uint16_t segment_size)
{
	size_t at = CMSG_SPACE(used) - CMSG_SPACE(0); /* aligned */
	size_t total = at + CMSG_SPACE(sizeof segment_size);
	struct cmsghdr *c = (struct cmsghdr *)(void *)(room + at);

	if (used > size || total > size)
		return 0;
	memset(room + used, 0, total - used);
	c->cmsg_level = LEVEL_UDP;
	c->cmsg_type = SEGMENT_SENT;
	c->cmsg_len = CMSG_LEN(sizeof segment_size);
	memcpy(CMSG_DATA(c), &segment_size, sizeof segment_size);
	return total;
}

/*
 * An older kernel, and a socket that is not of UDP, would not see the control
 * message and send all as one datagram.
 */
int
ibuf_platform_segments_(int fd)
{
	int size;
	socklen_t length = sizeof size;

	if (getsockopt(fd, LEVEL_UDP, SEGMENT_SENT, &size, &length) == 0)
		return 0;
	return errno == ENOPROTOOPT ? -ENOTSUP : -errno;
}

#endif
