/*
 * mbuf.h - the message: its life, its ends, its bytes.
 *
 *   struct ibuf_mbuf *      the message: its first segment
 *        |
 *        v
 *   +--------------+------------------------+------------------+
 *   |   headroom   |      bytes (len)       |     tailroom     |   its room
 *   +--------------+------------------------+------------------+
 *      prepend <-   -> trim_head  trim_tail <-   -> append
 *   |--- h0 --->|<------------ capacity C -------------------->|
 *
 * A message is a struct ibuf_mbuf *, its first segment, linked to the others;
 * every function here takes the whole message.  Its address never changes
 * while it lives.  Append and prepend use the free room, or grow the room by
 * half, and never add a segment.  h0 is the headroom that the room was made
 * with; bytes prepended into it may make the length exceed the capacity.
 *
 * For all functions: sizes are in bytes; a room is at most 4 GiB - 1, a
 * message at most PTRDIFF_MAX.  n == 0 with a NULL pointer is fine everywhere;
 * a NULL message is not, except where messages are freed.  Bytes that another
 * message can see are never written: an edit moves to a private copy first,
 * and only when it must.  A failed call changes nothing.  Pointers into a
 * message end with its next edit or free, unless the function says otherwise.
 *
 * Each group names its thread class (see base.h) and its cost once; a function
 * says what differs.
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

/**
 * @defgroup life Message life
 * How messages are made, shared and freed.
 *
 * NULL means no memory, a size beyond the limits, or a range outside m.
 * @owner the caller has each new message and frees it, whatever becomes of m
 * @mt any where it is made of bytes, shared-read where it is made of m
 * @cost one allocation for a new message of the heap; headers come from what
 *       the thread keeps back
 * @{
 */

/**
 * Free a message; NULL is fine.  Bytes stay where clones or slices show them.
 * Aborts when a pool's mbuf is freed twice.
 *
 * @mt object, in any thread
 * @cost O(segments), and an atomic subtraction for each that is shared
 */
IBUF_INLINE_ALWAYS void ibuf_mbuf_free(struct ibuf_mbuf *m);

/** Free the n messages of an array in this way; NULL entries are skipped. */
IBUF_API void ibuf_mbuf_free_bulk(struct ibuf_mbuf **ms, size_t n);

/**
 * Make an empty message on the heap that holds capacity bytes (C).
 *
 * @cost none of malloc's, where the thread has kept a room of the size: of rooms
 *       of up to 1024 bytes that it freed it keeps some, at most 68 KiB, until
 *       it exits; else one allocation
 */
IBUF_API IBUF_MAKES_MBUF struct ibuf_mbuf *ibuf_mbuf_new(size_t capacity);

/** The same with headroom in front; the sum is at most 4 GiB - 1. */
IBUF_API IBUF_MAKES_MBUF struct ibuf_mbuf *
ibuf_mbuf_new_headroom(size_t headroom, size_t capacity);

/** Make a message on the heap of a copy of len bytes, in O(len). */
IBUF_API IBUF_MAKES_MBUF struct ibuf_mbuf *ibuf_mbuf_from(const void *bytes,
							  size_t len);

/**
 * What is called when no message shows wrapped memory any more: once, in the
 * thread that drops it, outside any lock, with what was wrapped.
 *
 * A call that edits a message runs it last, so it finds that message as the
 * call leaves it.  It may look at that message and clone it, use any other
 * one, be cancelled, and throw a C++ exception if the library is compiled with
 * -fexceptions; what else the call drops is released all the same.  It must
 * not edit or free that message.  At most one function of a call may throw.
 * A clone that it makes shows what the caller then writes into bytes that the
 * call returned.
 */
typedef void ibuf_mbuf_release_fn(void *bytes, size_t len, void *arg);

/**
 * Make a message of the caller's own memory, which edits may write in place.
 *
 * @param bytes the memory; NULL only when len is 0
 * @param len its size, 0 to 4 GiB - 1
 * @param fn see above; may be NULL
 * @param arg handed to fn
 * @return the message, or NULL: fn is not called, and the memory is still the
 *         caller's
 */
IBUF_API IBUF_MAKES_MBUF struct ibuf_mbuf *
ibuf_mbuf_wrap(void *bytes, size_t len, ibuf_mbuf_release_fn *fn, void *arg);

/**
 * The same for memory that is never written: an edit that would write there
 * moves to a private copy first, in every clone, slice and split too.
 */
