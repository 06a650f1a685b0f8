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
		"redis_version:%s\r\nredis_mode:standalone\r\n"
		"ibuf_relay_version:%s\r\nprocess_id:%ld\r\ntcp_port:%s\r\n"
		"io_threads:%u\r\nuptime_in_seconds:%llu\r\n",
		RELAY_REDIS_VERSION, ibuf_version_string(), (long)getpid(),
		r->options.port, r->options.threads,
		(unsigned long long)((clock_now_ns() - r->started_ns) /
				     1000000000));
}

/* For clients that look for a master. */
static int
print_replication(struct relay *r, struct ibuf_mbuf *to)
{
	return ibuf_mbuf_printf(to,
				"role:master\r\n"
				"connected_slaves:0\r\n"
				"master_failover_state:no-failover\r\n"
				"master_replid:%s\r\nmaster_repl_offset:0\r\n",
				r->id);
}

/* Nothing when there is none. */
static int
print_upstream(struct relay *r, struct ibuf_mbuf *to)
{
	return r->upstream != NULL ? upstream_print(r->upstream, to) : 0;
}

/* What is no number, and the numbers. */
static const struct {
	const char *name, *title;
	int (*print)(struct relay *r, struct ibuf_mbuf *to);
	enum stats_section numbers;
} sections[] = {
	{"server", "Server", print_server, STATS_NONE},
	{"clients", "Clients", NULL, STATS_CLIENTS},
	{"memory", "Memory", NULL, STATS_MEMORY},
	{"stats", "Stats", NULL, STATS_STATS},
	{"replication", "Replication", print_replication, STATS_NONE},
	{"upstream", "Upstream", print_upstream, STATS_UPSTREAM},
};

static int
print_section(struct relay *r, size_t i, struct ibuf_mbuf *to)
{
	int error = ibuf_mbuf_printf(to, "%s# %s\r\n",
				     ibuf_mbuf_len(to) > 0 ? "\r\n" : "",
				     sections[i].title);

	if (error == 0 && sections[i].print != NULL)
		error = sections[i].print(r, to);
	return error != 0 ? error
			  : stats_print_info(r, sections[i].numbers, to);
}

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

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (is_good && is_wanted(call, sections[i].name))
			is_good = print_section(r, i, text) == 0;
	reply_verbatim(call->c, text, is_good);
}
