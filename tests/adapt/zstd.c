/* zstd.c - messages through zstd: segment by segment, with a bound. */
#include "adapt.h"

#include <ibuf/adapt/zstd.h>

static ZSTD_CCtx *
compressing(void)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();

	assert_non_null(c);
	assert_false(ZSTD_isError(
		ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1)));
	return c;
}

static ZSTD_DCtx *
decompressing(void)
{
	ZSTD_DCtx *d = ZSTD_createDCtx();

	assert_non_null(d);
	return d;
}

TEST(a_message_goes_there_and_back_and_the_library_copies_nothing)
{
	struct ibuf_pool *large = ibuf_pool_new(0, 1000), *p = pool_of(0, 0);
	struct ibuf_mbuf *m = text_of(large, 20), *packed, *back;
	ZSTD_CCtx *c = compressing();
	ZSTD_DCtx *d = decompressing();
	uint64_t before = copied(p) + copied(large);

	assert_int_equal(ibuf_zstd_compress(c, m, ZSTD_e_end, p, &packed), 0);
	assert_true(ibuf_mbuf_len(packed) < 10000);
	assert_true(ibuf_mbuf_segments(packed) > 1);
	assert_int_equal(ibuf_zstd_decompress(d, packed, 20000, large, &back),
			 1);
	assert_int_equal(ibuf_mbuf_compare(m, back), 0);
	assert_int_equal(copied(p) + copied(large), before);
	ZSTD_freeCCtx(c);
	ZSTD_freeDCtx(d);
	free_elsewhere(packed);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(back);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(ibuf_pool_destroy(large), 0);
}

TEST(an_empty_message_is_a_stream_too)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0), *packed, *back;
	ZSTD_CCtx *c = compressing();
	ZSTD_DCtx *d = decompressing();

	assert_int_equal(ibuf_zstd_compress(c, m, ZSTD_e_end, NULL, &packed),
			 0);
	assert_int_equal(ibuf_zstd_decompress(d, packed, 0, NULL, &back), 1);
	assert_message(back, "", 0);
	ZSTD_freeCCtx(c);
	ZSTD_freeDCtx(d);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
	ibuf_mbuf_free(back);
}

TEST(a_stream_goes_on_from_message_to_message)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("again and again", 15);
	struct ibuf_mbuf *packed, *back;
	ZSTD_CCtx *c = compressing();
	ZSTD_DCtx *d = decompressing();

	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			ibuf_zstd_compress(c, m, ZSTD_e_flush, NULL, &packed),
			0);
		assert_int_equal(
			ibuf_zstd_decompress(d, packed, 15, NULL, &back), 0);
		assert_message(back, "again and again", 15);
		ibuf_mbuf_free(packed);
		ibuf_mbuf_free(back);
	}
	ZSTD_freeCCtx(c);
	ZSTD_freeDCtx(d);
	ibuf_mbuf_free(m);
}

TEST(what_comes_byte_by_byte_is_decompressed_when_it_is_there)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("one two three", 13);
	struct ibuf_mbuf *packed, *byte, *back, *all = ibuf_mbuf_new(0);
	ZSTD_CCtx *c = compressing();
	ZSTD_DCtx *d = decompressing();
	int rc = 0;

	assert_int_equal(ibuf_zstd_compress(c, m, ZSTD_e_end, NULL, &packed),
			 0);
	while (ibuf_mbuf_len(packed) > 0) {
		assert_int_equal(rc, 0);
		assert_int_equal(ibuf_mbuf_split_front(packed, 1, &byte), 0);
		rc = ibuf_zstd_decompress(d, byte, 13, NULL, &back);
		assert_int_equal(ibuf_mbuf_concat(all, back), 0);
		ibuf_mbuf_free(byte);
	}
	assert_int_equal(rc, 1);
	assert_three(all);
	ZSTD_freeCCtx(c);
	ZSTD_freeDCtx(d);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
	ibuf_mbuf_free(all);
}

