/*
 * chain.h - segments linked to a message, with what is known in O(1).
 *
 *   m -> s -> s -> last      m->last_ = last, m->rest_ = bytes behind m,
 *                            last->rest_ = number of segments
 */
#ifndef IBUF_SRC_CHAIN_H
#define IBUF_SRC_CHAIN_H

#include "room.h"
#include <ibuf/mbuf.h>

/* The longest message. */
#define MESSAGE_MAX ((size_t)PTRDIFF_MAX)

static inline struct ibuf_mbuf *
chain_last(const struct ibuf_mbuf *m)
{
	return m->next_ == NULL ? (struct ibuf_mbuf *)(uintptr_t)m : m->last_;
}

/* Say what is linked behind m: up to last, so many bytes and segments. */
static inline void
chain_set(struct ibuf_mbuf *m, struct ibuf_mbuf *last, size_t rest,
	  size_t segments)
{
	if (m->next_ == NULL) {
		m->flags_ &= (uint16_t)~IBUF_MBUF_CHAINED_;
		return;
	}
	m->flags_ |= IBUF_MBUF_CHAINED_;
	m->last_ = last;
	m->rest_ = rest;
	last->rest_ = segments;
}

/*
 * Find the segment that holds the byte at *off, or the last one when *off is
 * the length; *off becomes the offset in that segment.
 */
static inline const struct ibuf_mbuf *
chain_find(const struct ibuf_mbuf *m, size_t *off)
{
	while (*off >= m->len_ && m->next_ != NULL) {
		*off -= m->len_;
		m = m->next_;
	}
	return m;
}

/* The same for a message that is to be edited. */
static inline struct ibuf_mbuf *
chain_find_mut(struct ibuf_mbuf *m, size_t *off)
{
	return (struct ibuf_mbuf *)(uintptr_t)chain_find(m, off);
}

/* Is the range off, n inside the message? */
static inline bool
chain_covers(const struct ibuf_mbuf *m, size_t off, size_t n)
{
	size_t len = ibuf_mbuf_len(m);

	return off <= len && n <= len - off;
}

/* Free s and all segments behind it. */
void ibuf_chain_free_(struct ibuf_mbuf *s);

/* The first segment empties: m takes over the window of the second. */
void ibuf_chain_drop_first_(struct ibuf_mbuf *m);

/* A message of the range off, n of the segments from s on; off <= s->len_. */
struct ibuf_mbuf *ibuf_chain_slice_(const struct ibuf_mbuf *s, size_t off,
				    size_t n);

#endif
