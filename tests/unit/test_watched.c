/*
 * test_watched.c - where the address sanitizer looks, it knows which memory
 * of a pool is free.
 */
#include "test.h"

#if defined(__SANITIZE_ADDRESS__)
#define WATCHED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED
#endif
#endif

#ifdef WATCHED
#include <sanitizer/asan_interface.h>

TEST(the_bytes_of_a_freed_mbuf_are_out_of_bounds_until_it_goes_out_again)
{
	struct ibuf_pool *p = ibuf_pool_new(1, 64);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *again;
	const uint8_t *bytes;

	assert_int_equal(ibuf_mbuf_append(m, "gone", 4), 0);
	bytes = ibuf_mbuf_data(m);
	assert_false(__asan_address_is_poisoned(bytes));
	ibuf_mbuf_free(m);
	assert_true(__asan_address_is_poisoned(bytes));
	assert_true(__asan_address_is_poisoned(bytes + 63));
	again = ibuf_pool_alloc(p);
	assert_ptr_equal(again, m);
	assert_false(__asan_address_is_poisoned(bytes));
	ibuf_mbuf_free(again);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(bytes_that_a_clone_still_shows_stay_in_bounds)
{
	struct ibuf_pool *p = ibuf_pool_new(1, 64);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *clone;

	assert_int_equal(ibuf_mbuf_append(m, "here", 4), 0);
	clone = ibuf_mbuf_clone(m);
	ibuf_mbuf_free(m);
	assert_message(clone, "here", 4);
	ibuf_mbuf_free(clone);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(memory_that_goes_back_to_its_provider_is_in_bounds)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;
	const uint8_t *bytes;
	struct ibuf_mbuf *m;

	o.provider = ibuf_provider_pages();
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	m = ibuf_pool_alloc(p);
	bytes = ibuf_mbuf_data(m);
	ibuf_mbuf_free(m);
	ibuf_pool_flush(p);
	assert_true(ibuf_pool_trim(p) != 0);
	assert_false(__asan_address_is_poisoned(bytes));
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

#else

TEST(nobody_watches_and_freed_mbufs_come_back)
{
	struct ibuf_pool *p = ibuf_pool_new(1, 64);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	ibuf_mbuf_free(m);
	assert_ptr_equal(ibuf_pool_alloc(p), m);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

#endif
