/* test_split.c - a message is cut in two. */
#include "failures.h"
#include "messages.h"

static const uint8_t ten[] = "0123456789";

/* How many segments the first n bytes touch; at least one. */
static size_t
segments_of(unsigned cuts, size_t from, size_t to)
{
	size_t n = 1;

	for (size_t i = from + 1; i < to; i++)
		n += cuts >> (i - 1) & 1;
	return n;
}

TEST(split_at_every_byte_gives_the_bytes_and_exact_counts)
{
	static const unsigned cuts[] = {0, 1, 1u << 8, 0x28, 0x1ff, 0x155};

	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		for (size_t at = 0; at <= 10; at++) {
			struct ibuf_mbuf *m = message_cut(ten, 10, cuts[i]);
			uint64_t copied = heap_copied_bytes();
			struct ibuf_mbuf *rest = ibuf_mbuf_split(m, at);

			assert_message(m, ten, at);
			assert_message(rest, ten + at, 10 - at);
			assert_int_equal(ibuf_mbuf_segments(m),
					 segments_of(cuts[i], 0, at));
			assert_int_equal(ibuf_mbuf_segments(rest),
					 segments_of(cuts[i], at, 10));
			assert_int_equal(heap_copied_bytes(), copied);
			assert_int_equal(ibuf_mbuf_concat(m, rest), 0);
			assert_message(m, ten, 10);
			assert_int_equal(ibuf_mbuf_segments(m),
					 segments_of(cuts[i], 0, 10));
			ibuf_mbuf_free(m);
		}
	}
}

TEST(split_keeps_the_address_of_the_front_and_of_every_byte)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 1u << 3);
	const uint8_t *at[10];
	struct ibuf_mbuf *rest;

	for (size_t i = 0; i < 10; i++)
		at[i] = ibuf_mbuf_at(m, i, NULL);
	rest = ibuf_mbuf_split(m, 6);
	for (size_t i = 0; i < 6; i++)
		assert_ptr_equal(ibuf_mbuf_at(m, i, NULL), at[i]);
	for (size_t i = 6; i < 10; i++)
		assert_ptr_equal(ibuf_mbuf_at(rest, i - 6, NULL), at[i]);
	ibuf_mbuf_free(m);
	assert_message(rest, ten + 6, 4);
	ibuf_mbuf_free(rest);
}

TEST(split_past_the_end_is_refused_and_changes_nothing)
{
	static const size_t beyond[] = {11, SIZE_MAX / 2, SIZE_MAX};
	struct ibuf_mbuf *m = message_cut(ten, 10, 1u << 3);
	struct pieces was;

	pieces_take(&was, m);
	for (size_t i = 0; i < sizeof(beyond) / sizeof(*beyond); i++) {
		assert_null(ibuf_mbuf_split(m, beyond[i]));
		assert_message(m, ten, 10);
		assert_pieces(m, &was);
	}
	ibuf_mbuf_free(m);
	m = ibuf_mbuf_new(5);
	assert_null(ibuf_mbuf_split(m, 1));
	ibuf_mbuf_free(m);
}

TEST(split_between_segments_needs_no_memory)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 1u << 3 | 1u << 6);
	struct ibuf_mbuf *rest;

	fault_from(1);
	rest = ibuf_mbuf_split(m, 4);
	assert_false(fault_off());
	assert_message(m, ten, 4);
	assert_message(rest, ten + 4, 6);
	assert_int_equal(ibuf_mbuf_segments(rest), 2);
	ibuf_mbuf_free(rest);
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
}

/* ---- rights -------------------------------------------------------- */

TEST(the_rest_has_the_tailroom_and_the_front_the_headroom)
{
	struct ibuf_mbuf *m = message_with(16, 10, 90);
	struct ibuf_mbuf *rest = ibuf_mbuf_split(m, 4);

	assert_sizes(m, 16, 4, 0, 4);
	assert_sizes(rest, 0, 6, 90, 100);
	assert_false(ibuf_mbuf_is_unique(m));
	assert_false(ibuf_mbuf_is_unique(rest));

	/* Alone again, each has all of the room. */
	ibuf_mbuf_free(rest);
	assert_sizes(m, 16, 4, 96, 100);
	rest = ibuf_mbuf_split(m, 1);
	ibuf_mbuf_free(m);
	assert_sizes(rest, 17, 3, 96, 100);
	ibuf_mbuf_free(rest);
}

TEST(both_halves_grow_without_touching_each_other)
{
	struct ibuf_mbuf *m = message_with(16, 10, 90);
	struct ibuf_mbuf *rest = ibuf_mbuf_split(m, 4);
	const uint8_t *end = ibuf_mbuf_at(rest, 6, NULL);
	size_t calls = fault_calls();

	/* The outer ends are stores into the room there is. */
	assert_int_equal(ibuf_mbuf_append(rest, "tail", 4), 0);
	assert_int_equal(ibuf_mbuf_prepend(m, "head", 4), 0);
	assert_int_equal(fault_calls(), calls);
	assert_memory_equal(end, "tail", 4);
	/* The inner ends are not free: they move away. */
	assert_int_equal(ibuf_mbuf_append(m, "+", 1), 0);
	assert_message(m, "head\0\1\2\3+", 9);
	assert_message(rest, "\4\5\6\7\10\11tail", 10);
	assert_int_equal(ibuf_mbuf_prepend(rest, "-", 1), 0);
	assert_message(rest, "-\4\5\6\7\10\11tail", 11);
	assert_message(m, "head\0\1\2\3+", 9);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(rest);
}

