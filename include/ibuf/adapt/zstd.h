/*
 * adapt/zstd.h - messages through Zstandard, segment by segment.
 *
 *   ibuf_zstd_compress()     bytes ---> compressed
 *   ibuf_zstd_decompress()   bytes <--- compressed, with a bound
 *
 * zstd writes into mbufs of a pool, which become the segments of a new message:
 * the library copies nothing.  zstd itself keeps a copy of what it is given in
 * streams.  For programs that link to libzstd 1.4.
 *
 * The context is the program's, with its level and parameters, and may go on
 * from message to message.  After a call that fails, what was read of the
 * stream is not known: reset it by ZSTD_CCtx_reset() or ZSTD_DCtx_reset().
 *
 * Errors are -ENOMEM, also for a pool at its max; -EOVERFLOW: more bytes than
 * there may be; -EPROTO: not what zstd calls data, and all else it refuses.
 */
#ifndef IBUF_ADAPT_ZSTD_H
#define IBUF_ADAPT_ZSTD_H

#include <errno.h>
#include <ibuf/adapt/inline/pieces.h>
#include <ibuf/mbuf.h>
#include <ibuf/pool.h>
#include <ibuf/segment.h>
#include <zstd.h>
#include <zstd_errors.h>

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

static inline int
ibuf_zstd_error_(size_t rc)
{
	return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation ? -ENOMEM
								     : -EPROTO;
}

/* One call, of either context, into the room there is: zstd's result. */
static inline int
ibuf_zstd_call_(ZSTD_CCtx *c, ZSTD_DCtx *d, ZSTD_inBuffer *from,
		ZSTD_EndDirective how, struct ibuf_pieces_ *to, size_t *rc,
		bool *full)
{
	ZSTD_outBuffer b = {NULL, 0, 0};

	b.dst = ibuf_pieces_room_(to, &b.size);
	if (b.dst == NULL)
		return -ENOMEM;
	*rc = c != NULL ? ZSTD_compressStream2(c, &b, from, how)
			: ZSTD_decompressStream(d, &b, from);
	if (ZSTD_isError(*rc) != 0)
		return ibuf_zstd_error_(*rc);
	*full = b.pos == b.size;
	return ibuf_pieces_wrote_(to, b.pos);
}

/* 1: at the end of a frame; 0: it wants more; or an error. */
static inline int
ibuf_zstd_run_(ZSTD_CCtx *c, ZSTD_DCtx *d, ZSTD_EndDirective end,
	       const struct ibuf_mbuf *in, struct ibuf_pieces_ *to,
	       struct ibuf_mbuf **out)
{
	const struct ibuf_mbuf *s, *next;
	size_t rc = 1;
	bool full;
	int error = 0;

	for (s = in; s != NULL && error == 0; s = next) {
		ZSTD_inBuffer from = {ibuf_mbuf_seg_data(s),
				      ibuf_mbuf_seg_len(s), 0};
		ZSTD_EndDirective how = ZSTD_e_continue;

		next = ibuf_mbuf_seg_next(s);
		if (next == NULL)
			how = end;
		do
			error = ibuf_zstd_call_(c, d, &from, how, to, &rc,
						&full);
		/* Once a frame has ended, another call would want the next. */
		while (error == 0 &&
		       (from.pos < from.size ||
			(rc != 0 && (full || how != ZSTD_e_continue))));
	}
	if (error == 0)
		error = ibuf_pieces_end_(to, out);
	if (error == 0)
		return rc == 0;
	ibuf_pieces_drop_(to);
	return error;
}

/**
 * Compress a message.
 *
 * @param end what the end of the message is to the stream: ZSTD_e_end, the end of
 *        a frame; ZSTD_e_flush, all can be decompressed; ZSTD_e_continue
 * @param pool where the new message gets its mbufs; NULL: 4 KiB of the heap each
 * @param out where the new message goes; untouched on failure
 * @return 0, or an error
 * @owner in is only read, and the caller's; the caller has *out
 * @mt shared-read for in
 */
static inline IBUF_MUST_USE int
ibuf_zstd_compress(ZSTD_CCtx *c, const struct ibuf_mbuf *in,
		   ZSTD_EndDirective end, struct ibuf_pool *pool,
		   struct ibuf_mbuf **out)
{
	struct ibuf_pieces_ to = {pool, SIZE_MAX, NULL, NULL};
	int rc = ibuf_zstd_run_(c, NULL, end, in, &to, out);

	return rc < 0 ? rc : 0;
}

/**
 * Decompress a message, or what has come of it so far; all of its frames.
 *
 * @param most bytes that may come out of it; a few bytes in can be gigabytes out
 * @param pool where the new message gets its mbufs; NULL: 4 KiB of the heap each
 * @param out where the new message goes; untouched on failure
 * @return 1: in ends where a frame ends; 0: the frame wants more; or an error
 * @owner in is only read, and the caller's; the caller has *out
 * @mt shared-read for in
 */
static inline IBUF_MUST_USE int
ibuf_zstd_decompress(ZSTD_DCtx *d, const struct ibuf_mbuf *in, size_t most,
		     struct ibuf_pool *pool, struct ibuf_mbuf **out)
{
	struct ibuf_pieces_ to = {pool, most, NULL, NULL};

	return ibuf_zstd_run_(NULL, d, ZSTD_e_continue, in, &to, out);
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
