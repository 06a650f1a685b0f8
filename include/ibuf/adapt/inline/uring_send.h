/*
 * adapt/inline/uring_send.h - a message goes out by io_uring.
 *
 * A send holds the message until the kernel needs it no more.
 *
 *              prep               the last completion: all went
 *   (idle) -----------> in flight ----------------------------> (idle), freed
 *      ^                |     ^  |
 *      |  a part went:  |     |  +-- failed: ibuf_uring_send_take()
 *      |       REST     +-----+      gives back what is left
 *      |            ibuf_uring_send_rest()
 *      +----------------------------- ibuf_uring_send_take()
 *
 * Of a send without a copy (IBUF_URING_F_ZEROCOPY) each part has two
 * completions, what went and a notification that the kernel has let go of the
 * bytes; the message is held until all of them have come.
 */
#ifndef IBUF_ADAPT_INLINE_URING_SEND_H
#define IBUF_ADAPT_INLINE_URING_SEND_H

#include <ibuf/mbuf.h>
#include <ibuf/segment.h>

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

IBUF_BEGIN_BODIES_

/**
 * @defgroup uring_send Sending with io_uring
 * A message that is held until the kernel needs it no more.
 *
 * @owner the send has a message from a prep that succeeds until DONE, where it
 *        is freed, or until ibuf_uring_send_take()
 * @mt object: one thread at a time per send
 * @cost O(segments of the part), no system call
 * @{
 */

/** The kernel reads the bytes where they are, as long as it needs them. */
#define IBUF_URING_F_ZEROCOPY 1u

/** Segments that one request takes at most; more go out in several. */
#define IBUF_URING_SEGMENTS 16

/** All went, the kernel has let go, and the message has been freed. */
#define IBUF_URING_DONE 0
/** A part went: ibuf_uring_send_rest() prepares the rest. */
#define IBUF_URING_REST 1
/** Nothing to do: another completion comes. */
#define IBUF_URING_HELD 2

/** A send; starts as zeros.  Its address must not change, and it must live,
 * while ibuf_uring_send_is_idle() is false. */
struct ibuf_uring_send {
	/** @cond private */
	struct ibuf_mbuf *m_; /* NULL: idle */
	size_t sent_;         /* bytes of it that went */
	unsigned waits_;      /* last completions to come */
	bool going_;          /* what went of the last part is not known yet */
	bool has_header_;     /* header_ says more than where the bytes are */
	int error_;
	int fd_, flags_;
	unsigned how_;
	struct msghdr header_;
	struct iovec iov_[IBUF_URING_SEGMENTS];
	/** @endcond */
};

/** Is there no message in it? */
static inline bool
ibuf_uring_send_is_idle(const struct ibuf_uring_send *s)
{
	return s->m_ == NULL;
}

/**
 * Count the bytes of its message that have not gone yet.
 *
 * With HELD, 0 says that the next message of a stream may be sent, by another
 * struct: only the notification is to come.
 */
static inline size_t
ibuf_uring_send_left(const struct ibuf_uring_send *s)
{
	return s->m_ == NULL ? 0 : ibuf_mbuf_len(s->m_) - s->sent_;
}

/** @cond private */
static inline void
ibuf_uring_send_start_(struct ibuf_uring_send *s, int fd, struct ibuf_mbuf *m,
		       int flags, unsigned how)
{
	s->m_ = m;
	s->sent_ = 0;
	s->waits_ = 0;
	s->error_ = 0;
	s->fd_ = fd;
	s->flags_ = flags | MSG_NOSIGNAL;
	s->how_ = how;
	s->has_header_ = false;
}
/** @endcond */

/**
 * Prepare the rest of a message, after IBUF_URING_REST: to the same socket with
 * the same flags.
 *
 * @param sqe as for ibuf_uring_send_prep(), user_data and flags too
 */
static inline void
ibuf_uring_send_rest(struct ibuf_uring_send *s, struct io_uring_sqe *sqe)
{
	bool zerocopy = (s->how_ & IBUF_URING_F_ZEROCOPY) != 0;
	size_t run, n, left = ibuf_uring_send_left(s);
	const uint8_t *at = ibuf_mbuf_at(s->m_, s->sent_, &run);

	s->going_ = true;
	s->waits_++;
	if (IBUF_LIKELY(run == left && !s->has_header_)) {
		if (zerocopy)
			io_uring_prep_send_zc(sqe, s->fd_, at, run, s->flags_,
					      0);
		else
			io_uring_prep_send(sqe, s->fd_, at, run, s->flags_);
		return;
	}
	if (!s->has_header_)
		memset(&s->header_, 0, sizeof(s->header_));
	n = ibuf_mbuf_iov(s->m_, s->sent_, s->iov_, IBUF_URING_SEGMENTS);
	s->header_.msg_iov = s->iov_;
	s->header_.msg_iovlen =
		n < IBUF_URING_SEGMENTS ? n : IBUF_URING_SEGMENTS;
	if (zerocopy)
		io_uring_prep_sendmsg_zc(sqe, s->fd_, &s->header_,
					 (unsigned)s->flags_);
	else
		io_uring_prep_sendmsg(sqe, s->fd_, &s->header_,
				      (unsigned)s->flags_);
}

