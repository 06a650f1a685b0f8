/*
 * test_rights.c - who may use the room before and behind its bytes.
 *
 * Where a segment has the right, it extends in place; where it has not, it
 * moves to a room of its own of max(C, len + n).
 */
#include "messages.h"
#include "states.h"

/* Append n bytes; they fit in place, without any allocation. */
static void
append_in_place(struct ibuf_mbuf *m, size_t n)
{
	const uint8_t *data = ibuf_mbuf_data(m);
	size_t calls = fault_calls();

	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', n), 0);
	assert_ptr_equal(ibuf_mbuf_data(m), data);
	assert_int_equal(ibuf_mbuf_validate(m), 0);
	assert_int_equal(fault_calls(), calls);
}

static void
prepend_in_place(struct ibuf_mbuf *m, size_t n)
{
	const uint8_t *data = ibuf_mbuf_data(m);
	size_t calls = fault_calls();

	assert_ptr_equal(ibuf_mbuf_extend_head(m, n), data - n);
	assert_int_equal(ibuf_mbuf_validate(m), 0);
	assert_int_equal(fault_calls(), calls);
}

/* ---- clone, slice, take -------------------------------------------- */

TEST(a_clone_has_no_rights_and_the_message_keeps_its_own)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

	assert_sizes(m, 8, 10, 20, 30);
	assert_sizes(clone, 0, 10, 0, 30);
	append_in_place(m, 20);
	prepend_in_place(m, 8);
	assert_sizes(m, 0, 38, 0, 30);
	assert_sizes(clone, 0, 10, 0, 30);
	ibuf_mbuf_free(m);
	assert_sizes(clone, 8, 10, 20, 30);
	ibuf_mbuf_free(clone);
}

TEST(a_slice_and_a_take_have_no_rights_and_are_as_large_as_they_are_long)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 4, 6), *take;
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	take = ibuf_cursor_take(&c, 10);
	assert_sizes(slice, 0, 6, 0, 6);
	assert_sizes(take, 0, 10, 0, 10);
	assert_sizes(m, 8, 10, 20, 30);
	append_in_place(m, 1);
	ibuf_mbuf_free(m);
	assert_sizes(slice, 0, 6, 0, 6);
	ibuf_mbuf_free(take);
	assert_sizes(slice, 12, 6, 20, 30);
	ibuf_mbuf_free(slice);
}

TEST(a_segment_without_rights_moves_to_a_room_as_its_capacity_says)
{
	static const struct {
		bool slice; /* of the last 6 of 10 bytes; else a clone */
		size_t append, prepend, headroom, tailroom, capacity;
	} rows[] = {
		{false, 0, 0, 0, 0, 30},  {false, 1, 0, 8, 19, 30},
		{false, 20, 0, 8, 0, 30}, {false, 21, 0, 8, 14, 45},
		{false, 36, 0, 8, 0, 46}, {false, 0, 1, 27, 0, 30},
		{false, 0, 20, 8, 0, 30}, {false, 0, 21, 22, 0, 45},
		{false, 0, 36, 8, 0, 46}, {true, 0, 0, 0, 0, 6},
		{true, 1, 0, 8, 2, 9},    {true, 100, 0, 8, 0, 106},
		{true, 0, 1, 10, 0, 9},   {true, 0, 100, 8, 0, 106},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ibuf_mbuf *m = message_with(8, 10, 20);
		struct ibuf_mbuf *w = rows[i].slice ? ibuf_mbuf_slice(m, 4, 6)
						    : ibuf_mbuf_clone(m);
		size_t len = ibuf_mbuf_len(w);
		size_t n = rows[i].append + rows[i].prepend;

		assert_non_null(ibuf_mbuf_extend_tail(w, rows[i].append));
		assert_non_null(ibuf_mbuf_extend_head(w, rows[i].prepend));
		assert_int_equal(ibuf_mbuf_is_unique(m), n != 0);
		assert_sizes(w, rows[i].headroom, len + n, rows[i].tailroom,
			     rows[i].capacity);
		assert_int_equal(*ibuf_mbuf_at(w, rows[i].prepend, NULL),
				 10 - len);
		assert_sizes(m, 8, 10, 20, 30);
		ibuf_mbuf_free(m);
		ibuf_mbuf_free(w);
	}
}

TEST(a_slice_keeps_the_capacity_it_was_born_with)
{
	struct ibuf_mbuf *m = message_with(0, 30, 0);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 5, 20), *clone;

	assert_int_equal(ibuf_mbuf_trim_tail(slice, 5), 0);
	assert_int_equal(ibuf_mbuf_trim_head(slice, 5), 0);
	assert_sizes(slice, 0, 10, 0, 20);
	clone = ibuf_mbuf_clone(slice);
	assert_sizes(clone, 0, 10, 0, 20);
	assert_int_equal(ibuf_mbuf_append(slice, "x", 1), 0);
	assert_sizes(slice, 0, 11, 9, 20);
	assert_int_equal(ibuf_mbuf_append_fill(clone, 'x', 11), 0);
	assert_sizes(clone, 0, 21, 9, 30);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(slice);
	ibuf_mbuf_free(clone);
}

