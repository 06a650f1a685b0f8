/* test_concat.c - messages are put behind one another. */
#include "failures.h"
#include "messages.h"

/* ---- two rooms ----------------------------------------------------- */

TEST(concat_gives_the_bytes_of_both_and_exact_counts)
{
	struct ibuf_mbuf *m = message_of("0", 1);
	char all[100] = "0";

	for (size_t i = 1; i < sizeof(all); i++) {
		all[i] = (char)('0' + i % 10);
		assert_int_equal(ibuf_mbuf_concat(m, message_of(all + i, 1)),
				 0);
		assert_int_equal(ibuf_mbuf_len(m), i + 1);
		assert_int_equal(ibuf_mbuf_segments(m), i + 1);
		assert_null(ibuf_mbuf_data(m));
		assert_false(ibuf_mbuf_is_contiguous(m));
		assert_message(m, all, i + 1);
	}
	ibuf_mbuf_free(m);
}

TEST(concat_of_messages_of_several_segments_links_them_all)
{
	static const uint8_t bytes[] = "abcdefghijklmnopqrst";

	for (unsigned front = 0; front < 1u << 4; front++) {
		for (unsigned back = 0; back < 1u << 4; back++) {
			struct ibuf_mbuf *m = message_cut(bytes, 5, front);
			struct ibuf_mbuf *tail =
				message_cut(bytes + 5, 5, back);
			size_t segments = ibuf_mbuf_segments(m) +
					  ibuf_mbuf_segments(tail);

			assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
			assert_message(m, bytes, 10);
			assert_int_equal(ibuf_mbuf_segments(m), segments);
			ibuf_mbuf_free(m);
		}
	}
}

TEST(concat_copies_nothing_allocates_nothing_and_keeps_the_address)
{
	struct ibuf_mbuf *m = message_of("front", 5), *was = m;
	struct ibuf_mbuf *tail = message_of("back", 4);
	const uint8_t *front = ibuf_mbuf_data(m);
	const uint8_t *back = ibuf_mbuf_data(tail);
	uint64_t copied = heap_copied_bytes();
	size_t calls = fault_calls();

	assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	assert_int_equal(fault_calls(), calls);
	assert_int_equal(heap_copied_bytes(), copied);
	assert_ptr_equal(m, was);
	assert_ptr_equal(ibuf_mbuf_at(m, 0, NULL), front);
	assert_ptr_equal(ibuf_mbuf_at(m, 5, NULL), back);
	ibuf_mbuf_free(m);
}

TEST(a_message_is_never_concatenated_to_itself)
{
	struct ibuf_mbuf *empty = ibuf_mbuf_new(4);
	struct ibuf_mbuf *m = message_cut((const uint8_t *)"abc", 3, 3);

	assert_int_equal(ibuf_mbuf_concat(m, m), -EINVAL);
	assert_message(m, "abc", 3);
	assert_int_equal(ibuf_mbuf_segments(m), 3);
	assert_int_equal(ibuf_mbuf_concat(empty, empty), -EINVAL);
	assert_message(empty, "", 0);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(empty);
}

TEST(a_clone_can_be_concatenated_to_its_source)
{
	struct ibuf_mbuf *m = message_of("twice ", 6);

	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_clone(m)), 0);
	assert_message(m, "twice twice ", 12);
	assert_int_equal(ibuf_mbuf_segments(m), 2);
	assert_false(ibuf_mbuf_is_unique(m));
	assert_int_equal(ibuf_mbuf_write_at(m, 0, "T", 1), 0);
	assert_message(m, "Twice twice ", 12);
	ibuf_mbuf_free(m);
}

TEST(concat_past_the_longest_message_leaves_both_as_they_were)
{
	struct ibuf_mbuf *m = message_cut((const uint8_t *)"ab", 2, 1);
	struct ibuf_mbuf *tail = message_of("xyz", 3);
	size_t rest = m->rest_;

	/* So long a message cannot be made here, only pretended. */
	m->rest_ = (size_t)PTRDIFF_MAX - 3;
	assert_int_equal(ibuf_mbuf_concat(m, tail), -EOVERFLOW);
	assert_int_equal(ibuf_mbuf_concat(tail, m), -EOVERFLOW);
	assert_int_equal(ibuf_mbuf_len(m), (size_t)PTRDIFF_MAX - 2);
	assert_int_equal(ibuf_mbuf_segments(m), 2);
	m->rest_ = rest;
	assert_message(m, "ab", 2);
	assert_message(tail, "xyz", 3);
	assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	assert_message(m, "abxyz", 5);
	ibuf_mbuf_free(m);
}

