/*
 * test_cursor_take.c - messages cut out of a message by a cursor: nothing is
 * copied, nothing is lost when memory runs out.
 */
#include "dry.h"
#include "messages.h"
#include "pools.h"

static const uint8_t ten[] = "0123456789";

/* "0123", "456", "789" */
static struct ibuf_mbuf *
three_segments(void)
{
	return message_cut(ten, 10, 1u << 3 | 1u << 6);
}

/* Each byte of taken lies where it lies in m, from off on. */
static void
assert_same_addresses(const struct ibuf_mbuf *taken, const struct ibuf_mbuf *m,
		      size_t off)
{
	for (size_t i = 0; i < ibuf_mbuf_len(taken); i++)
		assert_ptr_equal(ibuf_mbuf_at(taken, i, NULL),
				 ibuf_mbuf_at(m, off + i, NULL));
}

TEST(take_gives_every_range_without_copying_and_moves_past_it)
{
	struct ibuf_mbuf *m = three_segments();

	for (size_t off = 0; off <= 10; off++) {
		for (size_t n = 0; n <= 10 - off; n++) {
			uint64_t copied = stats_of(NULL).copied_bytes;
			struct ibuf_mbuf *taken;
			struct ibuf_cursor c;

			ibuf_cursor_init(&c, m);
			assert_true(ibuf_cursor_skip(&c, off));
			taken = ibuf_cursor_take(&c, n);
			assert_non_null(taken);
			assert_message(taken, ten + off, n);
			assert_same_addresses(taken, m, off);
			assert_int_equal(ibuf_cursor_position(&c), off + n);
			assert_int_equal(stats_of(NULL).copied_bytes, copied);
			ibuf_mbuf_free(taken);
			assert_message(m, ten, 10);
		}
	}
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
}

TEST(what_was_taken_has_as_many_segments_as_the_range_touches)
{
	struct ibuf_mbuf *m = three_segments();
	struct ibuf_mbuf *parts[4];
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	parts[0] = ibuf_cursor_take(&c, 4); /* all of the first */
	parts[1] = ibuf_cursor_take(&c, 3); /* all of the second */
	assert_true(ibuf_cursor_seek(&c, 3));
	parts[2] = ibuf_cursor_take(&c, 5); /* "3", "456", "7" */
	parts[3] = ibuf_cursor_take(&c, 0);
	assert_int_equal(ibuf_mbuf_segments(parts[0]), 1);
	assert_int_equal(ibuf_mbuf_segments(parts[1]), 1);
	assert_int_equal(ibuf_mbuf_segments(parts[2]), 3);
	assert_int_equal(ibuf_mbuf_segments(parts[3]), 1);
	assert_message(parts[1], "456", 3);
	assert_message(parts[2], "34567", 5);
	assert_message(parts[3], "", 0);
	ibuf_mbuf_free_bulk(parts, 4);
	ibuf_mbuf_free(m);
}

TEST(take_past_the_end_or_a_limit_is_refused_and_changes_nothing)
{
	struct ibuf_mbuf *m = three_segments();
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	assert_null(ibuf_cursor_take(&c, 11));
	assert_null(ibuf_cursor_take(&c, SIZE_MAX));
	assert_true(ibuf_cursor_skip(&c, 2));
	assert_true(ibuf_cursor_limit(&c, 5));
	assert_null(ibuf_cursor_take(&c, 6));
	assert_int_equal(ibuf_cursor_position(&c), 2);
	assert_int_equal(ibuf_cursor_remaining(&c), 5);
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
}

TEST(what_was_taken_lives_on_when_the_message_is_freed)
{
	struct ibuf_mbuf *m = three_segments();
	struct ibuf_mbuf *taken;
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	assert_true(ibuf_cursor_skip(&c, 3));
	taken = ibuf_cursor_take(&c, 5);
	ibuf_mbuf_free(m);
	assert_message(taken, "34567", 5);
	assert_int_equal(ibuf_mbuf_append(taken, "!", 1), 0);
	assert_message(taken, "34567!", 6);
	ibuf_mbuf_free(taken);
}

