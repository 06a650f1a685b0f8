/*
 * command_connection.c - PING, ECHO, HELLO, AUTH, SELECT, RESET.
 */
#include "../base/log.h"
#include "../server/multi.h"
#include "../server/reply.h"
#include "../server/worker.h"
#include "command.h"
#include <string.h>

void
command_ping(struct call *call)
{
	struct client *c = call->c;

	if (call->argc > 2) {
		call_wrong_arity(call);
		return;
	}
	if (c->sub.resp == 2 && client_subscriptions(c) > 0) {
		reply_array(c, 2);
		reply_text(c, "pong");
		if (call->argc == 1)
			reply_text(c, "");
	} else if (call->argc == 1) {
		reply_status(c, "PONG");
	}
	if (call->argc == 2)
		command_echo(call);
}

/* The argument is a bulk string already. */
void
command_echo(struct call *call)
{
	struct ibuf_mbuf *m = call_slice(call, 1, 2);

	if (m != NULL)
		reply_message(call->c, m);
}

/* Publish and subscribe do not care. */
void
command_select(struct call *call)
{
	enum { DATABASES = 16 };
	long long number;

	if (!text_number(call_text(call, 1), &number))
		reply_error(call->c,
			    "ERR value is not an integer or out of range");
	else if (number < 0 || number >= DATABASES)
		reply_error(call->c, "ERR DB index is out of range");
	else
		reply_status(call->c, "OK");
}

/* false: it has been told that this is not the password. */
static bool
log_in(struct call *call, struct text user, struct text password)
{
	struct settings *s = &call->c->worker->relay->settings;
	struct client *c = call->c;

	/* As a default user without a password takes any. */
	if ((user.len == 7 && memcmp(user.bytes, "default", 7) == 0) &&
	    settings_is_password(s, password.bytes, password.len)) {
		c->is_trusted = true;
		c->parser.is_trusted = true;
		return true;
	}
	client_slow(c);
	reply_error(c, "WRONGPASS invalid username-password pair or user is "
		       "disabled.");
	return false;
}

void
command_auth(struct call *call)
{
	struct text user = {"default", 7};

	if (call->argc > 3) {
		reply_error(call->c, "ERR syntax error");
		return;
	}
	if (call->argc == 3)
		user = call_text(call, 1);
	else if (!settings_has_password(&call->c->worker->relay->settings)) {
		reply_error(call->c,
			    "ERR AUTH <password> called without any password "
			    "configured for the default user. Are you sure "
			    "your configuration is correct?");
		return;
	}
	if (log_in(call, user, call_text(call, call->argc - 1)))
		reply_status(call->c, "OK");
}

static void
describe(struct client *c)
{
	reply_map(c, 7);
	reply_text(c, "server");
	reply_text(c, "redis");
	reply_text(c, "version");
	reply_text(c, RELAY_REDIS_VERSION);
	reply_text(c, "proto");
	reply_integer(c, c->sub.resp);
	reply_text(c, "id");
	reply_integer(c, (long long)c->card.id);
	reply_text(c, "mode");
	reply_text(c, "standalone");
	reply_text(c, "role");
	reply_text(c, "master");
	reply_text(c, "modules");
	reply_array(c, 0);
}

/* A relay says its name: is this one among those that lead to it? */
static bool
is_loop(struct call *call, struct text name)
{
	struct relay *r = call->c->worker->relay;
	const size_t n = strlen(RELAY_NAME);

	if (name.len < n || memcmp(name.bytes, RELAY_NAME, n) != 0 ||
	    r->upstream_queue == NULL)
		return false;
	if (memmem(name.bytes, name.len, r->id, strlen(r->id)) == NULL)
		return false;
	log_warning("client %llu at %s is refused: a loop of relays, its "
		    "messages came from here",
		    (unsigned long long)call->c->card.id, call->c->card.addr);
	reply_error(call->c, "LOOP this is a loop of relays: the upstream "
			     "leads back to the relay itself");
	return true;
}

static void
set_name(struct client *c, struct text name)
{
	struct relay *r = c->worker->relay;
	const char *old = c->card.name;
	bool is_same = old != NULL && strlen(old) == name.len &&
		       memcmp(old, name.bytes, name.len) == 0;

	if (is_same)
		return;
	registry_set(&r->registry, &c->card.name, name.bytes, name.len);
	/* It may be a relay: then our name upstream is another now. */
	if (r->upstream_queue != NULL)
		post_say(r->upstream_queue, WORD_RELAYS);
}

void
command_hello(struct call *call)
{
	struct client *c = call->c;
	struct text name = {NULL, 0};
	long long version = c->sub.resp;
	size_t i = 2;

	if (call->argc > 1 && !text_number(call_text(call, 1), &version)) {
		reply_error(c, "ERR Protocol version is not an integer or out "
			       "of range");
		return;
	}
	if (version != 2 && version != 3) {
		reply_error(c, "NOPROTO unsupported protocol version");
		return;
	}
	while (i < call->argc) {
		struct text option = call_text(call, i);
		size_t more = call->argc - 1 - i;

		if (text_is(option, "auth") && more >= 2) {
			if (!log_in(call, call_text(call, i + 1),
				    call_text(call, i + 2)))
				return;
			i += 3;
		} else if (text_is(option, "setname") && more >= 1) {
			name = call_text(call, i + 1);
			if (!call_is_name(call, name))
				return;
			i += 2;
		} else {
			reply_error(c,
				    "ERR Syntax error in HELLO option '%.*s'",
				    (int)strnlen(option.bytes,
						 option.len < 512 ? option.len
								  : 512),
				    option.bytes);
			return;
		}
	}
	if (!c->is_trusted) {
		reply_error(
			c,
			"NOAUTH HELLO must be called with the client already "
			"authenticated, otherwise the HELLO AUTH <user> <pass> "
			"option can be used to authenticate the client and "
			"select the RESP protocol version at the same time");
		return;
	}
	if (name.bytes != NULL && is_loop(call, name))
		return;
	if (name.bytes != NULL)
		set_name(c, name);
	fanout_speak(&c->worker->fanout, &c->sub, (unsigned)version);
	atomic_store(&c->card.resp, c->sub.resp);
	describe(c);
}

void
command_reset(struct call *call)
{
	struct client *c = call->c;
	struct relay *r = c->worker->relay;

	for (unsigned kind = 0; kind < KINDS; kind++)
		client_leave_all(c, kind);
	multi_free(c);
	c->is_silent = false;
	fanout_speak(&c->worker->fanout, &c->sub, 2);
	atomic_store(&c->card.resp, 2);
	c->is_trusted = !settings_has_password(&r->settings);
	c->parser.is_trusted = c->is_trusted;
	registry_set(&r->registry, &c->card.name, NULL, 0);
	reply_status(c, "RESET");
}
