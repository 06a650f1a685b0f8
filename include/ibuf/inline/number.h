/* inline/number.h - the bodies of number.h, one pattern for all. */
#ifndef IBUF_INLINE_NUMBER_H
#define IBUF_INLINE_NUMBER_H

#include <errno.h>
#include <ibuf/inline/order.h>

IBUF_BEGIN_BODIES_

IBUF_INLINE int
ibuf_mbuf_append_u8(struct ibuf_mbuf *m, uint8_t value)
{
	return ibuf_mbuf_append(m, &value, 1);
}

IBUF_INLINE int
ibuf_mbuf_prepend_u8(struct ibuf_mbuf *m, uint8_t value)
{
	return ibuf_mbuf_prepend(m, &value, 1);
}

/* Only 24 bits come in a type that holds values which do not fit. */
#define IBUF_DEFINE_NUMBER_(where, order, bits, type)                          \
	IBUF_INLINE int ibuf_mbuf_##where##_##order##bits(struct ibuf_mbuf *m, \
							  type value)          \
	{                                                                      \
		uint8_t bytes[bits / 8];                                       \
                                                                               \
		if ((uint64_t)value >> (bits - 1) > 1)                         \
			return -ERANGE;                                        \
		ibuf_store_##order##bits##_(bytes, value);                     \
		return ibuf_mbuf_##where(m, bytes, sizeof bytes);              \
	}

#define IBUF_DEFINE_NUMBERS_(where, order)                                     \
	IBUF_DEFINE_NUMBER_(where, order, 16, uint16_t)                        \
	IBUF_DEFINE_NUMBER_(where, order, 24, uint32_t)                        \
	IBUF_DEFINE_NUMBER_(where, order, 32, uint32_t)                        \
	IBUF_DEFINE_NUMBER_(where, order, 64, uint64_t)

IBUF_DEFINE_NUMBERS_(append, be)
IBUF_DEFINE_NUMBERS_(append, le)
IBUF_DEFINE_NUMBERS_(prepend, be)
IBUF_DEFINE_NUMBERS_(prepend, le)

#undef IBUF_DEFINE_NUMBERS_
#undef IBUF_DEFINE_NUMBER_

IBUF_INLINE int
ibuf_mbuf_put_u8(struct ibuf_mbuf *m, size_t off, uint8_t value)
{
	return ibuf_mbuf_write_at(m, off, &value, 1);
}

IBUF_INLINE bool
ibuf_mbuf_get_u8(const struct ibuf_mbuf *m, size_t off, uint8_t *value)
{
	size_t run;
	const uint8_t *at = ibuf_mbuf_at(m, off, &run);

	if (at == NULL || run == 0)
		return false;
	*value = *at;
	return true;
}

/* At an offset. */
#define IBUF_DEFINE_NUMBER_AT_(order, bits, type)                              \
	IBUF_INLINE int ibuf_mbuf_put_##order##bits(struct ibuf_mbuf *m,       \
						    size_t off, type value)    \
	{                                                                      \
		uint8_t bytes[bits / 8];                                       \
                                                                               \
		if ((uint64_t)value >> (bits - 1) > 1)                         \
			return -ERANGE;                                        \
		ibuf_store_##order##bits##_(bytes, value);                     \
		return ibuf_mbuf_write_at(m, off, bytes, sizeof bytes);        \
	}                                                                      \
                                                                               \
	IBUF_INLINE bool ibuf_mbuf_get_##order##bits(                          \
		const struct ibuf_mbuf *m, size_t off, type *value)            \
	{                                                                      \
		uint8_t bytes[bits / 8];                                       \
                                                                               \
		if (IBUF_LIKELY(off < m->len_ &&                               \
				sizeof bytes <= m->len_ - off)) {              \
			*value = ibuf_load_##order##bits##_(m->base_ +         \
							    m->off_ + off);    \
			return true;                                           \
		}                                                              \
		if (ibuf_mbuf_copy_out(m, off, bytes, sizeof bytes) != 0)      \
			return false;                                          \
		*value = ibuf_load_##order##bits##_(bytes);                    \
		return true;                                                   \
	}

#define IBUF_DEFINE_NUMBERS_AT_(order)                                         \
	IBUF_DEFINE_NUMBER_AT_(order, 16, uint16_t)                            \
	IBUF_DEFINE_NUMBER_AT_(order, 24, uint32_t)                            \
	IBUF_DEFINE_NUMBER_AT_(order, 32, uint32_t)                            \
	IBUF_DEFINE_NUMBER_AT_(order, 64, uint64_t)

IBUF_DEFINE_NUMBERS_AT_(be)
IBUF_DEFINE_NUMBERS_AT_(le)

#undef IBUF_DEFINE_NUMBERS_AT_
#undef IBUF_DEFINE_NUMBER_AT_

IBUF_END_BODIES_

#endif
