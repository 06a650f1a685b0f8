/* inline/cursor.h - the short bodies of cursor.h: inside one segment. */
#ifndef IBUF_INLINE_CURSOR_H
#define IBUF_INLINE_CURSOR_H

#include <ibuf/inline/order.h>
#include <ibuf/mbuf.h>
#include <string.h>

IBUF_BEGIN_BODIES_

IBUF_BEGIN_DECLS

/** @cond private */
IBUF_API bool ibuf_cursor_skip_any_(struct ibuf_cursor *c, size_t n);
IBUF_API bool ibuf_cursor_read_any_(struct ibuf_cursor *c, void *dst, size_t n);
IBUF_API struct ibuf_mbuf *ibuf_cursor_take_any_(struct ibuf_cursor *c,
						 size_t n);

/* How many bytes it may read before the segment ends. */
static inline size_t
ibuf_cursor_here_(const struct ibuf_cursor *c)
{
	return (size_t)(c->end_ - c->at_);
}
/** @endcond */

IBUF_END_DECLS

IBUF_INLINE void
ibuf_cursor_init(struct ibuf_cursor *c, const struct ibuf_mbuf *m)
{
	c->m_ = m;
	c->seg_ = m;
	c->at_ = m->base_ + m->off_;
	c->end_ = c->at_ + m->len_;
	c->behind_ = m->next_ == NULL ? 0 : m->rest_;
	c->stop_ = m->len_ + c->behind_;
}

IBUF_INLINE size_t
ibuf_cursor_remaining(const struct ibuf_cursor *c)
{
	return ibuf_cursor_here_(c) + c->behind_;
}

IBUF_INLINE size_t
ibuf_cursor_position(const struct ibuf_cursor *c)
{
	return c->stop_ - ibuf_cursor_remaining(c);
}

IBUF_INLINE void
ibuf_cursor_reset(struct ibuf_cursor *c)
{
	ibuf_cursor_init(c, c->m_);
}

IBUF_INLINE bool
ibuf_cursor_skip(struct ibuf_cursor *c, size_t n)
{
	if (!IBUF_LIKELY(n <= ibuf_cursor_here_(c)))
		return ibuf_cursor_skip_any_(c, n);
	c->at_ += n;
	return true;
}

IBUF_INLINE struct ibuf_mbuf *
ibuf_cursor_take(struct ibuf_cursor *c, size_t n)
{
	const struct ibuf_mbuf *s = c->seg_;
	struct ibuf_mbuf *taken;
	uint32_t segments;

	if (!IBUF_LIKELY(n != 0 && n <= ibuf_cursor_here_(c)))
		return ibuf_cursor_take_any_(c, n);
	taken = ibuf_mbuf_indirect_(s, (uint32_t)(c->at_ - s->base_),
				    (uint32_t)n, (uint32_t)n,
				    IBUF_MBUF_CAREFUL_, &segments);
	if (!IBUF_LIKELY(taken != NULL))
		return ibuf_cursor_take_any_(c, n);
	c->at_ += n;
	return taken;
}

IBUF_INLINE bool
ibuf_cursor_read(struct ibuf_cursor *c, void *dst, size_t n)
{
	if (!IBUF_LIKELY(n != 0 && n <= ibuf_cursor_here_(c)))
		return ibuf_cursor_read_any_(c, dst, n);
	memcpy(dst, c->at_, n);
	c->at_ += n;
	return true;
}

IBUF_INLINE bool
ibuf_cursor_get_u8(struct ibuf_cursor *c, uint8_t *v)
{
	return ibuf_cursor_read(c, v, 1);
}

#define IBUF_DEFINE_GET_(order, bits, type)                                    \
	IBUF_INLINE bool ibuf_cursor_get_##order##bits(struct ibuf_cursor *c,  \
						       type *v)                \
	{                                                                      \
		uint8_t bytes[bits / 8];                                       \
                                                                               \
		if (!ibuf_cursor_read(c, bytes, sizeof bytes))                 \
			return false;                                          \
		*v = ibuf_load_##order##bits##_(bytes);                        \
		return true;                                                   \
	}

#define IBUF_DEFINE_GETS_(order)                                               \
	IBUF_DEFINE_GET_(order, 16, uint16_t)                                  \
	IBUF_DEFINE_GET_(order, 24, uint32_t)                                  \
	IBUF_DEFINE_GET_(order, 32, uint32_t)                                  \
	IBUF_DEFINE_GET_(order, 64, uint64_t)

IBUF_DEFINE_GETS_(be)
IBUF_DEFINE_GETS_(le)

#undef IBUF_DEFINE_GETS_
#undef IBUF_DEFINE_GET_

IBUF_END_BODIES_

#endif
