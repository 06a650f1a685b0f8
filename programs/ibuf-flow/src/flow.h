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

	/* TCP, each way: */
	uint8_t tcp_flags[2]; /* of all segments */
	uint8_t handshake;    /* enum flow_handshake */
	uint32_t syn[2];      /* sequence number of the SYN */
	uint32_t next[2];     /* behind the last byte that was sent */
	uint32_t again[2];    /* segments that had been sent already */
	int64_t handshake_ns; /* when the SYN was, then what it all took */
};

enum flow_handshake { FLOW_NO_SYN, FLOW_SYN, FLOW_SYN_ACK, FLOW_SHAKEN };

/* When a record of a flow ends; 0: not. */
struct flow_timeouts {
	int64_t active_ns;   /* so long after its first packet */
	int64_t inactive_ns; /* so long after its last */
};

/* All zero is one that has counted nothing. */
struct flow_table {
	struct table flows;
	struct flow *ended; /* records before those in the table, a list */
	size_t ended_count;
	struct flow_timeouts timeouts;
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

/* Put every record into out, in no order; they are so many. */
size_t flow_table_count(const struct flow_table *table);
void flow_table_list(const struct flow_table *table, const struct flow **out);

void flow_table_clear(struct flow_table *table);

#endif
