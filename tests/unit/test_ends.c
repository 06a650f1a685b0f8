/* test_ends.c - a message becomes longer and shorter at both ends. */
#include "messages.h"
#include "states.h"

/* Three segments, "abc", "defgh" and "ij". */
static struct ibuf_mbuf *
three_segments(void)
{
	struct ibuf_mbuf *m = message_of("abc", 3);

	add_segment(m, "defgh", 5);
	add_segment(m, "ij", 2);
	return m;
}

/* ---- nothing ------------------------------------------------------- */

static void
do_nothing_to(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_append(m, NULL, 0), 0);
	assert_int_equal(ibuf_mbuf_prepend(m, NULL, 0), 0);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 0), 0);
	assert_non_null(ibuf_mbuf_extend_tail(m, 0));
	assert_non_null(ibuf_mbuf_extend_head(m, 0));
	assert_non_null(ibuf_mbuf_reserve(m, 0));
	assert_int_equal(ibuf_mbuf_commit(m, 0), 0);
	assert_int_equal(ibuf_mbuf_trim_head(m, 0), 0);
	assert_int_equal(ibuf_mbuf_trim_tail(m, 0), 0);
	assert_int_equal(ibuf_mbuf_read(m, NULL, 0), 0);
	assert_int_equal(ibuf_mbuf_write(m, NULL, 0), 0);
	assert_int_equal(ibuf_mbuf_printf(m, "%s", ""), 0);
	assert_int_equal(ibuf_mbuf_write_at(m, 0, NULL, 0), 0);
	assert_int_equal(ibuf_mbuf_write_at(m, ibuf_mbuf_len(m), NULL, 0), 0);
}

TEST(zero_bytes_are_fine_everywhere_and_change_nothing)
{
	struct ibuf_mbuf *parent = message_with(8, 10, 20);
	struct ibuf_mbuf *ms[] = {
		ibuf_mbuf_new(0),
		message_with(8, 10, 20),
		parent,
		ibuf_mbuf_clone(parent),
		ibuf_mbuf_split(parent, 5),
		three_segments(),
		ibuf_mbuf_wrap_const("hello", 5, NULL, NULL),
		ibuf_mbuf_wrap(NULL, 0, NULL, NULL),
	};
	size_t calls = fault_calls();

	for (size_t i = 0; i < sizeof(ms) / sizeof(*ms); i++) {
		struct state before;

		state_take(&before, ms[i]);
		do_nothing_to(ms[i]);
		assert_state(ms[i], &before);
	}
	assert_int_equal(fault_calls(), calls);
	ibuf_mbuf_free_bulk(ms, sizeof(ms) / sizeof(*ms));
}

/* ---- longer -------------------------------------------------------- */

TEST(appending_exactly_the_tailroom_uses_it_up)
{
	struct ibuf_mbuf *m = message_with(0, 4, 3);
	size_t calls = fault_calls();

	assert_int_equal(ibuf_mbuf_append(m, "xyz", 3), 0);
	assert_message(m, "\0\1\2\3xyz", 7);
	assert_sizes(m, 0, 7, 0, 7);
	assert_int_equal(fault_calls(), calls);
	ibuf_mbuf_free(m);
}

TEST(prepending_within_the_headroom_moves_the_front_only)
{
	struct ibuf_mbuf *m = message_with(8, 4, 0);
	const uint8_t *data = ibuf_mbuf_data(m);
	size_t calls = fault_calls();

	assert_int_equal(ibuf_mbuf_prepend(m, "xyz", 3), 0);
	assert_ptr_equal(ibuf_mbuf_data(m), data - 3);
	assert_message(m, "xyz\0\1\2\3", 7);
	assert_sizes(m, 5, 7, 0, 4);
	assert_int_equal(fault_calls(), calls);
	ibuf_mbuf_free(m);
}

TEST(prepending_one_more_than_the_headroom_is_right_too)
{
	struct ibuf_mbuf *m = message_with(3, 4, 0);

	assert_int_equal(ibuf_mbuf_prepend(m, "wxyz", 4), 0);
	assert_message(m, "wxyz\0\1\2\3", 8);
	ibuf_mbuf_free(m);
}

