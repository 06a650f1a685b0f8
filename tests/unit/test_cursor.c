/*
 * test_cursor.c - integers through a cursor: every width, both orders, cut
 * at every byte, and what happens when they do not fit.
 */
#include "messages.h"

static const uint8_t bytes[] = {0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88};

/* One function of the cursor, widened to 64 bits. */
struct width {
	const char *name;
	size_t size;
	uint64_t value; /* of the bytes above */
	bool (*get)(struct ibuf_cursor *c, uint64_t *v);
};

#define WIDEN(name, type)                                                      \
	static bool get_##name(struct ibuf_cursor *c, uint64_t *v)             \
	{                                                                      \
		type narrow = (type)*v;                                        \
		bool got = ibuf_cursor_get_##name(c, &narrow);                 \
                                                                               \
		*v = narrow;                                                   \
		return got;                                                    \
	}

WIDEN(u8, uint8_t)
WIDEN(be16, uint16_t)
WIDEN(be24, uint32_t)
WIDEN(be32, uint32_t)
WIDEN(be64, uint64_t)
WIDEN(le16, uint16_t)
WIDEN(le24, uint32_t)
WIDEN(le32, uint32_t)
WIDEN(le64, uint64_t)

static const struct width widths[] = {
	{"u8", 1, 0x01, get_u8},
	{"be16", 2, 0x0182, get_be16},
	{"be24", 3, 0x018203, get_be24},
	{"be32", 4, 0x01820384, get_be32},
	{"be64", 8, 0x0182038405860788, get_be64},
	{"le16", 2, 0x8201, get_le16},
	{"le24", 3, 0x038201, get_le24},
	{"le32", 4, 0x84038201, get_le32},
	{"le64", 8, 0x8807860584038201, get_le64},
};

enum { WIDTHS = sizeof(widths) / sizeof(widths[0]) };

/* Get an integer that is there. */
static void
assert_gets(struct ibuf_cursor *c, const struct width *w)
{
	size_t position = ibuf_cursor_position(c);
	size_t remaining = ibuf_cursor_remaining(c);
	uint64_t v = 0;

	if (!w->get(c, &v) || v != w->value)
		fail_msg("%s at %zu gives %#jx", w->name, position,
			 (uintmax_t)v);
	assert_int_equal(ibuf_cursor_position(c), position + w->size);
	assert_int_equal(ibuf_cursor_remaining(c), remaining - w->size);
}

/* Fail to get one that is not, and change nothing. */
static void
assert_gets_nothing(struct ibuf_cursor *c, const struct width *w)
{
	size_t position = ibuf_cursor_position(c);
	size_t remaining = ibuf_cursor_remaining(c);
	uint64_t v = 0x5a;

	if (w->get(c, &v) || v != 0x5a)
		fail_msg("%s at %zu of %zu gives %#jx", w->name, position,
			 position + remaining, (uintmax_t)v);
	assert_int_equal(ibuf_cursor_position(c), position);
	assert_int_equal(ibuf_cursor_remaining(c), remaining);
}

TEST(every_width_is_exact_whatever_the_cuts)
{
	for (size_t i = 0; i < WIDTHS; i++) {
		const struct width *w = &widths[i];

		for (unsigned cuts = 0; cuts < 1u << (w->size - 1); cuts++) {
			struct ibuf_mbuf *m = message_cut(bytes, w->size, cuts);
			struct ibuf_cursor c;

			ibuf_cursor_init(&c, m);
			assert_gets(&c, w);
			assert_gets_nothing(&c, w);
			ibuf_mbuf_free(m);
		}
	}
}

TEST(every_width_is_exact_at_every_offset_before_and_behind_a_cut)
{
	for (size_t i = 0; i < WIDTHS; i++) {
		for (size_t off = 0; off < 8; off++) {
			const struct width *w = &widths[i];
			uint8_t padded[16] = {0};
			size_t len = off + w->size;
			struct ibuf_cursor c;

			memcpy(padded + off, bytes, w->size);
			for (size_t cut = 0; cut < len; cut++) {
				unsigned cuts = cut == 0 ? 0 : 1u << (cut - 1);
				struct ibuf_mbuf *m =
					message_cut(padded, len, cuts);

				ibuf_cursor_init(&c, m);
				assert_true(ibuf_cursor_skip(&c, off));
				assert_gets(&c, w);
				assert_int_equal(ibuf_cursor_remaining(&c), 0);
				ibuf_mbuf_free(m);
			}
		}
	}
}

