/*
 * cursor.h - a checked reader.
 *
 *   | bytes read before |            remaining            | behind the limit |
 *   0                position                           limit            length
 *
 * A cursor is a plain struct on the caller's stack.  It reads a message from
 * front to back, across segments, and never past its end or its limit.  A call
 * that fails leaves the cursor and the output as they were, so a parser checks
 * once for each field.  To peek, copy the cursor and read with the copy.
 *
 * A message must not be edited or freed while a cursor reads it; a cursor over
 * a clone does not depend on the original.
 */
#ifndef IBUF_CURSOR_H
#define IBUF_CURSOR_H

#include <ibuf/base.h>
#include <ibuf/mbuf.h>

IBUF_BEGIN_DECLS

struct ibuf_mbuf;

/**
 * @defgroup cursor Cursor
 * A reader that never reads past the end.
 *
 * Functions that read n bytes move past them; n is 0 to what remains, and
 * false or NULL means that fewer remain.
 * @owner pointers are the message's, and end with its next edit or free
 * @mt shared-read for the message; a cursor is its thread's
 * @cost O(1)
 * @{
 */

/**
 * A place in a message:
 * remaining = (end_ - at_) + behind_, position = stop_ - remaining.
 */
struct ibuf_cursor {
	/** @cond private */
	const struct ibuf_mbuf *m_;   /* the message */
	const struct ibuf_mbuf *seg_; /* the segment at_ is in */
	const uint8_t *at_;           /* the next byte */
	const uint8_t *end_;          /* where it must stop in this segment */
	size_t behind_;               /* what it may read in later segments */
	size_t stop_;                 /* position where it must stop */

	/** @endcond */
};

/** Put a cursor at the first byte of a message.  It needs no end. */
IBUF_INLINE void ibuf_cursor_init(struct ibuf_cursor *c,
				  const struct ibuf_mbuf *m)
	IBUF_NONNULL((1, 2));

/** Tell how many bytes lie before the cursor. */
IBUF_INLINE size_t ibuf_cursor_position(const struct ibuf_cursor *c)
	IBUF_NONNULL((1));

/** Tell how many bytes can be read: to the limit, or to the end. */
IBUF_INLINE size_t ibuf_cursor_remaining(const struct ibuf_cursor *c)
	IBUF_NONNULL((1));

/** Put the cursor back at the first byte, without a limit. */
IBUF_INLINE void ibuf_cursor_reset(struct ibuf_cursor *c) IBUF_NONNULL((1));

/**
 * Put the cursor at a position; the limit stays.
 *
 * @return false: the position is beyond the limit, or the length
 * @cost O(segments between position and the nearer end of the message)
 */
IBUF_API bool ibuf_cursor_seek(struct ibuf_cursor *c, size_t position)
	IBUF_NONNULL((1));

/**
 * Skip n bytes.
 *
 * @cost O(segments passed)
 */
IBUF_INLINE bool ibuf_cursor_skip(struct ibuf_cursor *c, size_t n)
	IBUF_NONNULL((1));

/**
 * Let the cursor read n more bytes only.  A limit can be narrowed; only
 * ibuf_cursor_reset() takes it away.  A copy of the cursor made before has the
 * limit that the cursor had then.
 */
IBUF_API bool ibuf_cursor_limit(struct ibuf_cursor *c, size_t n)
	IBUF_NONNULL((1));

/** @name Read an integer
 * @{
 */
/**
 * Read an integer: be is big-endian, le little-endian, and the number is that
 * of the bits.
 */
IBUF_INLINE bool ibuf_cursor_get_u8(struct ibuf_cursor *c, uint8_t *v)
	IBUF_NONNULL((1, 2));
IBUF_INLINE bool ibuf_cursor_get_be16(struct ibuf_cursor *c, uint16_t *v)
	IBUF_NONNULL((1, 2));
IBUF_INLINE bool ibuf_cursor_get_be24(struct ibuf_cursor *c, uint32_t *v)
	IBUF_NONNULL((1, 2));
IBUF_INLINE bool ibuf_cursor_get_be32(struct ibuf_cursor *c, uint32_t *v)
	IBUF_NONNULL((1, 2));
IBUF_INLINE bool ibuf_cursor_get_be64(struct ibuf_cursor *c, uint64_t *v)
	IBUF_NONNULL((1, 2));
IBUF_INLINE bool ibuf_cursor_get_le16(struct ibuf_cursor *c, uint16_t *v)
	IBUF_NONNULL((1, 2));
IBUF_INLINE bool ibuf_cursor_get_le24(struct ibuf_cursor *c, uint32_t *v)
	IBUF_NONNULL((1, 2));
IBUF_INLINE bool ibuf_cursor_get_le32(struct ibuf_cursor *c, uint32_t *v)
	IBUF_NONNULL((1, 2));
IBUF_INLINE bool ibuf_cursor_get_le64(struct ibuf_cursor *c, uint64_t *v)
	IBUF_NONNULL((1, 2));
/** @} */

/**
 * Read n bytes into dst; all, or nothing.
 *
 * @cost O(n)
 */
IBUF_INLINE bool ibuf_cursor_read(struct ibuf_cursor *c, void *dst, size_t n)
	IBUF_NONNULL((1));

/** Look at n bytes in place; NULL also where they lie in several segments. */
IBUF_API const uint8_t *ibuf_cursor_span(struct ibuf_cursor *c, size_t n)
	IBUF_NONNULL((1));

/**
 * Look at n bytes in one piece: in place, or copied into scratch where they lie
 * in several segments.
 *
 * @param scratch n bytes of the caller
 * @return the first of them
 * @cost O(n) when they are copied
 */
IBUF_API const uint8_t *ibuf_cursor_view(struct ibuf_cursor *c, size_t n,
					 void *scratch) IBUF_NONNULL((1));

/**
 * Find n bytes ahead of the cursor, within its limit; the cursor does not move.
 *
 * @return bytes from here to them, 0 for n == 0; SIZE_MAX: they are not there
 * @cost O(remaining + n) for usual data; O(remaining * n) at the worst
 */
IBUF_API size_t ibuf_cursor_find(const struct ibuf_cursor *c,
				 const void *needle, size_t n)
	IBUF_NONNULL((1));

/**
 * Make a message of the next n bytes, which shares them.
 *
 * @return a slice, as from ibuf_mbuf_slice(); NULL also for no memory, and
 *         where 2^28 headers show a room already
 * @owner the caller has it; it lives on when the message is freed
 * @cost an indirect header and an atomic addition for each segment
 */
IBUF_INLINE IBUF_MAKES_MBUF struct ibuf_mbuf *
ibuf_cursor_take(struct ibuf_cursor *c, size_t n) IBUF_NONNULL((1));

/** @} */

IBUF_END_DECLS

#if !defined(IBUF_OUTLINE)
#include <ibuf/inline/cursor.h>
#endif

#endif
