/*
 * command_server.c - COMMAND, and HELP of commands that have subcommands.
 */
#include "../server/reply.h"
#include "../server/worker.h"
#include "command.h"
#include <stdio.h>
#include <string.h>

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

/* Two lines of each subcommand, after one of the command. */
void
command_help(struct call *call)
{
	const char *name = call->command->name;
	const struct command *sub, *subs = command_subs(call->command);
	char upper[32], line[160];

	reply_array(call->c, 1 + 2 * table_len(subs));
	text_upper(upper, sizeof(upper),
		   (struct text){name, strcspn(name, "|")});
	snprintf(line, sizeof(line), "%s <subcommand> [<argument> ...]", upper);
	reply_status(call->c, line);
	for (sub = subs; sub->name != NULL; sub++) {
		const char *own = short_name(sub);

		text_upper(upper, sizeof(upper),
			   (struct text){own, strlen(own)});
		snprintf(line, sizeof(line), "%s%s%s", upper,
			 *sub->usage != '\0' ? " " : "", sub->usage);
		reply_status(call->c, line);
		snprintf(line, sizeof(line), "    %s.", sub->summary);
		reply_status(call->c, line);
	}
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

static void
command_info_of(struct call *call)
{
	if (call->argc == 2) {
		command_list_all(call);
		return;
	}
	reply_array(call->c, call->argc - 2);
	for (size_t i = 2; i < call->argc; i++) {
		const struct command *command =
			command_find(commands, call_text(call, i));

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
		n += command_find(commands, call_text(call, i)) != NULL;
	reply_map(call->c, n);
	for (size_t i = 2; i < call->argc; i++) {
		const struct command *command =
			command_find(commands, call_text(call, i));

		if (command != NULL)
			document(call->c, command);
	}
}

const struct command command_command[] = {
	{"command|count", 2, 0, command_count, NULL,
	 "Tell how many commands there are", ""},
	{"command|docs", -2, 0, command_docs, NULL,
	 "Describe commands for people", "[<command> ...]"},
	{"command|help", 2, 0, command_help, NULL, "Show this", ""},
	{"command|info", -2, 0, command_info_of, NULL,
	 "Describe commands for programs", "[<command> ...]"},
	{"command|list", -2, 0, command_list, NULL, "Name the commands", ""},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
