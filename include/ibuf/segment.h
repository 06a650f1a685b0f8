/*
 * segment.h - messages of several segments.
 *
 *   m -> [ bytes ] -> [ bytes ] -> [ bytes ]     ibuf_mbuf_seg_next()
 *        first         |   ^
 *        segment       split, concat
 *
 * Segments appear only where the caller asks: concat, split, and a slice or
 * clone of a message that has several.  Only an empty message has an empty
 * segment, and then exactly one.  Segments that show adjacent bytes of one
 * room become one segment when concat joins them again, without copying.
 */
#ifndef IBUF_SEGMENT_H
#define IBUF_SEGMENT_H

#include <ibuf/base.h>
#include <ibuf/mbuf.h>
#include <sys/uio.h>

IBUF_BEGIN_DECLS

struct ibuf_mbuf;

/**
 * @defgroup segments Segments
 * How messages are joined, cut and made contiguous; and reading across their
 * segments.
 *
 * A range of a message is n bytes from off on, and lies inside it: off is 0 to
 * the length, and n is 0 to the length - off.
 * @mt object for what edits a message, shared-read for the rest
 * @cost O(1); O(segments between off and the nearer end) to find an offset
 * @{
 */

/**
 * Put one message behind another, without copying.
 *
 * @param m the message that becomes longer
 * @param tail what is put behind it
 * @return 0; -EINVAL: m and tail are one message; -EOVERFLOW: too long
 * @owner on success tail must not be used any more; on failure it is still the
 *        caller's
 * @mt object, both
 */
IBUF_API IBUF_MUST_USE int ibuf_mbuf_concat(struct ibuf_mbuf *m,
					    struct ibuf_mbuf *tail)
	IBUF_NONNULL((1, 2));

/**
 * Put one message in front of another, without copying.  m keeps its address,
 * its pool and its private area: so a clone gets a protocol header of its own
 * in front of bytes that others share.
 *
 * @param m the message that becomes longer
 * @param front what is put in front of it
 * @return 0; -EINVAL: m and front are one message; -EOVERFLOW: too long
 * @owner on success front must not be used any more; on failure it is still
 *        the caller's
 * @mt object, both
 */
IBUF_API IBUF_MUST_USE int ibuf_mbuf_concat_front(struct ibuf_mbuf *m,
						  struct ibuf_mbuf *front)
	IBUF_NONNULL((1, 2));

/**
 * Cut a message in two, without copying.  The rest gets the right to the
 * tailroom, and the front loses it.
 *
 * @param at 0 to the length; m keeps the bytes before it
 * @return the rest; NULL: outside, no memory, or 2^28 headers show the room
 * @owner the caller has both
 * @cost also a header and an atomic addition at most
 */
IBUF_API IBUF_MAKES_MBUF struct ibuf_mbuf *ibuf_mbuf_split(struct ibuf_mbuf *m,
							   size_t at)
	IBUF_NONNULL((1));

/**
 * Cut the front off a message, without copying, such as a frame off a stream.
 * m keeps the rest, its address and the right to the tailroom, so that it can
 * go on growing; front gets the right to the headroom.
 *
 * @param n how many bytes front gets, 0 to the length
 * @param front where the new message goes; untouched on failure
 * @return 0; -ERANGE: n is more than the length; -ENOMEM: no memory, or 2^28
 *         headers show the room
 * @owner the caller has both
 * @cost also a header and an atomic addition at most
 */
IBUF_API IBUF_MUST_USE int ibuf_mbuf_split_front(struct ibuf_mbuf *m, size_t n,
						 struct ibuf_mbuf **front)
	IBUF_NONNULL((1, 3));

/**
 * Make the message one segment.
 *
 * @return 0; -ENOMEM; -EOVERFLOW: longer than a segment can be
 * @cost O(1) when it is one already, else O(length)
 */
IBUF_API IBUF_MUST_USE int ibuf_mbuf_linearize(struct ibuf_mbuf *m)
	IBUF_NONNULL((1));

/**
 * Make the first n bytes contiguous.
 *
 * @return the first byte, until the next edit or free; NULL: n is more than the
 *         length, no memory, or longer than a segment can be
 * @cost O(1) when they are already, else O(n + the first segment)
 */
IBUF_API IBUF_MUST_USE const uint8_t *ibuf_mbuf_pullup(struct ibuf_mbuf *m,
						       size_t n)
	IBUF_NONNULL((1));

/**
 * Copy a range into the caller's memory.
 *
 * @return 0; -ERANGE: outside, and dst is untouched
 * @cost also O(n)
 */
IBUF_API int ibuf_mbuf_copy_out(const struct ibuf_mbuf *m, size_t off,
				void *dst, size_t n) IBUF_NONNULL((1));

/**
 * Compare the bytes of two messages as memcmp does; a prefix sorts first.
 *
 * @return less than 0, 0, or more than 0
 * @mt shared-read, both
 * @cost O(length of the shorter)
 */
IBUF_API int ibuf_mbuf_compare(const struct ibuf_mbuf *a,
			       const struct ibuf_mbuf *b) IBUF_NONNULL((1, 2));

/**
 * Find bytes in a message, also where they lie across segments.
 *
 * @param off where to start, 0 to the length
 * @param needle what to find
 * @param n its size; 0 bytes are found at off
 * @return the offset of the first place; SIZE_MAX: nowhere
 * @cost O(length + n) for usual data; O(length * n) at the worst
 */
IBUF_API size_t ibuf_mbuf_find(const struct ibuf_mbuf *m, size_t off,
			       const void *needle, size_t n) IBUF_NONNULL((1));

/**
 * Describe the bytes from an offset on as an array for writev and the like.
 *
 * @param off where to start
 * @param iov the array; may be NULL when max is 0
 * @param max its size; no more entries than that are filled
 * @return how many entries it takes; 0 at the end of the message and beyond
 * @owner the entries point into the message, until its next edit or free
 * @cost also O(max)
 */
IBUF_API size_t ibuf_mbuf_iov(const struct ibuf_mbuf *m, size_t off,
			      struct iovec *iov, size_t max) IBUF_NONNULL((1));

/**
 * Compute the internet checksum of a range (RFC 1071).
 *
 * @param start the unfolded sum of what comes before, such as a
 *        pseudo-header, as big-endian 16-bit words; 0: nothing
 * @param out the value to write as be16; 0 over a range that holds its own
 *        right checksum
 * @return 0; -ERANGE: outside, and out is untouched
 * @cost also O(n)
 */
IBUF_API int ibuf_mbuf_checksum(const struct ibuf_mbuf *m, size_t off, size_t n,
				uint32_t start, uint16_t *out)
	IBUF_NONNULL((1, 5));

/** Go to the segment behind s; the first is the message.  NULL: s is the last. */
IBUF_INLINE const struct ibuf_mbuf *
ibuf_mbuf_seg_next(const struct ibuf_mbuf *s) IBUF_NONNULL((1));

/** Look at the bytes of one segment, until the next edit or free; never NULL. */
IBUF_INLINE const uint8_t *ibuf_mbuf_seg_data(const struct ibuf_mbuf *s)
	IBUF_NONNULL((1));

/** Tell the length of one segment: 0 only in an empty message. */
IBUF_INLINE size_t ibuf_mbuf_seg_len(const struct ibuf_mbuf *s)
	IBUF_NONNULL((1));

/** @} */

IBUF_END_DECLS

#if !defined(IBUF_OUTLINE)
#include <ibuf/inline/segment.h>
#endif

#endif