TEST(a_width_that_does_not_fit_leaves_cursor_and_output_alone)
{
	for (size_t i = 0; i < WIDTHS; i++) {
		const struct width *w = &widths[i];

		for (size_t len = 1; len < w->size; len++) {
			for (unsigned cuts = 0; cuts < 1u << (len - 1);
			     cuts++) {
				struct ibuf_mbuf *m =
					message_cut(bytes, len, cuts);
				struct ibuf_cursor c;
				uint8_t first = 0;

				ibuf_cursor_init(&c, m);
				assert_gets_nothing(&c, w);
				assert_true(ibuf_cursor_get_u8(&c, &first));
				assert_int_equal(first, bytes[0]);
				assert_gets_nothing(&c, w);
				ibuf_mbuf_free(m);
			}
		}
	}
}

TEST(no_width_fits_an_empty_message)
{
	struct ibuf_mbuf *m = message_of(NULL, 0);
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	for (size_t i = 0; i < WIDTHS; i++)
		assert_gets_nothing(&c, &widths[i]);
	ibuf_mbuf_free(m);
}

TEST(no_width_reads_past_a_limit_though_there_are_bytes)
{
	for (size_t i = 0; i < WIDTHS; i++) {
		const struct width *w = &widths[i];

		for (unsigned cuts = 0; cuts < 1u << 7; cuts += 5) {
			struct ibuf_mbuf *m = message_cut(bytes, 8, cuts);
			struct ibuf_cursor c;

			ibuf_cursor_init(&c, m);
			assert_true(ibuf_cursor_limit(&c, w->size - 1));
			assert_gets_nothing(&c, w);
			ibuf_cursor_reset(&c);
			assert_true(ibuf_cursor_limit(&c, w->size));
			assert_gets(&c, w);
			ibuf_mbuf_free(m);
		}
	}
}

TEST(the_extremes_of_each_sign_come_through_in_both_orders)
{
	static const uint64_t values[] = {
		0,
		1,
		0x7fffffffffffffff,
		0x8000000000000000, /* INT64_MIN */
		0xffffffffffffffff, /* -1 */
		0x7ff8000000000001, /* a NaN that carries something */
		0xfff0000000000000, /* -infinity */
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct ibuf_mbuf *m = ibuf_mbuf_new(0);
		struct ibuf_cursor c;
		uint64_t be, le;

		assert_int_equal(ibuf_mbuf_append_be64(m, values[i]), 0);
		assert_int_equal(ibuf_mbuf_append_le64(m, values[i]), 0);
		ibuf_cursor_init(&c, m);
		assert_true(ibuf_cursor_get_be64(&c, &be));
		assert_true(ibuf_cursor_get_le64(&c, &le));
		assert_true(be == values[i] && le == values[i]);
		ibuf_mbuf_free(m);
	}
}

TEST(a_message_of_one_byte_segments_reads_like_any_other)
{
	struct ibuf_mbuf *m = message_cut(bytes, 8, ~0u);
	struct ibuf_cursor c;
	uint32_t word;
	uint16_t half;
	uint8_t byte;

	ibuf_cursor_init(&c, m);
	assert_true(ibuf_cursor_get_u8(&c, &byte));
	assert_int_equal(byte, 0x01);
	assert_true(ibuf_cursor_get_be32(&c, &word));
	assert_int_equal(word, 0x82038405);
	assert_true(ibuf_cursor_get_le16(&c, &half));
	assert_int_equal(half, 0x0786);
	assert_false(ibuf_cursor_get_be16(&c, &half));
	assert_true(ibuf_cursor_get_u8(&c, &byte));
	assert_int_equal(byte, 0x88);
	ibuf_mbuf_free(m);
}

TEST(a_length_that_lies_is_refused_and_the_cursor_stays)
{
	static const uint8_t lie[] = {0xff, 0xff, 0xff, 0xff, 1, 2, 3,
				      4,    5,    6,    7,    8, 9, 10};
	struct ibuf_mbuf *m = message_cut(lie, sizeof(lie), 0x0410);
	uint8_t out[4] = {9, 9, 9, 9};
	struct ibuf_cursor c;
	uint32_t len;

	ibuf_cursor_init(&c, m);
	assert_true(ibuf_cursor_get_be32(&c, &len));
	assert_false(ibuf_cursor_skip(&c, len));
	assert_false(ibuf_cursor_limit(&c, len));
	assert_false(ibuf_cursor_read(&c, out, len));
	assert_null(ibuf_cursor_span(&c, len));
	assert_null(ibuf_cursor_view(&c, len, out));
	assert_null(ibuf_cursor_take(&c, len));
	assert_int_equal(ibuf_cursor_position(&c), 4);
	assert_int_equal(ibuf_cursor_remaining(&c), 10);
	assert_memory_equal(out, "\11\11\11\11", 4);
	ibuf_mbuf_free(m);
}
