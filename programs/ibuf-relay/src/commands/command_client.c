/*
 * command_client.c - CLIENT, but for KILL.
 */
#include "command_client.h"
#include "../server/reply.h"
#include "../server/worker.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct registry *
registry_of(const struct call *call)
{
	return &call->c->worker->relay->registry;
}

/* No blanks, nothing that does not print. */
static bool
is_word(struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (t.bytes[i] < '!' || t.bytes[i] > '~')
			return false;
	return true;
}

bool
call_is_name(struct call *call, struct text name)
{
	if (is_word(name))
		return true;
	reply_error(call->c, "ERR Client names cannot contain spaces, newlines "
			     "or special characters.");
	return false;
}

static void
client_id(struct call *call)
{
	reply_integer(call->c, (long long)call->c->card.id);
}

static void
set(struct call *call, char **to, struct text value)
{
	if (registry_set(registry_of(call), to, value.bytes, value.len))
		reply_status(call->c, "OK");
	else
		reply_error(call->c, "ERR out of memory");
}

static void
client_setname(struct call *call)
{
	struct text name = call_text(call, 2);

	if (call_is_name(call, name))
		set(call, &call->c->card.name, name);
}

/* Only this thread changes the name. */
static void
client_getname(struct call *call)
{
	const char *name = call->c->card.name;

	if (name == NULL)
		reply_null(call->c);
	else
		reply_text(call->c, name);
}

static void
client_setinfo(struct call *call)
{
	struct text option = call_text(call, 2), value = call_text(call, 3);
	struct client *c = call->c;

	if (!text_is(option, "lib-name") && !text_is(option, "lib-ver"))
		reply_error(c, "ERR Unrecognized option '%.*s'",
			    option.len < 128 ? (int)option.len : 128,
			    option.bytes);
	else if (!is_word(value))
		reply_error(c,
			    "ERR %s cannot contain spaces, newlines or "
			    "special characters.",
			    text_is(option, "lib-name") ? "lib-name"
							: "lib-ver");
	else
		set(call,
		    text_is(option, "lib-name") ? &c->card.lib_name
						: &c->card.lib_ver,
		    value);
}

static bool
is_pubsub(struct card *card)
{
	size_t n = 0;

	for (unsigned kind = 0; kind < KINDS; kind++)
		n += atomic_load(&card->counts[kind]);
	return n > 0;
}

/* Letters of Redis: subscribed, blocked, or neither. */
static const char *
flags(struct card *card)
{
	if (atomic_load(&card->is_held))
		return is_pubsub(card) ? "Pb" : "b";
	return is_pubsub(card) ? "P" : "N";
}

/* The registry is locked. */
static int
print_card(struct ibuf_mbuf *to, struct card *card, uint64_t now_ns)
{
	const char *command = atomic_load(&card->command);
	uint64_t active_ns = atomic_load(&card->active_ns);
	size_t output = atomic_load(&card->output);
	const uint64_t second = 1000000000;

	/* Another thread's turn may have begun after ours. */
	if (active_ns > now_ns)
		active_ns = now_ns;
	if (card->created_ns > now_ns)
		now_ns = card->created_ns;
	return ibuf_mbuf_printf(
		to,
		"id=%llu addr=%s laddr=%s fd=%d name=%s age=%llu idle=%llu "
		"flags=%s db=0 sub=%zu psub=%zu ssub=%zu multi=-1 qbuf=%zu "
		"qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=%d "
		"omem=%zu tot-mem=%zu events=r cmd=%s user=default redir=-1 "
		"resp=%u lib-name=%s lib-ver=%s worker=%u dropped=%llu\n",
		(unsigned long long)card->id, card->addr, card->laddr, card->fd,
		card->name != NULL ? card->name : "",
		(unsigned long long)((now_ns - card->created_ns) / second),
		(unsigned long long)((now_ns - active_ns) / second),
		flags(card), atomic_load(&card->counts[KIND_CHANNEL]),
		atomic_load(&card->counts[KIND_PATTERN]),
		atomic_load(&card->counts[KIND_SHARD]),
		atomic_load(&card->input), output > 0, output,
		sizeof(struct client) + output + atomic_load(&card->input),
		command != NULL ? command : "NULL", atomic_load(&card->resp),
		card->lib_name != NULL ? card->lib_name : "",
		card->lib_ver != NULL ? card->lib_ver : "", card->worker->index,
		atomic_load(&card->dropped));
}

bool
client_parse_type(struct call *call, struct text t, const char **type)
{
	static const char *const types[] = {"normal", "pubsub", "master",
					    "replica", "slave"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (text_is(t, types[i])) {
			*type = types[i];
			return true;
		}
	}
	reply_error(call->c, "ERR Unknown client type '%.*s'",
		    (int)strnlen(t.bytes, t.len < 128 ? t.len : 128), t.bytes);
	return false;
}

