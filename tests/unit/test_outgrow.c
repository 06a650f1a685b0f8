/*
 * test_outgrow.c - pool mbufs that outgrow their mbuf, and the private
 * area that stays with the handle.
 */
#include "messages.h"
#include "pools.h"
#include "states.h"

/* ---- outgrow, and come back ---------------------------------------- */

/* All of a pool's mbufs are there and as they were made. */
static void
assert_all_fresh(struct ibuf_pool *p, size_t n)
{
	struct ibuf_mbuf *ms[16];

	assert_books(p, 0);
	assert_int_equal(take_all(p, ms, 16), n);
	for (size_t i = 0; i < n; i++)
		assert_fresh(p, ms[i], 16, 64);
	ibuf_mbuf_free_bulk(ms, n);
}

TEST(a_pool_mbuf_that_outgrows_its_mbuf_comes_back_at_its_first_size)
{
	struct ibuf_pool *p = pool_of(2, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	size_t blocks = fault_live_blocks();

	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 64), 0);
	assert_sizes(m, 16, 64, 0, 64);
	assert_int_equal(fault_live_blocks(), blocks);
	assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
	assert_sizes(m, 16, 65, 31, 96);
	assert_int_equal(fault_live_blocks(), blocks + 1);
	assert_ptr_equal(ibuf_mbuf_pool(m), p);
	assert_books(p, 1);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 100), 0);
	assert_sizes(m, 16, 165, 0, 165);
	ibuf_mbuf_free(m);
	assert_int_equal(fault_live_blocks(), blocks);
	assert_all_fresh(p, 2);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_pool_mbuf_that_outgrows_its_front_comes_back_at_its_first_size)
{
	struct ibuf_pool *p = pool_of(2, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	assert_non_null(ibuf_mbuf_extend_head(m, 16));
	assert_sizes(m, 0, 16, 64, 64);
	assert_non_null(ibuf_mbuf_extend_head(m, 1));
	/* It slides: 64 free bytes, half of them in front, less 1. */
	assert_sizes(m, 31, 17, 32, 64);
	assert_non_null(ibuf_mbuf_extend_head(m, 64));
	/* C' = max(64 + 32, 17 + 64), h0 16; half of 95 free ones, 31 stay. */
	assert_sizes(m, 0, 81, 31, 96);
	ibuf_mbuf_free(m);
	assert_all_fresh(p, 2);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_grown_pool_mbuf_that_fits_again_shrinks_into_its_mbuf)
{
	struct ibuf_pool *p = pool_of(1, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	size_t blocks = fault_live_blocks();

	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 200), 0);
	assert_int_equal(ibuf_mbuf_trim_tail(m, 135), 0);
	assert_int_equal(ibuf_mbuf_shrink(m), 0);
	assert_sizes(m, 0, 65, 0, 65);
	assert_int_equal(ibuf_mbuf_trim_head(m, 1), 0);
	assert_int_equal(ibuf_mbuf_shrink(m), 0);
	assert_sizes(m, 16, 64, 0, 64);
	assert_int_equal(fault_live_blocks(), blocks);
	/* In its mbuf it has nothing to gain. */
	assert_int_equal(ibuf_mbuf_trim_head(m, 60), 0);
	assert_int_equal(ibuf_mbuf_shrink(m), 0);
	assert_sizes(m, 76, 4, 0, 64);
	ibuf_mbuf_free(m);
	assert_all_fresh(p, 1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_segment_that_leaves_a_shared_room_takes_an_mbuf_when_it_fits)
{
	struct ibuf_pool *p = pool_of(3, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *clone, *slice;
	size_t blocks;

	assert_int_equal(ibuf_mbuf_append(m, "hello", 5), 0);
	clone = ibuf_mbuf_clone(m);
	slice = ibuf_mbuf_slice(m, 1, 3);
	assert_books(p, 1);
	assert_int_equal(ibuf_pool_reserve(p, 2), 0);
	blocks = fault_live_blocks();
	assert_int_equal(ibuf_mbuf_append(clone, "X", 1), 0);
	assert_sizes(clone, 16, 6, 58, 64);
	assert_books(p, 2);
	assert_int_equal(ibuf_mbuf_append_fill(slice, 'Y', 61), 0);
	assert_sizes(slice, 16, 64, 0, 64);
	assert_books(p, 3);
	assert_int_equal(fault_live_blocks(), blocks);
	assert_message(m, "hello", 5);
	assert_message(clone, "helloX", 6);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(slice);
	assert_all_fresh(p, 3);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_segment_that_leaves_a_shared_room_takes_the_heap_when_it_must)
{
	struct ibuf_pool *p = pool_of(1, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *clone, *slice;

	assert_int_equal(ibuf_mbuf_append(m, "hello", 5), 0);
	clone = ibuf_mbuf_clone(m);
	slice = ibuf_mbuf_slice(m, 1, 3);
	/* The pool has no more. */
	assert_int_equal(ibuf_mbuf_append(clone, "X", 1), 0);
	assert_sizes(clone, 16, 6, 58, 64);
	assert_ptr_equal(ibuf_mbuf_pool(clone), p);
	/* It would not fit. */
	assert_int_equal(ibuf_mbuf_append_fill(slice, 'Y', 62), 0);
	assert_sizes(slice, 16, 65, 0, 65);
	assert_books(p, 1);
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free_bulk((struct ibuf_mbuf *[]){m, clone, slice}, 3);
	assert_all_fresh(p, 1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* The header moves, frees, and its room is back only with the last segment. */
TEST(an_mbuf_goes_back_when_handle_and_segments_are_gone_in_any_order)
{
	for (int order = 0; order < 4; order++) {
		struct ibuf_pool *p = pool_of(2, 0);
		struct ibuf_mbuf *m = ibuf_pool_alloc(p), *clone;

		assert_int_equal(ibuf_mbuf_append(m, "hello", 5), 0);
		clone = ibuf_mbuf_clone(m);
		if (order >= 2) {
			/* Parked: the handle looks elsewhere. */
			assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 200), 0);
			assert_books(p, 1);
		}
		ibuf_mbuf_free(order % 2 == 0 ? m : clone);
		assert_books(p, 1);
		if (order % 2 == 0)
			assert_message(clone, "hello", 5);
		else
			assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
		ibuf_mbuf_free(order % 2 == 0 ? clone : m);
		assert_all_fresh(p, 2);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

/* ---- the private area ---------------------------------------------- */

#define PRIVATE 40

static struct ibuf_pool *
pool_with_private(size_t size)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = 64;
	o.headroom = 16;
	o.private_size = size;
	o.cache = 0;
	return pool_with(&o);
}

static void
assert_zero_private(struct ibuf_mbuf *m)
{
	static const uint8_t zero[PRIVATE];
	uint8_t *private = ibuf_mbuf_private(m);

	assert_non_null(private);
	assert_int_equal((uintptr_t) private % 16, 0);
	assert_memory_equal(private, zero, PRIVATE);
}

TEST(private_bytes_are_zero_at_birth_again_and_again)
{
	struct ibuf_pool *p = pool_with_private(PRIVATE);

	for (int i = 0; i < 5; i++) {
		struct ibuf_mbuf *m = ibuf_pool_alloc(p);
		struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

		assert_zero_private(m);
		assert_zero_private(clone);
		memset(ibuf_mbuf_private(m), 0xa5, PRIVATE);
		memset(ibuf_mbuf_private(clone), 0x5a, PRIVATE);
		ibuf_mbuf_free(m);
		ibuf_mbuf_free(clone);
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(each_handle_has_private_bytes_of_its_own)
{
	struct ibuf_pool *p = pool_with_private(PRIVATE);
	struct ibuf_mbuf *ms[5];

	ms[0] = ibuf_pool_alloc(p);
	assert_int_equal(ibuf_mbuf_append(ms[0], "hello", 5), 0);
	memset(ibuf_mbuf_private(ms[0]), 0xa0, PRIVATE);
	ms[1] = ibuf_mbuf_clone(ms[0]);
	ms[2] = ibuf_mbuf_slice(ms[0], 1, 2);
	ms[3] = ibuf_mbuf_split(ms[0], 3);
	ms[4] = ibuf_mbuf_copy(ms[0], 0, 3);
	for (int i = 1; i < 5; i++) {
		assert_zero_private(ms[i]);
		memset(ibuf_mbuf_private(ms[i]), 0xa0 + i, PRIVATE);
	}
	for (int i = 0; i < 5; i++)
		for (int j = 0; j < PRIVATE; j++)
			assert_int_equal(
				((uint8_t *)ibuf_mbuf_private(ms[i]))[j],
				0xa0 + i);
	ibuf_mbuf_free_bulk(ms, 5);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(private_bytes_stay_whatever_happens_to_the_message)
{
	struct ibuf_pool *p = pool_with_private(PRIVATE);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *clone, *tail;
	void *private = ibuf_mbuf_private(m);

#define assert_private()                                                       \
	do {                                                                   \
		assert_int_equal(ibuf_mbuf_validate(m), 0);                    \
		assert_ptr_equal(ibuf_mbuf_private(m), private);               \
		assert_string_equal(private, "mine");                          \
	} while (0)
	memcpy(private, "mine", 5);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 500), 0);
	assert_private();
	assert_int_equal(ibuf_mbuf_trim_head(m, 490), 0);
	assert_int_equal(ibuf_mbuf_shrink(m), 0);
	assert_private();
	clone = ibuf_mbuf_clone(m);
	assert_int_equal(ibuf_mbuf_unshare(m), 0);
	assert_private();
	ibuf_mbuf_clear(m);
	assert_private();
	/* An empty head takes over the segment of the tail, not its bytes. */
	memcpy(ibuf_mbuf_private(clone), "other", 6);
	assert_int_equal(ibuf_mbuf_concat(m, clone), 0);
	assert_private();
	tail = ibuf_pool_alloc(p);
	assert_int_equal(ibuf_mbuf_append(tail, "tail", 4), 0);
	memcpy(ibuf_mbuf_private(tail), "other", 6);
	assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	assert_int_equal(ibuf_mbuf_trim_head(m, 11), 0);
	assert_message(m, "ail", 3);
	assert_private();
#undef assert_private
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(without_a_private_size_there_are_no_private_bytes)
{
	struct ibuf_pool *p = pool_with_private(0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

	assert_null(ibuf_mbuf_private(m));
	assert_null(ibuf_mbuf_private(clone));
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
