/* inline/pool.h - the short bodies of pool.h. */
#ifndef IBUF_INLINE_POOL_H
#define IBUF_INLINE_POOL_H

#include <ibuf/inline/thread.h>
#include <string.h>

IBUF_BEGIN_BODIES_

IBUF_BEGIN_DECLS

/** @cond: private */

/* What a struct ibuf_pool begins with. */
struct ibuf_pool_front_ {
	struct ibuf_fresh_ fresh_; /* what an allocation writes */
	size_t tcache_; /* from the thread's struct to the thread cache, in bytes */
};

IBUF_API struct ibuf_mbuf *ibuf_pool_alloc_any_(struct ibuf_pool *p);

IBUF_END_DECLS

/* The header at the top of the thread cache that lies at so many bytes; NULL:
   there is none. */
static inline struct ibuf_mbuf *
ibuf_pool_take_kept_(const struct ibuf_pool_front_ *front, size_t at)
{
	struct ibuf_tcache_ *tcache =
		(struct ibuf_tcache_ *)(void *)((char *)ibuf_pool_thread_ + at);
	struct ibuf_mbuf **top = ibuf_tcache_top_(tcache), *m;

	if (!IBUF_LIKELY(!ibuf_tcache_is_empty_(tcache, top)))
		return NULL;
	m = ibuf_tcache_take_(tcache, top);
	memcpy(m, &front->fresh_, sizeof front->fresh_);
	return m;
}
/** @endcond */

IBUF_INLINE_ALWAYS struct ibuf_mbuf *
ibuf_pool_alloc(struct ibuf_pool *p)
{
	const struct ibuf_pool_front_ *front =
		(const struct ibuf_pool_front_ *)(const void *)p;
	struct ibuf_mbuf *m = ibuf_pool_take_kept_(front, front->tcache_);

	return IBUF_LIKELY(m != NULL) ? m : ibuf_pool_alloc_any_(p);
}

IBUF_END_BODIES_

#endif
