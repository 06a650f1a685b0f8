/*
 * command_small.c - what clients ask a Redis at the start, or now and then,
 * answered as one that is empty and alone would.
 */
#include "../server/reply.h"
#include "../server/worker.h"
#include "../upstream/slots.h"
#include "command.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void
command_role(struct call *call)
{
	reply_array(call->c, 3);
	reply_text(call->c, "master");
	reply_integer(call->c, 0);
	reply_array(call->c, 0);
}

void
command_dbsize(struct call *call)
{
	reply_integer(call->c, 0);
}

/* There are no replicas to wait for. */
void
command_wait(struct call *call)
{
	long long replicas, timeout_ms;

	if (!text_number(call_text(call, 1), &replicas))
		reply_error(call->c,
			    "ERR value is not an integer or out of range");
	else if (!text_number(call_text(call, 2), &timeout_ms))
		reply_error(call->c,
			    "ERR timeout is not an integer or out of range");
	else if (timeout_ms < 0)
		reply_error(call->c, "ERR timeout is negative");
	else
		reply_integer(call->c, 0);
}

static void
reply_number(struct client *c, long long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", number);
	reply_text(c, text);
}

void
command_time(struct call *call)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	reply_array(call->c, 2);
	reply_number(call->c, now.tv_sec);
	reply_number(call->c, now.tv_nsec / 1000);
}

/* Of the cluster's commands that change nothing for its only node. */
void
command_ok(struct call *call)
{
	reply_status(call->c, "OK");
}

void
command_eval(struct call *call)
{
	reply_error(call->c,
		    "ERR ibuf-relay runs no scripts: send PUBLISH itself, or "
		    "several between MULTI and EXEC, instead of %s",
		    call->command->name);
}

static void
reply_nothing(struct call *call)
{
	reply_array(call->c, 0);
}

static void
reply_zero(struct call *call)
{
	reply_integer(call->c, 0);
}

static void
slowlog_get(struct call *call)
{
	long long number = 0;

	if (call->argc > 3)
		call_wrong_arity(call);
	else if (call->argc == 3 &&
		 (!text_number(call_text(call, 2), &number) || number < -1))
		reply_error(call->c, "ERR count should be greater than or "
				     "equal to -1");
	else
		reply_array(call->c, 0);
}

const struct command command_slowlog[] = {
	{"slowlog|get", -2, 0, slowlog_get, NULL, "Tell nothing: none is kept",
	 "[<count>]"},
	{"slowlog|help", 2, 0, command_help, NULL, "Show this", ""},
	{"slowlog|len", 2, 0, reply_zero, NULL, "Tell that there are none", ""},
	{"slowlog|reset", 2, 0, command_ok, NULL, "Do nothing", ""},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};

const struct command command_latency[] = {
	{"latency|help", 2, 0, command_help, NULL, "Show this", ""},
	{"latency|history", 3, 0, reply_nothing, NULL,
	 "Tell nothing: none is kept", "<event>"},
	{"latency|latest", 2, 0, reply_nothing, NULL,
	 "Tell nothing: none is kept", ""},
	{"latency|reset", -2, 0, reply_zero, NULL, "Do nothing",
	 "[<event> ...]"},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};

/* CLUSTER: one node, which has all slots. */

/* Where the client has reached us. */
static void
own_address(const struct client *c, char *host, size_t size, long long *port)
{
	const char *text = c->card.laddr, *colon = strrchr(text, ':');
	size_t n = colon != NULL ? (size_t)(colon - text) : 0;

	if (n > 1 && text[0] == '[') {
		text++;
		n -= 2;
	}
	snprintf(host, size, "%.*s", (int)n, text);
	*port = colon != NULL ? strtoll(colon + 1, NULL, 10) : 0;
}

static void
cluster_slots(struct call *call)
{
	struct client *c = call->c;
	char host[128];
	long long port;

	own_address(c, host, sizeof(host), &port);
	reply_array(c, 1);
	reply_array(c, 3);
	reply_integer(c, 0);
	reply_integer(c, SLOTS - 1);
	reply_array(c, 4);
	reply_text(c, host);
	reply_integer(c, port);
	reply_text(c, c->worker->relay->id);
	reply_array(c, 0);
}

static void
cluster_shards(struct call *call)
{
	struct client *c = call->c;
	char host[128];
	long long port;

	own_address(c, host, sizeof(host), &port);
	reply_array(c, 1);
	reply_map(c, 2);
	reply_text(c, "slots");
	reply_array(c, 2);
	reply_integer(c, 0);
	reply_integer(c, SLOTS - 1);
	reply_text(c, "nodes");
	reply_array(c, 1);
	reply_map(c, 7);
	reply_text(c, "id");
	reply_text(c, c->worker->relay->id);
	reply_text(c, "port");
	reply_integer(c, port);
	reply_text(c, "ip");
	reply_text(c, host);
	reply_text(c, "endpoint");
	reply_text(c, host);
	reply_text(c, "role");
	reply_text(c, "master");
	reply_text(c, "replication-offset");
	reply_integer(c, 0);
	reply_text(c, "health");
	reply_text(c, "online");
}

static void
cluster_nodes(struct call *call)
{
	struct client *c = call->c;
	char host[128], line[256];
	long long port;

	own_address(c, host, sizeof(host), &port);
	snprintf(line, sizeof(line),
		 "%s %s:%lld@%lld myself,master - 0 0 1 connected 0-%d\n",
		 c->worker->relay->id, host, port, port + 10000, SLOTS - 1);
	reply_text(c, line);
}

static void
cluster_info(struct call *call)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "cluster_enabled:1\r\ncluster_state:ok\r\n"
		 "cluster_slots_assigned:%d\r\ncluster_slots_ok:%d\r\n"
		 "cluster_known_nodes:1\r\ncluster_size:1\r\n",
		 SLOTS, SLOTS);
	reply_text(call->c, text);
}

static void
cluster_myid(struct call *call)
{
	reply_text(call->c, call->c->worker->relay->id);
}

static void
cluster_keyslot(struct call *call)
{
	struct text key = call_text(call, 2);

	reply_integer(call->c, slots_of(key.bytes, key.len));
}

const struct command command_cluster[] = {
	{"cluster|help", 2, 0, command_help, NULL, "Show this", ""},
	{"cluster|info", 2, 0, cluster_info, NULL, "Describe the cluster", ""},
	{"cluster|keyslot", 3, 0, cluster_keyslot, NULL,
	 "Tell the slot of a name", "<name>"},
	{"cluster|myid", 2, 0, cluster_myid, NULL, "Tell who this node is", ""},
	{"cluster|nodes", 2, 0, cluster_nodes, NULL, "Name the nodes: this one",
	 ""},
	{"cluster|shards", 2, 0, cluster_shards, NULL,
	 "Tell that this node has all slots", ""},
	{"cluster|slots", 2, 0, cluster_slots, NULL,
	 "Tell that this node has all slots", ""},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
