/*
 * adapt/ngtcp2.h - the data of a QUIC stream as messages.
 *
 *   message ---> ibuf_ngtcp2_vec() ---> ngtcp2_conn_writev_stream()
 *
 * For programs that link to ngtcp2; docs/adapters.md says who copies.
 *
 * ngtcp2 looks at the bytes again until the peer has acknowledged them.  So keep
 * one message a stream, put new data behind it by ibuf_mbuf_concat(), remember
 * how much of it ngtcp2 has taken, and trim_head() what acked_stream_data_offset
 * says.  A stream is not appended to: that may move bytes.
 */
#ifndef IBUF_ADAPT_NGTCP2_H
#define IBUF_ADAPT_NGTCP2_H

#include <ibuf/mbuf.h>
#include <ibuf/segment.h>
#include <ngtcp2/ngtcp2.h>

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

/**
 * Describe the bytes from an offset on for ngtcp2, as ibuf_mbuf_iov() does.
 *
 * @param off where to start: what ngtcp2 has taken
 * @param v the array; may be NULL when max is 0
 * @param max its size; no more entries than that are filled
 * @return how many entries it takes; 0 at the end of the message and beyond
 * @owner the entries point into the message, until its next edit or free
 * @mt shared-read
 * @cost O(segments)
 */
static inline size_t
ibuf_ngtcp2_vec(const struct ibuf_mbuf *m, size_t off, ngtcp2_vec *v,
		size_t max)
{
	const struct ibuf_mbuf *s;
	size_t n = 0;

	for (s = m; s != NULL; s = ibuf_mbuf_seg_next(s)) {
		const uint8_t *bytes = ibuf_mbuf_seg_data(s);
		size_t len = ibuf_mbuf_seg_len(s);

		if (off >= len) {
			off -= len;
			continue;
		}
		if (n < max) {
			/* ngtcp2 only reads there. */
			v[n].base = (uint8_t *)(uintptr_t)bytes + off;
			v[n].len = len - off;
		}
		n++;
		off = 0;
	}
	return n;
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
