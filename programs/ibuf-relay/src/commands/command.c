/*
 * command.c - the table of commands, and what must hold before one runs.
 */
#include "command.h"
#include "../base/log.h"
#include "../server/multi.h"
#include "../server/reply.h"
#include "../server/worker.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	FREE = COMMAND_STRANGER,
	SUBS = COMMAND_SUBSCRIBED,
	PUBSUB = COMMAND_PUBSUB,
	GATHERS = COMMAND_GATHERS,
	AT_ONCE = COMMAND_AT_ONCE,
	PATTERN = COMMAND_PATTERN,
	SHARD = COMMAND_SHARD
};

const struct command commands[] = {
	{"asking", 1, 0, command_ok, NULL, "Do nothing", NULL},
	{"auth", -2, FREE, command_auth, NULL, "Say the password", NULL},
	{"client", -2, 0, NULL, command_client, "Look at connections", NULL},
	{"cluster", -2, 0, NULL, command_cluster,
	 "Look at a cluster of one node", NULL},
	{"command", -1, 0, command_list_all, command_command,
	 "Describe the commands", NULL},
	{"config", -2, 0, NULL, command_config,
	 "Look at the options, change them", NULL},
	{"dbsize", 1, 0, command_dbsize, NULL, "Count no keys", NULL},
	{"discard", 1, AT_ONCE, command_discard, NULL, "Forget what is queued",
	 NULL},
	{"echo", 2, 0, command_echo, NULL, "Return the given string", NULL},
	{"eval", -3, 0, command_eval, NULL, "Refuse a script", NULL},
	{"eval_ro", -3, 0, command_eval, NULL, "Refuse a script", NULL},
	{"evalsha", -3, 0, command_eval, NULL, "Refuse a script", NULL},
	{"evalsha_ro", -3, 0, command_eval, NULL, "Refuse a script", NULL},
	{"exec", 1, AT_ONCE, command_exec, NULL, "Execute what is queued",
	 NULL},
	{"fcall", -3, 0, command_eval, NULL, "Refuse a function", NULL},
	{"fcall_ro", -3, 0, command_eval, NULL, "Refuse a function", NULL},
	{"function", -2, 0, command_eval, NULL, "Refuse a function", NULL},
	{"hello", -1, FREE, command_hello, NULL, "Choose RESP2 or RESP3", NULL},
	{"info", -1, 0, command_info, NULL, "Describe the server", NULL},
	{"latency", -2, 0, NULL, command_latency, "Tell of no latencies", NULL},
	{"multi", 1, AT_ONCE, command_multi, NULL, "Begin to queue", NULL},
	{"ping", -1, SUBS, command_ping, NULL, "Ask for a sign of life", NULL},
	{"psubscribe", -2, SUBS | PUBSUB | PATTERN, command_subscribe, NULL,
	 "Listen to the channels that match patterns", NULL},
	{"publish", 3, PUBSUB | GATHERS, command_publish, NULL,
	 "Post a message to a channel", NULL},
	{"pubsub", -2, 0, NULL, command_pubsub, "Look at subscriptions", NULL},
	{"punsubscribe", -1, SUBS | PUBSUB | PATTERN, command_unsubscribe, NULL,
	 "Stop listening to patterns", NULL},
	{"readonly", 1, 0, command_ok, NULL, "Do nothing", NULL},
	{"readwrite", 1, 0, command_ok, NULL, "Do nothing", NULL},
	{"reset", 1, FREE | SUBS | AT_ONCE, command_reset, NULL,
	 "Start anew on this connection", NULL},
	{"role", 1, 0, command_role, NULL, "Tell that this is a master", NULL},
	{"script", -2, 0, command_eval, NULL, "Refuse a script", NULL},
	{"select", 2, 0, command_select, NULL, "Choose a database", NULL},
	{"slowlog", -2, 0, NULL, command_slowlog, "Tell of no slow commands",
	 NULL},
	{"spublish", 3, PUBSUB | GATHERS | SHARD, command_publish, NULL,
	 "Post a message to a shard channel", NULL},
	{"ssubscribe", -2, SUBS | PUBSUB | SHARD, command_subscribe, NULL,
	 "Listen to shard channels", NULL},
	{"subscribe", -2, SUBS | PUBSUB, command_subscribe, NULL,
	 "Listen to channels", NULL},
	{"sunsubscribe", -1, SUBS | PUBSUB | SHARD, command_unsubscribe, NULL,
	 "Stop listening to shard channels", NULL},
	{"time", 1, 0, command_time, NULL, "Tell the time", NULL},
	{"unsubscribe", -1, SUBS | PUBSUB, command_unsubscribe, NULL,
	 "Stop listening to channels", NULL},
	{"unwatch", 1, 0, command_unwatch, NULL, "Do nothing", NULL},
	{"wait", 3, 0, command_wait, NULL, "Wait for no replicas", NULL},
	{"watch", -2, AT_ONCE, command_watch, NULL, "Do nothing", NULL},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};

