/*
 * scarcity.h - what a worker does when the pool is at its max.
 *
 * It stops reading, so publishers wait, while subscribers take what they
 * were sent and so free memory; it asks all threads for what they keep back,
 * and looks again every SCARCITY_TURN_MS.  When that has not helped for a
 * second, the client that holds most is closed, whatever worker it is of:
 * one that sends half a request, or reads too slowly.
 */
#ifndef RELAY_SCARCITY_H
#define RELAY_SCARCITY_H

struct worker;

enum { SCARCITY_TURN_MS = 10 };

/* There was no room to read into. */
void scarcity_begin(struct worker *w);

/* Look whether there is some. */
void scarcity_turn(struct worker *w);

#endif
