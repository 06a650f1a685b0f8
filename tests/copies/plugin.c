/* plugin.c - a copy of the library behind one exported name; and a program's. */
#include "copy.h"

static struct ibuf_mbuf *
alloc(struct ibuf_pool *p)
{
	return ibuf_pool_alloc(p);
}

static void
free_one(struct ibuf_mbuf *m)
{
	ibuf_mbuf_free(m);
}

static struct ibuf_mbuf *
clone(const struct ibuf_mbuf *m)
{
	return ibuf_mbuf_clone(m);
}

static struct ibuf_mbuf *
slice(const struct ibuf_mbuf *m, size_t off, size_t len)
{
	return ibuf_mbuf_slice(m, off, len);
}

static int
append(struct ibuf_mbuf *m, const void *bytes, size_t n)
{
	return ibuf_mbuf_append(m, bytes, n);
}

static const struct copy this_copy = {
	.name = COPY_NAME,
	.create = ibuf_pool_create,
	.alloc = alloc,
	.alloc_wait = ibuf_pool_alloc_wait,
	.alloc_bulk = ibuf_pool_alloc_bulk,
	.alloc_upto = ibuf_pool_alloc_upto,
	.pool_free = ibuf_pool_free,
	.reserve = ibuf_pool_reserve,
	.trim = ibuf_pool_trim,
	.flush = ibuf_pool_flush,
	.get_stats = ibuf_pool_get_stats,
	.allocated = ibuf_pool_allocated,
	.available = ibuf_pool_available,
	.destroy = ibuf_pool_destroy,
	.new_one = ibuf_mbuf_new,
	.wrap = ibuf_mbuf_wrap,
	.free = free_one,
	.free_bulk = ibuf_mbuf_free_bulk,
	.clone = clone,
	.slice = slice,
	.duplicate = ibuf_mbuf_copy,
	.append = append,
	.concat = ibuf_mbuf_concat,
	.unshare = ibuf_mbuf_unshare,
	.validate = ibuf_mbuf_validate,
	.pool = ibuf_mbuf_pool,
};

const struct copy *COPY(void);

__attribute__((visibility("default"))) const struct copy *
COPY(void)
{
	return &this_copy;
}
