/*
 * congestion.h - --slow=block: publishers wait for slow subscribers.
 *
 *	a subscriber past its limit is FULL	its topics are so marked in the
 *						directory, for all to see
 *	a PUBLISH to such a topic is HELD	it stays in the parser, and its
 *						client is not read
 *	half the limit, or the end		unmarked; all workers try again
 *						what they hold
 *
 * What is under way when a topic gets its mark is delivered still, so more
 * than the limit may wait for a subscriber.  How much more is bounded: by one
 * message of each worker or what it has gathered (fanout.h), and by what lies
 * in the queue of the subscriber's worker, beyond a limit of which publishers
 * are held too.
 *
 * Nobody waits for anybody in a circle: a worker never waits, and a client
 * that is held is sent to all the same.
 */
#ifndef RELAY_CONGESTION_H
#define RELAY_CONGESTION_H

#include "../base/kind.h"
#include <stdbool.h>
#include <stddef.h>

struct client;
struct post;
struct relay;
struct worker;

/* The client is past its limit; it may be known to be. */
void congestion_begin(struct client *c);

/* It has drained. */
void congestion_end(struct client *c);

/* Must this PUBLISH wait?  Its client is held then, until it is tried anew. */
bool congestion_holds(struct client *c, enum kind kind, const char *name,
		      size_t len);

/* Try again all that is held here, those first that wait longest. */
void congestion_resume(struct worker *w);

/* The client is not held any more: it goes. */
void congestion_forget(struct client *c);

/* All workers try again: from any thread, and it cannot fail. */
void congestion_ease(struct relay *r);

/* A message goes into the queue of a worker, or has come out. */
void congestion_posted(struct worker *to, struct post *post);
void congestion_taken(struct worker *w, const struct post *post);

#endif
