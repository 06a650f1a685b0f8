/*
 * test_cursor_ranges.c - where a cursor can go, and how it reads in place.
 */
#include "messages.h"

static const uint8_t ten[] = "0123456789";

/* All the ways to cut ten bytes into three segments. */
#define EACH_CUT(a, b)                                                         \
	for (unsigned a = 1; a < 9; a++)                                       \
		for (unsigned b = a + 1; b < 10; b++)

static struct ibuf_mbuf *
cut_twice(unsigned a, unsigned b)
{
	return message_cut(ten, 10, 1u << (a - 1) | 1u << (b - 1));
}

static void
assert_at(const struct ibuf_cursor *c, size_t position, size_t remaining)
{
	assert_int_equal(ibuf_cursor_position(c), position);
	assert_int_equal(ibuf_cursor_remaining(c), remaining);
}

/* The next byte is this one; the cursor does not move. */
static void
assert_next(const struct ibuf_cursor *c, uint8_t expected)
{
	struct ibuf_cursor peek = *c;
	uint8_t byte = 0;

	assert_true(ibuf_cursor_get_u8(&peek, &byte));
	assert_int_equal(byte, expected);
}

/* ---- position ------------------------------------------------------ */

TEST(a_cursor_begins_at_the_first_byte_and_sees_all)
{
	struct ibuf_mbuf *m = cut_twice(3, 7);
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	assert_at(&c, 0, 10);
	assert_next(&c, '0');
	ibuf_mbuf_free(m);
}

TEST(a_cursor_on_an_empty_message_is_at_its_end)
{
	struct ibuf_mbuf *m = message_of(NULL, 0);
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	assert_at(&c, 0, 0);
	assert_true(ibuf_cursor_skip(&c, 0));
	assert_true(ibuf_cursor_seek(&c, 0));
	assert_true(ibuf_cursor_limit(&c, 0));
	assert_true(ibuf_cursor_read(&c, NULL, 0));
	assert_non_null(ibuf_cursor_span(&c, 0));
	assert_non_null(ibuf_cursor_view(&c, 0, NULL));
	assert_false(ibuf_cursor_skip(&c, 1));
	assert_false(ibuf_cursor_seek(&c, 1));
	assert_at(&c, 0, 0);
	ibuf_mbuf_free(m);
}

TEST(skip_goes_anywhere_inside_and_nowhere_outside)
{
	EACH_CUT(a, b)
	{
		struct ibuf_mbuf *m = cut_twice(a, b);
		struct ibuf_cursor c;

		for (size_t n = 0; n <= 10; n++) {
			ibuf_cursor_init(&c, m);
			assert_true(ibuf_cursor_skip(&c, n));
			assert_at(&c, n, 10 - n);
			if (n < 10)
				assert_next(&c, ten[n]);
			assert_false(ibuf_cursor_skip(&c, 10 - n + 1));
			assert_false(ibuf_cursor_skip(&c, SIZE_MAX));
			assert_at(&c, n, 10 - n);
			assert_true(ibuf_cursor_skip(&c, 10 - n));
			assert_at(&c, 10, 0);
		}
		ibuf_mbuf_free(m);
	}
}

TEST(seek_goes_from_anywhere_to_anywhere_and_not_past_the_end)
{
	EACH_CUT(a, b)
	{
		struct ibuf_mbuf *m = cut_twice(a, b);
		struct ibuf_cursor c;

		for (size_t from = 0; from <= 10; from++) {
			for (size_t to = 0; to <= 10; to++) {
				ibuf_cursor_init(&c, m);
				assert_true(ibuf_cursor_seek(&c, from));
				assert_true(ibuf_cursor_seek(&c, to));
				assert_at(&c, to, 10 - to);
				if (to < 10)
					assert_next(&c, ten[to]);
				assert_false(ibuf_cursor_seek(&c, 11));
				assert_false(ibuf_cursor_seek(&c, SIZE_MAX));
				assert_at(&c, to, 10 - to);
			}
		}
		ibuf_mbuf_free(m);
	}
}

