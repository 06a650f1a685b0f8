/*
 * stats.c - what the relay tells of itself.
 *
 * Names in INFO are those of Redis where it counts the same; names of metrics
 * follow the customs of Prometheus: the program, the thing, the unit, and
 * _total where a number only grows.
 */
#include "stats.h"
#include "../base/clock.h"
#include "../base/log.h"
#include "../base/memory.h"
#include "../base/room.h"
#include "../server/relay.h"
#include "../server/worker.h"
#include "../upstream/upstream.h"
#include <stddef.h>

/* What a number is read from. */
enum source {
	OF_WORKERS,  /* the sum of a counter at `at` */
	OF_UPSTREAM, /* the same, of the upstream's */
	OF_RELAY,    /* at `at` in struct relay */
	OF_NAMES,    /* how many of a kind there are */
	OF_MEMORY,   /* what is taken of a kind of memory */
	BY_CALL      /* of `get` */
};

typedef unsigned long long number_fn(struct relay *r);

struct row {
	enum stats_section section;
	const char *info;   /* its name in INFO, NULL: not there */
	const char *metric; /* and for Prometheus, behind "ibuf_relay_" */
	const char *help;
	bool grows; /* a counter; else a gauge */
	enum source source;
	size_t at; /* where, or which kind */
	number_fn *get;
};

static unsigned long long
clients(struct relay *r)
{
	return registry_count(&r->registry);
}

/* What is mapped for rooms; the rest of their pool is headers. */
static unsigned long long
rooms(struct relay *r)
{
	struct ibuf_pool_stats s;

	ibuf_pool_get_stats(r->rooms, &s, sizeof(s));
	return s.capacity * ROOM_BYTES;
}

static unsigned long long
memory(struct relay *r)
{
	(void)r;
	return memory_taken_in_all();
}

static unsigned long long
memory_peak(struct relay *r)
{
	(void)r;
	return memory_most();
}

static unsigned long long
headers(struct relay *r)
{
	size_t all = memory_taken(MEMORY_ROOMS), of_rooms = (size_t)rooms(r);

	return all > of_rooms ? all - of_rooms : 0;
}

static unsigned long long
memory_limit(struct relay *r)
{
	return r->options.max_memory;
}

static unsigned long long
lost_lines(struct relay *r)
{
	(void)r;
	return log_dropped();
}

static unsigned long long
upstream_up(struct relay *r)
{
	return upstream_is_up(r->upstream);
}

#define GAUGE(get_) false, BY_CALL, 0, get_
#define COUNTER(field_)                                                        \
	true, OF_WORKERS, offsetof(struct counters, field_), NULL
#define RELAY(field_) OF_RELAY, offsetof(struct relay, field_), NULL
#define NAMES(kind_) false, OF_NAMES, kind_, NULL
#define MEMORY(kind_) false, OF_MEMORY, kind_, NULL
#define UPSTREAM(field_)                                                       \
	OF_UPSTREAM, offsetof(struct upstream_counts, field_), NULL

