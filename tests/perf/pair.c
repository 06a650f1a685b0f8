/*
 * pair.c - an allocation and the free of a sole owner, for ./hit-path to
 * read as machine code.
 */
#include <ibuf/ibuf.h>

void pair(struct ibuf_pool *pool);

void
pair(struct ibuf_pool *pool)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(pool);

	__asm__ volatile("" : : "r"(m) : "memory");
	ibuf_mbuf_free(m);
}
