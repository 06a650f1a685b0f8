/*
 * hold.h - places in what a client is told that are still empty: the answer
 * must come from the upstream first.
 *
 * A hold belongs to the post that travels to the upstream and back, and
 * outlives its client.  All functions are for the client's worker.
 */
#ifndef RELAY_HOLD_H
#define RELAY_HOLD_H

#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

struct client;
struct frame;
struct worker;

struct hold {
	struct hold *next, *prev; /* of the client; utlist */
	struct client *client;    /* NULL: gone */
	struct worker *worker;    /* of the client; for any thread */
	struct frame *place;      /* in its output */
	size_t request_bytes;     /* that wait with it */
	bool needs_answer;        /* else what is behind it is the answer */
};

/* Leave a place behind all that the client is told.  NULL: no memory. */
struct hold *hold_new(struct client *c, size_t request_bytes,
		      bool needs_answer);

/* The answer is there, or NULL where none is needed or there is no memory.
   The hold is gone then. */
void hold_fill(struct hold *h, struct ibuf_mbuf *answer);

/* The client goes; its holds, which are still under way, do not know it. */
void hold_forget(struct client *c);

#endif
