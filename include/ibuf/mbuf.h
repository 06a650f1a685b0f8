/*
 * mbuf.h - the message: its life, its ends, its bytes.
 *
 * A message is a struct ibuf_mbuf *, its first segment linked to the others;
 * every function here takes the whole message.  Its address never changes
 * while it lives.  A message built by append and prepend is contiguous for
 * life: they use the room there is, or grow it by half.
 *
 * Said once, true for all:
 *  - sizes are in bytes; one segment's room is at most 4 GiB - 1, a message
 *    at most PTRDIFF_MAX;
 *  - n == 0 with a NULL pointer is fine everywhere; a NULL message is not,
 *    except where freeing;
 *  - bytes that another message can see are never written: an edit moves to
 *    a private copy first, and only when it must;
 *  - pointers into a message die at its next edit, unless the function that
 *    edits says otherwise.
 */
#ifndef IBUF_MBUF_H
#define IBUF_MBUF_H

#include <ibuf/base.h>
#include <ibuf/inline/layout.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/types.h>

IBUF_BEGIN_DECLS

struct ibuf_mbuf;
struct ibuf_pool;

/* ---- life ---------------------------------------------------------- */

/**
 * Make an empty message on the heap, without headroom.
 *
 * @param capacity bytes it holds before it grows, 0 to 4 GiB - 1
 * @return the message; NULL: no memory, or a capacity beyond the limit
 * @owner the caller; ends with ibuf_mbuf_free()
 * @mt any
 * @cost two allocations
 */
IBUF_API struct ibuf_mbuf *ibuf_mbuf_new(size_t capacity);

/**
 * Make an empty message on the heap with room in front for headers to come.
 *
 * @param headroom bytes in front
 * @param capacity bytes behind it; the sum is at most 4 GiB - 1
 * @return the message; NULL: no memory, or sizes beyond the limit
 * @owner the caller; ends with ibuf_mbuf_free()
 * @mt any
 * @cost two allocations
 */
IBUF_API struct ibuf_mbuf *ibuf_mbuf_new_headroom(size_t headroom,
						  size_t capacity);

/**
 * Make a message on the heap that holds a private copy of some bytes.
 *
 * @param bytes what to copy; may be NULL when len is 0
 * @param len how many, 0 to 4 GiB - 1
 * @return the message; NULL: no memory, or a length beyond the limit
 * @owner the caller; ends with ibuf_mbuf_free()
 * @mt any
 * @cost two allocations, O(len)
 */
IBUF_API struct ibuf_mbuf *ibuf_mbuf_from(const void *bytes, size_t len);

/**
 * What a wrapped message calls when its last window is dropped: once, in the
 * thread that drops it, outside any lock.  It is given what was wrapped.
 *
 * A call that edits a message drops what it lets go of last, so the function
 * finds that message as it is when the call returns.  The function may look at
 * it and clone it, use any other message, be cancelled, and throw a C++
 * exception where the library is compiled with -fexceptions; what else the
 * call lets go of is released all the same.  It must not edit or free that
 * message.  At most one function of a call may throw.  A clone that it makes
 * shows what the caller then writes into bytes that the call returned.
 */
typedef void ibuf_mbuf_release_fn(void *bytes, size_t len, void *arg);

/**
 * Make a message of the caller's own memory, which may be written in place.
 *
 * @param bytes the memory; NULL only when len is 0
 * @param len its size, 0 to 4 GiB - 1
 * @param fn called when the last window onto it is gone; may be NULL
 * @param arg handed to fn
 * @return the message; NULL: no memory, a length beyond the limit, NULL bytes
 * @owner the message has the memory until fn is called; on failure fn is not
 *        called and the memory is still the caller's
 * @mt any
 * @cost two allocations
 */
IBUF_API struct ibuf_mbuf *ibuf_mbuf_wrap(void *bytes, size_t len,
					  ibuf_mbuf_release_fn *fn, void *arg);

/**
 * Make a message of the caller's own memory, which is never written: an edit
 * that would write there moves to a private copy first, in every clone,
 * slice and split too.
 *
 * @param bytes the memory, which may be mapped read-only
 * @param len its size, 0 to 4 GiB - 1
 * @param fn called when the last window onto it is gone; may be NULL
 * @param arg handed to fn
 * @return the message; NULL: no memory, a length beyond the limit, NULL bytes
 * @owner as for ibuf_mbuf_wrap()
 * @mt any
 * @cost two allocations
 */
