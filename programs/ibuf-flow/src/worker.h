/*
 * worker.h - threads that take blocks of packets from the reader.
 *
 *	reader --> queue of blocks --> worker: tables of its own
 *
 * A queue holds few blocks, so the packets on their way are bounded: a reader
 * that is ahead waits.
 */
#ifndef FLOW_WORKER_H
#define FLOW_WORKER_H

#include <ibuf/ibuf.h>

struct worker;

/* Blocks that wait for a worker at most. */
enum { WORKER_QUEUE = 8 };

/* What a worker does with a block, in its thread; the block is its then. */
typedef void worker_fn(void *arg, struct ibuf_mbuf *block);

/* Start a worker.  NULL: no memory or no thread. */
struct worker *worker_start(worker_fn *take, void *arg);

/* Give a worker a block; may sleep until it has taken another. */
void worker_give(struct worker *w, struct ibuf_mbuf *block);

/* Whether it has so much to do that the reader should do more itself. */
bool worker_is_busy(const struct worker *w);

/* Let it take what it was given, and end it. */
void worker_finish(struct worker *w);

#endif
