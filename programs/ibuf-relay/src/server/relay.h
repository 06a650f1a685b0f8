/*
 * relay.h - what all threads of the program share.
 *
 *	main: accepts --- POST_CLIENT --> worker: its clients, one epoll loop
 *	                                  worker <-- POST_PUBLISH --> worker
 *
 * Everything here is set before the workers start and stays, or says itself
 * how threads share it.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "../base/post.h"
#include "../config/options.h"
#include "../config/settings.h"
#include "../fanout/directory.h"
#include "doors.h"
#include "registry.h"
#include <ibuf/ibuf.h>
#include <stdatomic.h>
#include <stdint.h>

/* The version of Redis that clients are told to expect. */
#define RELAY_REDIS_VERSION "7.0.15"

/* Of an answer or of what goes before a message. */
enum { RELAY_REPLY_BYTES = 512 };

struct client;

struct relay {
	struct options options;
	char id[41]; /* drawn at the start: no other relay has it */
	struct settings settings;  /* what of them may change */
	struct ibuf_pool *rooms;   /* what is read, or joined */
	struct ibuf_pool *replies; /* small pieces of what is written */
	struct directory *directory;
	struct registry registry;
	struct doors doors;
	struct worker **workers;           /* options.threads of them */
	struct upstream *upstream;         /* NULL: none, we are the server */
	struct post_queue *upstream_queue; /* of its thread; NULL: none */
	/* Executes the request that the parser of a client has. */
	void (*execute)(struct client *c);
	uint64_t started_ns; /* monotonic */
	atomic_uint reading; /* threads that may still publish */
	atomic_ullong accept_pauses, rejected;
	atomic_ullong held;     /* publishers that wait, see congestion.h */
	atomic_size_t accepted; /* clients, those in queues too */
};

/*
 * A chain of upstreams that leads back to a relay would send each message
 * round for ever.  So a relay's name upstream is its id, and those of all
 * relays that are its clients, directly or not; who is told a name with its
 * own id refuses that client.
 */
#define RELAY_NAME "ibuf-relay:"

/* The name; in registry.c's lock. */
void relay_path(struct relay *r, char *name, size_t size);

/* Say words to all workers, and to the upstream's thread. */
void relay_say_all(struct relay *r, unsigned words);

#endif
