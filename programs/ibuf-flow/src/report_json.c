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
string_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *
request_object(const struct name *request)
{
	json_t *object = json_object();

	add(&object, "method", json_string(request->text[HTTP_METHOD]));
	add(&object, "target", json_string(request->text[HTTP_TARGET]));
	add(&object, "host", string_or_null(request->text[HTTP_HOST]));
	return object;
}

/* The names of a kind; none: an empty array. */
static json_t *
names_array(const struct names *names, enum name_kind kind)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; names != NULL && i < names->list[kind].count; i++) {
		const struct name *name = names->list[kind].at[i];

		if (json_array_append_new(
			    array, kind == NAME_HTTP
					   ? request_object(name)
					   : json_string(name->text[0])) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static void
add_names(json_t **object, const struct names *names)
{
	const struct name_list *tls =
		names != NULL ? &names->list[NAME_TLS] : NULL;

	add(object, "http", names_array(names, NAME_HTTP));
	add(object, "tls_name",
	    string_or_null(tls != NULL && tls->count > 0 ? tls->at[0]->text[0]
							 : NULL));
	add(object, "tls_names", names_array(names, NAME_TLS));
	add(object, "dns_names", names_array(names, NAME_DNS));
}

static void
add_tcp(json_t **object, const struct flow *flow)
{
	char flags[2][REPORT_FLAGS_MAX];

	report_flags(flow->tcp_flags[0], flags[0]);
	report_flags(flow->tcp_flags[1], flags[1]);
	add(object, "tcp_flags_ab", json_string(flags[0]));
	add(object, "tcp_flags_ba", json_string(flags[1]));
	add_number(object, "retransmissions_ab", flow->again[0]);
	add_number(object, "retransmissions_ba", flow->again[1]);
	add(object, "handshake",
	    flow->handshake == FLOW_SHAKEN
		    ? json_real(seconds(flow->handshake_ns))
		    : json_null());
}

static json_t *
flow_object(const struct flow *flow, const struct names *names)
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
	if (flow->key.protocol == PROTOCOL_TCP)
		add_tcp(&object, flow);
	add_names(&object, names);
	return object;
}

static json_t *
skipped_object(const struct flow_table *t)
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

static json_t *
streams_object(const struct meter *m)
{
	const struct streams_totals *t = meter_streams(m);
	json_t *object = json_object();

	add_number(&object, "count", t->streams);
	add_number(&object, "given_up", t->given_up);
	add_number(&object, "gaps", t->gaps);
	add_number(&object, "gap_bytes", t->gap_bytes);
	add_number(&object, "uncaptured_bytes", t->uncaptured_bytes);
	add_number(&object, "repeated_bytes", t->repeated_bytes);
	add_number(&object, "late_bytes", t->late_bytes);
	add_number(&object, "names_dropped", t->names_dropped);
	add_number(&object, "held_peak", t->held_peak);
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
	add(&object, "skipped", skipped_object(&t->flows));
	add_number(&object, "tunnel", t->flows.tunnel);
	add_number(&object, "payload_bytes", t->flows.payload_bytes);
	add_number(&object, "flow_count", meter_flow_count(m));
	add_number(&object, "files", t->files);
	add(&object, "complete", json_boolean(t->complete));
	add(&object, "streams", streams_object(m));
	add(&object, "pool", pool_object(m));
	add_number(&object, "threads", meter_threads(m));
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
		if (!print(out, flow_object(flows[i], meter_names(m, flows[i])),
			   0))
			return false;
	}
	fputs("\n]}\n", out);
	return true;
}
