/*
 * command_kill.c - CLIENT KILL.
 */
#include "../server/reply.h"
#include "../server/worker.h"
#include "command_client.h"
#include <string.h>

/* Who is to be killed: all that is set must agree. */
struct victim {
	long long id; /* 0: any */
	struct text addr, laddr;
	const char *type;
	bool spares_me;
};

static bool
is_same(struct text t, const char *text)
{
	return t.bytes == NULL ||
	       (strlen(text) == t.len && memcmp(t.bytes, text, t.len) == 0);
}

static bool
is_victim(struct call *call, const struct victim *v, struct card *card)
{
	return (v->id == 0 || (uint64_t)v->id == card->id) &&
	       is_same(v->addr, card->addr) && is_same(v->laddr, card->laddr) &&
	       (v->type == NULL || client_is_type(card, v->type)) &&
	       !(v->spares_me && card == &call->c->card) &&
	       !atomic_load(&card->is_killed);
}

static size_t
kill_all(struct call *call, const struct victim *v)
{
	struct relay *relay = call->c->worker->relay;
	struct registry *r = &relay->registry;
	uint64_t workers = 0; /* a bit for each that has one */
	size_t killed = 0;

	pthread_mutex_lock(&r->lock);
	for (struct card *card = r->first; card != NULL; card = card->next) {
		if (!is_victim(call, v, card))
			continue;
		killed++;
		/* Who kills itself is told so first. */
		if (card == &call->c->card) {
			call->c->unread |= UNREAD_ENDING;
			continue;
		}
		atomic_store(&card->is_killed, true);
		workers |= UINT64_C(1) << card->worker->index;
	}
	pthread_mutex_unlock(&r->lock);
	for (unsigned i = 0; i < relay->options.threads; i++)
		if (workers >> i & 1)
			post_say(&relay->workers[i]->queue, WORD_KILL);
	return killed;
}

/* One option and its value.  false: it has been told what is wrong. */
static bool
parse_victim(struct call *call, struct victim *v, struct text option,
	     struct text value)
{
	if (text_is(option, "id")) {
		if (text_number(value, &v->id) && v->id > 0)
			return true;
		reply_error(call->c, "ERR client-id should be greater than 0");
		return false;
	}
	if (text_is(option, "type"))
		return client_parse_type(call, value, &v->type);
	if (text_is(option, "addr")) {
		v->addr = value;
	} else if (text_is(option, "laddr")) {
		v->laddr = value;
	} else if (text_is(option, "user")) {
		if (value.len == 7 && memcmp(value.bytes, "default", 7) == 0)
			return true;
		reply_error(call->c, "ERR No such user '%.*s'",
			    value.len < 128 ? (int)value.len : 128,
			    value.bytes);
		return false;
	} else if (text_is(option, "skipme") &&
		   (text_is(value, "yes") || text_is(value, "no"))) {
		v->spares_me = text_is(value, "yes");
	} else {
		reply_error(call->c, "ERR syntax error");
		return false;
	}
	return true;
}

void
client_kill(struct call *call)
{
	struct victim v = {.spares_me = call->argc > 3};

	if (call->argc == 3) {
		v.addr = call_text(call, 2);
		if (kill_all(call, &v) > 0)
			reply_status(call->c, "OK");
		else
			reply_error(call->c, "ERR No such client");
		return;
	}
	for (size_t i = 2; i < call->argc; i += 2) {
		if (i + 1 == call->argc) {
			reply_error(call->c, "ERR syntax error");
			return;
		}
		if (!parse_victim(call, &v, call_text(call, i),
				  call_text(call, i + 1)))
			return;
	}
	reply_integer(call->c, (long long)kill_all(call, &v));
}