TEST(seek_stays_within_the_limit_and_keeps_it)
{
	EACH_CUT(a, b)
	{
		struct ibuf_mbuf *m = cut_twice(a, b);
		struct ibuf_cursor c;

		for (size_t limit = 0; limit <= 8; limit++) {
			ibuf_cursor_init(&c, m);
			assert_true(ibuf_cursor_skip(&c, 2));
			assert_true(ibuf_cursor_limit(&c, limit));
			assert_false(ibuf_cursor_seek(&c, 2 + limit + 1));
			assert_at(&c, 2, limit);
			assert_true(ibuf_cursor_seek(&c, 2 + limit));
			assert_at(&c, 2 + limit, 0);
			assert_true(ibuf_cursor_seek(&c, 0));
			assert_at(&c, 0, 2 + limit);
			assert_false(ibuf_cursor_skip(&c, 2 + limit + 1));
		}
		ibuf_mbuf_free(m);
	}
}

TEST(reset_goes_back_and_lifts_the_limit)
{
	struct ibuf_mbuf *m = cut_twice(4, 6);
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	assert_true(ibuf_cursor_skip(&c, 5));
	assert_true(ibuf_cursor_limit(&c, 2));
	ibuf_cursor_reset(&c);
	assert_at(&c, 0, 10);
	assert_true(ibuf_cursor_skip(&c, 10));
	ibuf_mbuf_free(m);
}

/* ---- limit --------------------------------------------------------- */

TEST(a_limit_refuses_the_byte_behind_it)
{
	EACH_CUT(a, b)
	{
		struct ibuf_mbuf *m = cut_twice(a, b);
		uint8_t out[10] = "xxxxxxxxx", scratch[10] = "y";
		struct ibuf_cursor c;

		ibuf_cursor_init(&c, m);
		assert_true(ibuf_cursor_limit(&c, 5));
		assert_false(ibuf_cursor_read(&c, out, 6));
		assert_memory_equal(out, "xxxxxx", 6);
		assert_null(ibuf_cursor_span(&c, 6));
		assert_null(ibuf_cursor_view(&c, 6, scratch));
		assert_memory_equal(scratch, "y", 2);
		assert_null(ibuf_cursor_take(&c, 6));
		assert_at(&c, 0, 5);
		assert_true(ibuf_cursor_read(&c, out, 5));
		assert_memory_equal(out, "01234xxxx", 9);
		assert_at(&c, 5, 0);
		assert_false(ibuf_cursor_get_u8(&c, out));
		assert_int_equal(out[0], '0');
		ibuf_mbuf_free(m);
	}
}

TEST(a_limit_can_be_narrowed_but_not_widened)
{
	EACH_CUT(a, b)
	{
		struct ibuf_mbuf *m = cut_twice(a, b);
		struct ibuf_cursor c;

		ibuf_cursor_init(&c, m);
		assert_false(ibuf_cursor_limit(&c, 11));
		assert_false(ibuf_cursor_limit(&c, SIZE_MAX));
		assert_at(&c, 0, 10);
		assert_true(ibuf_cursor_limit(&c, 10));
		assert_true(ibuf_cursor_limit(&c, 8));
		assert_true(ibuf_cursor_skip(&c, 1));
		assert_at(&c, 1, 7);
		assert_false(ibuf_cursor_limit(&c, 8));
		assert_at(&c, 1, 7);
		assert_true(ibuf_cursor_limit(&c, 3));
		assert_at(&c, 1, 3);
		assert_true(ibuf_cursor_limit(&c, 0));
		assert_at(&c, 1, 0);
		assert_false(ibuf_cursor_skip(&c, 1));
		ibuf_mbuf_free(m);
	}
}

TEST(the_limit_of_a_copy_is_its_own)
{
	struct ibuf_mbuf *m = cut_twice(2, 5);
	struct ibuf_cursor c, part;

	ibuf_cursor_init(&c, m);
	assert_true(ibuf_cursor_skip(&c, 1));
	part = c;
	assert_true(ibuf_cursor_limit(&part, 3));
	assert_true(ibuf_cursor_skip(&part, 3));
	assert_at(&part, 4, 0);
	assert_at(&c, 1, 9);
	assert_true(ibuf_cursor_skip(&c, 9));
	assert_at(&part, 4, 0);
	ibuf_mbuf_free(m);
}