bool
client_is_type(struct card *card, const char *type)
{
	return strcmp(type, is_pubsub(card) ? "pubsub" : "normal") == 0;
}

static bool
is_listed(struct card *card, const char *type, const long long *ids, size_t n)
{
	if (type != NULL)
		return client_is_type(card, type);
	for (size_t i = 0; i < n; i++)
		if ((uint64_t)ids[i] == card->id)
			return true;
	return n == 0;
}

static void
print_list(struct call *call, const char *type, const long long *ids, size_t n)
{
	struct registry *r = registry_of(call);
	uint64_t now_ns = call->c->worker->now_ns;
	struct ibuf_mbuf *text = ibuf_mbuf_new(0);
	struct card *card;
	bool is_good = text != NULL;

	pthread_mutex_lock(&r->lock);
	for (card = r->first; card != NULL && is_good; card = card->next)
		if (is_listed(card, type, ids, n))
			is_good = print_card(text, card, now_ns) == 0;
	pthread_mutex_unlock(&r->lock);
	reply_verbatim(call->c, text, is_good);
}

static void
client_list(struct call *call)
{
	const char *type = NULL;
	long long *ids = NULL;
	size_t n = 0;

	if (call->argc == 4 && text_is(call_text(call, 2), "type")) {
		if (!client_parse_type(call, call_text(call, 3), &type))
			return;
	} else if (call->argc > 3 && text_is(call_text(call, 2), "id")) {
		n = call->argc - 3;
		ids = calloc(n, sizeof(*ids));
		for (size_t i = 0; i < n; i++) {
			if (ids != NULL &&
			    text_number(call_text(call, i + 3), &ids[i]))
				continue;
			reply_error(call->c, "ERR Invalid client ID");
			free(ids);
			return;
		}
	} else if (call->argc != 2) {
		reply_error(call->c, "ERR syntax error");
		return;
	}
	print_list(call, type, ids, n);
	free(ids);
}

static void
client_info(struct call *call)
{
	long long id = (long long)call->c->card.id;

	print_list(call, NULL, &id, 1);
}

/* What it is answered is left out, of all it says from now on, or of what it
   says next; what it has subscribed to comes all the same. */
static void
client_reply(struct call *call)
{
	struct text how = call_text(call, 2);
	struct client *c = call->c;

	if (text_is(how, "on")) {
		c->is_silent = false;
		c->skips = 0;
		reply_status(c, "OK");
	} else if (text_is(how, "off")) {
		c->is_silent = true;
	} else if (text_is(how, "skip")) {
		if (!c->is_silent)
			c->skips = 2;
	} else {
		reply_error(c, "ERR syntax error");
	}
}

/* Evicting is for those who hold most. */
static void
client_on_off(struct call *call)
{
	struct text how = call_text(call, 2);

	if (text_is(how, "on") || text_is(how, "off"))
		reply_status(call->c, "OK");
	else
		reply_error(call->c, "ERR syntax error");
}

const struct command command_client[] = {
	{"client|getname", 2, 0, client_getname, NULL,
	 "Tell the name of this connection", ""},
	{"client|help", 2, 0, command_help, NULL, "Show this", ""},
	{"client|id", 2, 0, client_id, NULL,
	 "Tell the number of this connection", ""},
	{"client|info", 2, 0, client_info, NULL, "Describe this connection",
	 ""},
	{"client|kill", -3, 0, client_kill, NULL,
	 "Close the connections to which all of this applies",
	 "<ip:port> | [ID <id>] [ADDR <ip:port>] [LADDR <ip:port>] "
	 "[TYPE normal|pubsub] [USER default] [SKIPME yes|no]"},
	{"client|list", -2, 0, client_list, NULL,
	 "Describe connections, one in a line",
	 "[TYPE normal|pubsub | ID <id> ...]"},
	{"client|no-evict", 3, 0, client_on_off, NULL, "Do nothing", "ON|OFF"},
	{"client|no-touch", 3, 0, client_on_off, NULL, "Do nothing", "ON|OFF"},
	{"client|reply", 3, 0, client_reply, NULL,
	 "Leave answers out, all or the next", "ON|OFF|SKIP"},
	{"client|setinfo", 4, 0, client_setinfo, NULL,
	 "Say which library speaks on this connection",
	 "LIB-NAME|LIB-VER <value>"},
	{"client|setname", 3, 0, client_setname, NULL,
	 "Give this connection a name", "<name>"},
	{NULL, 0, 0, NULL, NULL, NULL, NULL},
};
