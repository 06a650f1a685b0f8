/* frame.h - the frames of the guide: 32 bits of length, and so many bytes. */
#ifndef GUIDE_FRAME_H
#define GUIDE_FRAME_H

#include <errno.h>
#include <ibuf/ibuf.h>

enum { FRAME_HEADER = 4, FRAME_MAX = 4096 };

/*
 * Cut the next frame off the front of a stream, and its length off the frame.
 * 1: *frame is the caller's; 0: it is not complete yet; -EPROTO: it is longer
 * than we take; -ENOMEM.
 */
static inline int
frame_next(struct ibuf_mbuf *stream, struct ibuf_mbuf **frame)
{
	uint32_t n;
	int rc;

	if (!ibuf_mbuf_get_be32(stream, 0, &n))
		return 0;
	if (n > FRAME_MAX)
		return -EPROTO;
	if (ibuf_mbuf_len(stream) - FRAME_HEADER < n)
		return 0;
	rc = ibuf_mbuf_split_front(stream, FRAME_HEADER + n, frame);
	if (rc != 0)
		return rc;
	ibuf_mbuf_trim_head(*frame, FRAME_HEADER);
	return 1;
}

/*
 * Make a request an answer: "ok " and the same bytes, as a frame.  What is new
 * goes into a segment of its own in front, and the bytes are not copied.
 */
static inline int
frame_answer(struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *front = ibuf_mbuf_new(FRAME_HEADER + 3);
	int rc = -ENOMEM;

	if (front != NULL) {
		rc = ibuf_mbuf_append_be32(front,
					   (uint32_t)ibuf_mbuf_len(m) + 3);
		if (rc == 0)
			rc = ibuf_mbuf_append(front, "ok ", 3);
		if (rc == 0)
			rc = ibuf_mbuf_concat_front(m, front);
		if (rc != 0)
			ibuf_mbuf_free(front);
	}
	return rc;
}

#endif