/* ---- read ---------------------------------------------------------- */

TEST(read_gives_every_range_whatever_the_cuts)
{
	EACH_CUT(a, b)
	{
		struct ibuf_mbuf *m = cut_twice(a, b);

		for (size_t off = 0; off <= 10; off++) {
			for (size_t n = 0; n <= 10 - off; n++) {
				uint8_t out[11] = "xxxxxxxxxx";
				struct ibuf_cursor c;

				ibuf_cursor_init(&c, m);
				assert_true(ibuf_cursor_skip(&c, off));
				assert_true(ibuf_cursor_read(&c, out, n));
				assert_memory_equal(out, ten + off, n);
				assert_int_equal(out[n], n < 10 ? 'x' : 0);
				assert_at(&c, off + n, 10 - off - n);
			}
		}
		ibuf_mbuf_free(m);
	}
}

TEST(a_read_that_asks_too_much_gives_nothing)
{
	struct ibuf_mbuf *m = cut_twice(3, 6);
	uint8_t out[12] = "xxxxxxxxxxx";
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	assert_false(ibuf_cursor_read(&c, out, 11));
	assert_false(ibuf_cursor_read(&c, out, SIZE_MAX));
	assert_memory_equal(out, "xxxxxxxxxxx", 11);
	assert_at(&c, 0, 10);
	assert_true(ibuf_cursor_skip(&c, 10));
	assert_true(ibuf_cursor_read(&c, NULL, 0));
	assert_at(&c, 10, 0);
	ibuf_mbuf_free(m);
}

/* ---- span and view ------------------------------------------------- */

/* The address of a byte of a message. */
static const uint8_t *
address_of(const struct ibuf_mbuf *m, size_t off)
{
	return ibuf_mbuf_at(m, off, NULL);
}

/* Does the range lie in one segment of a message cut at a and b? */
static bool
straddles(size_t off, size_t n, size_t a, size_t b)
{
	return (off < a && a < off + n) || (off < b && b < off + n);
}

TEST(span_is_in_place_and_refuses_what_straddles)
{
	EACH_CUT(a, b)
	{
		struct ibuf_mbuf *m = cut_twice(a, b);

		for (size_t off = 0; off < 10; off++) {
			for (size_t n = 1; n <= 10 - off; n++) {
				struct ibuf_cursor c;
				const uint8_t *span;

				ibuf_cursor_init(&c, m);
				assert_true(ibuf_cursor_skip(&c, off));
				span = ibuf_cursor_span(&c, n);
				if (straddles(off, n, a, b)) {
					assert_null(span);
					assert_at(&c, off, 10 - off);
					assert_next(&c, ten[off]);
				} else {
					assert_ptr_equal(span,
							 address_of(m, off));
					assert_at(&c, off + n, 10 - off - n);
				}
				assert_null(ibuf_cursor_span(&c, 11));
				assert_null(ibuf_cursor_span(&c, SIZE_MAX));
			}
		}
		ibuf_mbuf_free(m);
	}
}

TEST(view_is_in_place_where_it_can_be_and_a_copy_where_not)
{
	EACH_CUT(a, b)
	{
		struct ibuf_mbuf *m = cut_twice(a, b);

		for (size_t off = 0; off < 10; off++) {
			for (size_t n = 1; n <= 10 - off; n++) {
				uint8_t scratch[10] = {0};
				struct ibuf_cursor c;
				const uint8_t *view;

				ibuf_cursor_init(&c, m);
				assert_true(ibuf_cursor_skip(&c, off));
				view = ibuf_cursor_view(&c, n, scratch);
				if (straddles(off, n, a, b)) {
					assert_ptr_equal(view, scratch);
				} else {
					assert_ptr_equal(view,
							 address_of(m, off));
					assert_int_equal(scratch[0], 0);
				}
				assert_memory_equal(view, ten + off, n);
				assert_at(&c, off + n, 10 - off - n);
			}
		}
		ibuf_mbuf_free(m);
	}
}

