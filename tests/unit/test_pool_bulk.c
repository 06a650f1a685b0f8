/*
 * test_pool_bulk.c - many mbufs at once: all or none, or as many as there
 * are; and stock that is asked for.
 */
#include "pools.h"

#include <limits.h>

/* ---- all or none --------------------------------------------------- */

/* What stands in an array before a call that must not write to it. */
#define UNTOUCHED ((struct ibuf_mbuf *)(uintptr_t)0x5a)

static void
assert_bulk_refused(struct ibuf_pool *p, size_t n, int expected)
{
	struct ibuf_mbuf *out[8];
	struct ibuf_pool_stats before = stats_of(p);

	for (size_t i = 0; i < 8; i++)
		out[i] = UNTOUCHED;
	assert_int_equal(ibuf_pool_alloc_bulk(p, out, n), expected);
	for (size_t i = 0; i < 8; i++)
		assert_ptr_equal(out[i], UNTOUCHED);
	assert_books(p, before.allocated);
	assert_int_equal(stats_of(p).failures, before.failures + 1);
	assert_int_equal(stats_of(p).capacity, before.capacity);
}

TEST(a_bulk_is_all_or_none)
{
	struct ibuf_pool *p = pool_of(4, 0);
	struct ibuf_mbuf *ms[4];

	assert_int_equal(ibuf_pool_alloc_bulk(p, NULL, 0), 0);
	assert_books(p, 0);
	assert_bulk_refused(p, 5, -ENOBUFS);
	assert_bulk_refused(p, UINT_MAX, -ENOBUFS);
	assert_bulk_refused(p, SIZE_MAX, -ENOBUFS);
	assert_int_equal(ibuf_pool_alloc_bulk(p, ms, 4), 0);
	for (int i = 0; i < 4; i++)
		assert_fresh(p, ms[i], 16, 64);
	assert_books(p, 4);
	assert_int_equal(ibuf_pool_alloc_bulk(p, NULL, 0), 0);
	assert_bulk_refused(p, 1, -ENOBUFS);
	ibuf_mbuf_free(ms[2]);
	assert_bulk_refused(p, 2, -ENOBUFS);
	assert_int_equal(ibuf_pool_alloc_bulk(p, &ms[2], 1), 0);
	ibuf_mbuf_free_bulk(ms, 4);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_bulk_that_no_memory_could_hold_is_refused)
{
	struct ibuf_pool *p = pool_of(0, 0);

	assert_bulk_refused(p, SIZE_MAX, -ENOMEM);
	assert_bulk_refused(p, SIZE_MAX / 2 + 1, -ENOMEM);
	assert_bulk_refused(p, SIZE_MAX / 64, -ENOMEM);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_bulk_survives_every_failed_allocation)
{
	bool struck;
	size_t n = 0;

	do {
		struct ibuf_pool *p = pool_of(0, IBUF_POOL_CACHE_AUTO);
		struct ibuf_mbuf *ms[300];
		int error;

		memset(ms, 0, sizeof(ms));
		fault_at(++n);
		error = ibuf_pool_alloc_bulk(p, ms, 300);
		struck = fault_off();
		if (struck && error != 0) {
			assert_int_equal(error, -ENOMEM);
			assert_null(ms[0]);
			assert_books(p, 0);
			assert_int_equal(stats_of(p).failures, 1);
			error = ibuf_pool_alloc_bulk(p, ms, 300);
		}
		assert_int_equal(error, 0);
		assert_books(p, 300);
		ibuf_mbuf_free_bulk(ms, 300);
		assert_books(p, 0);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	} while (struck);
	assert_true(n > 1);
}

