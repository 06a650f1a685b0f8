/*
 * adapt/xdp.h - frames of an interface's queue, by AF_XDP, with libxdp.
 *
 *             fill ring              rx ring
 *   pool  ---------------> kernel  ------------> messages to receive
 *    ^                                            messages to send
 *    +----------------------------- kernel <------------+  tx ring
 *           completion ring
 *
 * A pool is the memory that the kernel knows (umem): the room of each of its
 * mbufs is a frame.  A message that was received is an mbuf of that pool; it goes
 * back there when it is freed, in any thread.  A message that is sent must be of
 * that pool, in one segment; a clone or a slice is as good.  Nothing is copied on
 * this side; where the driver has no zero copy, the kernel copies once.
 *
 * Linux 5.4 and later; needs CAP_NET_RAW and CAP_BPF, or root.
 */
#ifndef IBUF_ADAPT_XDP_H
#define IBUF_ADAPT_XDP_H

#include <ibuf/base.h>

IBUF_BEGIN_DECLS

struct ibuf_mbuf;
struct ibuf_pool;
struct ibuf_xdp;

/** How a socket is made; all but the interface may be zero. */
struct ibuf_xdp_options {
	/** Its name. */
	const char *interface;
	/** Which of its queues. */
	unsigned queue;
	/** Mbufs of the pool; 0: 4096.  Half of them wait in the fill ring. */
	unsigned mbufs;
	/** Bytes of each, 1792 to 3840; 0: 1792.  Longer frames are dropped. */
	unsigned capacity;
	/** XDP_FLAGS_*, as XDP_FLAGS_SKB_MODE. */
	uint32_t xdp_flags;
	/** XDP_COPY, XDP_ZEROCOPY; 0: zero copy where the driver has it. */
	uint16_t bind_flags;
};

/** What the kernel counts. */
struct ibuf_xdp_stats {
	/** Frames that were too long, or for other reasons. */
	uint64_t dropped;
	/** Frames for which the rx ring had no place. */
	uint64_t ring_full;
	/** Frames for which the fill ring had no mbuf: all are in use. */
	uint64_t no_mbuf;
	/** Messages that were not sent, for being none. */
	uint64_t invalid;
};

/**
 * Open a queue, and lead what it receives here: libxdp loads its program.
 *
 * @param x where the socket goes; untouched on failure
 * @return 0; -EPERM; -ENODEV: no such interface or queue; -EBUSY: somebody else
 *         has it, or had it until a moment ago; -EINVAL: a capacity or a number that cannot be; -ENOMEM;
 *         -errno
 * @owner the caller ends it by ibuf_xdp_close()
 */
static inline int ibuf_xdp_open(struct ibuf_xdp **x,
				const struct ibuf_xdp_options *options);

/**
 * The pool: for messages to send.  It has 256 bytes of headroom, and no more than
 * options.mbufs; it must not be destroyed.
 */
static inline struct ibuf_pool *ibuf_xdp_pool(const struct ibuf_xdp *x);

/** The descriptor, to poll: readable when frames are there. */
static inline int ibuf_xdp_fd(const struct ibuf_xdp *x);

/**
 * Take frames that are there, and give mbufs for those to come.
 *
 * @param ms where they go
 * @param n how many at most
 * @return how many; 0: none now, poll; -ENETDOWN: the interface is gone
 * @owner the caller has each message, and frees it by ibuf_mbuf_free()
 * @mt object; messages are freed in any thread
 * @cost an allocation of the pool a frame; a system call where the driver wants
 *       to be woken
 */
static inline int ibuf_xdp_recv(struct ibuf_xdp *x, struct ibuf_mbuf **ms,
				int n);

/**
 * Send messages.  What was sent is freed by a later call of ibuf_xdp_send() or
 * ibuf_xdp_recv(), in this thread.
 *
 * @param ms the messages; their bytes are not to be written any more
 * @param n how many; 0: only look what has been sent
 * @return how many of the first are taken: fewer where the ring is full, or where
 *         the next message is of another pool, empty, or of several segments;
 *         -EINVAL: already the first is; -ENETDOWN: the interface is down, none
 *         was taken, and what was taken before waits; -EAGAIN: the ring is full
 * @owner those taken are not the caller's any more
 * @mt object
 * @cost a system call, where the driver wants to be woken
 */
static inline int ibuf_xdp_send(struct ibuf_xdp *x, struct ibuf_mbuf *const *ms,
				int n);

/** How many messages the kernel has that are to be sent. */
static inline unsigned ibuf_xdp_pending(const struct ibuf_xdp *x);

/**
 * Read what the kernel has counted.
 *
 * @return 0; -errno
 */
static inline int ibuf_xdp_get_stats(const struct ibuf_xdp *x,
				     struct ibuf_xdp_stats *stats);

/**
 * End it.  Messages that were received live on; the memory goes with the last of
 * them.  What was not sent yet is not sent.
 *
 * @param x the socket; NULL is fine
 * @mt setup for the socket; its messages may be used and freed meanwhile
 */
static inline void ibuf_xdp_close(struct ibuf_xdp *x);

IBUF_END_DECLS

#include <ibuf/adapt/inline/xdp.h>

#endif
