/* datagram.c - datagrams in batches, each a message. */
#define _POSIX_C_SOURCE 200809L
#include "library.h"

#include <ibuf/io.h>

#include "platform_io.h"
#include "room.h"
#include <errno.h>
#include <ibuf/mbuf.h>
#include <ibuf/pool.h>
#include <ibuf/segment.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/uio.h>

#define RECV_MOST 1024 /* datagrams in one call of ibuf_io_recv() */
#define BATCH 64       /* in one system call, for what is on the stack */
#define IOV_MOST 1024  /* segments in one system call */

/* ---- receive ------------------------------------------------------- */

/* What came in header goes to d, with the message it was read into. */
static void
deliver(struct ibuf_io_datagram *d, struct ibuf_mbuf *m,
	const struct ibuf_datagram_ *from)
{
	size_t room = from->header.msg_iov->iov_len;
	socklen_t length = from->header.msg_namelen;

	if (length > sizeof d->peer)
		length = sizeof d->peer;
	/* With MSG_TRUNC in the flags the kernel says more than it gave. */
	(void)ibuf_mbuf_commit(m, from->bytes < room ? from->bytes : room);
	memset(&d->peer, 0, sizeof d->peer);
	if (length != 0)
		memcpy(&d->peer, from->header.msg_name, length);
	d->peer_len = length;
	d->truncated = (from->header.msg_flags & MSG_TRUNC) != 0;
	d->m = m;
}

/* Receive up to n <= BATCH; how many, or -errno. */
static int
receive_batch(int fd, struct ibuf_mbuf *const *ms, struct ibuf_io_datagram *d,
	      unsigned n, int flags)
{
	struct ibuf_datagram_ batch[BATCH];
	struct sockaddr_storage peers[BATCH];
	struct iovec iov[BATCH];
	unsigned i;
	int got;

	for (i = 0; i < n; i++) {
		iov[i].iov_base = ibuf_mbuf_reserve(ms[i], 0);
		iov[i].iov_len = ibuf_mbuf_tailroom(ms[i]);
		memset(&batch[i], 0, sizeof batch[i]);
		batch[i].header.msg_iov = &iov[i];
		batch[i].header.msg_iovlen = 1;
		batch[i].header.msg_name = &peers[i];
		batch[i].header.msg_namelen = sizeof peers[i];
	}
	got = ibuf_platform_recv_(fd, batch, n, flags);
	for (i = 0; got > 0 && i < (unsigned)got; i++)
		deliver(&d[i], ms[i], &batch[i]);
	return got;
}

/* Up to want mbufs; 0 and the reason when there is none. */
static unsigned
take_some(struct ibuf_pool *p, struct ibuf_mbuf **ms, unsigned want, int *error)
{
	unsigned have = (unsigned)ibuf_pool_alloc_upto(p, ms, want);

	*error = 0;
	if (have == 0) {
		*error = ibuf_pool_alloc_bulk(p, ms, 1);
		have = *error == 0;
	}
	return have;
}

/* Mbufs that nothing was received into yet. */
struct spare {
	struct ibuf_mbuf *ms[BATCH];
	unsigned from, to;
};

static void
free_spare(void *spare)
{
	struct spare *s = spare;

	ibuf_mbuf_free_bulk(s->ms + s->from, s->to - s->from);
}

/* Receive up to want <= BATCH; how many, or -errno. */
static int
receive_some(int fd, struct ibuf_pool *p, struct ibuf_io_datagram *d,
	     unsigned want, int flags)
{
	struct spare spare;
	int got;

	spare.from = 0;
	spare.to = take_some(p, spare.ms, want, &got);
	if (spare.to == 0)
		return got;
	/* A thread that waits for the first may be cancelled. */
	pthread_cleanup_push(free_spare, &spare);
	got = receive_batch(fd, spare.ms, d, spare.to, flags);
	if (got > 0)
		spare.from = (unsigned)got;
	pthread_cleanup_pop(1);
	return got;
}

int
ibuf_io_recv(int fd, struct ibuf_pool *p, struct ibuf_io_datagram *d,
	     unsigned n, int flags)
{
	unsigned total, want;
	int got, cancel;

	if (n > RECV_MOST)
		n = RECV_MOST;
	if (n == 0)
		return 0;
	got = receive_some(fd, p, d, n < BATCH ? n : BATCH, flags);
	if (got <= 0)
		return got;
	/* Only the first is waited for, and those that came are not lost. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	total = (unsigned)got;
	while (got == BATCH && total < n) {
		want = n - total < BATCH ? n - total : BATCH;
		got = receive_some(fd, p, d + total, want,
				   flags | MSG_DONTWAIT);
		if (got > 0)
			total += (unsigned)got;
	}
	pthread_setcancelstate(cancel, &cancel);
	return (int)total;
}

/* ---- send ---------------------------------------------------------- */

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

static void
free_copy(void *copy)
{
	ibuf_mbuf_free(copy);
}

/* More segments than a call takes: what is sent is a contiguous copy. */
static int
send_copy(int fd, struct ibuf_io_datagram *d, int flags)
{
	struct ibuf_mbuf *copy = ibuf_mbuf_copy(d->m, 0, ibuf_mbuf_len(d->m));
	struct ibuf_datagram_ one;
	struct iovec iov;
	int sent;

	if (copy == NULL)
		return -ENOMEM;
	count_copied(d->m, ibuf_mbuf_len(copy));
	ibuf_mbuf_iov(copy, 0, &iov, 1);
	address(d, &one, &iov, 1);
	pthread_cleanup_push(free_copy, copy);
	sent = ibuf_platform_send_(fd, &one, 1, flags);
	pthread_cleanup_pop(1);
	return sent;
}

/* Send up to n <= BATCH; how many, or -errno of the first. */
static int
send_batch(int fd, struct ibuf_io_datagram *d, unsigned n, int flags)
{
	struct ibuf_datagram_ batch[BATCH];
	struct iovec iov[IOV_MOST];
	size_t used = 0;
	unsigned i;

	if (ibuf_mbuf_segments(d[0].m) > IOV_MOST)
		return send_copy(fd, d, flags);
	for (i = 0; i < n; i++) {
		size_t segments = ibuf_mbuf_segments(d[i].m);

		if (segments > IOV_MOST - used)
			break; /* in the next call */
		/* An empty message has an entry too: POSIX refuses none. */
		iov[used] = (struct iovec){NULL, 0};
		ibuf_mbuf_iov(d[i].m, 0, iov + used, segments);
		address(&d[i], &batch[i], iov + used, segments);
		used += segments;
	}
	return ibuf_platform_send_(fd, batch, i, flags);
}

int
ibuf_io_send(int fd, struct ibuf_io_datagram *d, unsigned n, int flags)
{
	unsigned total = 0;
	int sent = 0;

	if (n > INT_MAX)
		n = INT_MAX;
	while (total < n) {
		unsigned want = n - total < BATCH ? n - total : BATCH;

		sent = send_batch(fd, d + total, want, flags | MSG_NOSIGNAL);
		if (sent <= 0)
			break;
		for (; sent > 0; sent--) {
			ibuf_mbuf_free(d[total].m);
			d[total++].m = NULL;
		}
	}
	return total != 0 ? (int)total : sent;
}
