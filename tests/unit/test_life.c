/* test_life.c - messages are born, looked at, copied and freed. */
#include "messages.h"
#include "states.h"

static const size_t beyond_a_room[][2] = {
	/* headroom, capacity */
	{0, SIZE_MAX},
	{0, (size_t)PTRDIFF_MAX + 1},
#if SIZE_MAX > UINT32_MAX
	{0, (size_t)UINT32_MAX + 1},
	{(size_t)UINT32_MAX + 1, 0},
	{1, UINT32_MAX},
	{UINT32_MAX, 1},
	{(size_t)1 << 32, (size_t)1 << 32},
#endif
	{SIZE_MAX, 0},
	{SIZE_MAX, 1},
	{1, SIZE_MAX},
	{SIZE_MAX, SIZE_MAX},
	{SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1},
};

/* ---- birth --------------------------------------------------------- */

TEST(a_new_message_is_empty_and_has_the_capacity_that_was_asked_for)
{
	static const size_t capacities[] = {0, 1, 7, 64, 1024, 65536, 1000003};

	for (size_t i = 0; i < sizeof(capacities) / sizeof(*capacities); i++) {
		size_t c = capacities[i], calls = fault_calls();
		struct ibuf_mbuf *m = ibuf_mbuf_new(c);

		assert_in_range(fault_calls() - calls, 1, 2);
		assert_message(m, "", 0);
		assert_sizes(m, 0, 0, c, c);
		assert_true(ibuf_mbuf_is_unique(m));
		assert_true(ibuf_mbuf_is_contiguous(m));
		assert_int_equal(ibuf_mbuf_segments(m), 1);
		assert_non_null(ibuf_mbuf_data(m));
		assert_null(ibuf_mbuf_pool(m));
		assert_null(ibuf_mbuf_private(m));
		ibuf_mbuf_free(m);
	}
}

TEST(headroom_comes_on_top_of_the_capacity)
{
	static const size_t sizes[][2] = {{0, 0},    {16, 0}, {0, 16},
					  {16, 100}, {1, 1},  {4096, 3}};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t h = sizes[i][0], c = sizes[i][1];
		struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(h, c);

		assert_sizes(m, h, 0, c, c);
		memset(ibuf_mbuf_extend_head(m, h), 'h', h);
		memset(ibuf_mbuf_extend_tail(m, c), 't', c);
		assert_sizes(m, 0, h + c, 0, c);
		ibuf_mbuf_free(m);
	}
}

TEST(sizes_beyond_a_room_are_refused_before_anything_is_allocated)
{
	size_t calls = fault_calls();

	for (size_t i = 0; i < sizeof(beyond_a_room) / sizeof(*beyond_a_room);
	     i++) {
		size_t h = beyond_a_room[i][0], c = beyond_a_room[i][1];

		assert_null(ibuf_mbuf_new_headroom(h, c));
		if (h != 0)
			continue;
		assert_null(ibuf_mbuf_new(c));
		/* An address that must not be read. */
		assert_null(ibuf_mbuf_from((const void *)16, c));
	}
	assert_int_equal(fault_calls(), calls);
}

#if SIZE_MAX > UINT32_MAX

TEST(the_largest_room_is_granted_or_there_is_no_memory_but_never_less)
{
	static const size_t headrooms[] = {0, 100, UINT32_MAX};

	if (!test_gigabytes())
		skip();
	for (size_t i = 0; i < sizeof(headrooms) / sizeof(*headrooms); i++) {
		size_t h = headrooms[i], c = UINT32_MAX - h;
		size_t calls = fault_calls();
		struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(h, c);

		/* It was not refused. */
		assert_true(fault_calls() > calls);
		if (m != NULL)
			assert_sizes(m, h, 0, c, c);
		ibuf_mbuf_free(m);
	}
}

#endif

TEST(from_makes_a_private_copy)
{
	char text[] = "hello";
	struct ibuf_mbuf *m = ibuf_mbuf_from(text, 5);
	struct ibuf_mbuf *nothing = ibuf_mbuf_from(NULL, 0);

	memset(text, 'x', 5);
	assert_message(m, "hello", 5);
	assert_true(ibuf_mbuf_is_unique(m));
	assert_int_equal(ibuf_mbuf_headroom(m), 0);
	assert_message(nothing, "", 0);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(nothing);
}

/* ---- death --------------------------------------------------------- */

TEST(freeing_null_is_nothing)
{
	struct ibuf_mbuf *three[] = {NULL, ibuf_mbuf_new(8), NULL};

	ibuf_mbuf_free(NULL);
	ibuf_mbuf_free_bulk(NULL, 0);
	ibuf_mbuf_free_bulk(three, 0);
	ibuf_mbuf_free_bulk(three, 3);
}

TEST(a_message_of_many_segments_is_freed_in_bulk_with_its_clones)
{
	struct ibuf_mbuf *all[4] = {NULL};

	all[0] = message_of("one", 3);
	add_segment(all[0], "two", 3);
	add_segment(all[0], "three", 5);
	all[1] = ibuf_mbuf_clone(all[0]);
	all[3] = ibuf_mbuf_slice(all[0], 2, 5);
	assert_message(all[3], "etwot", 5);
	ibuf_mbuf_free_bulk(all, 4);
}

/* ---- look ---------------------------------------------------------- */

