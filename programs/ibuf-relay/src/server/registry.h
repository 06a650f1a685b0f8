/*
 * registry.h - the clients of all workers, for CLIENT LIST and CLIENT KILL.
 *
 * A client is in it from its first byte to its end.  The lock guards the list
 * and the texts of a card; the numbers are atomic and written by the client's
 * worker alone.
 */
#ifndef RELAY_REGISTRY_H
#define RELAY_REGISTRY_H

#include "../base/kind.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker;

/* What others may see of a client. */
struct card {
	struct card *next, *prev; /* utlist */
	uint64_t id;
	struct worker *worker;
	int fd;
	char addr[128], laddr[128];
	uint64_t created_ns;

	char *name, *lib_name, *lib_ver; /* the lock guards them; NULL: none */

	atomic_ullong active_ns; /* its last request */
	atomic_size_t counts[KINDS];
	atomic_size_t input, output; /* bytes that wait */
	atomic_ullong dropped;
	atomic_uint resp;
	_Atomic(const char *) command; /* a constant; NULL: none yet */
	atomic_bool is_killed;
	atomic_bool is_held; /* waits for a slow subscriber */
};

struct registry {
	pthread_mutex_t lock;
	struct card *first; /* by id */
	uint64_t last_id;
	size_t count;
};

void registry_init(struct registry *r);
void registry_destroy(struct registry *r);

/* Gives the card its id. */
void registry_add(struct registry *r, struct card *card);

/* Frees its texts. */
void registry_remove(struct registry *r, struct card *card);

/* Set one of its texts; n 0: none.  false: no memory, nothing has changed. */
bool registry_set(struct registry *r, char **text, const char *bytes, size_t n);

size_t registry_count(struct registry *r);

#endif
