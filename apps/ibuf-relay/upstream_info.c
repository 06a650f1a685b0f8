/*
 * upstream_info.c - INFO: the upstream.
 */
#include "upstream.h"
#include "worker.h"

static unsigned long long
get(atomic_ullong *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

int
upstream_print(struct relay *r, struct ibuf_mbuf *to)
{
	struct upstream *u = r->upstream;
	struct upstream_counts *c;
	int error;

	if (u == NULL)
		return ibuf_mbuf_printf(to, "# Upstream\r\n");
	c = &u->counts;
	pthread_mutex_lock(&u->lock);
	error = ibuf_mbuf_printf(
		to,
		"# Upstream\r\nupstream_state:%s\r\nupstream_host:%s\r\n"
		"upstream_port:%s\r\nupstream_last_error:%s\r\n",
		u->state, u->host.host, u->host.port, u->error);
	pthread_mutex_unlock(&u->lock);
	if (error != 0)
		return error;
	return ibuf_mbuf_printf(
		to,
		"upstream_connects:%llu\r\nupstream_losses:%llu\r\n"
		"upstream_channels:%llu\r\nupstream_patterns:%llu\r\n"
		"upstream_shard_channels:%llu\r\n"
		"upstream_messages:%llu\r\nupstream_published:%llu\r\n"
		"upstream_in_flight:%llu\r\nupstream_waiting:%llu\r\n"
		"upstream_waiting_bytes:%llu\r\nupstream_errors:%llu\r\n"
		"upstream_evicted_clients:%llu\r\n"
		"upstream_input_bytes:%llu\r\nupstream_output_bytes:%llu\r\n",
		get(&c->connects), get(&c->losses), get(&c->held[KIND_CHANNEL]),
		get(&c->held[KIND_PATTERN]), get(&c->held[KIND_SHARD]),
		get(&c->messages), get(&c->published), get(&c->in_flight),
		get(&c->waiting), get(&c->waiting_bytes), get(&c->errors),
		get(&c->evicted), get(&c->bytes_in), get(&c->bytes_out));
}