IBUF_API IBUF_MAKES_MBUF struct ibuf_mbuf *
ibuf_mbuf_wrap_const(const void *bytes, size_t len, ibuf_mbuf_release_fn *fn,
		     void *arg);

/**
 * Make a second message that shows the same bytes and shares them.  The clone
 * has the right to neither end; m keeps those that it has.
 *
 * @return the clone, or NULL, also where 2^28 headers show a room already
 * @cost an indirect header and an atomic addition for each segment
 */
IBUF_INLINE IBUF_MAKES_MBUF struct ibuf_mbuf *
ibuf_mbuf_clone(const struct ibuf_mbuf *m) IBUF_NONNULL((1));

/**
 * Make n clones, or none; out is untouched on failure.
 *
 * @return 0; -ENOMEM; -EOVERFLOW: more than 2^28 headers for a room
 * @cost n headers and one atomic addition for each segment
 */
IBUF_API IBUF_MUST_USE int ibuf_mbuf_clone_bulk(const struct ibuf_mbuf *m,
						struct ibuf_mbuf **out,
						size_t n) IBUF_NONNULL((1));

/**
 * Make a message that shows and shares len bytes of m from off on, as a clone
 * shares all of them; NULL as for a clone.
 *
 * @cost as a clone, for the segments of the range, and O(segments between off
 *       and the nearer end)
 */
IBUF_INLINE IBUF_MAKES_MBUF struct ibuf_mbuf *
ibuf_mbuf_slice(const struct ibuf_mbuf *m, size_t off, size_t len)
	IBUF_NONNULL((1));

/**
 * Make a contiguous private copy of len bytes of m from off on: in m's pool
 * when they fit there, else on the heap, and always on the heap where some of
 * them are of a pool that wipes and m's own pool does not.
 *
 * @cost O(len + segments between off and the nearer end)
 */
IBUF_API IBUF_MAKES_MBUF struct ibuf_mbuf *
ibuf_mbuf_copy(const struct ibuf_mbuf *m, size_t off, size_t len)
	IBUF_NONNULL((1));

/** @} */

/**
 * @defgroup look Looking at messages
 * What a message holds, and where.
 *
 * @mt shared-read
 * @cost O(1)
 * @{
 */

/** Tell the length of the whole message. */
IBUF_INLINE size_t ibuf_mbuf_len(const struct ibuf_mbuf *m) IBUF_NONNULL((1));

/** Look at all bytes in place; NULL: the message has several segments. */
IBUF_INLINE const uint8_t *ibuf_mbuf_data(const struct ibuf_mbuf *m)
	IBUF_NONNULL((1));

/**
 * Look at the bytes from an offset to the end of their segment.
 *
 * @param off 0 to the length; at the length the run is 0
 * @param run how many bytes are there; may be NULL
 * @return the byte at off; NULL: off is outside, and run is untouched
 * @cost O(segments between off and the nearer end)
 */
IBUF_INLINE const uint8_t *ibuf_mbuf_at(const struct ibuf_mbuf *m, size_t off,
					size_t *run) IBUF_NONNULL((1));

/**
 * Tell how many bytes can be prepended without an allocation; 0 where another
 * message may use that room, and where memory is read-only.
 */
IBUF_API size_t ibuf_mbuf_headroom(const struct ibuf_mbuf *m) IBUF_NONNULL((1));

/** The same for bytes to be appended. */
IBUF_API size_t ibuf_mbuf_tailroom(const struct ibuf_mbuf *m) IBUF_NONNULL((1));

/** Tell C of the last segment, and the lengths of those before. */
IBUF_API size_t ibuf_mbuf_capacity(const struct ibuf_mbuf *m) IBUF_NONNULL((1));

/**
 * Tell whether the n bytes at an offset are these, also across segments; false
 * too when they are not all there.  0 bytes match at 0 to the length.
 *
 * @cost O(n + segments between off and the nearer end)
 */
IBUF_API bool ibuf_mbuf_matches(const struct ibuf_mbuf *m, size_t off,
				const void *bytes, size_t n) IBUF_NONNULL((1));

/**
 * Tell whether every byte may be written in place: no room is shared or
 * read-only.  Another thread that frees a clone may make it true.
 *
 * @cost O(segments), an atomic load each
 */
IBUF_API bool ibuf_mbuf_is_unique(const struct ibuf_mbuf *m) IBUF_NONNULL((1));

