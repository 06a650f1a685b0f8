/*
 * scarcity.h - what a worker does when --max-memory is used up, and what it
 * gives back when there is more than is needed.
 *
 * It stops reading messages, so publishers wait, while subscribers take what
 * they were sent and so free memory; it asks all threads for what they keep
 * back, and looks again every SCARCITY_TURN_MS.  Requests that fit into
 * LITTLE_BYTES are still read, so who wants to know or to change what is
 * going on is answered; a PUBLISH among them is held.
 *
 * When that has not helped for a second, the clients that hold most are
 * closed, whatever worker they are of: those that send half a request, or
 * read too slowly.  While nothing but that helps, the patience is half of
 * what it was each time, and there are twice as many.
 */
#ifndef RELAY_SCARCITY_H
#define RELAY_SCARCITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct relay;
struct worker;

enum { SCARCITY_TURN_MS = 10, SCARCITY_LITTLE_BYTES = 1024 };

/* There was no room to read into. */
void scarcity_begin(struct worker *w);

/* Look whether there is some. */
void scarcity_turn(struct worker *w);

/* Close the client that holds most, if that is more than so many bytes: how
   many it holds.  0: none is closed. */
size_t scarcity_evict(struct relay *relay, size_t bytes);

/*
 * Give back to the system what is not needed, now and then while there is
 * much; in how many milliseconds to call it again, -1: any time.
 */
int scarcity_tidy(struct worker *w);

/* Give back what the thread keeps. */
void scarcity_flush(struct worker *w);

#endif
