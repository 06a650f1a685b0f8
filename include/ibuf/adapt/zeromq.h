/*
 * adapt/zeromq.h - messages as ZeroMQ's messages, not copied, and back.
 *
 *   ibuf_zeromq_send()   message ---> socket      a part a segment
 *   ibuf_zeromq_init()   message ---> zmq_msg_t   one segment
 *   ibuf_zeromq_take()   message <--- zmq_msg_t   one segment
 *
 * For programs that link to libzmq 4; docs/adapters.md says who copies.
 *
 * ZeroMQ has no lists of pieces: what is to arrive as one part must be one
 * segment, see ibuf_mbuf_linearize(); several segments are a message of several
 * parts, which arrive all or not at all.
 *
 * Threads.  ZeroMQ frees what it has sent in one of its own threads, often long
 * after the call, at the latest in zmq_ctx_term().  Sockets are for one thread
 * at a time; a message that was taken ends in any.
 *
 * Results are 0 or -errno, also of ZeroMQ's own numbers, such as -ETERM.
 */
#ifndef IBUF_ADAPT_ZEROMQ_H
#define IBUF_ADAPT_ZEROMQ_H

#include <errno.h>
#include <ibuf/adapt/inline/hand.h>
#include <ibuf/mbuf.h>
#include <ibuf/segment.h>
#include <stdlib.h>
#include <zmq.h>

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

static inline void
ibuf_zeromq_sent_(void *bytes, void *m)
{
	ibuf_take_over_(bytes);
	ibuf_mbuf_free((struct ibuf_mbuf *)m);
}

/**
 * Make a ZeroMQ message of a message of one segment.
 *
 * @param z not initialized yet
 * @return 0; -EINVAL: m has several segments; -ENOMEM
 * @owner on success z has the message, and zmq_msg_close(), or ZeroMQ once it is
 *        sent, frees it; on failure it is the caller's, and z is nothing
 */
static inline IBUF_MUST_USE int
ibuf_zeromq_init(zmq_msg_t *z, struct ibuf_mbuf *m)
{
	const uint8_t *bytes = ibuf_mbuf_data(m);
	size_t len = ibuf_mbuf_len(m);

	if (bytes == NULL)
		return -EINVAL;
	ibuf_hand_over_(bytes);
	/* ZeroMQ only reads there. */
	if (zmq_msg_init_data(z, (void *)(uintptr_t)bytes, len,
			      ibuf_zeromq_sent_, m) != 0)
		return -zmq_errno();
	return 0;
}

/**
 * Send a message, of a part for each of its segments.
 *
 * ZeroMQ frees what it does not send, so it gets slices, and the message is
 * still whole when a call fails.
 *
 * @param flags as of zmq_msg_send(); with ZMQ_SNDMORE more parts follow the last
 * @return 0; -ENOMEM; or -errno of zmq_msg_send(), such as -EAGAIN.  Where a
 *         part behind the first fails, those before it wait in the socket for
 *         the rest: only without memory, and where the context is terminated
 *         or the thread interrupted.  Then close the socket, which drops them.
 * @owner on success ZeroMQ has the message; on failure it is the caller's
 * @mt object
 * @cost a slice for each segment, and ZeroMQ's allocation
 */
static inline IBUF_MUST_USE int
ibuf_zeromq_send(void *socket, struct ibuf_mbuf *m, int flags)
{
	const struct ibuf_mbuf *s = m, *next;
	size_t off = 0;
	zmq_msg_t z;
	int rc;

	for (; s != NULL; s = next) {
		struct ibuf_mbuf *slice =
			ibuf_mbuf_slice(m, off, ibuf_mbuf_seg_len(s));

		if (slice == NULL)
			return -ENOMEM;
		rc = ibuf_zeromq_init(&z, slice);
		if (rc != 0) {
			ibuf_mbuf_free(slice);
			return rc;
		}
		off += ibuf_mbuf_seg_len(s);
		next = ibuf_mbuf_seg_next(s);
		if (zmq_msg_send(&z, socket,
				 next != NULL ? flags | ZMQ_SNDMORE : flags) <
		    0) {
			rc = -zmq_errno();
			zmq_msg_close(&z);
			return rc;
		}
	}
	ibuf_mbuf_free(m); /* its slices stay */
	return 0;
}

static inline void
ibuf_zeromq_release_(void *bytes, size_t len, void *arg)
{
	zmq_msg_t *z = (zmq_msg_t *)arg;

	ibuf_hand_over_(bytes);
	(void)len;
	zmq_msg_close(z);
	free(z);
}

/**
 * Take what a ZeroMQ message shows, such as a part that was received.  An edit
 * of the bytes goes to a private copy: other sockets may show them too.
 *
 * Join the parts of a message by ibuf_mbuf_concat().
 *
 * @param z is empty afterwards, and still the caller's to close or to receive
 *        into
 * @return the message; NULL: no memory, and z is as it was
 * @owner the caller has the message, which may outlive the socket and the context
 * @cost an allocation, and a message of the heap
 */
static inline IBUF_MUST_USE struct ibuf_mbuf *
ibuf_zeromq_take(zmq_msg_t *z)
{
	zmq_msg_t *own = (zmq_msg_t *)malloc(sizeof(*own));
	struct ibuf_mbuf *m;

	if (own == NULL)
		return NULL;
	/* Short bytes are in the zmq_msg_t itself, so it moves first. */
	zmq_msg_init(own);
	zmq_msg_move(own, z);
	ibuf_take_over_(zmq_msg_data(own));
	m = ibuf_mbuf_wrap_const(zmq_msg_data(own), zmq_msg_size(own),
				 ibuf_zeromq_release_, own);
	if (m == NULL) {
		zmq_msg_move(z, own);
		zmq_msg_close(own);
		free(own);
	}
	return m;
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