/**
 * Prepare to send a message to where a socket is connected.
 *
 * Each of its completions goes to ibuf_uring_send_done(); the entry must be
 * submitted.  Not with IOSQE_CQE_SKIP_SUCCESS.  Where the socket keeps records,
 * the message is one, of at most IBUF_URING_SEGMENTS segments.
 *
 * @param s idle
 * @param sqe an entry of a ring; user_data is left to the caller
 * @param fd a socket, or its index, with IOSQE_FIXED_FILE added afterwards
 * @param flags as for send, MSG_NOSIGNAL is added; with MSG_WAITALL the kernel
 *        itself goes on after a part of a stream went, as far as it can
 * @param how 0 or IBUF_URING_F_ZEROCOPY, which pays for large messages on real
 *        networks; a kernel that does not know it completes with -EINVAL
 */
static inline void
ibuf_uring_send_prep(struct ibuf_uring_send *s, struct io_uring_sqe *sqe,
		     int fd, struct ibuf_mbuf *m, int flags, unsigned how)
{
	ibuf_uring_send_start_(s, fd, m, flags, how);
	ibuf_uring_send_rest(s, sqe);
}

/**
 * Prepare to send a message as one datagram, to an address or with control
 * messages.
 *
 * @param with msg_name, msg_namelen, msg_control and msg_controllen are what
 *        goes with it, and must live until the result has come; the others are
 *        not read
 * @return 0; -EMSGSIZE: the message has more segments than
 *         IBUF_URING_SEGMENTS, nothing was prepared and it is still the
 *         caller's (ibuf_mbuf_linearize() helps)
 */
IBUF_MUST_USE static inline int
ibuf_uring_sendmsg_prep(struct ibuf_uring_send *s, struct io_uring_sqe *sqe,
			int fd, struct ibuf_mbuf *m, const struct msghdr *with,
			int flags, unsigned how)
{
	if (ibuf_mbuf_segments(m) > IBUF_URING_SEGMENTS)
		return -EMSGSIZE;
	ibuf_uring_send_start_(s, fd, m, flags, how);
	s->has_header_ = true;
	memset(&s->header_, 0, sizeof(s->header_));
	s->header_.msg_name = with->msg_name;
	s->header_.msg_namelen = with->msg_namelen;
	s->header_.msg_control = with->msg_control;
	s->header_.msg_controllen = with->msg_controllen;
	ibuf_uring_send_rest(s, sqe);
	return 0;
}

/**
 * Take a completion of a send.
 *
 * After a part of several was cancelled or failed, what went before has gone;
 * the message that ibuf_uring_send_take() gives lacks it.
 *
 * @return IBUF_URING_DONE, IBUF_URING_REST or IBUF_URING_HELD; -errno: it
 *         failed, no completion is to come, and ibuf_uring_send_take() gives
 *         the message back
 */
IBUF_MUST_USE static inline int
ibuf_uring_send_done(struct ibuf_uring_send *s, const struct io_uring_cqe *cqe)
{
	bool result = (cqe->flags & IORING_CQE_F_NOTIF) == 0;

	if (result) {
		s->going_ = false;
		if (cqe->res < 0)
			s->error_ = cqe->res;
		else
			s->sent_ += (size_t)cqe->res;
	}
	if ((cqe->flags & IORING_CQE_F_MORE) == 0)
		s->waits_--;
	if (s->error_ == 0 && ibuf_uring_send_left(s) != 0)
		return result ? IBUF_URING_REST : IBUF_URING_HELD;
	if (s->going_ || s->waits_ != 0)
		return IBUF_URING_HELD;
	if (s->error_ != 0)
		return s->error_;
	ibuf_mbuf_free(s->m_);
	s->m_ = NULL;
	return IBUF_URING_DONE;
}

/**
 * Take back the message of a send that failed, or whose rest is not to go: what
 * has not gone of it.
 *
 * @return the message, and the send is idle; NULL: it is idle, or the kernel
 *         still has the message
 * @owner the caller has the message
 */
IBUF_MUST_USE static inline struct ibuf_mbuf *
ibuf_uring_send_take(struct ibuf_uring_send *s)
{
	struct ibuf_mbuf *m = s->m_;

	if (m == NULL || s->waits_ != 0)
		return NULL;
	/* No more than the message has. */
	if (ibuf_mbuf_trim_head(m, s->sent_) != 0)
		abort();
	s->m_ = NULL;
	return m;
}

/** @} */

IBUF_END_BODIES_

#endif
