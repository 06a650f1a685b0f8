/* 05_pool.c - guide 5: a pool with a name, a size and a limit. */
#include <ibuf/ibuf.h>
#include <stdio.h>

static struct ibuf_pool *
make_pool(void)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *pool = NULL;

	o.name = "requests";
	o.capacity = 1500;
	o.headroom = 64;
	o.max = 3;
	o.private_size = sizeof(int);
	return ibuf_pool_create(&pool, &o) == 0 ? pool : NULL;
}

int
main(void)
{
	struct ibuf_pool *pool = make_pool();
	struct ibuf_mbuf *ms[4], *slice;
	struct ibuf_pool_stats stats;
	int *number;
	int i;

	if (pool == NULL)
		return 1;

	for (i = 0; i < 4; i++) {
		ms[i] = ibuf_pool_alloc(pool);
		if (ms[i] == NULL) {
			printf("%s has no message number %d\n",
			       ibuf_pool_name(pool), i + 1);
			break;
		}
		number = ibuf_mbuf_private(ms[i]);
		*number = i + 1;
	}
	number = ibuf_mbuf_private(ms[1]);
	printf("this is number %d\n", *number);

	/* A slice keeps the room of its message out of the pool. */
	if (ibuf_mbuf_append(ms[0], "0123456789", 10) != 0)
		return 1;
	slice = ibuf_mbuf_slice(ms[0], 2, 3);
	if (slice == NULL)
		return 1;
	ibuf_mbuf_free_bulk(ms, 3);
	printf("in use with the slice: %zu\n", ibuf_pool_allocated(pool));
	ibuf_mbuf_free(slice);
	printf("in use without it: %zu\n", ibuf_pool_allocated(pool));

	ibuf_pool_get_stats(pool, &stats, sizeof stats);
	printf("%zu out, %zu back, %zu refused\n", (size_t)stats.allocs,
	       (size_t)stats.frees, (size_t)stats.failures);

	return ibuf_pool_destroy(pool) == 0 ? 0 : 1;
}

/* Prints:
 * requests has no message number 4
 * this is number 2
 * in use with the slice: 1
 * in use without it: 0
 * 3 out, 3 back, 1 refused
 */
