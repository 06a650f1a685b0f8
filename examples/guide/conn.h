/* conn.h - the connections of the guide: bytes in, bytes out, and no copy. */
#ifndef GUIDE_CONN_H
#define GUIDE_CONN_H

#include "frame.h"
#include <fcntl.h>
#include <unistd.h>

enum { CONN_READ_MIN = 512, CONN_OUT_MAX = FRAME_MAX };

struct conn {
	int fd;
	struct ibuf_mbuf *in;  /* read, and not cut into frames yet */
	struct ibuf_mbuf *out; /* to be written */
	bool ended;            /* the peer sends no more */
};

/* Make a connection of a socket, which never waits from now on. */
static inline int
conn_open(struct conn *c, int fd, struct ibuf_pool *pool)
{
	*c = (struct conn){.fd = fd};
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return -errno;
	c->in = ibuf_pool_alloc(pool);
	c->out = ibuf_mbuf_new(0);
	if (c->in != NULL && c->out != NULL)
		return 0;
	ibuf_mbuf_free(c->in);
	ibuf_mbuf_free(c->out);
	return -ENOMEM;
}

static inline void
conn_close(struct conn *c)
{
	close(c->fd);
	ibuf_mbuf_free(c->in);
	ibuf_mbuf_free(c->out);
}

/*
 * Read once: what fits behind the bytes that are there, or a new message of
 * the pool behind them where too little does.  How many bytes; 0: the end;
 * -ENOBUFS: the pool has none; -EAGAIN and the like.
 */
static inline ssize_t
conn_read(struct conn *c, struct ibuf_pool *pool)
{
	struct ibuf_mbuf *more;
	ssize_t n;
	int rc;

	/* An empty message may use all of its room again, if it is alone. */
	if (ibuf_mbuf_len(c->in) == 0)
		ibuf_mbuf_clear(c->in);
	if (ibuf_mbuf_tailroom(c->in) >= CONN_READ_MIN)
		return ibuf_io_read(c->fd, c->in, ibuf_mbuf_tailroom(c->in));

	more = ibuf_pool_alloc(pool);
	if (more == NULL)
		return -ENOBUFS;
	n = ibuf_io_read(c->fd, more, ibuf_mbuf_tailroom(more));
	if (n > 0) {
		rc = ibuf_mbuf_concat(c->in, more);
		if (rc == 0)
			return n;
		n = rc;
	}
	ibuf_mbuf_free(more);
	return n;
}

/* Answer the frames that are there: 0, or an error that ends the connection. */
static inline int
conn_answer(struct conn *c)
{
	struct ibuf_mbuf *frame;
	int rc;

	while ((rc = frame_next(c->in, &frame)) == 1) {
		rc = frame_answer(frame);
		if (rc == 0)
			rc = ibuf_mbuf_concat(c->out, frame);
		if (rc != 0) {
			ibuf_mbuf_free(frame);
			return rc;
		}
	}
	return rc;
}

/* Write what the socket takes now; the rest stays in out. */
static inline int
conn_write(struct conn *c)
{
	ssize_t n;

	if (ibuf_mbuf_len(c->out) == 0)
		return 0;
	n = ibuf_io_write_socket(c->fd, c->out, 0);
	return n < 0 && n != -EAGAIN ? (int)n : 0;
}

#endif
