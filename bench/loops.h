/*
 * loops.h - the work itself, the same for every peer in C.
 *
 * A peer's file defines what it has, includes this and ends with the struct
 * bench_peer.  What it must have: MSG, the type of its handle of a message;
 * msg_new(pool), msg_free(m), msg_append(m, bytes, n).  What it may have, each
 * with a macro that says so, is in front of the loops that need it.
 */
#ifndef BENCH_LOOPS_H
#define BENCH_LOOPS_H

#include "bench.h"
#include "ring.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static struct ring loop_ring;
static size_t loop_arg; /* what a sweep varies */

static void
loop_prepare(const struct bench_setup *setup)
{
	loop_arg = setup->arg;
	memset(&loop_ring, 0, sizeof loop_ring);
}

#include "loops/bytes.h"
#include "loops/many.h"
#ifdef HAS_QUEUE
#include "loops/queue.h"
#endif
#include "loops/shared.h"
#include "loops/single.h"

#ifndef RUN_RESIDENT
#define RUN_RESIDENT run_resident
#endif

/* ---- all of them --------------------------------------------------- */

static const struct bench_case loop_cases[] = {
	{"W1", run_alloc_free, loop_prepare, NULL},
	{"W2a", run_burst_32, loop_prepare, NULL},
	{"W2c", run_burst_512, loop_prepare, NULL},
	{"W3", run_alloc_free, loop_prepare, NULL},
	{"W4", run_cross, loop_prepare, NULL},
	{"W7", run_append_free, loop_prepare, NULL},
	{"W14", run_replace, live_prepare, live_finish},
	{"W14t", run_replace_written, live_prepare, live_finish},
	{"threads", run_alloc_free, loop_prepare, NULL},
	{"live", run_replace, live_prepare, live_finish},
	{"size", run_size, loop_prepare, NULL},
#ifndef ALWAYS_HEADROOM
	{"W15a", RUN_RESIDENT, table_prepare, live_finish},
#endif
#ifdef HAS_HEADROOM
	{"W15b", RUN_RESIDENT, table_prepare, live_finish},
#endif
#ifdef HAS_BULK
	{"W2b", run_bulk_32, loop_prepare, NULL},
#endif
#ifdef HAS_READ
	{"W4t", run_cross_touched, loop_prepare, NULL},
	{"W8a", run_write_clear, message_prepare, message_finish},
	{"W8b", run_write_read_clear, message_prepare, message_finish},
#endif
#ifdef HAS_STREAM
	{"W11", run_fill_drain, message_prepare, message_finish},
#endif
#ifdef HAS_GROWTH
	{"W9", run_grow, loop_prepare, NULL},
	{"M4", run_new_free, loop_prepare, NULL},
#endif
#ifdef HAS_PREPEND
	{"W10a", run_packet_64, loop_prepare, NULL},
	{"W10b", run_packet_1500, loop_prepare, NULL},
#endif
#ifdef HAS_CLONE
	{"W5", run_clone, shared_prepare, shared_finish},
	{"W13", run_fan_out, shared_prepare, shared_finish},
#ifndef NO_HEAP
	{"M5", run_clone, shared_prepare_heap, shared_finish},
#endif
#ifndef CLONE_ONE_THREAD
	{"W13b", run_clone, shared_prepare, shared_finish},
#endif
#ifdef HAS_SLICE
	{"W6", run_slice, shared_prepare, shared_finish},
#endif
#endif
#ifdef HAS_CHAIN
	{"W12", run_writev, chain_prepare, chain_finish},
	{"segments", run_segments, chain_prepare, chain_finish},
#endif
#ifdef HAS_FRAMES
	{"W16", run_frames, frames_prepare, frames_finish},
#ifndef NO_HEAP
	{"W16h", run_frames, frames_prepare_heap, frames_finish},
#endif
#endif
#ifdef HAS_POOLS
	{"pools", run_pools, loop_prepare, NULL},
#endif
#ifdef HAS_QUEUE
	QUEUE_CASES
#endif
#ifdef HAS_KINDS
	{"M1", run_alloc_free, private_prepare, kinds_finish},
	{"M2", run_alloc_free, waiting_prepare, kinds_finish},
	{"M3", run_alloc_free, high_prepare, kinds_finish},
#endif
	{NULL, NULL, NULL, NULL},
};

#endif
