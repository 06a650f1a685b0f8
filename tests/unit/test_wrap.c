/* test_wrap.c - messages of the caller's own memory, and its release. */
#include "dry.h"
#include "messages.h"
#include "states.h"

#include <pthread.h>

/* ---- release ------------------------------------------------------- */

struct release {
	void *bytes;
	size_t len;
	pthread_t thread;
	int times;
};

/* What was wrapped is the caller's again, and so may be overwritten. */
static void
release(void *bytes, size_t len, void *arg)
{
	struct release *r = arg;

	r->bytes = bytes;
	r->len = len;
	r->thread = pthread_self();
	r->times++;
	memset(bytes, '!', len);
}

static void
count_release(void *bytes, size_t len, void *arg)
{
	(void)bytes;
	(void)len;
	++*(int *)arg;
}

TEST(wrapped_memory_is_shown_written_and_released_where_it_is)
{
	char text[] = "hello";
	struct release r = {0};
	struct ibuf_mbuf *m = ibuf_mbuf_wrap(text, 5, release, &r);

	assert_ptr_equal(ibuf_mbuf_data(m), text);
	assert_sizes(m, 0, 5, 0, 5);
	assert_true(ibuf_mbuf_is_unique(m));
	assert_null(ibuf_mbuf_pool(m));
	assert_null(ibuf_mbuf_private(m));
	assert_int_equal(ibuf_mbuf_write_at(m, 1, "E", 1), 0);
	assert_string_equal(text, "hEllo");
	assert_int_equal(ibuf_mbuf_trim_head(m, 1), 0);
	assert_sizes(m, 1, 4, 0, 5);
	assert_int_equal(ibuf_mbuf_prepend(m, "J", 1), 0);
	assert_string_equal(text, "JEllo");
	assert_int_equal(r.times, 0);
	ibuf_mbuf_free(m);
	assert_int_equal(r.times, 1);
	assert_ptr_equal(r.bytes, text);
	assert_int_equal(r.len, 5);
	assert_string_equal(text, "!!!!!");
}

TEST(the_last_segment_of_many_releases_all_that_was_wrapped)
{
	char text[] = "hello";
	struct release r = {0};
	struct ibuf_mbuf *m = ibuf_mbuf_wrap(text, 5, release, &r);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 1, 2);
	struct ibuf_mbuf *rest = ibuf_mbuf_split(m, 3);

	ibuf_mbuf_free(m);
	ibuf_mbuf_free(rest);
	ibuf_mbuf_free(clone);
	assert_int_equal(r.times, 0);
	assert_message(slice, "el", 2);
	ibuf_mbuf_free(slice);
	assert_int_equal(r.times, 1);
	assert_ptr_equal(r.bytes, text);
	assert_int_equal(r.len, 5);
}

TEST(growing_releases_once_after_the_bytes_were_copied)
{
	char text[] = "hello";
	struct release r = {0};
	struct ibuf_mbuf *m = ibuf_mbuf_wrap(text, 5, release, &r);

	assert_int_equal(ibuf_mbuf_append(m, ", you", 5), 0);
	assert_int_equal(r.times, 1);
	assert_message(m, "hello, you", 10);
	assert_int_equal(ibuf_mbuf_capacity(m), 10);
	assert_int_equal(ibuf_mbuf_append_fill(m, '.', 100), 0);
	ibuf_mbuf_free(m);
	assert_int_equal(r.times, 1);
}

TEST(own_wrapped_bytes_can_be_appended)
{
	char text[] = "hello";
	struct release r = {0};
	struct ibuf_mbuf *m = ibuf_mbuf_wrap(text, 5, release, &r);

	assert_int_equal(ibuf_mbuf_append(m, text, 5), 0);
	assert_message(m, "hellohello", 10);
	assert_int_equal(r.times, 1);
	ibuf_mbuf_free(m);
}

static void *
free_it(void *m)
{
	ibuf_mbuf_free(m);
	return NULL;
}

