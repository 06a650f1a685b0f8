/*
 * stretch.h - what of a client's output lies in a pipe as well.
 *
 *	sent | out: ... answers | message       | message | ...
 *	^                         ^ stretch of    ^ none: it was small
 *	client.sent               one load
 *
 * A stretch has its place in all that the client is ever sent, counted in
 * bytes from the beginning, so it stays right whatever is put behind it.
 * All functions are for the client's worker.
 */
#ifndef RELAY_STRETCH_H
#define RELAY_STRETCH_H

#include <stddef.h>
#include <stdint.h>

struct client;
struct load;

struct stretch {
	struct stretch *next; /* of the client; further behind */
	uint64_t begin;
	struct load *load;
	uint64_t serial; /* of the load; else it holds another message now */
};

/* What is put behind all the client is told next is in this load. */
void stretch_add(struct client *c, struct load *load);

/* The first that is not sent in full; NULL: there is none. */
const struct stretch *stretch_first(struct client *c);

/* The client goes, or is to be sent everything from its rooms. */
void stretch_forget(struct client *c);

#endif
