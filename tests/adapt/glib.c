/* glib.c - messages as GBytes and streams: whose they are, and when they end. */
#include "adapt.h"

#include <ibuf/adapt/glib.h>

/* ---- GBytes --------------------------------------------------------- */

TEST(bytes_of_a_message_are_its_memory_and_end_with_the_last_reference)
{
	struct wrapped w;
	uint64_t before = copied(NULL);
	GBytes *bytes = ibuf_glib_bytes(message_of(&w, "one"));
	gsize len;

	assert_ptr_equal(g_bytes_get_data(bytes, &len), w.bytes);
	assert_int_equal(len, 3);
	g_bytes_ref(bytes);
	g_bytes_unref(bytes);
	assert_released(&w, 1, 0);
	g_bytes_unref(bytes);
	assert_released(&w, 1, 1);
	assert_int_equal(copied(NULL), before);
}

TEST(several_segments_are_copied_into_one_and_counted)
{
	struct wrapped w[3];
	uint64_t before = copied(NULL);
	GBytes *bytes = ibuf_glib_bytes(message_of_three(w));

	assert_released(w, 3, 1);
	assert_int_equal(copied(NULL), before + 13);
	assert_memory_equal(g_bytes_get_data(bytes, NULL), "one two three", 13);
	g_bytes_unref(bytes);
}

TEST(an_empty_message_makes_empty_bytes)
{
	struct wrapped w;
	GBytes *bytes = ibuf_glib_bytes(message_of(&w, ""));
	struct ibuf_mbuf *m;

	assert_int_equal(g_bytes_get_size(bytes), 0);
	m = ibuf_glib_message(bytes);
	assert_message(m, "", 0);
	g_bytes_unref(bytes);
	ibuf_mbuf_free(m);
	assert_released(&w, 1, 1);
}

TEST(a_message_of_bytes_keeps_them_and_never_writes_them)
{
	GBytes *bytes = g_bytes_new("one", 3);
	struct ibuf_mbuf *m = ibuf_glib_message(bytes), *other;

	assert_ptr_equal(ibuf_mbuf_data(m), g_bytes_get_data(bytes, NULL));
	other = ibuf_mbuf_clone(m);
	assert_int_equal(ibuf_mbuf_write_at(m, 0, "two", 3), 0);
	assert_memory_equal(g_bytes_get_data(bytes, NULL), "one", 3);
	g_bytes_unref(bytes);
	assert_message(other, "one", 3);
	assert_message(m, "two", 3);
	ibuf_mbuf_free(m);
	free_elsewhere(other);
}

static void *
unref(void *bytes)
{
	g_bytes_unref(bytes);
	return NULL;
}