/* Memory for arguments that straddle, freed when the command ends. */
struct scratch {
	struct scratch *next;
	char bytes[];
};

struct text
call_text(struct call *call, size_t i)
{
	struct worker *w = call->c->worker;
	struct resp_arg arg = call->args[i];
	struct scratch *s;
	size_t run;
	const uint8_t *at = ibuf_mbuf_at(call->source, arg.at, &run);

	if (run >= arg.len)
		return (struct text){(const char *)at, arg.len};
	s = malloc(sizeof(*s) + arg.len);
	if (s == NULL) {
		log_warning("out of memory: client %llu is closed",
			    (unsigned long long)call->c->card.id);
		client_doom(call->c);
		return (struct text){"", 0};
	}
	s->next = w->scratch;
	w->scratch = s;
	ibuf_mbuf_copy_out(call->source, arg.at, s->bytes, arg.len);
	return (struct text){s->bytes, arg.len};
}

static void
free_scratch(struct worker *w)
{
	while (w->scratch != NULL) {
		struct scratch *s = w->scratch;

		w->scratch = s->next;
		free(s);
	}
}

struct ibuf_mbuf *
call_slice(struct call *call, size_t i, size_t end)
{
	struct resp_arg last = call->args[end - 1];
	size_t from = call->args[i].bulk;
	struct ibuf_mbuf *m = ibuf_mbuf_slice(call->source, from,
					      last.at + last.len + 2 - from);

	if (m == NULL) {
		log_warning("out of memory: client %llu is closed",
			    (unsigned long long)call->c->card.id);
		client_doom(call->c);
	}
	return m;
}

bool
text_is(struct text t, const char *word)
{
	/* Most words are told apart by their first letter. */
	if (t.len > 0 && ((t.bytes[0] ^ word[0]) & 0x5f) != 0)
		return false;
	return strlen(word) == t.len && strncasecmp(t.bytes, word, t.len) == 0;
}

bool
text_number(struct text t, long long *number)
{
	char digits[24];
	char canonical[24];
	char *end;

	if (t.len == 0 || t.len >= sizeof(digits))
		return false;
	memcpy(digits, t.bytes, t.len);
	digits[t.len] = '\0';
	*number = strtoll(digits, &end, 10);
	/* What is not written as we would write it is not a number. */
	snprintf(canonical, sizeof(canonical), "%lld", *number);
	return strcmp(canonical, digits) == 0;
}

static void
reply_arity(struct client *c, const char *name)
{
	reply_error(c, "ERR wrong number of arguments for '%s' command", name);
}

void
call_wrong_arity(struct call *call)
{
	reply_arity(call->c, call->command->name);
}

/* The text up to a zero byte, as %s has it, and no more than `most`. */
static int
printable(struct text t, size_t most)
{
	return (int)strnlen(t.bytes, t.len < most ? t.len : most);
}

void
text_upper(char *to, size_t size, struct text t)
{
	size_t i;

	for (i = 0; i < t.len && i + 1 < size; i++)
		to[i] = (char)toupper((unsigned char)t.bytes[i]);
	to[i] = '\0';
}

