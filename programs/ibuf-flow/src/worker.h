/*
 * worker.h - threads that take packets from the reader.
 *
 *	          full batches -->
 *	reader                       worker: tables of its own
 *	          <-- empty batches
 *
 * The reader fills a batch for each worker and hands it over when it is full.
 * A worker has a fixed number of batches, so the packets on their way are
 * bounded: a reader that is ahead waits for an empty batch.  Mbufs are freed
 * by the worker, not by the thread that allocated them, and some stay with it for
 * longer.
 */
#ifndef FLOW_WORKER_H
#define FLOW_WORKER_H

#include <ibuf/ibuf.h>
#include <stddef.h>

struct worker;

/* Packets in a batch, and batches a worker has. */
enum { WORKER_BATCH = 64, WORKER_BATCHES = 8 };

/* The most packets that `workers` workers ever hold. */
#define WORKER_PACKETS_MAX(workers)                                            \
	((size_t)(workers)*WORKER_BATCHES * WORKER_BATCH)

/*
 * What a worker does with packets, in its thread: they belong to this function
 * then, the array does not.
 */
typedef void worker_fn(void *arg, struct ibuf_mbuf **packets, size_t count);

/* Start a worker.  NULL: no memory or no thread. */
struct worker *worker_start(worker_fn *take, void *arg);

/*
 * Give a worker a packet whose description is in the private area of m.  m is
 * the worker's then.  May sleep until the worker has emptied a batch.
 */
void worker_give(struct worker *w, struct ibuf_mbuf *m);

/* Do not wait for a batch to be full. */
void worker_flush(struct worker *w);

/* Let it take what it was given, and end its thread. */
void worker_finish(struct worker *w);

void worker_free(struct worker *w);

#endif
