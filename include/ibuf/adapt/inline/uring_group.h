/*
 * adapt/inline/uring_group.h - what io_uring receives comes as messages of a pool.
 *
 *             ibuf_uring_group_refill()             the kernel, in this order
 *   pool  ------------------------------> | m | m | m | m |  ----+
 *    ^                                                           | receive
 *    +--- ibuf_mbuf_free(), any thread --- the caller  <---------+
 *                                            ibuf_uring_recv_take()
 *
 * A group is a ring of provided buffers.  Each of them is the room of a fresh
 * message, so what comes is handed over as it lies, and a message that is freed
 * is back in the pool, whatever thread frees it: from there the group is filled
 * again, several at a time.
 *
 *   entries = messages that the kernel has + free ids
 *
 * In parts (IBUF_URING_F_PARTS) a buffer takes one receive behind the other
 * while it has room, and each is handed over as a slice; the buffer is back in
 * the pool when the last slice is gone.  Otherwise each receive takes a buffer
 * of its own, however little came.
 *
 * An empty group ends a receive with -ENOBUFS, and so does an overflow of the
 * completion queue end it, without an error: whatever ends a receive, its last
 * completion lacks IORING_CQE_F_MORE, and the caller prepares it again when it
 * likes, after -ENOBUFS when ibuf_uring_group_refill() gives more than 0.
 */
#ifndef IBUF_ADAPT_INLINE_URING_GROUP_H
#define IBUF_ADAPT_INLINE_URING_GROUP_H

#include <ibuf/mbuf.h>
#include <ibuf/pool.h>
#include <ibuf/segment.h>

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

IBUF_BEGIN_BODIES_

/** @cond private */

/* Younger than liburing 2.3, whose name for them may be an enumerator. */
#define IBUF_URING_RING_INC_ 2u
#define IBUF_URING_BUF_MORE_ (1u << 4)
#define IBUF_URING_REGISTER_STATUS_ 26u

/* Messages that are asked of the pool at a time. */
#define IBUF_URING_BATCH_ 32u

/** @endcond */

/**
 * @defgroup uring_group Receiving with io_uring
 * A group of buffers that a pool fills.
 *
 * @owner the caller has what recv_take and recvmsg_take give, and frees it on
 *        any thread, also after the group, the ring and the pool are gone
 * @mt object: one thread at a time per group, the one that submits to the ring
 * @cost O(1), no system call, where nothing else is said
 * @{
 */

/** A buffer takes one receive behind the other while it has room; Linux 6.12.
 * For streams: what is left of a buffer may be less than a datagram. */
#define IBUF_URING_F_PARTS 1u

/** A group of buffers; its address must not change while it is open. */
struct ibuf_uring_group {
	/** @cond private */
	struct io_uring *ring_;
	struct ibuf_pool *pool_;
	struct io_uring_buf_ring *buffers_;
	struct ibuf_mbuf **messages_; /* by id; NULL: the id is free */
	uint16_t *free_;              /* a stack of ids */
	uint16_t *place_;             /* by id: the tail when it went in */
	unsigned entries_, frees_;
	unsigned batch_; /* free ids at which a take refills */
	unsigned armed_; /* receives whose last completion has not come */
	uint32_t room_;  /* bytes of a buffer */
	uint16_t id_;
	bool parts_;
	/** @endcond */
};

/** @cond private */

/* Register a ring of buffers; -ENOTSUP: the kernel does not know the flags. */
static inline int
ibuf_uring_register_(struct io_uring *ring, void *at, unsigned entries,
		     uint16_t id, uint16_t flags)
{
	struct io_uring_buf_reg reg;
	int error;

	memset(&reg, 0, sizeof(reg));
	reg.ring_addr = (uint64_t)(uintptr_t)at;
	reg.ring_entries = entries;
	reg.bgid = id;
	/* A member that liburing 2.3 calls pad. */
	memcpy((char *)&reg + offsetof(struct io_uring_buf_reg, bgid) +
		       sizeof(reg.bgid),
	       &flags, sizeof(flags));
	error = io_uring_register_buf_ring(ring, &reg, 0);
	return error == -EINVAL ? -ENOTSUP : error;
}

/* Does a registration with these flags work? */
static inline bool
ibuf_uring_can_register_(struct io_uring *ring, uint16_t flags)
{
	void *page = NULL;
	int error = -ENOMEM;

	if (posix_memalign(&page, 65536, 65536) == 0)
		error = ibuf_uring_register_(ring, page, 1, UINT16_MAX, flags);
	if (error == 0)
		io_uring_unregister_buf_ring(ring, UINT16_MAX);
	free(page);
	return error == 0 || error == -EEXIST;
}

