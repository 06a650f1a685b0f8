/*
 * command_info.c - INFO: what the relay has counted.
 */
#include "command.h"
#include "reply.h"
#include "worker.h"
#include <unistd.h>

struct sums {
	unsigned long long connections, commands, published, delivered, dropped,
		slow_closed, evicted, protocol_errors, bytes_in, bytes_out;
};

static unsigned long long
get(atomic_ullong *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
add_up(struct relay *r, struct sums *s)
{
	*s = (struct sums){0};
	for (unsigned i = 0; i < r->options.threads; i++) {
		struct counters *c = &r->workers[i]->counters;

		s->connections += get(&c->connections);
		s->commands += get(&c->commands);
		s->published += get(&c->published);
		s->delivered += get(&c->delivered);
		s->dropped += get(&c->dropped);
		s->slow_closed += get(&c->slow_closed);
		s->evicted += get(&c->evicted);
		s->protocol_errors += get(&c->protocol_errors);
		s->bytes_in += get(&c->bytes_in);
		s->bytes_out += get(&c->bytes_out);
	}
}

static int
print_server(struct relay *r, struct ibuf_mbuf *to)
{
	return ibuf_mbuf_printf(
		to,
		"# Server\r\nredis_version:%s\r\nredis_mode:standalone\r\n"
		"ibuf_relay_version:%s\r\nprocess_id:%ld\r\ntcp_port:%s\r\n"
		"io_threads:%u\r\nuptime_in_seconds:%llu\r\n",
		RELAY_REDIS_VERSION, ibuf_version_string(), (long)getpid(),
		r->options.port, r->options.threads,
		(unsigned long long)((relay_now_ns() - r->started_ns) /
				     1000000000));
}

static int
print_clients(struct relay *r, struct ibuf_mbuf *to)
{
	return ibuf_mbuf_printf(to, "# Clients\r\nconnected_clients:%zu\r\n",
				registry_count(&r->registry));
}

static int
print_pool(struct ibuf_pool *p, const char *name, struct ibuf_mbuf *to)
{
	struct ibuf_pool_stats s;

	ibuf_pool_get_stats(p, &s, sizeof(s));
	return ibuf_mbuf_printf(
		to,
		"%s_capacity:%llu\r\n%s_allocated:%llu\r\n"
		"%s_available:%llu\r\n%s_peak:%llu\r\n%s_handles:%llu\r\n"
		"%s_failures:%llu\r\n%s_copied_bytes:%llu\r\n"
		"%s_mapped_bytes:%llu\r\n",
		name, (unsigned long long)s.capacity, name,
		(unsigned long long)s.allocated, name,
		(unsigned long long)s.available, name,
		(unsigned long long)s.peak, name, (unsigned long long)s.handles,
		name, (unsigned long long)s.failures, name,
		(unsigned long long)s.copied_bytes, name,
		(unsigned long long)s.mapped_bytes);
}

static int
print_memory(struct relay *r, struct ibuf_mbuf *to)
{
	struct ibuf_pool_stats s;
	int error;

	ibuf_pool_get_stats(r->rooms, &s, sizeof(s));
	error = ibuf_mbuf_printf(to,
				 "# Memory\r\nused_memory:%llu\r\n"
				 "maxmemory:%zu\r\n",
				 (unsigned long long)s.allocated *
					 RELAY_ROOM_BYTES,
				 r->options.max_memory);
	if (error == 0)
		error = print_pool(r->rooms, "pool_rooms", to);
	if (error == 0)
		error = print_pool(r->replies, "pool_replies", to);
	return error;
}

static int
print_stats(struct relay *r, struct ibuf_mbuf *to)
{
	struct sums s;

	add_up(r, &s);
	return ibuf_mbuf_printf(
		to,
		"# Stats\r\ntotal_connections_received:%llu\r\n"
		"total_commands_processed:%llu\r\n"
		"total_net_input_bytes:%llu\r\n"
		"total_net_output_bytes:%llu\r\n"
		"pubsub_channels:%zu\r\npubsub_patterns:%zu\r\n"
		"pubsubshard_channels:%zu\r\n"
		"messages_published:%llu\r\nmessages_delivered:%llu\r\n"
		"messages_dropped:%llu\r\n"
		"client_output_limit_disconnections:%llu\r\n"
		"evicted_clients:%llu\r\nprotocol_errors:%llu\r\n"
		"accept_pauses:%llu\r\n",
		s.connections, s.commands, s.bytes_in, s.bytes_out,
		directory_names(r->directory, KIND_CHANNEL),
		directory_names(r->directory, KIND_PATTERN),
		directory_names(r->directory, KIND_SHARD), s.published,
		s.delivered, s.dropped, s.slow_closed, s.evicted,
		s.protocol_errors, get(&r->accept_pauses));
}

static const struct {
	const char *name;
	int (*print)(struct relay *r, struct ibuf_mbuf *to);
} sections[] = {
	{"server", print_server},
	{"clients", print_clients},
	{"memory", print_memory},
	{"stats", print_stats},
};

static bool
is_wanted(struct call *call, const char *section)
{
	for (size_t i = 1; i < call->argc; i++) {
		struct text t = call_text(call, i);

		if (text_is(t, section) || text_is(t, "all") ||
		    text_is(t, "default") || text_is(t, "everything"))
			return true;
	}
	return call->argc == 1;
}

void
command_info(struct call *call)
{
	struct relay *r = call->c->worker->relay;
	struct ibuf_mbuf *text = ibuf_mbuf_new(4096);
	bool is_good = text != NULL;

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (!is_good || !is_wanted(call, sections[i].name))
			continue;
		if (ibuf_mbuf_len(text) > 0)
			is_good = ibuf_mbuf_append(text, "\r\n", 2) == 0;
		is_good = is_good && sections[i].print(r, text) == 0;
	}
	if (is_good)
		reply_verbatim(call->c, (const char *)ibuf_mbuf_data(text),
			       ibuf_mbuf_len(text));
	else
		reply_error(call->c, "ERR out of memory");
	ibuf_mbuf_free(text);
}
