/*
 * inline/mbuf.h - the short bodies of mbuf.h: one segment, within the room.
 *
 * Each body handles the case that costs nothing and hands everything else to
 * a function of the library that handles all cases (ibuf_mbuf_*_any_).
 */
#ifndef IBUF_INLINE_MBUF_H
#define IBUF_INLINE_MBUF_H

#include <ibuf/inline/slot.h>
#include <string.h>

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
IBUF_API uint32_t ibuf_mbuf_room_capacity_(const struct ibuf_mbuf *m);
IBUF_API void ibuf_mbuf_free_any_(struct ibuf_mbuf *m);
IBUF_API void ibuf_mbuf_free_last_(struct ibuf_mbuf *m);
IBUF_API size_t ibuf_mbuf_read_any_(struct ibuf_mbuf *m, void *dst, size_t n);

/* Is it one segment that may take n more bytes behind its data? */
static inline bool
ibuf_mbuf_has_tailroom_(const struct ibuf_mbuf *m, size_t n)
{
	return (m->flags_ & (IBUF_MBUF_TAIL_ | IBUF_MBUF_CHAINED_)) ==
		       IBUF_MBUF_TAIL_ &&
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
 * Is it one segment whose flags say both rights, and nobody else looks at
 * the room?  The load pairs with the release of whoever dropped the last
 * other window: what they read is read before we write.
 */
static inline bool
ibuf_mbuf_is_plain_(const struct ibuf_mbuf *m)
{
	return (m->flags_ &
		(IBUF_MBUF_HEAD_ | IBUF_MBUF_TAIL_ | IBUF_MBUF_CHAINED_)) ==
		       (IBUF_MBUF_HEAD_ | IBUF_MBUF_TAIL_) &&
	       (__atomic_load_n(&m->room_->count_, __ATOMIC_ACQUIRE) &
		IBUF_ROOM_WINDOWS_) == 1;
}

/*
 * What a header is, once the rights and the kind of room are left out: those
 * an element has only where it is AWAY.
 */
#define IBUF_MBUF_PLAIN_ELEMENT_ (IBUF_MBUF_ELEMENT_ | IBUF_MBUF_LIVE_)
#define IBUF_MBUF_PLAIN_WINDOW_ IBUF_MBUF_LIVE_

static inline uint32_t
ibuf_mbuf_nature_(const struct ibuf_mbuf *m)
{
	return m->flags_ &
	       ~(IBUF_MBUF_HEAD_ | IBUF_MBUF_TAIL_ | IBUF_MBUF_ROOM_);
}

/*
 * Free a plain element, where nobody else looks at its room and its slot
 * takes it; false: it must go the long way.  The load of the count pairs
 * with the release of who dropped the last other window.
 */
static inline bool
ibuf_mbuf_free_element_(struct ibuf_mbuf *m)
{
	struct ibuf_slot_ *slot;
	uint32_t n;

	if (!IBUF_LIKELY(__atomic_load_n(&m->own_.count_, __ATOMIC_ACQUIRE) ==
			 1))
		return false;
	slot = &ibuf_slots_of_(m)->element_;
	n = ibuf_slot_n_(slot);
	if (!IBUF_LIKELY(n < ibuf_slot_cap_(slot)))
		return false;
	m->flags_ = 0;
	ibuf_slot_give_(slot, n, m);
	return true;
}

/*
 * Free a plain window.  The subtraction's release half says: my reads of the
 * bytes are done; its acquire half, for who is last: everybody's are.
 */
static inline void
ibuf_mbuf_free_window_(struct ibuf_mbuf *m)
{
	struct ibuf_slot_ *slot = &ibuf_pool_slots_[m->pool_].window_;
	uint32_t n = ibuf_slot_n_(slot);

	if (!IBUF_LIKELY(n < ibuf_slot_cap_(slot))) {
		ibuf_mbuf_free_any_(m);
		return;
	}
	if (!IBUF_LIKELY(__atomic_fetch_sub(&m->room_->count_, 1,
					    __ATOMIC_ACQ_REL) != 1)) {
		ibuf_mbuf_free_last_(m);
		return;
	}
	m->flags_ = 0;
	ibuf_slot_give_(slot, n, m);
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
	uint32_t flags = m->flags_, windows, n, len;
	struct ibuf_room_ *room = m->room_;
	struct ibuf_slot_ *slot;
	struct ibuf_mbuf *clone;

	if (!IBUF_LIKELY((flags & (IBUF_MBUF_CHAINED_ | IBUF_MBUF_CAREFUL_)) ==
			 0))
		return ibuf_mbuf_clone_any_(m);
	slot = &ibuf_pool_slots_[m->pool_].window_;
	n = ibuf_slot_n_(slot);
	if (!IBUF_LIKELY(n != 0))
		return ibuf_mbuf_clone_any_(m);
	/* Relaxed: who adds a window has one already. */
	windows = __atomic_fetch_add(&room->count_, 1, __ATOMIC_RELAXED) &
		  IBUF_ROOM_WINDOWS_;
	if (!IBUF_LIKELY(windows < IBUF_ROOM_WINDOWS_MAX_)) {
		__atomic_fetch_sub(&room->count_, 1, __ATOMIC_ACQ_REL);
		return NULL;
	}
	clone = ibuf_slot_take_(slot, n);
	len = m->len_;
	IBUF_APART_(len);
	clone->off_ = m->off_;
	clone->len_ = len;
	clone->cap_ = m->cap_;
	if ((flags & IBUF_MBUF_TAIL_) != 0)
		clone->cap_ -= room->headroom_;
	else if (windows == 1)
		clone->cap_ = ibuf_mbuf_room_capacity_(m);
	clone->flags_ = (uint16_t)(IBUF_MBUF_LIVE_ | (flags & IBUF_MBUF_ROOM_));
	memcpy(&clone->base_, &m->base_, 2 * sizeof clone->base_);
	return clone;
}

IBUF_INLINE_ALWAYS void
ibuf_mbuf_free(struct ibuf_mbuf *m)
{
	uint32_t nature;

	if (m == NULL)
		return;
	nature = ibuf_mbuf_nature_(m);
	if (IBUF_LIKELY(nature == IBUF_MBUF_PLAIN_ELEMENT_)) {
		if (IBUF_LIKELY(ibuf_mbuf_free_element_(m)))
			return;
	} else if (nature == IBUF_MBUF_PLAIN_WINDOW_) {
		ibuf_mbuf_free_window_(m);
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
	if (!IBUF_LIKELY(ibuf_mbuf_has_tailroom_(m, n)))
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

#endif
