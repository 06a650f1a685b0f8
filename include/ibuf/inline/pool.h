/* inline/pool.h - the short bodies of pool.h. */
#ifndef IBUF_INLINE_POOL_H
#define IBUF_INLINE_POOL_H

#include <ibuf/inline/thread.h>
#include <string.h>

IBUF_BEGIN_DECLS

/** @cond: private */

/* What a struct ibuf_pool begins with. */
struct ibuf_pool_front_ {
	struct ibuf_fresh_ fresh_; /* what an allocation writes */
	size_t slot_; /* from the thread's struct to the slot, in bytes */
};

IBUF_API struct ibuf_mbuf *ibuf_pool_alloc_any_(struct ibuf_pool *p);
/** @endcond */

IBUF_END_DECLS

IBUF_INLINE_ALWAYS struct ibuf_mbuf *
ibuf_pool_alloc(struct ibuf_pool *p)
{
	const struct ibuf_pool_front_ *front =
		(const struct ibuf_pool_front_ *)(const void *)p;
	struct ibuf_slot_ *slot =
		(struct ibuf_slot_ *)(void *)((char *)ibuf_pool_thread_ +
					      front->slot_);
	struct ibuf_mbuf **top = ibuf_slot_top_(slot), *m;

	if (!IBUF_LIKELY(!ibuf_slot_is_empty_(slot, top)))
		return ibuf_pool_alloc_any_(p);
	m = ibuf_slot_take_(slot, top);
	memcpy(m, &front->fresh_, sizeof front->fresh_);
	return m;
}

#endif
