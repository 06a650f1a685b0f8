/*
 * datagrams.h - sockets that keep the borders of what is sent, and pools of
 * small mbufs, for the tests of datagrams.
 */
#ifndef DATAGRAMS_H
#define DATAGRAMS_H

#include "calls.h"
#include "messages.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * Two ends that do not block.  SOCK_DGRAM: a few fit in between, and no more;
 * SOCK_SEQPACKET: at least two hundred small ones do.
 */
struct channel {
	int to, from;
};

static inline void
channel_open(struct channel *c, int type)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends), 0);
	c->to = ends[0];
	c->from = ends[1];
	calls_reset();
}

/* From now on the reading end does. */
static inline void
channel_let_block(struct channel *c)
{
	assert_int_equal(fcntl(c->from, F_SETFL, 0), 0);
}

static inline void
channel_close(struct channel *c)
{
	close(c->to);
	if (c->from >= 0)
		close(c->from);
	calls_reset();
}

static inline void
put(const struct channel *c, const void *bytes, size_t n)
{
	assert_int_equal(send(c->to, bytes, n, 0), n);
}

/* The next datagram is this one. */
static inline void
assert_next(int from, const void *bytes, size_t n)
{
	uint8_t *came = malloc(n + 1);

	assert_int_equal(recv(from, came, n + 1, 0), n);
	assert_memory_equal(came, bytes, n);
	free(came);
}

/* A socket of 127.0.0.1 that does not block, and its address. */
static inline int
udp_socket(struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof(*address);

	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
	return fd;
}

/* Send bytes with one control message, by the system itself. */
static inline ssize_t
send_with(int fd, const void *bytes, size_t n, int level, int type,
	  const void *data, size_t size)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = {(void *)(uintptr_t)bytes, n};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = CMSG_SPACE(size)};

	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = level;
	control.header.cmsg_type = type;
	control.header.cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(&control.header), data, size);
	return sendmsg(fd, &message, 0);
}

/* What one call of ibuf_io_recv() takes where so many are there. */
#ifdef IBUF_PLATFORM_POSIX
#define AT_ONCE 1u
#else
#define AT_ONCE 1024u
#endif

/* Receive the n datagrams that are there, of which a call takes AT_ONCE. */
static inline void
receive_all(int fd, struct ibuf_pool *p, struct ibuf_io_datagram *d, unsigned n,
	    unsigned most, int flags)
{
	while (n != 0) {
		unsigned here = n < AT_ONCE ? n : AT_ONCE;
		size_t calls = calls_made();

		assert_int_equal(ibuf_io_recv(fd, p, d, most, flags), here);
		assert_int_equal(calls_made(), calls + 1);
		d += here;
		n -= here;
		most -= here;
	}
}

/* How many this process has. */
static inline size_t
open_descriptors(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* max 0: as many as are asked for. */
static inline struct ibuf_pool *
pool_of_4_bytes(size_t max)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;

	o.capacity = 4;
	o.max = max;
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	return p;
}

#endif
