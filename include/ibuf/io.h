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
 * freed or overwritten before the kernel has read them, and MSG_ERRQUEUE
 * but for ibuf_io_recv_control(), since what it tells is in control messages.
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
IBUF_API ssize_t ibuf_io_read(int fd, struct ibuf_mbuf *m, size_t max)
	IBUF_NONNULL((2));

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
IBUF_API ssize_t ibuf_io_write(int fd, struct ibuf_mbuf *m) IBUF_NONNULL((2));

/**
 * The same for a socket, with sendmsg, and never raising SIGPIPE.  For streams:
 * where a socket keeps records, each system call is one.
 *
 * @param fd a socket
 * @param flags as for sendmsg, MSG_NOSIGNAL is added; MSG_OOB and MSG_EOR go
 *        with the last byte of the message
 * @return as ibuf_io_write(); -EINVAL: a flag is refused, see above
 */
IBUF_API ssize_t ibuf_io_write_socket(int fd, struct ibuf_mbuf *m, int flags)
	IBUF_NONNULL((2));

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
 * Control messages are not received: descriptors that a peer passes are
 * closed, and where the socket has UDP_GRO nobody tells the segment size of a
 * run.  ibuf_io_recv_control() receives them.
 *
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

/**
 * What goes beside a datagram: control messages, see cmsg(3), and how a run of
 * datagrams is cut.
 *
 * It is apart from struct ibuf_io_datagram, whose size is part of the ABI and
 * of which a program may leave unset what ibuf_io_recv() and ibuf_io_send() do
 * not read.  Start from zeros: `struct ibuf_io_control c[N] = {0}`, or `{}`.
 */
struct ibuf_io_control {
	/** Room for control messages, or those to send; NULL: none.  Aligned
	 * as a struct cmsghdr. */
	void *data;
	/** Bytes that fit at data, when receiving. */
	size_t size;
	/** Bytes of control messages at data: those that came, or those to
	 * send. */
	size_t len;
	/** The flags of the system that came with the datagram; MSG_CTRUNC:
	 * control messages were left out, for want of room or as unwanted
	 * descriptors. */
	int flags;
	/** Bytes of each datagram of a run, but for the last, which has the
	 * rest; 0: the message is one datagram. */
	uint16_t segment_size;
	/** When receiving: the caller takes over the descriptors in the
	 * control messages, and closes them.  False: they are closed, and
	 * their control messages left out. */
	bool takes_descriptors;
};

/**
 * The same as ibuf_io_recv(), with control messages.
 *
 * What comes is what the socket was told to give: IP_PKTINFO, IP_RECVTOS,
 * SO_TIMESTAMPNS, SO_PASSCRED and so on, see ip(7), ipv6(7), socket(7),
 * unix(7).  Control messages that do not fit are left out, with MSG_CTRUNC.
 *
 * Where a UDP socket has UDP_GRO, the datagrams of a run come as one message:
 * segment_size says how to cut it, and no room is needed for that.  A pool for
 * runs has mbufs of 64 KiB; a run that is longer than the mbuf is truncated.
 * A library that is built for plain POSIX leaves UDP_GRO to the caller: it is a
 * control message like others, and segment_size is 0.
 * ibuf_mbuf_split_front() or ibuf_mbuf_slice() take the datagrams out of it
 * without copying.
 *
 * Descriptors (SCM_RIGHTS, SCM_PIDFD) come close-on-exec, and only where
 * takes_descriptors is set and there is room: all others are closed.
 *
 * With MSG_ERRQUEUE the message is what the error is about, and the error is
 * in the control messages, see IP_RECVERR in ip(7).
 *
 * @param fd a datagram socket
 * @param p where the mbufs come from
 * @param d where the datagrams go; entries beyond the count are untouched
 * @param c for each datagram: data, size and takes_descriptors are read, the
 *        others are written; entries beyond the count are untouched
 * @param n how many at most; one call takes 1024, or 32 where there is no
 *        memory for a longer list
 * @param flags as for recvmmsg, MSG_CMSG_CLOEXEC is added
 * @return as ibuf_io_recv()
 * @owner the caller has each d[i].m, and the descriptors it takes
 * @mt any for the pool
 * @cost a system call; O(n)
 */
IBUF_API int ibuf_io_recv_control(int fd, struct ibuf_pool *p,
				  struct ibuf_io_datagram *d,
				  struct ibuf_io_control *c, unsigned n,
				  int flags);

/**
 * The same as ibuf_io_send(), with control messages.
 *
 * A message that is longer than its segment_size goes out as a run of
 * datagrams of that size, which the system cuts (UDP_SEGMENT).  What
 * ibuf_io_recv_control() gave can be sent as it is; set len to 0 unless its
 * control messages are ones to send too, as IP_PKTINFO is and a timestamp is
 * not.  Descriptors among them are passed, and stay the caller's.
 *
 * @param fd a datagram socket
 * @param d the datagrams; peer_len 0: to where the socket is connected
 * @param c for each datagram: data, len and segment_size are read
 * @param n how many
 * @param flags as for sendmmsg, MSG_NOSIGNAL is added
 * @return as ibuf_io_send(), each error of the first that is left.
 *         -ENOTSUP: the system or the socket does not cut into segments;
 *         -EINVAL: there are more of them than the system takes (64, or 128
 *         since Linux 6.9), or the system does not know a control message;
 *         -EINVAL or -EMSGSIZE: a segment is longer than a packet may be, or
 *         a run longer than 64 KiB; -EIO: the device makes no checksums;
 *         -ENOBUFS: control messages of more than 4000 bytes beside a
 *         segment_size, or more than the system takes
 * @owner as ibuf_io_send(); the control messages stay the caller's
 * @cost a system call for each 64 datagrams, 1024 segments or 4000 bytes of
 *       control messages that go with a segment_size; O(segments)
 */
IBUF_API int ibuf_io_send_control(int fd, struct ibuf_io_datagram *d,
				  const struct ibuf_io_control *c, unsigned n,
				  int flags);

/** @} */

IBUF_END_DECLS

#endif