/*
 * Is buffer id no longer the kernel's?  A completion that failed, or came
 * with nothing, names the buffer that it chose; whether it also used it up
 * differs from kernel to kernel, so we look.  Before 6.8 there is nothing to
 * ask, and it did.
 */
static inline bool
ibuf_uring_is_used_up_(const struct ibuf_uring_group *g, unsigned id)
{
	struct {
		uint32_t group, head, reserved[8];
	} status;

	memset(&status, 0, sizeof(status));
	status.group = g->id_;
	if (syscall(__NR_io_uring_register, g->ring_->ring_fd,
		    IBUF_URING_REGISTER_STATUS_, &status, 1) != 0)
		return true;
	/* The kernel has those from the head up to the tail. */
	return (uint16_t)(g->place_[id] - status.head) >=
	       (uint16_t)(g->buffers_->tail - status.head);
}

static inline void
ibuf_uring_put_back_(struct ibuf_uring_group *g, unsigned id)
{
	g->messages_[id] = NULL;
	g->free_[g->frees_++] = (uint16_t)id;
}
/** @endcond */

/**
 * Fill a group from its pool, as far as the pool has messages.
 *
 * Takes do it by themselves when an eighth of the group is free.  After
 * -ENOBUFS nobody tells that messages have come back to the pool: call this
 * where the program frees some, or from time to time.
 *
 * @return buffers that the kernel has now; 0: a receive would end with -ENOBUFS
 * @cost O(messages), taken from the pool 32 at a time
 */
static inline unsigned
ibuf_uring_group_refill(struct ibuf_uring_group *g)
{
	struct ibuf_mbuf *ms[IBUF_URING_BATCH_];
	unsigned mask = g->entries_ - 1, i, n, got = IBUF_URING_BATCH_;

	while (g->frees_ != 0 && got == IBUF_URING_BATCH_) {
		n = g->frees_ < IBUF_URING_BATCH_ ? g->frees_
						  : IBUF_URING_BATCH_;
		got = (unsigned)ibuf_pool_alloc_upto(g->pool_, ms, n);
		for (i = 0; i < got; i++) {
			uint16_t id = g->free_[--g->frees_];

			/* All of a fresh room, which has no fewer bytes. */
			io_uring_buf_ring_add(
				g->buffers_, ibuf_mbuf_reserve(ms[i], g->room_),
				g->room_, id, (int)mask, (int)i);
			g->messages_[id] = ms[i];
			g->place_[id] =
				(uint16_t)(g->buffers_->tail + (uint16_t)i);
		}
		io_uring_buf_ring_advance(g->buffers_, (int)got);
	}
	return g->entries_ - g->frees_;
}

/**
 * End a group: the kernel forgets its buffers, and they go back to the pool.
 * Messages that were handed over live on.
 *
 * Before the ring ends, and after the last completion of each receive was
 * taken: cancel them, or let their sockets end.  The memory of a group whose
 * ring ended first is lost: nobody tells when the kernel is done with it.
 *
 * @return 0; -EBUSY: a receive may still come, and nothing has changed
 * @cost O(entries); a system call
 */
static inline int
ibuf_uring_group_close(struct ibuf_uring_group *g)
{
	unsigned id;

	if (g->armed_ != 0)
		return -EBUSY;
	io_uring_unregister_buf_ring(g->ring_, g->id_);
	for (id = 0; id < g->entries_; id++)
		ibuf_mbuf_free(g->messages_[id]);
	free(g->buffers_);
	free(g->messages_);
	free(g->free_);
	free(g->place_);
	memset(g, 0, sizeof(*g));
	return 0;
}

/**
 * Make a group, and fill it.
 *
 * The pool's capacity is what one receive takes at most.  It may have fewer
 * messages than the group has entries, and none at all: see refill.
 *
 * @param g where it goes; untouched on failure
 * @param ring where it is registered; must outlive it
 * @param p where its messages come from; must outlive it
 * @param entries buffers that the kernel has at most: a power of two, to 32768
 * @param id the number of the group in the ring; no other group may have it
 * @param flags 0 or IBUF_URING_F_PARTS
 * @return 0; -EINVAL: entries or flags, or a pool whose messages hold nothing;
 *         -ENOTSUP: the kernel has no such buffers; -EEXIST: the id is taken;
 *         -ENOMEM; -errno
 * @cost O(entries); system calls
 */