TEST(both_ends_of_a_message_of_several_segments_can_be_edited)
{
	struct ibuf_mbuf *m = message_with(8, 0, 8);
	struct ibuf_mbuf *tail = message_with(8, 0, 8);

	assert_int_equal(ibuf_mbuf_append(m, "b", 1), 0);
	assert_int_equal(ibuf_mbuf_append(tail, "c", 1), 0);
	assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	assert_int_equal(ibuf_mbuf_headroom(m), 8);
	assert_int_equal(ibuf_mbuf_tailroom(m), 7);
	assert_int_equal(ibuf_mbuf_capacity(m), 1 + 8);
	assert_int_equal(ibuf_mbuf_append(m, "d", 1), 0);
	assert_int_equal(ibuf_mbuf_prepend(m, "a", 1), 0);
	assert_message(m, "abcd", 4);
	assert_int_equal(ibuf_mbuf_segments(m), 2);
	assert_int_equal(ibuf_mbuf_headroom(m), 7);
	assert_int_equal(ibuf_mbuf_tailroom(m), 6);
	ibuf_mbuf_free(m);
}

/* ---- empty messages ------------------------------------------------ */

TEST(an_empty_tail_adds_no_segment)
{
	for (unsigned cuts = 0; cuts < 4; cuts++) {
		struct ibuf_mbuf *m =
			message_cut((const uint8_t *)"abc", 3, cuts);
		size_t segments = ibuf_mbuf_segments(m);

		assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_new(9)), 0);
		assert_message(m, "abc", 3);
		assert_int_equal(ibuf_mbuf_segments(m), segments);
		ibuf_mbuf_free(m);
	}
}

TEST(an_empty_message_takes_over_the_segments_of_the_tail)
{
	for (unsigned cuts = 0; cuts < 4; cuts++) {
		struct ibuf_mbuf *m = message_with(4, 0, 4), *was = m;
		struct ibuf_mbuf *tail =
			message_cut((const uint8_t *)"abc", 3, cuts);
		const uint8_t *data = ibuf_mbuf_seg_data(tail);
		size_t segments = ibuf_mbuf_segments(tail);
		size_t calls = fault_calls();

		assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
		assert_int_equal(fault_calls(), calls);
		assert_ptr_equal(m, was);
		assert_message(m, "abc", 3);
		assert_int_equal(ibuf_mbuf_segments(m), segments);
		assert_ptr_equal(ibuf_mbuf_at(m, 0, NULL), data);
		assert_true(ibuf_mbuf_is_unique(m));
		ibuf_mbuf_free(m);
	}
}

TEST(what_is_taken_over_keeps_its_headroom_and_tailroom)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);
	struct ibuf_mbuf *peer, *tail = message_with(5, 3, 7);

	peer = ibuf_mbuf_slice(tail, 1, 1);
	assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	assert_sizes(m, 5, 3, 7, 10);
	ibuf_mbuf_free(m);
	assert_message(peer, "\1", 1);
	ibuf_mbuf_free(peer);
}

TEST(two_empty_messages_are_one_empty_message)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(4);

	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_new(4)), 0);
	assert_message(m, "", 0);
	assert_int_equal(ibuf_mbuf_segments(m), 1);
	assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
	assert_message(m, "x", 1);
	ibuf_mbuf_free(m);
}

TEST(an_empty_pool_mbuf_that_takes_over_goes_back_all_the_same)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;
	struct ibuf_mbuf *m;

	o.capacity = 64;
	o.private_size = 8;
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	m = ibuf_pool_alloc(p);
	memcpy(ibuf_mbuf_private(m), "private", 8);
	assert_int_equal(ibuf_mbuf_concat(m, message_of("abc", 3)), 0);
	assert_message(m, "abc", 3);
	assert_ptr_equal(ibuf_mbuf_pool(m), p);
	assert_string_equal(ibuf_mbuf_private(m), "private");
	assert_int_equal(ibuf_pool_allocated(p), 1);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_allocated(p), 0);

	/* Likewise when both are of the pool: no mbuf is lost. */
	m = ibuf_pool_alloc(p);
	for (int i = 0; i < 3; i++) {
		struct ibuf_mbuf *tail = ibuf_pool_alloc(p);

		assert_int_equal(ibuf_mbuf_append(tail, "abc" + i, 1), 0);
		assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	}
	assert_message(m, "abc", 3);
	assert_int_equal(ibuf_mbuf_segments(m), 3);
	assert_int_equal(ibuf_pool_allocated(p), 4);
	ibuf_mbuf_clear(m);
	assert_message(m, "", 0);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- one room ------------------------------------------------------ */