TEST(bulks_of_sizes_around_the_cache_lose_none)
{
	enum { CACHE = 16 };
	static const size_t sizes[] = {1,         CACHE - 1,     CACHE,
				       CACHE + 1, CACHE * 3 / 2, 2 * CACHE - 1,
				       2 * CACHE, 2 * CACHE + 1};

	for (size_t i = 0; i < 8 * 8; i++) {
		size_t taken = sizes[i / 8], given = sizes[i % 8];
		struct ibuf_pool *p = pool_of(80, CACHE);
		struct ibuf_mbuf *ms[81];

		for (int round = 0; round < 5; round++) {
			size_t left = taken, n;

			assert_int_equal(ibuf_pool_alloc_bulk(p, ms, taken), 0);
			assert_books(p, taken);
			while (left != 0) {
				n = left < given ? left : given;
				left -= n;
				ibuf_mbuf_free_bulk(ms + left, n);
				assert_books(p, left);
				assert_true(stats_of(p).cached <= CACHE);
			}
		}
		assert_int_equal(take_all(p, ms, 81), 80);
		ibuf_mbuf_free_bulk(ms, 80);
		assert_books(p, 0);
		assert_true(stats_of(p).cached <= CACHE);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

TEST(free_bulk_skips_what_is_null)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *ms[5] = {NULL};

	ms[1] = ibuf_pool_alloc(p);
	ms[3] = ibuf_mbuf_from("heap", 4);
	ibuf_mbuf_free_bulk(ms, 5);
	ibuf_mbuf_free_bulk(NULL, 0);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- as many as there are ------------------------------------------ */

/* Direct headers, segments, a chain, one that moved away, a heap's; of two pools. */
TEST(free_bulk_takes_messages_of_every_kind_and_owner)
{
	struct ibuf_pool *p = pool_of(0, 0), *other = pool_of(0, 0);
	struct ibuf_mbuf *ms[10];

	for (int i = 0; i < 8; i++)
		ms[i] = ibuf_pool_alloc(i % 2 == 0 ? p : other);
	ms[8] = ibuf_mbuf_clone(ms[0]);
	ms[9] = ibuf_mbuf_from("heap", 4);
	assert_int_equal(ibuf_mbuf_append(ms[2], "abcd", 4), 0);
	assert_int_equal(ibuf_mbuf_concat(ms[2], ms[3]), 0);
	ms[3] = ibuf_mbuf_slice(ms[2], 1, 2);
	assert_int_equal(ibuf_mbuf_append_fill(ms[4], 'x', 5000), 0);
	ibuf_mbuf_free_bulk(ms, 10);
	assert_books(p, 0);
	assert_books(other, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(ibuf_pool_destroy(other), 0);
}

TEST(free_bulk_brings_back_what_outlived_its_pool)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *ms[100];

	assert_int_equal(ibuf_pool_alloc_bulk(p, ms, 100), 0);
	ibuf_mbuf_free_bulk(ms, 20);
	assert_int_equal(ibuf_pool_destroy(p), 80);
	ibuf_mbuf_free_bulk(ms + 20, 80); /* or the test leaks */
}

TEST(up_to_n_gives_what_there_is_and_that_is_no_failure)
{
	struct ibuf_pool *p = pool_of(6, IBUF_POOL_CACHE_AUTO);
	struct ibuf_mbuf *ms[10];

	assert_int_equal(ibuf_pool_alloc_upto(p, NULL, 0), 0);
	assert_int_equal(ibuf_pool_alloc_upto(p, ms, 4), 4);
	assert_books(p, 4);
	assert_int_equal(ibuf_pool_alloc_upto(p, ms + 4, 6), 2);
	assert_int_equal(ibuf_pool_alloc_upto(p, ms + 6, 4), 0);
	for (int i = 0; i < 6; i++)
		assert_fresh(p, ms[i], 16, 64);
	assert_books(p, 6);
	assert_int_equal(stats_of(p).failures, 0);
	assert_int_equal(stats_of(p).capacity, 6);
	ibuf_mbuf_free_bulk(ms, 6);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(up_to_n_gives_what_there_is_when_memory_is_gone)
{
	struct ibuf_pool *p = ibuf_pool_new(5, 64);
	struct ibuf_mbuf *ms[9];

	ibuf_mbuf_free(ibuf_pool_alloc(p));
	fault_from(1);
	assert_int_equal(ibuf_pool_alloc_upto(p, ms, 9), 5);
	fault_off();
	assert_books(p, 5);
	assert_int_equal(ibuf_pool_alloc_upto(p, ms + 5, 4), 4);
	assert_books(p, 9);
	ibuf_mbuf_free_bulk(ms, 9);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- reserve ------------------------------------------------------- */

TEST(what_is_reserved_needs_no_memory_later)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *ms[100];

	ibuf_mbuf_free(ibuf_pool_alloc(p));
	assert_int_equal(ibuf_pool_reserve(p, 100), 0);
	assert_true(ibuf_pool_available(p) >= 100);
	assert_books(p, 0);
	fault_from(1);
	assert_int_equal(take_all(p, ms, 100), 100);
	fault_off();
	ibuf_mbuf_free_bulk(ms, 100);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(reserving_what_is_there_does_nothing)
{
	struct ibuf_pool *p = ibuf_pool_new(10, 64);
	struct ibuf_pool_stats before = stats_of(p);

	fault_from(1);
	assert_int_equal(ibuf_pool_reserve(p, 0), 0);
	assert_int_equal(ibuf_pool_reserve(p, 9), 0);
	assert_int_equal(ibuf_pool_reserve(p, 10), 0);
	assert_false(fault_off());
	assert_int_equal(stats_of(p).capacity, before.capacity);
	assert_int_equal(stats_of(p).grows, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(reserving_more_than_max_leaves_is_refused_and_changes_nothing)
{
	struct ibuf_pool *p = pool_of(10, 0);
	struct ibuf_mbuf *ms[4];

	assert_int_equal(ibuf_pool_alloc_bulk(p, ms, 4), 0);
	struct ibuf_pool_stats before = stats_of(p);

	assert_int_equal(ibuf_pool_reserve(p, 7), -ENOBUFS);
	assert_int_equal(ibuf_pool_reserve(p, SIZE_MAX), -ENOBUFS);
	assert_int_equal(stats_of(p).capacity, before.capacity);
	assert_books(p, 4);
	assert_int_equal(ibuf_pool_reserve(p, 6), 0);
	assert_int_equal(ibuf_pool_available(p), 6);
	assert_int_equal(stats_of(p).capacity, 10);
	ibuf_mbuf_free_bulk(ms, 4);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(reserve_survives_every_failed_allocation)
{
	bool struck;
	size_t n = 0;

	do {
		struct ibuf_pool *p = pool_of(0, 0);
		int error;

		fault_at(++n);
		error = ibuf_pool_reserve(p, 500);
		struck = fault_off();
		/* It may be had in smaller pieces. */
		if (error != 0) {
			assert_true(struck);
			assert_int_equal(error, -ENOMEM);
			assert_int_equal(stats_of(p).capacity, 0);
			assert_int_equal(stats_of(p).mapped_bytes, 0);
			assert_books(p, 0);
			error = ibuf_pool_reserve(p, 500);
		}
		assert_int_equal(error, 0);
		assert_true(ibuf_pool_available(p) >= 500);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	} while (struck);
	assert_true(n > 1);
}

TEST(reserving_what_no_memory_could_hold_is_refused)
{
	struct ibuf_pool *p = pool_of(0, 0);

	assert_int_equal(ibuf_pool_reserve(p, SIZE_MAX), -ENOMEM);
	assert_int_equal(ibuf_pool_reserve(p, SIZE_MAX / 64), -ENOMEM);
	assert_int_equal(stats_of(p).capacity, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_bulk_of_each_size_is_had_wherever_the_free_ones_lie)
{
	enum { ALL = 9 };
	struct ibuf_pool *p = pool_of(ALL, 2);
	struct ibuf_mbuf *ms[ALL];

	for (size_t before = 1; before <= ALL; before++) {
		for (size_t n = 1; n <= ALL; n++) {
			assert_int_equal(take_all(p, ms, before), before);
			ibuf_mbuf_free_bulk(ms, before);
			ibuf_pool_flush(p);
			assert_int_equal(ibuf_pool_alloc_bulk(p, ms, n), 0);
			assert_books(p, n);
			ibuf_mbuf_free_bulk(ms, n);
		}
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- flush ------------------------------------------------ */

TEST(flush_keeps_nothing_back)
{
	struct ibuf_pool *p = pool_of(0, 32);
	struct ibuf_mbuf *ms[100];

	ibuf_pool_flush(p);
	assert_int_equal(take_all(p, ms, 100), 100);
	ibuf_mbuf_free_bulk(ms, 100);
	assert_true(stats_of(p).cached <= 32);
	ibuf_pool_flush(p);
	assert_int_equal(stats_of(p).cached, 0);
	assert_books(p, 0);
	ibuf_pool_flush(p);
	assert_int_equal(take_all(p, ms, 100), 100);
	ibuf_mbuf_free_bulk(ms, 100);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
