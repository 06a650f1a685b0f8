/*
 * io.h - messages and file descriptors.
 *
 * For all functions:
 *
 * Results are counts, or -errno of the system call.  EINTR is retried.
 *
 * Bytes or datagrams that were transferred before an error are reported
 * first.  ibuf_io_read() and ibuf_io_recv() make one system call: the kernel
 * keeps an error that ends a batch of datagrams for the next call, see
 * recvmmsg(2).  The others make several where one cannot take all.  An error
 * of a later one ends the call, and the next call meets it again if it
 * lasts.  One that the system reports only once, such as an ICMP error of an
 * earlier datagram, can be lost there, see sendmmsg(2).
 *
 * A call that fails or transfers nothing leaves the message as it was.
 *
 * Messages may have any number of segments.
 *
 * Flags are those of the system call, but for two, which are refused with
 * -EINVAL before anything happens: MSG_ZEROCOPY, since the bytes may be
 * freed or overwritten before the kernel has read them, and MSG_ERRQUEUE,
 * since control data is not received.
 *
 * A thread may be cancelled in a call that blocks; nothing leaks.
 */
#ifndef IBUF_IO_H
#define IBUF_IO_H

#include <ibuf/base.h>
#include <sys/socket.h>
#include <sys/types.h>

IBUF_BEGIN_DECLS

struct ibuf_mbuf;
struct ibuf_pool;

/**
 * @defgroup io Descriptors
 * Messages are read, written, received and sent.
 *
 * @mt object
 * @{
 */

/**
 * Append what a descriptor has to read.
 *
 * Reads into the tailroom.  Where that is less than max, a sole owner first
 * gets more of it without an allocation: an empty message starts again at the
 * headroom that its room was made with, and bytes slide down there where the
 * dead headroom in front of them is at least as long as they are.
 *
 * Asks for what then fits, but never for fewer bytes than the least of max,
 * 4096 and the capacity; a capacity below 512 counts as 4096.  The message
 * grows only when more comes than fits.  When there is no memory for that, the
 * call asks for what fits.  With ibuf_mbuf_tailroom() as max the message stays
 * in its room.
 *
 * For streams: the call is one read(2) into one piece of memory, and does to
 * a record what that does.  The rest of a longer datagram is lost, an empty
 * one looks like the end, and an eventfd or a timerfd gives -EINVAL for a max
 * below 8.  ibuf_io_recv() is for datagrams.
 *
 * @param fd a descriptor to read from
 * @param max bytes at most
 * @return bytes; 0: end of file, or max is 0; -ENOMEM: no tailroom, and no
 *         memory for more; -EOVERFLOW: the message can be no longer; -errno
 * @cost a system call; O(length of the last segment) where it slides or grows
 */
IBUF_API ssize_t ibuf_io_read(int fd, struct ibuf_mbuf *m, size_t max);

/**
 * Write a message with writev, and take off its front what went out.
 *
 * Ends early where the descriptor takes no more for now: the rest is still in
 * the message.  A pipe or socket whose reader is gone raises SIGPIPE.
 *
 * @param fd a descriptor to write to
 * @return bytes; 0: the message is empty, and nothing was called; -errno
 * @cost a system call for each IOV_MAX segments or GiB; O(segments that went
 *       out, and IOV_MAX)
 */
IBUF_API ssize_t ibuf_io_write(int fd, struct ibuf_mbuf *m);

/**
 * The same for a socket, with sendmsg, and never raising SIGPIPE.  For streams:
 * where a socket keeps records, each system call is one.
 *
 * @param fd a socket
 * @param flags as for sendmsg, MSG_NOSIGNAL is added; MSG_OOB and MSG_EOR go
 *        with the last byte of the message
 * @return as ibuf_io_write(); -EINVAL: a flag is refused, see above
 */
IBUF_API ssize_t ibuf_io_write_socket(int fd, struct ibuf_mbuf *m, int flags);

/** One datagram of a batch. */
struct ibuf_io_datagram {
	/** Its bytes. */
	struct ibuf_mbuf *m;
	/** Where it came from, or where it goes. */
	struct sockaddr_storage peer;
	/** Bytes of peer; 0: no address, or the socket is connected. */
	socklen_t peer_len;
	/** It was longer than an mbuf of the pool holds. */
	bool truncated;
};

/**
 * Receive up to n datagrams, each into an mbuf of a pool.
 *
 * One system call.  A blocking socket waits for the first datagram only;
 * meanwhile the call holds n mbufs, or as many as the pool had.  Fewer than n
 * do not say that there are no more.  Where the system has no recvmmsg, one
 * datagram is received.
 *
 * Control data is not received: descriptors that a peer passes are closed.
 * A connection (SOCK_SEQPACKET) whose peer is gone gives empty messages, as
 * recv(2) gives 0 for its end and for an empty record.
 *
 * @param fd a datagram socket
 * @param p where the mbufs come from
 * @param d where the datagrams go; entries beyond the count are untouched
 * @param n how many at most; one call takes 1024, or 128 where there is no
 *        memory for a longer list
 * @param flags as for recvmmsg
 * @return how many; 0: n is 0; -ENOBUFS or -ENOMEM: the pool has none to
 *         give, and no datagram was consumed; -EINVAL: a flag is refused, see
 *         above; -errno
 * @owner the caller has each d[i].m
 * @mt any for the pool
 * @cost a system call; O(n)
 */
IBUF_API int ibuf_io_recv(int fd, struct ibuf_pool *p,
			  struct ibuf_io_datagram *d, unsigned n, int flags);

/**
 * Send up to n datagrams.
 *
 * Each message is one datagram; one of more than IOV_MAX segments is sent
 * from a contiguous copy.  A stream is no datagram socket: there the rest of
 * a message that went out in part would be lost.
 *
 * @param fd a datagram socket
 * @param d the datagrams; peer_len 0: to where the socket is connected
 * @param n how many
 * @param flags as for sendmmsg, MSG_NOSIGNAL is added; with MSG_MORE, UDP
 *        joins the datagrams
 * @return how many were sent; 0: n is 0; -ENOMEM: the first needs a copy;
 *         -EINVAL: a flag is refused, see above; -errno: the first could not
 *         be sent
 * @owner the messages that were sent are freed and their m set to NULL; the
 *        others are still the caller's
 * @cost a system call for each 64 datagrams or 1024 segments; O(segments)
 */
IBUF_API int ibuf_io_send(int fd, struct ibuf_io_datagram *d, unsigned n,
			  int flags);

/** @} */

IBUF_END_DECLS

#endif
