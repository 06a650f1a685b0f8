/* zstd.c - adapt: a message of several segments, compressed into a pool's mbufs. */
#include <ibuf/adapt/zstd.h>
#include <ibuf/ibuf.h>
#include <stdio.h>

int
main(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0), *tail = ibuf_mbuf_new(0);
	struct ibuf_mbuf *packed, *back;
	struct ibuf_pool *pool = ibuf_pool_new(0, 256);
	struct ibuf_pool_stats stats;
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_DCtx *d = ZSTD_createDCtx();

	if (m == NULL || tail == NULL || pool == NULL ||
	    ibuf_mbuf_append_fill(m, 'a', 5000) != 0 ||
	    ibuf_mbuf_append_fill(tail, 'b', 5000) != 0 ||
	    ibuf_mbuf_concat(m, tail) != 0 || c == NULL || d == NULL)
		return 1;
	if (ibuf_zstd_compress(c, m, ZSTD_e_end, pool, &packed) != 0)
		return 1;
	/* What a peer sends may be anything: so many bytes and no more. */
	if (ibuf_zstd_decompress(d, packed, 10000, pool, &back) != 1)
		return 1;
	printf("%s and back: %s\n",
	       ibuf_mbuf_len(packed) < 100 ? "small" : "large",
	       ibuf_mbuf_compare(m, back) == 0 ? "the same" : "not the same");
	ibuf_pool_get_stats(pool, &stats, sizeof(stats));
	printf("copied: %llu\n", (unsigned long long)stats.copied_bytes);
	ZSTD_freeCCtx(c);
	ZSTD_freeDCtx(d);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(packed);
	ibuf_mbuf_free(back);
	ibuf_pool_destroy(pool);
	return 0;
}

/* Prints:
 * small and back: the same
 * copied: 0
 */
