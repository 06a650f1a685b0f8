/* chunks.c - cookbook: the body of an HTTP message that comes in chunks. */
#include <errno.h>
#include <ibuf/ibuf.h>
#include <stdio.h>

enum { LINE_MAX_BYTES = 64, CHUNK_MAX = 1 << 20 };

/* The value of a hexadecimal digit; -1: it is none. */
static int
digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The size at the front of a line; -EPROTO: none, or more than we take. */
static long
chunk_size(const struct ibuf_mbuf *in, size_t line)
{
	struct ibuf_cursor c;
	long size = 0;
	size_t digits = 0;
	uint8_t byte;

	ibuf_cursor_init(&c, in);
	while (digits < line && ibuf_cursor_get_u8(&c, &byte) &&
	       digit(byte) >= 0) {
		size = size * 16 + digit(byte);
		if (size > CHUNK_MAX)
			return -EPROTO;
		digits++;
	}
	return digits != 0 ? size : -EPROTO;
}

/*
 * Move the next chunk from in to the end of body.  1: a chunk; 0: it is not
 * complete yet; -ENODATA: that was the last; -EPROTO, -ENOMEM.
 */
static int
chunk_next(struct ibuf_mbuf *in, struct ibuf_mbuf *body)
{
	size_t line = ibuf_mbuf_find(in, 0, "\r\n", 2);
	struct ibuf_mbuf *chunk;
	long size;
	int rc;

	if (line == SIZE_MAX)
		return ibuf_mbuf_len(in) > LINE_MAX_BYTES ? -EPROTO : 0;
	size = chunk_size(in, line);
	if (size < 0)
		return (int)size;
	if (ibuf_mbuf_len(in) - line < (size_t)size + 4)
		return 0;
	if (!ibuf_mbuf_matches(in, line + 2 + (size_t)size, "\r\n", 2))
		return -EPROTO;
	if (size == 0)
		return -ENODATA;

	chunk = ibuf_mbuf_slice(in, line + 2, (size_t)size);
	if (chunk == NULL)
		return -ENOMEM;
	rc = ibuf_mbuf_concat(body, chunk);
	if (rc != 0) {
		ibuf_mbuf_free(chunk);
		return rc;
	}
	ibuf_mbuf_trim_head(in, line + 4 + (size_t)size);
	return 1;
}

int
main(void)
{
	static const char wire[] =
		"5\r\nHello\r\n8;x=y\r\n, chunks\r\n0\r\n\r\n";
	struct ibuf_mbuf *in = ibuf_mbuf_new(256), *body = ibuf_mbuf_new(0);
	struct ibuf_pool_stats stats;
	size_t i;
	int rc = 0;

	if (in == NULL || body == NULL)
		return 1;
	for (i = 0; i < sizeof wire - 1 && rc >= 0; i++) {
		if (ibuf_mbuf_append(in, wire + i, 1) != 0)
			return 1;
		while ((rc = chunk_next(in, body)) == 1)
			;
	}
	if (rc != -ENODATA)
		return 1;
	ibuf_pool_get_stats(NULL, &stats, sizeof stats);
	printf("%zu bytes in %zu segments, %zu copied: ", ibuf_mbuf_len(body),
	       ibuf_mbuf_segments(body), (size_t)stats.copied_bytes);
	fflush(stdout);
	ibuf_io_write(1, body);
	ibuf_mbuf_free(body);
	ibuf_mbuf_free(in);
	return 0;
}

/* Prints:
 * 13 bytes in 2 segments, 0 copied: Hello, chunks
 */
