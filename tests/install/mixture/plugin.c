/*
 * plugin.c - what uses one copy of the library: a pool whose mbufs have a
 * size that no other copy in the process has.  SIZE is that size, NAME the
 * function that the plugin shows.
 */
#include <ibuf/ibuf.h>

#ifndef NAME
#define NAME own_run
#endif

enum { LIVE = 100 };

int NAME(void);

/* Are the mbufs of the pool its own, and right? */
int
NAME(void)
{
	static struct ibuf_pool *pool;
	struct ibuf_mbuf *ms[LIVE], *clone;
	int i, bad = 0;

	if (pool == NULL)
		pool = ibuf_pool_new(0, SIZE);
	if (pool == NULL)
		return 1;
	for (i = 0; i < LIVE; i++) {
		ms[i] = ibuf_pool_alloc(pool);
		if (ms[i] == NULL)
			return 1;
		bad += ibuf_mbuf_pool(ms[i]) != pool;
		bad += ibuf_mbuf_capacity(ms[i]) != SIZE;
		bad += ibuf_mbuf_append_fill(ms[i], 'x', SIZE) != 0;
		bad += ibuf_mbuf_validate(ms[i]) != 0;
	}
	for (i = 0; i < LIVE; i++) {
		clone = ibuf_mbuf_clone(ms[i]);
		ibuf_mbuf_free(ms[i]);
		ibuf_mbuf_free(clone);
	}
	return bad + (ibuf_pool_allocated(pool) != 0);
}
