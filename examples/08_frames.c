/* 08_frames.c - frames are cut out of a stream, and nothing is copied. */
#include <ibuf/ibuf.h>
#include <stdio.h>
#include <unistd.h>

/* What a peer sends: 16 bits of length and so many bytes, again and again. */
static const char wire[] = "\0\3one\0\3two\0\0\0\5three\0\4fo";

/*
 * The next frame, cut off the front of the stream; NULL: it is not complete.
 * It keeps its bytes where they were read, and the stream goes on behind it.
 */
static struct ibuf_mbuf *
next_frame(struct ibuf_mbuf *stream)
{
	struct ibuf_mbuf *frame;
	struct ibuf_cursor c;
	uint16_t n;

	ibuf_cursor_init(&c, stream);
	if (!ibuf_cursor_get_be16(&c, &n))
		return NULL;
	frame = ibuf_cursor_take(&c, n);
	if (frame != NULL)
		ibuf_mbuf_trim_head(stream, ibuf_cursor_position(&c));
	return frame;
}

int
main(void)
{
	struct ibuf_mbuf *stream = ibuf_mbuf_new(256), *frames[8];
	struct ibuf_pool_stats stats;
	size_t n = 0, i;
	int ends[2];

	if (stream == NULL || pipe(ends) != 0 ||
	    write(ends[1], wire, sizeof wire - 1) != sizeof wire - 1)
		return 1;
	close(ends[1]);

	/* Bytes come as they like, here seven at a time. */
	while (ibuf_io_read(ends[0], stream, 7) > 0)
		while (n < 8 && (frames[n] = next_frame(stream)) != NULL)
			n++;

	for (i = 0; i < n; i++)
		printf("frame %zu: \"%.*s\"\n", i,
		       (int)ibuf_mbuf_len(frames[i]),
		       (const char *)ibuf_mbuf_data(frames[i]));
	ibuf_pool_get_stats(NULL, &stats, sizeof stats);
	printf("%zu bytes are not a frame yet, %zu were copied\n",
	       ibuf_mbuf_len(stream), (size_t)stats.copied_bytes);

	ibuf_mbuf_free_bulk(frames, n);
	ibuf_mbuf_free(stream);
	close(ends[0]);
	return 0;
}

/* Prints:
 * frame 0: "one"
 * frame 1: "two"
 * frame 2: ""
 * frame 3: "three"
 * 4 bytes are not a frame yet, 0 were copied
 */
