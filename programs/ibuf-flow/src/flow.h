/*
 * flow.h - a table of bidirectional flows.
 *
 * A table belongs to one thread.  Packets of a flow come in the order of the
 * files, so which end is `a`, the one that sent the first packet, does not
 * depend on the number of threads.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "packet.h"
#include "table.h"
#include <ibuf/ibuf.h>

struct flow {
	struct table_link link;
	struct flow_key key;
	uint64_t number;     /* of its first packet: an order of all flows */
	uint64_t packets[2]; /* a to b, b to a */
	uint64_t wire_bytes[2];
	int64_t first_ns; /* earliest and latest packet */
	int64_t last_ns;
	uint8_t a; /* the end of key that sent the first packet */
};

/* All zero is one that has counted nothing. */
struct flow_table {
	struct table flows;
	uint64_t payload_bytes; /* captured, behind the headers of flows */
	uint64_t tunnel; /* packets in flows that carry packets themselves */
	uint64_t skipped[SKIP_REASONS];
	uint64_t lost; /* no memory to count them */
};

/* The table that counts packets of this hash, when there are so many. */
static inline unsigned
flow_table_of(uint32_t hash, unsigned tables)
{
	/* By the high bits; a table's buckets use the low ones. */
	return (unsigned)((uint64_t)hash * tables >> 32);
}

/* Count the packets of a block that this table of so many counts. */
void flow_table_take(struct flow_table *table, const struct ibuf_mbuf *block,
		     unsigned index, unsigned tables);

void flow_table_clear(struct flow_table *table);

#endif
