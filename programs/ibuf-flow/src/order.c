/*
 * order.c - compare flows.
 */
#include "order.h"
#include <stdlib.h>
#include <string.h>

const char order_names[] = "bytes, packets, duration, first or last";

typedef int compare_fn(const void *a, const void *b);

static const struct flow *
flow_at(const void *element)
{
	return *(const struct flow *const *)element;
}

static int
compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_i64(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int
by_number(const struct flow *a, const struct flow *b)
{
	return compare_u64(a->number, b->number);
}

static int
by_bytes(const void *a, const void *b)
{
	const struct flow *f = flow_at(a);
	const struct flow *g = flow_at(b);
	int order = compare_u64(g->wire_bytes[0] + g->wire_bytes[1],
				f->wire_bytes[0] + f->wire_bytes[1]);

	return order != 0 ? order : by_number(f, g);
}

static int
by_packets(const void *a, const void *b)
{
	const struct flow *f = flow_at(a);
	const struct flow *g = flow_at(b);
	int order = compare_u64(g->packets[0] + g->packets[1],
				f->packets[0] + f->packets[1]);

	return order != 0 ? order : by_number(f, g);
}

static int
by_duration(const void *a, const void *b)
{
	const struct flow *f = flow_at(a);
	const struct flow *g = flow_at(b);
	/* Unsigned: two far ends may be further apart than INT64_MAX. */
	int order = compare_u64((uint64_t)g->last_ns - (uint64_t)g->first_ns,
				(uint64_t)f->last_ns - (uint64_t)f->first_ns);

	return order != 0 ? order : by_number(f, g);
}

static int
by_first(const void *a, const void *b)
{
	const struct flow *f = flow_at(a);
	const struct flow *g = flow_at(b);
	int order = compare_i64(f->first_ns, g->first_ns);

	return order != 0 ? order : by_number(f, g);
}

static int
by_last(const void *a, const void *b)
{
	const struct flow *f = flow_at(a);
	const struct flow *g = flow_at(b);
	int order = compare_i64(g->last_ns, f->last_ns);

	return order != 0 ? order : by_number(f, g);
}

static const struct {
	const char *name;
	compare_fn *compare;
} orders[ORDERS] = {
	[ORDER_BYTES] = {"bytes", by_bytes},
	[ORDER_PACKETS] = {"packets", by_packets},
	[ORDER_DURATION] = {"duration", by_duration},
	[ORDER_FIRST] = {"first", by_first},
	[ORDER_LAST] = {"last", by_last},
};

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
	qsort(flows, count, sizeof *flows, orders[order].compare);
}
