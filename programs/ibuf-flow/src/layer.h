/*
 * layer.h - read the headers of one layer, and know why they end too soon.
 *
 *	remaining(at) <= wire
 *
 * A layer ends twice: where the capture was cut (the cursor's end) and where
 * the enclosing layer says it ends on the wire.  A read past the first is a
 * truncated packet, past the second a packet that lies about its length.
 *
 * The fault is sticky: after it every read gives 0 and changes nothing.  So a
 * header is read field after field and checked once.  Copying a layer is
 * peeking.
 */
#ifndef FLOW_LAYER_H
#define FLOW_LAYER_H

#include "packet.h"
#include <ibuf/ibuf.h>

struct layer {
	struct ibuf_cursor at;
	size_t wire;
	enum skip fault;
};

/* At the begin of a packet of a block. */
static inline void
layer_init(struct layer *l, const struct ibuf_mbuf *block,
	   const struct packet *p)
{
	ibuf_cursor_init(&l->at, block);
	(void)ibuf_cursor_seek(&l->at, p->frame);
	(void)ibuf_cursor_limit(&l->at, p->frame_bytes);
	l->wire =
		p->wire_bytes > p->frame_bytes ? p->wire_bytes : p->frame_bytes;
	l->fault = SKIP_NOT;
}

/* Account for n bytes read, or not. */
static inline bool
layer_took(struct layer *l, size_t n, bool done)
{
	if (done)
		l->wire -= n;
	else if (l->fault == SKIP_NOT)
		l->fault = n > l->wire ? SKIP_MALFORMED : SKIP_TRUNCATED;
	return done;
}

static inline uint8_t
layer_u8(struct layer *l)
{
	uint8_t v = 0;

	layer_took(l, 1, !l->fault && ibuf_cursor_get_u8(&l->at, &v));
	return v;
}

static inline uint16_t
layer_be16(struct layer *l)
{
	uint16_t v = 0;

	layer_took(l, 2, !l->fault && ibuf_cursor_get_be16(&l->at, &v));
	return v;
}

static inline uint32_t
layer_be24(struct layer *l)
{
	uint32_t v = 0;

	layer_took(l, 3, !l->fault && ibuf_cursor_get_be24(&l->at, &v));
	return v;
}

static inline uint32_t
layer_be32(struct layer *l)
{
	uint32_t v = 0;

	layer_took(l, 4, !l->fault && ibuf_cursor_get_be32(&l->at, &v));
	return v;
}

static inline uint32_t
layer_le32(struct layer *l)
{
	uint32_t v = 0;

	layer_took(l, 4, !l->fault && ibuf_cursor_get_le32(&l->at, &v));
	return v;
}

static inline bool
layer_read(struct layer *l, void *to, size_t n)
{
	return layer_took(l, n, !l->fault && ibuf_cursor_read(&l->at, to, n));
}

static inline bool
layer_skip(struct layer *l, size_t n)
{
	return layer_took(l, n, !l->fault && ibuf_cursor_skip(&l->at, n));
}

/* The layer says it has n bytes more: padding behind them is not its. */
static inline void
layer_limit(struct layer *l, size_t n)
{
	if (n < ibuf_cursor_remaining(&l->at))
		(void)ibuf_cursor_limit(&l->at, n);
	if (n < l->wire)
		l->wire = n;
}

#endif