IBUF_API struct ibuf_mbuf *ibuf_mbuf_wrap_const(const void *bytes, size_t len,
						ibuf_mbuf_release_fn *fn,
						void *arg);

/**
 * Make a second message that shows the same bytes, sharing them.
 *
 * The clone has the right to neither end; the message keeps those it has.
 *
 * @return the clone; NULL: no memory, or 2^28 windows look at a room already
 * @owner the caller; both are freed, in any order, by any thread
 * @mt shared-read
 * @cost a window and one atomic addition for each segment; no byte is copied
 */
IBUF_INLINE struct ibuf_mbuf *ibuf_mbuf_clone(const struct ibuf_mbuf *m);

/**
 * Make n clones, or none.
 *
 * @param out where the n clones go; untouched on failure
 * @param n how many
 * @return 0; -ENOMEM; -EOVERFLOW: more than 2^28 windows on a room
 * @owner the caller owns each clone
 * @mt shared-read
 * @cost n windows and one atomic addition for each segment
 */
IBUF_API int ibuf_mbuf_clone_bulk(const struct ibuf_mbuf *m,
				  struct ibuf_mbuf **out, size_t n);

/**
 * Make a message that shows a range of another one, sharing the bytes.
 *
 * @param off where it starts, 0 to the length
 * @param len how many bytes, 0 to the length - off
 * @return the slice, which has the right to neither end; NULL: no memory, a
 *         range outside, or 2^28 windows on a room
 * @owner the caller; lives on when the message is freed
 * @mt shared-read
 * @cost a window and one atomic addition for each segment in the range
 */
IBUF_INLINE struct ibuf_mbuf *ibuf_mbuf_slice(const struct ibuf_mbuf *m,
					      size_t off, size_t len);

/**
 * Make a contiguous private copy of a range.
 *
 * Comes from the message's pool when it fits there, from the heap otherwise;
 * always from the heap where some of the bytes are of a pool that wipes and
 * the message's own does not.
 *
 * @param off where it starts, 0 to the length
 * @param len how many bytes, 0 to the length - off, at most 4 GiB - 1
 * @return the copy; NULL: no memory, or a range outside
 * @owner the caller
 * @mt shared-read
 * @cost O(len)
 */
IBUF_API struct ibuf_mbuf *ibuf_mbuf_copy(const struct ibuf_mbuf *m, size_t off,
					  size_t len);

/**
 * Free a message; its bytes live on where clones or slices look at them.
 *
 * Aborts when a pool's mbuf is freed twice.
 *
 * @param m the message; NULL is fine
 * @owner m is gone
 * @mt object, in any thread
 * @cost O(segments); an atomic subtraction for each that is shared
 */
IBUF_INLINE_ALWAYS void ibuf_mbuf_free(struct ibuf_mbuf *m);

/**
 * Free n messages.
 *
 * @param ms the messages; NULL entries are skipped
 * @param n how many
 * @owner all are gone
 * @mt object, in any thread
 * @cost as n times ibuf_mbuf_free()
 */
IBUF_API void ibuf_mbuf_free_bulk(struct ibuf_mbuf **ms, size_t n);

/* ---- look ---------------------------------------------------------- */

/**
 * Tell the length of the whole message.
 *
 * @return bytes in all segments
 * @mt shared-read
 * @cost O(1)
 */
IBUF_INLINE size_t ibuf_mbuf_len(const struct ibuf_mbuf *m);

/**
 * Look at all bytes where they are.
 *
 * @return the first of len bytes; NULL: the message has several segments
 * @owner the message; valid until its next edit or free
 * @mt shared-read
 * @cost O(1)
 */
IBUF_INLINE const uint8_t *ibuf_mbuf_data(const struct ibuf_mbuf *m);

/**
 * Look at the bytes from an offset to the end of their segment.
 *
 * @param off 0 to the length; at the length the run is 0
 * @param run how many bytes are there; may be NULL
 * @return the byte at off; NULL: off is outside, and run is untouched
 * @owner the message; valid until its next edit or free
 * @mt shared-read
 * @cost O(segments between off and the nearer end)
 */
