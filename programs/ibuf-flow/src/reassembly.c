/*
 * reassembly.c - a sorted list of pieces.
 *
 * Pieces that meet become one, so there are as many as there are gaps; the
 * owner bounds them, and thereby the walk along the list.
 */
#include "reassembly.h"
#include "retain.h"
#include <stdlib.h>

struct piece {
	struct piece *next;
	uint64_t begin;
	uint64_t end;
	struct ibuf_mbuf *bytes;
	size_t segments;
	size_t cost;
};

static uint64_t
captured_end(const struct piece *p)
{
	return p->begin + ibuf_mbuf_len(p->bytes);
}

static void
drop_first(struct reassembly *r)
{
	struct piece *p = r->first;

	r->first = p->next;
	r->pieces--;
	r->held -= p->end - p->begin;
	r->cost -= p->cost;
	ibuf_mbuf_free(p->bytes);
	free(p);
}

void
reassembly_clear(struct reassembly *r)
{
	while (r->first != NULL)
		drop_first(r);
}

void
reassembly_begin(struct reassembly *r, uint32_t seq)
{
	reassembly_clear(r);
	r->is_begun = true;
	/* Not 0: there are offsets before the first. */
	r->next = (UINT64_C(1) << 32) + seq;
}

/* The offset next to where we are that has this sequence number. */
static uint64_t
offset_of(const struct reassembly *r, uint32_t seq)
{
	uint32_t ahead = seq - (uint32_t)r->next;

	if (ahead < UINT32_C(1) << 31)
		return r->next + ahead;
	return r->next - ((UINT64_C(1) << 32) - ahead);
}

/* Let the piece that follows p become a part of it, if they meet. */
static void
join_next(struct reassembly *r, struct piece *p)
{
	struct piece *q = p->next;

	if (q == NULL || q->begin != captured_end(p) ||
	    !retain_all(&p->bytes, q->bytes))
		return;
	p->end = q->end;
	p->segments += q->segments;
	p->cost += q->cost;
	p->next = q->next;
	r->pieces--;
	free(q);
}

/* Put len captured bytes of m at off behind p, which ends where they begin. */
static bool
extend(struct reassembly *r, struct piece *p, uint64_t end,
       const struct ibuf_mbuf *m, size_t off, size_t len, size_t cost)
{
	size_t more = 0;

	if (len > 0) {
		more = retain(&p->bytes, m, off, len, cost);
		if (more == 0)
			return false;
	}
	r->held += end - p->end;
	r->cost += more;
	p->end = end;
	p->cost += more;
	p->segments++;
	return true;
}

/* Make a piece [begin, end) between prev, or the front, and what is behind. */
static struct piece *
insert(struct reassembly *r, struct piece *prev, uint64_t begin, uint64_t end,
       const struct ibuf_mbuf *m, size_t off, size_t len, size_t cost)
{
	struct piece *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->begin = begin;
	p->end = end;
	p->segments = 1;
	p->cost = retain(&p->bytes, m, off, len, cost);
	if (p->cost == 0) {
		free(p);
		return NULL;
	}
	p->cost += sizeof *p;
	p->next = prev == NULL ? r->first : prev->next;
	if (prev == NULL)
		r->first = p;
	else
		prev->next = p;
	r->pieces++;
	r->held += end - begin;
	r->cost += p->cost;
	return p;
}

/* Take what falls into gaps of a segment [begin, end). */
static void
fill_gaps(struct reassembly *r, uint64_t begin, uint64_t end,
	  const struct ibuf_mbuf *m, size_t cost)
{
	uint64_t captured = begin + ibuf_mbuf_len(m);
	struct piece *prev = NULL;
	struct piece *next = r->first;
	uint64_t at = begin;

	while (at < end) {
		uint64_t stop = end;
		size_t off = (size_t)((at < captured ? at : captured) - begin);
		size_t len = 0;
		struct piece *p = NULL;

		while (next != NULL && next->end <= at) {
			prev = next;
			next = next->next;
		}
		if (next != NULL && next->begin <= at) {
			stop = next->end < end ? next->end : end;
			r->repeated += stop - at;
			at = stop;
			continue;
		}
		if (next != NULL && next->begin < end)
			stop = next->begin;
		if (at < captured)
			len = (size_t)((stop < captured ? stop : captured) -
				       at);
		if (prev != NULL && captured_end(prev) == at) {
			if (extend(r, prev, stop, m, off, len, cost))
				p = prev;
		} else {
			p = insert(r, prev, at, stop, m, off, len, cost);
		}
		if (p == NULL) {
			r->lost += stop - at;
		} else {
			join_next(r, p);
			/* It may reach further than the segment has yet. */
			next = p;
		}
		at = stop;
	}
}

void
reassembly_put(struct reassembly *r, uint32_t seq, uint32_t on_wire,
	       struct ibuf_mbuf *m, size_t cost, struct reassembly_part *part)
{
	uint64_t begin = offset_of(r, seq);
	uint64_t end = begin + on_wire;
	uint64_t old = begin < r->next ? r->next - begin : 0;

	*part = (struct reassembly_part){0};
	if (end <= r->next) {
		r->repeated += on_wire;
		ibuf_mbuf_free(m);
		return;
	}
	if (old > 0) {
		r->repeated += old;
		begin = r->next;
		(void)ibuf_mbuf_trim_head(m, old < ibuf_mbuf_len(m)
						     ? (size_t)old
						     : ibuf_mbuf_len(m));
	}
	if (begin == r->next && (r->first == NULL || r->first->begin >= end)) {
		r->next = end;
		part->bytes = m;
		part->uncaptured = end - begin - ibuf_mbuf_len(m);
		part->cost = cost;
		return;
	}
	fill_gaps(r, begin, end, m, cost);
	ibuf_mbuf_free(m);
}

void
reassembly_take(struct reassembly *r, bool skip, struct reassembly_part *part)
{
	struct piece *p = r->first;

	*part = (struct reassembly_part){0};
	if (p == NULL || (p->begin != r->next && !skip))
		return;
	part->gap = p->begin - r->next;
	part->bytes = p->bytes;
	part->uncaptured = p->end - captured_end(p);
	part->cost = p->cost;
	r->next = p->end;
	p->bytes = NULL;
	drop_first(r);
}

uint64_t
reassembly_gap(const struct reassembly *r)
{
	return r->first == NULL ? 0 : r->first->begin - r->next;
}

size_t
reassembly_segments(const struct reassembly *r)
{
	return r->first == NULL ? 0 : r->first->segments;
}
