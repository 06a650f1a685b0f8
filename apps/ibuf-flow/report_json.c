/*
 * report_json.c - one JSON object.
 *
 * jansson makes each piece, and none at all when there is no memory; the flows
 * are printed one by one, so a report of many is never in memory as a whole.
 */
#include "protocol.h"
#include "report.h"
#include <jansson.h>

/* A double has 16 digits: 10 of seconds since 1970, 6 behind the point. */
enum { FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(16) };

static double
seconds(int64_t time_ns)
{
	int64_t microseconds = time_ns / 1000 + (time_ns % 1000 >= 500);

	return (double)microseconds / 1e6;
}

/* Add a member; an object that lacks one for want of memory becomes NULL. */
static void
add(json_t **object, const char *name, json_t *value)
{
	if (json_object_set_new(*object, name, value) == 0)
		return;
	json_decref(*object);
	*object = NULL;
}

static void
add_number(json_t **object, const char *name, uint64_t n)
{
	add(object, name, json_integer((json_int_t)n));
}

static json_t *
flow_object(const struct flow *flow)
{
	json_t *object = json_object();
	char protocol[PROTOCOL_NAME_MAX];
	char a[INET6_ADDRSTRLEN];
	char b[INET6_ADDRSTRLEN];

	protocol_name(flow->key.protocol, protocol);
	flow_key_address(&flow->key, flow->a, a);
	flow_key_address(&flow->key, !flow->a, b);
	add(&object, "protocol", json_string(protocol));
	add(&object, "a", json_string(a));
	add_number(&object, "a_port", flow->key.port[flow->a]);
	add(&object, "b", json_string(b));
	add_number(&object, "b_port", flow->key.port[!flow->a]);
	add_number(&object, "packets_ab", flow->packets[0]);
	add_number(&object, "bytes_ab", flow->wire_bytes[0]);
	add_number(&object, "packets_ba", flow->packets[1]);
	add_number(&object, "bytes_ba", flow->wire_bytes[1]);
	add(&object, "first", json_real(seconds(flow->first_ns)));
	add(&object, "last", json_real(seconds(flow->last_ns)));
	return object;
}

static json_t *
skipped_object(const struct meter_totals *t)
{
	json_t *object = json_object();
	unsigned skip;

	for (skip = SKIP_NOT + 1; skip < SKIP_REASONS; skip++)
		add_number(&object, report_skip_name(skip), t->skipped[skip]);
	return object;
}

static json_t *
pool_object(const struct meter *m)
{
	json_t *object = json_object();
	struct ibuf_pool_stats stats;

	meter_pool_stats(m, &stats);
	add_number(&object, "capacity", stats.capacity);
	add_number(&object, "allocated", stats.allocated);
	add_number(&object, "available", stats.available);
	add_number(&object, "cached", stats.cached);
	add_number(&object, "peak", stats.peak);
	add_number(&object, "handles", stats.handles);
	add_number(&object, "allocs", stats.allocs);
	add_number(&object, "frees", stats.frees);
	add_number(&object, "grows", stats.grows);
	add_number(&object, "failures", stats.failures);
	add_number(&object, "waits", stats.waits);
	add_number(&object, "copied_bytes", stats.copied_bytes);
	add_number(&object, "mapped_bytes", stats.mapped_bytes);
	return object;
}

/* Everything but the flows. */
static json_t *
totals_object(const struct meter *m)
{
	const struct meter_totals *t = meter_totals(m);
	double rate = t->seconds > 0 ? (double)t->packets / t->seconds : 0.0;
	json_t *object = json_object();

	add_number(&object, "packets", t->packets);
	add_number(&object, "bytes", t->wire_bytes);
	add(&object, "skipped", skipped_object(t));
	add_number(&object, "tunnel", t->tunnel);
	add_number(&object, "payload_bytes", t->payload_bytes);
	add_number(&object, "flow_count", meter_flow_count(m));
	add_number(&object, "files", t->files);
	add(&object, "complete", json_boolean(t->complete));
	add(&object, "pool", pool_object(m));
	add_number(&object, "threads", meter_workers(m));
	add(&object, "seconds", json_real(t->seconds));
	add(&object, "packets_per_second", json_real(rate));
	return object;
}

/* Print a piece and let it go. */
static bool
print(FILE *out, json_t *piece, size_t flags)
{
	bool done = piece != NULL && json_dumpf(piece, out, FLAGS | flags) == 0;

	json_decref(piece);
	return done;
}

bool
report_json(FILE *out, struct meter *m, size_t count)
{
	const struct flow **flows = meter_flows(m);
	size_t i;

	fputs("{\n", out);
	if (!print(out, totals_object(m), JSON_EMBED))
		return false;
	fputs(",\n\"flows\":[", out);
	for (i = 0; i < count; i++) {
		fputs(i == 0 ? "\n" : ",\n", out);
		if (!print(out, flow_object(flows[i]), 0))
			return false;
	}
	fputs("\n]}\n", out);
	return true;
}
