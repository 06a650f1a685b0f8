/*
 * adapt/libuv.h - messages written to libuv's streams, and read from them.
 *
 *   ibuf_libuv_write()        message ---> stream   a uv_buf_t a segment
 *   ibuf_libuv_read_start()   message <--- stream   each read into an mbuf
 *
 * For programs that link to libuv 1; docs/adapters.md says who copies.
 *
 * Results are libuv's: 0, or a negative UV_E... code.
 *
 * Threads.  All of it is for the thread of the loop, as libuv's own functions
 * are.  Messages that were read are the program's, and end in any thread.
 */
#ifndef IBUF_ADAPT_LIBUV_H
#define IBUF_ADAPT_LIBUV_H

#include <ibuf/mbuf.h>
#include <ibuf/pool.h>
#include <ibuf/segment.h>
#include <limits.h>
#include <stdlib.h>
#include <uv.h>

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

/**
 * What is called once a message is written, or will not be: status is 0, or
 * an error such as UV_ECANCELED where the stream was closed before.
 */
typedef void ibuf_libuv_written_fn(uv_stream_t *stream, int status, void *arg);

/* A request, in front of the uv_buf_t of each segment. */
struct ibuf_libuv_write_ {
	uv_write_t request;
	struct ibuf_mbuf *m;
	ibuf_libuv_written_fn *fn;
	void *arg;
};

static inline void
ibuf_libuv_written_(uv_write_t *request, int status)
{
	struct ibuf_libuv_write_ w = *(struct ibuf_libuv_write_ *)request->data;

	free(request->data);
	ibuf_mbuf_free(w.m);
	if (w.fn != NULL)
		w.fn(w.request.handle, status, w.arg);
}

/**
 * Write a message to a stream.
 *
 * @param fn called later, not by this call; the message is gone then; may be
 *        NULL
 * @param arg handed to fn
 * @return 0; UV_ENOMEM; another error of uv_write()
 * @owner on success the stream has the message, and frees it when it is
 *        written, or the stream is closed; on failure it is the caller's, and
 *        fn is not called.  Clone it to keep what may not go out.
 * @cost one allocation, and libuv's for more than 4 segments.  Where the latter
 *       fails, libuv 1.44 (its issue 5012) counts the request for ever, and uv_run()
 *       no longer returns by itself: linearize where that matters.
 */
static inline IBUF_MUST_USE int
ibuf_libuv_write(uv_stream_t *stream, struct ibuf_mbuf *m,
		 ibuf_libuv_written_fn *fn, void *arg)
{
	size_t n = ibuf_mbuf_segments(m), i = 0;
	struct ibuf_libuv_write_ *w;
	const struct ibuf_mbuf *s;
	uv_buf_t *bufs;
	int rc;

	if (n > UINT_MAX)
		return UV_ENOMEM;
	w = (struct ibuf_libuv_write_ *)malloc(sizeof(*w) + n * sizeof(*bufs));
	if (w == NULL)
		return UV_ENOMEM;
	w->request.data = w;
	w->m = m;
	w->fn = fn;
	w->arg = arg;
	bufs = (uv_buf_t *)(void *)(w + 1);
	for (s = m; s != NULL; s = ibuf_mbuf_seg_next(s)) {
		const uint8_t *bytes = ibuf_mbuf_seg_data(s);

		/* libuv only reads there. */
		bufs[i++] = uv_buf_init((char *)(uintptr_t)bytes,
					(unsigned)ibuf_mbuf_seg_len(s));
	}
	rc = uv_write(&w->request, stream, bufs, (unsigned)n,
		      ibuf_libuv_written_);
	if (rc != 0)
		free(w);
	return rc;
}

/**
 * What is called with what a stream has read.
 *
 * @param n bytes; or UV_EOF, UV_ENOBUFS where the pool gives nothing, another
 *        error.  After UV_ENOBUFS libuv tries again in the next turn, so stop
 *        reading until there is memory; nothing is lost.
 * @param m the n bytes, which are now the function's; NULL where n is an error
 */
typedef void ibuf_libuv_read_fn(uv_stream_t *stream, ssize_t n,
				struct ibuf_mbuf *m, void *arg);

/** How a stream is read; the members are the caller's to set, but for room_. */
struct ibuf_libuv_reader {
	/** Where each read gets an mbuf, whose tailroom is what is asked for. */
	struct ibuf_pool *pool;
	/** What gets it. */
	ibuf_libuv_read_fn *fn;
	/** Handed to fn. */
	void *arg;
	/** Private: NULL, but while libuv reads. */
	struct ibuf_mbuf *room_;
};

static inline void
ibuf_libuv_room_(uv_handle_t *stream, size_t wanted, uv_buf_t *buf)
{
	struct ibuf_libuv_reader *r = (struct ibuf_libuv_reader *)stream->data;
	size_t n;

	(void)wanted;
	*buf = uv_buf_init(NULL, 0); /* UV_ENOBUFS */
	if (r->room_ == NULL)
		r->room_ = ibuf_pool_alloc(r->pool);
	if (r->room_ == NULL)
		return;
	n = ibuf_mbuf_tailroom(r->room_);
	*buf = uv_buf_init((char *)ibuf_mbuf_reserve(r->room_, n), (unsigned)n);
}

static inline void
ibuf_libuv_read_(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct ibuf_libuv_reader *r = (struct ibuf_libuv_reader *)stream->data;
	struct ibuf_mbuf *m = r->room_;

	(void)buf;
	r->room_ = NULL;
	if (n <= 0 || ibuf_mbuf_commit(m, (size_t)n) != 0) {
		ibuf_mbuf_free(m);
		m = NULL;
	}
	/* 0 is EAGAIN.  The function may end the reader. */
	if (n != 0)
		r->fn(stream, n, m, r->arg);
}

/**
 * Start to read a stream, each time into an mbuf of a pool.
 *
 * @param reader its room_ is NULL; it must stay where it is until the reading is
 *        stopped.  It holds no mbuf between two turns of the loop, so that a
 *        stream is stopped by uv_read_stop() or uv_close(), and no more.
 * @return 0, or an error of uv_read_start()
 * @owner stream->data is the reader's; its arg is for the program
 */
static inline int
ibuf_libuv_read_start(uv_stream_t *stream, struct ibuf_libuv_reader *reader)
{
	stream->data = reader;
	return uv_read_start(stream, ibuf_libuv_room_, ibuf_libuv_read_);
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
