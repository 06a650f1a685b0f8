/* test_contiguous.c - segments become one: linearize, pullup. */
#include "failures.h"
#include "messages.h"

static const uint8_t ten[] = "0123456789";

/* len bytes in so many segments, as even as can be. */
static struct ibuf_mbuf *
message_in(size_t len, size_t segments, uint8_t *bytes)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	for (size_t i = 0; i < segments; i++) {
		size_t from = len * i / segments;
		size_t to = len * (i + 1) / segments;

		assert_int_equal(ibuf_mbuf_concat(m, message_of(bytes + from,
								to - from)),
				 0);
	}
	assert_message(m, bytes, len);
	assert_int_equal(ibuf_mbuf_segments(m), segments);
	return m;
}

/* "0123", "456", "789" */
static struct ibuf_mbuf *
three_segments(void)
{
	return message_cut(ten, 10, 1u << 3 | 1u << 6);
}

/* ---- linearize ----------------------------------------------------- */

TEST(linearize_makes_one_segment_of_any_number)
{
	static const size_t cases[][2] = {{128, 1},  {64, 64}, {512, 10},
					  {250, 11}, {123, 8}, {2000, 2000}};
	uint8_t bytes[2000];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ibuf_mbuf *m =
			message_in(cases[i][0], cases[i][1], bytes);
		struct ibuf_mbuf *was = m;

		assert_int_equal(ibuf_mbuf_linearize(m), 0);
		assert_ptr_equal(m, was);
		assert_message(m, bytes, cases[i][0]);
		assert_int_equal(ibuf_mbuf_segments(m), 1);
		assert_true(ibuf_mbuf_is_contiguous(m));
		assert_memory_equal(ibuf_mbuf_data(m), bytes, cases[i][0]);
		assert_true(ibuf_mbuf_is_unique(m));
		ibuf_mbuf_free(m);
	}
}

TEST(linearize_of_one_segment_does_nothing_also_when_it_is_shared)
{
	struct ibuf_mbuf *m = message_of(ten, 10);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	const uint8_t *data = ibuf_mbuf_data(m);
	size_t calls = fault_calls();

	assert_int_equal(ibuf_mbuf_linearize(m), 0);
	assert_int_equal(ibuf_mbuf_linearize(clone), 0);
	assert_ptr_equal(ibuf_mbuf_pullup(m, 10), data);
	assert_ptr_equal(ibuf_mbuf_pullup(clone, 10), data);
	assert_int_equal(fault_calls(), calls);
	assert_ptr_equal(ibuf_mbuf_data(m), data);
	assert_ptr_equal(ibuf_mbuf_data(clone), data);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
}

TEST(linearize_uses_the_tailroom_of_the_first_segment)
{
	struct ibuf_mbuf *m = message_with(5, 2, 20);
	const uint8_t *data = ibuf_mbuf_data(m);
	uint64_t copied;
	size_t calls;

	add_segment(m, "abc", 3);
	add_segment(m, "defg", 4);
	copied = heap_copied_bytes();
	calls = fault_calls();
	assert_int_equal(ibuf_mbuf_linearize(m), 0);
	assert_message(m, "\0\1abcdefg", 9);
	assert_ptr_equal(ibuf_mbuf_data(m), data);
	assert_int_equal(fault_calls(), calls);
	assert_int_equal(heap_copied_bytes(), copied + 7);
	assert_sizes(m, 5, 9, 13, 22);
	ibuf_mbuf_free(m);
}

TEST(linearize_counts_each_byte_it_moves)
{
	struct ibuf_mbuf *m = three_segments();
	uint64_t copied = heap_copied_bytes();

	assert_int_equal(ibuf_mbuf_linearize(m), 0);
	assert_message(m, ten, 10);
	assert_int_equal(heap_copied_bytes(), copied + 10);
	ibuf_mbuf_free(m);
}

TEST(linearize_leaves_whoever_shares_the_segments_alone)
{
	struct ibuf_mbuf *m = three_segments();
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 5, 3);
	struct pieces was;

	pieces_take(&was, clone);
	assert_int_equal(ibuf_mbuf_linearize(m), 0);
	assert_message(m, ten, 10);
	assert_true(ibuf_mbuf_is_unique(m));
	assert_message(clone, ten, 10);
	assert_int_equal(ibuf_mbuf_segments(clone), 3);
	memset(ibuf_mbuf_data_mut(m), '#', 10);
	assert_message(clone, ten, 10);
	assert_message(slice, ten + 5, 3);
	ibuf_mbuf_free(slice);
	ibuf_mbuf_free(m);
	assert_true(ibuf_mbuf_is_unique(clone));
	ibuf_mbuf_free(clone);
}

