/*
 * flow.c - count packets into flows.
 */
#include "flow.h"
#include "block.h"
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
	if (!table_add(&table->flows, p->hash, flow)) {
		free(flow);
		return NULL;
	}
	return flow;
}

static bool
count(struct flow_table *table, const struct packet *p)
{
	struct flow *flow;
	unsigned way;

	flow = table_find(&table->flows, p->hash, &p->key, sizeof p->key);
	if (flow == NULL)
		flow = add_flow(table, p);
	if (flow == NULL)
		return false;
	way = p->from != flow->a;
	flow->packets[way]++;
	flow->wire_bytes[way] += p->wire_bytes;
	if (p->time_ns < flow->first_ns)
		flow->first_ns = p->time_ns;
	if (p->time_ns > flow->last_ns)
		flow->last_ns = p->time_ns;
	table->payload_bytes += p->captured;
	table->tunnel += p->is_tunnel;
	return true;
}

void
flow_table_take(struct flow_table *table, const struct ibuf_mbuf *block,
		unsigned index, unsigned tables)
{
	const struct packet *p;

	for (p = block_at(block, 0); p != NULL; p = block_at(block, p->next)) {
		if (flow_table_of(p->hash, tables) != index)
			continue;
		if (p->skip != SKIP_NOT)
			table->skipped[p->skip]++;
		else if (!count(table, p))
			table->lost++;
	}
}

void
flow_table_clear(struct flow_table *table)
{
	table_clear(&table->flows, free);
}
