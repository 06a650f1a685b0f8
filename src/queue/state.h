/*
 * state.h - a queue: a ring, those who wait for it, and its descriptor.
 *
 * The ring works without a system call.  Who must wait leaves a sign, makes
 * every thread pass a barrier, and looks at the ring once more; who has pushed
 * or popped looks at the signs.  So a push that sees no sign is seen by the
 * one who left it: no wake is lost, and a push needs no barrier of its own.
 * tests/proof/sleep.pml is a model of it.
 *
 *   sign            set by                        seen by, who then
 *   WAIT_TO_POP     a thread that found none      a push: wakes as many
 *   WAIT_TO_PUSH    a thread that found no room   a pop: wakes as many
 *   ARMED           a pop that found none         a push: sets the descriptor
 *   SET             who sets the descriptor       a pop that finds none: arms
 *   CLOSED          close                         a push: it is refused
 *   SEALED          close, when no push is        a wait for a message: it is
 *                   under way any more            over, once there is none
 *
 * The first four change under the queue's lock only, and say what is true
 * there: ARMED that the descriptor is not readable, SET that it is and that a
 * pop which finds none shall arm it.
 */
#ifndef IBUF_SRC_STATE_H
#define IBUF_SRC_STATE_H

#include "../platform/event.h"
#include "ring.h"

#include <ibuf/queue.h>
#include <pthread.h>

#define WAIT_TO_POP 0x01u
#define WAIT_TO_PUSH 0x02u
#define ARMED 0x04u
#define SET 0x08u
#define CLOSED 0x10u
#define SEALED 0x20u

struct waiter;

/* Those who wait for the same, in the order in which they came. */
struct waiters {
	struct waiter *first, *last;
	uint32_t sign; /* is set while there are any */
};

struct ibuf_queue {
	struct ring ring;
	pthread_mutex_t lock; /* of all that follows */
	struct waiters to_pop, to_push;
	struct ibuf_event event;
	struct ibuf_queue *next, **link; /* of all queues: the forks lock's */
};

/* Is there a message to pop, or will there never be? */
static inline bool
queue_may_pop(const struct ibuf_queue *q)
{
	return ring_len(&q->ring) != 0 ||
	       (load_seq_cst_u32(&q->ring.signs) & SEALED) != 0;
}

/* Is there room for a push, or will it be refused? */
static inline bool
queue_may_push(const struct ibuf_queue *q)
{
	return ring_len(&q->ring) < q->ring.capacity ||
	       (load_seq_cst_u32(&q->ring.signs) & CLOSED) != 0;
}

/*
 * Leave a sign.  Whoever has looked and did not see it: what that thread had
 * stored before is seen from now on.  Gives the signs there were.
 */
uint32_t ibuf_queue_sign_(struct ibuf_queue *q, uint32_t sign);

#endif
