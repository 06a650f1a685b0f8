/*
 * hold.h - places in what a client is told that are still empty: the answer
 * must come from the upstream first.
 *
 *	out | hold 1: answer, behind | hold 2: answer, behind | ...
 *	 ^             ^ still to come
 *	 is sent
 *
 * What the client is told meanwhile goes behind the last hold, so all comes
 * in order, and a hold goes away when it is filled and the first.
 *
 * A hold that is not filled belongs to the post that travels to the upstream
 * and back, and outlives its client; a filled one belongs to the client.
 * All functions are for the client's worker.
 */
#ifndef RELAY_HOLD_H
#define RELAY_HOLD_H

#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

struct client;
struct worker;

struct hold {
	struct hold *next;     /* of the client */
	struct client *client; /* NULL: gone */
	struct worker *worker; /* of the client; for any thread */
	struct ibuf_mbuf *answer;
	struct ibuf_mbuf *behind;
	size_t request_bytes; /* that wait with it */
	bool needs_answer;    /* else what is behind it is the answer */
	bool is_filled;
};

/* Leave a place behind all that the client is told.  NULL: no memory. */
struct hold *hold_new(struct client *c, size_t request_bytes,
		      bool needs_answer);

/*
 * The answer is there, or NULL where none is needed or there is no memory.
 * The hold is the client's then, or gone with it.
 */
void hold_fill(struct hold *h, struct ibuf_mbuf *answer);

/* The client goes; holds that are still under way do not know it then. */
void hold_forget(struct client *c);

/* Where what the client is told next goes. */
struct ibuf_mbuf **hold_tail(struct client *c);

#endif
