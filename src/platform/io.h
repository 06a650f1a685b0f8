/*
 * platform_io.h - what one call of the system takes: pieces of memory,
 * datagrams, flags.
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

/*
 * Flags that no function takes.  ZEROCOPY: the bytes would be read after the
 * call, when they are no longer the message's.  ERRQUEUE: what comes is no
 * datagram of the peer's, and what it tells is in control data.
 */
#if defined(__linux__) && !defined(MSG_ZEROCOPY)
#define MSG_ZEROCOPY 0x4000000
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0
#endif
#ifndef MSG_ERRQUEUE
#define MSG_ERRQUEUE 0
#endif
#define REFUSED_FLAGS (MSG_ZEROCOPY | MSG_ERRQUEUE)

/* One datagram: Linux's struct mmsghdr, which POSIX does not know. */
struct ibuf_datagram_ {
	struct msghdr header;
	unsigned bytes; /* that went */
};

/*
 * Datagrams that one call receives.  An error behind the first of them must
 * come again at the next call: Linux keeps it, POSIX's recvmsg() does not.
 */
#ifdef IBUF_PLATFORM_POSIX
#define RECEIVED_MOST 1
#else
#define RECEIVED_MOST 1024
#endif

/* Receive up to n <= RECEIVED_MOST; waits for the first only. */
int ibuf_platform_recv_(int fd, struct ibuf_datagram_ *d, unsigned n,
			int flags);

/* Send up to n. */
int ibuf_platform_send_(int fd, struct ibuf_datagram_ *d, unsigned n,
			int flags);

#endif
