/*
 * test_retention.c - what memory messages keep, and what bytes the library
 * moved for its own reasons.
 */
#include "messages.h"
#include "states.h"

/* ---- shrink -------------------------------------------------------- */

TEST(shrink_leaves_just_the_bytes)
{
	static const struct {
		size_t headroom, len, tailroom;
	} rows[] = {{0, 10, 0},  {0, 10, 90}, {50, 10, 0}, {50, 10, 90},
		    {0, 0, 100}, {100, 0, 0}, {0, 0, 0}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ibuf_mbuf *m = message_with(
			rows[i].headroom, rows[i].len, rows[i].tailroom);
		bool gains = rows[i].headroom + rows[i].tailroom != 0;
		size_t calls = fault_calls(), blocks = fault_live_blocks();
		uint64_t copied = heap_copied_bytes();
		struct state before;

		state_take(&before, m);
		assert_int_equal(ibuf_mbuf_shrink(m), 0);
		assert_message(m, before.bytes, before.len);
		assert_sizes(m, 0, before.len, 0, before.len);
		assert_int_equal(fault_calls() - calls, gains);
		assert_int_equal(fault_live_blocks(), blocks);
		assert_int_equal(heap_copied_bytes() - copied,
				 gains ? before.len : 0);
		/* There is nothing more to gain. */
		calls = fault_calls();
		assert_int_equal(ibuf_mbuf_shrink(m), 0);
		assert_int_equal(fault_calls(), calls);
		assert_int_equal(ibuf_mbuf_append(m, "more", 4), 0);
		assert_int_equal(ibuf_mbuf_validate(m), 0);
		ibuf_mbuf_free(m);
	}
}

TEST(shrink_lets_go_of_a_room_that_others_keep_for_now)
{
	struct ibuf_mbuf *m = message_with(8, 10, 1000);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 2, 3);
	size_t calls = fault_calls(), blocks;

	assert_int_equal(ibuf_mbuf_shrink(slice), 0);
	assert_int_equal(fault_calls(), calls + 1);
	assert_sizes(slice, 0, 3, 0, 3);
	assert_sizes(m, 8, 10, 1000, 1010);
	assert_int_equal(ibuf_mbuf_is_unique(m), true);
	blocks = fault_live_blocks();
	ibuf_mbuf_free(m);
	assert_int_equal(fault_live_blocks(), blocks - 1);
	assert_message(slice, "\2\3\4", 3);
	ibuf_mbuf_free(slice);
}

TEST(shrink_lets_go_of_a_room_that_two_segments_show_a_part_of)
{
	struct ibuf_mbuf *m = message_with(8, 10, 1000);
	struct ibuf_mbuf *a = ibuf_mbuf_slice(m, 0, 1);
	struct ibuf_mbuf *b = ibuf_mbuf_slice(m, 8, 1);

	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_mbuf_concat(a, b), 0);
	assert_int_equal(ibuf_mbuf_shrink(a), 0);
	assert_true(ibuf_mbuf_is_unique(a));
	assert_sizes(a, 0, 2, 0, 2);
	assert_message(a, "\0\x8", 2);
	ibuf_mbuf_free(a);
}

TEST(shrink_looks_at_every_segment)
{
	struct ibuf_mbuf *m = message_with(5, 10, 100);
	struct ibuf_mbuf *slice;
	uint64_t copied;

	assert_int_equal(ibuf_mbuf_concat(m, message_with(0, 20, 0)), 0);
	assert_int_equal(ibuf_mbuf_concat(m, message_with(3, 30, 100)), 0);
	assert_int_equal(ibuf_mbuf_concat(m, message_with(1, 40, 100)), 0);
	slice = ibuf_mbuf_slice(m, 45, 5);
	copied = heap_copied_bytes();
	assert_int_equal(ibuf_mbuf_shrink(m), 0);
	/* The second is tight. */
	assert_int_equal(heap_copied_bytes() - copied, 80);
	assert_int_equal(ibuf_mbuf_segments(m), 4);
	assert_sizes(m, 0, 100, 0, 100);
	assert_message(slice, "\xf\x10\x11\x12\x13", 5);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(slice);
}

static void
count_release(void *bytes, size_t len, void *arg)
{
	(void)bytes;
	(void)len;
	++*(int *)arg;
}

