/*
 * counter.h - count packets into a table of flows, in one thread.
 */
#ifndef FLOW_COUNTER_H
#define FLOW_COUNTER_H

#include "flow.h"
#include <ibuf/ibuf.h>

/* All zero is one that has counted nothing. */
struct counter {
	struct flow_table flows;
	uint64_t lost; /* packets there was no memory to count */
};

/* Count packets, each described in its private area, and free them. */
void counter_take(struct counter *c, struct ibuf_mbuf **packets, size_t count);

#endif
