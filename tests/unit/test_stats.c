/*
 * test_stats.c - what a pool counts, and that it counts nothing else.
 */
#include "pools.h"

/* ---- the struct ---------------------------------------------------- */

TEST(stats_of_no_size_are_refused)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_pool_stats s, before;

	memset(&s, 0x5a, sizeof(s));
	before = s;
	assert_int_equal(ibuf_pool_get_stats(p, &s, 0), -EINVAL);
	assert_int_equal(ibuf_pool_get_stats(NULL, &s, 0), -EINVAL);
	assert_memory_equal(&s, &before, sizeof(s));
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_caller_with_a_shorter_struct_gets_what_fits)
{
	struct ibuf_pool *p = ibuf_pool_new(7, 64);
	struct ibuf_pool_stats s;

	for (size_t size = sizeof(uint64_t); size < sizeof(s);
	     size += sizeof(uint64_t)) {
		const uint8_t *behind = (const uint8_t *)&s + size;

		memset(&s, 0x5a, sizeof(s));
		assert_int_equal(ibuf_pool_get_stats(p, &s, size), 0);
		assert_int_equal(s.capacity, 7);
		for (size_t i = 0; i < sizeof(s) - size; i++)
			assert_int_equal(behind[i], 0x5a);
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_caller_with_a_longer_struct_gets_what_there_is)
{
	struct ibuf_pool *p = ibuf_pool_new(7, 64);
	struct {
		struct ibuf_pool_stats known;
		uint8_t unknown[16];
	} s;

	memset(&s, 0x5a, sizeof(s));
	assert_int_equal(ibuf_pool_get_stats(p, (void *)&s, sizeof(s)), 0);
	assert_int_equal(s.known.capacity, 7);
	for (size_t i = 0; i < sizeof(s.unknown); i++)
		assert_int_equal(s.unknown[i], 0x5a);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- counts -------------------------------------------------------- */

TEST(allocs_and_frees_count_elements_and_handles_count_segments)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *clone, *slice, *rest;

	assert_int_equal(ibuf_mbuf_append(m, "0123456789", 10), 0);
	assert_int_equal(stats_of(p).handles, 0);
	clone = ibuf_mbuf_clone(m);
	slice = ibuf_mbuf_slice(m, 2, 3);
	assert_int_equal(stats_of(p).handles, 2);
	rest = ibuf_mbuf_split(clone, 5);
	assert_int_equal(stats_of(p).handles, 3);
	assert_int_equal(stats_of(p).allocs, 1);
	assert_int_equal(stats_of(p).frees, 0);
	assert_int_equal(ibuf_mbuf_concat(clone, rest), 0);
	assert_int_equal(stats_of(p).handles, 2);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(slice);
	assert_int_equal(stats_of(p).handles, 1);
	assert_int_equal(stats_of(p).frees, 0);
	ibuf_mbuf_free(clone);
	assert_int_equal(stats_of(p).handles, 0);
	assert_int_equal(stats_of(p).allocs, 1);
	assert_int_equal(stats_of(p).frees, 1);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_failed_call_is_one_failure_whatever_it_asked_for)
{
	struct ibuf_pool *p = pool_of(2, 0);
	struct ibuf_mbuf *ms[5];

	assert_int_equal(ibuf_pool_alloc_bulk(p, ms, 5), -ENOBUFS);
	assert_int_equal(stats_of(p).failures, 1);
	assert_int_equal(ibuf_pool_reserve(p, 3), -ENOBUFS);
	assert_int_equal(stats_of(p).failures, 2);
	assert_int_equal(ibuf_pool_alloc_upto(p, ms, 5), 2);
	assert_int_equal(stats_of(p).failures, 2);
	assert_null(ibuf_pool_alloc(p));
	assert_int_equal(stats_of(p).failures, 3);
	assert_int_equal(stats_of(p).allocs, 2);
	ibuf_mbuf_free_bulk(ms, 2);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(the_peak_is_never_below_the_true_one)
{
	struct ibuf_pool *p = pool_of(0, IBUF_POOL_CACHE_AUTO);
	struct ibuf_mbuf *ms[150];

	for (size_t n = 150; n > 0; n -= 50) {
		assert_int_equal(take_all(p, ms, n), n);
		assert_true(stats_of(p).peak >= 150);
		assert_true(stats_of(p).peak <= stats_of(p).capacity);
		ibuf_mbuf_free_bulk(ms, n);
	}
	ibuf_pool_flush(p);
	ibuf_pool_trim(p);
	assert_true(stats_of(p).peak >= 150);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(grows_count_pieces_made_after_creation)
{
	struct ibuf_pool *p = ibuf_pool_new(10, 64);
	struct ibuf_mbuf *ms[1000];
	uint64_t grows;

	assert_int_equal(stats_of(p).grows, 0);
	assert_int_equal(take_all(p, ms, 10), 10);
	assert_int_equal(stats_of(p).grows, 0);
	assert_int_equal(take_all(p, ms + 10, 990), 990);
	grows = stats_of(p).grows;
	assert_in_range(grows, 1, 20);
	ibuf_mbuf_free_bulk(ms, 1000);
	assert_int_equal(ibuf_pool_reserve(p, 1000), 0);
	assert_int_equal(stats_of(p).grows, grows);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(mapped_bytes_are_what_the_provider_gave)
{
	struct counting c = {0};
	struct ibuf_provider provider = counting_provider(&c);
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_mbuf *ms[100], *clones[100];

	o.initial = 3;
	o.provider = &provider;

	struct ibuf_pool *p = pool_with(&o);

	assert_int_equal(stats_of(p).mapped_bytes, c.bytes);
	for (int i = 0; i < 100; i++) {
		ms[i] = ibuf_pool_alloc(p);
		clones[i] = ibuf_mbuf_clone(ms[i]);
		assert_int_equal(stats_of(p).mapped_bytes, c.bytes);
	}
	ibuf_mbuf_free_bulk(ms, 100);
	ibuf_mbuf_free_bulk(clones, 100);
	assert_int_equal(stats_of(p).mapped_bytes, c.bytes);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- copied bytes -------------------------------------------------- */

/* How many bytes the pool has copied since it was asked last. */
static uint64_t
copied(const struct ibuf_pool *p, uint64_t *last)
{
	uint64_t now = stats_of(p).copied_bytes;
	uint64_t bytes = now - *last;

	*last = now;
	return bytes;
}

TEST(what_a_call_s_name_says_is_not_counted_as_copied)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *copy, *clone;
	uint8_t out[64];

	assert_int_equal(ibuf_mbuf_append(m, "0123456789", 10), 0);
	assert_int_equal(ibuf_mbuf_prepend(m, "abc", 3), 0);
	assert_int_equal(ibuf_mbuf_write_at(m, 3, "xyz", 3), 0);
	copy = ibuf_mbuf_copy(m, 2, 5);
	clone = ibuf_mbuf_clone(m);
	assert_int_equal(ibuf_mbuf_copy_out(m, 0, out, 13), 0);
	assert_int_equal(ibuf_mbuf_read(m, out, 13), 13);
	assert_int_equal(stats_of(p).copied_bytes, 0);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(copy);
	ibuf_mbuf_free(clone);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(what_the_library_moves_for_its_own_reasons_is_counted)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *clone;
	uint64_t last = 0;

	/* Growth moves what was there. */
	assert_int_equal(ibuf_mbuf_append_fill(m, 'a', 60), 0);
	assert_int_equal(copied(p, &last), 0);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'b', 20), 0);
	assert_int_equal(copied(p, &last), 60);
	/* A private copy is made of what is shared. */
	clone = ibuf_mbuf_clone(m);
	assert_non_null(ibuf_mbuf_data_mut(m));
	assert_int_equal(copied(p, &last), 80);
	assert_non_null(ibuf_mbuf_data_mut(m));
	assert_int_equal(copied(p, &last), 0);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(m);
	/* A slide moves what is left. */
	m = ibuf_pool_alloc(p);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'c', 64), 0);
	assert_int_equal(ibuf_mbuf_trim_head(m, 60), 0);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'd', 40), 0);
	assert_int_equal(copied(p, &last), 4);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(joining_segments_into_one_is_counted)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *tail = ibuf_pool_alloc(p);

	assert_int_equal(ibuf_mbuf_append_fill(m, 'a', 10), 0);
	assert_int_equal(ibuf_mbuf_append_fill(tail, 'b', 20), 0);
	assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	assert_int_equal(stats_of(p).copied_bytes, 0);
	assert_non_null(ibuf_mbuf_pullup(m, 15));
	assert_int_equal(stats_of(p).copied_bytes, 5);
	assert_int_equal(ibuf_mbuf_linearize(m), 0);
	assert_int_equal(stats_of(p).copied_bytes, 20);
	assert_int_equal(ibuf_mbuf_linearize(m), 0);
	assert_int_equal(stats_of(p).copied_bytes, 20);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- the heap ------------------------------------------------------ */

TEST(no_pool_means_the_messages_of_the_heap)
{
	struct ibuf_pool_stats before = stats_of(NULL), s;
	struct ibuf_mbuf *m = ibuf_mbuf_new(10), *clone;

	assert_int_equal(ibuf_mbuf_append(m, "0123456789", 10), 0);
	clone = ibuf_mbuf_clone(m);
	s = stats_of(NULL);
	assert_int_equal(s.handles, before.handles + 2);
	assert_int_equal(s.copied_bytes, before.copied_bytes);
	assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
	s = stats_of(NULL);
	assert_int_equal(s.copied_bytes, before.copied_bytes + 10);
	assert_int_equal(s.capacity, s.allocated + s.available);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	s = stats_of(NULL);
	assert_int_equal(s.handles, before.handles);
}

TEST(the_peak_stays_when_slabs_have_left_and_fewer_come)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *ms[50];

	assert_int_equal(take_all(p, ms, 50), 50);
	assert_int_equal(stats_of(p).peak, 50);
	ibuf_mbuf_free_bulk(ms, 50);
	assert_true(ibuf_pool_trim(p) > 0);
	ibuf_mbuf_free(ibuf_pool_alloc(p));
	assert_int_equal(stats_of(p).peak, 50);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