/** Tell whether the bytes are in one segment. */
IBUF_INLINE bool ibuf_mbuf_is_contiguous(const struct ibuf_mbuf *m)
	IBUF_NONNULL((1));

/** Count the segments, at least 1. */
IBUF_INLINE size_t ibuf_mbuf_segments(const struct ibuf_mbuf *m)
	IBUF_NONNULL((1));

/** Tell which pool m goes back to; NULL: the heap, or a destroyed pool. */
IBUF_API struct ibuf_pool *ibuf_mbuf_pool(const struct ibuf_mbuf *m)
	IBUF_NONNULL((1));

/**
 * Get the caller's own bytes beside m: private_size of the pool's options,
 * aligned to 16.  They are zero at birth, are m's alone (a clone has its own),
 * and stay until m is freed, whatever happens to its data.
 *
 * @return the bytes; NULL: none, or m is of the heap
 * @mt object
 * @cost O(1); the first call for m clears them
 */
IBUF_API void *ibuf_mbuf_private(struct ibuf_mbuf *m) IBUF_NONNULL((1));

/** @} */

/**
 * @defgroup edit Editing the ends
 * How bytes are added to a message and taken off.
 *
 * Errors are -ENOMEM, and -EOVERFLOW when the room or the message would be too
 * large; NULL is either.  Bytes to be added may be bytes of m.
 * @mt object
 * @cost O(bytes copied); when the room grows O(length), which is O(1) for each
 *       byte added, also while clones live, and O(log length) where both ends
 *       grow under clones
 * @{
 */

/** Add n bytes at the end: 0 or an error. */
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_append(struct ibuf_mbuf *m,
					       const void *bytes, size_t n)
	IBUF_NONNULL((1));

/** Add n bytes at the front: 0 or an error. */
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_prepend(struct ibuf_mbuf *m,
						const void *bytes, size_t n)
	IBUF_NONNULL((1));

/**
 * Copy n bytes at an offset of from, which may be m, to the end of m.
 *
 * @return 0, an error, or -ERANGE: not all of them are inside from
 * @mt object for m, shared-read for from
 * @cost also O(segments between off and the nearer end)
 */
IBUF_API IBUF_MUST_USE int ibuf_mbuf_append_range(struct ibuf_mbuf *m,
						  const struct ibuf_mbuf *from,
						  size_t off, size_t n)
	IBUF_NONNULL((1, 2));

/** Add n times the same byte at the end: 0 or an error. */
IBUF_API IBUF_MUST_USE int ibuf_mbuf_append_fill(struct ibuf_mbuf *m,
						 uint8_t byte, size_t n)
	IBUF_NONNULL((1));

/** Make m longer at the end by n uninitialised bytes: these, or NULL. */
IBUF_INLINE IBUF_MUST_USE void *ibuf_mbuf_extend_tail(struct ibuf_mbuf *m,
						      size_t n)
	IBUF_NONNULL((1));

/** Make m longer at the front by n uninitialised bytes: these, or NULL. */
IBUF_INLINE IBUF_MUST_USE void *ibuf_mbuf_extend_head(struct ibuf_mbuf *m,
						      size_t n)
	IBUF_NONNULL((1));

/**
 * Append formatted text, without a terminating zero; errno is kept.  It is
 * formatted twice when it does not fit.
 *
 * @return 0; -ENOMEM; -EOVERFLOW: longer than vsnprintf or a message can say;
 *         -EINVAL: the format fails
 */
IBUF_API IBUF_MUST_USE int ibuf_mbuf_printf(struct ibuf_mbuf *m,
					    const char *format, ...)
	IBUF_NONNULL((1, 2)) IBUF_PRINTF(2, 3);

/** The same for a va_list, which is undefined afterwards, as with vprintf. */
IBUF_API IBUF_MUST_USE int ibuf_mbuf_vprintf(struct ibuf_mbuf *m,
					     const char *format, va_list args)
	IBUF_NONNULL((1, 2)) IBUF_PRINTF(2, 0);

/** Get n or more writable bytes behind the end, for commit; or NULL. */
IBUF_INLINE IBUF_MUST_USE void *ibuf_mbuf_reserve(struct ibuf_mbuf *m, size_t n)
	IBUF_NONNULL((1));

/**
 * Make n bytes data that were written behind the end; pointers stay valid.
 *
 * @return 0; -ERANGE: more than the tailroom
 */
