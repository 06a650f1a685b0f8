/*
 * cursor.h - a checked reader.
 *
 * A cursor is a plain struct on the caller's stack that reads a message from
 * front to back, across segments, and never past its end or its limit.  A
 * call that fails leaves the cursor and the output where they were, so a
 * parser checks once for each field.  Copying a cursor is peeking: read with
 * the copy, and the original has not moved.
 *
 * While a cursor looks at a message, that may not be edited or freed; a
 * cursor over a clone does not care what happens to the original.
 */
#ifndef IBUF_CURSOR_H
#define IBUF_CURSOR_H

#include <ibuf/base.h>
#include <ibuf/inline/layout.h>

IBUF_BEGIN_DECLS

struct ibuf_mbuf;

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

/**
 * Put a cursor at the first byte of a message.
 *
 * @param c what to set; needs no end
 * @param m what it reads
 * @mt shared-read
 * @cost O(1)
 */
IBUF_INLINE void ibuf_cursor_init(struct ibuf_cursor *c,
				  const struct ibuf_mbuf *m);

/**
 * Tell how many bytes lie before the cursor.
 *
 * @return bytes
 * @mt shared-read
 * @cost O(1)
 */
IBUF_INLINE size_t ibuf_cursor_position(const struct ibuf_cursor *c);

/**
 * Tell how many bytes can be read.
 *
 * @return bytes to the limit, or to the end where there is none
 * @mt shared-read
 * @cost O(1)
 */
IBUF_INLINE size_t ibuf_cursor_remaining(const struct ibuf_cursor *c);

/**
 * Put the cursor back at the first byte, without a limit.
 *
 * @mt shared-read
 * @cost O(1)
 */
IBUF_INLINE void ibuf_cursor_reset(struct ibuf_cursor *c);

/**
 * Put the cursor at a position; the limit stays.
 *
 * @param position 0 to the limit, or to the length where there is none
 * @return false: beyond that
 * @mt shared-read
 * @cost O(segments between position and the nearer end of the message)
 */
IBUF_API bool ibuf_cursor_seek(struct ibuf_cursor *c, size_t position);

/**
 * Go n bytes on.
 *
 * @param n 0 to what remains
 * @return false: fewer remain
 * @mt shared-read
 * @cost O(segments passed)
 */
IBUF_INLINE bool ibuf_cursor_skip(struct ibuf_cursor *c, size_t n);

/**
 * Let the cursor read n more bytes only; a limit can be narrowed, and ends
 * with ibuf_cursor_reset() or with the copy of the cursor that has it.
 *
 * @param n 0 to what remains
 * @return false: fewer remain
 * @mt shared-read
 * @cost O(1)
 */
IBUF_API bool ibuf_cursor_limit(struct ibuf_cursor *c, size_t n);

/** @name Read an integer
 * @{
 */
/**
 * Read an integer and go past it: be big-endian, le little-endian, of so
 * many bits.
 *
 * @param v where it goes
 * @return false: too few bytes remain
 * @mt shared-read
 * @cost O(1)
 */
IBUF_INLINE bool ibuf_cursor_get_u8(struct ibuf_cursor *c, uint8_t *v);
IBUF_INLINE bool ibuf_cursor_get_be16(struct ibuf_cursor *c, uint16_t *v);
IBUF_INLINE bool ibuf_cursor_get_be24(struct ibuf_cursor *c, uint32_t *v);
IBUF_INLINE bool ibuf_cursor_get_be32(struct ibuf_cursor *c, uint32_t *v);
IBUF_INLINE bool ibuf_cursor_get_be64(struct ibuf_cursor *c, uint64_t *v);
IBUF_INLINE bool ibuf_cursor_get_le16(struct ibuf_cursor *c, uint16_t *v);
IBUF_INLINE bool ibuf_cursor_get_le24(struct ibuf_cursor *c, uint32_t *v);
IBUF_INLINE bool ibuf_cursor_get_le32(struct ibuf_cursor *c, uint32_t *v);
IBUF_INLINE bool ibuf_cursor_get_le64(struct ibuf_cursor *c, uint64_t *v);
/** @} */

/**
 * Read n bytes and go past them; all, or nothing.
 *
 * @param dst where they go
 * @param n 0 to what remains
 * @return false: fewer remain
 * @mt shared-read
 * @cost O(n)
 */
IBUF_INLINE bool ibuf_cursor_read(struct ibuf_cursor *c, void *dst, size_t n);

/**
 * Look at n bytes where they are and go past them.
 *
 * @param n 0 to what remains
 * @return the first of them; NULL: fewer remain, or they straddle a segment
 * @owner the message; valid until its next edit or free
 * @mt shared-read
 * @cost O(1)
 */
IBUF_API const uint8_t *ibuf_cursor_span(struct ibuf_cursor *c, size_t n);

/**
 * Look at n bytes in one piece and go past them: where they are, or copied
 * when they straddle a segment.
 *
 * @param n 0 to what remains
 * @param scratch n bytes of the caller, used for the copy
 * @return the first of them; NULL: fewer remain
 * @owner the message or the caller; valid until the message's next edit
 * @mt shared-read
 * @cost O(1); O(n) when they are copied
 */
IBUF_API const uint8_t *ibuf_cursor_view(struct ibuf_cursor *c, size_t n,
					 void *scratch);

/**
 * Find bytes ahead of the cursor, which does not move.
 *
 * @param needle what to find
 * @param n its size; 0 is found here
 * @return bytes from here to it; SIZE_MAX: not within what can be read
 * @mt shared-read
 * @cost O(remaining + n) for usual data; O(remaining * n) at the worst
 */
IBUF_API size_t ibuf_cursor_find(const struct ibuf_cursor *c,
				 const void *needle, size_t n);

/**
 * Make a message of the next n bytes, sharing them, and go past them.
 *
 * @param n 0 to what remains
 * @return a slice; NULL: fewer remain, no memory, or 2^28 windows on a room
 * @owner the caller; lives on when the message is freed
 * @mt shared-read
 * @cost a window and one atomic addition for each segment in the range
 */
IBUF_INLINE struct ibuf_mbuf *ibuf_cursor_take(struct ibuf_cursor *c, size_t n);

IBUF_END_DECLS

#if !defined(IBUF_OUTLINE)
#include <ibuf/inline/cursor.h>
#endif

#endif
