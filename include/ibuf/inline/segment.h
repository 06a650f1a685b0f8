/* inline/segment.h - the short bodies of segment.h. */
#ifndef IBUF_INLINE_SEGMENT_H
#define IBUF_INLINE_SEGMENT_H

IBUF_INLINE const struct ibuf_mbuf *
ibuf_mbuf_seg_next(const struct ibuf_mbuf *s)
{
	return s->next_;
}

IBUF_INLINE const uint8_t *
ibuf_mbuf_seg_data(const struct ibuf_mbuf *s)
{
	return s->base_ + s->off_;
}

IBUF_INLINE size_t
ibuf_mbuf_seg_len(const struct ibuf_mbuf *s)
{
	return s->len_;
}

#endif
