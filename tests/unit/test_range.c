/*
 * test_range.c - ranges of messages: copied to the end of one, compared with
 * bytes, found ahead of a cursor.
 */
#include "messages.h"
#include "states.h"

static const uint8_t ten[] = "0123456789";

/* ---- append_range ------------------------------------------------------- */

TEST(a_range_is_appended_whatever_the_cuts)
{
	for (unsigned cuts = 0; cuts < 1u << 9; cuts += 11) {
		struct ibuf_mbuf *from = message_cut(ten, 10, cuts);

		for (size_t off = 0; off <= 10; off++) {
			for (size_t n = 0; n <= 10 - off; n++) {
				struct ibuf_mbuf *m = message_of("ab", 2);
				uint8_t expected[12] = "ab";

				memcpy(expected + 2, ten + off, n);
				assert_int_equal(
					ibuf_mbuf_append_range(m, from, off, n),
					0);
				assert_message(m, expected, 2 + n);
				ibuf_mbuf_free(m);
			}
		}
		assert_message(from, ten, 10);
		ibuf_mbuf_free(from);
	}
}

TEST(a_message_can_be_appended_to_itself_while_it_grows_moves_and_slides)
{
	struct ibuf_mbuf *m = message_of("ab", 2), *clone;
	uint8_t expected[2 << 10];

	for (size_t i = 0; i < sizeof(expected); i++)
		expected[i] = i % 2 == 0 ? 'a' : 'b';
	for (size_t len = 2; len < sizeof(expected); len *= 2) {
		clone = len % 3 == 1 ? ibuf_mbuf_clone(m) : NULL;
		assert_int_equal(ibuf_mbuf_append_range(m, m, 0, len), 0);
		assert_message(m, expected, 2 * len);
		ibuf_mbuf_free(clone);
	}
	assert_int_equal(ibuf_mbuf_trim_head(m, 1500), 0);
	assert_int_equal(ibuf_mbuf_append_range(m, m, 10, 500), 0);
	assert_message(m, expected, 2048 - 1500 + 500);
	ibuf_mbuf_free(m);
}

TEST(a_range_that_is_not_there_is_not_appended)
{
	struct ibuf_mbuf *m = message_of("ab", 2);
	struct ibuf_mbuf *from = message_cut(ten, 10, 0x21);
	struct state before;

	state_take(&before, m);
	assert_int_equal(ibuf_mbuf_append_range(m, from, 11, 0), -ERANGE);
	assert_int_equal(ibuf_mbuf_append_range(m, from, 10, 1), -ERANGE);
	assert_int_equal(ibuf_mbuf_append_range(m, from, 1, SIZE_MAX), -ERANGE);
	assert_int_equal(ibuf_mbuf_append_range(m, from, SIZE_MAX, 1), -ERANGE);
	fault_from(1);
	assert_int_equal(ibuf_mbuf_append_range(m, from, 0, 10), -ENOMEM);
	assert_true(fault_off());
	assert_state(m, &before);
	assert_int_equal(ibuf_mbuf_append_range(m, from, 10, 0), 0);
	assert_message(m, "ab", 2);
	ibuf_mbuf_free(from);
	ibuf_mbuf_free(m);
}

/* ---- matches ------------------------------------------------------------ */

TEST(matches_is_memcmp_at_every_offset_across_every_cut)
{
	for (unsigned cuts = 0; cuts < 1u << 9; cuts += 5) {
		struct ibuf_mbuf *m = message_cut(ten, 10, cuts);
		uint8_t other[10];

		for (size_t off = 0; off <= 10; off++) {
			for (size_t n = 0; n <= 10 - off; n++) {
				assert_true(ibuf_mbuf_matches(m, off, ten + off,
							      n));
				if (n == 0)
					continue;
				memcpy(other, ten + off, n);
				other[n - 1] ^= 0x80;
				assert_false(
					ibuf_mbuf_matches(m, off, other, n));
			}
		}
		ibuf_mbuf_free(m);
	}
}

TEST(bytes_that_are_not_all_there_do_not_match)
{
	struct ibuf_mbuf *m = message_of(ten, 10);

	assert_false(ibuf_mbuf_matches(m, 5, "56789x", 6));
	assert_false(ibuf_mbuf_matches(m, 11, NULL, 0));
	assert_false(ibuf_mbuf_matches(m, SIZE_MAX, "0", 1));
	assert_false(ibuf_mbuf_matches(m, 1, "1", SIZE_MAX));
	assert_true(ibuf_mbuf_matches(m, 10, NULL, 0));
	ibuf_mbuf_free(m);
}

/* ---- cursor_find ---------------------------------------------------------- */

TEST(a_needle_is_found_ahead_of_the_cursor_which_stays)
{
	for (unsigned cuts = 0; cuts < 1u << 9; cuts++) {
		struct ibuf_mbuf *m = message_cut(ten, 10, cuts);
		struct ibuf_cursor c;

		ibuf_cursor_init(&c, m);
		assert_true(ibuf_cursor_skip(&c, 3));
		assert_int_equal(ibuf_cursor_find(&c, "345", 3), 0);
		assert_int_equal(ibuf_cursor_find(&c, "789", 3), 4);
		assert_int_equal(ibuf_cursor_find(&c, "012", 3), SIZE_MAX);
		assert_int_equal(ibuf_cursor_find(&c, "89x", 3), SIZE_MAX);
		assert_int_equal(ibuf_cursor_find(&c, NULL, 0), 0);
		assert_int_equal(ibuf_cursor_position(&c), 3);
		assert_true(ibuf_cursor_skip(&c, 7));
		assert_int_equal(ibuf_cursor_find(&c, "9", 1), SIZE_MAX);
		assert_int_equal(ibuf_cursor_find(&c, NULL, 0), 0);
		ibuf_mbuf_free(m);
	}
}

TEST(nothing_is_found_past_the_limit)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	assert_true(ibuf_cursor_skip(&c, 2));
	assert_true(ibuf_cursor_limit(&c, 4)); /* 2345 */
	assert_int_equal(ibuf_cursor_find(&c, "45", 2), 2);
	assert_int_equal(ibuf_cursor_find(&c, "56", 2), SIZE_MAX);
	assert_int_equal(ibuf_cursor_find(&c, "6", 1), SIZE_MAX);
	ibuf_mbuf_free(m);
}