TEST(a_shared_message_without_the_tailroom_has_none_to_hand_on)
{
	struct ibuf_mbuf *m = message_with(8, 6, 8);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct ibuf_mbuf *rest = ibuf_mbuf_split(clone, 2);

	assert_sizes(clone, 0, 2, 0, 2);
	assert_sizes(rest, 0, 4, 0, 14);
	assert_sizes(m, 8, 6, 8, 14);
	assert_int_equal(ibuf_mbuf_append(rest, "!", 1), 0);
	assert_message(rest, "\2\3\4\5!", 5);
	assert_message(m, "\0\1\2\3\4\5", 6);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(rest);
}

TEST(the_halves_of_an_empty_message_are_empty)
{
	struct ibuf_mbuf *m = message_with(3, 0, 9);
	struct ibuf_mbuf *rest = ibuf_mbuf_split(m, 0);

	assert_message(m, "", 0);
	assert_message(rest, "", 0);
	assert_int_equal(ibuf_mbuf_tailroom(rest), 9);
	assert_int_equal(ibuf_mbuf_tailroom(m), 0);
	assert_int_equal(ibuf_mbuf_headroom(m), 3);
	assert_int_equal(ibuf_mbuf_append(rest, "r", 1), 0);
	assert_int_equal(ibuf_mbuf_append(m, "m", 1), 0);
	assert_message(m, "m", 1);
	assert_message(rest, "r", 1);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(rest);
}

/* ---- failures ------------------------------------------------------ */

static void
make_one(struct failure *w)
{
	w->m = message_with(4, 8, 4);
}

static void
make_shared(struct failure *w)
{
	w->m = message_with(4, 8, 4);
	w->peer = ibuf_mbuf_clone(w->m);
}

static void
make_pooled(struct failure *w)
{
	static const uint8_t bytes[] = "\0\1\2\3\4\5\6\7";

	w->pool = ibuf_pool_new(1, 64);
	w->m = ibuf_pool_alloc(w->pool);
	assert_int_equal(ibuf_mbuf_append(w->m, bytes, 8), 0);
}

static int
split_at_3(struct failure *w)
{
	w->result = ibuf_mbuf_split(w->m, 3);
	if (w->result == NULL)
		return -ENOMEM;
	assert_message(w->result, "\3\4\5\6\7", 5);
	return 0;
}

TEST(a_split_that_finds_no_memory_changes_nothing)
{
	assert_survives(make_one, split_at_3, "\0\1\2", 3);
	assert_survives(make_shared, split_at_3, "\0\1\2", 3);
	assert_survives(make_pooled, split_at_3, "\0\1\2", 3);
}

TEST(a_split_that_fails_gives_no_right_back)
{
	struct ibuf_mbuf *m = message_with(4, 8, 4);
	struct ibuf_mbuf *rest = ibuf_mbuf_split(m, 6), *clone;

	/* Sole again, m would have both rights at its next edit. */
	ibuf_mbuf_free(rest);
	heap_dry();
	fault_at(1);
	assert_null(ibuf_mbuf_split(m, 3));
	assert_true(fault_off());
	heap_wet();
	clone = ibuf_mbuf_clone(m);
	assert_int_equal(ibuf_mbuf_tailroom(m), 0);
	assert_int_equal(ibuf_mbuf_headroom(m), 4);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(m);
}

TEST(a_split_past_the_most_segments_is_refused_and_changes_nothing)
{
	struct ibuf_mbuf *m = message_with(4, 8, 4);
	struct state was;
	uint32_t count = m->room_->count_;

	m->room_->count_ = count + (UINT32_C(1) << 28) - 1;
	state_take(&was, m);
	assert_null(ibuf_mbuf_split(m, 3));
	assert_state(m, &was);
	assert_int_equal(segments_at(m), UINT32_C(1) << 28);
	m->room_->count_ = count;
	assert_sizes(m, 4, 8, 4, 12);
	ibuf_mbuf_free(m);
}

TEST(a_message_can_be_cut_byte_by_byte)
{
	struct ibuf_pool *p = ibuf_pool_new(1, 64);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *bytes[10];

	assert_int_equal(ibuf_mbuf_append(m, ten, 10), 0);
	for (size_t i = 0; i < 10; i++) {
		struct ibuf_mbuf *rest = ibuf_mbuf_split(m, 1);

		bytes[i] = m;
		m = rest;
	}
	assert_message(m, "", 0);
	assert_int_equal(ibuf_pool_allocated(p), 1);
	/* Out of order: each lives on its own. */
	for (size_t i = 0; i < 10; i++) {
		assert_message(bytes[i * 3 % 10], ten + i * 3 % 10, 1);
		ibuf_mbuf_free(bytes[i * 3 % 10]);
		assert_int_equal(ibuf_pool_allocated(p), 1);
	}
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
