/*
 * number.h - integers at either end of a message, byte order in the name.
 */
#ifndef IBUF_NUMBER_H
#define IBUF_NUMBER_H

#include <ibuf/base.h>
#include <ibuf/mbuf.h>

IBUF_BEGIN_DECLS

/**
 * @defgroup number Integers at the ends
 * Integers are added at an end: be is big-endian, le little-endian, and the
 * number is that of the bits.  24 bits are the low ones of a 32-bit value.
 *
 * All return 0; -ENOMEM; -EOVERFLOW: the room or the message would be too
 * large; -ERANGE: the value does not fit 24 bits.
 * @mt object
 * @cost O(1); O(length) when the room grows
 * @{
 */

/** @name At the end
 * @{
 */
/** Append an integer. */
IBUF_INLINE int ibuf_mbuf_append_u8(struct ibuf_mbuf *m, uint8_t value);
IBUF_INLINE int ibuf_mbuf_append_be16(struct ibuf_mbuf *m, uint16_t value);
IBUF_INLINE int ibuf_mbuf_append_be24(struct ibuf_mbuf *m, uint32_t value);
IBUF_INLINE int ibuf_mbuf_append_be32(struct ibuf_mbuf *m, uint32_t value);
IBUF_INLINE int ibuf_mbuf_append_be64(struct ibuf_mbuf *m, uint64_t value);
IBUF_INLINE int ibuf_mbuf_append_le16(struct ibuf_mbuf *m, uint16_t value);
IBUF_INLINE int ibuf_mbuf_append_le24(struct ibuf_mbuf *m, uint32_t value);
IBUF_INLINE int ibuf_mbuf_append_le32(struct ibuf_mbuf *m, uint32_t value);
IBUF_INLINE int ibuf_mbuf_append_le64(struct ibuf_mbuf *m, uint64_t value);
/** @} */

/** @name At the front
 * @{
 */
/** Prepend an integer. */
IBUF_INLINE int ibuf_mbuf_prepend_u8(struct ibuf_mbuf *m, uint8_t value);
IBUF_INLINE int ibuf_mbuf_prepend_be16(struct ibuf_mbuf *m, uint16_t value);
IBUF_INLINE int ibuf_mbuf_prepend_be24(struct ibuf_mbuf *m, uint32_t value);
IBUF_INLINE int ibuf_mbuf_prepend_be32(struct ibuf_mbuf *m, uint32_t value);
IBUF_INLINE int ibuf_mbuf_prepend_be64(struct ibuf_mbuf *m, uint64_t value);
IBUF_INLINE int ibuf_mbuf_prepend_le16(struct ibuf_mbuf *m, uint16_t value);
IBUF_INLINE int ibuf_mbuf_prepend_le24(struct ibuf_mbuf *m, uint32_t value);
IBUF_INLINE int ibuf_mbuf_prepend_le32(struct ibuf_mbuf *m, uint32_t value);
IBUF_INLINE int ibuf_mbuf_prepend_le64(struct ibuf_mbuf *m, uint64_t value);
/** @} */

/** @} */

IBUF_END_DECLS

#if !defined(IBUF_OUTLINE)
#include <ibuf/inline/number.h>
#endif

#endif