TEST(adjacent_segments_become_one_segment_without_copying)
{
	for (size_t at = 0; at <= 6; at++) {
		struct ibuf_mbuf *m = message_with(3, 6, 5);
		const uint8_t *data = ibuf_mbuf_data(m);
		struct ibuf_mbuf *rest = ibuf_mbuf_split(m, at);
		uint64_t copied = heap_copied_bytes();

		assert_int_equal(ibuf_mbuf_concat(m, rest), 0);
		assert_message(m, "\0\1\2\3\4\5", 6);
		assert_ptr_equal(ibuf_mbuf_data(m), data);
		assert_int_equal(heap_copied_bytes(), copied);
		assert_true(ibuf_mbuf_is_unique(m));
		assert_sizes(m, 3, 6, 5, 11);
		ibuf_mbuf_free(m);
	}
}

TEST(pieces_in_order_rejoin_whatever_the_cuts)
{
	static const uint8_t bytes[] = "0123456789";

	for (unsigned cuts = 0; cuts < 1u << 9; cuts++) {
		struct ibuf_mbuf *m = message_of(bytes, 10);
		const uint8_t *data = ibuf_mbuf_data(m);
		struct ibuf_mbuf *pieces[10];
		size_t n = 0;

		for (size_t i = 9; i >= 1; i--)
			if ((cuts >> (i - 1) & 1) != 0)
				pieces[n++] = ibuf_mbuf_split(m, i);
		while (n != 0)
			assert_int_equal(ibuf_mbuf_concat(m, pieces[--n]), 0);
		assert_message(m, bytes, 10);
		assert_ptr_equal(ibuf_mbuf_data(m), data);
		assert_true(ibuf_mbuf_is_unique(m));
		ibuf_mbuf_free(m);
	}
}

TEST(adjacent_slices_rejoin_while_the_message_lives)
{
	struct ibuf_mbuf *m = message_with(2, 8, 4);
	struct ibuf_mbuf *a = ibuf_mbuf_slice(m, 1, 3);
	struct ibuf_mbuf *b = ibuf_mbuf_slice(m, 4, 2);

	assert_int_equal(ibuf_mbuf_concat(a, b), 0);
	assert_message(a, "\1\2\3\4\5", 5);
	assert_int_equal(ibuf_mbuf_segments(a), 1);
	assert_ptr_equal(ibuf_mbuf_data(a), ibuf_mbuf_at(m, 1, NULL));
	assert_int_equal(segments_at(m), 2);
	/* Neither end is its own: the message goes on behind it. */
	assert_sizes(a, 0, 5, 0, 5);
	assert_int_equal(ibuf_mbuf_append(a, "!", 1), 0);
	assert_message(a, "\1\2\3\4\5!", 6);
	assert_message(m, "\0\1\2\3\4\5\6\7", 8);
	ibuf_mbuf_free(a);
	assert_sizes(m, 2, 8, 4, 12);
	ibuf_mbuf_free(m);
}

TEST(a_clone_that_is_split_and_rejoined_is_as_before)
{
	for (size_t at = 0; at <= 6; at++) {
		struct ibuf_mbuf *m = message_with(8, 6, 8);
		struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

		assert_sizes(clone, 0, 6, 0, 14);
		assert_int_equal(
			ibuf_mbuf_concat(clone, ibuf_mbuf_split(clone, at)), 0);
		assert_message(clone, "\0\1\2\3\4\5", 6);
		assert_sizes(clone, 0, 6, 0, 14);
		assert_int_equal(ibuf_mbuf_segments(clone), 1);
		ibuf_mbuf_free(m);
		ibuf_mbuf_free(clone);
	}
}

TEST(segments_with_a_gap_or_in_the_wrong_order_stay_two_segments)
{
	struct ibuf_mbuf *m = message_of("abcdef", 6);
	struct ibuf_mbuf *gap = ibuf_mbuf_slice(m, 0, 2);
	struct ibuf_mbuf *order = ibuf_mbuf_slice(m, 3, 3);

	assert_int_equal(ibuf_mbuf_concat(gap, ibuf_mbuf_slice(m, 3, 1)), 0);
	assert_message(gap, "abd", 3);
	assert_int_equal(ibuf_mbuf_segments(gap), 2);
	assert_int_equal(ibuf_mbuf_concat(order, ibuf_mbuf_slice(m, 0, 3)), 0);
	assert_message(order, "defabc", 6);
	assert_int_equal(ibuf_mbuf_segments(order), 2);
	/* What overlaps does not meet either. */
	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_slice(m, 5, 1)), 0);
	assert_message(m, "abcdeff", 7);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(gap);
	ibuf_mbuf_free(order);
}

