/*
 * side.h - one direction of a TCP stream, from segments to names and a file.
 *
 *	segment -> reassembly -> scanner of names, file
 */
#ifndef FLOW_SIDE_H
#define FLOW_SIDE_H

#include "extract.h"
#include "packet.h"
#include "reassembly.h"
#include "scanner.h"
#include "streams_totals.h"

/* Where what comes out of all sides goes. */
struct outlet {
	struct name_store names;
	struct extract *extract; /* NULL: write no files */
	struct streams_totals totals;
	uint64_t max_gap;
};

struct side {
	struct stream *stream;
	struct extract_name name; /* of the file */
	struct flow_key flow;     /* whose names these are */
	uint32_t flow_hash;
	uint64_t bytes; /* that came out */
	struct reassembly reassembly;
	struct scanner scanner;
	struct extract_file file;
	size_t cost;       /* of what it keeps, as it was accounted for */
	struct side *prev; /* of those that keep something */
	struct side *next;
	bool is_listed;
};

/*
 * Take a segment with bytes, which begin at seq; m, what was captured of them,
 * is the side's then, and its rooms take cost bytes of memory.
 */
void side_take(struct side *side, struct outlet *out, const struct packet *p,
	       uint32_t seq, struct ibuf_mbuf *m, size_t cost);

/* Give all there is, whatever is missing, and look for no more names. */
void side_give_up(struct side *side, struct outlet *out);

/* What it keeps takes of memory. */
size_t side_cost(const struct side *side);

#endif
