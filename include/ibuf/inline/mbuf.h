/*
 * inline/mbuf.h - the short bodies of mbuf.h: one segment, within the room.
 *
 * Each body handles the case that costs nothing and hands everything else to
 * a function of the library that handles all cases (ibuf_mbuf_*_any_).
 */
#ifndef IBUF_INLINE_MBUF_H
#define IBUF_INLINE_MBUF_H

#include <ibuf/inline/thread.h>
#include <string.h>

IBUF_BEGIN_BODIES_

IBUF_BEGIN_DECLS

/** @cond private */
IBUF_API const uint8_t *ibuf_mbuf_at_any_(const struct ibuf_mbuf *m, size_t off,
					  size_t *run);
IBUF_API int ibuf_mbuf_append_any_(struct ibuf_mbuf *m, const void *bytes,
				   size_t n);
IBUF_API int ibuf_mbuf_prepend_any_(struct ibuf_mbuf *m, const void *bytes,
				    size_t n);
IBUF_API void *ibuf_mbuf_extend_tail_any_(struct ibuf_mbuf *m, size_t n);
IBUF_API void *ibuf_mbuf_extend_head_any_(struct ibuf_mbuf *m, size_t n);
IBUF_API void *ibuf_mbuf_reserve_any_(struct ibuf_mbuf *m, size_t n);
IBUF_API int ibuf_mbuf_commit_any_(struct ibuf_mbuf *m, size_t n);
IBUF_API int ibuf_mbuf_trim_head_any_(struct ibuf_mbuf *m, size_t n);
IBUF_API int ibuf_mbuf_trim_tail_any_(struct ibuf_mbuf *m, size_t n);
IBUF_API void ibuf_mbuf_clear_any_(struct ibuf_mbuf *m);
IBUF_API struct ibuf_mbuf *ibuf_mbuf_clone_any_(const struct ibuf_mbuf *m);
IBUF_API struct ibuf_mbuf *ibuf_mbuf_slice_any_(const struct ibuf_mbuf *m,
						size_t off, size_t len);
IBUF_API uint32_t ibuf_mbuf_room_capacity_(const struct ibuf_mbuf *m);
IBUF_API void ibuf_mbuf_free_any_(struct ibuf_mbuf *m);
IBUF_API void ibuf_mbuf_free_last_(struct ibuf_mbuf *m);
IBUF_API size_t ibuf_mbuf_read_any_(struct ibuf_mbuf *m, void *dst, size_t n);

/* Two neighbours by one store; where nothing may wait, stores count. */
static inline void
ibuf_write_pair_(void *at, uint32_t first, uint32_t second)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint64_t pair = first | (uint64_t)second << 32;
#else
	uint64_t pair = second | (uint64_t)first << 32;
#endif
	memcpy(at, &pair, sizeof pair);
}

/* Is it one segment that may take n more bytes behind its data? */
static inline bool
ibuf_mbuf_has_tailroom_(const struct ibuf_mbuf *m, size_t n)
{
	return (m->flags_ & (IBUF_MBUF_TAIL_ | IBUF_MBUF_CHAINED_)) ==
		       IBUF_MBUF_TAIL_ &&
	       n <= m->cap_ - m->off_ - m->len_;
}

/* May n bytes be written there that it need not show?  A room that is MARKED is
   to know of them. */
static inline bool
ibuf_mbuf_may_reserve_(const struct ibuf_mbuf *m, size_t n)
{
	return (m->flags_ & (IBUF_MBUF_TAIL_ | IBUF_MBUF_CHAINED_ |
			     IBUF_MBUF_MARKED_)) == IBUF_MBUF_TAIL_ &&
	       n <= m->cap_ - m->off_ - m->len_;
}

/* May it take n more bytes in front of its data? */
static inline bool
ibuf_mbuf_has_headroom_(const struct ibuf_mbuf *m, size_t n)
{
	return (m->flags_ & (IBUF_MBUF_HEAD_ | IBUF_MBUF_CHAINED_)) ==
		       IBUF_MBUF_HEAD_ &&
	       n <= m->off_;
}

/*
 * Is it one segment whose flags say both rights, and nobody else shows
 * the room?  The load pairs with the release of whoever dropped the last
 * other segment: what they read is read before we write.  A room that is MARKED
 * is to know of bytes that are shown no more.
 */
