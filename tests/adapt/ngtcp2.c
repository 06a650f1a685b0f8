/* ngtcp2.c - what ngtcp2 is shown of a message; without a connection. */
#include "adapt.h"

#include <ibuf/adapt/ngtcp2.h>

TEST(the_segments_are_described_from_any_offset)
{
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w);

	for (size_t off = 0; off <= 14; off++) {
		ngtcp2_vec v[3] = {{NULL, 0}};
		size_t n = ibuf_ngtcp2_vec(m, off, v, 3), at = off;

		assert_int_equal(n, ibuf_mbuf_iov(m, off, NULL, 0));
		for (size_t i = 0; i < n; at += v[i++].len)
			assert_ptr_equal(v[i].base, ibuf_mbuf_at(m, at, NULL));
		assert_true(at >= 13);
	}
	assert_int_equal(ibuf_ngtcp2_vec(m, 0, NULL, 0), 3);
	ibuf_mbuf_free(m);
	assert_released(w, 3, 1);
}

TEST(what_is_acknowledged_ends_and_the_rest_stays_where_it_is)
{
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w);
	ngtcp2_vec v[3], again[3];

	assert_int_equal(ibuf_ngtcp2_vec(m, 5, v, 3), 2);
	assert_int_equal(ibuf_mbuf_trim_head(m, 4), 0);
	assert_released(&w[0], 1, 1);
	assert_int_equal(ibuf_ngtcp2_vec(m, 1, again, 3), 2);
	assert_ptr_equal(again[0].base, v[0].base);
	assert_ptr_equal(again[1].base, v[1].base);
	ibuf_mbuf_free(m);
	assert_released(w, 3, 1);
}