IBUF_MUST_USE static inline int
ibuf_uring_group_open(struct ibuf_uring_group *g, struct io_uring *ring,
		      struct ibuf_pool *p, unsigned entries, uint16_t id,
		      unsigned flags)
{
	struct ibuf_pool_options options;
	struct ibuf_uring_group made;
	void *buffers = NULL;
	int error;
	unsigned i;

	memset(&made, 0, sizeof(made));
	if (entries == 0 || entries > 32768 || (entries & (entries - 1)) != 0 ||
	    (flags & ~IBUF_URING_F_PARTS) != 0 ||
	    ibuf_pool_get_options(p, &options, sizeof(options)) != 0 ||
	    options.capacity == 0 || options.capacity > INT32_MAX)
		return -EINVAL;
	made.ring_ = ring;
	made.pool_ = p;
	made.entries_ = made.frees_ = entries;
	made.batch_ = entries / 8 != 0 ? entries / 8 : 1;
	made.room_ = (uint32_t)options.capacity;
	made.id_ = id;
	made.parts_ = (flags & IBUF_URING_F_PARTS) != 0;
	made.messages_ = (struct ibuf_mbuf **)calloc(entries, sizeof(void *));
	made.free_ = (uint16_t *)calloc(entries, sizeof(*made.free_));
	made.place_ = (uint16_t *)calloc(entries, sizeof(*made.place_));
	/* Whole pages, however large a page may be. */
	error = posix_memalign(&buffers, 65536,
			       entries * sizeof(struct io_uring_buf));
	if (error != 0 || made.messages_ == NULL || made.free_ == NULL ||
	    made.place_ == NULL) {
		error = -ENOMEM;
		goto fail;
	}
	memset(buffers, 0, entries * sizeof(struct io_uring_buf));
	error = ibuf_uring_register_(
		ring, buffers, entries, id,
		made.parts_ ? (uint16_t)IBUF_URING_RING_INC_ : (uint16_t)0);
	if (error != 0)
		goto fail;
	made.buffers_ = (struct io_uring_buf_ring *)buffers;
	for (i = 0; i < entries; i++)
		made.free_[i] = (uint16_t)(entries - 1 - i);
	*g = made;
	ibuf_uring_group_refill(g);
	return 0;
fail:
	free(buffers);
	free(made.messages_);
	free(made.free_);
	free(made.place_);
	return error;
}

/**
 * Prepare a receive from a socket into a group: it completes once for each
 * piece that comes, until it ends.
 *
 * Each of its completions goes to ibuf_uring_recv_take(); the entry must be
 * submitted.  Not with IOSQE_ASYNC.
 *
 * @param sqe an entry of the group's ring; user_data is left to the caller
 * @param fd a socket, or its index, with IOSQE_FIXED_FILE added afterwards
 * @param flags as for recv; a kernel before 6.0 does not know this receive, and
 *        completes it with -EINVAL
 */
static inline void
ibuf_uring_recv_prep(struct ibuf_uring_group *g, struct io_uring_sqe *sqe,
		     int fd, int flags)
{
	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, flags);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = g->id_;
	g->armed_++;
}

/** @cond private */

/* What n bytes of buffer id, which are still the kernel's where more is set,
   are as a message; NULL: no memory, and nothing has changed. */
static inline struct ibuf_mbuf *
ibuf_uring_hand_over_(struct ibuf_uring_group *g, unsigned id, size_t n,
		      bool more)
{
	struct ibuf_mbuf *m = g->messages_[id], *part;
	size_t before = ibuf_mbuf_len(m);

	if (!more) {
		ibuf_uring_put_back_(g, id);
		/* Neither can fail: it is in the room, and in the message. */
		if (ibuf_mbuf_commit(m, n) != 0 ||
		    (before != 0 && ibuf_mbuf_trim_head(m, before) != 0))
			abort();
		return m;
	}
	if (ibuf_mbuf_commit(m, n) != 0)
		abort();
	part = ibuf_mbuf_slice(m, before, n);
	if (part == NULL && ibuf_mbuf_trim_tail(m, n) != 0)
		abort();
	return part;
}

/* A completion came with a buffer and no bytes. */
static inline void
ibuf_uring_came_empty_(struct ibuf_uring_group *g,
		       const struct io_uring_cqe *cqe)
{
	unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;

	if ((cqe->flags & IBUF_URING_BUF_MORE_) != 0 ||
	    !ibuf_uring_is_used_up_(g, id))
		return;
	ibuf_mbuf_free(g->messages_[id]);
	ibuf_uring_put_back_(g, id);
}

/* A completion has been taken. */
static inline void
ibuf_uring_taken_(struct ibuf_uring_group *g, const struct io_uring_cqe *cqe)
{
	if ((cqe->flags & IORING_CQE_F_MORE) == 0)
		g->armed_--;
	if (g->frees_ >= g->batch_)
		ibuf_uring_group_refill(g);
}
/** @endcond */

