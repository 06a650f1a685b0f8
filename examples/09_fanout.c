/* 09_fanout.c - a header of its own before a shared payload, for each receiver. */
#include <ibuf/ibuf.h>
#include <stdio.h>

enum { RECEIVERS = 3 };

/* The payload with a header before it; NULL: no memory. */
static struct ibuf_mbuf *
frame_for(unsigned receiver, const struct ibuf_mbuf *payload)
{
	struct ibuf_mbuf *header = ibuf_mbuf_new(16);
	struct ibuf_mbuf *frame = ibuf_mbuf_clone(payload);

	if (header == NULL || frame == NULL ||
	    ibuf_mbuf_printf(header, "to %u: ", receiver) != 0 ||
	    ibuf_mbuf_concat_front(frame, header) != 0) {
		ibuf_mbuf_free(header);
		ibuf_mbuf_free(frame);
		return NULL;
	}
	return frame;
}

int
main(void)
{
	struct ibuf_mbuf *payload = ibuf_mbuf_from("the news\n", 9);
	struct ibuf_pool_stats stats;
	struct ibuf_mbuf *frame;
	unsigned i;

	if (payload == NULL)
		return 1;
	for (i = 1; i <= RECEIVERS; i++) {
		frame = frame_for(i, payload);
		if (frame == NULL)
			return 1;
		if (ibuf_io_write(1, frame) < 0)
			return 1;
		ibuf_mbuf_free(frame);
	}
	ibuf_mbuf_free(payload);
	ibuf_pool_get_stats(NULL, &stats, sizeof stats);
	printf("%zu bytes were copied\n", (size_t)stats.copied_bytes);
	return 0;
}

/* Prints:
 * to 1: the news
 * to 2: the news
 * to 3: the news
 * 0 bytes were copied
 */
