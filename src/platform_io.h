/*
 * platform_io.h - several datagrams in one system call, where there is such.
 *
 * Both functions retry EINTR and give how many datagrams went, or -errno
 * when the first could not.
 */
#ifndef IBUF_SRC_PLATFORM_IO_H
#define IBUF_SRC_PLATFORM_IO_H

#include <sys/socket.h>

/* One datagram: Linux's struct mmsghdr, which POSIX does not know. */
struct ibuf_datagram_ {
	struct msghdr header;
	unsigned bytes; /* that went */
};

/* Receive up to n; a blocking socket waits for the first only. */
int ibuf_platform_recv_(int fd, struct ibuf_datagram_ *d, unsigned n,
			int flags);

/* Send up to n. */
int ibuf_platform_send_(int fd, struct ibuf_datagram_ *d, unsigned n,
			int flags);

#endif
