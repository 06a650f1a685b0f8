/* test_private.c - bytes are made private, then written where they are. */
#include "messages.h"
#include "states.h"

/* "abc", "de", "fghi". */
static struct ibuf_mbuf *
three_segments(void)
{
	struct ibuf_mbuf *m = message_of("abc", 3);

	add_segment(m, "de", 2);
	add_segment(m, "fghi", 4);
	return m;
}

/* ---- data_mut, at_mut ---------------------------------------------- */

TEST(the_bytes_of_a_sole_owner_are_writable_where_they_are)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20);
	const uint8_t *data = ibuf_mbuf_data(m);
	size_t calls = fault_calls(), run;

	assert_ptr_equal(ibuf_mbuf_data_mut(m), data);
	assert_ptr_equal(ibuf_mbuf_at_mut(m, 3, &run), data + 3);
	assert_int_equal(run, 7);
	assert_int_equal(ibuf_mbuf_unshare(m), 0);
	assert_int_equal(ibuf_mbuf_write_at(m, 0, "written in", 10), 0);
	assert_ptr_equal(ibuf_mbuf_data(m), data);
	assert_message(m, "written in", 10);
	assert_sizes(m, 8, 10, 20, 30);
	assert_int_equal(fault_calls(), calls);
	ibuf_mbuf_free(m);
}

TEST(the_bytes_of_a_shared_message_move_before_they_are_writable)
{
	struct ibuf_mbuf *m = message_of("hello", 5);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	uint64_t copied = heap_copied_bytes();
	uint8_t *bytes = ibuf_mbuf_data_mut(clone);

	assert_ptr_not_equal(bytes, ibuf_mbuf_data(m));
	assert_ptr_equal(bytes, ibuf_mbuf_data(clone));
	assert_int_equal(heap_copied_bytes() - copied, 5);
	assert_true(ibuf_mbuf_is_unique(m));
	assert_true(ibuf_mbuf_is_unique(clone));
	memcpy(bytes, "HELLO", 5);
	assert_message(m, "hello", 5);
	assert_message(clone, "HELLO", 5);
	assert_ptr_equal(ibuf_mbuf_data_mut(clone), bytes);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
}

TEST(bytes_in_several_segments_are_not_writable_as_one)
{
	struct ibuf_mbuf *m = three_segments();
	struct state before;

	state_take(&before, m);
	assert_null(ibuf_mbuf_data_mut(m));
	assert_state(m, &before);
	ibuf_mbuf_free(m);
}

TEST(at_mut_makes_one_segment_private_and_leaves_the_others)
{
	static const struct {
		size_t off, run, first, end;
	} rows[] = {{0, 3, 0, 3}, {2, 1, 0, 3}, {3, 2, 3, 5}, {4, 1, 3, 5},
		    {5, 4, 5, 9}, {8, 1, 5, 9}, {9, 0, 5, 9}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ibuf_mbuf *m = three_segments();
		struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
		size_t run = 42;
		uint8_t *bytes = ibuf_mbuf_at_mut(clone, rows[i].off, &run);

		assert_int_equal(run, rows[i].run);
		memset(bytes, 'X', run);
		assert_message(m, "abcdefghi", 9);
		assert_int_equal(ibuf_mbuf_validate(clone), 0);
		for (size_t off = 0; off < 9; off++) {
			bool moves = off >= rows[i].first && off < rows[i].end;
			bool written =
				off >= rows[i].off && off < rows[i].off + run;

			if (run != 0)
				assert_int_equal(
					moves,
					ibuf_mbuf_at(m, off, NULL) !=
						ibuf_mbuf_at(clone, off, NULL));
			assert_int_equal(*ibuf_mbuf_at(clone, off, NULL),
					 written ? 'X' : "abcdefghi"[off]);
		}
		ibuf_mbuf_free(m);
		ibuf_mbuf_free(clone);
	}
}

TEST(at_mut_past_the_end_is_refused_and_changes_nothing)
{
	struct ibuf_mbuf *m = three_segments();
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct state before;
	size_t run = 42;

	state_take(&before, clone);
	assert_null(ibuf_mbuf_at_mut(clone, 10, &run));
	assert_null(ibuf_mbuf_at_mut(clone, SIZE_MAX, &run));
	assert_null(ibuf_mbuf_at_mut(clone, SIZE_MAX, NULL));
	assert_int_equal(run, 42);
	assert_state(clone, &before);
	assert_non_null(ibuf_mbuf_at_mut(clone, 9, NULL));
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
}

/* ---- unshare ------------------------------------------------------- */

TEST(unshare_makes_every_segment_private_and_copies_only_what_is_shared)
{
	struct ibuf_mbuf *m = three_segments();
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 3, 1);
	uint64_t copied = heap_copied_bytes();
	const uint8_t *first = ibuf_mbuf_at(m, 0, NULL);

	assert_false(ibuf_mbuf_is_unique(m));
	assert_int_equal(ibuf_mbuf_unshare(m), 0);
	assert_true(ibuf_mbuf_is_unique(m));
	assert_true(ibuf_mbuf_is_unique(slice));
	assert_int_equal(heap_copied_bytes() - copied, 2);
	assert_ptr_equal(ibuf_mbuf_at(m, 0, NULL), first);
	assert_message(m, "abcdefghi", 9);
	assert_message(slice, "d", 1);
	assert_int_equal(ibuf_mbuf_segments(m), 3);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(slice);
}

