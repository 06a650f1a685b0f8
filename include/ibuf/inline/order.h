/*
 * inline/order.h - integers in memory, of either byte order, at any address.
 *
 * ibuf_load_be32_(from), ibuf_store_le24_(to, value) and so on.  memcpy is
 * the aliasing- and alignment-proof move, which compilers make one
 * instruction; bswap is there or not by the byte order of the machine.
 */
#ifndef IBUF_INLINE_ORDER_H
#define IBUF_INLINE_ORDER_H

#include <ibuf/base.h>
#include <string.h>

IBUF_BEGIN_BODIES_

/** @cond private */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define IBUF_SWAP_be_(bits, value) (value)
#define IBUF_SWAP_le_(bits, value) __builtin_bswap##bits(value)
#else
#define IBUF_SWAP_be_(bits, value) __builtin_bswap##bits(value)
#define IBUF_SWAP_le_(bits, value) (value)
#endif

#define IBUF_DEFINE_ORDER_(order, bits)                                        \
	static inline uint##bits##_t ibuf_load_##order##bits##_(               \
		const uint8_t *from)                                           \
	{                                                                      \
		uint##bits##_t value;                                          \
                                                                               \
		memcpy(&value, from, sizeof value);                            \
		return IBUF_SWAP_##order##_(bits, value);                      \
	}                                                                      \
                                                                               \
	static inline void ibuf_store_##order##bits##_(uint8_t *to,            \
						       uint##bits##_t value)   \
	{                                                                      \
		value = IBUF_SWAP_##order##_(bits, value);                     \
		memcpy(to, &value, sizeof value);                              \
	}

IBUF_DEFINE_ORDER_(be, 16)
IBUF_DEFINE_ORDER_(be, 32)
IBUF_DEFINE_ORDER_(be, 64)
IBUF_DEFINE_ORDER_(le, 16)
IBUF_DEFINE_ORDER_(le, 32)
IBUF_DEFINE_ORDER_(le, 64)

#undef IBUF_DEFINE_ORDER_
#undef IBUF_SWAP_be_
#undef IBUF_SWAP_le_

static inline uint32_t
ibuf_load_be24_(const uint8_t *from)
{
	return (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
}

static inline uint32_t
ibuf_load_le24_(const uint8_t *from)
{
	return (uint32_t)from[2] << 16 | (uint32_t)from[1] << 8 | from[0];
}

static inline void
ibuf_store_be24_(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 16);
	to[1] = (uint8_t)(value >> 8);
	to[2] = (uint8_t)value;
}

static inline void
ibuf_store_le24_(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
	to[2] = (uint8_t)(value >> 16);
}
/** @endcond */

IBUF_END_BODIES_

#endif
