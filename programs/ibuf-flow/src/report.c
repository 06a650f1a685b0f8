/*
 * report.c - the table for people.
 */
#include "report.h"
#include "protocol.h"
#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { SECOND_NS = 1000000000 };

/* An address, a colon, a port: "[2001:db8::1]:443". */
enum { END_MAX = INET6_ADDRSTRLEN + 9 };

static void
print_end(char text[static END_MAX], const struct flow *flow, unsigned end)
{
	char address[INET6_ADDRSTRLEN];

	flow_key_address(&flow->key, end, address);
	if (!protocol_has_ports(flow->key.protocol))
		snprintf(text, END_MAX, "%s", address);
	else
		snprintf(text, END_MAX,
			 flow->key.family == 6 ? "[%s]:%u" : "%s:%u", address,
			 flow->key.port[end]);
}

static double
seconds_between(int64_t from_ns, int64_t to_ns)
{
	return (double)((uint64_t)to_ns - (uint64_t)from_ns) / SECOND_NS;
}

/* Columns as wide as what is in them. */
static void
measure(struct meter *m, size_t count, int width[2])
{
	const struct flow **flows = meter_flows(m);
	char text[END_MAX];
	size_t i;
	unsigned side;

	width[0] = width[1] = 1;
	for (i = 0; i < count; i++) {
		for (side = 0; side < 2; side++) {
			print_end(text, flows[i], flows[i]->a ^ side);
			if ((int)strlen(text) > width[side])
				width[side] = (int)strlen(text);
		}
	}
}

static void
print_flow(FILE *out, const struct flow *flow, int64_t start_ns,
	   const int width[2])
{
	char protocol[PROTOCOL_NAME_MAX];
	char a[END_MAX];
	char b[END_MAX];

	protocol_name(flow->key.protocol, protocol);
	print_end(a, flow, flow->a);
	print_end(b, flow, !flow->a);
	fprintf(out,
		"%-8s  %-*s  %-*s  %9" PRIu64 " %12" PRIu64 "  %9" PRIu64
		" %12" PRIu64 "  %12.6f %12.6f %12.6f\n",
		protocol, width[0], a, width[1], b, flow->packets[0],
		flow->wire_bytes[0], flow->packets[1], flow->wire_bytes[1],
		seconds_between(start_ns, flow->first_ns),
		seconds_between(start_ns, flow->last_ns),
		seconds_between(flow->first_ns, flow->last_ns));
}

/* "http GET www.example.org/", one line for each name, as many as fit. */
static void
print_names(FILE *out, const struct names *names)
{
	enum { SHOWN = 3 };
	static const char *const kinds[NAME_KINDS] = {"http", "tls", "dns"};
	unsigned kind;
	size_t i;

	for (kind = 0; names != NULL && kind < NAME_KINDS; kind++) {
		const struct name_list *list = &names->list[kind];

		for (i = 0; i < list->count && i < SHOWN; i++) {
			char *const *text = list->at[i]->text;

			fprintf(out, "          %s %s", kinds[kind], text[0]);
			if (kind == NAME_HTTP)
				fprintf(out, " %s %s", text[HTTP_TARGET],
					text[HTTP_HOST] ? text[HTTP_HOST] : "");
			fputc('\n', out);
		}
		if (i < list->count)
			fprintf(out, "          %s (%zu more)\n", kinds[kind],
				list->count - i);
	}
}

static void
print_flows(FILE *out, struct meter *m, size_t count)
{
	const struct flow **flows = meter_flows(m);
	int width[2];
	size_t i;

	measure(m, count, width);
	fprintf(out, "%-8s  %-*s  %-*s  %9s %12s  %9s %12s  %12s %12s %12s\n",
		"PROTOCOL", width[0], "A", width[1], "B", "A>B PKTS",
		"A>B BYTES", "B>A PKTS", "B>A BYTES", "FIRST", "LAST",
		"DURATION");
	for (i = 0; i < count; i++) {
		print_flow(out, flows[i], meter_totals(m)->first_ns, width);
		print_names(out, meter_names(m, flows[i]));
	}
	if (count < meter_flow_count(m))
		fprintf(out, "(%zu more)\n", meter_flow_count(m) - count);
	fputc('\n', out);
}

/* 2026-01-31 12:00:00.123456 UTC */
static void
print_time(FILE *out, int64_t time_ns)
{
	int64_t fraction = time_ns % SECOND_NS;
	time_t seconds = (time_t)(time_ns / SECOND_NS);
	struct tm when;
	char text[64];

	if (fraction < 0) {
		fraction += SECOND_NS;
		seconds--;
	}
	if (gmtime_r(&seconds, &when) == NULL ||
	    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &when) == 0)
		return;
	fprintf(out, "%s.%06d UTC", text, (int)(fraction / 1000));
}

