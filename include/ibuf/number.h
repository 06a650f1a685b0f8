/*
 * number.h - integers at either end of a message, byte order in the name.
 */
#ifndef IBUF_NUMBER_H
#define IBUF_NUMBER_H

#include <ibuf/base.h>
#include <ibuf/mbuf.h>

IBUF_BEGIN_DECLS

/** @name Append an integer
 * @{
 */
/**
 * Add an integer at the end: be big-endian, le little-endian, of so many
 * bits; 24 bits are the low ones of a 32-bit value.
 *
 * @param value what to write
 * @return 0; -ENOMEM; -EOVERFLOW: the room or the message would be too large;
 *         -ERANGE: the value does not fit 24 bits
 * @mt object
 * @cost O(1); when it grows O(length)
 */
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

/** @name Prepend an integer
 * @{
 */
/**
 * Add an integer at the front: be big-endian, le little-endian, of so many
 * bits; 24 bits are the low ones of a 32-bit value.
 *
 * @param value what to write
 * @return 0; -ENOMEM; -EOVERFLOW: the room or the message would be too large;
 *         -ERANGE: the value does not fit 24 bits
 * @mt object
 * @cost O(1); when it grows O(length)
 */
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

IBUF_END_DECLS

#if !defined(IBUF_OUTLINE)
#include <ibuf/inline/number.h>
#endif

#endif