static inline bool
ibuf_mbuf_is_plain_(const struct ibuf_mbuf *m)
{
	return (m->flags_ & (IBUF_MBUF_HEAD_ | IBUF_MBUF_TAIL_ |
			     IBUF_MBUF_CHAINED_ | IBUF_MBUF_MARKED_)) ==
		       (IBUF_MBUF_HEAD_ | IBUF_MBUF_TAIL_) &&
	       (__atomic_load_n(&m->room_->count_, __ATOMIC_ACQUIRE) &
		IBUF_ROOM_SEGMENTS_) == 1;
}

/*
 * Free a plain direct header, where nobody else shows its room and its thread
 * cache takes it; false: it must go the long way.  The load of the count pairs
 * with the release of who dropped the last other segment.
 */
static inline bool
ibuf_mbuf_free_direct_(struct ibuf_mbuf *m, struct ibuf_tcache_ *tcache)
{
	struct ibuf_mbuf **top = ibuf_tcache_top_(tcache);

	if (!IBUF_LIKELY(__atomic_load_n(&m->own_.count_, __ATOMIC_ACQUIRE) ==
			 1))
		return false;
	if (!IBUF_LIKELY(!ibuf_tcache_is_full_(tcache, top)))
		return false;
	m->flags_ = IBUF_MBUF_FREE_;
	ibuf_tcache_give_(tcache, top, m);
	return true;
}

/*
 * Free a plain indirect header, as above.  The subtraction's release half says:
 * my reads of the bytes are done; its acquire half, for who is last:
 * everybody's are.
 */
static inline bool
ibuf_mbuf_free_indirect_(struct ibuf_mbuf *m, struct ibuf_tcache_ *tcache)
{
	struct ibuf_mbuf **top = ibuf_tcache_top_(tcache);

	if (!IBUF_LIKELY(!ibuf_tcache_is_full_(tcache, top)))
		return false;
	if (!IBUF_LIKELY(__atomic_fetch_sub(&m->room_->count_, 1,
					    __ATOMIC_ACQ_REL) != 1)) {
		ibuf_mbuf_free_last_(m);
		return true;
	}
	m->flags_ = IBUF_MBUF_FREE_;
	ibuf_tcache_give_(tcache, top, m);
	return true;
}

/* The key of an indirect header for m's room that comes from m's owner. */
static inline uint32_t
ibuf_mbuf_indirect_key_(const struct ibuf_mbuf *m)
{
	return (ibuf_mbuf_both_(m) & ibuf_key_(IBUF_MBUF_ROOM_, UINT16_MAX)) |
	       ibuf_key_(IBUF_MBUF_LIVE_, 0);
}

/*
 * Let an unused header show len bytes at off of a room, which counts it.  key:
 * its flags and its owner.
 */
static inline void
ibuf_mbuf_refer_(struct ibuf_mbuf *header, uint32_t off, uint32_t len,
		 uint32_t capacity, uint32_t key, uint8_t *base,
		 struct ibuf_room_ *room)
{
	ibuf_write_pair_(&header->off_, off, len);
	ibuf_write_pair_(&header->cap_, capacity, key);
	header->base_ = base;
	header->room_ = room;
}

/*
 * An indirect header for len bytes at off of m's room, and how many segments
 * showed that room before.  NULL: it must go the long way, for a flag that
 * stands against it among other reasons.
 *
 * All is read before the addition, which nothing read later overtakes.
 */
static inline struct ibuf_mbuf *
ibuf_mbuf_indirect_(const struct ibuf_mbuf *m, uint32_t off, uint32_t len,
		    uint32_t capacity, uint32_t against, uint32_t *segments)
{
	uint32_t key = ibuf_mbuf_indirect_key_(m);
	struct ibuf_room_ *room = m->room_;
	uint8_t *base = m->base_;
	struct ibuf_mbuf **top, *header;
	struct ibuf_tcache_ *tcache;

	if (!IBUF_LIKELY((m->flags_ & against) == 0))
		return NULL; /* also where its pool has no thread caches */
	tcache = &ibuf_pool_thread_->tcaches_[m->pool_].of_[IBUF_INDIRECT_];
	top = ibuf_tcache_top_(tcache);
	if (!IBUF_LIKELY(!ibuf_tcache_is_empty_(tcache, top)))
		return NULL;
	/* Relaxed: whoever adds a segment has one already. */
	*segments = __atomic_fetch_add(&room->count_, 1, __ATOMIC_RELAXED) &
		    IBUF_ROOM_SEGMENTS_;
	if (!IBUF_LIKELY(*segments < IBUF_ROOM_SEGMENTS_MAX_)) {
		__atomic_fetch_sub(&room->count_, 1, __ATOMIC_ACQ_REL);
		return NULL;
	}
	header = ibuf_tcache_take_(tcache, top);
	ibuf_mbuf_refer_(header, off, len, capacity, key, base, room);
	return header;
}