IBUF_INLINE const uint8_t *ibuf_mbuf_at(const struct ibuf_mbuf *m, size_t off,
					size_t *run);

/**
 * Tell how many bytes can be prepended without allocation.
 *
 * @return bytes; 0 where another message may use them
 * @mt shared-read
 * @cost O(1)
 */
IBUF_API size_t ibuf_mbuf_headroom(const struct ibuf_mbuf *m);

/**
 * Tell how many bytes can be appended without allocation.
 *
 * @return bytes; 0 where another message may use them
 * @mt shared-read
 * @cost O(1)
 */
IBUF_API size_t ibuf_mbuf_tailroom(const struct ibuf_mbuf *m);

/**
 * Tell how many bytes the message holds before it grows: the capacity of the
 * last segment and the lengths of those before.
 *
 * The headroom a room was made with does not count; bytes prepended into it
 * may make the length exceed the capacity.
 *
 * @return bytes
 * @mt shared-read
 * @cost O(1)
 */
IBUF_API size_t ibuf_mbuf_capacity(const struct ibuf_mbuf *m);

/**
 * Compare a range of the message with bytes, also across segments.
 *
 * @param off where it starts
 * @param bytes what it is compared with
 * @param n how many; 0 match at 0 to the length
 * @return true: they are all there and the same
 * @mt shared-read
 * @cost O(n + segments between off and the nearer end)
 */
IBUF_API bool ibuf_mbuf_matches(const struct ibuf_mbuf *m, size_t off,
				const void *bytes, size_t n);

/**
 * Tell whether every byte may be written in place.
 *
 * @return true when no room is shared or read-only
 * @mt shared-read; another thread that frees a clone may make it true
 * @cost O(segments), an atomic load each
 */
IBUF_API bool ibuf_mbuf_is_unique(const struct ibuf_mbuf *m);

/**
 * Tell whether the bytes are in one piece.
 *
 * @return true when there is one segment
 * @mt shared-read
 * @cost O(1)
 */
IBUF_INLINE bool ibuf_mbuf_is_contiguous(const struct ibuf_mbuf *m);

/**
 * Count the segments.
 *
 * @return at least 1
 * @mt shared-read
 * @cost O(1)
 */
IBUF_INLINE size_t ibuf_mbuf_segments(const struct ibuf_mbuf *m);

/**
 * Tell which pool the message goes back to.
 *
 * @return the pool; NULL: the heap, or a pool that was destroyed
 * @mt shared-read
 * @cost O(1)
 */
IBUF_API struct ibuf_pool *ibuf_mbuf_pool(const struct ibuf_mbuf *m);

/**
 * Get the caller's own bytes beside the message: private_size of the pool's
 * options, aligned to 16.
 *
 * They are zero at birth, belong to this handle alone (a clone has its own)
 * and stay with it whatever happens to the message's bytes.
 *
 * @return the bytes; NULL: none, or the message is of the heap
 * @owner the message
 * @mt object
 * @cost O(1)
 */
IBUF_API void *ibuf_mbuf_private(struct ibuf_mbuf *m);

/* ---- edit the ends ------------------------------------------------- */

/**
 * Add bytes at the end.
 *
 * @param bytes what to copy; may be bytes of this message
 * @param n how many
 * @return 0; -ENOMEM; -EOVERFLOW: the room or the message would be too large
 * @mt object
 * @cost O(n); when it grows O(length), which is O(1) for each byte appended,
 *       also while clones look at what there was; O(log length) where both
 *       ends grow under them
 */
IBUF_INLINE int ibuf_mbuf_append(struct ibuf_mbuf *m, const void *bytes,
				 size_t n);

/**
 * Add bytes at the front.
 *
 * @param bytes what to copy; may be bytes of this message
 * @param n how many
 * @return 0; -ENOMEM; -EOVERFLOW: the room or the message would be too large
 * @mt object
 * @cost O(n); when it grows O(length), which is O(1) for each byte prepended,
 *       also while clones look at what there was; O(log length) where both
 *       ends grow under them
 */
IBUF_INLINE int ibuf_mbuf_prepend(struct ibuf_mbuf *m, const void *bytes,
				  size_t n);