TEST(neither_the_message_nor_what_was_taken_sees_the_other_s_edits)
{
	struct ibuf_mbuf *m = three_segments();
	struct ibuf_mbuf *taken;
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	assert_true(ibuf_cursor_skip(&c, 2));
	taken = ibuf_cursor_take(&c, 4);
	assert_int_equal(ibuf_mbuf_headroom(taken), 0);
	assert_int_equal(ibuf_mbuf_tailroom(taken), 0);
	assert_int_equal(ibuf_mbuf_append(taken, "++", 2), 0);
	assert_int_equal(ibuf_mbuf_prepend(taken, "--", 2), 0);
	assert_int_equal(ibuf_mbuf_write_at(taken, 2, "x", 1), 0);
	assert_message(taken, "--x345++", 8);
	assert_message(m, ten, 10);
	assert_int_equal(ibuf_mbuf_write_at(m, 0, "abcdefghij", 10), 0);
	assert_message(m, "abcdefghij", 10);
	assert_message(taken, "--x345++", 8);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(taken);
}

TEST(frames_are_taken_from_a_stream_that_goes_on_without_a_copy)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	struct ibuf_mbuf *frames[4];
	struct ibuf_cursor c;
	uint16_t len;

	for (uint16_t i = 0; i < 4; i++) {
		assert_int_equal(ibuf_mbuf_append_be16(m, 3), 0);
		assert_int_equal(ibuf_mbuf_append(m, &"abcdef"[i], 3), 0);
		ibuf_cursor_init(&c, m);
		assert_true(ibuf_cursor_get_be16(&c, &len));
		frames[i] = ibuf_cursor_take(&c, len);
		assert_non_null(frames[i]);
		assert_int_equal(
			ibuf_mbuf_trim_head(m, ibuf_cursor_position(&c)), 0);
		assert_message(m, "", 0);
	}
	assert_int_equal(stats_of(p).copied_bytes, 0);
	for (int i = 0; i < 4; i++)
		assert_message(frames[i], &"abcdef"[i], 3);
	assert_books(p, 1);
	ibuf_mbuf_free_bulk(frames, 4);
	ibuf_mbuf_free(m);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(take_survives_every_failed_allocation)
{
	bool struck;
	size_t n = 0, failed = 0;

	do {
		struct ibuf_mbuf *m = three_segments();
		struct ibuf_mbuf *taken;
		struct ibuf_cursor c;

		ibuf_cursor_init(&c, m);
		assert_true(ibuf_cursor_skip(&c, 1));
		heap_dry();
		fault_at(++n);
		taken = ibuf_cursor_take(&c, 8);
		struck = fault_off();
		if (taken == NULL) {
			assert_true(struck);
			failed++;
			assert_int_equal(ibuf_cursor_position(&c), 1);
			assert_int_equal(ibuf_cursor_remaining(&c), 9);
			assert_true(ibuf_mbuf_is_unique(m));
			assert_message(m, ten, 10);
			taken = ibuf_cursor_take(&c, 8);
		}
		assert_message(taken, "12345678", 8);
		assert_int_equal(ibuf_cursor_position(&c), 9);
		ibuf_mbuf_free(taken);
		heap_wet();
		ibuf_mbuf_free(m);
	} while (struck);
	assert_true(failed != 0);
}

TEST(view_counts_what_it_copies_and_nothing_else)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	struct ibuf_mbuf *tail = ibuf_pool_alloc(p);
	uint8_t scratch[8];
	struct ibuf_cursor c;

	assert_int_equal(ibuf_mbuf_append(m, "01234", 5), 0);
	assert_int_equal(ibuf_mbuf_append(tail, "56789", 5), 0);
	assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	ibuf_cursor_init(&c, m);
	assert_true(ibuf_cursor_read(&c, scratch, 8));
	ibuf_cursor_reset(&c);
	assert_non_null(ibuf_cursor_view(&c, 5, scratch));
	assert_non_null(ibuf_cursor_view(&c, 5, scratch));
	assert_int_equal(stats_of(p).copied_bytes, 0);
	ibuf_cursor_reset(&c);
	assert_non_null(ibuf_cursor_view(&c, 8, scratch));
	assert_int_equal(stats_of(p).copied_bytes, 8);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