TEST(to_be_written_in_place_a_segment_takes_its_capacity_with_it)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 4, 6);
	struct ibuf_mbuf *tall = ibuf_mbuf_clone(m);

	assert_non_null(ibuf_mbuf_data_mut(clone));
	assert_sizes(clone, 8, 10, 20, 30);
	assert_int_equal(ibuf_mbuf_unshare(slice), 0);
	assert_sizes(slice, 8, 6, 0, 6);
	/* Longer than C, by what was prepended into the headroom. */
	ibuf_mbuf_free(tall);
	append_in_place(m, 20);
	prepend_in_place(m, 8);
	tall = ibuf_mbuf_clone(m);
	assert_sizes(tall, 0, 38, 0, 30);
	assert_int_equal(ibuf_mbuf_write_at(tall, 0, "x", 1), 0);
	assert_sizes(tall, 8, 38, 0, 38);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(slice);
	ibuf_mbuf_free(tall);
}

/* ---- split and concat ---------------------------------------------- */

TEST(split_hands_the_tailroom_to_the_rest)
{
	for (size_t at = 0; at <= 10; at++) {
		struct ibuf_mbuf *m = message_with(8, 10, 20);
		struct ibuf_mbuf *rest = ibuf_mbuf_split(m, at);

		assert_sizes(m, 8, at, 0, at);
		assert_sizes(rest, 0, 10 - at, 20, 30);
		append_in_place(rest, 5);
		prepend_in_place(m, 5);
		assert_sizes(m, 3, at + 5, 0, at);
		assert_sizes(rest, 0, 15 - at, 15, 30);
		if (at % 2 == 0) {
			assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
			assert_sizes(m, 8, at + 6, 0, at + 6);
			/* Alone, the rest has all. */
			assert_sizes(rest, 8 + at, 15 - at, 15, 30);
			ibuf_mbuf_free(rest);
		} else {
			ibuf_mbuf_free(rest);
			assert_sizes(m, 3, at + 5, 30 - at, 30);
		}
		ibuf_mbuf_free(m);
	}
}

TEST(the_front_of_a_split_grows_to_just_what_it_needs)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20);
	struct ibuf_mbuf *rest = ibuf_mbuf_split(m, 4);

	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 3), 0);
	assert_sizes(m, 8, 7, 0, 7);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(rest);
}

TEST(a_rest_that_comes_back_brings_the_tailroom)
{
	for (size_t at = 0; at <= 10; at++) {
		struct ibuf_mbuf *m = message_with(8, 10, 20);
		struct ibuf_mbuf *other = ibuf_mbuf_slice(m, 0, 10);
		struct ibuf_mbuf *rest = ibuf_mbuf_split(m, at);
		size_t calls = fault_calls();
		uint64_t copied = heap_copied_bytes();

		assert_int_equal(ibuf_mbuf_concat(m, rest), 0);
		assert_int_equal(ibuf_mbuf_segments(m), 1);
		assert_sizes(m, 8, 10, 20, 30);
		append_in_place(m, 20);
		prepend_in_place(m, 8);
		assert_int_equal(fault_calls(), calls);
		assert_int_equal(heap_copied_bytes(), copied);
		assert_message(other, "\0\1\2\3\4\5\6\7\x8\x9", 10);
		ibuf_mbuf_free(m);
		ibuf_mbuf_free(other);
	}
}

/* ---- trim, read, clear --------------------------------------------- */

TEST(trimming_a_shared_tail_gives_up_the_tailroom_only)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

	assert_int_equal(ibuf_mbuf_trim_tail(m, 0), 0);
	assert_sizes(m, 8, 10, 20, 30);
	assert_int_equal(ibuf_mbuf_trim_tail(m, 1), 0);
	assert_sizes(m, 8, 9, 0, 30);
	prepend_in_place(m, 3);
	assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
	assert_sizes(m, 8, 13, 17, 30);
	assert_message(clone, "\0\1\2\3\4\5\6\7\x8\x9", 10);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
}

