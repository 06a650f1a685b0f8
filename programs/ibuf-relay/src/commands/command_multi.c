/*
 * command_multi.c - MULTI, EXEC, DISCARD, and the keys nobody watches.
 *
 * What is queued is executed at once and in one piece: its messages are
 * published one after the other, with none of others between those to one
 * channel.  It never waits for slow subscribers or memory, as it could not
 * be executed in part.
 */
#include "../server/multi.h"
#include "../server/reply.h"
#include "../server/worker.h"
#include "command.h"

void
command_multi(struct call *call)
{
	if (call->c->multi != NULL)
		reply_error(call->c, "ERR MULTI calls can not be nested");
	else if (multi_begin(call->c))
		reply_status(call->c, "OK");
	else
		reply_error(call->c, "ERR out of memory");
}

void
command_discard(struct call *call)
{
	if (call->c->multi == NULL) {
		reply_error(call->c, "ERR DISCARD without MULTI");
		return;
	}
	multi_free(call->c);
	reply_status(call->c, "OK");
}

void
command_exec(struct call *call)
{
	struct client *c = call->c;
	struct multi *multi = c->multi;

	if (multi == NULL) {
		reply_error(c, "ERR EXEC without MULTI");
		return;
	}
	if (multi->is_bad) {
		multi_free(c);
		reply_error(c, "EXECABORT Transaction discarded because of "
			       "previous errors.");
		return;
	}
	/* It is not the client's any more, or its requests would be queued. */
	c->multi = NULL;
	reply_array(c, multi->count);
	for (struct queued *q = multi->first; q != NULL; q = q->next) {
		struct call queued = {
			.c = c,
			.source = q->m,
			.args = q->args,
			.argc = q->argc,
			.is_queued = true,
		};

		if (!c->is_doomed)
			command_run(&queued);
	}
	c->multi = multi;
	multi_free(c);
}

void
command_watch(struct call *call)
{
	if (call->c->multi != NULL)
		reply_error(call->c, "ERR WATCH inside MULTI is not allowed");
	else
		reply_status(call->c, "OK");
}

void
command_unwatch(struct call *call)
{
	reply_status(call->c, "OK");
}