static void
print_totals(FILE *out, const struct meter *m)
{
	const struct meter_totals *t = meter_totals(m);
	unsigned skip;

	fprintf(out, "%" PRIu64 " packets, %" PRIu64 " bytes, %zu flows",
		t->packets, t->wire_bytes, meter_flow_count(m));
	if (t->files != 1)
		fprintf(out, ", %zu files", t->files);
	fputc('\n', out);
	if (t->packets > 0) {
		fputs("first packet ", out);
		print_time(out, t->first_ns);
		fprintf(out, ", last %.6f s later\n",
			seconds_between(t->first_ns, t->last_ns));
	}
	fprintf(out, "payload captured: %" PRIu64 " bytes\n",
		t->flows.payload_bytes);
	if (t->flows.tunnel > 0)
		fprintf(out,
			"in tunnels: %" PRIu64
			" packets, counted by their outer addresses\n",
			t->flows.tunnel);
	for (skip = SKIP_NOT + 1; skip < SKIP_REASONS; skip++) {
		if (t->flows.skipped[skip] > 0)
			fprintf(out, "in no flow, %s: %" PRIu64 " packets\n",
				report_skip_name(skip), t->flows.skipped[skip]);
	}
}

static void
print_streams(FILE *out, const struct streams_totals *t)
{
	if (t->streams == 0)
		return;
	fprintf(out, "TCP streams: %" PRIu64 ", kept at most %" PRIu64 " bytes",
		t->streams, t->held_peak);
	if (t->repeated_bytes > 0)
		fprintf(out, ", %" PRIu64 " bytes came again",
			t->repeated_bytes);
	if (t->late_bytes > 0)
		fprintf(out, ", %" PRIu64 " bytes came late", t->late_bytes);
	if (t->gaps > 0)
		fprintf(out, ", %" PRIu64 " gaps of %" PRIu64 " bytes skipped",
			t->gaps, t->gap_bytes);
	if (t->uncaptured_bytes > 0)
		fprintf(out, ", %" PRIu64 " bytes not captured",
			t->uncaptured_bytes);
	if (t->given_up > 0)
		fprintf(out, ", %" PRIu64 " given up for memory", t->given_up);
	if (t->names_dropped > 0)
		fprintf(out, ", %" PRIu64 " names dropped", t->names_dropped);
	fputc('\n', out);
}

static void
print_work(FILE *out, const struct meter *m)
{
	const struct meter_totals *t = meter_totals(m);
	struct ibuf_pool_stats stats;

	fprintf(out, "%.3f s, %.0f packets/s, %u thread%s\n", t->seconds,
		t->seconds > 0 ? (double)t->packets / t->seconds : 0.0,
		meter_threads(m), meter_threads(m) == 1 ? "" : "s");
	meter_pool_stats(m, &stats);
	fprintf(out,
		"pool: %" PRIu64 " mbufs made, %" PRIu64 " in use, %" PRIu64
		" allocated, %" PRIu64 " freed, %" PRIu64
		" times grown, %" PRIu64 " bytes copied, %" PRIu64
		" bytes mapped\n",
		stats.capacity, stats.allocated, stats.allocs, stats.frees,
		stats.grows, stats.copied_bytes, stats.mapped_bytes);
}

const char *
report_skip_name(enum skip skip)
{
	static const char *const names[SKIP_REASONS] = {
		[SKIP_NOT] = "none",
		[SKIP_UNSUPPORTED_LINK] = "unsupported_link",
		[SKIP_NOT_IP] = "not_ip",
		[SKIP_FRAGMENT] = "fragment",
		[SKIP_TRUNCATED] = "truncated",
		[SKIP_MALFORMED] = "malformed",
	};

	return names[skip];
}

void
report_flags(unsigned flags, char text[static REPORT_FLAGS_MAX])
{
	static const char letters[] = "FSRPAUEC";
	unsigned i;

	for (i = 0; i < 8; i++) {
		if (flags >> i & 1)
			*text++ = letters[i];
	}
	*text = '\0';
}

bool
report_table(FILE *out, struct meter *m, size_t count)
{
	if (count > 0)
		print_flows(out, m, count);
	print_totals(out, m);
	print_streams(out, meter_streams(m));
	print_work(out, m);
	return !ferror(out);
}
