/*
 * slots.h - which server a name belongs to.
 *
 *	channel, pattern --------------------------> the main link
 *	shard channel --CRC16 of the name, mod 16384--> the owner of the slot
 *
 * Outside a cluster everything belongs to the main link.  In one, the owners
 * are read by CLUSTER SLOTS from the main link, which may be any node: plain
 * channels and patterns work at each.  The map is read again when a node is
 * lost, sends us elsewhere, or ends a subscription by itself.
 *
 * All functions are for the upstream's thread.
 */
#ifndef RELAY_SLOTS_H
#define RELAY_SLOTS_H

#include "../base/kind.h"
#include "link.h"
#include <stdbool.h>
#include <stddef.h>

enum { SLOTS = 16384 };

/* What the upstream is; UNKNOWN until its first HELLO. */
enum mode { MODE_UNKNOWN, MODE_STANDALONE, MODE_CLUSTER };

struct slots {
	enum mode mode;
	struct link *owner[SLOTS]; /* NULL: nobody that is known */
	bool is_known;             /* read since the main link came up */
	bool is_due;               /* asked, not answered */
	uint64_t ask_ns;           /* when to ask again; UINT64_MAX: never */
};

void slots_init(struct slots *s);

/* Of a shard channel, as Redis Cluster makes it of a key. */
unsigned slots_of(const char *name, size_t len);

/* The link a name belongs to; NULL: not known now. */
struct link *slots_link(struct upstream *u, enum kind kind, const char *name,
			size_t len);

/* The map is old: read it again soon. */
void slots_doubt(struct upstream *u);

/* Ask for the map if it is time to; tell when to look again. */
uint64_t slots_tick(struct upstream *u);

/* The answer to CLUSTER SLOTS is in the link's parser. */
void slots_heard(struct upstream *u, struct link *l);

/* "MOVED 1234 host:port": note it.  false: it is none that we understand. */
bool slots_moved(struct upstream *u, const struct link *l, const char *error);

#endif
