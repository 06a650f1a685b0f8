/*
 * streams_totals.h - what became of all TCP streams.
 */
#ifndef FLOW_STREAMS_TOTALS_H
#define FLOW_STREAMS_TOTALS_H

#include <stdint.h>

struct streams_totals {
	uint64_t streams;
	uint64_t given_up;         /* that lost something to the limit */
	uint64_t gaps;             /* skipped */
	uint64_t gap_bytes;        /* in them */
	uint64_t uncaptured_bytes; /* cut off by the capture */
	uint64_t repeated_bytes;   /* that had been received already */
	uint64_t late_bytes;       /* that came after their gap was skipped */
	uint64_t names_dropped;
	uint64_t held_peak; /* the most memory that was kept */
	uint64_t lost;      /* packets and bytes there was no memory for */
};

#endif
