/*
 * entry.c - the functions of a pool, called by the copy of the library that
 * made it.
 *
 * Whoever calls may be linked to another copy (copies.h), whose threads have
 * thread caches of their own; each pool has those of one copy only.
 */
#define _POSIX_C_SOURCE 200809L
#include "state.h"

#include <errno.h>

struct ibuf_mbuf *
ibuf_pool_alloc_any_(struct ibuf_pool *p)
{
	return p->owner.ops->alloc(p);
}

struct ibuf_mbuf *
ibuf_pool_alloc_wait(struct ibuf_pool *p, const struct timespec *timeout)
{
	return p->owner.ops->alloc_wait(p, timeout);
}

int
ibuf_pool_alloc_bulk(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n)
{
	return p->owner.ops->alloc_bulk(p, out, n);
}

size_t
ibuf_pool_alloc_upto(struct ibuf_pool *p, struct ibuf_mbuf **out, size_t n)
{
	return p->owner.ops->alloc_upto(p, out, n);
}

void
ibuf_pool_free(struct ibuf_pool *p, struct ibuf_mbuf *m)
{
	if (m != NULL)
		p->owner.ops->free(p, m);
}

int
ibuf_pool_reserve(struct ibuf_pool *p, size_t n)
{
	return p->owner.ops->reserve(p, n);
}

size_t
ibuf_pool_trim(struct ibuf_pool *p)
{
	return p->owner.ops->trim(p);
}

void
ibuf_pool_flush(struct ibuf_pool *p)
{
	p->owner.ops->flush(p);
}

int
ibuf_pool_get_stats(const struct ibuf_pool *p, struct ibuf_pool_stats *out,
		    size_t out_size)
{
	if (out_size == 0)
		return -EINVAL;
	if (p == NULL)
		p = pool_of(owner_heap());
	return p->owner.ops->get_stats(p, out, out_size);
}

int
ibuf_pool_get_options(const struct ibuf_pool *p, struct ibuf_pool_options *out,
		      size_t out_size)
{
	return out_size == 0 ? -EINVAL
			     : p->owner.ops->get_options(p, out, out_size);
}

const char *
ibuf_pool_name(const struct ibuf_pool *p)
{
	return p->owner.name;
}

size_t
ibuf_pool_allocated(const struct ibuf_pool *p)
{
	struct ibuf_pool_stats stats;

	if (p != NULL)
		return p->owner.ops->allocated(p);
	ibuf_pool_get_stats(NULL, &stats, sizeof stats);
	return (size_t)stats.allocated;
}

size_t
ibuf_pool_available(const struct ibuf_pool *p)
{
	struct ibuf_pool_stats stats;

	ibuf_pool_get_stats(p, &stats, sizeof stats);
	return (size_t)stats.available;
}

size_t
ibuf_pool_walk(struct ibuf_pool *p,
	       void (*fn)(const struct ibuf_mbuf *m, void *arg), void *arg)
{
	if (p == NULL)
		p = pool_of(owner_heap());
	return p->owner.ops->walk(p, fn, arg);
}

size_t
ibuf_pool_destroy(struct ibuf_pool *p)
{
	return p == NULL ? 0 : p->owner.ops->destroy(p);
}
