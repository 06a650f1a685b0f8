/*
 * command_server.c - CONFIG GET and COMMAND.
 */
#include "command.h"
#include "glob.h"
#include "reply.h"
#include "worker.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* CONFIG GET: our options, and what clients ask a Redis for. */

enum { SETTINGS = 12, VALUE_MAX_BYTES = 128 };

struct setting {
	const char *name;
	char value[VALUE_MAX_BYTES];
};

static void
fill_settings(const struct options *o, struct setting *s)
{
	size_t i = 0;

#define SETTING(name_, ...)                                                    \
	do {                                                                   \
		s[i].name = name_;                                             \
		snprintf(s[i++].value, VALUE_MAX_BYTES, __VA_ARGS__);          \
	} while (0)
	SETTING("appendonly", "no");
	SETTING("bind", "%s", o->bind);
	SETTING("client-output-buffer-limit", "normal 0 0 0 pubsub %zu 0 0",
		o->client_output_limit);
	SETTING("databases", "1");
	SETTING("io-threads", "%u", o->threads);
	SETTING("maxmemory", "%zu", o->max_memory);
	SETTING("port", "%s", o->port);
	SETTING("proto-max-bulk-len", "%zu", o->max_bulk);
	SETTING("save", "%s", "");
	SETTING("tcp-keepalive", "300");
	SETTING("timeout", "0");
	SETTING("unixsocket", "%s", o->unix_path != NULL ? o->unix_path : "");
#undef SETTING
}

static bool
is_wanted(struct text pattern, const char *name)
{
	char small[64];

	if (pattern.len > sizeof(small))
		return false;
	for (size_t i = 0; i < pattern.len; i++)
		small[i] = (char)tolower((unsigned char)pattern.bytes[i]);
	return glob_matches(small, pattern.len, name, strlen(name));
}

/*
 * The first word that wants a setting; NULL: none does.  As in Redis, a word
 * that is no pattern is answered as it was written.
 */
static const struct text *
who_wants(struct call *call, const char *name, struct text *word)
{
	for (size_t i = 2; i < call->argc; i++) {
		*word = call_text(call, i);
		if (is_wanted(*word, name)) {
			if (memchr(word->bytes, '*', word->len) != NULL ||
			    memchr(word->bytes, '?', word->len) != NULL ||
			    memchr(word->bytes, '[', word->len) != NULL)
				*word = (struct text){name, strlen(name)};
			return word;
		}
	}
	return NULL;
}

static void
config_get(struct call *call)
{
	struct setting settings[SETTINGS];
	struct text word;
	size_t n = 0;

	fill_settings(&call->c->worker->relay->options, settings);
	for (size_t i = 0; i < SETTINGS; i++)
		n += who_wants(call, settings[i].name, &word) != NULL;
	reply_map(call->c, n);
	for (size_t i = 0; i < SETTINGS; i++) {
		if (who_wants(call, settings[i].name, &word) == NULL)
			continue;
		reply_bulk(call->c, word.bytes, word.len);
		reply_text(call->c, settings[i].value);
	}
}

const struct command command_config[] = {
	{"config|get", -3, 0, config_get, NULL, NULL},
	{NULL, 0, 0, NULL, NULL, NULL},
};

/* COMMAND. */

static const char *
short_name(const struct command *command)
{
	const char *bar = strchr(command->name, '|');

	return bar != NULL ? bar + 1 : command->name;
}

static size_t
table_len(const struct command *table)
{
	size_t n = 0;

	while (table != NULL && table[n].name != NULL)
		n++;
	return n;
}

/* The ten things that COMMAND tells of each; there are no keys. */
static void
describe(struct client *c, const struct command *command)
{
	bool is_pubsub = (command->flags & COMMAND_PUBSUB) != 0;
	bool needs_no_auth = (command->flags & COMMAND_STRANGER) != 0;

	reply_array(c, 10);
	reply_text(c, command->name);
	reply_integer(c, command->arity);
	reply_set(c, (size_t)is_pubsub + needs_no_auth);
	if (is_pubsub)
		reply_status(c, "pubsub");
	if (needs_no_auth)
		reply_status(c, "no_auth");
	for (unsigned i = 0; i < 3; i++)
		reply_integer(c, 0);
	reply_set(c, 1);
	reply_status(c, is_pubsub ? "@pubsub" : "@connection");
	reply_array(c, 0);
	reply_array(c, 0);
	reply_array(c, table_len(command->subs));
	for (size_t i = 0; i < table_len(command->subs); i++)
		describe(c, &command->subs[i]);
}

void
command_list_all(struct call *call)
{
	reply_array(call->c, table_len(commands));
	for (size_t i = 0; i < table_len(commands); i++)
		describe(call->c, &commands[i]);
}

static const struct command *
find(struct text name)
{
	for (size_t i = 0; i < table_len(commands); i++)
		if (text_is(name, commands[i].name))
			return &commands[i];
	return NULL;
}

static void
command_info_of(struct call *call)
{
	if (call->argc == 2) {
		command_list_all(call);
		return;
	}
	reply_array(call->c, call->argc - 2);
	for (size_t i = 2; i < call->argc; i++) {
		const struct command *command = find(call_text(call, i));

		if (command != NULL)
			describe(call->c, command);
		else
			reply_null(call->c);
	}
}

static void
command_count(struct call *call)
{
	reply_integer(call->c, (long long)table_len(commands));
}

static void
command_list(struct call *call)
{
	if (call->argc != 2) {
		reply_error(call->c, "ERR syntax error");
		return;
	}
	reply_array(call->c, table_len(commands));
	for (size_t i = 0; i < table_len(commands); i++)
		reply_text(call->c, commands[i].name);
}

static void
document(struct client *c, const struct command *command)
{
	reply_text(c, short_name(command));
	reply_map(c, 3);
	reply_text(c, "summary");
	reply_text(c, command->summary);
	reply_text(c, "since");
	reply_text(c, "1.0.0");
	reply_text(c, "group");
	reply_text(c,
		   command->flags & COMMAND_PUBSUB ? "pubsub" : "connection");
}

static void
command_docs(struct call *call)
{
	size_t n = 0;

	if (call->argc == 2) {
		reply_map(call->c, table_len(commands));
		for (size_t i = 0; i < table_len(commands); i++)
			document(call->c, &commands[i]);
		return;
	}
	/* Those that there are not are left out. */
	for (size_t i = 2; i < call->argc; i++)
		n += find(call_text(call, i)) != NULL;
	reply_map(call->c, n);
	for (size_t i = 2; i < call->argc; i++) {
		const struct command *command = find(call_text(call, i));

		if (command != NULL)
			document(call->c, command);
	}
}

const struct command command_command[] = {
	{"command|count", 2, 0, command_count, NULL, NULL},
	{"command|docs", -2, 0, command_docs, NULL, NULL},
	{"command|info", -2, 0, command_info_of, NULL, NULL},
	{"command|list", -2, 0, command_list, NULL, NULL},
	{NULL, 0, 0, NULL, NULL, NULL},
};
