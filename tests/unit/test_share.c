/* test_share.c - clones and slices share bytes, and keep them alive. */
#include "dry.h"
#include "messages.h"
#include "states.h"

/* ---- clone --------------------------------------------------------- */

TEST(a_clone_shows_the_same_bytes_without_copying)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20);
	size_t calls = fault_calls();
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

	assert_int_equal(fault_calls(), calls);
	assert_ptr_equal(ibuf_mbuf_data(clone), ibuf_mbuf_data(m));
	assert_message(clone, ibuf_mbuf_data(m), 10);
	assert_false(ibuf_mbuf_is_unique(m));
	assert_false(ibuf_mbuf_is_unique(clone));
	ibuf_mbuf_free(m);
	assert_true(ibuf_mbuf_is_unique(clone));
	ibuf_mbuf_free(clone);
}

TEST(a_clone_of_many_segments_outlives_the_original)
{
	struct ibuf_mbuf *m = message_of("abc", 3), *clone;

	add_segment(m, "de", 2);
	add_segment(m, "fghi", 4);
	clone = ibuf_mbuf_clone(m);
	assert_int_equal(ibuf_mbuf_segments(clone), 3);
	assert_ptr_equal(ibuf_mbuf_at(clone, 4, NULL),
			 ibuf_mbuf_at(m, 4, NULL));
	ibuf_mbuf_free(m);
	assert_message(clone, "abcdefghi", 9);
	assert_true(ibuf_mbuf_is_unique(clone));
	assert_int_equal(ibuf_mbuf_append(clone, "j", 1), 0);
	assert_message(clone, "abcdefghij", 10);
	ibuf_mbuf_free(clone);
}

TEST(clones_are_made_in_bulk_or_not_at_all)
{
	struct ibuf_mbuf *m = message_of("abc", 3);
	struct ibuf_mbuf *clones[10] = {NULL};

	add_segment(m, "de", 2);
	assert_int_equal(ibuf_mbuf_clone_bulk(m, NULL, 0), 0);
	assert_true(ibuf_mbuf_is_unique(m));
	assert_int_equal(ibuf_mbuf_clone_bulk(m, clones, 10), 0);
	for (size_t i = 0; i < 10; i++) {
		assert_message(clones[i], "abcde", 5);
		assert_int_equal(ibuf_mbuf_segments(clones[i]), 2);
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(clones[i], clones[j]);
	}
	ibuf_mbuf_free_bulk(clones, 10);
	assert_true(ibuf_mbuf_is_unique(m));
	for (size_t i = 0; i < 10; i++)
		clones[i] = m;
	heap_dry();
	for (size_t n = 1; n <= 2; n++) {
		fault_from(n);
		assert_int_equal(ibuf_mbuf_clone_bulk(m, clones, 10), -ENOMEM);
		assert_true(fault_off());
		assert_true(ibuf_mbuf_is_unique(m));
		for (size_t i = 0; i < 10; i++)
			assert_ptr_equal(clones[i], m);
	}
	heap_wet();
	ibuf_mbuf_free(m);
}

/* The count is set by hand: as many segments would take 16 GiB. */
TEST(a_clone_past_the_most_segments_is_refused_and_undone)
{
	const uint32_t most = UINT32_C(1) << 28;
	struct ibuf_mbuf *m = message_of("first", 5), *clones[3] = {m, m, m};
	struct ibuf_mbuf *last;
	uint32_t *count;

	add_segment(m, "second", 6);
	count = &m->next_->room_->count_;
	*count = most - 1;
	assert_int_equal(ibuf_mbuf_clone_bulk(m, clones, 2), -EOVERFLOW);
	assert_int_equal(ibuf_mbuf_clone_bulk(m, clones, SIZE_MAX), -EOVERFLOW);
	assert_ptr_equal(clones[0], m);
	assert_int_equal(*count, most - 1);
	assert_int_equal(m->room_->count_, 1);
	last = ibuf_mbuf_clone(m);
	assert_message(last, "firstsecond", 11);
	assert_int_equal(*count, most);
	assert_null(ibuf_mbuf_clone(m));
	assert_null(ibuf_mbuf_slice(m, 0, 6));
	assert_null(ibuf_mbuf_slice(m, 7, 1));
	assert_null(ibuf_mbuf_split(m, 7));
	assert_int_equal(ibuf_mbuf_clone_bulk(m, clones, 1), -EOVERFLOW);
	assert_int_equal(*count, most);
	assert_int_equal(m->room_->count_, 2);
	/* No limit on the first segment's room. */
	clones[0] = ibuf_mbuf_slice(m, 0, 5);
	assert_message(clones[0], "first", 5);
	*count = 2;
	ibuf_mbuf_free(clones[0]);
	ibuf_mbuf_free(last);
	assert_message(m, "firstsecond", 11);
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
}

