/* test_bytes.c - the bytes of a message, whatever the segments. */
#include "messages.h"

static const uint8_t ten[] = "0123456789";

/* Every way to cut three bytes and more; fewer ways where that is enough. */
#define EVERY_CUT 0x1ff

/* ---- copy_out ------------------------------------------------------ */

TEST(copy_out_gives_every_range_and_writes_nothing_else)
{
	for (unsigned cuts = 0; cuts <= EVERY_CUT; cuts += 7) {
		struct ibuf_mbuf *m = message_cut(ten, 10, cuts);

		for (size_t off = 0; off <= 10; off++) {
			for (size_t n = 0; n <= 10 - off; n++) {
				char dst[12];

				memset(dst, '#', sizeof(dst));
				assert_int_equal(
					ibuf_mbuf_copy_out(m, off, dst + 1, n),
					0);
				assert_memory_equal(dst + 1, ten + off, n);
				assert_int_equal(dst[0], '#');
				assert_int_equal(dst[n + 1], '#');
			}
		}
		ibuf_mbuf_free(m);
	}
}

static const size_t outside[][2] = {
	{0, 11},       {10, 1},       {11, 0},
	{1, SIZE_MAX}, {SIZE_MAX, 1}, {SIZE_MAX, SIZE_MAX},
	{5, 6},        {SIZE_MAX, 0}, {SIZE_MAX - 5, 10},
};

TEST(copy_out_outside_is_refused_and_writes_nothing)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);

	for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++) {
		char dst[16] = "untouched";

		assert_int_equal(ibuf_mbuf_copy_out(m, outside[i][0], dst,
						    outside[i][1]),
				 -ERANGE);
		assert_string_equal(dst, "untouched");
	}
	assert_int_equal(ibuf_mbuf_copy_out(m, 10, NULL, 0), 0);
	assert_int_equal(ibuf_mbuf_copy_out(m, 0, NULL, 0), 0);
	ibuf_mbuf_free(m);
	m = ibuf_mbuf_new(8);
	assert_int_equal(ibuf_mbuf_copy_out(m, 0, NULL, 0), 0);
	assert_int_equal(ibuf_mbuf_copy_out(m, 0, NULL, 1), -ERANGE);
	ibuf_mbuf_free(m);
}

TEST(copy_out_reads_shared_messages_too)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 2, 6);
	char dst[6];

	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_mbuf_copy_out(slice, 1, dst, 5), 0);
	assert_memory_equal(dst, ten + 3, 5);
	ibuf_mbuf_free(slice);
}

/* ---- compare ------------------------------------------------------- */

static int
sign(int x)
{
	return (x > 0) - (x < 0);
}

/* Compare both ways round, for every way to cut both. */
static void
assert_order(const char *a, const char *b, int order)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	for (unsigned a_cuts = 0; a_cuts < 8; a_cuts++) {
		for (unsigned b_cuts = 0; b_cuts < 8; b_cuts++) {
			struct ibuf_mbuf *x =
				a_len == 0 ? ibuf_mbuf_new(3)
					   : message_cut((const uint8_t *)a,
							 a_len, a_cuts);
			struct ibuf_mbuf *y =
				b_len == 0 ? ibuf_mbuf_new(3)
					   : message_cut((const uint8_t *)b,
							 b_len, b_cuts);

			assert_int_equal(sign(ibuf_mbuf_compare(x, y)), order);
			assert_int_equal(sign(ibuf_mbuf_compare(y, x)), -order);
			assert_int_equal(ibuf_mbuf_compare(x, x), 0);
			ibuf_mbuf_free(x);
			ibuf_mbuf_free(y);
		}
	}
}

TEST(compare_orders_as_memcmp_does_and_a_prefix_sorts_first)
{
	assert_order("", "", 0);
	assert_order("", "a", -1);
	assert_order("abcd", "abcd", 0);
	assert_order("abc", "abcd", -1);
	assert_order("abce", "abcd", 1);
	assert_order("b", "abcd", 1);
	assert_order("abcd", "abce", -1);
	assert_order("aacd", "abcd", -1);
	/* Bytes are unsigned. */
	assert_order("\x80", "\x7f", 1);
	assert_order("a\xff", "a\x01zz", 1);
	/* The first difference decides, not the length. */
	assert_order("az", "abcd", 1);
}

TEST(messages_of_one_room_compare_equal)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 0, 9);

	assert_int_equal(ibuf_mbuf_compare(m, clone), 0);
	assert_true(ibuf_mbuf_compare(m, slice) > 0);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(slice);
}

