/*
 * forked.h - all queues of this copy of the library, which a fork copies.
 *
 * A fork waits until nobody is inside the lock of a queue or of an end.  In the
 * child a push or pop by a promised thread, which has no lock, has not
 * happened if it was not over; and nobody waits.
 */
#ifndef IBUF_SRC_FORKED_H
#define IBUF_SRC_FORKED_H

#include "state.h"

/*
 * Take part in each fork from now on, with this queue, and find out whether
 * barriers can be had.  0; -ENOMEM.
 */
int ibuf_forked_add_(struct ibuf_queue *q);

void ibuf_forked_remove_(struct ibuf_queue *q);

/* All queues; see queues.c. */
extern struct ibuf_queue *ibuf_queues_;

#endif