void
call_wrong_subcommand(struct call *call)
{
	struct text sub = call_text(call, 1);
	char name[32];

	text_upper(name, sizeof(name), call_text(call, 0));
	reply_error(call->c,
		    "ERR unknown subcommand or wrong number of arguments for "
		    "'%.*s'. Try %s HELP.",
		    printable(sub, 128), sub.bytes, name);
}

static const char forbidden[] =
	"ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / "
	"PING / QUIT / RESET are allowed in this context";

/* The words have a %s for the name, or none. */
static void
reply_objection(struct client *c, const char *before, const char *words,
		const char *name)
{
	const char *at = strstr(words, "%s");

	if (at == NULL)
		reply_error(c, "%s%s", before, words);
	else
		reply_error(c, "%s%.*s%s%s", before, (int)(at - words), words,
			    name, at + 2);
}

static bool
is_subscriber(const struct client *c)
{
	return c->sub.resp == 2 && client_subscriptions(c) > 0;
}

static void
reply_unknown(struct call *call)
{
	enum { MOST = 128 };
	struct text name = call_text(call, 0);
	char args[MOST + 16], known[32];
	size_t n = 0;

	if (is_subscriber(call->c) && call->c->is_trusted) {
		switch (command_known(name, call->argc, known, sizeof(known))) {
		case COMMAND_KNOWN:
			reply_objection(call->c, "", forbidden, known);
			return;
		case COMMAND_WRONG_ARITY:
			reply_arity(call->c, known);
			return;
		case COMMAND_UNKNOWN:
			break;
		}
	}
	args[0] = '\0';
	for (size_t i = 1; i < call->argc && n < MOST; i++) {
		struct text arg = call_text(call, i);

		n += (size_t)snprintf(args + n, sizeof(args) - n, "'%.*s' ",
				      printable(arg, MOST - n), arg.bytes);
	}
	reply_error(call->c,
		    "ERR unknown command '%.*s', with args beginning with: %s",
		    printable(name, MOST), name.bytes, args);
}

static void
reply_unknown_sub(struct call *call)
{
	struct text sub = call_text(call, 1);
	char name[32];

	text_upper(name, sizeof(name), call_text(call, 0));
	reply_error(call->c, "ERR unknown subcommand '%.*s'. Try %s HELP.",
		    printable(sub, 128), sub.bytes, name);
}

const struct command *
command_find(const struct command *table, struct text name)
{
	/* All of a table are subcommands of the same command, or of none. */
	const char *bar = strchr(table->name, '|');
	size_t skip = bar != NULL ? (size_t)(bar + 1 - table->name) : 0;

	for (; table->name != NULL; table++) {
		if (text_is(name, table->name + skip))
			return table;
	}
	return NULL;
}

const struct command *
command_subs(const struct command *sub)
{
	struct text name = {sub->name, strcspn(sub->name, "|")};

	return command_find(commands, name)->subs;
}

/* The subcommand that is meant.  NULL: the client has been told. */
static const struct command *
find_sub(struct call *call, const struct command *command)
{
	const struct command *sub;

	if (command->subs == NULL || call->argc == 1)
		return command;
	sub = command_find(command->subs, call_text(call, 1));
	if (sub == NULL)
		reply_unknown_sub(call);
	return sub;
}

/* Why it may not run, as an error; NULL: it may. */
static const char *
objection(struct call *call)
{
	const struct command *command = call->command;
	struct client *c = call->c;
	size_t argc = call->argc;

	if (command->arity > 0 ? argc != (size_t)command->arity
			       : argc < (size_t)-command->arity)
		return "ERR wrong number of arguments for '%s' command";
	/* The password may have been taken away. */
	if (!c->is_trusted &&
	    !settings_has_password(&c->worker->relay->settings))
		c->is_trusted = c->parser.is_trusted = true;
	if (!c->is_trusted && !(command->flags & COMMAND_STRANGER))
		return "NOAUTH Authentication required.";
	if (!(command->flags & COMMAND_SUBSCRIBED) && is_subscriber(c))
		return forbidden;
	return NULL;
}

