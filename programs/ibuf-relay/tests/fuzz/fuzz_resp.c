/*
 * fuzz_resp.c - the bytes are what a client of ibuf-relay sends.
 *
 *	piece, options, stream
 *
 * Read in one piece and in pieces of that length, the stream says the same;
 * an argument has its bulk string around it, and nothing is copied.
 */
#include "../../src/protocol/resp.h"
#include <fuzz/heard.h>
#include <stdio.h>
#include <string.h>

enum { MAX_BULK = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
hear_arg(struct heard *h, const struct ibuf_mbuf *source, struct resp_arg arg)
{
	char before[32], there[34];
	size_t n =
		(size_t)snprintf(before, sizeof(before), "$%zu\r\n", arg.len);

	CHECK_EQUAL(arg.at - arg.bulk, n);
	CHECK_EQUAL(-ibuf_mbuf_copy_out(source, arg.bulk, there, n), 0);
	CHECK(memcmp(there, before, n) == 0);
	CHECK_EQUAL(-ibuf_mbuf_copy_out(source, arg.at + arg.len, there, 2), 0);
	CHECK(memcmp(there, "\r\n", 2) == 0);
	hear_bytes(h, source, arg.at, arg.len);
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

		read_piece(&in, bytes + at, n);
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
		hear_words(&h, p.error);
	resp_destroy(&p);
	ibuf_mbuf_free(in);
	return h;
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
	heard_same(whole, pieces);
	return 0;
}
