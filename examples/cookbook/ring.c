/* ring.c - cookbook: the last bytes of a stream, in memory that does not grow. */
#include <ibuf/ibuf.h>
#include <stdio.h>

enum { KEPT = 32, ROOM = 4 * KEPT };

/*
 * Add n bytes, at most KEPT, and forget the oldest.  Where the room is full,
 * the bytes that stay go back to its front, which is once in ROOM - KEPT bytes.
 */
static int
ring_add(struct ibuf_mbuf *ring, const void *bytes, size_t n)
{
	uint8_t kept[KEPT];
	size_t len = ibuf_mbuf_len(ring);

	if (n > KEPT)
		return -1;
	if (len + n > KEPT)
		ibuf_mbuf_trim_head(ring, len + n - KEPT);
	if (ibuf_mbuf_tailroom(ring) < n) {
		len = ibuf_mbuf_read(ring, kept, KEPT);
		ibuf_mbuf_clear(ring);
		if (ibuf_mbuf_append(ring, kept, len) != 0)
			return -1;
	}
	return ibuf_mbuf_append(ring, bytes, n);
}

int
main(void)
{
	struct ibuf_mbuf *ring = ibuf_mbuf_new(ROOM);
	char line[16];
	int i, n;

	if (ring == NULL)
		return 1;
	for (i = 0; i < 1000; i++) {
		n = snprintf(line, sizeof line, "line %d\n", i);
		if (ring_add(ring, line, (size_t)n) != 0)
			return 1;
	}
	printf("capacity %zu, the end of the log:\n", ibuf_mbuf_capacity(ring));
	fflush(stdout);
	ibuf_io_write(1, ring);
	ibuf_mbuf_free(ring);
	return 0;
}

/* Prints:
 * capacity 128, the end of the log:
 *  996
 * line 997
 * line 998
 * line 999
 */
