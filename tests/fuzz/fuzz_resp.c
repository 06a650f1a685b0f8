/*
 * fuzz_resp.c - the bytes are what a client of ibuf-relay sends.
 *
 *	piece, options, stream
 *
 * Read in one piece and in pieces of that length, the stream says the same;
 * an argument has its bulk string around it, and nothing is copied.
 */
#include <ibuf-relay/protocol/resp.h>
#include <model/model.h>
#include <stdio.h>
#include <string.h>

enum { MAX_BULK = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was said, as a sum in which the order counts. */
struct heard {
	uint64_t sum;
	enum resp_result last;
};

static void
hear_byte(struct heard *h, uint8_t byte)
{
	h->sum = (h->sum ^ byte) * UINT64_C(1099511628211);
}

static void
hear_arg(struct heard *h, const struct ibuf_mbuf *source, struct resp_arg arg)
{
	char before[32], there[34];
	size_t n =
		(size_t)snprintf(before, sizeof(before), "$%zu\r\n", arg.len);
	struct ibuf_cursor c;
	uint8_t byte;

	CHECK_EQUAL(arg.at - arg.bulk, n);
	CHECK_EQUAL(-ibuf_mbuf_copy_out(source, arg.bulk, there, n), 0);
	CHECK(memcmp(there, before, n) == 0);
	CHECK_EQUAL(-ibuf_mbuf_copy_out(source, arg.at + arg.len, there, 2), 0);
	CHECK(memcmp(there, "\r\n", 2) == 0);
	ibuf_cursor_init(&c, source);
	CHECK(ibuf_cursor_seek(&c, arg.at));
	for (size_t i = 0; i < arg.len; i++) {
		CHECK(ibuf_cursor_get_u8(&c, &byte));
		hear_byte(h, byte);
	}
	hear_byte(h, '|');
}

static struct heard
hear(const uint8_t *bytes, size_t len, size_t piece, bool is_trusted)
{
	struct heard h = {0, RESP_MORE};
	struct resp_parser p;
	struct ibuf_mbuf *in = NULL;

	resp_init(&p, MAX_BULK, is_trusted);
	for (size_t at = 0; at < len && h.last == RESP_MORE; at += piece) {
		size_t n = piece < len - at ? piece : len - at;
		struct ibuf_mbuf *m = ibuf_mbuf_from(bytes + at, n);

		CHECK(m != NULL);
		if (in == NULL)
			in = m;
		else
			CHECK_EQUAL(-ibuf_mbuf_concat(in, m), 0);
		while ((h.last = resp_next(&p, in)) == RESP_REQUEST) {
			CHECK(p.count > 0);
			for (size_t i = 0; i < p.count; i++)
				hear_arg(&h, p.source, p.args[i]);
			hear_byte(&h, '\n');
		}
		CHECK(h.last != RESP_NOMEM);
		resp_consume(&p, &in);
		CHECK(in == NULL || ibuf_mbuf_validate(in) == 0);
	}
	if (h.last == RESP_ERROR)
		for (const char *s = p.error; *s != '\0'; s++)
			hear_byte(&h, (uint8_t)*s);
	resp_destroy(&p);
	ibuf_mbuf_free(in);
	return h;
}

static uint64_t
bytes_copied(void)
{
	struct ibuf_pool_stats stats;

	CHECK_EQUAL(-ibuf_pool_get_stats(NULL, &stats, sizeof(stats)), 0);
	return stats.copied_bytes;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard whole, pieces;
	uint64_t copied;

	if (size < 3)
		return -1;
	copied = bytes_copied();
	whole = hear(data + 2, size - 2, size, (data[1] & 1) != 0);
	pieces =
		hear(data + 2, size - 2, data[0] % 32 + 1U, (data[1] & 1) != 0);
	CHECK_EQUAL(bytes_copied(), copied);
	CHECK_EQUAL(whole.sum, pieces.sum);
	CHECK_EQUAL(whole.last, pieces.last);
	return 0;
}
