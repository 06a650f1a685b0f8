/* 06_stream.c - guide 6: frames cut out of a stream, however it arrives. */
#include "frame.h"
#include <stdio.h>

/* Three frames and the length of a fourth, which is too long. */
static const uint8_t wire[] = "\0\0\0\3one\0\0\0\0\0\0\0\5three\0\1\0\0";

/* Take the frames that are complete: how many, or an error. */
static int
take_frames(struct ibuf_mbuf *stream)
{
	struct ibuf_mbuf *frame;
	int count = 0, rc;

	while ((rc = frame_next(stream, &frame)) == 1) {
		printf("frame \"%.*s\"\n", (int)ibuf_mbuf_len(frame),
		       (const char *)ibuf_mbuf_data(frame));
		ibuf_mbuf_free(frame);
		count++;
	}
	return rc < 0 ? rc : count;
}

int
main(void)
{
	struct ibuf_mbuf *stream = ibuf_mbuf_new(256);
	struct ibuf_pool_stats stats;
	size_t i;
	int rc = 0;

	if (stream == NULL)
		return 1;

	for (i = 0; i < sizeof wire - 1 && rc >= 0; i++) {
		if (ibuf_mbuf_append(stream, wire + i, 1) != 0)
			return 1;
		rc = take_frames(stream);
	}
	if (rc == -EPROTO)
		printf("after %zu bytes: the peer is not one of ours\n", i);

	ibuf_pool_get_stats(NULL, &stats, sizeof stats);
	printf("copied: %zu bytes\n", (size_t)stats.copied_bytes);

	ibuf_mbuf_free(stream);
	return 0;
}

/* Prints:
 * frame "one"
 * frame ""
 * frame "three"
 * after 24 bytes: the peer is not one of ours
 * copied: 0 bytes
 */