TEST(bytes_end_in_another_thread_and_the_mbuf_is_back_in_its_pool)
{
	struct ibuf_pool *p = ibuf_pool_new(1, 100);
	GBytes *bytes = ibuf_glib_bytes(message_of_many(p, 100));
	GBytes *part = g_bytes_new_from_bytes(bytes, 10, 20);
	pthread_t thread;

	g_bytes_unref(bytes);
	assert_int_equal(ibuf_pool_allocated(p), 1);
	assert_int_equal(pthread_create(&thread, NULL, unref, part), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* GLib steals the memory of malloc only where its own free function ends it. */
TEST(bytes_that_become_data_are_copied_and_the_message_ends_once)
{
	struct wrapped w;
	GBytes *bytes = ibuf_glib_bytes(message_of(&w, "one"));
	gsize len;
	gpointer data = g_bytes_unref_to_data(bytes, &len);

	assert_released(&w, 1, 1);
	assert_memory_equal(data, "one", 3);
	g_free(data);
}

TEST(without_memory_the_message_stays_as_it_was)
{
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w);
	GBytes *bytes;

	WHILE_WITHOUT_MEMORY((bytes = ibuf_glib_bytes(m)) == NULL)
	{
		assert_three(m);
		assert_int_equal(ibuf_mbuf_segments(m), 3);
		assert_released(w, 3, 0);
	}
	g_bytes_unref(bytes);
	assert_released(w, 3, 1);
}

static void
set(gpointer flag)
{
	*(bool *)flag = true;
}

TEST(without_memory_bytes_keep_the_references_they_had)
{
	bool ended = false;
	GBytes *bytes = g_bytes_new_with_free_func("one", 3, set, &ended);
	struct ibuf_mbuf *m;

	WHILE_WITHOUT_MEMORY((m = ibuf_glib_message(bytes)) == NULL)
	assert_false(ended);
	g_bytes_unref(bytes);
	assert_false(ended);
	ibuf_mbuf_free(m);
	assert_true(ended);
}

/* ---- streams -------------------------------------------------------- */

TEST(a_stream_reads_the_segments_and_ends_them_when_it_is_finalized)
{
	struct wrapped w[3];
	GInputStream *stream = ibuf_glib_stream(message_of_three(w));
	uint64_t before = copied(NULL);
	char bytes[13];
	gsize n;

	assert_true(g_input_stream_read_all(stream, bytes, 13, &n, NULL, NULL));
	assert_int_equal(n, 13);
	assert_memory_equal(bytes, "one two three", 13);
	assert_int_equal(g_input_stream_read(stream, bytes, 1, NULL, NULL), 0);
	assert_true(g_input_stream_close(stream, NULL, NULL));
	assert_released(w, 3, 0);
	g_object_unref(stream);
	assert_released(w, 3, 1);
	assert_int_equal(copied(NULL), before);
}

TEST(a_stream_of_an_empty_message_is_at_its_end)
{
	struct wrapped w;
	GInputStream *stream = ibuf_glib_stream(message_of(&w, ""));
	char byte;

	assert_int_equal(g_input_stream_read(stream, &byte, 1, NULL, NULL), 0);
	g_object_unref(stream);
	assert_released(&w, 1, 1);
}

/* The first slice may succeed, and the second fail. */
TEST(without_memory_there_is_no_stream_and_the_message_is_as_it_was)
{
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w);
	GInputStream *stream;

	WHILE_WITHOUT_MEMORY((stream = ibuf_glib_stream(m)) == NULL)
	{
		assert_three(m);
		assert_released(w, 3, 0);
	}
	g_object_unref(stream);
	assert_released(w, 3, 1);
}

TEST(a_stream_is_read_into_the_tailroom)
{
	struct wrapped w[3];
	GInputStream *stream = ibuf_glib_stream(message_of_three(w));
	struct ibuf_pool *p = pool_of(1, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	const void *place = ibuf_mbuf_reserve(m, 64);
	uint64_t before = copied(p);

	assert_int_equal(ibuf_glib_read(stream, m, 4, NULL, NULL), 4);
	assert_int_equal(ibuf_glib_read(stream, m, 0, NULL, NULL), 0);
	assert_int_equal(ibuf_glib_read(stream, m, 60, NULL, NULL), 9);
	assert_int_equal(ibuf_glib_read(stream, m, 10, NULL, NULL), 0);
	assert_three(m);
	assert_ptr_equal(ibuf_mbuf_data(m), place);
	assert_int_equal(copied(p), before);
	ibuf_mbuf_free(m);
	g_object_unref(stream);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_read_that_fails_changes_nothing)
{
	struct wrapped w[3];
	GInputStream *stream = ibuf_glib_stream(message_of_three(w));
	struct ibuf_mbuf *m = ibuf_mbuf_from("zero ", 5);
	GError *error = NULL;

	assert_true(g_input_stream_close(stream, NULL, NULL));
	assert_int_equal(ibuf_glib_read(stream, m, 100, NULL, &error), -1);
	assert_true(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED));
	g_clear_error(&error);
	assert_message(m, "zero ", 5);
	g_object_unref(stream);
	assert_released(w, 3, 1);
	ibuf_mbuf_free(m);
}

TEST(a_read_without_memory_is_an_error_and_reads_nothing)
{
	struct wrapped w[3];
	GInputStream *stream = ibuf_glib_stream(message_of_three(w));
	struct ibuf_mbuf *m = ibuf_mbuf_from("zero ", 5);
	GError *error = NULL;

	WHILE_WITHOUT_MEMORY(ibuf_glib_read(stream, m, 10000, NULL, &error) < 0)
	{
		assert_true(
			g_error_matches(error, G_IO_ERROR, G_IO_ERROR_FAILED));
		g_clear_error(&error);
		assert_message(m, "zero ", 5);
	}
	assert_message(m, "zero one two three", 18);
	g_object_unref(stream);
	ibuf_mbuf_free(m);
}
