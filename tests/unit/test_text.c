/* test_text.c - formatted text at the end of a message. */
#include "messages.h"
#include "states.h"

#include <limits.h>
#include <sys/mman.h>
#include <wchar.h>

/* ---- a stricter libc ----------------------------------------------- */

static size_t formats, format_to_fail; /* calls, and which one fails */
static bool shortens;                  /* the second gives less */

int __real_vsnprintf(char *to, size_t size, const char *format, va_list args);
int __wrap_vsnprintf(char *to, size_t size, const char *format, va_list args);

/* The library's calls come here first: as POSIX allows, and musl does. */
__attribute__((format(printf, 3, 0))) int
__wrap_vsnprintf(char *to, size_t size, const char *format, va_list args)
{
	int n;

	if (++formats == format_to_fail) {
		errno = ENOMEM;
		return -1;
	}
	if (size > INT_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	n = __real_vsnprintf(to, size, format, args);
	if (n >= 0)
		errno = 12345;
	return shortens && formats == 2 ? n - 1 : n;
}

/* ---- text ----------------------------------------------------------- */

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

TEST(a_libc_that_runs_out_of_memory_appends_no_text)
{
	for (size_t room = 0; room <= 64; room += 64) {
		for (size_t n = 1; n <= 2; n++) {
			struct ibuf_mbuf *m = message_with(3, 10, room);
			struct state before;
			int error;

			state_take(&before, m);
			formats = 0;
			format_to_fail = n;
			error = ibuf_mbuf_printf(m, "%s", "0123456789");
			format_to_fail = 0;
			if (n == 1 || room == 0) {
				assert_int_equal(error, -ENOMEM);
				assert_state(m, &before);
			} else {
				assert_int_equal(error, 0);
			}
			ibuf_mbuf_free(m);
		}
	}
}

TEST(a_string_that_gets_shorter_meanwhile_leaves_no_stale_byte)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);

	formats = 0;
	shortens = true;
	assert_int_equal(ibuf_mbuf_printf(m, "%s", "0123456789"), 0);
	shortens = false;
	assert_message(m, "012345678", 9);
	ibuf_mbuf_free(m);
}

TEST(errno_is_what_it_was_whatever_happens)
{
	for (size_t room = 0; room <= 64; room += 32) {
		struct ibuf_mbuf *m = message_with(3, 10, room);

		errno = 4711;
		assert_int_equal(ibuf_mbuf_printf(m, "%s", "0123456789"), 0);
		assert_int_equal(errno, 4711);
		test_either(ibuf_mbuf_printf(m, "abc%lc", (wint_t)0x7ffffffe));
		assert_int_equal(errno, 4711);
		assert_int_equal(print(m, "abc%2147483648d", 1), -EOVERFLOW);
		assert_int_equal(errno, 4711);
		fault_from(1);
		assert_int_equal(ibuf_mbuf_printf(m, "%1000d", 1), -ENOMEM);
		(void)fault_off();
		assert_int_equal(errno, 4711);
		ibuf_mbuf_free(m);
	}
}

TEST(text_goes_into_a_room_larger_than_an_int_can_say)
{
#if SIZE_MAX > UINT32_MAX
	const size_t size = UINT32_MAX;
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct ibuf_mbuf *m = ibuf_mbuf_wrap(bytes, size, NULL, NULL);

	ibuf_mbuf_clear(m);
	assert_int_equal(ibuf_mbuf_tailroom(m), size);
	assert_int_equal(ibuf_mbuf_printf(m, "%d and %s", 42, "more"), 0);
	assert_message(m, "42 and more", 11);
	ibuf_mbuf_free(m);
	munmap(bytes, size);
#endif
}

TEST(text_that_makes_the_message_too_long_is_refused)
{
	for (size_t room = 0; room <= 64; room += 64) {
		struct ibuf_mbuf *m = message_of("ab", 2), *end = NULL;
		size_t rest;

		end = message_with(0, 1, room);
		assert_int_equal(ibuf_mbuf_concat(m, end), 0);
		rest = m->rest_;
		m->rest_ = (size_t)PTRDIFF_MAX - m->len_ - 3;
		assert_int_equal(ibuf_mbuf_printf(m, "%s", "abcd"), -EOVERFLOW);
		assert_int_equal(ibuf_mbuf_len(m), (size_t)PTRDIFF_MAX - 3);
		m->rest_ = rest;
		assert_message(m, "ab\0", 3);
		ibuf_mbuf_free(m);
	}
}

TEST(text_that_does_not_fit_leaves_nothing_in_freed_memory)
{
	static const char secret[] = "secret-0123456789";
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_mbuf *m, *plain;
	struct ibuf_pool *p;

	o.capacity = 20;
	o.flags = IBUF_POOL_F_WIPE;
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	m = ibuf_pool_alloc(p);
	/* The secret of one pool goes into a message of another, too. */
	plain = message_of("", 0);
	fault_watch(secret, 17);
	assert_int_equal(ibuf_mbuf_printf(m, "%s%s", secret, secret), 0);
	assert_int_equal(fault_found(), 0);
	assert_int_equal(ibuf_mbuf_concat(plain, m), 0);
	assert_int_equal(ibuf_mbuf_printf(plain, "%100s", secret), 0);
	assert_int_equal(fault_found(), 0);
	/* And where there is no memory for a larger room. */
	fault_at(2);
	assert_int_equal(ibuf_mbuf_printf(plain, "%1000s", secret), -ENOMEM);
	assert_true(fault_off());
	assert_int_equal(fault_found(), 0);
	fault_watch(NULL, 0);
	ibuf_mbuf_free(plain);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* What every libc of Linux knows, and C does not. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat"
TEST(the_error_that_printf_may_print_is_the_callers)
{
	char expected[200];
	struct ibuf_mbuf *m = ibuf_mbuf_new(0), *wide = ibuf_mbuf_new(200);

	errno = ENOENT;
	snprintf(expected, sizeof(expected), "%m");
	for (int i = 0; i < 2; i++) {
		errno = ENOENT;
		assert_int_equal(ibuf_mbuf_printf(i ? m : wide, "%m"), 0);
		assert_int_equal(errno, ENOENT);
		assert_message(i ? m : wide, expected, strlen(expected));
	}
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(wide);
}
#pragma GCC diagnostic pop
