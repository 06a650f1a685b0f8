/*
 * order.h - the orders that flows can be listed in.
 */
#ifndef FLOW_ORDER_H
#define FLOW_ORDER_H

#include "flow.h"

enum order {
	ORDER_BYTES,    /* most first */
	ORDER_PACKETS,  /* most first */
	ORDER_DURATION, /* longest first */
	ORDER_FIRST,    /* earliest first */
	ORDER_LAST,     /* latest first */
	ORDERS
};

/* Names of all orders, for people; one of them to its order, or false. */
extern const char order_names[];
bool order_parse(const char *name, enum order *order);

/*
 * Sort a list of flows.  Flows that are equal stand in the order of their
 * first packets, so a list has one order only.
 */
void order_flows(const struct flow **flows, size_t count, enum order order);

#endif