TEST(trimming_or_reading_a_shared_head_gives_up_the_headroom_only)
{
	for (int reads = 0; reads < 2; reads++) {
		struct ibuf_mbuf *m = message_with(8, 10, 20);
		struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
		uint8_t out;

		assert_int_equal(ibuf_mbuf_trim_head(m, 0), 0);
		assert_int_equal(ibuf_mbuf_read(m, &out, 0), 0);
		assert_sizes(m, 8, 10, 20, 30);
		if (reads != 0)
			assert_int_equal(ibuf_mbuf_read(m, &out, 1), 1);
		else
			assert_int_equal(ibuf_mbuf_trim_head(m, 1), 0);
		assert_sizes(m, 0, 9, 20, 30);
		append_in_place(m, 3);
		assert_int_equal(ibuf_mbuf_prepend(m, "x", 1), 0);
		/* 26 bytes are free; half of them are behind, as 17 were. */
		assert_sizes(m, 12, 13, 13, 30);
		assert_message(clone, "\0\1\2\3\4\5\6\7\x8\x9", 10);
		ibuf_mbuf_free(m);
		ibuf_mbuf_free(clone);
	}
}

TEST(clearing_what_is_shared_gives_up_the_tailroom)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

	ibuf_mbuf_clear(m);
	assert_message(m, "", 0);
	assert_int_equal(ibuf_mbuf_tailroom(m), 0);
	assert_int_equal(ibuf_mbuf_capacity(m), 30);
	assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
	assert_sizes(m, 8, 1, 29, 30);
	assert_message(clone, "\0\1\2\3\4\5\6\7\x8\x9", 10);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
}

TEST(what_was_given_up_comes_back_to_a_sole_owner)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

	assert_int_equal(ibuf_mbuf_trim_tail(m, 3), 0);
	assert_int_equal(ibuf_mbuf_trim_head(m, 3), 0);
	assert_sizes(m, 0, 4, 0, 30);
	ibuf_mbuf_free(clone);
	assert_sizes(m, 11, 4, 23, 30);
	append_in_place(m, 23);
	prepend_in_place(m, 11);
	assert_sizes(m, 0, 38, 0, 30);
	/* The rights are the message's again, also when it is cloned. */
	assert_int_equal(ibuf_mbuf_trim_tail(m, 5), 0);
	clone = ibuf_mbuf_clone(m);
	append_in_place(m, 5);
	assert_int_equal(ibuf_mbuf_len(clone), 33);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
}

/* As the first edit of a sole owner, which takes its right again. */
TEST(a_sole_owner_extends_in_place_by_all_that_it_has_and_no_more)
{
	for (int more = 0; more < 2; more++) {
		for (int front = 0; front < 2; front++) {
			struct ibuf_mbuf *m = message_with(8, 10, 20);
			struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 2, 6);

			ibuf_mbuf_free(m);
			assert_sizes(slice, 10, 6, 22, 30);
			if (more != 0 && front != 0) {
				assert_non_null(
					ibuf_mbuf_extend_head(slice, 33));
				assert_sizes(slice, 0, 39, 14, 45);
			} else if (more != 0) {
				assert_non_null(
					ibuf_mbuf_extend_tail(slice, 23));
				assert_sizes(slice, 8, 29, 16, 45);
			} else if (front != 0) {
				prepend_in_place(slice, 10);
				assert_sizes(slice, 0, 16, 22, 30);
			} else {
				append_in_place(slice, 22);
				assert_sizes(slice, 10, 28, 0, 30);
			}
			ibuf_mbuf_free(slice);
		}
	}
}

/* ---- a stream buffer ----------------------------------------------- */

/* Frames of 10 bytes are cut out while bytes keep coming, 7 at a time. */
TEST(frames_are_cut_out_of_a_stream_without_copying)
{
	struct ibuf_mbuf *stream = ibuf_mbuf_new(700), *frames[70];
	uint64_t copied = heap_copied_bytes();
	size_t n = 0;

	for (int i = 0; i < 100; i++) {
		struct ibuf_mbuf *rest;

		append_in_place(stream, 7);
		while (ibuf_mbuf_len(stream) >= 10) {
			switch (n % 3) {
			case 0: /* the front is the frame */
				rest = ibuf_mbuf_split(stream, 10);
				frames[n++] = stream;
				stream = rest;
				break;
			case 1:
				frames[n++] = ibuf_mbuf_slice(stream, 0, 10);
				ibuf_mbuf_trim_head(stream, 10);
				break;
			default:
				frames[n] = ibuf_mbuf_clone(stream);
				ibuf_mbuf_trim_tail(frames[n],
						    ibuf_mbuf_len(stream) - 10);
				ibuf_mbuf_trim_head(stream, 10);
				n++;
			}
		}
	}
	assert_int_equal(n, 70);
	assert_int_equal(heap_copied_bytes(), copied);
	assert_sizes(stream, 0, 0, 0, 700);
	for (size_t i = 0; i < n; i++)
		assert_message(frames[i], "xxxxxxxxxx", 10);
	/* Full: only the unfinished frame, here none, moves. */
	assert_int_equal(ibuf_mbuf_append(stream, "next", 4), 0);
	assert_sizes(stream, 0, 4, 696, 700);
	assert_int_equal(heap_copied_bytes(), copied);
	ibuf_mbuf_free_bulk(frames, n);
	ibuf_mbuf_free(stream);
}
