/*
 * scarcity.h - what a worker does when the pool is at its max.
 *
 * It stops reading, so publishers wait, while subscribers take what they
 * were sent and so free memory; it asks all threads for what they keep back,
 * and looks again every SCARCITY_TURN_MS.  When that has not helped for a
 * second, the client that holds most is closed, whatever worker it is of:
 * one that sends half a request, or reads too slowly.
 *
 * While nothing but that helps, since what is freed goes to other halves of
 * requests, its patience is half of what it was each time.
 */
#ifndef RELAY_SCARCITY_H
#define RELAY_SCARCITY_H

#include <stdbool.h>
#include <stddef.h>

struct relay;
struct worker;

enum { SCARCITY_TURN_MS = 10 };

/* There was no room to read into. */
void scarcity_begin(struct worker *w);

/* Look whether there is some. */
void scarcity_turn(struct worker *w);

/* Ask all threads for what they keep back. */
void scarcity_ask(struct relay *r);

/* Close the client that holds most, if that is more than so many bytes. */
bool scarcity_evict(struct relay *relay, size_t bytes);

#endif