/* ---- find ---------------------------------------------------------- */

/* The definition. */
static size_t
find_in(const char *bytes, size_t len, size_t off, const char *needle, size_t n)
{
	for (; off <= len && n <= len - off; off++)
		if (memcmp(bytes + off, needle, n) == 0)
			return off;
	return SIZE_MAX;
}

static void
assert_found(const char *bytes, const char *needle)
{
	size_t len = strlen(bytes), n = strlen(needle);

	for (unsigned cuts = 0; cuts < 1u << (len - 1); cuts++) {
		struct ibuf_mbuf *m =
			message_cut((const uint8_t *)bytes, len, cuts);

		for (size_t off = 0; off <= len + 2; off++)
			assert_int_equal(ibuf_mbuf_find(m, off, needle, n),
					 find_in(bytes, len, off, needle, n));
		assert_int_equal(ibuf_mbuf_find(m, SIZE_MAX, needle, n),
				 SIZE_MAX);
		ibuf_mbuf_free(m);
	}
}

TEST(find_gives_the_first_place_however_the_message_is_cut)
{
	assert_found("aaaab", "aaab");
	assert_found("aaaab", "b");
	assert_found("aaaab", "ab");
	assert_found("aaaab", "aaaab");
	assert_found("aaaab", "aaaabc");
	assert_found("aaaab", "x");
	assert_found("aaaab", "");
	assert_found("abcabcabd", "abcabd");
	assert_found("abcabcabd", "cab");
	assert_found("mississip", "issip");
	assert_found("mississip", "ssx");
	assert_found("x", "x");
	/* It begins where too few bytes are left for it to be there. */
	assert_found("zzzzaxa", "ab");
	assert_found("zzaxaya", "axb");
}

TEST(find_takes_any_byte)
{
	static const char bytes[] = {0, 1, 0, 0, (char)0xff, 0, 2};
	struct ibuf_mbuf *m =
		message_cut((const uint8_t *)bytes, sizeof(bytes), 0x14);

	assert_int_equal(ibuf_mbuf_find(m, 0, "\0\0", 2), 2);
	assert_int_equal(ibuf_mbuf_find(m, 0, "\0\0\xff", 3), 2);
	assert_int_equal(ibuf_mbuf_find(m, 3, "\0", 1), 3);
	assert_int_equal(ibuf_mbuf_find(m, 4, "\0", 1), 5);
	assert_int_equal(ibuf_mbuf_find(m, 0, "\xff\0\2\0", 4), SIZE_MAX);
	ibuf_mbuf_free(m);
}

TEST(nothing_is_found_at_once_where_the_search_may_start)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
	struct ibuf_mbuf *empty = ibuf_mbuf_new(3);

	assert_int_equal(ibuf_mbuf_find(m, 4, NULL, 0), 4);
	assert_int_equal(ibuf_mbuf_find(m, 10, NULL, 0), 10);
	assert_int_equal(ibuf_mbuf_find(m, 11, NULL, 0), SIZE_MAX);
	assert_int_equal(ibuf_mbuf_find(empty, 0, NULL, 0), 0);
	assert_int_equal(ibuf_mbuf_find(empty, 0, "x", 1), SIZE_MAX);
	assert_int_equal(ibuf_mbuf_find(m, 0, ten, SIZE_MAX), SIZE_MAX);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(empty);
}

/* ---- iov ----------------------------------------------------------- */

TEST(iov_describes_the_bytes_from_every_offset)
{
	for (unsigned cuts = 0; cuts <= EVERY_CUT; cuts += 3) {
		struct ibuf_mbuf *m = message_cut(ten, 10, cuts);

		for (size_t off = 0; off < 10; off++) {
			struct iovec iov[10];
			size_t n = ibuf_mbuf_iov(m, off, iov, 10);
			size_t at = off;

			assert_in_range(n, 1, ibuf_mbuf_segments(m));
			for (size_t i = 0; i < n; i++) {
				assert_true(iov[i].iov_len != 0);
				assert_ptr_equal(iov[i].iov_base,
						 ibuf_mbuf_at(m, at, NULL));
				at += iov[i].iov_len;
			}
			assert_int_equal(at, 10);
		}
		ibuf_mbuf_free(m);
	}
}