TEST(unshare_of_many_segments_is_all_or_nothing)
{
	struct ibuf_mbuf *m = message_of("0", 1), *clone;
	struct state before;
	size_t n = 0;

	for (int i = 1; i < 20; i++)
		add_segment(m, "x", 1);
	clone = ibuf_mbuf_clone(m);
	state_take(&before, clone);
	for (;;) {
		fault_at(++n);
		int error = ibuf_mbuf_unshare(clone);

		if (!fault_off()) {
			assert_int_equal(error, 0);
			break;
		}
		assert_int_equal(error, -ENOMEM);
		assert_state(clone, &before);
		assert_ptr_equal(ibuf_mbuf_at(clone, 0, NULL),
				 ibuf_mbuf_at(m, 0, NULL));
	}
	assert_in_range(n, 21, 22);
	assert_true(ibuf_mbuf_is_unique(m));
	assert_true(ibuf_mbuf_is_unique(clone));
	assert_int_equal(ibuf_mbuf_compare(m, clone), 0);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
}

TEST(a_message_that_shows_a_room_twice_is_not_unique_until_it_is_unshared)
{
	struct ibuf_mbuf *m = message_of("abc", 3);
	size_t run;

	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_clone(m)), 0);
	assert_int_equal(ibuf_mbuf_segments(m), 2);
	assert_false(ibuf_mbuf_is_unique(m));
	memset(ibuf_mbuf_at_mut(m, 1, &run), 'X', 1);
	assert_message(m, "aXcabc", 6);
	assert_int_equal(ibuf_mbuf_unshare(m), 0);
	assert_true(ibuf_mbuf_is_unique(m));
	memset(ibuf_mbuf_at_mut(m, 5, &run), 'Y', 1);
	assert_message(m, "aXcabY", 6);
	ibuf_mbuf_free(m);
}

/* ---- write_at ------------------------------------------------------ */

TEST(write_at_writes_any_range_in_it_across_segments)
{
	for (size_t off = 0; off <= 9; off++) {
		for (size_t n = 0; n <= 9 - off; n++) {
			struct ibuf_mbuf *m = three_segments();
			struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
			char expected[] = "abcdefghi";

			memcpy(expected + off, "ABCDEFGHI", n);
			assert_int_equal(
				ibuf_mbuf_write_at(clone, off, "ABCDEFGHI", n),
				0);
			assert_message(clone, expected, 9);
			assert_message(m, "abcdefghi", 9);
			ibuf_mbuf_free(clone);
			assert_int_equal(
				ibuf_mbuf_write_at(m, off, "ABCDEFGHI", n), 0);
			assert_message(m, expected, 9);
			ibuf_mbuf_free(m);
		}
	}
}

TEST(write_at_outside_is_refused_before_the_bytes_are_looked_at)
{
	static const size_t outside[][2] = {{10, 0},
					    {9, 1},
					    {0, 10},
					    {8, 2},
					    {1, SIZE_MAX},
					    {SIZE_MAX, 1},
					    {SIZE_MAX, SIZE_MAX},
					    {5, SIZE_MAX - 4},
					    {SIZE_MAX, 0}};
	struct ibuf_mbuf *m = three_segments();
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	size_t calls = fault_calls();
	struct state before;

	state_take(&before, m);
	for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++) {
		const size_t *row = outside[i];

		assert_int_equal(
			ibuf_mbuf_write_at(m, row[0], (const void *)16, row[1]),
			-ERANGE);
		assert_int_equal(ibuf_mbuf_write_at(m, row[0], NULL, row[1]),
				 -ERANGE);
	}
	assert_state(m, &before);
	assert_int_equal(fault_calls(), calls);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
}

TEST(write_at_makes_only_the_segments_it_touches_private)
{
	struct ibuf_mbuf *m = three_segments();
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	uint64_t copied = heap_copied_bytes();

	assert_int_equal(ibuf_mbuf_write_at(clone, 3, "DE", 2), 0);
	assert_int_equal(heap_copied_bytes() - copied, 2);
	assert_ptr_equal(ibuf_mbuf_at(clone, 0, NULL),
			 ibuf_mbuf_at(m, 0, NULL));
	assert_ptr_equal(ibuf_mbuf_at(clone, 5, NULL),
			 ibuf_mbuf_at(m, 5, NULL));
	assert_message(clone, "abcDEfghi", 9);
	assert_int_equal(ibuf_mbuf_write_at(clone, 2, "CDEF", 4), 0);
	assert_message(clone, "abCDEFghi", 9);
	assert_message(m, "abcdefghi", 9);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
}
