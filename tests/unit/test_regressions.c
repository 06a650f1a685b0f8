/* test_regressions.c - what the model test and the fuzzers have found. */
#include "test.h"

TEST(a_copy_of_nothing_comes_from_a_pool_whose_mbufs_hold_nothing)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_mbuf *m, *copy;
	struct ibuf_pool *pool;

	options.capacity = 0;
	options.headroom = 0;
	assert_int_equal(ibuf_pool_create(&pool, &options), 0);
	m = ibuf_pool_alloc(pool);
	copy = ibuf_mbuf_copy(m, 0, 0);
	assert_ptr_equal(ibuf_mbuf_pool(copy), pool);
	assert_int_equal(ibuf_pool_allocated(pool), 2);
	ibuf_mbuf_free(copy);
	ibuf_mbuf_free(m);
	ibuf_pool_destroy(pool);
}