/* Move the start of the data by n bytes, towards the end or, n less than 0
   as it were, towards the start of the room. */
static inline void
ibuf_mbuf_move_start_(struct ibuf_mbuf *m, uint32_t n)
{
	uint32_t len = m->len_ - n;

	IBUF_APART_(len);
	m->off_ += n;
	m->len_ = len;
}
/** @endcond */

IBUF_END_DECLS

IBUF_INLINE struct ibuf_mbuf *
ibuf_mbuf_clone(const struct ibuf_mbuf *m)
{
	uint32_t len = m->len_, capacity = m->cap_, segments;
	uint32_t tail = m->flags_ & IBUF_MBUF_TAIL_;
	struct ibuf_mbuf *clone;

	IBUF_APART_(len);
	if (tail != 0)
		capacity -= m->room_->headroom_;
	clone = ibuf_mbuf_indirect_(m, m->off_, len, capacity,
				    IBUF_MBUF_CHAINED_ | IBUF_MBUF_CAREFUL_,
				    &segments);
	if (!IBUF_LIKELY(clone != NULL))
		return ibuf_mbuf_clone_any_(m);
	if (tail == 0 && segments == 1)
		clone->cap_ = ibuf_mbuf_room_capacity_(m);
	return clone;
}

IBUF_INLINE struct ibuf_mbuf *
ibuf_mbuf_slice(const struct ibuf_mbuf *m, size_t off, size_t len)
{
	struct ibuf_mbuf *slice;
	uint32_t segments;

	/* Most often it lies in the first segment. */
	if (!IBUF_LIKELY(off < m->len_ && len <= m->len_ - off))
		return ibuf_mbuf_slice_any_(m, off, len);
	slice = ibuf_mbuf_indirect_(m, m->off_ + (uint32_t)off, (uint32_t)len,
				    (uint32_t)len, IBUF_MBUF_CAREFUL_,
				    &segments);
	if (!IBUF_LIKELY(slice != NULL))
		return ibuf_mbuf_slice_any_(m, off, len);
	return slice;
}

/*
 * The thread caches' address must not wait for m's header: where a thread frees
 * what it has just allocated, that was written a moment ago, and every step
 * would wait for the one before.  So the pool is guessed, and the guess
 * compared: a branch is predicted, an address is not.
 */
IBUF_INLINE_ALWAYS void
ibuf_mbuf_free(struct ibuf_mbuf *m)
{
	const struct ibuf_recent_ *recent = &ibuf_pool_thread_->recent_;
	uint32_t key;

	if (m == NULL)
		return;
	key = ibuf_mbuf_key_(m);
	if (IBUF_LIKELY(key == recent->direct_)) {
		if (IBUF_LIKELY(ibuf_mbuf_free_direct_(
			    m, &recent->tcaches_->of_[IBUF_DIRECT_])))
			return;
	} else if (IBUF_LIKELY(key == recent->indirect_)) {
		if (IBUF_LIKELY(ibuf_mbuf_free_indirect_(
			    m, &recent->tcaches_->of_[IBUF_INDIRECT_])))
			return;
	}
	ibuf_mbuf_free_any_(m);
}

IBUF_INLINE size_t
ibuf_mbuf_len(const struct ibuf_mbuf *m)
{
	return m->len_ + ((m->flags_ & IBUF_MBUF_CHAINED_) == 0 ? 0 : m->rest_);
}

IBUF_INLINE const uint8_t *
ibuf_mbuf_data(const struct ibuf_mbuf *m)
{
	return (m->flags_ & IBUF_MBUF_CHAINED_) == 0 ? m->base_ + m->off_
						     : NULL;
}

IBUF_INLINE const uint8_t *
ibuf_mbuf_at(const struct ibuf_mbuf *m, size_t off, size_t *run)
{
	if (off >= m->len_)
		return ibuf_mbuf_at_any_(m, off, run);
	if (run != NULL)
		*run = m->len_ - off;
	return m->base_ + m->off_ + off;
}

IBUF_INLINE bool
ibuf_mbuf_is_contiguous(const struct ibuf_mbuf *m)
{
	return m->next_ == NULL;
}