static bool
may_run(struct call *call)
{
	const char *why = objection(call);
	const char *abort = "";

	if (why == NULL)
		return true;
	/* A transaction that may not be executed is over. */
	if (strcmp(call->command->name, "exec") == 0) {
		abort = "EXECABORT Transaction discarded because of: ";
		why += strncmp(why, "ERR ", 4) == 0 ? 4 : 0;
		multi_free(call->c);
	}
	reply_objection(call->c, abort, why, call->command->name);
	return false;
}

/* A browser that was tricked into talking to us must not be obeyed. */
static bool
is_http(struct call *call, struct text name)
{
	if (!text_is(name, "post") && !text_is(name, "host:"))
		return false;
	log_warning("client %llu at %s speaks HTTP: closed",
		    (unsigned long long)call->c->card.id, call->c->card.addr);
	client_doom(call->c);
	return true;
}

/* What comes after MULTI; what could not come is remembered. */
static void
queue(struct call *call, bool is_good)
{
	struct client *c = call->c;

	if (is_good && multi_add(c, call->source, call->args, call->argc)) {
		reply_status(c, "QUEUED");
		return;
	}
	c->multi->is_bad = true;
	if (is_good)
		reply_error(c, "ERR too much is queued");
}

/* Whether it has subscribed is told in any case. */
static void
execute(struct call *call)
{
	struct client *c = call->c;
	const unsigned always = COMMAND_SUBSCRIBED | COMMAND_PUBSUB;
	const struct command *command = call->command;
	bool is_silent = c->is_silent;
	unsigned skips = c->skips;

	if ((command->flags & always) != always) {
		command->run(call);
		return;
	}
	c->is_silent = false;
	c->skips = 0;
	command->run(call);
	c->is_silent = is_silent;
	c->skips = skips;
}

/* The client may be doomed, or told why it may not. */
static void
run(struct call *call, const struct command *command)
{
	struct client *c = call->c;
	bool is_good, is_queued = c->multi != NULL &&
				  !(command->flags & COMMAND_AT_ONCE);

	call->command = find_sub(call, command);
	is_good = call->command != NULL;
	if (is_good) {
		atomic_store_explicit(&c->card.command, call->command->name,
				      memory_order_relaxed);
		is_good = may_run(call);
	}
	if (is_queued)
		queue(call, is_good);
	else if (is_good)
		execute(call);
	else if (c->multi != NULL)
		c->multi->is_bad = true;
}

void
command_run(struct call *call)
{
	const struct command *command =
		command_find(commands, call_text(call, 0));

	/* It was known, and allowed, when it was queued. */
	if (!(command->flags & COMMAND_GATHERS))
		fanout_finish(&call->c->worker->fanout);
	call->command = find_sub(call, command);
	execute(call);
}

void
command_execute(struct client *c)
{
	struct worker *w = c->worker;
	struct call call = {
		.c = c,
		.source = c->parser.source,
		.args = c->parser.args,
		.argc = c->parser.count,
	};
	struct text name = call_text(&call, 0);
	const struct command *command = w->last;

	/* Most ask for the same again. */
	if (command == NULL || !text_is(name, command->name))
		command = command_find(commands, name);
	w->last = command;
	if (command == NULL || !(command->flags & COMMAND_GATHERS))
		fanout_finish(&w->fanout);
	atomic_store_explicit(&c->card.active_ns, w->now_ns,
			      memory_order_relaxed);
	c->skips >>= 1;
	if (c->is_doomed) {
		/* Nothing more. */
	} else if (command != NULL) {
		run(&call, command);
	} else if (text_is(name, "quit")) {
		reply_status(c, "OK");
		c->unread |= UNREAD_ENDING;
	} else if (!is_http(&call, name)) {
		reply_unknown(&call);
		if (c->multi != NULL)
			c->multi->is_bad = true;
	}
	/* What is held is executed later. */
	if (c->unread & UNREAD_HELD)
		c->skips <<= 1;
	else
		count(&w->counters.commands, 1);
	free_scratch(w);
}
