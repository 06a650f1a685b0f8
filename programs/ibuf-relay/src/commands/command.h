/*
 * command.h - what clients can ask for: the table, and what must hold before
 * a command runs.  The order of the checks, and their words, are those of
 * Redis 7: unknown, arity, password, subscribed.
 */
#ifndef RELAY_COMMAND_H
#define RELAY_COMMAND_H

#include "../protocol/resp.h"
#include "../server/client.h"
#include <stdbool.h>
#include <stddef.h>

/* One request. */
struct call {
	struct client *c;
	const struct command *command;
	const struct ibuf_mbuf *source;
	const struct resp_arg *args;
	size_t argc;
	bool is_queued; /* since MULTI: it cannot wait */
};

typedef void command_fn(struct call *call);

enum {
	COMMAND_STRANGER = 1,   /* also before the password */
	COMMAND_SUBSCRIBED = 2, /* also for a RESP2 client that subscribed */
	COMMAND_PUBSUB = 4,
	COMMAND_GATHERS = 8,  /* shows and changes nothing of who gets what */
	COMMAND_AT_ONCE = 16, /* also after MULTI */
	COMMAND_PATTERN = 32, /* of patterns; else of channels */
	COMMAND_SHARD = 64    /* of shard channels */
};

struct command {
	const char *name; /* of a subcommand "client|id" */
	int arity;        /* words; negative: that many or more */
	unsigned flags;
	command_fn *run;
	const struct command *subs; /* ends with a name of NULL */
	const char *summary;        /* for people, COMMAND DOCS, HELP */
	const char *usage;          /* of a subcommand: what follows it */
};

/* The text of an argument. */
struct text {
	const char *bytes; /* not ended by a zero */
	size_t len;
};

/* Ends with a name of NULL. */
extern const struct command commands[];
extern const struct command command_client[], command_cluster[],
	command_command[], command_config[], command_latency[],
	command_pubsub[], command_slowlog[];

/* One of a table.  NULL: there is no such. */
const struct command *command_find(const struct command *table,
				   struct text name);

/* The subcommands that this one is among. */
const struct command *command_subs(const struct command *sub);

/* Execute the request that the client's parser has. */
void command_execute(struct client *c);

/* Execute one that was queued. */
void command_run(struct call *call);

/* The bytes of an argument. */
/* Is it a command of Redis that we have not, and has it so many words?  Its
   name in small letters then. */
enum command_known { COMMAND_UNKNOWN, COMMAND_KNOWN, COMMAND_WRONG_ARITY };
enum command_known command_known(struct text name, size_t argc, char *lower,
				 size_t size);

/*
 * An argument in one piece, valid until the command ends.  Without memory
 * the client is doomed and the argument is empty.
 */
struct text call_text(struct call *call, size_t i);

/* Arguments i to the one before `end` as bulk strings, just as they came,
   sharing them.  NULL: no memory, and the client is doomed. */
struct ibuf_mbuf *call_slice(struct call *call, size_t i, size_t end);

/* Is it this word, in capitals or not? */
bool text_is(struct text t, const char *word);

/* Its first bytes in capitals, ended by a zero. */
void text_upper(char *to, size_t size, struct text t);

/* A number as Redis takes it. */
bool text_number(struct text t, long long *number);

/* "wrong number of arguments"; "unknown subcommand or wrong number". */
void call_wrong_arity(struct call *call);
void call_wrong_subcommand(struct call *call);

/* May a client be called so?  false: it has been told that it may not. */
bool call_is_name(struct call *call, struct text name);

/* The handlers, by file. */
command_fn command_ping, command_echo, command_hello, command_auth,
	command_select, command_reset; /* command_connection.c */
command_fn command_info;               /* command_info.c */
command_fn command_multi, command_exec, command_discard, command_watch,
	command_unwatch; /* command_multi.c */
command_fn command_role, command_dbsize, command_wait, command_time, command_ok,
	command_eval;                      /* command_small.c */
command_fn command_list_all, command_help; /* command_server.c */
command_fn command_subscribe, command_unsubscribe,
	command_publish; /* command_pubsub.c */

#endif