TEST(nothing_can_be_looked_at_everywhere_also_at_the_end)
{
	struct ibuf_mbuf *m = cut_twice(3, 6);
	struct ibuf_cursor c;

	for (size_t off = 0; off <= 10; off++) {
		ibuf_cursor_init(&c, m);
		assert_true(ibuf_cursor_skip(&c, off));
		assert_non_null(ibuf_cursor_span(&c, 0));
		assert_non_null(ibuf_cursor_view(&c, 0, NULL));
		assert_at(&c, off, 10 - off);
	}
	assert_null(ibuf_cursor_span(&c, 1));
	assert_null(ibuf_cursor_view(&c, 1, NULL));
	ibuf_mbuf_free(m);
}

/* ---- copies -------------------------------------------------------- */

TEST(copied_cursors_move_independently)
{
	struct ibuf_mbuf *m = cut_twice(2, 4);
	struct ibuf_cursor a, b;

	ibuf_cursor_init(&a, m);
	assert_true(ibuf_cursor_skip(&a, 3));
	b = a;
	assert_true(ibuf_cursor_skip(&a, 4));
	assert_at(&a, 7, 3);
	assert_at(&b, 3, 7);
	assert_next(&b, '3');
	assert_true(ibuf_cursor_seek(&b, 9));
	assert_next(&a, '7');
	assert_next(&b, '9');
	ibuf_mbuf_free(m);
}

TEST(a_cursor_over_a_clone_does_not_care_what_becomes_of_the_original)
{
	struct ibuf_mbuf *m = cut_twice(3, 6);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	uint8_t out[10];
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, clone);
	assert_true(ibuf_cursor_skip(&c, 2));
	assert_int_equal(ibuf_mbuf_write_at(m, 0, "abcdefghij", 10), 0);
	assert_int_equal(ibuf_mbuf_append(m, "klm", 3), 0);
	assert_message(m, "abcdefghijklm", 13);
	ibuf_mbuf_free(m);
	assert_at(&c, 2, 8);
	assert_true(ibuf_cursor_read(&c, out, 8));
	assert_memory_equal(out, "23456789", 8);
	ibuf_mbuf_free(clone);
}

/* ---- large --------------------------------------------------------- */

#if SIZE_MAX > UINT32_MAX
TEST(a_cursor_counts_beyond_what_32_bits_hold)
{
	enum { PIECE = 1 << 24, PIECES = 300 };
	const size_t all = (size_t)PIECE * PIECES, far = all - 2 * PIECE - 2;
	uint8_t *bytes = calloc(1, PIECE), scratch[4];
	struct ibuf_mbuf *m, *piece, *taken;
	struct ibuf_cursor c;
	uint32_t v;

	bytes[0] = 0x33;
	bytes[PIECE - 1] = 0x22;
	bytes[PIECE - 2] = 0x11;
	piece = ibuf_mbuf_wrap_const(bytes, PIECE, NULL, NULL);
	m = ibuf_mbuf_clone(piece);
	for (int i = 1; i < PIECES; i++)
		assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_clone(piece)),
				 0);
	ibuf_mbuf_free(piece);
	assert_int_equal(ibuf_mbuf_validate(m), 0);
	ibuf_cursor_init(&c, m);
	assert_at(&c, 0, all);
	assert_true(ibuf_cursor_skip(&c, all));
	assert_false(ibuf_cursor_seek(&c, all + 1));
	assert_false(ibuf_cursor_seek(&c, all + ((size_t)1 << 32)));
	assert_true(ibuf_cursor_seek(&c, far));
	assert_true(ibuf_cursor_get_be24(&c, &v));
	assert_int_equal(v, 0x112233);
	assert_true(ibuf_cursor_seek(&c, far));
	assert_memory_equal(ibuf_cursor_view(&c, 3, scratch), "\x11\x22\x33",
			    3);
	ibuf_cursor_reset(&c);
	assert_true(ibuf_cursor_limit(&c, far + 1));
	taken = ibuf_cursor_take(&c, far + 1);
	assert_at(&c, far + 1, 0);
	assert_int_equal(ibuf_mbuf_len(taken), far + 1);
	ibuf_mbuf_free(taken);
	ibuf_mbuf_free(m);
	free(bytes);
}
#endif
