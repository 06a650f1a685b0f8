/*
 * command_info.c - INFO: sections of what the relay tells of itself.
 */
#include "../base/clock.h"
#include "../metrics/stats.h"
#include "../server/reply.h"
#include "../server/worker.h"
#include "../upstream/upstream.h"
#include "command.h"
#include <unistd.h>

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
		(unsigned long long)((clock_now_ns() - r->started_ns) /
				     1000000000));
}

static int
print_clients(struct relay *r, struct ibuf_mbuf *to)
{
	int error = ibuf_mbuf_printf(to, "# Clients\r\n");

	return error != 0 ? error : stats_print_info(r, STATS_CLIENTS, to);
}

static int
print_memory(struct relay *r, struct ibuf_mbuf *to)
{
	int error = ibuf_mbuf_printf(to, "# Memory\r\n");

	return error != 0 ? error : stats_print_info(r, STATS_MEMORY, to);
}

static int
print_stats(struct relay *r, struct ibuf_mbuf *to)
{
	int error = ibuf_mbuf_printf(to, "# Stats\r\n");

	return error != 0 ? error : stats_print_info(r, STATS_STATS, to);
}

/* For clients that look for a master. */
static int
print_replication(struct relay *r, struct ibuf_mbuf *to)
{
	return ibuf_mbuf_printf(to,
				"# Replication\r\nrole:master\r\n"
				"connected_slaves:0\r\n"
				"master_failover_state:no-failover\r\n"
				"master_replid:%s\r\nmaster_repl_offset:0\r\n",
				r->id);
}

/* The title alone when there is none. */
static int
print_upstream(struct relay *r, struct ibuf_mbuf *to)
{
	int error = ibuf_mbuf_printf(to, "# Upstream\r\n");

	if (error != 0 || r->upstream == NULL)
		return error;
	error = upstream_print(r->upstream, to);
	return error != 0 ? error : stats_print_info(r, STATS_UPSTREAM, to);
}

static const struct {
	const char *name;
	int (*print)(struct relay *r, struct ibuf_mbuf *to);
} sections[] = {
	{"server", print_server},           {"clients", print_clients},
	{"memory", print_memory},           {"stats", print_stats},
	{"replication", print_replication}, {"upstream", print_upstream},
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
	reply_verbatim(call->c, text, is_good);
}
