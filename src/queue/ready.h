/* ready.h - the descriptor of a queue, which is readable when it should be. */
#ifndef IBUF_SRC_READY_H
#define IBUF_SRC_READY_H

#include "state.h"

/* A pop has found none: from now on the next message sets the descriptor. */
void ibuf_ready_arm_(struct ibuf_queue *q);

/* The queue's lock is held, and there is a message, or the queue is sealed. */
void ibuf_ready_set_(struct ibuf_queue *q);

/* In the child of a fork, with the lock held: it has one of its own. */
void ibuf_ready_forked_(struct ibuf_queue *q);

#endif
