/*
 * test_pool.c - mbufs go out of a pool one at a time and come back.
 */
#include "pools.h"

/* ---- alloc --------------------------------------------------------- */

TEST(mbufs_are_distinct_aligned_and_disjoint)
{
	enum { N = 200 };
	struct ibuf_pool *p = ibuf_pool_new(50, 96);
	struct ibuf_mbuf *ms[N];

	assert_int_equal(take_all(p, ms, N), N);
	for (size_t i = 0; i < N; i++) {
		assert_fresh(p, ms[i], 128, 96);
		assert_int_equal((uintptr_t)ibuf_mbuf_data(ms[i]) % 64, 0);
		memset(ibuf_mbuf_extend_tail(ms[i], 96), (int)i, 96);
		memset(ibuf_mbuf_extend_head(ms[i], 128), (int)i, 128);
	}
	for (size_t i = 0; i < N; i++) {
		uint8_t pattern[96 + 128];

		memset(pattern, (int)i, sizeof(pattern));
		assert_message(ms[i], pattern, sizeof(pattern));
	}
	assert_books(p, N);
	ibuf_mbuf_free_bulk(ms, N);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(the_eleventh_of_ten_makes_the_pool_grow_by_one_piece)
{
	struct counting c = {0};
	struct ibuf_provider provider = counting_provider(&c);
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_mbuf *ms[11];

	o.initial = 10;
	o.capacity = 1024;
	o.provider = &provider;

	struct ibuf_pool *p = pool_with(&o);
	size_t maps = c.maps;

	for (int i = 0; i < 10; i++) {
		ms[i] = ibuf_pool_alloc(p);
		assert_int_equal(ibuf_pool_available(p), 9 - i);
		assert_int_equal(piece_of(&c, ms[i]), piece_of(&c, ms[0]));
	}
	assert_int_equal(c.maps, maps);
	assert_int_equal(stats_of(p).grows, 0);
	ms[10] = ibuf_pool_alloc(p);
	assert_non_null(ms[10]);
	assert_true(piece_of(&c, ms[10]) < PIECES);
	assert_int_not_equal(piece_of(&c, ms[10]), piece_of(&c, ms[0]));
	assert_int_equal(stats_of(p).grows, 1);
	assert_true(stats_of(p).capacity >= 11);
	assert_int_equal(stats_of(p).mapped_bytes, c.bytes);
	assert_books(p, 11);
	ibuf_mbuf_free_bulk(ms, 11);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(c.bytes, 0);
}

TEST(a_pool_grows_to_its_max_exactly_and_never_past_it)
{
	for (size_t max = 1; max <= 300; max += max < 20 ? 1 : 93) {
		static struct ibuf_mbuf *ms[301];
		struct ibuf_pool *p = pool_of(max, IBUF_POOL_CACHE_AUTO);

		for (size_t i = 0; i < max; i++) {
			ms[i] = ibuf_pool_alloc(p);
			assert_non_null(ms[i]);
			assert_true(stats_of(p).capacity <= max);
		}
		assert_null(ibuf_pool_alloc(p));
		assert_int_equal(stats_of(p).capacity, max);
		assert_books(p, max);
		ibuf_mbuf_free_bulk(ms, max);
		assert_books(p, 0);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

TEST(at_max_an_alloc_fails_until_one_comes_back)
{
	struct ibuf_pool *p = pool_of(3, 0);
	struct ibuf_mbuf *ms[3];

	assert_int_equal(take_all(p, ms, 3), 3);
	for (uint64_t i = 1; i <= 3; i++) {
		assert_null(ibuf_pool_alloc(p));
		assert_int_equal(stats_of(p).failures, i);
		assert_books(p, 3);
	}
	ibuf_mbuf_free(ms[1]);
	ms[1] = ibuf_pool_alloc(p);
	assert_fresh(p, ms[1], 16, 64);
	assert_null(ibuf_pool_alloc(p));
	ibuf_mbuf_free_bulk(ms, 3);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(alloc_survives_every_failed_allocation)
{
	bool struck;
	size_t n = 0;

	do {
		struct ibuf_pool *p = pool_of(0, IBUF_POOL_CACHE_AUTO);
		struct ibuf_mbuf *m;

		fault_at(++n);
		m = ibuf_pool_alloc(p);
		struck = fault_off();
		if (struck && m == NULL) {
			assert_books(p, 0);
			assert_int_equal(stats_of(p).failures, 1);
			assert_int_equal(stats_of(p).capacity, 0);
			m = ibuf_pool_alloc(p);
		}
		assert_fresh(p, m, 16, 64);
		assert_books(p, 1);
		ibuf_mbuf_free(m);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	} while (struck);
	assert_true(n > 1);
}

TEST(when_memory_is_gone_what_is_there_still_goes_out)
{
	struct ibuf_pool *p = ibuf_pool_new(5, 64);
	struct ibuf_mbuf *ms[6];

	/* Whatever a thread's first call allocates is allocated before. */
	ibuf_mbuf_free(ibuf_pool_alloc(p));
	fault_from(1);
	assert_int_equal(take_all(p, ms, 6), 5);
	fault_off();
	assert_books(p, 5);
	ibuf_mbuf_free_bulk(ms, 5);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- what comes back is as new -------------------------------------- */

/* Make everything about a message unlike a fresh one. */
static void
dirty(struct ibuf_mbuf *m, int how)
{
	struct ibuf_mbuf *other;

	memset(ibuf_mbuf_private(m), 0xff, 24);
	assert_int_equal(ibuf_mbuf_append_fill(m, 0xaa, 64), 0);
	assert_int_equal(ibuf_mbuf_prepend(m, "0123456789abcdef", 16), 0);
	switch (how) {
	case 0: /* no headroom left, no tailroom left */
		break;
	case 1: /* to the heap */
		assert_int_equal(ibuf_mbuf_append_fill(m, 0xbb, 1000), 0);
		break;
	case 2: /* segments behind it */
		other = ibuf_mbuf_from("tail", 4);
		assert_int_equal(ibuf_mbuf_concat(m, other), 0);
		break;
	case 3: /* without rights */
		other = ibuf_mbuf_split(m, 30);
		assert_non_null(other);
		ibuf_mbuf_free(other);
		break;
	case 4: /* another segment was here, and both have moved */
		other = ibuf_mbuf_clone(m);
		assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
		ibuf_mbuf_free(other);
		break;
	case 5: /* emptied from the front */
		assert_int_equal(ibuf_mbuf_trim_head(m, 80), 0);
		break;
	case 6: /* the first segment is somebody else's segment */
		other = ibuf_mbuf_from("tail", 4);
		assert_int_equal(ibuf_mbuf_concat(m, other), 0);
		assert_int_equal(ibuf_mbuf_trim_head(m, 81), 0);
		break;
	default: /* read-only bytes */
		ibuf_mbuf_clear(m);
		other = ibuf_mbuf_wrap_const("const", 5, NULL, NULL);
		assert_int_equal(ibuf_mbuf_concat(m, other), 0);
		break;
	}
	assert_int_equal(ibuf_mbuf_validate(m), 0);
}

TEST(whatever_was_done_to_an_mbuf_the_next_owner_gets_a_fresh_one)
{
	static const uint8_t zeros[24];
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = 64;
	o.headroom = 16;
	o.private_size = sizeof(zeros);
	o.max = 1;
	for (unsigned flags = 0; flags <= IBUF_POOL_F_WIPE; flags++) {
		o.flags = flags;

		struct ibuf_pool *p = pool_with(&o);

		for (int how = 0; how < 8; how++) {
			struct ibuf_mbuf *m = ibuf_pool_alloc(p);

			assert_fresh(p, m, 16, 64);
			assert_memory_equal(ibuf_mbuf_private(m), zeros,
					    sizeof(zeros));
			dirty(m, how);
			ibuf_mbuf_free(m);
			assert_books(p, 0);
		}
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

TEST(an_mbuf_that_outgrew_its_mbuf_comes_back_at_the_old_size)
{
	struct ibuf_pool *p = pool_of(1, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	const uint8_t *home = ibuf_mbuf_data(m);
	size_t blocks;

	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 64), 0);
	blocks = fault_live_blocks();
	assert_int_equal(ibuf_mbuf_append_fill(m, 'y', 10000), 0);
	assert_true(fault_live_blocks() > blocks);
	assert_ptr_not_equal(ibuf_mbuf_data(m), home);
	assert_ptr_equal(ibuf_mbuf_pool(m), p);
	assert_books(p, 1); /* the handle is still in use */
	ibuf_mbuf_free(m);
	assert_int_equal(fault_live_blocks(), blocks);
	m = ibuf_pool_alloc(p);
	assert_fresh(p, m, 16, 64);
	assert_ptr_equal(ibuf_mbuf_data(m), home);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- clones -------------------------------------------------------- */

TEST(an_mbuf_is_not_free_while_a_clone_looks_at_it)
{
	struct ibuf_pool *p = pool_of(1, 0);

	for (int order = 0; order < 6; order++) {
		static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1},
						 {1, 0, 2}, {1, 2, 0},
						 {2, 0, 1}, {2, 1, 0}};
		struct ibuf_mbuf *ms[3];

		ms[0] = ibuf_pool_alloc(p);
		assert_int_equal(ibuf_mbuf_append(ms[0], "hello", 5), 0);
		ms[1] = ibuf_mbuf_slice(ms[0], 2, 3);
		ms[2] = ibuf_mbuf_clone(ms[1]);
		assert_int_equal(stats_of(p).handles, 2);
		for (int i = 0; i < 2; i++) {
			ibuf_mbuf_free(ms[orders[order][i]]);
			assert_books(p, 1);
			assert_null(ibuf_pool_alloc(p));
		}
		assert_int_equal(ibuf_mbuf_validate(ms[orders[order][2]]), 0);
		ibuf_mbuf_free(ms[orders[order][2]]);
		assert_books(p, 0);
		assert_int_equal(stats_of(p).handles, 0);
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(clones_cost_no_mbuf)
{
	struct ibuf_pool *p = pool_of(2, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	struct ibuf_mbuf *clones[1000];

	assert_int_equal(ibuf_mbuf_clone_bulk(m, clones, 1000), 0);
	assert_int_equal(stats_of(p).handles, 1000);
	assert_books(p, 1);
	ibuf_mbuf_free(m);
	assert_books(p, 1);
	ibuf_mbuf_free_bulk(clones, 1000);
	assert_books(p, 0);
	assert_int_equal(stats_of(p).handles, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(the_mbuf_of_a_handle_that_moved_stays_while_a_clone_looks_at_it)
{
	struct ibuf_pool *p = pool_of(2, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *clone, *third;

	assert_int_equal(ibuf_mbuf_append(m, "bytes", 5), 0);
	clone = ibuf_mbuf_clone(m);
	/* Away from the shared room: to the other mbuf, or the heap. */
	assert_int_equal(ibuf_mbuf_append(clone, "+", 1), 0);
	assert_int_equal(ibuf_mbuf_prepend(m, "-", 1), 0);
	assert_message(m, "-bytes", 6);
	assert_message(clone, "bytes+", 6);
	third = ibuf_mbuf_clone(m);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 1000), 0);
	ibuf_mbuf_free(m);
	assert_message(third, "-bytes", 6);
	assert_message(clone, "bytes+", 6);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(third);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- free ---------------------------------------------------------- */

TEST(the_checked_free_frees_elements_segments_and_nothing)
{
	struct ibuf_pool *p = pool_of(2, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct ibuf_mbuf *grown = ibuf_pool_alloc(p);

	assert_int_equal(ibuf_mbuf_append_fill(grown, 'x', 1000), 0);
	ibuf_pool_free(p, NULL);
	ibuf_pool_free(p, m);
	ibuf_pool_free(p, clone);
	ibuf_pool_free(p, grown);
	assert_books(p, 0);
	assert_int_equal(stats_of(p).handles, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(the_checked_free_frees_the_segments_of_others_behind_its_own)
{
	struct ibuf_pool *p = pool_of(0, 0), *other = pool_of(0, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	struct ibuf_mbuf *tail = ibuf_pool_alloc(other);

	assert_int_equal(ibuf_mbuf_append(m, "a", 1), 0);
	assert_int_equal(ibuf_mbuf_append(tail, "b", 1), 0);
	assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_from("c", 1)), 0);
	ibuf_pool_free(p, m);
	assert_books(p, 0);
	assert_books(other, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(ibuf_pool_destroy(other), 0);
}
