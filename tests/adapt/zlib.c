/* zlib.c - messages through zlib: segment by segment, with a bound. */
#include "adapt.h"

#include <ibuf/adapt/zlib.h>

static void *
give(void *none, unsigned n, unsigned size)
{
	(void)none;
	return calloc(n, size);
}

static void
take(void *none, void *block)
{
	(void)none;
	free(block);
}

/* A stream must stay where it was made. */
#define DEFLATING(z)                                                           \
	z_stream z = {.zalloc = give, .zfree = take};                          \
	assert_int_equal(deflateInit(&z, 6), Z_OK)
#define INFLATING(z)                                                           \
	z_stream z = {.zalloc = give, .zfree = take};                          \
	assert_int_equal(inflateInit(&z), Z_OK)

TEST(a_message_goes_there_and_back_and_the_library_copies_nothing)
{
	struct ibuf_pool *large = ibuf_pool_new(0, 1000), *p = pool_of(0, 0);
	struct ibuf_mbuf *m = text_of(large, 20), *packed, *back;
	uint64_t before = copied(p) + copied(large);

	DEFLATING(c);
	INFLATING(d);

	assert_int_equal(ibuf_zlib_deflate(&c, m, Z_FINISH, p, &packed), 0);
	assert_true(ibuf_mbuf_len(packed) < 10000);
	assert_true(ibuf_mbuf_segments(packed) > 1);
	assert_int_equal(ibuf_zlib_inflate(&d, packed, 20000, large, &back), 1);
	assert_int_equal(d.total_in, ibuf_mbuf_len(packed));
	assert_int_equal(ibuf_mbuf_compare(m, back), 0);
	assert_int_equal(copied(p) + copied(large), before);
	deflateEnd(&c);
	inflateEnd(&d);
	free_elsewhere(packed);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(back);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(ibuf_pool_destroy(large), 0);
}

TEST(an_empty_message_is_a_stream_too)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0), *packed, *back;

	DEFLATING(c);
	INFLATING(d);

	assert_int_equal(ibuf_zlib_deflate(&c, m, Z_FINISH, NULL, &packed), 0);
	assert_int_equal(ibuf_zlib_inflate(&d, packed, 0, NULL, &back), 1);
	assert_message(back, "", 0);
	deflateEnd(&c);
	inflateEnd(&d);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
	ibuf_mbuf_free(back);
}

TEST(a_stream_goes_on_from_message_to_message)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("again and again", 15);
	struct ibuf_mbuf *packed, *back;

	DEFLATING(c);
	INFLATING(d);

	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			ibuf_zlib_deflate(&c, m, Z_SYNC_FLUSH, NULL, &packed),
			0);
		assert_int_equal(ibuf_zlib_inflate(&d, packed, 15, NULL, &back),
				 0);
		assert_message(back, "again and again", 15);
		ibuf_mbuf_free(packed);
		ibuf_mbuf_free(back);
	}
	deflateEnd(&c);
	inflateEnd(&d);
	ibuf_mbuf_free(m);
}

TEST(what_comes_byte_by_byte_is_inflated_when_it_is_there)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("one two three", 13);
	struct ibuf_mbuf *packed, *byte, *back, *all = ibuf_mbuf_new(0);
	int rc = 0;

	DEFLATING(c);
	INFLATING(d);

	assert_int_equal(ibuf_zlib_deflate(&c, m, Z_FINISH, NULL, &packed), 0);
	while (ibuf_mbuf_len(packed) > 0) {
		assert_int_equal(rc, 0);
		assert_int_equal(ibuf_mbuf_split_front(packed, 1, &byte), 0);
		rc = ibuf_zlib_inflate(&d, byte, 13, NULL, &back);
		assert_int_equal(ibuf_mbuf_concat(all, back), 0);
		ibuf_mbuf_free(byte);
	}
	assert_int_equal(rc, 1);
	assert_three(all);
	deflateEnd(&c);
	inflateEnd(&d);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
	ibuf_mbuf_free(all);
}

TEST(more_than_the_bound_is_refused_and_little_memory_was_used)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = ibuf_mbuf_new(0), *packed, *back = NULL;

	DEFLATING(c);
	INFLATING(d);

	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 1000000), 0);
	assert_int_equal(ibuf_zlib_deflate(&c, m, Z_FINISH, NULL, &packed), 0);
	assert_true(ibuf_mbuf_len(packed) < 2000);
	assert_int_equal(ibuf_zlib_inflate(&d, packed, 999, p, &back),
			 -EOVERFLOW);
	assert_null(back);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	assert_true(stats_of(p).peak < 100);
	inflateReset(&d);
	assert_int_equal(ibuf_zlib_inflate(&d, packed, 1000000, p, &back), 1);
	assert_int_equal(ibuf_mbuf_compare(m, back), 0);
	deflateEnd(&c);
	inflateEnd(&d);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
	ibuf_mbuf_free(back);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(damaged_bytes_are_refused)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("one two three", 13);
	struct ibuf_mbuf *packed, *back = NULL;

	DEFLATING(c);
	INFLATING(d);

	assert_int_equal(ibuf_zlib_deflate(&c, m, Z_FINISH, NULL, &packed), 0);
	assert_int_equal(ibuf_mbuf_write_at(packed, 4, "\377\377", 2), 0);
	assert_int_equal(ibuf_zlib_inflate(&d, packed, 100, NULL, &back),
			 -EPROTO);
	assert_null(back);
	deflateEnd(&c);
	inflateEnd(&d);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
}

TEST(a_pool_at_its_max_fails_and_gives_back_what_was_written)
{
	struct ibuf_pool *large = ibuf_pool_new(0, 1000), *p = pool_of(3, 0);
	struct ibuf_mbuf *m = text_of(large, 5), *packed = NULL;

	DEFLATING(c);

	assert_int_equal(ibuf_zlib_deflate(&c, m, Z_FINISH, p, &packed),
			 -ENOMEM);
	assert_null(packed);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	deflateReset(&c);
	assert_int_equal(ibuf_zlib_deflate(&c, m, Z_FINISH, NULL, &packed), 0);
	deflateEnd(&c);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(ibuf_pool_destroy(large), 0);
}

/* zlib's window is made when it is first needed, also by what is counted. */
TEST(without_memory_nothing_is_lost)
{
	struct ibuf_pool *large = ibuf_pool_new(0, 1000);
	struct ibuf_mbuf *m = text_of(large, 20), *packed = NULL, *back = NULL;

	DEFLATING(c);
	INFLATING(d);

	WHILE_WITHOUT_MEMORY(
		(deflateReset(&c),
		 ibuf_zlib_deflate(&c, m, Z_FINISH, NULL, &packed)) == -ENOMEM)
	assert_null(packed);
	WHILE_WITHOUT_MEMORY(
		(inflateReset(&d),
		 ibuf_zlib_inflate(&d, packed, 20000, NULL, &back)) == -ENOMEM)
	assert_null(back);
	assert_int_equal(ibuf_mbuf_compare(m, back), 0);
	deflateEnd(&c);
	inflateEnd(&d);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
	ibuf_mbuf_free(back);
	assert_int_equal(ibuf_pool_destroy(large), 0);
}
