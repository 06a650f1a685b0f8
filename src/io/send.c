/* send.c - datagrams are sent in batches, each a message. */
#define _POSIX_C_SOURCE 200809L
#include "../library.h"

#include <ibuf/io.h>

#include "../message/header.h"
#include "../platform/control.h"
#include "../platform/io.h"
#include <errno.h>
#include <ibuf/mbuf.h>
#include <ibuf/segment.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 64          /* datagrams in one call, for what is on the stack */
#define BATCH_PIECES 1024 /* and pieces of all of them */
#define ROOMS 16          /* and rooms of control messages of all of them */

/* Where it goes, and what the calls of the system share. */
struct outbox {
	int fd, flags;
	int segments;  /* does the socket cut?  0 or -errno; 1: not known yet */
	uint8_t *room; /* ROOMS rooms; NULL: no control messages */
	size_t used;   /* bytes of them, in this call */
};

/*
 * Give a datagram its control messages: those of the caller where they are,
 * or a copy that ends with the segment size.  0, or -errno: it cannot go in
 * this call.
 */
static int
attach(struct outbox *out, struct ibuf_datagram_ *to, size_t bytes,
       const struct ibuf_io_control *c)
{
	uint8_t *at = out->room + out->used;
	size_t left = ROOMS * sizeof(struct ibuf_control_room_) - out->used, n;

	to->header.msg_control = c->len != 0 ? c->data : NULL;
	to->header.msg_controllen = c->len;
	/* What is not cut needs no system that can. */
	if (c->segment_size == 0 || bytes <= c->segment_size)
		return 0;
	if (out->segments == 1)
		out->segments = ibuf_platform_segments_(out->fd);
	if (out->segments != 0)
		return out->segments;
	/* As the system says it of too many bytes of control messages. */
	if (c->len > left)
		return -ENOBUFS;
	if (c->len != 0)
		memcpy(at, c->data, c->len);
	n = ibuf_platform_control_segment_(at, left, c->len, c->segment_size);
	if (n == 0)
		return -ENOBUFS;
	to->header.msg_control = at;
	to->header.msg_controllen = n;
	out->used += n;
	return 0;
}

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
send_copy(struct outbox *out, struct ibuf_io_datagram *d,
	  const struct ibuf_io_control *c)
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
	sent = c != NULL ? attach(out, &one, copy.n, c) : 0;
	if (sent == 0)
		sent = ibuf_platform_send_(out->fd, &one, 1, out->flags);
	pthread_cleanup_pop(1);
	return sent;
}

/* Send up to n <= BATCH; how many, or -errno of the first. */
static int
send_batch(struct outbox *out, struct ibuf_io_datagram *d,
	   const struct ibuf_io_control *c, unsigned n)
{
	struct ibuf_datagram_ batch[BATCH];
	struct iovec iov[BATCH_PIECES];
	size_t most = ibuf_platform_pieces_(), used = 0;
	int error = 0;
	unsigned i;

	out->used = 0;
	if (ibuf_mbuf_segments(d[0].m) > most)
		return send_copy(out, d, c);
	for (i = 0; i < n; i++) {
		size_t segments = ibuf_mbuf_segments(d[i].m);

		if (segments > most || segments > BATCH_PIECES - used)
			break; /* in a call of its own; in the next call */
		/* An empty message has an entry too: POSIX refuses none. */
		iov[used] = (struct iovec){NULL, 0};
		ibuf_mbuf_iov(d[i].m, 0, iov + used, segments);
		address(&d[i], &batch[i], iov + used, segments);
		if (c != NULL)
			error = attach(out, &batch[i], ibuf_mbuf_len(d[i].m),
				       &c[i]);
		if (error != 0)
			break; /* the first of the next call, if it lasts */
		used += segments;
	}
	return i != 0 ? ibuf_platform_send_(out->fd, batch, i, out->flags)
		      : error;
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

static int
send_all(struct outbox *out, struct ibuf_io_datagram *d,
	 const struct ibuf_io_control *c, unsigned n)
{
	unsigned total = 0;
	int sent = 0;

	if ((out->flags & REFUSED_FLAGS) != 0)
		return -EINVAL;
	out->flags |= MSG_NOSIGNAL;
	if (n > INT_MAX)
		n = INT_MAX;
	while (total < n) {
		sent = send_batch(out, d + total, c != NULL ? c + total : NULL,
				  n - total < BATCH ? n - total : BATCH);
		if (sent <= 0)
			break;
		free_sent(d + total, (unsigned)sent);
		total += (unsigned)sent;
	}
	return total != 0 ? (int)total : sent;
}

int
ibuf_io_send(int fd, struct ibuf_io_datagram *d, unsigned n, int flags)
{
	struct outbox out = {fd, flags, 1, NULL, 0};

	return send_all(&out, d, NULL, n);
}

int
ibuf_io_send_control(int fd, struct ibuf_io_datagram *d,
		     const struct ibuf_io_control *c, unsigned n, int flags)
{
	struct ibuf_control_room_ rooms[ROOMS];
	struct outbox out = {fd, flags, 1, rooms[0].bytes, 0};

	return send_all(&out, d, c, n);
}
