/*
 * adapt/uring.h - messages in and out of io_uring, without a copy.
 *
 *   pool --refill--> group of buffers --recv--> message     inline/uring_group.h
 *   message --send--> kernel --last completion--> pool      inline/uring_send.h
 *   slabs of a pool --register--> buffers of the ring       inline/uring_slabs.h
 *
 * For programs that link to liburing (2.3 and later): all is inline here, and
 * libibuf itself does not know of it.  Compile with _GNU_SOURCE.  What the
 * kernel offers is asked for at run time: ibuf_uring_features().
 *
 * The ring stays the caller's: its set-up, its submissions and its waiting.  A
 * function that prepares a request (..._prep) fills an entry as liburing's own
 * do, and leaves user_data to be set after it, and flags to be added to those
 * that it set: `sqe->flags |= IOSQE_FIXED_FILE`.  A function that takes a
 * completion (..._take, ..._done) reads its result and flags, and not its
 * user_data: which request a completion belongs to is for the caller to say, by
 * whatever it put there.
 */
#ifndef IBUF_ADAPT_URING_H
#define IBUF_ADAPT_URING_H

#include <ibuf/adapt/inline/uring_group.h>
#include <ibuf/adapt/inline/uring_send.h>
#include <ibuf/adapt/inline/uring_slabs.h>

IBUF_BEGIN_BODIES_

/**
 * @defgroup uring io_uring
 * What the kernel below a ring can do.
 *
 * @mt object: one thread at a time per ring, as liburing has it
 * @{
 */

/** Groups of buffers: Linux 5.19. */
#define IBUF_URING_HAS_GROUP 0x01u
/** A receive that goes on until it is cancelled: Linux 6.0. */
#define IBUF_URING_HAS_MULTISHOT 0x02u
/** Sending without a copy by ibuf_uring_send_prep(): Linux 6.1. */
#define IBUF_URING_HAS_ZEROCOPY 0x04u
/** Buffers that take several receives, IBUF_URING_F_PARTS: Linux 6.12. */
#define IBUF_URING_HAS_PARTS 0x08u

/**
 * Ask what the kernel below a ring can do.
 *
 * @param ring a ring that is set up
 * @return IBUF_URING_HAS_ bits; 0 where there is no memory to ask
 * @cost some system calls; once at the start is enough
 */
static inline unsigned
ibuf_uring_features(struct io_uring *ring)
{
	struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
	unsigned has = 0;

	if (probe == NULL)
		return 0;
	/* Each came with an operation that a probe knows, or later. */
	if (ibuf_uring_can_register_(ring, 0))
		has |= IBUF_URING_HAS_GROUP;
	if (io_uring_opcode_supported(probe, IORING_OP_SEND_ZC))
		has |= IBUF_URING_HAS_MULTISHOT;
	if (io_uring_opcode_supported(probe, IORING_OP_SENDMSG_ZC))
		has |= IBUF_URING_HAS_ZEROCOPY;
	if (ibuf_uring_can_register_(ring, IBUF_URING_RING_INC_))
		has |= IBUF_URING_HAS_PARTS;
	io_uring_free_probe(probe);
	return has;
}

/** @} */

IBUF_END_BODIES_

#endif