TEST(an_array_that_is_too_short_is_filled_and_not_overrun)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, EVERY_CUT);
	struct iovec iov[11];

	for (size_t max = 0; max <= 10; max++) {
		memset(iov, 0xee, sizeof(iov));
		assert_int_equal(ibuf_mbuf_iov(m, 0, iov, max), 10);
		for (size_t i = 0; i < max; i++)
			assert_int_equal(iov[i].iov_len, 1);
		for (size_t i = max; i < 11; i++)
			assert_int_equal((uint8_t)iov[i].iov_len, 0xee);
	}
	assert_int_equal(ibuf_mbuf_iov(m, 0, NULL, 0), 10);
	assert_int_equal(ibuf_mbuf_iov(m, 7, NULL, 0), 3);
	ibuf_mbuf_free(m);
}

TEST(iov_of_nothing_needs_no_entry)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
	struct ibuf_mbuf *empty = ibuf_mbuf_new(3);
	struct iovec iov;

	assert_int_equal(ibuf_mbuf_iov(m, 10, &iov, 1), 0);
	assert_int_equal(ibuf_mbuf_iov(m, 11, &iov, 1), 0);
	assert_int_equal(ibuf_mbuf_iov(m, SIZE_MAX, &iov, 1), 0);
	assert_int_equal(ibuf_mbuf_iov(empty, 0, &iov, 1), 0);
	assert_int_equal(ibuf_mbuf_iov(empty, 0, NULL, 0), 0);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(empty);
}

/* ---- segments one by one ------------------------------------------- */

TEST(the_segments_one_by_one_are_the_message)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
	static const size_t lens[] = {4, 3, 3};
	const struct ibuf_mbuf *s = m;
	size_t at = 0;

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(ibuf_mbuf_seg_len(s), lens[i]);
		assert_ptr_equal(ibuf_mbuf_seg_data(s),
				 ibuf_mbuf_at(m, at, NULL));
		at += lens[i];
		s = ibuf_mbuf_seg_next(s);
	}
	assert_null(s);
	ibuf_mbuf_free(m);
}

TEST(an_empty_message_has_one_segment_with_data_that_is_not_null)
{
	struct ibuf_mbuf *ms[] = {ibuf_mbuf_new(0), ibuf_mbuf_new(9),
				  ibuf_mbuf_from(NULL, 0),
				  ibuf_mbuf_wrap(NULL, 0, NULL, NULL)};

	for (size_t i = 0; i < 4; i++) {
		assert_null(ibuf_mbuf_seg_next(ms[i]));
		assert_int_equal(ibuf_mbuf_seg_len(ms[i]), 0);
		assert_non_null(ibuf_mbuf_seg_data(ms[i]));
		assert_non_null(ibuf_mbuf_data(ms[i]));
		assert_int_equal(ibuf_mbuf_segments(ms[i]), 1);
		assert_message(ms[i], "", 0);
	}
	ibuf_mbuf_free_bulk(ms, 4);
}

TEST(trim_leaves_no_empty_segment_behind)
{
	static const size_t heads[] = {0, 3, 4, 5, 7, 9, 10};

	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		size_t n = heads[i];
		struct ibuf_mbuf *m = message_cut(ten, 10, 0x48), *was = m;

		assert_int_equal(ibuf_mbuf_trim_head(m, n), 0);
		assert_ptr_equal(m, was);
		assert_message(m, ten + n, 10 - n);
		assert_int_equal(ibuf_mbuf_segments(m), n < 4   ? 3
							: n < 7 ? 2
								: 1);
		assert_int_equal(ibuf_mbuf_trim_head(m, 11 - n), -ERANGE);
		assert_message(m, ten + n, 10 - n);
		ibuf_mbuf_free(m);

		m = message_cut(ten, 10, 0x48);
		assert_int_equal(ibuf_mbuf_trim_tail(m, n), 0);
		assert_message(m, ten, 10 - n);
		assert_int_equal(ibuf_mbuf_segments(m), 10 - n > 7   ? 3
							: 10 - n > 4 ? 2
								     : 1);
		assert_int_equal(ibuf_mbuf_trim_tail(m, 11 - n), -ERANGE);
		assert_message(m, ten, 10 - n);
		ibuf_mbuf_free(m);
	}
}

TEST(reading_goes_across_segments)
{
	for (size_t n = 0; n <= 12; n++) {
		struct ibuf_mbuf *m = message_cut(ten, 10, 0x48), *was = m;
		size_t here = n < 10 ? n : 10;
		char dst[12];

		assert_int_equal(ibuf_mbuf_read(m, dst, n), here);
		assert_ptr_equal(m, was);
		assert_memory_equal(dst, ten, here);
		assert_message(m, ten + here, 10 - here);
		ibuf_mbuf_free(m);
	}
}
