/* datagram.c - datagrams in batches, each a message. */
#define _POSIX_C_SOURCE 200809L
#include "../library.h"

#include <ibuf/io.h>

#include "../message/header.h"
#include "../platform/io.h"
#include <errno.h>
#include <ibuf/mbuf.h>
#include <ibuf/pool.h>
#include <ibuf/segment.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- receive ----------------------------------------------------------- */

/*
 * A call of ibuf_io_recv() is one call of the system.  An error behind the
 * first datagram is kept by the kernel for the next call, and a second call
 * of ours would take it and have no way to report it.
 */

/* Datagrams that need no memory but the stack. */
#define FEW (RECEIVED_MOST < 128 ? RECEIVED_MOST : 128)

/* What is received into: ms[i] by batch[i] through iov[i]. */
struct inbox {
	struct ibuf_datagram_ *batch;
	struct iovec *iov;
	struct ibuf_mbuf **ms;
	unsigned size;    /* of the three arrays */
	unsigned from, n; /* ms from here up to n hold nothing yet */
	void *memory;     /* the arrays; NULL: they are on the stack */
};

/* Let the arrays hold n, unless there is no memory. */
static void
inbox_enlarge(struct inbox *in, unsigned n)
{
	in->memory = malloc(n * (sizeof *in->batch + sizeof *in->iov +
				 sizeof(struct ibuf_mbuf *)));
	if (in->memory == NULL)
		return;
	in->batch = in->memory;
	in->iov = (struct iovec *)(void *)(in->batch + n);
	in->ms = (struct ibuf_mbuf **)(void *)(in->iov + n);
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
	(void)ibuf_mbuf_commit(in->ms[i],
			       from->bytes < room ? from->bytes : room);
	memset((uint8_t *)&d->peer + length, 0, sizeof d->peer - length);
	d->peer_len = length;
	d->truncated = (from->header.msg_flags & MSG_TRUNC) != 0;
	d->m = in->ms[i];
}

/* Receive into all that is in the inbox; how many, or -errno. */
static int
receive(int fd, struct inbox *in, struct ibuf_io_datagram *d, int flags)
{
	unsigned i;
	int got;

	for (i = 0; i < in->n; i++) {
		in->iov[i].iov_base = ibuf_mbuf_reserve(in->ms[i], 0);
		in->iov[i].iov_len = ibuf_mbuf_tailroom(in->ms[i]);
		memset(&in->batch[i], 0, sizeof in->batch[i]);
		in->batch[i].header.msg_iov = &in->iov[i];
		in->batch[i].header.msg_iovlen = 1;
		in->batch[i].header.msg_name = &d[i].peer;
		in->batch[i].header.msg_namelen = sizeof d[i].peer;
	}
	got = ibuf_platform_recv_(fd, in->batch, in->n, flags);
	for (i = 0; got > 0 && i < (unsigned)got; i++)
		deliver(&d[i], in, i);
	return got;
}

/* Fill the inbox, receive into it and close it; how many, or -errno. */
static int
receive_some(int fd, struct ibuf_pool *p, struct inbox *in,
	     struct ibuf_io_datagram *d, int flags)
{
	int got;

	/* A thread that waits for the first may be cancelled. */
	pthread_cleanup_push(inbox_close, in);
	got = inbox_fill(in, p);
	if (got == 0)
		got = receive(fd, in, d, flags);
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
	struct inbox in = {batch, iov, ms, n < FEW ? n : FEW, 0, 0, NULL};

	if ((flags & REFUSED_FLAGS) != 0)
		return -EINVAL;
	if (n == 0)
		return 0;
	if (n > FEW)
		inbox_enlarge(&in, n < RECEIVED_MOST ? n : RECEIVED_MOST);
	return receive_some(fd, p, &in, d, flags);
}

/* ---- send -------------------------------------------------------------- */

static void
address(struct ibuf_io_datagram *d, struct ibuf_datagram_ *to,
	struct iovec *iov, size_t segments)
{
	memset(to, 0, sizeof *to);
	to->header.msg_iov = iov;
	to->header.msg_iovlen = segments;
	if (d->peer_len != 0) {
		to->header.msg_name = &d->peer;
		to->header.msg_namelen = d->peer_len;
	}
}

/* What is sent in place of a message, for as long as the call takes. */
struct copy {
	uint8_t *bytes;
	size_t n;
};

/* It may be of a pool that wipes, in whole or in part. */
static void
copy_free(void *copy)
{
	struct copy *c = copy;

	ibuf_platform_wipe_(c->bytes, c->n);
	free(c->bytes);
}

/* More segments than a call takes: what is sent is a contiguous copy. */
static int
send_copy(int fd, struct ibuf_io_datagram *d, int flags)
{
	struct copy copy = {NULL, ibuf_mbuf_len(d->m)};
	struct ibuf_datagram_ one;
	struct iovec iov;
	int sent;

	copy.bytes = malloc(copy.n);
	if (copy.bytes == NULL)
		return -ENOMEM;
	(void)ibuf_mbuf_copy_out(d->m, 0, copy.bytes, copy.n);
	count_copied(d->m, copy.n);
	iov = (struct iovec){copy.bytes, copy.n};
	address(d, &one, &iov, 1);
	pthread_cleanup_push(copy_free, &copy);
	sent = ibuf_platform_send_(fd, &one, 1, flags);
	pthread_cleanup_pop(1);
	return sent;
}

#define BATCH 64          /* datagrams in one call, for what is on the stack */
#define BATCH_PIECES 1024 /* and pieces of all of them */

/* Send up to n <= BATCH; how many, or -errno of the first. */
static int
send_batch(int fd, struct ibuf_io_datagram *d, unsigned n, int flags)
{
	struct ibuf_datagram_ batch[BATCH];
	struct iovec iov[BATCH_PIECES];
	size_t most = ibuf_platform_pieces_(), used = 0;
	unsigned i;

	if (ibuf_mbuf_segments(d[0].m) > most)
		return send_copy(fd, d, flags);
	for (i = 0; i < n; i++) {
		size_t segments = ibuf_mbuf_segments(d[i].m);

		if (segments > most || segments > BATCH_PIECES - used)
			break; /* in a call of its own; in the next call */
		/* An empty message has an entry too: POSIX refuses none. */
		iov[used] = (struct iovec){NULL, 0};
		ibuf_mbuf_iov(d[i].m, 0, iov + used, segments);
		address(&d[i], &batch[i], iov + used, segments);
		used += segments;
	}
	return ibuf_platform_send_(fd, batch, i, flags);
}

/* What went out is no longer the caller's: gone from d before it is freed. */
static void
free_sent(struct ibuf_io_datagram *d, unsigned n)
{
	struct ibuf_mbuf *ms[BATCH];
	unsigned i;

	for (i = 0; i < n; i++) {
		ms[i] = d[i].m;
		d[i].m = NULL;
	}
	ibuf_mbuf_free_bulk(ms, n);
}

int
ibuf_io_send(int fd, struct ibuf_io_datagram *d, unsigned n, int flags)
{
	unsigned total = 0;
	int sent = 0;

	if ((flags & REFUSED_FLAGS) != 0)
		return -EINVAL;
	if (n > INT_MAX)
		n = INT_MAX;
	while (total < n) {
		unsigned want = n - total < BATCH ? n - total : BATCH;

		sent = send_batch(fd, d + total, want, flags | MSG_NOSIGNAL);
		if (sent <= 0)
			break;
		free_sent(d + total, (unsigned)sent);
		total += (unsigned)sent;
	}
	return total != 0 ? (int)total : sent;
}
