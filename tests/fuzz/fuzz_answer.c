/*
 * fuzz_answer.c - the bytes are what a server upstream of ibuf-relay sends.
 *
 *	piece, stream
 *
 * Read in one piece and in pieces of that length, the stream says the same;
 * items lie within the answer, one behind the other, and account for all of
 * it; nothing is copied.
 */
#include <ibuf-relay/protocol/answer.h>
#include <model/model.h>
#include <string.h>

enum { MAX_BULK = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was said, as a sum in which the order counts. */
struct heard {
	uint64_t sum;
	enum answer_result last;
};

static void
hear_byte(struct heard *h, uint8_t byte)
{
	h->sum = (h->sum ^ byte) * UINT64_C(1099511628211);
}

static void
hear_item(struct heard *h, const struct ibuf_mbuf *in,
	  const struct answer_item *item)
{
	struct ibuf_cursor c;
	uint8_t byte;
	char text[16];

	hear_byte(h, (uint8_t)item->type);
	hear_byte(h, (uint8_t)item->number);
	ibuf_cursor_init(&c, in);
	CHECK(ibuf_cursor_seek(&c, item->at));
	for (size_t i = 0; i < item->len; i++) {
		CHECK(ibuf_cursor_get_u8(&c, &byte));
		hear_byte(h, byte);
	}
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
		struct ibuf_mbuf *m = ibuf_mbuf_from(bytes + at, n);

		CHECK(m != NULL);
		if (in == NULL)
			in = m;
		else
			CHECK_EQUAL(-ibuf_mbuf_concat(in, m), 0);
		while ((h.last = answer_next(&p, in)) == ANSWER_WHOLE)
			hear_answer(&h, &p, in);
		answer_consume(&p, &in);
		CHECK(in == NULL || ibuf_mbuf_validate(in) == 0);
	}
	if (h.last == ANSWER_ERROR)
		for (const char *s = p.error; *s != '\0'; s++)
			hear_byte(&h, (uint8_t)*s);
	answer_destroy(&p);
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

	if (size < 2)
		return -1;
	copied = bytes_copied();
	whole = hear(data + 1, size - 1, size);
	pieces = hear(data + 1, size - 1, data[0] % 32 + 1U);
	CHECK_EQUAL(bytes_copied(), copied);
	CHECK_EQUAL(whole.sum, pieces.sum);
	CHECK_EQUAL(whole.last, pieces.last);
	return 0;
}