/**
 * Copy a range of a message to the end of another, or of the same.
 *
 * @param from what is copied from; may be m
 * @param off where it starts, 0 to the length of from
 * @param n how many bytes, 0 to that length - off
 * @return 0; -ERANGE: outside; -ENOMEM; -EOVERFLOW: the room or the message
 *         would be too large
 * @mt object for m, shared-read for from
 * @cost O(n + segments between off and the nearer end); when it grows O(length)
 */
IBUF_API int ibuf_mbuf_append_range(struct ibuf_mbuf *m,
				    const struct ibuf_mbuf *from, size_t off,
				    size_t n);

/**
 * Add n times the same byte at the end.
 *
 * @param byte which
 * @param n how often
 * @return 0; -ENOMEM; -EOVERFLOW: the room or the message would be too large
 * @mt object
 * @cost as ibuf_mbuf_append()
 */
IBUF_API int ibuf_mbuf_append_fill(struct ibuf_mbuf *m, uint8_t byte, size_t n);

/**
 * Make the message n bytes longer at the end, for the caller to fill.
 *
 * @param n how many
 * @return the n uninitialised bytes; NULL: no memory, or beyond the limits
 * @owner the message; valid until its next edit or free
 * @mt object
 * @cost O(1); when it grows O(length)
 */
IBUF_INLINE void *ibuf_mbuf_extend_tail(struct ibuf_mbuf *m, size_t n);

/**
 * Make the message n bytes longer at the front, for the caller to fill.
 *
 * @param n how many
 * @return the n uninitialised bytes; NULL: no memory, or beyond the limits
 * @owner the message; valid until its next edit or free
 * @mt object
 * @cost O(1); when it grows O(length)
 */
IBUF_INLINE void *ibuf_mbuf_extend_head(struct ibuf_mbuf *m, size_t n);

/**
 * Append formatted text, without a terminating zero; errno is kept.
 *
 * @param format as for printf; arguments may be bytes of this message
 * @return 0; -ENOMEM; -EOVERFLOW: longer than vsnprintf or a message can say;
 *         -EINVAL: the format fails
 * @mt object
 * @cost O(text); formatted twice when it does not fit
 */
IBUF_API int ibuf_mbuf_printf(struct ibuf_mbuf *m, const char *format, ...)
	IBUF_PRINTF(2, 3);

/**
 * Append formatted text, without a terminating zero; errno is kept.
 *
 * @param format as for printf; arguments may be bytes of this message
 * @param args the arguments; as with vprintf, undefined afterwards
 * @return 0; -ENOMEM; -EOVERFLOW: longer than vsnprintf or a message can say;
 *         -EINVAL: the format fails
 * @mt object
 * @cost O(text); formatted twice when it does not fit
 */
IBUF_API int ibuf_mbuf_vprintf(struct ibuf_mbuf *m, const char *format,
			       va_list args) IBUF_PRINTF(2, 0);

/**
 * Get n writable bytes behind the end, to be made data by ibuf_mbuf_commit().
 *
 * @param n how many; the tailroom may be larger
 * @return the byte behind the last one; NULL: no memory, or beyond the limits
 * @owner the message; valid until its next edit or free
 * @mt object
 * @cost O(1); when it grows O(length)
 */
IBUF_INLINE void *ibuf_mbuf_reserve(struct ibuf_mbuf *m, size_t n);

/**
 * Make bytes data that were written behind the end.
 *
 * @param n how many, 0 to the tailroom
 * @return 0; -ERANGE: more than the tailroom
 * @mt object
 * @cost O(1)
 */
IBUF_INLINE int ibuf_mbuf_commit(struct ibuf_mbuf *m, size_t n);

/**
 * Take bytes off the front; no other message notices.
 *
 * @param n how many, 0 to the length
 * @return 0; -ERANGE: more than the length
 * @mt object
 * @cost O(segments that empty)
 */
IBUF_INLINE int ibuf_mbuf_trim_head(struct ibuf_mbuf *m, size_t n);

/**
 * Take bytes off the end; no other message notices.
 *
 * @param n how many, 0 to the length
 * @return 0; -ERANGE: more than the length
 * @mt object
 * @cost O(segments that empty)
 */
IBUF_INLINE int ibuf_mbuf_trim_tail(struct ibuf_mbuf *m, size_t n);

