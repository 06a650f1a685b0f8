/*
 * meter.h - from capture files to flows and totals.
 *
 *	packets = packets of all flows + sum of skipped + lost
 *
 * The calling thread is the reader: it takes frames from the captures and puts
 * them into blocks.  What else is to be done, the threads share:
 *
 *	1   the reader does all
 *	2   a worker counts and puts streams together, and who has less to do
 *	    parses
 *	n   the reader parses; one worker puts the streams together, and each of
 *	    the others counts the flows that their hash gives it
 */
#ifndef FLOW_METER_H
#define FLOW_METER_H

#include "flow.h"
#include "streams.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>

enum { METER_THREADS_MAX = 64 };

struct meter_options {
	unsigned threads; /* 1 to METER_THREADS_MAX */
	bool no_streams;
	struct flow_timeouts timeouts;
	const char *filter; /* of pcap-filter(7); NULL: none */
	struct streams_options streams;
};

struct meter_totals {
	size_t files; /* that were opened */
	uint64_t packets;
	uint64_t wire_bytes;
	struct flow_table flows; /* the sums of all tables, no flow in it */
	uint64_t lost_streams;   /* no memory for their streams */
	int64_t first_ns; /* earliest and latest packet, when there is one */
	int64_t last_ns;
	double seconds; /* it took */
	bool complete;  /* every byte of every file was read */
};

struct meter;

/* Start the threads.  NULL: it cannot. */
struct meter *meter_start(const struct meter_options *options);

/*
 * Read a capture, "-" is standard input, to its end or its first damage; or an
 * interface, until the program is asked to stop.  What is wrong with it is said
 * on standard error.
 */
void meter_read(struct meter *m, const char *path, bool is_live);

/* No more to read: wait for the workers.  false: no memory for the list. */
bool meter_finish(struct meter *m);

/* After meter_finish(). */
const struct meter_totals *meter_totals(const struct meter *m);
unsigned meter_threads(const struct meter *m);
void meter_pool_stats(const struct meter *m, struct ibuf_pool_stats *stats);
const struct streams_totals *meter_streams(const struct meter *m);

/* The names of a flow; NULL: it has none. */
const struct names *meter_names(const struct meter *m, const struct flow *flow);

/* The flows, in no order; the list may be sorted. */
const struct flow **meter_flows(struct meter *m);
size_t meter_flow_count(const struct meter *m);

void meter_free(struct meter *m);

#endif
