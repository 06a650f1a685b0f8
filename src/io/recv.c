/* recv.c - datagrams are received in batches, each a message. */
#define _POSIX_C_SOURCE 200809L
#include "../library.h"

#include <ibuf/io.h>

#include "../platform/control.h"
#include "../platform/io.h"
#include <errno.h>
#include <ibuf/mbuf.h>
#include <ibuf/pool.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * A call of ibuf_io_recv() is one call of the system.  An error behind the
 * first datagram is kept by the kernel for the next call, and a second call
 * of ours would take it and have no way to report it.
 */

/* Datagrams that need no memory but the stack; and with control messages. */
#define FEW (RECEIVED_MOST < 128 ? RECEIVED_MOST : 128)
#define FEW_WITH_CONTROL (RECEIVED_MOST < 32 ? RECEIVED_MOST : 32)

/*
 * What is received into: ms[i] by batch[i] through iov[i].  Control messages
 * come into rooms[i] where the caller gave less room than that, so that the
 * segment size of a run is never what is cut off.
 */
struct inbox {
	struct ibuf_datagram_ *batch;
	struct ibuf_control_room_ *rooms; /* NULL: no control messages */
	struct iovec *iov;
	struct ibuf_mbuf **ms;
	unsigned size;    /* of the arrays */
	unsigned from, n; /* ms from here up to n hold nothing yet */
	void *memory;     /* the arrays; NULL: they are on the stack */
};

/* Let the arrays hold n, unless there is no memory. */
static void
inbox_enlarge(struct inbox *in, unsigned n)
{
	size_t rooms = in->rooms != NULL ? sizeof *in->rooms : 0;

	in->memory = malloc(n * (sizeof *in->batch + rooms + sizeof *in->iov +
				 sizeof(struct ibuf_mbuf *)));
	if (in->memory == NULL)
		return;
	in->batch = in->memory;
	in->iov = (struct iovec *)(void *)(in->batch + n);
	in->ms = (struct ibuf_mbuf **)(void *)(in->iov + n);
	if (in->rooms != NULL)
		in->rooms = (struct ibuf_control_room_ *)(void *)(in->ms + n);
	in->size = n;
}

static void
inbox_close(void *inbox)
{
	struct inbox *in = inbox;

	ibuf_mbuf_free_bulk(in->ms + in->from, in->n - in->from);
	free(in->memory);
}

/* Take as many mbufs as there is place for; 0, or why there is none. */
static int
inbox_fill(struct inbox *in, struct ibuf_pool *p)
{
	int error = 0;

	in->n = (unsigned)ibuf_pool_alloc_upto(p, in->ms, in->size);
	if (in->n == 0) {
		error = ibuf_pool_alloc_bulk(p, in->ms, 1);
		in->n = error == 0;
	}
	return error;
}

/* Where the control messages of a datagram are received. */
static void
prepare_control(struct msghdr *h, struct ibuf_control_room_ *room,
		const struct ibuf_io_control *c)
{
	h->msg_control = room;
	h->msg_controllen = sizeof *room;
	if (c->size >= sizeof *room) {
		h->msg_control = c->data;
		h->msg_controllen = c->size < INT_MAX ? c->size : INT_MAX;
	}
}

static void
deliver_control(struct ibuf_io_control *c, struct msghdr *h)
{
	c->len = ibuf_platform_control_sort_(
		h, c->data, c->size, c->takes_descriptors, &c->segment_size);
	c->flags = h->msg_flags;
#ifdef MSG_CMSG_CLOEXEC
	/* It was asked for by the library. */
	c->flags &= ~MSG_CMSG_CLOEXEC;
#endif
}

/* The i-th that came goes to d, whose peer it already is. */
static void
deliver(struct ibuf_io_datagram *d, const struct inbox *in, unsigned i)
{
	const struct ibuf_datagram_ *from = &in->batch[i];
	size_t room = in->iov[i].iov_len;
	socklen_t length = from->header.msg_namelen;

	if (length > sizeof d->peer)
		length = sizeof d->peer;
	/* With MSG_TRUNC in the flags the kernel says more than it gave. */
	cannot_fail(ibuf_mbuf_commit(in->ms[i],
				     from->bytes < room ? from->bytes : room));
	memset((uint8_t *)&d->peer + length, 0, sizeof d->peer - length);
	d->peer_len = length;
	d->truncated = (from->header.msg_flags & MSG_TRUNC) != 0;
	d->m = in->ms[i];
}

