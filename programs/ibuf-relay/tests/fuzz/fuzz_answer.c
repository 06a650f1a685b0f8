/*
 * fuzz_answer.c - the bytes are what a server upstream of ibuf-relay sends.
 *
 *	piece, stream
 *
 * Read in one piece and in pieces of that length, the stream says the same;
 * items lie within the answer, one behind the other, and account for all of
 * it; nothing is copied.
 */
#include "../../src/protocol/answer.h"
#include <fuzz/heard.h>
#include <string.h>

enum { MAX_BULK = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
hear_item(struct heard *h, const struct ibuf_mbuf *in,
	  const struct answer_item *item)
{
	char text[16];

	hear_byte(h, (uint8_t)item->type);
	hear_byte(h, (uint8_t)item->number);
	hear_bytes(h, in, item->at, item->len);
	answer_text(item, in, text, sizeof(text));
	if (item->len < sizeof(text) && strlen(text) == item->len)
		CHECK(answer_is(item, in, text));
}

static void
hear_answer(struct heard *h, const struct answer_parser *p,
	    const struct ibuf_mbuf *in)
{
	size_t end = p->start;

	CHECK(p->count > 0);
	CHECK_EQUAL(p->items[0].bulk, p->start);
	for (size_t i = 0; i < p->count; i++) {
		const struct answer_item *item = &p->items[i];

		CHECK_EQUAL(item->bulk, end);
		CHECK(item->at > item->bulk);
		hear_item(h, in, item);
		end = i + 1 < p->count ? p->items[i + 1].bulk : p->at;
		CHECK(item->at + item->len + 2 <= end);
	}
	CHECK(p->at <= ibuf_mbuf_len(in));
	CHECK_EQUAL(answer_skip(p, 0), p->count);
	hear_byte(h, '\n');
}

static struct heard
hear(const uint8_t *bytes, size_t len, size_t piece)
{
	struct heard h = {0, ANSWER_MORE};
	struct answer_parser p;
	struct ibuf_mbuf *in = NULL;

	answer_init(&p, MAX_BULK);
	for (size_t at = 0; at < len && h.last == ANSWER_MORE; at += piece) {
		size_t n = piece < len - at ? piece : len - at;

		read_piece(&in, bytes + at, n);
		while ((h.last = answer_next(&p, in)) == ANSWER_WHOLE)
			hear_answer(&h, &p, in);
		answer_consume(&p, &in);
		CHECK(in == NULL || ibuf_mbuf_validate(in) == 0);
	}
	if (h.last == ANSWER_ERROR)
		hear_words(&h, p.error);
	answer_destroy(&p);
	ibuf_mbuf_free(in);
	return h;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard whole, pieces;
	uint64_t copied;

	if (size < 2)
		return -1;
	copied = bytes_copied();
	whole = hear(data + 1, size - 1, size);
	pieces = hear(data + 1, size - 1, data[0] % 32 + 1U);
	CHECK_EQUAL(bytes_copied(), copied);
	heard_same(whole, pieces);
	return 0;
}