/* ---- slice --------------------------------------------------------- */

TEST(a_slice_outlives_its_parent)
{
	struct ibuf_mbuf *m = message_of("hello", 5);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 2, 3);

	assert_ptr_equal(ibuf_mbuf_data(slice), ibuf_mbuf_data(m) + 2);
	ibuf_mbuf_free(m);
	assert_message(slice, "llo", 3);
	ibuf_mbuf_free(slice);
}

TEST(every_slice_of_many_segments_is_right)
{
	struct ibuf_mbuf *m = message_of("abc", 3);

	add_segment(m, "de", 2);
	add_segment(m, "fghi", 4);
	for (size_t off = 0; off <= 9; off++) {
		for (size_t n = 0; n <= 9 - off; n++) {
			struct ibuf_mbuf *s = ibuf_mbuf_slice(m, off, n);
			struct ibuf_mbuf *inner = ibuf_mbuf_slice(s, n / 2, 0);

			assert_message(s, &"abcdefghi"[off], n);
			assert_message(inner, "", 0);
			assert_false(ibuf_mbuf_is_unique(s));
			assert_int_equal(ibuf_mbuf_headroom(s), 0);
			assert_int_equal(ibuf_mbuf_tailroom(s), 0);
			ibuf_mbuf_free(inner);
			inner = ibuf_mbuf_slice(s, n / 3, n - n / 3);
			assert_message(inner, &"abcdefghi"[off + n / 3],
				       n - n / 3);
			ibuf_mbuf_free(s);
			assert_message(inner, &"abcdefghi"[off + n / 3],
				       n - n / 3);
			ibuf_mbuf_free(inner);
		}
	}
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
}

TEST(a_slice_of_nothing_still_shares)
{
	struct ibuf_mbuf *m = message_of("hello", 5);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 5, 0);

	assert_message(slice, "", 0);
	assert_false(ibuf_mbuf_is_unique(m));
	assert_false(ibuf_mbuf_is_unique(slice));
	ibuf_mbuf_free(slice);
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
}

TEST(appending_to_a_slice_spares_the_bytes_behind_it)
{
	struct ibuf_mbuf *m = message_of("hello", 5);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 1, 2);

	assert_int_equal(ibuf_mbuf_append(slice, "XX", 2), 0);
	assert_int_equal(ibuf_mbuf_prepend(slice, "YY", 2), 0);
	assert_message(slice, "YYelXX", 6);
	assert_message(m, "hello", 5);
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(slice);
}

/* ---- lifetime ------------------------------------------------------ */

static void
count_release(void *bytes, size_t len, void *arg)
{
	(void)bytes;
	(void)len;
	++*(int *)arg;
}

TEST(three_segments_freed_in_any_order_free_the_room_once)
{
	static const size_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (size_t i = 0; i < 6; i++) {
		char text[] = "hello";
		int released = 0;
		struct ibuf_mbuf *ms[3];

		ms[0] = ibuf_mbuf_wrap(text, 5, count_release, &released);
		ms[1] = ibuf_mbuf_slice(ms[0], 1, 3);
		ms[2] = ibuf_mbuf_clone(ms[1]);
		for (size_t j = 0; j < 3; j++) {
			assert_int_equal(released, 0);
			ibuf_mbuf_free(ms[orders[i][j]]);
		}
		assert_int_equal(released, 1);
	}
}

TEST(what_is_left_of_a_slice_whose_kin_died_has_the_whole_room)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 2, 3);
	size_t calls;

	ibuf_mbuf_free(m);
	calls = fault_calls();
	assert_sizes(slice, 10, 3, 25, 30);
	assert_non_null(ibuf_mbuf_reserve(slice, 25));
	assert_int_equal(ibuf_mbuf_append_fill(slice, 'x', 25), 0);
	assert_int_equal(ibuf_mbuf_prepend(slice, "0123456789", 10), 0);
	assert_sizes(slice, 0, 38, 0, 30);
	assert_int_equal(fault_calls(), calls);
	ibuf_mbuf_free(slice);
}