static void
prepare(struct inbox *in, unsigned i, struct ibuf_io_datagram *d)
{
	in->iov[i].iov_base = ibuf_mbuf_reserve(in->ms[i], 0);
	in->iov[i].iov_len = ibuf_mbuf_tailroom(in->ms[i]);
	memset(&in->batch[i], 0, sizeof in->batch[i]);
	in->batch[i].header.msg_iov = &in->iov[i];
	in->batch[i].header.msg_iovlen = 1;
	in->batch[i].header.msg_name = &d->peer;
	in->batch[i].header.msg_namelen = sizeof d->peer;
}

/* Receive into all that is in the inbox; how many, or -errno. */
static int
receive(int fd, struct inbox *in, struct ibuf_io_datagram *d,
	struct ibuf_io_control *c, int flags)
{
	unsigned i;
	int got;

	for (i = 0; i < in->n; i++) {
		prepare(in, i, &d[i]);
		if (c != NULL)
			prepare_control(&in->batch[i].header, &in->rooms[i],
					&c[i]);
	}
	got = ibuf_platform_recv_(fd, in->batch, in->n, flags);
	for (i = 0; got > 0 && i < (unsigned)got; i++) {
		deliver(&d[i], in, i);
		if (c != NULL)
			deliver_control(&c[i], &in->batch[i].header);
	}
	return got;
}

/* Fill the inbox, receive into it and close it; how many, or -errno. */
static int
receive_some(int fd, struct ibuf_pool *p, struct inbox *in,
	     struct ibuf_io_datagram *d, struct ibuf_io_control *c, int flags)
{
	int got;

	/* A thread that waits for the first may be cancelled. */
	pthread_cleanup_push(inbox_close, in);
	got = inbox_fill(in, p);
	if (got == 0)
		got = receive(fd, in, d, c, flags);
	if (got > 0)
		in->from = (unsigned)got;
	pthread_cleanup_pop(1);
	return got;
}

int
ibuf_io_recv(int fd, struct ibuf_pool *p, struct ibuf_io_datagram *d,
	     unsigned n, int flags)
{
	struct ibuf_datagram_ batch[FEW];
	struct iovec iov[FEW];
	struct ibuf_mbuf *ms[FEW];
	struct inbox in = {batch, NULL, iov, ms, n < FEW ? n : FEW, 0, 0, NULL};

	if ((flags & REFUSED_FLAGS) != 0)
		return -EINVAL;
	if (n == 0)
		return 0;
	if (n > FEW)
		inbox_enlarge(&in, n < RECEIVED_MOST ? n : RECEIVED_MOST);
	return receive_some(fd, p, &in, d, NULL, flags);
}

int
ibuf_io_recv_control(int fd, struct ibuf_pool *p, struct ibuf_io_datagram *d,
		     struct ibuf_io_control *c, unsigned n, int flags)
{
	struct ibuf_datagram_ batch[FEW_WITH_CONTROL];
	struct ibuf_control_room_ rooms[FEW_WITH_CONTROL];
	struct iovec iov[FEW_WITH_CONTROL];
	struct ibuf_mbuf *ms[FEW_WITH_CONTROL];
	struct inbox in = {batch, rooms, iov, ms, FEW_WITH_CONTROL, 0, 0, NULL};

	if ((flags & REFUSED_FLAGS & ~MSG_ERRQUEUE) != 0)
		return -EINVAL;
	if (n == 0)
		return 0;
	if (n < in.size)
		in.size = n;
	if (n > FEW_WITH_CONTROL)
		inbox_enlarge(&in, n < RECEIVED_MOST ? n : RECEIVED_MOST);
#ifdef MSG_CMSG_CLOEXEC
	flags |= MSG_CMSG_CLOEXEC;
#endif
	return receive_some(fd, p, &in, d, c, flags);
}
