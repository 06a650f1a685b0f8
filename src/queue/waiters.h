/* waiters.h - threads that sleep until a queue has a message, or room. */
#ifndef IBUF_SRC_WAITERS_H
#define IBUF_SRC_WAITERS_H

#include "state.h"

/*
 * Sleep until somebody wakes this thread, or until end; NULL: for ever.
 * Returns at once where there is nothing to wait for.  A cancellation point:
 * a wake that a cancelled thread got goes to the next one.
 *
 * Gives false when the time is over.  After true there may be something, but
 * others may be faster.
 */
bool ibuf_waiters_sleep_(struct ibuf_queue *q, struct waiters *waiters,
			 const struct timespec *end);

/* The queue's lock is held: wake the first n. */
void ibuf_waiters_wake_(struct waiters *waiters, size_t n);

#endif