static const struct row rows[] = {
	{STATS_CLIENTS, "connected_clients", "clients",
	 "Clients that are connected.", GAUGE(clients)},
	{STATS_CLIENTS, "blocked_clients", "blocked_clients",
	 "Publishers that wait for slow subscribers.", false, RELAY(held)},
	{STATS_MEMORY, "used_memory", "memory_bytes",
	 "Memory taken from the system for messages.", GAUGE(memory)},
	{STATS_MEMORY, "used_memory_peak", "memory_peak_bytes",
	 "The most that was taken.", GAUGE(memory_peak)},
	{STATS_MEMORY, "used_memory_rooms", "memory_rooms_bytes",
	 "Of that, rooms that messages are in.", GAUGE(rooms)},
	{STATS_MEMORY, "used_memory_headers", "memory_headers_bytes",
	 "Of that, headers of clones and slices.", GAUGE(headers)},
	{STATS_MEMORY, "used_memory_replies", "memory_replies_bytes",
	 "Of that, answers.", MEMORY(MEMORY_REPLIES)},
	{STATS_MEMORY, "used_memory_posts", "memory_posts_bytes",
	 "Of that, what threads send one another.", MEMORY(MEMORY_POSTS)},
	{STATS_MEMORY, "used_memory_queues", "memory_queues_bytes",
	 "Of that, places of messages that wait for clients.",
	 MEMORY(MEMORY_QUEUES)},
	{STATS_MEMORY, "used_memory_clients", "memory_clients_bytes",
	 "Of that, clients.", MEMORY(MEMORY_CLIENTS)},
	{STATS_MEMORY, "maxmemory", "memory_limit_bytes",
	 "What --max-memory allows; 0: no limit.", GAUGE(memory_limit)},
	{STATS_STATS, "total_connections_received", "connections_total",
	 "Clients accepted.", COUNTER(connections)},
	{STATS_STATS, "total_commands_processed", "commands_total",
	 "Commands executed.", COUNTER(commands)},
	{STATS_STATS, "total_net_input_bytes", "received_bytes_total",
	 "Bytes read from clients.", COUNTER(bytes_in)},
	{STATS_STATS, "total_net_output_bytes", "sent_bytes_total",
	 "Bytes sent to clients.", COUNTER(bytes_out)},
	{STATS_STATS, "pubsub_channels", "channels",
	 "Channels that somebody has subscribed to.", NAMES(KIND_CHANNEL)},
	{STATS_STATS, "pubsub_patterns", "patterns",
	 "Patterns that somebody has subscribed to.", NAMES(KIND_PATTERN)},
	{STATS_STATS, "pubsubshard_channels", "shard_channels",
	 "Shard channels that somebody has subscribed to.", NAMES(KIND_SHARD)},
	{STATS_STATS, "messages_published", "messages_published_total",
	 "Messages that clients published.", COUNTER(published)},
	{STATS_STATS, "messages_delivered", "messages_delivered_total",
	 "Messages queued for subscribers, one for each.", COUNTER(delivered)},
	{STATS_STATS, "messages_dropped", "messages_dropped_total",
	 "Messages that subscribers lost, one for each.", COUNTER(dropped)},
	{STATS_STATS, "client_output_limit_disconnections",
	 "output_limit_disconnections_total",
	 "Subscribers closed because they read too slowly.",
	 COUNTER(slow_closed)},
	{STATS_STATS, "publisher_waits", "publisher_waits_total",
	 "Times that a publisher had to wait for a slow subscriber.",
	 COUNTER(waits)},
	{STATS_STATS, "evicted_clients", "evicted_clients_total",
	 "Clients closed because memory was used up.", COUNTER(evicted)},
	{STATS_STATS, "protocol_errors", "protocol_errors_total",
	 "Clients closed because they broke the protocol.",
	 COUNTER(protocol_errors)},
	{STATS_STATS, "accept_pauses", "accept_pauses_total",
	 "Times that no client could be accepted for a while.", true,
	 RELAY(accept_pauses)},
	{STATS_STATS, "rejected_connections", "rejected_connections_total",
	 "Clients that were not let in.", true, RELAY(rejected)},
	{STATS_STATS, "log_lines_dropped", "log_lines_dropped_total",
	 "Lines of the log that were lost, or left out.", true, BY_CALL, 0,
	 lost_lines},
	{STATS_UPSTREAM, NULL, "upstream_up",
	 "1 while the main link to the upstream is up.", GAUGE(upstream_up)},
	{STATS_UPSTREAM, "upstream_connects", "upstream_connects_total",
	 "Links to the upstream that came up.", true, UPSTREAM(connects)},
	{STATS_UPSTREAM, "upstream_losses", "upstream_losses_total",
	 "Links lost, and tries that reached nobody.", true, UPSTREAM(losses)},
	{STATS_UPSTREAM, "upstream_channels", "upstream_channels",
	 "Channels subscribed to upstream.", false,
	 UPSTREAM(held[KIND_CHANNEL])},
	{STATS_UPSTREAM, "upstream_patterns", "upstream_patterns",
	 "Patterns subscribed to upstream.", false,
	 UPSTREAM(held[KIND_PATTERN])},
	{STATS_UPSTREAM, "upstream_shard_channels", "upstream_shard_channels",
	 "Shard channels subscribed to upstream.", false,
	 UPSTREAM(held[KIND_SHARD])},
	{STATS_UPSTREAM, "upstream_messages", "upstream_messages_total",
	 "Messages that came from upstream.", true, UPSTREAM(messages)},
	{STATS_UPSTREAM, "upstream_published", "upstream_published_total",
	 "Messages that the upstream has published for us.", true,
	 UPSTREAM(published)},
	{STATS_UPSTREAM, "upstream_in_flight", "upstream_in_flight",
	 "Messages sent upstream, whose answer is due.", false,
	 UPSTREAM(in_flight)},
	{STATS_UPSTREAM, "upstream_waiting", "upstream_waiting",
	 "Messages that wait for the upstream.", false, UPSTREAM(waiting)},
	{STATS_UPSTREAM, "upstream_waiting_bytes", "upstream_waiting_bytes",
	 "Bytes of the messages that wait for the upstream.", false,
	 UPSTREAM(waiting_bytes)},
	{STATS_UPSTREAM, "upstream_errors", "upstream_errors_total",
	 "Publishes and subscriptions that failed upstream.", true,
	 UPSTREAM(errors)},
	{STATS_UPSTREAM, "upstream_evicted_clients",
	 "upstream_evicted_clients_total",
	 "Clients closed because there was no memory for what upstream says.",
	 true, UPSTREAM(evicted)},
	{STATS_UPSTREAM, "upstream_input_bytes",
	 "upstream_received_bytes_total", "Bytes read from upstream.", true,
	 UPSTREAM(bytes_in)},
	{STATS_UPSTREAM, "upstream_output_bytes", "upstream_sent_bytes_total",
	 "Bytes sent upstream.", true, UPSTREAM(bytes_out)},
};

