/*
 * congestion.h - publishers wait: for slow subscribers, for other threads,
 * for memory.
 *
 *	--slow=block: a subscriber past	its topics are so marked in the
 *	its limit is FULL		directory, for all to see
 *	a queue between threads is full	until it has drained by half
 *	memory is used up		until there is some, see scarcity.h
 *	a PUBLISH to such is HELD	it stays in the parser, and its
 *					client is not read
 *
 * When one of these ends, all workers try again what they hold.
 *
 * What is under way when a topic gets its mark is delivered still, so more
 * than the limit may wait for a subscriber.  How much more is bounded: by one
 * message of each worker or what it has gathered (fanout.h), and by what lies
 * in the queue of the subscriber's worker.
 *
 * Nobody waits for anybody in a circle: a worker never waits, and a client
 * that is held is sent to all the same.
 */
#ifndef RELAY_CONGESTION_H
#define RELAY_CONGESTION_H

#include "../base/kind.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;
struct relay;

/* The client is past its limit; it may be known to be. */
void congestion_begin(struct client *c);

/* It has drained. */
void congestion_end(struct client *c);

/*
 * Must this PUBLISH wait, which goes to these workers?  Its client is held
 * then, until it is tried anew.
 */
bool congestion_holds(struct client *c, enum kind kind, const char *name,
		      size_t len, uint64_t workers);

/* Take one that is held out of the list.  NULL: none is. */
struct client *congestion_next(struct client **list);

/* Its request was executed, or never will be. */
void congestion_release(struct client *c);

/* The client is not held any more: it goes. */
void congestion_forget(struct client *c);

#endif