IBUF_INLINE IBUF_MUST_USE int ibuf_mbuf_commit(struct ibuf_mbuf *m, size_t n)
	IBUF_NONNULL((1));

/**
 * Take n bytes off the front; no other message notices.
 *
 * @return 0; -ERANGE: more than the length
 * @cost O(segments that empty)
 */
IBUF_INLINE int ibuf_mbuf_trim_head(struct ibuf_mbuf *m, size_t n)
	IBUF_NONNULL((1));

/** Take n bytes off the end in this way. */
IBUF_INLINE int ibuf_mbuf_trim_tail(struct ibuf_mbuf *m, size_t n)
	IBUF_NONNULL((1));

/** Empty m, in O(segments); a sole owner's headroom is h0 again. */
IBUF_INLINE void ibuf_mbuf_clear(struct ibuf_mbuf *m) IBUF_NONNULL((1));

/**
 * Keep no memory alive beyond m's own bytes, whoever else shows it: a segment
 * that shows a part of its room moves to one of just its size, or to the idle
 * room of its own pool mbuf; bytes that are there already stay.  So a slice
 * lets go of a large buffer before that is freed.
 *
 * @return 0, also when nothing had to move; -ENOMEM
 * @cost O(length)
 */
IBUF_API int ibuf_mbuf_shrink(struct ibuf_mbuf *m) IBUF_NONNULL((1));

/** @} */

/**
 * @defgroup inplace Writing in place
 * How bytes are made private where they are shared or read-only, and written.
 *
 * NULL is no memory.  Pointers end with the next edit, clone or free of m.
 * @mt object
 * @cost O(segments between off and the nearer end), and O(bytes) of the
 *       segments that are not private
 * @{
 */

/** Get all bytes for writing; NULL also for several segments. */
IBUF_API uint8_t *ibuf_mbuf_data_mut(struct ibuf_mbuf *m) IBUF_NONNULL((1));

/** As ibuf_mbuf_at(), for writing. */
IBUF_API uint8_t *ibuf_mbuf_at_mut(struct ibuf_mbuf *m, size_t off, size_t *run)
	IBUF_NONNULL((1));

/** Make every segment private and writable, in O(segments): 0 or -ENOMEM. */
IBUF_API IBUF_MUST_USE int ibuf_mbuf_unshare(struct ibuf_mbuf *m)
	IBUF_NONNULL((1));

/**
 * Overwrite n bytes at an offset, which may come from m, in O(n).
 *
 * @return 0; -ERANGE: not all of them are inside the message; -ENOMEM
 */
IBUF_API IBUF_MUST_USE int ibuf_mbuf_write_at(struct ibuf_mbuf *m, size_t off,
					      const void *bytes, size_t n)
	IBUF_NONNULL((1));

/** @} */

/**
 * @defgroup stream Stream
 * A message as a queue of bytes.
 *
 * @mt object
 * @cost O(n)
 * @{
 */

/**
 * Take at most n bytes off the front into memory that is not m's, without
 * moving what is left; returns how many there were.
 */
IBUF_INLINE size_t ibuf_mbuf_read(struct ibuf_mbuf *m, void *dst, size_t n)
	IBUF_NONNULL((1));

/** Append n bytes in the words of write(2): n, or an error of append. */
IBUF_INLINE ssize_t ibuf_mbuf_write(struct ibuf_mbuf *m, const void *bytes,
				    size_t n) IBUF_NONNULL((1));

/** @} */

/**
 * @defgroup debug Checking and printing
 * For tests, and for people.
 *
 * @mt shared-read
 * @{
 */

/**
 * Check every invariant that can be seen from m, in O(segments): 0, or
 * -EINVAL: something overwrote it, or ibuf has a bug.
 */
IBUF_API int ibuf_mbuf_validate(const struct ibuf_mbuf *m) IBUF_NONNULL((1));

/**
 * Print each segment with its room, count, rights, headroom and tailroom, and
 * its bytes in hex and text, in O(length).  The error flag of to tells of write
 * errors; a segment whose bytes it does not take is left at that line.
 */
IBUF_API void ibuf_mbuf_dump(const struct ibuf_mbuf *m, FILE *to)
	IBUF_NONNULL((1, 2));

/** @} */

IBUF_END_DECLS

#if !defined(IBUF_OUTLINE)
#include <ibuf/inline/mbuf.h>
#endif

#endif
