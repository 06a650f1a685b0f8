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

/* json_pack() takes what stands for I to be of this type. */
static json_int_t
number(uint64_t n)
{
	return (json_int_t)n;
}

static json_t *
flow_object(const struct flow *flow)
{
	char protocol[PROTOCOL_NAME_MAX];
	char a[INET6_ADDRSTRLEN];
	char b[INET6_ADDRSTRLEN];

	protocol_name(flow->key.protocol, protocol);
	flow_key_address(&flow->key, flow->a, a);
	flow_key_address(&flow->key, !flow->a, b);
	return json_pack("{s:s, s:s, s:i, s:s, s:i, s:I, s:I, s:I, s:I,"
			 " s:f, s:f}",
			 "protocol", protocol, "a", a, "a_port",
			 (int)flow->key.port[flow->a], "b", b, "b_port",
			 (int)flow->key.port[!flow->a], "packets_ab",
			 number(flow->packets[0]), "bytes_ab",
			 number(flow->wire_bytes[0]), "packets_ba",
			 number(flow->packets[1]), "bytes_ba",
			 number(flow->wire_bytes[1]), "first",
			 seconds(flow->first_ns), "last",
			 seconds(flow->last_ns));
}

static json_t *
skipped_object(const struct meter_totals *t)
{
	json_t *object = json_object();
	unsigned skip;

	for (skip = SKIP_NOT + 1; skip < SKIP_REASONS; skip++) {
		if (json_object_set_new(
			    object, report_skip_name(skip),
			    json_integer(number(t->skipped[skip]))) != 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *
pool_object(const struct meter *m)
{
	struct ibuf_pool_stats stats;

	meter_pool_stats(m, &stats);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I,"
			 " s:I}",
			 "capacity", number(stats.capacity), "allocated",
			 number(stats.allocated), "available",
			 number(stats.available), "cached",
			 number(stats.cached), "peak", number(stats.peak),
			 "allocs", number(stats.allocs), "frees",
			 number(stats.frees), "grows", number(stats.grows),
			 "failures", number(stats.failures), "copied_bytes",
			 number(stats.copied_bytes), "mapped_bytes",
			 number(stats.mapped_bytes));
}

/* Everything but the flows. */
static json_t *
totals_object(const struct meter *m)
{
	const struct meter_totals *t = meter_totals(m);
	double rate = t->seconds > 0 ? (double)t->packets / t->seconds : 0.0;

	return json_pack("{s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:b, s:o,"
			 " s:i, s:f, s:f}",
			 "packets", number(t->packets), "bytes",
			 number(t->wire_bytes), "skipped", skipped_object(t),
			 "tunnel", number(t->tunnel), "payload_bytes",
			 number(t->payload_bytes), "flow_count",
			 number(meter_flow_count(m)), "files", number(t->files),
			 "complete", (int)t->complete, "pool", pool_object(m),
			 "threads", (int)meter_workers(m), "seconds",
			 t->seconds, "packets_per_second", rate);
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