TEST(linearize_of_slices_of_one_room_keeps_them_apart)
{
	struct ibuf_mbuf *room = message_of("abcdefgh", 8);
	struct ibuf_mbuf *m = ibuf_mbuf_slice(room, 6, 2);

	/* Backwards, so that nothing rejoins. */
	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_slice(room, 3, 2)), 0);
	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_slice(room, 0, 2)), 0);
	assert_int_equal(ibuf_mbuf_segments(m), 3);
	ibuf_mbuf_free(room);
	assert_int_equal(ibuf_mbuf_linearize(m), 0);
	assert_message(m, "ghdeab", 6);
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
}

static void
count_release(void *bytes, size_t len, void *arg)
{
	(void)bytes;
	(void)len;
	++*(int *)arg;
}

TEST(linearize_gives_wrapped_memory_back)
{
	int released[2] = {0, 0};
	char bytes[] = "abcdef";
	struct ibuf_mbuf *m =
		ibuf_mbuf_wrap(bytes, 3, count_release, &released[0]);
	struct ibuf_mbuf *tail =
		ibuf_mbuf_wrap_const(bytes + 3, 3, count_release, &released[1]);

	assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	assert_int_equal(released[0] + released[1], 0);
	assert_int_equal(ibuf_mbuf_linearize(m), 0);
	assert_int_equal(released[0], 1);
	assert_int_equal(released[1], 1);
	assert_message(m, "abcdef", 6);
	ibuf_mbuf_free(m);
	assert_int_equal(released[0], 1);
	assert_int_equal(released[1], 1);
	assert_string_equal(bytes, "abcdef");
}

