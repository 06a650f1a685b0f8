/* inline/number.h - the bodies of number.h, one pattern for all. */
#ifndef IBUF_INLINE_NUMBER_H
#define IBUF_INLINE_NUMBER_H

#include <errno.h>
#include <ibuf/inline/order.h>

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

#endif
