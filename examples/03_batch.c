/* 03_batch.c - ten buffers at a time: all of them, or none. */
#include <ibuf/ibuf.h>
#include <stdio.h>

enum { BATCH = 10 };

int
main(void)
{
	struct ibuf_pool *pool = ibuf_pool_new(100, 4096);
	struct ibuf_mbuf *batch[BATCH];
	size_t bytes = 0;
	int i;

	if (pool == NULL || ibuf_pool_alloc_bulk(pool, batch, BATCH) != 0)
		return 1;

	for (i = 0; i < BATCH; i++) {
		if (ibuf_mbuf_printf(batch[i], "message %d of %d", i + 1,
				     BATCH) != 0)
			return 1;
		bytes += ibuf_mbuf_len(batch[i]);
	}
	printf("%zu in use, %zu free, %zu bytes written\n",
	       ibuf_pool_allocated(pool), ibuf_pool_available(pool), bytes);
	printf("the last: %.*s\n", (int)ibuf_mbuf_len(batch[BATCH - 1]),
	       (const char *)ibuf_mbuf_data(batch[BATCH - 1]));

	ibuf_mbuf_free_bulk(batch, BATCH);
	printf("%zu in use, %zu free\n", ibuf_pool_allocated(pool),
	       ibuf_pool_available(pool));

	ibuf_pool_destroy(pool);
	return 0;
}

/* Prints:
 * 10 in use, 90 free, 151 bytes written
 * the last: message 10 of 10
 * 0 in use, 100 free
 */
