/*
 * report_csv.c - a line for each flow, under the names that JSON has.
 */
#include "protocol.h"
#include "report.h"
#include <inttypes.h>

static void
print_time(FILE *out, int64_t ns)
{
	int64_t us = ns / 1000 + (ns % 1000 >= 500);
	const char *sign = us < 0 ? "-" : "";
	uint64_t positive = us < 0 ? -(uint64_t)us : (uint64_t)us;

	fprintf(out, ",%s%" PRIu64 ".%06" PRIu64, sign, positive / 1000000,
		positive % 1000000);
}

bool
report_csv(FILE *out, struct meter *m, size_t count)
{
	const struct flow **flows = meter_flows(m);
	char protocol[PROTOCOL_NAME_MAX];
	char address[INET6_ADDRSTRLEN];
	char flags[REPORT_FLAGS_MAX];
	size_t i;
	unsigned way;

	fputs("protocol,a,a_port,b,b_port,packets_ab,bytes_ab,packets_ba,"
	      "bytes_ba,first,last,tcp_flags_ab,tcp_flags_ba,"
	      "retransmissions_ab,retransmissions_ba,handshake\r\n",
	      out);
	for (i = 0; i < count; i++) {
		const struct flow *f = flows[i];

		protocol_name(f->key.protocol, protocol);
		fputs(protocol, out);
		for (way = 0; way < 2; way++) {
			flow_key_address(&f->key, f->a ^ way, address);
			fprintf(out, ",%s,%u", address,
				f->key.port[f->a ^ way]);
		}
		for (way = 0; way < 2; way++)
			fprintf(out, ",%" PRIu64 ",%" PRIu64, f->packets[way],
				f->wire_bytes[way]);
		print_time(out, f->first_ns);
		print_time(out, f->last_ns);
		for (way = 0; way < 2; way++) {
			report_flags(f->tcp_flags[way], flags);
			fprintf(out, ",%s", flags);
		}
		fprintf(out, ",%" PRIu32 ",%" PRIu32, f->again[0], f->again[1]);
		if (f->handshake == FLOW_SHAKEN)
			print_time(out, f->handshake_ns);
		else
			fputc(',', out);
		fputs("\r\n", out);
	}
	return !ferror(out);
}
