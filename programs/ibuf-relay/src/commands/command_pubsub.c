/*
 * command_pubsub.c - subscribing, publishing, PUBSUB.
 */
#include "../base/log.h"
#include "../server/congestion.h"
#include "../server/reply.h"
#include "../server/worker.h"
#include "../upstream/upstream.h"
#include "command.h"

static const char *const joined[KINDS] = {"subscribe", "psubscribe",
					  "ssubscribe"};
static const char *const left[KINDS] = {"unsubscribe", "punsubscribe",
					"sunsubscribe"};

static enum kind
kind_of(const struct call *call)
{
	if (call->command->flags & COMMAND_SHARD)
		return KIND_SHARD;
	return call->command->flags & COMMAND_PATTERN ? KIND_PATTERN
						      : KIND_CHANNEL;
}

/* What the client is told it has: shards apart from the others. */
static size_t
count_for(const struct client *c, enum kind kind)
{
	if (kind == KIND_SHARD)
		return HASH_COUNT(c->sub.mine[KIND_SHARD]);
	return HASH_COUNT(c->sub.mine[KIND_CHANNEL]) +
	       HASH_COUNT(c->sub.mine[KIND_PATTERN]);
}

static void
update_card(struct client *c, enum kind kind)
{
	atomic_store(&c->card.counts[kind], HASH_COUNT(c->sub.mine[kind]));
}

void
command_subscribe(struct call *call)
{
	enum kind kind = kind_of(call);
	struct client *c = call->c;

	for (size_t i = 1; i < call->argc && !c->is_doomed; i++) {
		struct text name = call_text(call, i);

		if (c->worker->relay->upstream != NULL)
			upstream_await(c->worker->relay->upstream);
		if (fanout_join(&c->worker->fanout, kind, name.bytes, name.len,
				&c->sub) == TOPIC_NOMEM) {
			log_warning("out of memory: client %llu is closed",
				    (unsigned long long)c->card.id);
			client_doom(c);
			break;
		}
		/* Without memory it is told at once. */
		if (c->worker->relay->upstream != NULL)
			upstream_confirm(c, kind, name.bytes, name.len);
		reply_push(c, 3);
		reply_text(c, joined[kind]);
		reply_bulk(c, name.bytes, name.len);
		reply_integer(c, (long long)count_for(c, kind));
	}
	update_card(c, kind);
}

static void
tell_left(struct client *c, enum kind kind, const char *name, size_t len)
{
	reply_push(c, 3);
	reply_text(c, left[kind]);
	if (name != NULL)
		reply_bulk(c, name, len);
	else
		reply_null(c);
	reply_integer(c, (long long)count_for(c, kind));
}

static void
unsubscribe_all(struct client *c, enum kind kind)
{
	struct fanout *f = &c->worker->fanout;

	if (c->sub.mine[kind] == NULL)
		tell_left(c, kind, NULL, 0);
	while (c->sub.mine[kind] != NULL) {
		struct membership *m = c->sub.mine[kind];
		/* The topic may go with its last member. */
		struct ibuf_mbuf *name =
			ibuf_mbuf_from(m->topic->name, m->topic->len);

		if (name == NULL) {
			client_doom(c);
			return;
		}
		fanout_leave(f, m);
		tell_left(c, kind, (const char *)ibuf_mbuf_data(name),
			  ibuf_mbuf_len(name));
		ibuf_mbuf_free(name);
	}
}

void
command_unsubscribe(struct call *call)
{
	enum kind kind = kind_of(call);
	struct client *c = call->c;
	struct fanout *f = &c->worker->fanout;

	if (call->argc == 1)
		unsubscribe_all(c, kind);
	for (size_t i = 1; i < call->argc && !c->is_doomed; i++) {
		struct text name = call_text(call, i);
		struct membership *m = fanout_membership(f, kind, name.bytes,
							 name.len, &c->sub);

		if (m != NULL)
			fanout_leave(f, m);
		tell_left(c, kind, name.bytes, name.len);
	}
	update_card(c, kind);
}

/* It comes back from there to those who have subscribed. */
static void
publish_upstream(struct call *call, enum kind kind)
{
	struct client *c = call->c;
	struct ibuf_mbuf *body;

	if (!call->is_queued && congestion_holds(c, kind, NULL, 0, 0))
		return;
	body = call_slice(call, 1, 3);
	if (body == NULL)
		return;
	count(&c->worker->counters.published, 1);
	if (upstream_publish(c, kind, body))
		return;
	ibuf_mbuf_free(body);
	reply_error(c, "ERR out of memory: not published");
}