TEST(linearize_of_pool_mbufs_gives_the_elements_back)
{
	struct ibuf_pool *p = ibuf_pool_new(4, 8);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	for (size_t i = 0; i < 9; i += 3) {
		struct ibuf_mbuf *tail = ibuf_pool_alloc(p);

		assert_int_equal(ibuf_mbuf_append(tail, ten + i, 3), 0);
		assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	}
	assert_int_equal(ibuf_mbuf_linearize(m), 0);
	assert_message(m, ten, 9);
	/* Its own handle, and nothing else, is still out. */
	assert_int_equal(ibuf_pool_allocated(p), 1);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(what_is_longer_than_a_segment_can_be_is_not_linearized)
{
#if SIZE_MAX > UINT32_MAX
	/* Nobody looks at the bytes, so they need not be there. */
	static uint8_t bytes[1];
	size_t half = UINT32_C(0x80000000);
	struct ibuf_mbuf *m = ibuf_mbuf_wrap(bytes, half, NULL, NULL);
	struct pieces was;
	size_t calls;

	assert_int_equal(
		ibuf_mbuf_concat(m, ibuf_mbuf_wrap(bytes, half, NULL, NULL)),
		0);
	assert_int_equal(ibuf_mbuf_len(m), 2 * half);
	pieces_take(&was, m);
	calls = fault_calls();
	assert_int_equal(ibuf_mbuf_linearize(m), -EOVERFLOW);
	assert_null(ibuf_mbuf_pullup(m, 2 * half));
	assert_int_equal(fault_calls(), calls);
	assert_pieces(m, &was);
	assert_int_equal(ibuf_mbuf_validate(m), 0);
	ibuf_mbuf_free(m);
#endif
}

/* ---- pullup -------------------------------------------------------- */

TEST(pullup_of_every_length_makes_that_much_contiguous)
{
	for (unsigned cuts = 0; cuts < 1u << 9; cuts += 5) {
		for (size_t n = 0; n <= 10; n++) {
			struct ibuf_mbuf *m = message_cut(ten, 10, cuts);
			const uint8_t *first = ibuf_mbuf_at(m, 0, NULL);
			const uint8_t *data = ibuf_mbuf_pullup(m, n);
			size_t run;

			assert_non_null(data);
			assert_message(m, ten, 10);
			assert_ptr_equal(ibuf_mbuf_at(m, 0, &run), data);
			assert_true(run >= n);
			assert_memory_equal(data, ten, n);
			/* No more is gathered than was asked for. */
			if (data != first)
				assert_int_equal(run, n);
			ibuf_mbuf_free(m);
		}
	}
}

TEST(pullup_leaves_the_other_bytes_where_they_are)
{
	struct ibuf_mbuf *m = three_segments();
	const uint8_t *six = ibuf_mbuf_at(m, 6, NULL);
	const uint8_t *nine = ibuf_mbuf_at(m, 9, NULL);
	uint64_t copied = heap_copied_bytes();

	assert_non_null(ibuf_mbuf_pullup(m, 6));
	assert_message(m, ten, 10);
	assert_int_equal(ibuf_mbuf_segments(m), 3);
	assert_ptr_equal(ibuf_mbuf_at(m, 6, NULL), six);
	assert_ptr_equal(ibuf_mbuf_at(m, 9, NULL), nine);
	/* Four moved to where two more fit. */
	assert_int_equal(heap_copied_bytes(), copied + 4 + 2);
	assert_non_null(ibuf_mbuf_pullup(m, 7));
	assert_message(m, ten, 10);
	assert_int_equal(ibuf_mbuf_segments(m), 2);
	ibuf_mbuf_free(m);
}

TEST(pullup_past_the_end_is_refused_and_changes_nothing)
{
	struct ibuf_mbuf *m = three_segments();
	struct pieces was;

	pieces_take(&was, m);
	assert_null(ibuf_mbuf_pullup(m, 11));
	assert_null(ibuf_mbuf_pullup(m, SIZE_MAX));
	assert_pieces(m, &was);
	assert_message(m, ten, 10);
	ibuf_mbuf_free(m);
	m = ibuf_mbuf_new(20);
	assert_null(ibuf_mbuf_pullup(m, 1));
	assert_non_null(ibuf_mbuf_pullup(m, 0));
	ibuf_mbuf_free(m);
}

TEST(pullup_leaves_whoever_shares_the_segments_alone)
{
	struct ibuf_mbuf *m = three_segments();
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct ibuf_mbuf *front;

	assert_non_null(ibuf_mbuf_pullup(m, 5));
	assert_message(m, ten, 10);
	assert_message(clone, ten, 10);
	/* The byte in front of what is left of "456" is the clone's. */
	front = ibuf_mbuf_split(m, 5);
	assert_int_equal(ibuf_mbuf_headroom(front), 0);
	assert_int_equal(ibuf_mbuf_prepend(front, "X", 1), 0);
	assert_message(front, "X56789", 6);
	assert_message(clone, ten, 10);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(front);
}

/* ---- failures ------------------------------------------------------ */

static void
make_three(struct failure *w)
{
	w->m = three_segments();
}

static void
make_shared(struct failure *w)
{
	w->m = three_segments();
	w->peer = ibuf_mbuf_clone(w->m);
}

static void
make_pooled(struct failure *w)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = 8;
	o.max = 1;
	assert_int_equal(ibuf_pool_create(&w->pool, &o), 0);
	w->m = ibuf_pool_alloc(w->pool);
	assert_int_equal(ibuf_mbuf_append(w->m, ten, 4), 0);
	add_segment(w->m, ten + 4, 6);
	w->peer = ibuf_mbuf_clone(w->m);
}

static int
linearize_it(struct failure *w)
{
	int error = ibuf_mbuf_linearize(w->m);

	if (error == 0)
		assert_int_equal(ibuf_mbuf_segments(w->m), 1);
	return error;
}

static int
pull_up_9(struct failure *w)
{
	return ibuf_mbuf_pullup(w->m, 9) == NULL ? -ENOMEM : 0;
}

TEST(linearize_or_pullup_that_finds_no_memory_changes_nothing)
{
	assert_survives(make_three, linearize_it, ten, 10);
	assert_survives(make_three, pull_up_9, ten, 10);
	assert_survives(make_shared, linearize_it, ten, 10);
	assert_survives(make_shared, pull_up_9, ten, 10);
	assert_survives(make_pooled, linearize_it, ten, 10);
	assert_survives(make_pooled, pull_up_9, ten, 10);
}