TEST(shrink_gives_wrapped_memory_back_that_is_larger_than_what_is_shown)
{
	char text[] = "hello";
	int times = 0;
	struct ibuf_mbuf *m = ibuf_mbuf_wrap(text, 5, count_release, &times);
	struct ibuf_mbuf *rom =
		ibuf_mbuf_wrap_const(text, 5, count_release, &times);

	assert_int_equal(ibuf_mbuf_shrink(m), 0);
	assert_int_equal(ibuf_mbuf_shrink(rom), 0);
	assert_int_equal(times, 0);
	assert_ptr_equal(ibuf_mbuf_data(m), text);
	assert_int_equal(ibuf_mbuf_trim_tail(m, 1), 0);
	assert_int_equal(ibuf_mbuf_trim_head(rom, 1), 0);
	assert_int_equal(ibuf_mbuf_shrink(m), 0);
	assert_int_equal(ibuf_mbuf_shrink(rom), 0);
	assert_int_equal(times, 2);
	assert_message(m, "hell", 4);
	assert_message(rom, "ello", 4);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(rom);
	assert_int_equal(times, 2);
}

/* ---- copied_bytes -------------------------------------------------- */

/* What calls say they do is not counted. */
TEST(copies_that_a_call_is_named_for_are_not_counted)
{
	struct ibuf_mbuf *m = message_with(10, 10, 100), *copy, *tail;
	uint64_t copied = heap_copied_bytes();
	struct ibuf_cursor c;
	uint8_t out[10];

	assert_int_equal(ibuf_mbuf_append(m, "0123456789", 10), 0);
	assert_int_equal(ibuf_mbuf_prepend(m, "0123456789", 10), 0);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 10), 0);
	assert_int_equal(ibuf_mbuf_printf(m, "%d", 10), 0);
	assert_int_equal(ibuf_mbuf_write_at(m, 3, "0123", 4), 0);
	copy = ibuf_mbuf_copy(m, 2, 20);
	tail = ibuf_mbuf_from("tail", 4);
	assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	assert_int_equal(ibuf_mbuf_copy_out(m, 1, out, 10), 0);
	assert_int_equal(ibuf_mbuf_read(m, out, 10), 10);
	ibuf_cursor_init(&c, m);
	assert_true(ibuf_cursor_read(&c, out, 10));
	assert_non_null(ibuf_cursor_view(&c, 10, out));
	tail = ibuf_mbuf_split(m, 5);
	assert_int_equal(ibuf_mbuf_trim_tail(tail, 5), 0);
	assert_int_equal(heap_copied_bytes(), copied);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(tail);
	ibuf_mbuf_free(copy);
}

#define COPIES(n, call)                                                        \
	do {                                                                   \
		uint64_t copied_ = heap_copied_bytes();                        \
		assert_true(call);                                             \
		assert_int_equal(heap_copied_bytes() - copied_, n);            \
	} while (0)

TEST(what_the_library_moves_for_its_own_reasons_is_counted)
{
	struct ibuf_mbuf *m = message_with(0, 10, 0);
	struct ibuf_mbuf *clone;
	struct ibuf_cursor c;
	uint8_t scratch[4];

	COPIES(10, ibuf_mbuf_append(m, "x", 1) == 0);  /* grows, to 15 */
	COPIES(11, ibuf_mbuf_prepend(m, "x", 1) == 0); /* grows, to 22 */
	COPIES(0, ibuf_mbuf_prepend(m, "x", 1) == 0);
	clone = ibuf_mbuf_clone(m);
	COPIES(13, ibuf_mbuf_data_mut(clone) != NULL); /* private copy */
	COPIES(0, ibuf_mbuf_data_mut(m) != NULL);
	ibuf_mbuf_free(clone);
	clone = ibuf_mbuf_clone(m);
	COPIES(13, ibuf_mbuf_append(clone, "xyz", 3) == 0);
	COPIES(16, ibuf_mbuf_shrink(clone) == 0);
	assert_int_equal(ibuf_mbuf_trim_head(clone, 8), 0);
	COPIES(8, ibuf_mbuf_reserve(clone, 8) != NULL); /* slides */
	add_segment(clone, "tail", 4);
	ibuf_cursor_init(&c, clone);
	assert_true(ibuf_cursor_skip(&c, 6));
	COPIES(4, ibuf_cursor_view(&c, 4, scratch) != NULL);
	COPIES(2, ibuf_mbuf_pullup(clone, 10) != NULL);
	COPIES(2, ibuf_mbuf_linearize(clone) == 0);
	COPIES(0, ibuf_mbuf_linearize(clone) == 0);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
}

TEST(bytes_moved_for_a_pool_are_counted_there)
{
	struct ibuf_pool *p = ibuf_pool_new(1, 64);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	uint64_t copied = heap_copied_bytes();
	struct ibuf_pool_stats stats;

	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 64), 0);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 1), 0);
	assert_int_equal(ibuf_pool_get_stats(p, &stats, sizeof(stats)), 0);
	assert_int_equal(stats.copied_bytes, 64);
	assert_int_equal(heap_copied_bytes(), copied);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
