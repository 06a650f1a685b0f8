/*
 * flow.c - count packets into flows.
 */
#include "flow.h"
#include "block.h"
#include "protocol.h"
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
is_open(const struct segment *s)
{
	return (s->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* A SYN that is no repetition of the one before. */
static bool
is_new_connection(const struct flow *flow, const struct segment *s,
		  unsigned way)
{
	return is_open(s) && flow->tcp_flags[way] & TCP_SYN &&
	       s->seq != flow->syn[way];
}

/* Whether the record of a flow ends before this packet. */
static bool
is_over(const struct flow_timeouts *t, const struct flow *flow,
	const struct packet *p)
{
	if (t->active_ns == 0 && t->inactive_ns == 0)
		return false;
	if (t->active_ns > 0 && p->time_ns > flow->first_ns &&
	    (uint64_t)p->time_ns - (uint64_t)flow->first_ns >=
		    (uint64_t)t->active_ns)
		return true;
	if (t->inactive_ns > 0 && p->time_ns > flow->last_ns &&
	    (uint64_t)p->time_ns - (uint64_t)flow->last_ns >
		    (uint64_t)t->inactive_ns)
		return true;
	return p->segment.has_tcp && !p->is_tunnel &&
	       is_new_connection(flow, &p->segment, p->from != flow->a);
}

static void
end_record(struct flow_table *table, struct flow *flow)
{
	table_remove(&table->flows, flow);
	flow->link.next = (void *)table->ended;
	table->ended = flow;
	table->ended_count++;
}

/* What the handshake took, by the last SYN before the SYN of the other. */
static void
follow_handshake(struct flow *flow, const struct packet *p, unsigned way)
{
	const struct segment *s = &p->segment;
	bool is_first = way == 0;

	if (is_open(s) && flow->handshake != FLOW_SHAKEN && is_first) {
		flow->handshake = FLOW_SYN;
		flow->handshake_ns = p->time_ns;
	} else if (flow->handshake == FLOW_SYN && !is_first &&
		   s->tcp_flags & TCP_SYN && s->tcp_flags & TCP_ACK &&
		   s->ack == flow->syn[0] + 1) {
		flow->handshake = FLOW_SYN_ACK;
	} else if (flow->handshake == FLOW_SYN_ACK && is_first &&
		   s->tcp_flags & TCP_ACK && s->ack == flow->syn[1] + 1) {
		flow->handshake = FLOW_SHAKEN;
		flow->handshake_ns = p->time_ns - flow->handshake_ns;
	}
}

static void
count_tcp(struct flow *flow, const struct packet *p, unsigned way)
{
	const struct segment *s = &p->segment;
	bool is_known = flow->tcp_flags[way] != 0;
	uint32_t marks = (s->tcp_flags & TCP_SYN ? 1u : 0) +
			 (s->tcp_flags & TCP_FIN ? 1u : 0);
	uint32_t end = s->seq + s->on_wire + marks;
	bool is_keep_alive =
		s->on_wire <= 1 && marks == 0 && s->seq + 1 == flow->next[way];

	if (is_new_connection(flow, s, way))
		is_known = false;
	if (s->tcp_flags & TCP_SYN)
		flow->syn[way] = s->seq;
	follow_handshake(flow, p, way);
	flow->tcp_flags[way] |= s->tcp_flags;
	if (!is_known || (int32_t)(end - flow->next[way]) > 0)
		flow->next[way] = end;
	else if (s->on_wire + marks > 0 && !is_keep_alive)
		flow->again[way]++;
}

static bool
count(struct flow_table *table, const struct packet *p)
{
	struct flow *flow;
	unsigned way;

	flow = table_find(&table->flows, p->hash, &p->key, sizeof p->key);
	if (flow != NULL && is_over(&table->timeouts, flow, p)) {
		end_record(table, flow);
		flow = NULL;
	}
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
	if (p->segment.has_tcp && !p->is_tunnel &&
	    p->key.protocol == PROTOCOL_TCP)
		count_tcp(flow, p, way);
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

size_t
flow_table_count(const struct flow_table *table)
{
	return table->flows.count + table->ended_count;
}

void
flow_table_list(const struct flow_table *table, const struct flow **out)
{
	const struct flow *flow;

	table_list(&table->flows, out);
	out += table->flows.count;
	for (flow = table->ended; flow != NULL;
	     flow = (const void *)flow->link.next)
		*out++ = flow;
}

void
flow_table_clear(struct flow_table *table)
{
	struct flow *flow;

	while ((flow = table->ended) != NULL) {
		table->ended = (void *)flow->link.next;
		free(flow);
	}
	table_clear(&table->flows, free);
}
