/*
 * command_help.c - HELP of commands that have subcommands.
 */
#include "../server/reply.h"
#include "command.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void
print_upper(char *to, size_t size, const char *from, size_t len)
{
	size_t i;

	for (i = 0; i < len && i + 1 < size; i++)
		to[i] = (char)toupper((unsigned char)from[i]);
	to[i] = '\0';
}

/* Two lines of each subcommand, after one of the command. */
void
command_help(struct call *call)
{
	const char *name = call->command->name;
	const struct command *sub, *subs = command_subs(call->command);
	char upper[32], line[160];
	size_t n = 0;

	for (sub = subs; sub->name != NULL; sub++)
		n++;
	reply_array(call->c, 1 + 2 * n);
	print_upper(upper, sizeof(upper), name, strcspn(name, "|"));
	snprintf(line, sizeof(line), "%s <subcommand> [<argument> ...]", upper);
	reply_status(call->c, line);
	for (sub = subs; sub->name != NULL; sub++) {
		const char *own = strchr(sub->name, '|') + 1;

		print_upper(upper, sizeof(upper), own, strlen(own));
		snprintf(line, sizeof(line), "%s%s%s", upper,
			 *sub->usage != '\0' ? " " : "", sub->usage);
		reply_status(call->c, line);
		snprintf(line, sizeof(line), "    %s.", sub->summary);
		reply_status(call->c, line);
	}
}
