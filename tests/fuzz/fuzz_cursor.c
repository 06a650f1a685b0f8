/*
 * fuzz_cursor.c - the bytes are a message in segments, and a script for a
 * cursor that reads it beside a flat reader.
 *
 *	count, that many lengths, script
 *
 * A segment is a message of its own, or a segment onto a larger one: every
 * length has both, in turn.
 */
#include "heard.h"
#include <model/reader.h>
#include <string.h>

enum { MOST = 15 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A message of these bytes, or a segment of one that has more. */
static struct ibuf_mbuf *
piece(const uint8_t *bytes, size_t len, bool sliced)
{
	struct ibuf_mbuf *m, *whole;

	if (!sliced) {
		m = ibuf_mbuf_from(bytes, len);
		CHECK(m != NULL);
		return m;
	}
	whole = ibuf_mbuf_from(bytes, len + 3);
	CHECK(whole != NULL);
	m = ibuf_mbuf_slice(whole, 0, len);
	CHECK(m != NULL);
	ibuf_mbuf_free(whole);
	return m;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t flat[BYTES_MAX];
	struct ibuf_mbuf *m;
	size_t count, len = 0;
	uint64_t copied;

	if (size < 1 || size > BYTES_MAX)
		return -1;
	count = data[0] % (MOST + 1);
	if (size < 1 + count)
		return -1;
	/* What the bytes are does not matter, if no two places are alike. */
	for (size_t i = 0; i < sizeof(flat); i++)
		flat[i] = (uint8_t)(i * 167 + (i >> 8));
	m = ibuf_mbuf_new(0);
	CHECK(m != NULL);
	for (size_t i = 1; i <= count; i++) {
		struct ibuf_mbuf *s = piece(flat + len, data[i], i % 2 == 0);

		CHECK_EQUAL(-ibuf_mbuf_concat(m, s), 0);
		len += data[i];
	}
	copied = bytes_copied();
	copied +=
		read_message(m, flat, len, data + 1 + count, size - 1 - count);
	CHECK_EQUAL(bytes_copied(), copied);
	CHECK_EQUAL(-ibuf_mbuf_validate(m), 0);
	ibuf_mbuf_free(m);
	return 0;
}
