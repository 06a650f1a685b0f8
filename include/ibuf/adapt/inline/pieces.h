/*
 * adapt/inline/pieces.h - where a codec writes: one message, of as many mbufs
 * of a pool as it takes, so that nothing is copied when a room is full.
 *
 *   all  -> [ full ] -> [ full ]      piece -> [ bytes ... room ]
 */
#ifndef IBUF_ADAPT_PIECES_H
#define IBUF_ADAPT_PIECES_H

#include <errno.h>
#include <ibuf/mbuf.h>
#include <ibuf/pool.h>
#include <ibuf/segment.h>

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

struct ibuf_pieces_ {
	struct ibuf_pool *pool; /* NULL: pieces of the heap */
	size_t most;            /* bytes in all */
	struct ibuf_mbuf *all, *piece;
};

static inline void
ibuf_pieces_drop_(struct ibuf_pieces_ *p)
{
	ibuf_mbuf_free(p->all);
	ibuf_mbuf_free(p->piece);
}

/* Put the piece behind all: 0 or -EOVERFLOW. */
static inline int
ibuf_pieces_join_(struct ibuf_pieces_ *p)
{
	int rc = 0;

	if (p->all == NULL)
		p->all = p->piece;
	else if (p->piece != NULL)
		rc = ibuf_mbuf_concat(p->all, p->piece);
	if (rc == 0)
		p->piece = NULL;
	return rc;
}

/* Room to write to, *n bytes; NULL: no memory. */
static inline uint8_t *
ibuf_pieces_room_(struct ibuf_pieces_ *p, size_t *n)
{
	if (p->piece != NULL && ibuf_mbuf_tailroom(p->piece) == 0 &&
	    ibuf_pieces_join_(p) != 0)
		return NULL;
	if (p->piece == NULL)
		p->piece = p->pool != NULL ? ibuf_pool_alloc(p->pool)
					   : ibuf_mbuf_new(4096);
	if (p->piece == NULL)
		return NULL;
	*n = ibuf_mbuf_tailroom(p->piece);
	if (*n == 0) /* a pool of mbufs that hold nothing */
		*n = 512;
	return (uint8_t *)ibuf_mbuf_reserve(p->piece, *n);
}

/* So much was written there: 0; -EOVERFLOW: more than the most. */
static inline int
ibuf_pieces_wrote_(struct ibuf_pieces_ *p, size_t n)
{
	if (n > p->most)
		return -EOVERFLOW;
	p->most -= n;
	return ibuf_mbuf_commit(p->piece, n);
}

/* What was written becomes the caller's; never NULL. */
static inline int
ibuf_pieces_end_(struct ibuf_pieces_ *p, struct ibuf_mbuf **out)
{
	size_t n;
	int rc;

	if (p->all == NULL && p->piece == NULL &&
	    ibuf_pieces_room_(p, &n) == NULL)
		return -ENOMEM;
	rc = ibuf_pieces_join_(p);
	if (rc == 0)
		*out = p->all;
	return rc;
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
