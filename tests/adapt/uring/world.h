/*
 * world.h - what the tests of io_uring share: a ring, a pool, a group and two
 * ends of a connection, in one call; or the one line that says why not.
 */
#ifndef WORLD_H
#define WORLD_H

#include "../../unit/test.h"

#include <arpa/inet.h>
#include <ibuf/adapt/uring.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECV = 1, CANCEL, SEND };

struct world {
	struct io_uring ring;
	struct ibuf_pool *pool;
	struct ibuf_uring_group group;
	int near, far; /* near is the ring's */
	unsigned has;
};

/* ---- ends ---------------------------------------------------------- */

static inline void
ends_unix(struct world *w, int type)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, type, 0, ends), 0);
	w->near = ends[0];
	w->far = ends[1];
}

static inline int
bound(int type, struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, type, 0);

	memset(at, 0, sizeof(*at));
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

static inline void
ends_tcp(struct world *w)
{
	struct sockaddr_in at;
	int listener = bound(SOCK_STREAM, &at);

	assert_int_equal(listen(listener, 1), 0);
	w->far = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(w->far, (struct sockaddr *)&at, sizeof(at)),
			 0);
	w->near = accept(listener, NULL, NULL);
	assert_true(w->near >= 0);
	close(listener);
}

static inline void
ends_udp(struct world *w)
{
	struct sockaddr_in at;

	w->near = bound(SOCK_DGRAM, &at);
	w->far = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(connect(w->far, (struct sockaddr *)&at, sizeof(at)),
			 0);
}

static inline void
say(struct world *w, const char *words)
{
	assert_int_equal(send(w->far, words, strlen(words), MSG_NOSIGNAL),
			 (ssize_t)strlen(words));
}

/* ---- the ring ------------------------------------------------------ */

/* One line, and the test is skipped, as are others for the same reason. */
static inline void
skip_since(const char *why)
{
	static const char *said;

	if (said != why)
		printf("skipped: %s\n", why);
	said = why;
	skip();
}

/* A ring with so many completions, where the system lets us have one. */
static inline void
ring_open(struct world *w, unsigned completions)
{
	struct io_uring_params p;
	int error;

	memset(w, 0, sizeof(*w));
	memset(&p, 0, sizeof(p));
	p.flags = IORING_SETUP_CQSIZE;
	p.cq_entries = completions;
	error = io_uring_queue_init_params(completions < 8 ? completions : 8,
					   &w->ring, &p);
	if (error == -ENOSYS || error == -EPERM || error == -EACCES)
		skip_since("the system refuses io_uring");
	assert_int_equal(error, 0);
	w->has = ibuf_uring_features(&w->ring);
}

/* Skip what this kernel cannot do. */
static inline void
needs(struct world *w, unsigned what)
{
	if ((w->has & what) == what)
		return;
	io_uring_queue_exit(&w->ring);
	skip_since("the kernel is too old for it");
}

static inline void
world_open(struct world *w, size_t capacity, size_t max, unsigned entries,
	   unsigned flags)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	ring_open(w, 256);
	needs(w, IBUF_URING_HAS_GROUP | IBUF_URING_HAS_MULTISHOT |
			 (flags != 0 ? IBUF_URING_HAS_PARTS : 0));
	o.capacity = capacity;
	o.max = max;
	o.cache = 0;
	assert_int_equal(ibuf_pool_create(&w->pool, &o), 0);
	assert_int_equal(ibuf_uring_group_open(&w->group, &w->ring, w->pool,
					       entries, 7, flags),
			 0);
}

static inline void
submit(struct world *w)
{
	assert_true(io_uring_submit(&w->ring) >= 0);
}

static inline struct io_uring_sqe *
entry(struct world *w)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&w->ring);

	assert_non_null(sqe);
	return sqe;
}

static inline void
arm_on(struct world *w, int fd)
{
	struct io_uring_sqe *sqe = entry(w);

	ibuf_uring_recv_prep(&w->group, sqe, fd, 0);
	io_uring_sqe_set_data64(sqe, RECV);
	submit(w);
}

static inline void
arm(struct world *w)
{
	arm_on(w, w->near);
}

/* The next completion, which must come. */
static inline struct io_uring_cqe
next(struct world *w)
{
	struct __kernel_timespec limit = {.tv_sec = 20};
	struct io_uring_cqe *cqe = NULL, copy;

	memset(&copy, 0, sizeof(copy));
	assert_int_equal(io_uring_wait_cqe_timeout(&w->ring, &cqe, &limit), 0);
	memcpy(&copy, cqe, sizeof(copy));
	io_uring_cqe_seen(&w->ring, cqe);
	return copy;
}

/* And none is there. */
static inline void
assert_quiet(struct world *w)
{
	struct io_uring_cqe *cqe;

	assert_int_equal(io_uring_peek_cqe(&w->ring, &cqe), -EAGAIN);
}

static inline bool
goes_on(const struct io_uring_cqe *cqe)
{
	return (cqe->flags & IORING_CQE_F_MORE) != 0;
}

/* The next message of the receive; it must be one. */
static inline struct ibuf_mbuf *
came(struct world *w)
{
	struct io_uring_cqe cqe = next(w);
	struct ibuf_mbuf *m = NULL;

	assert_int_equal(cqe.user_data, RECV);
	assert_int_equal(ibuf_uring_recv_take(&w->group, &cqe, &m), 1);
	assert_non_null(m);
	return m;
}

/* It is these words, and is freed. */
static inline void
comes(struct world *w, const char *words)
{
	struct ibuf_mbuf *m = came(w);

	assert_message(m, words, strlen(words));
	ibuf_mbuf_free(m);
}

/* The receive ends with this result. */
static inline void
ends_with(struct world *w, int result)
{
	struct io_uring_cqe cqe = next(w);
	struct ibuf_mbuf *m = NULL;

	assert_int_equal(cqe.user_data, RECV);
	assert_int_equal(ibuf_uring_recv_take(&w->group, &cqe, &m), result);
	assert_null(m);
	assert_false(goes_on(&cqe));
}

static inline void
cancel(struct world *w, uint64_t what)
{
	struct io_uring_sqe *sqe = entry(w);

	io_uring_prep_cancel64(sqe, what, 0);
	io_uring_sqe_set_data64(sqe, CANCEL);
	submit(w);
}

/*
 * Cancel the receive, whose last completion and that of the cancel come in
 * either order.  It may have ended by itself: Linux chooses the buffer before
 * it looks for bytes, so the last buffer of a group ends it, and so does an
 * empty datagram.
 */
static inline void
disarm(struct world *w)
{
	struct ibuf_mbuf *m = NULL;
	bool cancelled = false;

	cancel(w, RECV);
	while (w->group.armed_ != 0 || !cancelled) {
		struct io_uring_cqe cqe = next(w);
		int result;

		if (cqe.user_data == CANCEL) {
			assert_true(cqe.res == 0 || cqe.res == -ENOENT);
			cancelled = true;
			continue;
		}
		result = ibuf_uring_recv_take(&w->group, &cqe, &m);
		assert_true(result == -ECANCELED || result == -ENOBUFS);
	}
}

/* All that the group had is in the pool again. */
static inline void
world_close(struct world *w)
{
	assert_int_equal(ibuf_uring_group_close(&w->group), 0);
	assert_int_equal(ibuf_pool_allocated(w->pool), 0);
	assert_int_equal(ibuf_pool_destroy(w->pool), 0);
	io_uring_queue_exit(&w->ring);
	close(w->near);
	close(w->far);
}

#endif