IBUF_INLINE size_t
ibuf_mbuf_segments(const struct ibuf_mbuf *m)
{
	return m->next_ == NULL ? 1 : m->last_->rest_;
}

IBUF_INLINE void *
ibuf_mbuf_extend_tail(struct ibuf_mbuf *m, size_t n)
{
	uint8_t *end;

	if (!IBUF_LIKELY(ibuf_mbuf_has_tailroom_(m, n)))
		return ibuf_mbuf_extend_tail_any_(m, n);
	end = m->base_ + m->off_ + m->len_;
	m->len_ += (uint32_t)n;
	return end;
}

IBUF_INLINE void *
ibuf_mbuf_extend_head(struct ibuf_mbuf *m, size_t n)
{
	if (!IBUF_LIKELY(ibuf_mbuf_has_headroom_(m, n)))
		return ibuf_mbuf_extend_head_any_(m, n);
	ibuf_mbuf_move_start_(m, 0 - (uint32_t)n);
	return m->base_ + m->off_;
}

IBUF_INLINE int
ibuf_mbuf_append(struct ibuf_mbuf *m, const void *bytes, size_t n)
{
	if (!IBUF_LIKELY(n != 0 && ibuf_mbuf_has_tailroom_(m, n)))
		return ibuf_mbuf_append_any_(m, bytes, n);
	memcpy(m->base_ + m->off_ + m->len_, bytes, n);
	m->len_ += (uint32_t)n;
	return 0;
}

IBUF_INLINE int
ibuf_mbuf_prepend(struct ibuf_mbuf *m, const void *bytes, size_t n)
{
	if (!IBUF_LIKELY(n != 0 && ibuf_mbuf_has_headroom_(m, n)))
		return ibuf_mbuf_prepend_any_(m, bytes, n);
	ibuf_mbuf_move_start_(m, 0 - (uint32_t)n);
	memcpy(m->base_ + m->off_, bytes, n);
	return 0;
}

IBUF_INLINE void *
ibuf_mbuf_reserve(struct ibuf_mbuf *m, size_t n)
{
	if (!IBUF_LIKELY(ibuf_mbuf_may_reserve_(m, n)))
		return ibuf_mbuf_reserve_any_(m, n);
	return m->base_ + m->off_ + m->len_;
}

IBUF_INLINE int
ibuf_mbuf_commit(struct ibuf_mbuf *m, size_t n)
{
	if (!IBUF_LIKELY(ibuf_mbuf_has_tailroom_(m, n)))
		return ibuf_mbuf_commit_any_(m, n);
	m->len_ += (uint32_t)n;
	return 0;
}

IBUF_INLINE int
ibuf_mbuf_trim_head(struct ibuf_mbuf *m, size_t n)
{
	if (!IBUF_LIKELY(n <= m->len_ && ibuf_mbuf_is_plain_(m)))
		return ibuf_mbuf_trim_head_any_(m, n);
	ibuf_mbuf_move_start_(m, (uint32_t)n);
	return 0;
}

IBUF_INLINE int
ibuf_mbuf_trim_tail(struct ibuf_mbuf *m, size_t n)
{
	if (!IBUF_LIKELY(n <= m->len_ && ibuf_mbuf_is_plain_(m)))
		return ibuf_mbuf_trim_tail_any_(m, n);
	m->len_ -= (uint32_t)n;
	return 0;
}

IBUF_INLINE void
ibuf_mbuf_clear(struct ibuf_mbuf *m)
{
	if (!IBUF_LIKELY(ibuf_mbuf_is_plain_(m))) {
		ibuf_mbuf_clear_any_(m);
		return;
	}
	m->off_ = m->room_->headroom_;
	m->len_ = 0;
}

IBUF_INLINE size_t
ibuf_mbuf_read(struct ibuf_mbuf *m, void *dst, size_t n)
{
	if (!IBUF_LIKELY(n != 0 && n <= m->len_ && ibuf_mbuf_is_plain_(m)))
		return ibuf_mbuf_read_any_(m, dst, n);
	memcpy(dst, m->base_ + m->off_, n);
	ibuf_mbuf_move_start_(m, (uint32_t)n);
	return n;
}

IBUF_INLINE ssize_t
ibuf_mbuf_write(struct ibuf_mbuf *m, const void *bytes, size_t n)
{
	int error = ibuf_mbuf_append(m, bytes, n);

	return error != 0 ? error : (ssize_t)n;
}

IBUF_END_BODIES_

#endif