/*
 * To this worker's own clients at the end of this turn at the latest, to those
 * of other workers by post.  A client that hears it too does so before the
 * answer.  Those for whom there is no memory are counted as dropped.
 */
static void
publish(struct call *call, enum kind kind)
{
	struct client *c = call->c;
	struct fanout *f = &c->worker->fanout;
	struct text name = call_text(call, 1);
	struct resp_arg first = call->args[1], last = call->args[2];
	struct route *route;
	size_t receivers;

	if (c->is_doomed)
		return;
	route = fanout_route(f, kind, name.bytes, name.len);
	if (route == NULL) {
		reply_error(c, "ERR out of memory: not published");
		return;
	}
	if (!call->is_queued &&
	    congestion_holds(c, kind, name.bytes, name.len, route->workers))
		return;
	count(&c->worker->counters.published, 1);
	receivers = route->receivers;
	fanout_publish(f, route, call->source, first.bulk,
		       last.at + last.len + 2 - first.bulk);
	if (client_subscriptions(c) > 0)
		fanout_finish(f);
	reply_integer(c, (long long)receivers);
}

void
command_publish(struct call *call)
{
	if (call->c->worker->relay->upstream != NULL)
		publish_upstream(call, kind_of(call));
	else
		publish(call, kind_of(call));
}

/* PUBSUB. */

struct names {
	struct ibuf_mbuf *text; /* each as a bulk string */
	size_t count;
	bool is_good;
};

static void
add_name(const char *name, size_t len, void *arg)
{
	struct names *names = arg;

	names->count++;
	names->is_good = names->is_good &&
			 ibuf_mbuf_printf(names->text, "$%zu\r\n", len) == 0 &&
			 ibuf_mbuf_append(names->text, name, len) == 0 &&
			 ibuf_mbuf_append(names->text, "\r\n", 2) == 0;
}

static void
pubsub_channels(struct call *call)
{
	struct client *c = call->c;
	struct names names = {ibuf_mbuf_new(0), 0, true};
	struct text pattern = {NULL, 0};

	if (call->argc > 3) {
		ibuf_mbuf_free(names.text);
		call_wrong_subcommand(call);
		return;
	}
	if (call->argc == 3)
		pattern = call_text(call, 2);
	if (names.text != NULL)
		directory_each(c->worker->relay->directory, kind_of(call),
			       pattern.bytes, pattern.len, add_name, &names);
	if (names.text == NULL || !names.is_good) {
		ibuf_mbuf_free(names.text);
		client_doom(c);
		return;
	}
	reply_array(c, names.count);
	if (names.count > 0)
		reply_message(c, names.text);
	else
		ibuf_mbuf_free(names.text);
}

static void
pubsub_numsub(struct call *call)
{
	enum kind kind = kind_of(call);
	struct client *c = call->c;

	reply_array(c, 2 * (call->argc - 2));
	for (size_t i = 2; i < call->argc; i++) {
		struct text name = call_text(call, i);

		reply_bulk(c, name.bytes, name.len);
		reply_integer(c, (long long)directory_count(
					 c->worker->relay->directory, kind,
					 name.bytes, name.len));
	}
}

static void
pubsub_numpat(struct call *call)
{
	struct directory *d = call->c->worker->relay->directory;

	reply_integer(call->c, (long long)directory_names(d, KIND_PATTERN));
}

const struct command command_pubsub[] = {
	{"pubsub|channels", -2, 0, pubsub_channels, NULL,
	 "Name the channels that have subscribers", "[<pattern>]"},
	{"pubsub|help", 2, 0, command_help, NULL, "Show this", ""},
	{"pubsub|numpat", 2, 0, pubsub_numpat, NULL,
	 "Tell how many patterns have subscribers", ""},
	{"pubsub|numsub", -2, 0, pubsub_numsub, NULL,
	 "Tell how many subscribers channels have", "[<channel> ...]"},
	{"pubsub|shardchannels", -2, COMMAND_SHARD, pubsub_channels, NULL,
	 "Name the shard channels that have subscribers", "[<pattern>]"},
	{"pubsub|shardnumsub", -2, COMMAND_SHARD, pubsub_numsub, NULL,
	 "Tell how many subscribers shard channels have", "[<channel> ...]"},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