TEST(more_than_the_bound_is_refused_and_little_memory_was_used)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = ibuf_mbuf_new(0), *packed, *back = NULL;
	ZSTD_CCtx *c = compressing();
	ZSTD_DCtx *d = decompressing();

	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 1000000), 0);
	assert_int_equal(ibuf_zstd_compress(c, m, ZSTD_e_end, NULL, &packed),
			 0);
	assert_true(ibuf_mbuf_len(packed) < 2000);
	assert_int_equal(ibuf_zstd_decompress(d, packed, 999, p, &back),
			 -EOVERFLOW);
	assert_null(back);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	assert_true(stats_of(p).peak < 100);
	ZSTD_DCtx_reset(d, ZSTD_reset_session_only);
	assert_int_equal(ibuf_zstd_decompress(d, packed, 1000000, p, &back), 1);
	assert_int_equal(ibuf_mbuf_compare(m, back), 0);
	ZSTD_freeCCtx(c);
	ZSTD_freeDCtx(d);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
	ibuf_mbuf_free(back);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(damaged_bytes_are_refused)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("one two three", 13);
	struct ibuf_mbuf *packed, *back = NULL;
	ZSTD_CCtx *c = compressing();
	ZSTD_DCtx *d = decompressing();

	assert_int_equal(ibuf_zstd_compress(c, m, ZSTD_e_end, NULL, &packed),
			 0);
	assert_int_equal(ibuf_mbuf_write_at(packed, 4, "\377\377", 2), 0);
	assert_int_equal(ibuf_zstd_decompress(d, packed, 100, NULL, &back),
			 -EPROTO);
	assert_null(back);
	ZSTD_freeCCtx(c);
	ZSTD_freeDCtx(d);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
}

TEST(a_pool_at_its_max_fails_and_gives_back_what_was_written)
{
	struct ibuf_pool *large = ibuf_pool_new(0, 1000), *p = pool_of(3, 0);
	struct ibuf_mbuf *m = text_of(large, 5), *packed = NULL;
	ZSTD_CCtx *c = compressing();

	assert_int_equal(ibuf_zstd_compress(c, m, ZSTD_e_end, p, &packed),
			 -ENOMEM);
	assert_null(packed);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	ZSTD_CCtx_reset(c, ZSTD_reset_session_only);
	assert_int_equal(ibuf_zstd_compress(c, m, ZSTD_e_end, NULL, &packed),
			 0);
	ZSTD_freeCCtx(c);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(ibuf_pool_destroy(large), 0);
}

TEST(without_memory_nothing_is_lost)
{
	struct ibuf_pool *large = ibuf_pool_new(0, 1000);
	struct ibuf_mbuf *m = text_of(large, 20), *packed = NULL, *back = NULL;
	ZSTD_CCtx *c = compressing();
	ZSTD_DCtx *d = decompressing();

	WHILE_WITHOUT_MEMORY((ZSTD_CCtx_reset(c, ZSTD_reset_session_only),
			      ibuf_zstd_compress(c, m, ZSTD_e_end, NULL,
						 &packed)) == -ENOMEM)
	assert_null(packed);
	WHILE_WITHOUT_MEMORY((ZSTD_DCtx_reset(d, ZSTD_reset_session_only),
			      ibuf_zstd_decompress(d, packed, 20000, NULL,
						   &back)) == -ENOMEM)
	assert_null(back);
	assert_int_equal(ibuf_mbuf_compare(m, back), 0);
	ZSTD_freeCCtx(c);
	ZSTD_freeDCtx(d);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
	ibuf_mbuf_free(back);
	assert_int_equal(ibuf_pool_destroy(large), 0);
}

TEST(a_frame_that_fills_its_rooms_exactly_has_ended)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = ibuf_mbuf_new(0), *packed, *back;
	ZSTD_CCtx *c = compressing();
	ZSTD_DCtx *d = decompressing();

	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 128), 0);
	assert_int_equal(ibuf_zstd_compress(c, m, ZSTD_e_end, NULL, &packed),
			 0);
	assert_int_equal(ibuf_zstd_decompress(d, packed, 128, p, &back), 1);
	assert_int_equal(ibuf_mbuf_compare(m, back), 0);
	ZSTD_freeCCtx(c);
	ZSTD_freeDCtx(d);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
	ibuf_mbuf_free(back);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
