/*
 * chain.h - segments linked to a message, with what is known in O(1).
 *
 *   m -> s -> s -> last      m->last_ = last, m->rest_ = bytes behind m,
 *                            last->rest_ = number of segments
 *   m <- s <- s <- last      s->last_ = the segment before s
 *
 * So work at one end costs the same, however many segments there are.
 */
#ifndef IBUF_SRC_CHAIN_H
#define IBUF_SRC_CHAIN_H

#include "header.h"
#include <ibuf/mbuf.h>

/* The longest message. */
#define MESSAGE_MAX ((size_t)PTRDIFF_MAX)

/* Find a segment as chain_find() does, and its number, from 0. */
const struct ibuf_mbuf *ibuf_chain_find_(const struct ibuf_mbuf *m, size_t *off,
					 size_t *index);

/*
 * Find n bytes in the len bytes from off of s on; how far off, or SIZE_MAX.
 * They are all there.
 */
size_t ibuf_chain_search_(const struct ibuf_mbuf *s, size_t off, size_t len,
			  const void *needle, size_t n);

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
 * Find the segment that holds the byte at *off, counted from segment s on, or
 * the last one when there is none; *off becomes the offset in it.
 */
static inline const struct ibuf_mbuf *
chain_go(const struct ibuf_mbuf *s, size_t *off)
{
	while (*off >= s->len_ && s->next_ != NULL) {
		*off -= s->len_;
		s = s->next_;
	}
	return s;
}

/* The same for a whole message, from the end that is nearer. */
static inline const struct ibuf_mbuf *
chain_find(const struct ibuf_mbuf *m, size_t *off)
{
	size_t index;

	if (*off < m->len_ || m->next_ == NULL)
		return m;
	return ibuf_chain_find_(m, off, &index);
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

/* Link the segments from next on, or none, behind s. */
static inline void
chain_link(struct ibuf_mbuf *s, struct ibuf_mbuf *next)
{
	s->next_ = next;
	if (next == NULL)
		return;
	next->flags_ |= IBUF_MBUF_INNER_;
	next->last_ = s;
}

/* Let a segment, which may have been an inner one, begin a message. */
static inline void
chain_begin(struct ibuf_mbuf *s)
{
	s->flags_ &= (uint16_t)~IBUF_MBUF_INNER_;
	ibuf_segment_born_(s);
}

/* What a message let go of when it lost its front. */
struct ibuf_gone {
	struct ibuf_left left;      /* by the first segment */
	struct ibuf_mbuf *segments; /* NULL: none */
	struct ibuf_mbuf *header; /* whose bytes the first shows; NULL: none */
};

/*
 * Let m begin with the segment that holds the byte at n, or with the last one;
 * gives the offset in it.  The message is whole when this returns.
 */
size_t ibuf_chain_cut_front_(struct ibuf_mbuf *m, size_t n,
			     struct ibuf_gone *gone);

/* Free what is gone, all but the callbacks. */
void ibuf_gone_gather_(struct ibuf_gone *gone, struct ibuf_releases *releases);

/* A message of the range off, n of the segments from s on; off <= s->len_. */
struct ibuf_mbuf *ibuf_chain_slice_(const struct ibuf_mbuf *s, size_t off,
				    size_t n);

#endif
