/*
 * number.h - integers at either end of a message and inside it, with the byte
 * order in the name.
 */
#ifndef IBUF_NUMBER_H
#define IBUF_NUMBER_H

#include <ibuf/base.h>
#include <ibuf/mbuf.h>
#include <ibuf/segment.h>

IBUF_BEGIN_DECLS

/**
 * @defgroup number Integers
 * How integers are added, written and read: be is big-endian, le
 * little-endian, and the number is that of the bits.  24 bits are the low ones
 * of a 32-bit value.
 *
 * Errors are -ENOMEM; -EOVERFLOW: the room or the message would be too large;
 * -ERANGE: the value does not fit 24 bits.
 * @mt object; shared-read for what reads
 * @cost O(1); O(length) when the room grows
 * @{
 */

/** @name At the end
 * @{
 */
/** Append an integer: 0 or an error. */
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_append_u8(struct ibuf_mbuf *m,
						  uint8_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_append_be16(struct ibuf_mbuf *m,
						    uint16_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_append_be24(struct ibuf_mbuf *m,
						    uint32_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_append_be32(struct ibuf_mbuf *m,
						    uint32_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_append_be64(struct ibuf_mbuf *m,
						    uint64_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_append_le16(struct ibuf_mbuf *m,
						    uint16_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_append_le24(struct ibuf_mbuf *m,
						    uint32_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_append_le32(struct ibuf_mbuf *m,
						    uint32_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_append_le64(struct ibuf_mbuf *m,
						    uint64_t value)
	IBUF_NONNULL((1));
/** @} */

/** @name At the front
 * @{
 */
/** Prepend an integer: 0 or an error. */
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_prepend_u8(struct ibuf_mbuf *m,
						   uint8_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_prepend_be16(struct ibuf_mbuf *m,
						     uint16_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_prepend_be24(struct ibuf_mbuf *m,
						     uint32_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_prepend_be32(struct ibuf_mbuf *m,
						     uint32_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_prepend_be64(struct ibuf_mbuf *m,
						     uint64_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_prepend_le16(struct ibuf_mbuf *m,
						     uint16_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_prepend_le24(struct ibuf_mbuf *m,
						     uint32_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_prepend_le32(struct ibuf_mbuf *m,
						     uint32_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_prepend_le64(struct ibuf_mbuf *m,
						     uint64_t value)
	IBUF_NONNULL((1));
/** @} */

/** @name At an offset, written
 * @{
 */
/**
 * Overwrite bytes with an integer, as ibuf_mbuf_write_at() does: 0 or an error,
 * where -ERANGE is also for an offset at which they are not all inside.
 *
 * @cost O(segments between off and the nearer end), and O(bytes) of the
 *       segments that are shared or read-only
 */
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_put_u8(struct ibuf_mbuf *m, size_t off,
					       uint8_t value) IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_put_be16(struct ibuf_mbuf *m,
						 size_t off, uint16_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_put_be24(struct ibuf_mbuf *m,
						 size_t off, uint32_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_put_be32(struct ibuf_mbuf *m,
						 size_t off, uint32_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_put_be64(struct ibuf_mbuf *m,
						 size_t off, uint64_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_put_le16(struct ibuf_mbuf *m,
						 size_t off, uint16_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_put_le24(struct ibuf_mbuf *m,
						 size_t off, uint32_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_put_le32(struct ibuf_mbuf *m,
						 size_t off, uint32_t value)
	IBUF_NONNULL((1));
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_put_le64(struct ibuf_mbuf *m,
						 size_t off, uint64_t value)
	IBUF_NONNULL((1));
/** @} */

/** @name At an offset, read
 * @{
 */
/**
 * Read an integer, also across segments; false: its bytes are not all inside,
 * and *value is untouched.
 *
 * @cost O(segments between off and the nearer end)
 */
IBUF_INLINE bool ibuf_mbuf_get_u8(const struct ibuf_mbuf *m, size_t off,
				  uint8_t *value) IBUF_NONNULL((1, 3));
IBUF_INLINE bool ibuf_mbuf_get_be16(const struct ibuf_mbuf *m, size_t off,
				    uint16_t *value) IBUF_NONNULL((1, 3));
IBUF_INLINE bool ibuf_mbuf_get_be24(const struct ibuf_mbuf *m, size_t off,
				    uint32_t *value) IBUF_NONNULL((1, 3));
IBUF_INLINE bool ibuf_mbuf_get_be32(const struct ibuf_mbuf *m, size_t off,
				    uint32_t *value) IBUF_NONNULL((1, 3));
IBUF_INLINE bool ibuf_mbuf_get_be64(const struct ibuf_mbuf *m, size_t off,
				    uint64_t *value) IBUF_NONNULL((1, 3));
IBUF_INLINE bool ibuf_mbuf_get_le16(const struct ibuf_mbuf *m, size_t off,
				    uint16_t *value) IBUF_NONNULL((1, 3));
IBUF_INLINE bool ibuf_mbuf_get_le24(const struct ibuf_mbuf *m, size_t off,
				    uint32_t *value) IBUF_NONNULL((1, 3));
IBUF_INLINE bool ibuf_mbuf_get_le32(const struct ibuf_mbuf *m, size_t off,
				    uint32_t *value) IBUF_NONNULL((1, 3));
IBUF_INLINE bool ibuf_mbuf_get_le64(const struct ibuf_mbuf *m, size_t off,
				    uint64_t *value) IBUF_NONNULL((1, 3));
/** @} */

/** @} */

IBUF_END_DECLS

#if !defined(IBUF_OUTLINE)
#include <ibuf/inline/number.h>
#endif

#endif