/**
 * Take a completion of a receive: what came, as a message.
 *
 * The completions of a group are taken in the order in which they come, each
 * once, those of receives that failed or were cancelled included.  One that
 * lacks IORING_CQE_F_MORE is the last of its receive, whatever it returns.
 *
 * @param cqe a completion of ibuf_uring_recv_prep()
 * @param m where the message goes; untouched if none came
 * @return 1: a message; 0: the end of the stream, or an empty datagram;
 *         -ENOBUFS: the group was empty; -ENOMEM: there is no header for a part
 *         (nothing has changed: take the completion again before any other of
 *         the group); -ECANCELED, -errno
 */
IBUF_MUST_USE static inline int
ibuf_uring_recv_take(struct ibuf_uring_group *g, const struct io_uring_cqe *cqe,
		     struct ibuf_mbuf **m)
{
	bool more = g->parts_ && (cqe->flags & IBUF_URING_BUF_MORE_) != 0;
	struct ibuf_mbuf *came;
	int result = cqe->res;

	if (IBUF_LIKELY(result > 0)) {
		came = ibuf_uring_hand_over_(
			g, cqe->flags >> IORING_CQE_BUFFER_SHIFT,
			(size_t)result, more);
		if (came == NULL)
			return -ENOMEM;
		*m = came;
		result = 1;
	} else if ((cqe->flags & IORING_CQE_F_BUFFER) != 0) {
		ibuf_uring_came_empty_(g, cqe);
	}
	ibuf_uring_taken_(g, cqe);
	return result;
}

/**
 * Prepare a receive of datagrams with their addresses, as
 * ibuf_uring_recv_prep().
 *
 * @param asked msg_namelen and msg_controllen say how much of a buffer is for
 *        an address and for control messages, namelen in multiples of 8, as
 *        sizeof(struct sockaddr_storage) is; must live until the last
 *        completion
 * @param flags as for recvmsg
 * @return 0; -EINVAL: the group takes parts, or its buffers are too small for
 *         address and control messages; nothing was prepared
 */
IBUF_MUST_USE static inline int
ibuf_uring_recvmsg_prep(struct ibuf_uring_group *g, struct io_uring_sqe *sqe,
			int fd, struct msghdr *asked, int flags)
{
	if (g->parts_ || asked->msg_namelen % 8 != 0 ||
	    sizeof(struct io_uring_recvmsg_out) + asked->msg_namelen +
			    asked->msg_controllen >=
		    g->room_)
		return -EINVAL;
	io_uring_prep_recvmsg_multishot(sqe, fd, asked, (unsigned)flags);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = g->id_;
	g->armed_++;
	return 0;
}

/**
 * Take a completion of ibuf_uring_recvmsg_prep(): a datagram, as a message.
 *
 * Address and control messages lie in the headroom of the message, where came
 * shows them (msg_name, msg_control): they live until its front is edited or it
 * is freed.  Descriptors that a peer passes are the caller's.
 *
 * @param asked as for recvmsg_prep
 * @param came what came beside the bytes; msg_flags has MSG_TRUNC or
 *        MSG_CTRUNC where something was left out; untouched without a message
 * @param m where the message goes; untouched if none came
 * @return 1: a message, which may be empty; else as ibuf_uring_recv_take()
 */
IBUF_MUST_USE static inline int
ibuf_uring_recvmsg_take(struct ibuf_uring_group *g,
			const struct io_uring_cqe *cqe,
			const struct msghdr *asked, struct msghdr *came,
			struct ibuf_mbuf **m)
{
	size_t beside = sizeof(struct io_uring_recvmsg_out) +
			asked->msg_namelen + asked->msg_controllen;
	const struct io_uring_recvmsg_out *out;
	struct ibuf_mbuf *whole = NULL;
	int result = ibuf_uring_recv_take(g, cqe, &whole);
	uint8_t *at;

	if (result != 1)
		return result;
	if (ibuf_mbuf_len(whole) < beside) {
		ibuf_mbuf_free(whole);
		return -EBADMSG;
	}
	at = ibuf_mbuf_data_mut(whole);
	out = (const struct io_uring_recvmsg_out *)(const void *)at;
	memset(came, 0, sizeof(*came));
	came->msg_name = at + sizeof(*out);
	came->msg_namelen = out->namelen < asked->msg_namelen
				    ? out->namelen
				    : asked->msg_namelen;
	came->msg_control = at + sizeof(*out) + asked->msg_namelen;
	came->msg_controllen = out->controllen;
	came->msg_flags = (int)out->flags;
	/* A sole owner, and at least so long. */
	if (ibuf_mbuf_trim_head(whole, beside) != 0)
		abort();
	*m = whole;
	return 1;
}

/** @} */

IBUF_END_BODIES_

#endif
