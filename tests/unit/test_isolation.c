/*
 * test_isolation.c - no edit of a message shows in another one that shares its
 * bytes.
 */
#include "messages.h"
#include "states.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void
do_append(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_append(m, "XYZ", 3), 0);
}

static void
do_prepend(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_prepend(m, "XYZ", 3), 0);
}

static void
do_fill(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_append_fill(m, 'X', 30), 0);
}

static void
do_extend(struct ibuf_mbuf *m)
{
	memset(ibuf_mbuf_extend_head(m, 5), 'X', 5);
	memset(ibuf_mbuf_extend_tail(m, 5), 'X', 5);
}

static void
do_reserve(struct ibuf_mbuf *m)
{
	memset(ibuf_mbuf_reserve(m, 5), 'X', 5);
}

static void
do_print(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_printf(m, "%d", 12345), 0);
}

static void
do_numbers(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_append_be64(m, UINT64_MAX), 0);
	assert_int_equal(ibuf_mbuf_prepend_le32(m, UINT32_MAX), 0);
}

static void
do_trim_and_refill(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_trim_tail(m, 2), 0);
	assert_int_equal(ibuf_mbuf_trim_head(m, 2), 0);
	assert_int_equal(ibuf_mbuf_append(m, "XY", 2), 0);
	assert_int_equal(ibuf_mbuf_prepend(m, "XY", 2), 0);
}

static void
do_read_and_refill(struct ibuf_mbuf *m)
{
	char out[3];

	assert_int_equal(ibuf_mbuf_read(m, out, 3), 3);
	assert_int_equal(ibuf_mbuf_prepend(m, "XYZ", 3), 0);
}

static void
do_clear_and_refill(struct ibuf_mbuf *m)
{
	ibuf_mbuf_clear(m);
	assert_int_equal(ibuf_mbuf_prepend(m, "XY", 2), 0);
	assert_int_equal(ibuf_mbuf_append(m, "XY", 2), 0);
}

static void
do_write_at(struct ibuf_mbuf *m)
{
	assert_int_equal(
		ibuf_mbuf_write_at(m, 1, "XXXXXX", ibuf_mbuf_len(m) - 2), 0);
}

static void
do_flip_in_place(struct ibuf_mbuf *m)
{
	size_t len = ibuf_mbuf_len(m), run;

	for (size_t off = 0; off < len; off += run) {
		uint8_t *bytes = ibuf_mbuf_at_mut(m, off, &run);

		for (size_t i = 0; i < run; i++)
			bytes[i] ^= 0xff;
	}
}

static void
do_unshare(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_unshare(m), 0);
	assert_true(ibuf_mbuf_is_unique(m));
	do_flip_in_place(m);
}

static void
do_shrink(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_shrink(m), 0);
}

static void
do_linearize(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_linearize(m), 0);
	assert_non_null(ibuf_mbuf_pullup(m, ibuf_mbuf_len(m)));
	memset(ibuf_mbuf_data_mut(m), 'X', ibuf_mbuf_len(m));
}

static void
do_concat(struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_concat(m, message_of("XYZ", 3)), 0);
	do_append(m);
}

static void
do_split(struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *rest = ibuf_mbuf_split(m, 3);

	do_append(rest);
	do_append(m);
	do_prepend(rest);
	do_prepend(m);
	ibuf_mbuf_free(rest);
}

static void (*const edits[])(struct ibuf_mbuf *) = {
	do_append,           do_prepend,         do_fill,
	do_extend,           do_reserve,         do_print,
	do_numbers,          do_trim_and_refill, do_read_and_refill,
	do_clear_and_refill, do_write_at,        do_flip_in_place,
	do_unshare,          do_shrink,          do_linearize,
	do_concat,           do_split,
};

static struct ibuf_mbuf *
one_segment(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(8, 40);

	assert_int_equal(ibuf_mbuf_append(m, "abcdefgh", 8), 0);
	return m;
}

static struct ibuf_mbuf *
three_segments(void)
{
	struct ibuf_mbuf *m = message_of("abc", 3);

	add_segment(m, "de", 2);
	add_segment(m, "fgh", 3);
	return m;
}

static struct ibuf_mbuf *(*const worlds[])(void) = {one_segment,
						    three_segments};

/* All segments see "abcdefgh" or a part; edit one, then all of them. */
TEST(an_edit_shows_in_no_other_segment)
{
	for (size_t w = 0; w < 2; w++) {
		for (size_t e = 0; e < COUNT(edits) * 4; e++) {
			struct ibuf_mbuf *ms[4];

			ms[0] = worlds[w]();
			ms[1] = ibuf_mbuf_clone(ms[0]);
			ms[2] = ibuf_mbuf_slice(ms[1], 1, 6);
			ms[3] = ibuf_mbuf_clone(ms[0]);
			edits[e / 4](ms[e % 4]);
			for (size_t i = 0; i < 4; i++) {
				assert_int_equal(ibuf_mbuf_validate(ms[i]), 0);
				if (i == e % 4)
					continue;
				assert_message(ms[i], &"abcdefgh"[i == 2],
					       i == 2 ? 6 : 8);
			}
			ibuf_mbuf_free_bulk(ms, 4);
		}
	}
}

TEST(two_edits_of_two_segments_do_not_meet)
{
	for (size_t w = 0; w < 2; w++) {
		for (size_t e = 0; e < COUNT(edits) * COUNT(edits); e++) {
			struct ibuf_mbuf *ms[3];
			struct state after;

			ms[0] = worlds[w]();
			ms[1] = ibuf_mbuf_clone(ms[0]);
			ms[2] = ibuf_mbuf_clone(ms[1]);
			edits[e / COUNT(edits)](ms[w]);
			state_take(&after, ms[w]);
			edits[e % COUNT(edits)](ms[1 - w]);
			assert_true(has_bytes(ms[w], after.bytes, after.len));
			assert_int_equal(ibuf_mbuf_validate(ms[w]), 0);
			assert_int_equal(ibuf_mbuf_validate(ms[1 - w]), 0);
			assert_message(ms[2], "abcdefgh", 8);
			ibuf_mbuf_free_bulk(ms, 3);
		}
	}
}