TEST(extending_gives_the_new_bytes)
{
	struct ibuf_mbuf *m = message_of("mid", 3);

	for (int i = 0; i < 3; i++) {
		memcpy(ibuf_mbuf_extend_tail(m, 2), "><", 2);
		memcpy(ibuf_mbuf_extend_head(m, 2), "><", 2);
		assert_ptr_equal(ibuf_mbuf_extend_tail(m, 0),
				 ibuf_mbuf_data(m) + ibuf_mbuf_len(m));
		assert_ptr_equal(ibuf_mbuf_extend_head(m, 0),
				 ibuf_mbuf_data(m));
	}
	assert_message(m, "><><><mid><><><", 15);
	ibuf_mbuf_free(m);
}

TEST(the_ends_of_many_segments_are_those_of_the_first_and_the_last)
{
	struct ibuf_mbuf *m = three_segments();

	assert_int_equal(ibuf_mbuf_append(m, "klm", 3), 0);
	assert_int_equal(ibuf_mbuf_prepend(m, "^^", 2), 0);
	assert_int_equal(ibuf_mbuf_append_fill(m, '$', 2), 0);
	memcpy(ibuf_mbuf_extend_head(m, 1), "(", 1);
	memcpy(ibuf_mbuf_reserve(m, 1), ")", 1);
	assert_int_equal(ibuf_mbuf_commit(m, 1), 0);
	assert_message(m, "(^^abcdefghijklm$$)", 19);
	assert_int_equal(ibuf_mbuf_segments(m), 3);
	ibuf_mbuf_free(m);
}

TEST(commit_takes_what_the_tailroom_has_and_no_more)
{
	struct ibuf_mbuf *m = message_with(4, 2, 6);
	struct state before;

	state_take(&before, m);
	assert_int_equal(ibuf_mbuf_commit(m, 7), -ERANGE);
	assert_int_equal(ibuf_mbuf_commit(m, SIZE_MAX), -ERANGE);
	assert_state(m, &before);
	memcpy(ibuf_mbuf_reserve(m, 6), "sixtwo", 6);
	assert_int_equal(ibuf_mbuf_commit(m, 3), 0);
	assert_int_equal(ibuf_mbuf_commit(m, 4), -ERANGE);
	assert_int_equal(ibuf_mbuf_commit(m, 3), 0);
	assert_int_equal(ibuf_mbuf_commit(m, 1), -ERANGE);
	assert_message(m, "\0\1sixtwo", 8);
	assert_sizes(m, 4, 8, 0, 8);
	ibuf_mbuf_free(m);
}

TEST(commit_beyond_the_tailroom_of_a_shared_or_read_only_message_is_refused)
{
	struct ibuf_mbuf *m = message_with(4, 2, 6);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct ibuf_mbuf *rom = ibuf_mbuf_wrap_const("hello", 5, NULL, NULL);

	assert_int_equal(ibuf_mbuf_trim_tail(rom, 2), 0);
	assert_int_equal(ibuf_mbuf_commit(clone, 1), -ERANGE);
	assert_int_equal(ibuf_mbuf_commit(rom, 1), -ERANGE);
	assert_message(clone, "\0\1", 2);
	assert_message(rom, "hel", 3);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(rom);
}

/* ---- shorter ------------------------------------------------------- */

static const size_t trims[] = {0, 1, 2, 3, 4, 7, 8, 9, 10, 11, SIZE_MAX};

TEST(trim_head_takes_any_number_up_to_the_length)
{
	for (size_t i = 0; i < sizeof(trims) / sizeof(*trims); i++) {
		size_t n = trims[i];
		struct ibuf_mbuf *flat = message_of("abcdefghij", 10);
		struct ibuf_mbuf *m = three_segments();
		int expected = n > 10 ? -ERANGE : 0;
		struct state before;

		state_take(&before, m);
		assert_int_equal(ibuf_mbuf_trim_head(flat, n), expected);
		assert_int_equal(ibuf_mbuf_trim_head(m, n), expected);
		if (n > 10) {
			assert_state(m, &before);
			n = 0;
		}
		assert_message(flat, &"abcdefghij"[n], 10 - n);
		assert_message(m, &"abcdefghij"[n], 10 - n);
		assert_int_equal(ibuf_mbuf_segments(m), n < 3   ? 3
							: n < 8 ? 2
								: 1);
		assert_int_equal(ibuf_mbuf_headroom(flat), n);
		ibuf_mbuf_free(flat);
		ibuf_mbuf_free(m);
	}
}