/**
 * Empty the message; a sole owner is back at the headroom it began with.
 *
 * @mt object
 * @cost O(segments)
 */
IBUF_INLINE void ibuf_mbuf_clear(struct ibuf_mbuf *m);

/**
 * Keep no memory alive beyond the message's own bytes: each segment that shows
 * a part of its room moves to one of just its size, or to the idle room of its
 * own pool mbuf, whoever else looks at the room.  Bytes in the room of their
 * own pool mbuf stay there.
 *
 * This is how a slice lets go of a large buffer before that is freed.
 *
 * @return 0, also when nothing had to move; -ENOMEM
 * @mt object
 * @cost O(length)
 */
IBUF_API int ibuf_mbuf_shrink(struct ibuf_mbuf *m);

/* ---- write in place ------------------------------------------------ */

/**
 * Get all bytes private and writable.
 *
 * @return the first of len bytes; NULL: several segments, or no memory
 * @owner the message; valid until its next edit, clone or free
 * @mt object
 * @cost O(1); O(length) where the bytes are shared or read-only
 */
IBUF_API uint8_t *ibuf_mbuf_data_mut(struct ibuf_mbuf *m);

/**
 * Get the bytes from an offset to the end of their segment private and
 * writable.
 *
 * @param off 0 to the length; at the length the run is 0
 * @param run how many bytes are there; may be NULL
 * @return the byte at off; NULL: outside, or no memory; run is untouched
 * @owner the message; valid until its next edit, clone or free
 * @mt object
 * @cost O(segments between off and the nearer end); O(segment) where it is
 *       shared or read-only
 */
IBUF_API uint8_t *ibuf_mbuf_at_mut(struct ibuf_mbuf *m, size_t off,
				   size_t *run);

/**
 * Make every segment private and writable.
 *
 * @return 0; -ENOMEM
 * @mt object
 * @cost O(bytes shared or read-only)
 */
IBUF_API int ibuf_mbuf_unshare(struct ibuf_mbuf *m);

/**
 * Overwrite bytes inside the message.
 *
 * @param off where, 0 to the length
 * @param bytes what to copy; may be bytes of this message
 * @param n how many, 0 to the length - off
 * @return 0; -ERANGE: outside; -ENOMEM
 * @mt object
 * @cost O(n + segments between off and the nearer end), and O(segments
 *       written) where they are shared or read-only
 */
IBUF_API int ibuf_mbuf_write_at(struct ibuf_mbuf *m, size_t off,
				const void *bytes, size_t n);

/* ---- stream -------------------------------------------------------- */

/**
 * Take bytes off the front into the caller's memory.
 *
 * @param dst where they go; not memory of this message
 * @param n how many at most
 * @return how many there were
 * @mt object
 * @cost O(n); what is left is not moved
 */
IBUF_INLINE size_t ibuf_mbuf_read(struct ibuf_mbuf *m, void *dst, size_t n);

/**
 * Add bytes at the end, in the words of write(2).
 *
 * @param bytes what to copy; may be bytes of this message
 * @param n how many
 * @return n; -ENOMEM; -EOVERFLOW: the room or the message would be too large
 * @mt object
 * @cost as ibuf_mbuf_append()
 */
IBUF_INLINE ssize_t ibuf_mbuf_write(struct ibuf_mbuf *m, const void *bytes,
				    size_t n);

/* ---- inspect ------------------------------------------------------- */

/**
 * Check every invariant that can be seen from this message.
 *
 * @return 0; -EINVAL: something overwrote it, or ibuf has a bug
 * @mt shared-read
 * @cost O(segments)
 */
IBUF_API int ibuf_mbuf_validate(const struct ibuf_mbuf *m);

/**
 * Print a message for a person: each segment with its room, count, rights,
 * headroom and tailroom, and its bytes in hex and text.
 *
 * @param to where; its error flag tells of write errors, and a segment whose
 *        bytes it does not take is left at that line
 * @mt shared-read
 * @cost O(length)
 */
IBUF_API void ibuf_mbuf_dump(const struct ibuf_mbuf *m, FILE *to);

IBUF_END_DECLS

#if !defined(IBUF_OUTLINE)
#include <ibuf/inline/mbuf.h>
#endif

#endif