TEST(at_shows_each_byte_and_the_run_to_the_end_of_its_segment)
{
	static const size_t runs[] = {3, 2, 1, 2, 1, 1};
	struct ibuf_mbuf *m = message_of("abc", 3);
	size_t run;

	add_segment(m, "de", 2);
	add_segment(m, "f", 1);
	assert_null(ibuf_mbuf_data(m));
	assert_false(ibuf_mbuf_is_contiguous(m));
	for (size_t i = 0; i < 6; i++) {
		const uint8_t *byte = ibuf_mbuf_at(m, i, &run);

		assert_int_equal(*byte, "abcdef"[i]);
		assert_int_equal(run, runs[i]);
		assert_ptr_equal(ibuf_mbuf_at(m, i, NULL), byte);
	}
	assert_non_null(ibuf_mbuf_at(m, 6, &run));
	assert_int_equal(run, 0);
	run = 42;
	assert_null(ibuf_mbuf_at(m, 7, &run));
	assert_null(ibuf_mbuf_at(m, SIZE_MAX, &run));
	assert_null(ibuf_mbuf_at(m, SIZE_MAX, NULL));
	assert_int_equal(run, 42);
	ibuf_mbuf_free(m);
}

TEST(at_0_of_an_empty_message_is_a_run_of_nothing)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);
	size_t run = 42;

	assert_non_null(ibuf_mbuf_at(m, 0, &run));
	assert_int_equal(run, 0);
	assert_null(ibuf_mbuf_at(m, 1, &run));
	ibuf_mbuf_free(m);
}

TEST(capacity_is_that_of_the_last_segment_and_the_length_of_the_others)
{
	struct ibuf_mbuf *m = message_with(4, 10, 20);

	assert_int_equal(ibuf_mbuf_concat(m, message_with(8, 5, 7)), 0);
	assert_sizes(m, 4, 15, 7, 10 + 12);
	ibuf_mbuf_free(m);
}

/* ---- copy ---------------------------------------------------------- */

TEST(copy_is_contiguous_and_private_whatever_the_segments)
{
	struct ibuf_mbuf *m = message_of("abc", 3);

	add_segment(m, "de", 2);
	add_segment(m, "fghi", 4);
	for (size_t off = 0; off <= 9; off++) {
		for (size_t n = 0; n <= 9 - off; n++) {
			struct ibuf_mbuf *copy = ibuf_mbuf_copy(m, off, n);

			assert_message(copy, &"abcdefghi"[off], n);
			assert_int_equal(ibuf_mbuf_segments(copy), 1);
			assert_true(ibuf_mbuf_is_unique(copy));
			memset(ibuf_mbuf_data_mut(copy), 'x', n);
			ibuf_mbuf_free(copy);
		}
	}
	assert_message(m, "abcdefghi", 9);
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
}

TEST(copy_refuses_what_is_outside)
{
	static const size_t outside[][2] = {
		{6, 0},           {5, 1},        {0, 6},
		{1, SIZE_MAX},    {SIZE_MAX, 1}, {SIZE_MAX, SIZE_MAX},
		{2, SIZE_MAX - 1}};
	struct ibuf_mbuf *m = message_of("hello", 5);
	size_t calls = fault_calls();

	for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++) {
		assert_null(ibuf_mbuf_copy(m, outside[i][0], outside[i][1]));
		assert_null(ibuf_mbuf_slice(m, outside[i][0], outside[i][1]));
	}
	assert_int_equal(fault_calls(), calls);
	ibuf_mbuf_free(m);
}

TEST(copy_comes_from_the_pool_when_it_fits_there)
{
	struct ibuf_pool *p = ibuf_pool_new(4, 100);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *small, *large;

	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 101), 0);
	small = ibuf_mbuf_copy(m, 1, 100);
	large = ibuf_mbuf_copy(m, 0, 101);
	assert_ptr_equal(ibuf_mbuf_pool(small), p);
	assert_int_equal(ibuf_mbuf_headroom(small), 128);
	assert_int_equal(ibuf_mbuf_capacity(small), 100);
	assert_null(ibuf_mbuf_pool(large));
	assert_int_equal(ibuf_mbuf_compare(m, large), 0);
	assert_int_equal(ibuf_pool_allocated(p), 2);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(small);
	ibuf_mbuf_free(large);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- inspect ------------------------------------------------------- */

TEST(validate_sees_that_a_header_was_overwritten)
{
	struct ibuf_mbuf *m = message_of("hello", 5);
	struct ibuf_mbuf saved = *m;

	m->len_ += 1000;
	assert_int_equal(ibuf_mbuf_validate(m), -EINVAL);
	*m = saved;
	m->off_ = UINT32_MAX;
	assert_int_equal(ibuf_mbuf_validate(m), -EINVAL);
	*m = saved;
	m->flags_ = 0;
	assert_int_equal(ibuf_mbuf_validate(m), -EINVAL);
	*m = saved;
	m->base_ = NULL;
	assert_int_equal(ibuf_mbuf_validate(m), -EINVAL);
	*m = saved;
	assert_message(m, "hello", 5);
	ibuf_mbuf_free(m);
}

TEST(dump_shows_the_bytes_of_every_segment)
{
	char text[4096] = "";
	FILE *to = fmemopen(text, sizeof(text), "w");
	struct ibuf_mbuf *m = message_of("hello", 5);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 1, 3);

	add_segment(m, "\x00\xff", 2);
	ibuf_mbuf_dump(m, to);
	ibuf_mbuf_dump(slice, to);
	assert_int_equal(fclose(to), 0);
	assert_non_null(strstr(text, "68 65 6c 6c 6f"));
	assert_non_null(strstr(text, "hello"));
	assert_non_null(strstr(text, "00 ff"));
	assert_non_null(strstr(text, "65 6c 6c"));
	assert_message(m, "hello\x00\xff", 7);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(slice);
}
