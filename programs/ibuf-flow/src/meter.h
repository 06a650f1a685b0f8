/*
 * meter.h - from capture files to flows and totals.
 *
 *	packets = packets of all flows + sum of skipped + lost
 *
 * The calling thread is the reader: it takes frames from the captures, puts
 * them into pool mbufs, parses them and gives each to the worker that the hash
 * of its flow chooses.  TCP and DNS packets also go, as clones, to one more
 * worker, which puts the streams together.
 */
#ifndef FLOW_METER_H
#define FLOW_METER_H

#include "flow.h"
#include "streams.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>

enum { METER_WORKERS_MAX = 64 };

struct meter_totals {
	size_t files; /* that were opened */
	uint64_t packets;
	uint64_t wire_bytes;
	uint64_t payload_bytes; /* captured, behind the headers of flows */
	uint64_t tunnel; /* packets in flows that carry packets themselves */
	uint64_t skipped[SKIP_REASONS];
	uint64_t lost;         /* no memory to count them */
	uint64_t lost_streams; /* no memory for their streams */
	int64_t first_ns; /* earliest and latest packet, when there is one */
	int64_t last_ns;
	double seconds; /* it took */
	bool complete;  /* every byte of every file was read */
};

struct meter;

/* Start that many workers, 1 to METER_WORKERS_MAX.  NULL: it cannot. */
struct meter *meter_start(unsigned workers,
			  const struct streams_options *options);

/*
 * Read a capture, "-" is standard input, to its end or its first damage.
 * What is wrong with it is said on standard error.
 */
void meter_read(struct meter *m, const char *path);

/* No more to read: wait for the workers.  false: no memory for the list. */
bool meter_finish(struct meter *m);

/* After meter_finish(). */
const struct meter_totals *meter_totals(const struct meter *m);
unsigned meter_workers(const struct meter *m);
void meter_pool_stats(const struct meter *m, struct ibuf_pool_stats *stats);
const struct streams_totals *meter_streams(const struct meter *m);

/* The names of a flow; NULL: it has none. */
const struct names *meter_names(const struct meter *m, const struct flow *flow);

/* The flows, in no order; the list may be sorted. */
const struct flow **meter_flows(struct meter *m);
size_t meter_flow_count(const struct meter *m);

void meter_free(struct meter *m);

#endif