TEST(trim_tail_takes_any_number_up_to_the_length)
{
	for (size_t i = 0; i < sizeof(trims) / sizeof(*trims); i++) {
		size_t n = trims[i];
		struct ibuf_mbuf *flat = message_of("abcdefghij", 10);
		struct ibuf_mbuf *m = three_segments();
		int expected = n > 10 ? -ERANGE : 0;
		struct state before;

		state_take(&before, m);
		assert_int_equal(ibuf_mbuf_trim_tail(flat, n), expected);
		assert_int_equal(ibuf_mbuf_trim_tail(m, n), expected);
		if (n > 10) {
			assert_state(m, &before);
			n = 0;
		}
		assert_message(flat, "abcdefghij", 10 - n);
		assert_message(m, "abcdefghij", 10 - n);
		assert_int_equal(ibuf_mbuf_segments(m), n < 2   ? 3
							: n < 7 ? 2
								: 1);
		assert_int_equal(ibuf_mbuf_tailroom(flat), n);
		ibuf_mbuf_free(flat);
		ibuf_mbuf_free(m);
	}
}

TEST(a_message_trimmed_to_nothing_gives_the_same_bytes_back)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20);
	const uint8_t *data = ibuf_mbuf_data(m);

	assert_int_equal(ibuf_mbuf_trim_head(m, 10), 0);
	assert_sizes(m, 18, 0, 20, 30);
	assert_non_null(ibuf_mbuf_data(m));
	assert_ptr_equal(ibuf_mbuf_extend_head(m, 10), data);
	assert_int_equal(ibuf_mbuf_trim_tail(m, 10), 0);
	assert_sizes(m, 8, 0, 30, 30);
	assert_ptr_equal(ibuf_mbuf_extend_tail(m, 10), data);
	assert_sizes(m, 8, 10, 20, 30);
	ibuf_mbuf_free(m);
}

TEST(an_emptied_message_of_many_segments_works_on)
{
	struct ibuf_mbuf *m = three_segments();

	assert_int_equal(ibuf_mbuf_trim_head(m, 10), 0);
	assert_message(m, "", 0);
	assert_int_equal(ibuf_mbuf_segments(m), 1);
	assert_int_equal(ibuf_mbuf_append(m, "again", 5), 0);
	assert_message(m, "again", 5);
	ibuf_mbuf_free(m);
}

TEST(clear_puts_a_sole_owner_back_to_where_it_began)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20), *many;

	assert_int_equal(ibuf_mbuf_prepend(m, "xy", 2), 0);
	ibuf_mbuf_clear(m);
	assert_sizes(m, 8, 0, 30, 30);
	assert_int_equal(ibuf_mbuf_append(m, "0123456789", 10), 0);
	assert_int_equal(ibuf_mbuf_trim_head(m, 7), 0);
	ibuf_mbuf_clear(m);
	assert_sizes(m, 8, 0, 30, 30);
	ibuf_mbuf_clear(m);
	assert_sizes(m, 8, 0, 30, 30);
	many = three_segments();
	assert_int_equal(ibuf_mbuf_concat(m, many), 0);
	ibuf_mbuf_clear(m);
	assert_message(m, "", 0);
	assert_int_equal(ibuf_mbuf_segments(m), 1);
	ibuf_mbuf_free(m);
}

TEST(after_any_edit_a_sole_owner_accounts_for_its_whole_room)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(16, 100);
	uint8_t out[8];

#define assert_room()                                                          \
	assert_int_equal(ibuf_mbuf_headroom(m) + ibuf_mbuf_len(m) +            \
				 ibuf_mbuf_tailroom(m),                        \
			 116)
	assert_room();
	assert_int_equal(ibuf_mbuf_append_fill(m, 'a', 60), 0);
	assert_room();
	assert_int_equal(ibuf_mbuf_prepend(m, "head", 4), 0);
	assert_room();
	assert_int_equal(ibuf_mbuf_trim_head(m, 40), 0);
	assert_room();
	assert_int_equal(ibuf_mbuf_trim_tail(m, 2), 0);
	assert_room();
	assert_int_equal(ibuf_mbuf_read(m, out, 8), 8);
	assert_room();
	assert_non_null(ibuf_mbuf_reserve(m, 80));
	assert_room();
	ibuf_mbuf_clear(m);
	assert_room();
#undef assert_room
	ibuf_mbuf_free(m);
}
