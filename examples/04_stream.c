/* 04_stream.c - a message is a stream: write at the end, read at the front. */
#include <ibuf/ibuf.h>
#include <stdio.h>

int
main(void)
{
	struct ibuf_mbuf *stream = ibuf_mbuf_new(256);
	char out[32];
	size_t n;

	if (stream == NULL || ibuf_mbuf_write(stream, "Stream ", 7) != 7 ||
	    ibuf_mbuf_write(stream, "processing", 10) != 10)
		return 1;
	printf("%zu bytes to read\n", ibuf_mbuf_len(stream));

	n = ibuf_mbuf_read(stream, out, sizeof out);
	printf("read %zu: %.*s\n", n, (int)n, out);
	printf("%zu bytes to read\n", ibuf_mbuf_len(stream));

	ibuf_mbuf_free(stream);
	return 0;
}

/* Prints:
 * 17 bytes to read
 * read 17: Stream processing
 * 0 bytes to read
 */