TEST(rooms_that_only_lie_side_by_side_stay_two_segments)
{
	char bytes[] = "side by side";
	struct ibuf_mbuf *m = ibuf_mbuf_wrap(bytes, 5, NULL, NULL);

	assert_int_equal(
		ibuf_mbuf_concat(m, ibuf_mbuf_wrap(bytes + 5, 7, NULL, NULL)),
		0);
	assert_message(m, "side by side", 12);
	assert_int_equal(ibuf_mbuf_segments(m), 2);
	ibuf_mbuf_free(m);
}

TEST(segments_rejoin_in_the_middle_of_messages_of_several_segments)
{
	struct ibuf_mbuf *middle = message_of("bcde", 4);
	struct ibuf_mbuf *back = ibuf_mbuf_split(middle, 2);
	struct ibuf_mbuf *m = message_of("a", 1);

	assert_int_equal(ibuf_mbuf_concat(m, middle), 0);
	add_segment(back, "f", 1);
	assert_int_equal(ibuf_mbuf_concat(m, back), 0);
	assert_message(m, "abcdef", 6);
	assert_int_equal(ibuf_mbuf_segments(m), 3);
	assert_true(ibuf_mbuf_is_unique(m));
	assert_int_equal(ibuf_mbuf_append(m, "g", 1), 0);
	assert_message(m, "abcdefg", 7);
	ibuf_mbuf_free(m);
}

TEST(an_empty_rest_gives_the_tailroom_back)
{
	struct ibuf_mbuf *m = message_with(0, 4, 12);
	struct ibuf_mbuf *peer = ibuf_mbuf_slice(m, 0, 1);
	struct ibuf_mbuf *rest = ibuf_mbuf_split(m, 4);

	assert_message(rest, "", 0);
	assert_sizes(m, 0, 4, 0, 4);
	assert_int_equal(ibuf_mbuf_tailroom(rest), 12);
	assert_int_equal(ibuf_mbuf_concat(m, rest), 0);
	assert_sizes(m, 0, 4, 12, 16);
	assert_int_equal(ibuf_mbuf_segments(m), 1);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(peer);
}

TEST(an_empty_front_that_meets_its_rest_has_both_ends)
{
	struct ibuf_mbuf *m = message_with(6, 4, 12);
	struct ibuf_mbuf *peer = ibuf_mbuf_slice(m, 1, 1);
	struct ibuf_mbuf *front = ibuf_mbuf_slice(m, 0, 0);

	/* m has both rights, and nobody holds a byte before or behind it. */
	assert_int_equal(ibuf_mbuf_concat(front, m), 0);
	assert_message(front, "\0\1\2\3", 4);
	assert_sizes(front, 6, 4, 12, 16);
	ibuf_mbuf_free(front);
	ibuf_mbuf_free(peer);
}

TEST(pool_segments_rejoin_and_their_headers_come_back)
{
	struct ibuf_pool *p = ibuf_pool_new(2, 64);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	struct ibuf_mbuf *rest;
	struct ibuf_pool_stats stats;

	assert_int_equal(ibuf_mbuf_append(m, "abcdef", 6), 0);
	rest = ibuf_mbuf_split(m, 3);
	assert_int_equal(ibuf_pool_get_stats(p, &stats, sizeof(stats)), 0);
	assert_int_equal(stats.handles, 1);
	assert_int_equal(ibuf_mbuf_concat(m, rest), 0);
	assert_message(m, "abcdef", 6);
	assert_int_equal(ibuf_pool_get_stats(p, &stats, sizeof(stats)), 0);
	assert_int_equal(stats.handles, 0);
	assert_int_equal(stats.allocated, 1);

	/* The mbuf's own header may be the one that goes. */
	rest = ibuf_mbuf_slice(m, 0, 3);
	assert_int_equal(ibuf_mbuf_trim_head(m, 3), 0);
	assert_int_equal(ibuf_mbuf_concat(rest, m), 0);
	assert_message(rest, "abcdef", 6);
	assert_true(ibuf_mbuf_is_unique(rest));
	assert_int_equal(ibuf_pool_allocated(p), 1);
	ibuf_mbuf_free(rest);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
