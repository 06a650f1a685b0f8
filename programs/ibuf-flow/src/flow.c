/*
 * flow.c - the flow table, a uthash table with the hash of the parser.
 */

/* uthash shall report that it has no memory, not end the program. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(flow) ((flow)->hh.tbl = NULL)

#include "flow.h"
#include <stdlib.h>

static struct flow *
add_flow(struct flow_table *table, const struct packet *p)
{
	struct flow *flow = calloc(1, sizeof *flow);

	if (flow == NULL)
		return NULL;
	flow->key = p->key;
	flow->a = p->from;
	flow->number = p->number;
	flow->first_ns = p->time_ns;
	flow->last_ns = p->time_ns;
	HASH_ADD_BYHASHVALUE(hh, table->flows, key, sizeof flow->key, p->hash,
			     flow);
	if (flow->hh.tbl == NULL) {
		free(flow);
		return NULL;
	}
	return flow;
}

bool
flow_table_count(struct flow_table *table, const struct packet *p,
		 size_t payload_bytes)
{
	struct flow *flow;
	unsigned way;

	HASH_FIND_BYHASHVALUE(hh, table->flows, &p->key, sizeof p->key, p->hash,
			      flow);
	if (flow == NULL)
		flow = add_flow(table, p);
	if (flow == NULL)
		return false;
	way = p->from != flow->a;
	flow->packets[way]++;
	flow->wire_bytes[way] += p->wire_bytes;
	flow->payload_bytes += payload_bytes;
	if (p->time_ns < flow->first_ns)
		flow->first_ns = p->time_ns;
	if (p->time_ns > flow->last_ns)
		flow->last_ns = p->time_ns;
	return true;
}

size_t
flow_table_size(const struct flow_table *table)
{
	return HASH_COUNT(table->flows);
}

void
flow_table_list(const struct flow_table *table, const struct flow **out)
{
	const struct flow *flow;

	for (flow = table->flows; flow != NULL; flow = flow->hh.next)
		*out++ = flow;
}

void
flow_table_clear(struct flow_table *table)
{
	struct flow *flow = table->flows;
	struct flow *next;

	HASH_CLEAR(hh, table->flows);
	for (; flow != NULL; flow = next) {
		next = flow->hh.next;
		free(flow);
	}
}
