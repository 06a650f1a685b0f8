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
#include <stdbool.h>
#include <stddef.h>
#include <uthash.h>

struct flow {
	struct flow_key key;
	unsigned a;          /* the end of key that sent the first packet */
	uint64_t number;     /* of that packet: an order of all flows */
	uint64_t packets[2]; /* a to b, b to a */
	uint64_t wire_bytes[2];
	uint64_t payload_bytes; /* captured, both ways */
	int64_t first_ns;       /* earliest and latest packet */
	int64_t last_ns;
	UT_hash_handle hh;
};

struct flow_table {
	struct flow *flows; /* uthash; NULL: empty */
};

/*
 * Count a packet with payload_bytes of payload.  false: no memory for a new
 * flow, and nothing is counted.
 */
bool flow_table_count(struct flow_table *table, const struct packet *p,
		      size_t payload_bytes);

size_t flow_table_size(const struct flow_table *table);

/* Put every flow into out, which has room for them; they stay the table's. */
void flow_table_list(const struct flow_table *table, const struct flow **out);

void flow_table_clear(struct flow_table *table);

#endif
