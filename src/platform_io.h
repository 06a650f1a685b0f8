/*
 * platform_io.h - what one call of the system takes: pieces of memory,
 * datagrams.
 *
 * The calls retry EINTR and give how many datagrams went, or -errno when the
 * first could not.
 */
#ifndef IBUF_SRC_PLATFORM_IO_H
#define IBUF_SRC_PLATFORM_IO_H

#include <stddef.h>
#include <sys/socket.h>

/* Pieces of memory for one call: few enough for the stack. */
#define PIECES_MOST 1024

/* How many of them the system takes in one call; at most PIECES_MOST. */
size_t ibuf_platform_pieces_(void);

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
