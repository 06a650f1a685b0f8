/*
 * adapt/nghttp2.h - bodies of HTTP/2 as messages, and a session's bytes.
 *
 *   body    ---> ibuf_nghttp2_send_data()  \
 *                ibuf_nghttp2_send()        ---> out, to be sent
 *   slices  <--- ibuf_nghttp2_chunk()     <--- ibuf_nghttp2_receive()  <--- in
 *
 * For programs that link to nghttp2 1.15; docs/adapters.md says who copies.  The
 * functions are called by the callbacks of the program, since these find the
 * connection by their user_data.
 *
 * Threads.  All of it is for the thread of the session.  What is in out, and
 * the slices of in, go to any.
 */
#ifndef IBUF_ADAPT_NGHTTP2_H
#define IBUF_ADAPT_NGHTTP2_H

#include <ibuf/mbuf.h>
#include <ibuf/segment.h>
#include <nghttp2/nghttp2.h>

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

/** A body that is sent: the ptr of a nghttp2_data_source. */
struct ibuf_nghttp2_body {
	/** What is still to be sent; the caller's, to be freed when the stream is
	    closed. */
	struct ibuf_mbuf *m;
	/** More will be put behind m: then nghttp2_session_resume_data(). */
	bool more;
};

/** Tell nghttp2 what there is of a body: the read_callback of a
    nghttp2_data_provider.  No byte is touched. */
static inline ssize_t
ibuf_nghttp2_read_body(nghttp2_session *session, int32_t stream, uint8_t *none,
		       size_t most, uint32_t *flags,
		       nghttp2_data_source *source, void *user_data)
{
	const struct ibuf_nghttp2_body *b =
		(const struct ibuf_nghttp2_body *)source->ptr;
	size_t n = ibuf_mbuf_len(b->m);

	(void)session;
	(void)stream;
	(void)none;
	(void)user_data;
	if (n == 0 && b->more)
		return NGHTTP2_ERR_DEFERRED;
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (n <= most && !b->more)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)(n < most ? n : most);
}

/*
 * A DATA frame of the first n bytes of a body: its header and the length of the
 * padding in a message of their own, the bytes where they are, the padding.
 */
static inline int
ibuf_nghttp2_frame_(struct ibuf_mbuf **frame, const uint8_t *header,
		    size_t padding, struct ibuf_mbuf *body, size_t n)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(10), *tail = ibuf_mbuf_new(0),
			 *part;
	uint8_t pad = (uint8_t)(padding - 1);

	if (m == NULL || tail == NULL || ibuf_mbuf_append(m, header, 9) != 0 ||
	    (padding > 0 && ibuf_mbuf_append(m, &pad, 1) != 0) ||
	    (padding > 1 && ibuf_mbuf_append_fill(tail, 0, padding - 1) != 0) ||
	    ibuf_mbuf_split_front(body, n, &part) != 0) {
		ibuf_mbuf_free(m);
		ibuf_mbuf_free(tail);
		return -1;
	}
	/* These need no memory, and a frame is not too long. */
	if (ibuf_mbuf_concat(m, part) != 0)
		ibuf_mbuf_free(part);
	if (ibuf_mbuf_concat(m, tail) != 0)
		ibuf_mbuf_free(tail);
	*frame = m;
	return 0;
}

/**
 * Put a DATA frame behind what is to be sent, and take its bytes off the body:
 * the work of a nghttp2_send_data_callback.
 *
 * @param source whose ptr is a struct ibuf_nghttp2_body
 * @return for nghttp2: 0; NGHTTP2_ERR_WOULDBLOCK: no memory, nothing has
 *         changed, and nghttp2 calls again when the session sends again
 * @cost two messages of the heap, and a header for the bytes
 */
static inline IBUF_MUST_USE int
ibuf_nghttp2_send_data(struct ibuf_mbuf *out, const nghttp2_frame *frame,
		       const uint8_t *header, size_t n,
		       const nghttp2_data_source *source)
{
	const struct ibuf_nghttp2_body *b =
		(const struct ibuf_nghttp2_body *)source->ptr;
	struct ibuf_mbuf *m;

	if (ibuf_nghttp2_frame_(&m, header, frame->data.padlen, b->m, n) != 0)
		return NGHTTP2_ERR_WOULDBLOCK;
	if (ibuf_mbuf_concat(out, m) != 0) {
		ibuf_mbuf_free(m);
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	return 0;
}

/**
 * Put the bytes of all other frames behind what is to be sent: the work of a
 * nghttp2_send_callback.
 *
 * @return n, or NGHTTP2_ERR_WOULDBLOCK: no memory, and nothing has changed
 * @cost O(n); no byte that is in out already is moved
 */
static inline IBUF_MUST_USE ssize_t
ibuf_nghttp2_send(struct ibuf_mbuf *out, const uint8_t *bytes, size_t n)
{
	struct ibuf_mbuf *m;

	/* Behind a body there is no room of ours to append to. */
	if (ibuf_mbuf_tailroom(out) >= n) {
		if (ibuf_mbuf_append(out, bytes, n) != 0)
			return NGHTTP2_ERR_WOULDBLOCK;
		return (ssize_t)n;
	}
	m = ibuf_mbuf_from(bytes, n);
	if (m == NULL || ibuf_mbuf_concat(out, m) != 0) {
		ibuf_mbuf_free(m);
		return NGHTTP2_ERR_WOULDBLOCK;
	}
	return (ssize_t)n;
}

/**
 * Let a session read what was received, segment by segment, and take that off.
 *
 * @return bytes, fewer than there were if a callback paused; or nghttp2's error,
 *         after which the session is over
 */
static inline IBUF_MUST_USE ssize_t
ibuf_nghttp2_receive(nghttp2_session *session, struct ibuf_mbuf *in)
{
	ssize_t all = 0, n;
	size_t run;

	while (ibuf_mbuf_len(in) != 0) {
		const uint8_t *bytes = ibuf_mbuf_at(in, 0, &run);

		n = nghttp2_session_mem_recv(session, bytes, run);
		if (n < 0)
			return n;
		ibuf_mbuf_trim_head(in, (size_t)n);
		all += n;
		if ((size_t)n < run)
			break;
	}
	return all;
}

/**
 * Make a message of a piece of a body, in a nghttp2_on_data_chunk_recv_callback
 * that ibuf_nghttp2_receive() of in has caused: a slice of in.
 *
 * @return the message; NULL: no memory; it may be asked for again in that callback
 * @owner the caller has the message
 */
static inline IBUF_MUST_USE struct ibuf_mbuf *
ibuf_nghttp2_chunk(const struct ibuf_mbuf *in, const uint8_t *bytes, size_t n)
{
	size_t run;
	const uint8_t *front = ibuf_mbuf_at(in, 0, &run);
	size_t off = (uintptr_t)bytes - (uintptr_t)front;

	if (off > run || n > run - off)
		return ibuf_mbuf_from(bytes,
				      n); /* nghttp2 has put it elsewhere */
	return ibuf_mbuf_slice(in, off, n);
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
