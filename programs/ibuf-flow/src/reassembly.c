/*
 * reassembly.c - a sorted array of pieces.
 *
 * Pieces that meet become one, so there are as many as there are gaps; the
 * owner bounds them, and thereby what is moved in the array.
 */
#include "reassembly.h"
#include "retain.h"
#include <stdlib.h>
#include <string.h>

struct piece {
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
take_out(struct reassembly *r, size_t i)
{
	r->pieces--;
	memmove(r->at + i, r->at + i + 1, (r->pieces - i) * sizeof *r->at);
}

static void
drop_first(struct reassembly *r)
{
	struct piece *p = r->at[0];

	take_out(r, 0);
	r->held -= p->end - p->begin;
	r->cost -= p->cost;
	ibuf_mbuf_free(p->bytes);
	free(p);
}

void
reassembly_clear(struct reassembly *r)
{
	while (r->pieces > 0)
		drop_first(r);
	free(r->at);
	r->at = NULL;
	r->room = 0;
}

void
reassembly_begin(struct reassembly *r, uint32_t seq)
{
	reassembly_clear(r);
	/* Not 0: there are offsets before the first. */
	r->next = (UINT64_C(1) << 32) + seq;
	r->last = r->next;
	r->known = r->next;
	r->gap_count = 0;
}

/* The offset next to the last segment that has this sequence number. */
static uint64_t
offset_of(const struct reassembly *r, uint32_t seq)
{
	uint32_t ahead = seq - (uint32_t)r->last;

	if (ahead < UINT32_C(1) << 31)
		return r->last + ahead;
	return r->last - ((UINT64_C(1) << 32) - ahead);
}

static uint64_t
overlap(uint64_t begin, uint64_t end, const struct reassembly_gap *gap)
{
	if (begin < gap->begin)
		begin = gap->begin;
	if (end > gap->end)
		end = gap->end;
	return begin < end ? end - begin : 0;
}

/* Bytes before next: some of them may be the first to come. */
static void
count_old(struct reassembly *r, uint64_t begin, uint64_t end)
{
	const struct reassembly_gap unknown = {0, r->known};
	uint64_t late = overlap(begin, end, &unknown);
	unsigned i;

	for (i = 0; i < r->gap_count; i++)
		late += overlap(begin, end, &r->gaps[i]);
	r->late += late;
	r->repeated += end - begin - late;
}

static void
remember_gap(struct reassembly *r, uint64_t begin, uint64_t end)
{
	if (begin == end)
		return;
	if (r->gap_count == REASSEMBLY_GAPS) {
		r->known = r->gaps[0].end;
		r->gap_count--;
		memmove(r->gaps, r->gaps + 1, r->gap_count * sizeof *r->gaps);
	}
	r->gaps[r->gap_count++] = (struct reassembly_gap){begin, end};
}

/* Let the piece that follows piece i become a part of it, if they meet. */
static void
join_next(struct reassembly *r, size_t i)
{
	struct piece *p = r->at[i];
	struct piece *q = i + 1 < r->pieces ? r->at[i + 1] : NULL;

	if (q == NULL || q->begin != captured_end(p) ||
	    !retain_all(&p->bytes, q->bytes))
		return;
	p->end = q->end;
	p->segments += q->segments;
	p->cost += q->cost;
	take_out(r, i + 1);
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

static bool
make_room(struct reassembly *r)
{
	size_t room = r->room == 0 ? 4 : 2 * r->room;
	struct piece **larger;

	if (r->pieces < r->room)
		return true;
	larger = realloc(r->at, room * sizeof *larger);
	if (larger == NULL)
		return false;
	r->at = larger;
	r->room = room;
	return true;
}

/* Make a piece [begin, end) that is number i. */
static bool
insert(struct reassembly *r, size_t i, uint64_t begin, uint64_t end,
       const struct ibuf_mbuf *m, size_t off, size_t len, size_t cost)
{
	struct piece *p = calloc(1, sizeof *p);

	if (p == NULL || !make_room(r))
		goto fail;
	p->begin = begin;
	p->end = end;
	p->segments = 1;
	p->cost = retain(&p->bytes, m, off, len, cost);
	if (p->cost == 0)
		goto fail;
	p->cost += sizeof *p + sizeof *r->at;
	memmove(r->at + i + 1, r->at + i, (r->pieces - i) * sizeof *r->at);
	r->at[i] = p;
	r->pieces++;
	r->held += end - begin;
	r->cost += p->cost;
	return true;
fail:
	free(p);
	return false;
}

/* The first piece that ends behind an offset. */
static size_t
find(const struct reassembly *r, uint64_t at)
{
	size_t low = 0;
	size_t high = r->pieces;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->at[middle]->end <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Take what falls into gaps of a segment [begin, end). */
static void
fill_gaps(struct reassembly *r, uint64_t begin, uint64_t end,
	  const struct ibuf_mbuf *m, size_t cost)
{
	uint64_t captured = begin + ibuf_mbuf_len(m);
	uint64_t at = begin;
	uint64_t stop;
	size_t i = find(r, begin);

	for (; at < end; at = stop) {
		size_t off = (size_t)((at < captured ? at : captured) - begin);
		size_t len = 0;
		bool is_behind;
		bool done;

		stop = at;
		if (i < r->pieces && r->at[i]->end <= at) {
			i++;
			continue;
		}
		if (i < r->pieces && r->at[i]->begin <= at) {
			stop = r->at[i]->end < end ? r->at[i]->end : end;
			r->repeated += stop - at;
			continue;
		}
		stop = i < r->pieces && r->at[i]->begin < end ? r->at[i]->begin
							      : end;
		if (at < captured)
			len = (size_t)((stop < captured ? stop : captured) -
				       at);
		is_behind = i > 0 && captured_end(r->at[i - 1]) == at;
		if (is_behind)
			i--;
		done = is_behind ? extend(r, r->at[i], stop, m, off, len, cost)
				 : insert(r, i, at, stop, m, off, len, cost);
		if (done)
			join_next(r, i);
		else
			r->lost += stop - at;
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
	r->last = begin > r->next ? begin : r->next;
	if (end <= r->next) {
		count_old(r, begin, end);
		ibuf_mbuf_free(m);
		return;
	}
	if (old > 0) {
		count_old(r, begin, r->next);
		begin = r->next;
		(void)ibuf_mbuf_trim_head(m, old < ibuf_mbuf_len(m)
						     ? (size_t)old
						     : ibuf_mbuf_len(m));
	}
	if (begin == r->next && (r->pieces == 0 || r->at[0]->begin >= end)) {
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
	struct piece *p = r->pieces > 0 ? r->at[0] : NULL;

	*part = (struct reassembly_part){0};
	if (p == NULL || (p->begin != r->next && !skip))
		return;
	part->gap = p->begin - r->next;
	part->bytes = p->bytes;
	part->uncaptured = p->end - captured_end(p);
	part->cost = p->cost;
	remember_gap(r, r->next, p->begin);
	r->next = p->end;
	p->bytes = NULL;
	drop_first(r);
	if (r->pieces == 0)
		reassembly_clear(r);
}

uint64_t
reassembly_gap(const struct reassembly *r)
{
	return r->pieces == 0 ? 0 : r->at[0]->begin - r->next;
}

size_t
reassembly_segments(const struct reassembly *r)
{
	return r->pieces == 0 ? 0 : r->at[0]->segments;
}
