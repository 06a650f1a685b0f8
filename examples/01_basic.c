/* 01_basic.c - a buffer, and a pool of buffers. */
#include <ibuf/ibuf.h>
#include <stdio.h>

int
main(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(1024);
	struct ibuf_pool *pool = ibuf_pool_new(10, 1024);
	struct ibuf_mbuf *pooled;

	if (m == NULL || pool == NULL)
		return 1;

	/* It grows by itself; a failed append changes nothing. */
	if (ibuf_mbuf_append(m, "hello world", 11) != 0)
		return 1;
	printf("%.*s: %zu bytes, room for %zu more\n", (int)ibuf_mbuf_len(m),
	       (const char *)ibuf_mbuf_data(m), ibuf_mbuf_len(m),
	       ibuf_mbuf_tailroom(m));
	ibuf_mbuf_free(m);

	/* From a pool it is the same thing, and goes back there. */
	pooled = ibuf_pool_alloc(pool);
	if (pooled == NULL || ibuf_mbuf_append(pooled, "hello pool", 10) != 0)
		return 1;
	printf("in use %zu, free %zu\n", ibuf_pool_allocated(pool),
	       ibuf_pool_available(pool));
	ibuf_mbuf_free(pooled);
	printf("in use %zu, free %zu\n", ibuf_pool_allocated(pool),
	       ibuf_pool_available(pool));

	ibuf_pool_destroy(pool);
	return 0;
}

/* Prints:
 * hello world: 11 bytes, room for 1013 more
 * in use 1, free 9
 * in use 0, free 10
 */