/* Of each pool; "pool_rooms_capacity" and "pool_capacity{pool="rooms"}". */
static const struct {
	const char *info, *metric, *help;
	bool grows;
	size_t at; /* where in struct ibuf_pool_stats it is */
} pool_rows[] = {
#define POOL(field_) offsetof(struct ibuf_pool_stats, field_)
	{"capacity", "elements", "Elements made.", false, POOL(capacity)},
	{"allocated", "elements_allocated", "Elements in use.", false,
	 POOL(allocated)},
	{"available", "elements_available", "Elements free.", false,
	 POOL(available)},
	{"cached", "elements_cached", "Free elements that threads keep.", false,
	 POOL(cached)},
	{"peak", "elements_peak", "Elements ever in use at once, or more.",
	 false, POOL(peak)},
	{"handles", "windows", "Windows in use: clones and slices.", false,
	 POOL(handles)},
	{"allocs", "allocations_total", "Elements handed out.", true,
	 POOL(allocs)},
	{"frees", "frees_total", "Elements come home.", true, POOL(frees)},
	{"grows", "slabs_grown_total", "Slabs made after the start.", true,
	 POOL(grows)},
	{"failures", "failures_total", "Allocations that failed.", true,
	 POOL(failures)},
	{"copied_bytes", "copied_bytes_total",
	 "Bytes moved for the library's own reasons.", true,
	 POOL(copied_bytes)},
	{"mapped_bytes", "mapped_bytes", "Memory it has from the system.",
	 false, POOL(mapped_bytes)},
#undef POOL
};

enum {
	ROWS = sizeof(rows) / sizeof(rows[0]),
	POOL_ROWS = sizeof(pool_rows) / sizeof(pool_rows[0]),
	POOLS = 2
};

static const char *const pool_names[POOLS] = {"rooms", "replies"};

static unsigned long long
read_at(void *counters, size_t at)
{
	return atomic_load_explicit(
		(atomic_ullong *)(void *)((char *)counters + at),
		memory_order_relaxed);
}

static unsigned long long
number(struct relay *r, const struct row *row)
{
	unsigned long long sum = 0;

	switch (row->source) {
	case OF_WORKERS:
		for (unsigned i = 0; i < r->options.threads; i++)
			sum += read_at(&r->workers[i]->counters, row->at);
		break;
	case OF_UPSTREAM:
		return read_at(&r->upstream->counts, row->at);
	case OF_RELAY:
		return read_at(r, row->at);
	case OF_NAMES:
		return directory_names(r->directory, (enum kind)row->at);
	case OF_MEMORY:
		return memory_taken((enum memory_kind)row->at);
	case BY_CALL:
		return row->get(r);
	}
	return sum;
}

