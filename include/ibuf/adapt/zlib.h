/*
 * adapt/zlib.h - messages through zlib, segment by segment.
 *
 *   ibuf_zlib_deflate()   bytes ---> compressed
 *   ibuf_zlib_inflate()   bytes <--- compressed, with a bound
 *
 * zlib reads the segments where they are, and writes into mbufs of a pool,
 * which become the segments of a new message: the library copies nothing.
 * For programs that link to zlib 1.2.
 *
 * The stream is the program's: it is made by deflateInit2() or inflateInit2(),
 * which choose the format, may go on from message to message, and is ended by
 * deflateEnd() or inflateEnd().  After a call that fails, what was read of the
 * stream is not known: deflateReset() or inflateReset() it, and begin again.
 *
 * Errors are -ENOMEM, also for a pool at its max; -EOVERFLOW: more bytes than
 * there may be; -EPROTO: not what zlib calls data; -EINVAL: not a stream.
 */
#ifndef IBUF_ADAPT_ZLIB_H
#define IBUF_ADAPT_ZLIB_H

#include <errno.h>
#include <ibuf/adapt/inline/pieces.h>
#include <ibuf/mbuf.h>
#include <ibuf/pool.h>
#include <ibuf/segment.h>
#include <zlib.h>

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

/* Let a step take all of z's input, and write.  1: at the end of the stream; 0:
   it wants more; or an error. */
static inline int
ibuf_zlib_step_(z_stream *z, int (*step)(z_stream *, int), int flush,
		struct ibuf_pieces_ *to)
{
	size_t n;
	int rc, error;

	do {
		z->next_out = ibuf_pieces_room_(to, &n);
		if (z->next_out == NULL)
			return -ENOMEM;
		z->avail_out = (uInt)n;
		rc = step(z, flush);
		error = ibuf_pieces_wrote_(to, n - z->avail_out);
		if (error != 0)
			return error;
		if (rc == Z_STREAM_END)
			return 1;
		if (rc == Z_MEM_ERROR)
			return -ENOMEM;
		if (rc == Z_DATA_ERROR || rc == Z_NEED_DICT)
			return -EPROTO;
		if (rc != Z_OK && rc != Z_BUF_ERROR)
			return -EINVAL;
		/* A full room may hide that there is more. */
	} while (z->avail_out == 0);
	return 0;
}

static inline int
ibuf_zlib_run_(z_stream *z, int (*step)(z_stream *, int), int flush,
	       const struct ibuf_mbuf *in, struct ibuf_pieces_ *to,
	       struct ibuf_mbuf **out)
{
	const struct ibuf_mbuf *s = in, *next;
	int rc = 0, error;

	for (; s != NULL && rc == 0; s = next) {
		const uint8_t *bytes = ibuf_mbuf_seg_data(s);

		next = ibuf_mbuf_seg_next(s);
		/* zlib only reads there, whatever its type says. */
		z->next_in = (Bytef *)(uintptr_t)bytes;
		z->avail_in = (uInt)ibuf_mbuf_seg_len(s);
		rc = ibuf_zlib_step_(z, step, next == NULL ? flush : Z_NO_FLUSH,
				     to);
	}
	error = rc < 0 ? rc : ibuf_pieces_end_(to, out);
	if (error == 0)
		return rc;
	ibuf_pieces_drop_(to);
	return error;
}

/**
 * Compress a message.
 *
 * @param z as deflateInit2() made it
 * @param flush what the end of the message is to the stream: Z_FINISH, its end;
 *        Z_SYNC_FLUSH, all can be inflated; Z_NO_FLUSH
 * @param pool where the new message gets its mbufs; NULL: 4 KiB of the heap each
 * @param out where the new message goes; untouched on failure
 * @return 0, or an error
 * @owner in is only read, and the caller's; the caller has *out
 * @mt shared-read for in
 */
static inline IBUF_MUST_USE int
ibuf_zlib_deflate(z_stream *z, const struct ibuf_mbuf *in, int flush,
		  struct ibuf_pool *pool, struct ibuf_mbuf **out)
{
	struct ibuf_pieces_ to = {pool, SIZE_MAX, NULL, NULL};
	int rc = ibuf_zlib_run_(z, deflate, flush, in, &to, out);

	return rc < 0 ? rc : 0;
}

/**
 * Inflate a message, or what has come of it so far.
 *
 * @param z as inflateInit2() made it
 * @param most bytes that may come out of it; a few bytes in can be gigabytes out
 * @param pool where the new message gets its mbufs; NULL: 4 KiB of the heap each
 * @param out where the new message goes; untouched on failure
 * @return 1: the stream is at its end, and z->total_in tells where in all that
 *         was given; 0: it wants more; or an error
 * @owner in is only read, and the caller's; the caller has *out
 * @mt shared-read for in
 */
static inline IBUF_MUST_USE int
ibuf_zlib_inflate(z_stream *z, const struct ibuf_mbuf *in, size_t most,
		  struct ibuf_pool *pool, struct ibuf_mbuf **out)
{
	struct ibuf_pieces_ to = {pool, most, NULL, NULL};

	return ibuf_zlib_run_(z, inflate, Z_NO_FLUSH, in, &to, out);
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
