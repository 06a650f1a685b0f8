/*
 * reassembly.h - one direction of a TCP stream: segments in, bytes in order out.
 *
 *	        next       begin     end  begin       end
 *	  given   |   gap    |  piece  |    |  piece  |
 *	----------'          '---------'    '---------'
 *
 *	offset = sequence number mod 2^32;   next <= first begin;   a piece's
 *	end <= the next one's begin;   begin + len(bytes) <= end
 *
 * The first byte received wins: of a segment only what falls into gaps is
 * taken.  Pieces are messages of slices of blocks, or of copies.  The last bytes
 * of a piece may be missing because the capture has cut the packet: nobody waits
 * for them.
 *
 * Nothing here decides how long to wait: whoever owns it takes what is next,
 * and may skip a gap to do so.
 */
#ifndef FLOW_REASSEMBLY_H
#define FLOW_REASSEMBLY_H

#include <ibuf/ibuf.h>

struct piece;

/* Gaps that are remembered after they were skipped. */
enum { REASSEMBLY_GAPS = 8 };

struct reassembly_gap {
	uint64_t begin;
	uint64_t end;
};

struct reassembly {
	uint64_t next;     /* offset of the next byte to give */
	uint64_t last;     /* of the last segment; not before next */
	struct piece **at; /* pieces behind the first gap, in order */
	size_t pieces;
	size_t room;
	uint64_t held;     /* bytes of them, missing ones included */
	size_t cost;       /* what they take of memory */
	uint64_t repeated; /* bytes that had come already */
	uint64_t late;     /* bytes that came behind those after them */
	uint64_t lost;     /* bytes there was no memory for */

	/* Of what is before it, nobody knows what came. */
	uint64_t known;
	struct reassembly_gap gaps[REASSEMBLY_GAPS]; /* skipped, in order */
	unsigned gap_count;
};

/* Bytes in order. */
struct reassembly_part {
	uint64_t gap;            /* skipped before them */
	struct ibuf_mbuf *bytes; /* the taker's; NULL: nothing can be taken */
	uint64_t uncaptured;     /* missing behind them */
	size_t cost;             /* of the rooms of bytes */
};

/* Say with which sequence number the bytes begin; what is held is dropped. */
void reassembly_begin(struct reassembly *r, uint32_t seq);

/*
 * Give a segment of on_wire bytes, of which m has those that were captured; m
 * is r's then, and its rooms take cost bytes.  When the segment is next it
 * comes back in *part, and else part->bytes is NULL.  More may be next then.
 */
void reassembly_put(struct reassembly *r, uint32_t seq, uint32_t on_wire,
		    struct ibuf_mbuf *m, size_t cost,
		    struct reassembly_part *part);

/*
 * Take the first piece if it is next, or, with skip, if there is one.
 * part->bytes is NULL when it is not.
 */
void reassembly_take(struct reassembly *r, bool skip,
		     struct reassembly_part *part);

/* The gap before the first piece; 0: there is no piece. */
uint64_t reassembly_gap(const struct reassembly *r);

/* How many segments the first piece came in; 0: there is none. */
size_t reassembly_segments(const struct reassembly *r);

void reassembly_clear(struct reassembly *r);

#endif
