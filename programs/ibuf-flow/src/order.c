/*
 * order.c - compare flows.
 */
#include "order.h"
#include <stdlib.h>
#include <string.h>

const char order_names[] = "bytes, packets, duration, first or last";

/* The smaller value comes first. */
typedef uint64_t value_fn(const struct flow *flow);

static uint64_t
by_bytes(const struct flow *f)
{
	return ~(f->wire_bytes[0] + f->wire_bytes[1]);
}

static uint64_t
by_packets(const struct flow *f)
{
	return ~(f->packets[0] + f->packets[1]);
}

static uint64_t
by_duration(const struct flow *f)
{
	/* Unsigned: two far ends may be further apart than INT64_MAX. */
	return ~((uint64_t)f->last_ns - (uint64_t)f->first_ns);
}

/* With the sign turned, times stand in the order of unsigned numbers. */
static uint64_t
by_first(const struct flow *f)
{
	return (uint64_t)f->first_ns ^ (uint64_t)INT64_MIN;
}

static uint64_t
by_last(const struct flow *f)
{
	return ~((uint64_t)f->last_ns ^ (uint64_t)INT64_MIN);
}

static const struct {
	const char *name;
	value_fn *value;
} orders[ORDERS] = {
	[ORDER_BYTES] = {"bytes", by_bytes},
	[ORDER_PACKETS] = {"packets", by_packets},
	[ORDER_DURATION] = {"duration", by_duration},
	[ORDER_FIRST] = {"first", by_first},
	[ORDER_LAST] = {"last", by_last},
};

/* Of the sort that is under way. */
static value_fn *value;

static int
compare(const void *a, const void *b)
{
	const struct flow *f = *(const struct flow *const *)a;
	const struct flow *g = *(const struct flow *const *)b;
	uint64_t x = value(f);
	uint64_t y = value(g);

	if (x == y) {
		x = f->number;
		y = g->number;
	}
	return (x > y) - (x < y);
}

bool
order_parse(const char *name, enum order *order)
{
	unsigned i;

	for (i = 0; i < ORDERS; i++) {
		if (strcmp(name, orders[i].name) == 0) {
			*order = (enum order)i;
			return true;
		}
	}
	return false;
}

void
order_flows(const struct flow **flows, size_t count, enum order order)
{
	value = orders[order].value;
	qsort(flows, count, sizeof *flows, compare);
}
