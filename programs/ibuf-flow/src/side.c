/*
 * side.c - wait for what is missing, but not for ever.
 */
#include "side.h"
#include "names_dns.h"

/* More gaps are no network but an attack. */
enum { PIECES_MAX = 1024 };

/* A segment far away that nothing follows is a stray. */
enum { SEGMENTS_CREDIBLE = 2 };

/* Bytes in order, at last: names first, for writing consumes them. */
static void
deliver(struct side *side, struct outlet *out, struct reassembly_part *part)
{
	struct name_flow flow = {&out->names, &side->flow, side->flow_hash};

	if (part->gap > 0) {
		out->totals.gaps++;
		out->totals.gap_bytes += part->gap;
		scanner_gap(&side->scanner, &flow);
	}
	if (ibuf_mbuf_len(part->bytes) > 0) {
		side->bytes += ibuf_mbuf_len(part->bytes);
		scanner_feed(&side->scanner, part->bytes, part->cost, &flow);
		if (out->extract != NULL)
			extract_write(out->extract, &side->file, &side->name,
				      part->bytes);
	}
	ibuf_mbuf_free(part->bytes);
	if (part->uncaptured > 0) {
		out->totals.uncaptured_bytes += part->uncaptured;
		scanner_gap(&side->scanner, &flow);
	}
}

/* Whether to wait no longer for the bytes before the first piece. */
static bool
is_gap_hopeless(const struct reassembly *r, const struct outlet *out)
{
	if (r->pieces > PIECES_MAX || r->held > out->max_gap)
		return true;
	return reassembly_gap(r) > out->max_gap &&
	       reassembly_segments(r) >= SEGMENTS_CREDIBLE;
}

/* Give what is next, and what is behind gaps that nobody waits for. */
static void
deliver_ready(struct side *side, struct outlet *out)
{
	struct reassembly *r = &side->reassembly;
	struct reassembly_part part;

	for (;;) {
		reassembly_take(r, is_gap_hopeless(r, out), &part);
		if (part.bytes == NULL)
			return;
		deliver(side, out, &part);
	}
}

/* Give all there is, whatever is missing. */
static void
deliver_all(struct side *side, struct outlet *out)
{
	struct reassembly_part part;

	for (;;) {
		reassembly_take(&side->reassembly, true, &part);
		if (part.bytes == NULL)
			return;
		deliver(side, out, &part);
	}
}

void
side_take(struct side *side, struct outlet *out, const struct packet *p,
	  uint32_t seq, struct ibuf_mbuf *m, size_t cost)
{
	struct reassembly_part part;

	side->scanner.is_dns = dns_is_between(&p->segment.key);
	side->flow = p->key;
	side->flow_hash = p->hash;
	reassembly_put(&side->reassembly, seq, p->segment.on_wire, m, cost,
		       &part);
	if (part.bytes != NULL)
		deliver(side, out, &part);
	deliver_ready(side, out);
}

void
side_give_up(struct side *side, struct outlet *out)
{
	struct name_flow flow = {&out->names, &side->flow, side->flow_hash};

	deliver_all(side, out);
	/* What is read so far may be the begin of a request. */
	scanner_gap(&side->scanner, &flow);
	scanner_stop(&side->scanner);
}

size_t
side_cost(const struct side *side)
{
	return side->reassembly.cost + scanner_cost(&side->scanner);
}