TEST(the_thread_that_drops_the_last_segment_releases)
{
	char text[] = "hello";
	struct release r = {0};
	struct ibuf_mbuf *m = ibuf_mbuf_wrap(text, 5, release, &r);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	pthread_t thread;

	ibuf_mbuf_free(m);
	assert_int_equal(pthread_create(&thread, NULL, free_it, clone), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(r.times, 1);
	assert_true(pthread_equal(r.thread, thread));
}

TEST(two_threads_that_race_to_drop_release_once)
{
	for (int i = 0; i < 500; i++) {
		char text[] = "hello";
		struct release r = {0};
		struct ibuf_mbuf *m = ibuf_mbuf_wrap(text, 5, release, &r);
		struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
		pthread_t thread;

		assert_int_equal(pthread_create(&thread, NULL, free_it, clone),
				 0);
		ibuf_mbuf_free(m);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(r.times, 1);
	}
}

/* ---- refusals ------------------------------------------------------ */

TEST(nothing_can_be_wrapped_and_null_only_as_nothing)
{
	int times = 0;
	struct ibuf_mbuf *m = ibuf_mbuf_wrap(NULL, 0, count_release, &times);
	struct ibuf_mbuf *rom =
		ibuf_mbuf_wrap_const(NULL, 0, count_release, &times);

	assert_message(m, "", 0);
	assert_message(rom, "", 0);
	assert_non_null(ibuf_mbuf_data(m));
	assert_non_null(ibuf_mbuf_data(rom));
	assert_null(ibuf_mbuf_wrap(NULL, 1, count_release, &times));
	assert_null(ibuf_mbuf_wrap_const(NULL, 1, count_release, &times));
	assert_int_equal(times, 0);
	assert_int_equal(ibuf_mbuf_append(m, "a", 1), 0);
	assert_int_equal(times, 1);
	assert_int_equal(ibuf_mbuf_append(rom, "a", 1), 0);
	assert_int_equal(times, 2);
	assert_message(m, "a", 1);
	assert_message(rom, "a", 1);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(rom);
	assert_int_equal(times, 2);
}

TEST(memory_longer_than_a_room_is_refused_and_not_released)
{
	char text[] = "hello";
	int times = 0;
	size_t calls = fault_calls();

	assert_null(ibuf_mbuf_wrap(text, SIZE_MAX, count_release, &times));
	assert_null(ibuf_mbuf_wrap_const(text, (size_t)PTRDIFF_MAX + 1,
					 count_release, &times));
#if SIZE_MAX > UINT32_MAX
	assert_null(ibuf_mbuf_wrap(text, (size_t)UINT32_MAX + 1, count_release,
				   &times));
#endif
	assert_int_equal(times, 0);
	assert_int_equal(fault_calls(), calls);
}

TEST(without_memory_to_wrap_with_nothing_is_released)
{
	char text[] = "hello";
	int times = 0;

	for (int round = 0; round < 2; round++) {
		if (round == 1)
			heap_dry();
		fault_at(1);
		assert_null(ibuf_mbuf_wrap(text, 5, count_release, &times));
		assert_true(fault_off());
		fault_at(1);
		assert_null(
			ibuf_mbuf_wrap_const(text, 5, count_release, &times));
		assert_true(fault_off());
	}
	heap_wet();
	assert_int_equal(times, 0);
	assert_string_equal(text, "hello");
}

TEST(a_release_function_is_not_needed)
{
	char text[] = "hello";

	ibuf_mbuf_free(ibuf_mbuf_wrap(text, 5, NULL, NULL));
	ibuf_mbuf_free(ibuf_mbuf_wrap_const("hello", 5, NULL, NULL));
}

/* ---- read-only: how it grows; test_readonly.c has the rest ---------- */

TEST(trimming_and_reading_read_only_bytes_copies_nothing)
{
	struct ibuf_mbuf *m = ibuf_mbuf_wrap_const("abcdefgh", 8, NULL, NULL);
	const uint8_t *data = ibuf_mbuf_data(m);
	size_t calls = fault_calls();
	char out[2];

	assert_sizes(m, 0, 8, 0, 8);
	assert_int_equal(ibuf_mbuf_trim_head(m, 1), 0);
	assert_int_equal(ibuf_mbuf_trim_tail(m, 1), 0);
	assert_int_equal(ibuf_mbuf_read(m, out, 2), 2);
	assert_memory_equal(out, "bc", 2);
	assert_ptr_equal(ibuf_mbuf_data(m), data + 3);
	assert_sizes(m, 0, 4, 0, 8);
	assert_int_equal(fault_calls(), calls);
	/* It grows as if it left a shared room: max(C, len + n). */
	assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
	assert_sizes(m, 0, 5, 3, 8);
	assert_int_equal(ibuf_mbuf_append(m, "xxxx", 4), 0);
	assert_sizes(m, 0, 9, 3, 12);
	ibuf_mbuf_free(m);
}

TEST(a_read_only_message_grows_as_one_that_leaves_a_shared_room)
{
	for (size_t n = 0; n < 40; n += 13) {
		struct ibuf_mbuf *m =
			ibuf_mbuf_wrap_const("abcdefgh", 8, NULL, NULL);

		assert_non_null(ibuf_mbuf_extend_tail(m, n));
		assert_int_equal(ibuf_mbuf_capacity(m), 8 + n);
		assert_int_equal(ibuf_mbuf_is_unique(m), n != 0);
		ibuf_mbuf_free(m);
	}
}
