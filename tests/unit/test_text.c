/* test_text.c - formatted text at the end of a message. */
#include "messages.h"
#include "states.h"

#include <wchar.h>

/* Called through this, a format is not looked at by the compiler. */
static int (*volatile print)(struct ibuf_mbuf *, const char *,
			     ...) = ibuf_mbuf_printf;

TEST(text_is_appended_without_its_zero)
{
	struct ibuf_mbuf *m = message_of("len=", 4);

	assert_int_equal(ibuf_mbuf_printf(m, "%d, %s, %c", 42, "text", 'c'), 0);
	assert_message(m, "len=42, text, c", 15);
	ibuf_mbuf_free(m);
}

/* Also that what does not fit grows by the law. */
TEST(text_of_about_the_tailroom_is_exact)
{
	static const char text[] = "0123456789012345678901234567890123456789";

	for (size_t room = 0; room <= 20; room++) {
		for (int n = 0; n <= 40; n++) {
			struct ibuf_mbuf *m = message_with(3, 10, room);
			size_t len = 10 + (size_t)n, c = 10 + room;

			assert_int_equal(ibuf_mbuf_printf(m, "%.*s", n, text),
					 0);
			assert_int_equal(ibuf_mbuf_len(m), len);
			assert_memory_equal(ibuf_mbuf_data(m) + 10, text,
					    len - 10);
			if (len > c)
				c = c + c / 2 > len ? c + c / 2 : len;
			assert_sizes(m, 3, len, c - len, c);
			ibuf_mbuf_free(m);
		}
	}
}

TEST(text_that_fits_needs_no_allocation)
{
	struct ibuf_mbuf *m = message_with(0, 0, 10);
	size_t calls = fault_calls();

	assert_int_equal(ibuf_mbuf_printf(m, "%s", "123456789"), 0);
	assert_int_equal(ibuf_mbuf_printf(m, "%s", ""), 0);
	assert_int_equal(fault_calls(), calls);
	assert_message(m, "123456789", 9);
	ibuf_mbuf_free(m);
}

TEST(text_may_be_made_of_the_message_itself)
{
	for (size_t room = 0; room <= 30; room++) {
		struct ibuf_mbuf *m = ibuf_mbuf_new(6 + room);

		assert_int_equal(ibuf_mbuf_append(m, "abcdef", 6), 0);
		assert_int_equal(
			ibuf_mbuf_printf(m, "<%.*s|%.*s>", 6,
					 (const char *)ibuf_mbuf_data(m), 3,
					 (const char *)ibuf_mbuf_data(m) + 3),
			0);
		assert_message(m, "abcdef<abcdef|def>", 18);
		ibuf_mbuf_free(m);
	}
}

TEST(text_goes_behind_many_segments_and_shared_and_read_only_ones)
{
	struct ibuf_mbuf *m = message_of("abc", 3);
	struct ibuf_mbuf *rom = ibuf_mbuf_wrap_const("abc", 3, NULL, NULL);
	struct ibuf_mbuf *clone;

	add_segment(m, "de", 2);
	clone = ibuf_mbuf_clone(m);
	assert_int_equal(ibuf_mbuf_printf(clone, "%d", 12), 0);
	assert_int_equal(ibuf_mbuf_printf(m, "%d", 345), 0);
	assert_int_equal(ibuf_mbuf_printf(rom, "%d", 6), 0);
	assert_message(m, "abcde345", 8);
	assert_message(clone, "abcde12", 7);
	assert_message(rom, "abc6", 4);
	assert_int_equal(ibuf_mbuf_segments(m), 2);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(rom);
}

/* "%lc" of no character, and a text longer than an int can say. */
TEST(a_format_that_fails_changes_nothing)
{
	for (size_t room = 0; room <= 64; room += 64) {
		struct ibuf_mbuf *m = message_with(3, 10, room);
		struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
		struct state before;

		state_take(&before, m);
		assert_int_equal(
			ibuf_mbuf_printf(m, "abc%lc", (wint_t)0x7ffffffe),
			-EINVAL);
		assert_state(m, &before);
		assert_int_equal(print(m, "abc%2147483648d", 1), -EOVERFLOW);
		assert_state(m, &before);
		state_take(&before, clone);
		assert_int_equal(
			ibuf_mbuf_printf(clone, "abc%lc", (wint_t)0x7ffffffe),
			-EINVAL);
		assert_state(clone, &before);
		ibuf_mbuf_free(clone);
		ibuf_mbuf_free(m);
	}
}

TEST(without_memory_no_text_is_appended)
{
	struct state before;
	bool struck;
	size_t n = 0;

	do {
		struct ibuf_mbuf *m = message_with(3, 10, 5);

		state_take(&before, m);
		fault_at(++n);
		int error = ibuf_mbuf_printf(m, "%s", "0123456789");

		struck = fault_off();
		assert_int_equal(error, struck ? -ENOMEM : 0);
		if (struck) {
			assert_state(m, &before);
			assert_int_equal(
				ibuf_mbuf_printf(m, "%s", "0123456789"), 0);
		}
		assert_message(m,
			       "\0\1\2\3\4\5\6\7\x8\x9"
			       "0123456789",
			       20);
		ibuf_mbuf_free(m);
	} while (struck);
	assert_in_range(n, 2, 3);
}
