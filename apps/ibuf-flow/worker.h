/*
 * worker.h - threads that count packets into flows.
 *
 *	          full batches -->
 *	reader                       worker: its own flow table
 *	          <-- empty batches
 *
 * The reader fills a batch for each worker and hands it over when it is full.
 * A worker has a fixed number of batches, so the packets on their way are
 * bounded: a reader that is ahead waits for an empty batch.  Mbufs are freed
 * by the worker, not by the thread that allocated them.
 */
#ifndef FLOW_WORKER_H
#define FLOW_WORKER_H

#include "flow.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

struct worker;

/* Packets in a batch, and batches a worker has. */
enum { WORKER_BATCH = 64, WORKER_BATCHES = 8 };

/* The most packets that `workers` workers ever hold. */
#define WORKER_PACKETS_MAX(workers)                                            \
	((size_t)(workers)*WORKER_BATCHES * WORKER_BATCH)

/* Start a worker.  NULL: no memory or no thread. */
struct worker *worker_start(void);

/*
 * Give a worker a packet whose description is in the private area of m.  m is
 * the worker's then.  May sleep until the worker has emptied a batch.
 */
void worker_give(struct worker *w, struct ibuf_mbuf *m);

/* Do not wait for a batch to be full. */
void worker_flush(struct worker *w);

/* Let it count what it was given, and end its thread. */
void worker_finish(struct worker *w);

/*
 * After worker_finish(): its flows, and how many packets are not in them
 * because there was no memory.
 */
const struct flow_table *worker_flows(const struct worker *w);
uint64_t worker_lost(const struct worker *w);

void worker_free(struct worker *w);

#endif