static void
get_pools(struct relay *r, struct ibuf_pool_stats pools[POOLS])
{
	ibuf_pool_get_stats(r->rooms, &pools[0], sizeof(pools[0]));
	ibuf_pool_get_stats(r->replies, &pools[1], sizeof(pools[1]));
}

static unsigned long long
pool_number(const struct ibuf_pool_stats *s, unsigned row)
{
	return *(const uint64_t *)(const void *)((const char *)s +
						 pool_rows[row].at);
}

static int
print_pools_info(struct relay *r, struct ibuf_mbuf *to)
{
	struct ibuf_pool_stats pools[POOLS];
	int error = 0;

	get_pools(r, pools);
	for (unsigned p = 0; p < POOLS && error == 0; p++)
		for (unsigned i = 0; i < POOL_ROWS && error == 0; i++)
			error = ibuf_mbuf_printf(
				to, "pool_%s_%s:%llu\r\n", pool_names[p],
				pool_rows[i].info, pool_number(&pools[p], i));
	return error;
}

int
stats_print_info(struct relay *r, enum stats_section section,
		 struct ibuf_mbuf *to)
{
	int error = 0;

	if (section == STATS_UPSTREAM && r->upstream == NULL)
		return 0;
	for (unsigned i = 0; i < ROWS && error == 0; i++)
		if (rows[i].section == section && rows[i].info != NULL)
			error = ibuf_mbuf_printf(to, "%s:%llu\r\n",
						 rows[i].info,
						 number(r, &rows[i]));
	if (section == STATS_MEMORY && error == 0)
		error = print_pools_info(r, to);
	return error;
}

static int
print_head(struct ibuf_mbuf *to, const char *prefix, const char *name,
	   const char *help, bool grows)
{
	return ibuf_mbuf_printf(to,
				"# HELP ibuf_relay_%s%s %s\n"
				"# TYPE ibuf_relay_%s%s %s\n",
				prefix, name, help, prefix, name,
				grows ? "counter" : "gauge");
}

static int
print_about(struct relay *r, struct ibuf_mbuf *to)
{
	int error = print_head(to, "", "build_info",
			       "1; its labels say what runs here.", false);

	if (error == 0)
		error = ibuf_mbuf_printf(
			to, "ibuf_relay_build_info{version=\"%s\"} 1\n",
			ibuf_version_string());
	if (error == 0)
		error = print_head(to, "", "uptime_seconds",
				   "Time since the start.", false);
	if (error == 0)
		error = ibuf_mbuf_printf(
			to, "ibuf_relay_uptime_seconds %.3f\n",
			(double)(clock_now_ns() - r->started_ns) / 1e9);
	return error;
}

static int
print_row(struct relay *r, const struct row *row, struct ibuf_mbuf *to)
{
	int error = print_head(to, "", row->metric, row->help, row->grows);

	if (error != 0)
		return error;
	return ibuf_mbuf_printf(to, "ibuf_relay_%s %llu\n", row->metric,
				number(r, row));
}

static int
print_pool_row(const struct ibuf_pool_stats *pools, unsigned row,
	       struct ibuf_mbuf *to)
{
	const char *metric = pool_rows[row].metric;
	int error = print_head(to, "pool_", metric, pool_rows[row].help,
			       pool_rows[row].grows);

	for (unsigned p = 0; p < POOLS && error == 0; p++)
		error = ibuf_mbuf_printf(
			to, "ibuf_relay_pool_%s{pool=\"%s\"} %llu\n", metric,
			pool_names[p], pool_number(&pools[p], row));
	return error;
}

int
stats_print_metrics(struct relay *r, struct ibuf_mbuf *to)
{
	struct ibuf_pool_stats pools[POOLS];
	int error = print_about(r, to);

	for (unsigned i = 0; i < ROWS && error == 0; i++)
		if (rows[i].section != STATS_UPSTREAM || r->upstream != NULL)
			error = print_row(r, &rows[i], to);
	get_pools(r, pools);
	for (unsigned i = 0; i < POOL_ROWS && error == 0; i++)
		error = print_pool_row(pools, i, to);
	return error;
}
