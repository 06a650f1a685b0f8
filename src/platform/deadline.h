/*
 * deadline.h - when a wait is over, read alike by every function that waits.
 *
 *   negative              over at once
 *   nanoseconds           any number: whole seconds are carried
 *   more than 10^9 s      for ever: 10^9 s, so that no sum overflows
 */
#ifndef IBUF_SRC_DEADLINE_H
#define IBUF_SRC_DEADLINE_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

/*
 * Find the moment of the monotonic clock at which a wait that begins now is
 * over.  false: there is no time to wait, and *end is untouched.
 */
bool ibuf_deadline_after_(struct timespec *end, const struct timespec *timeout);

/* Make a condition whose waits end at such moments; 0, or an error number. */
int ibuf_deadline_condition_(pthread_cond_t *condition);

#endif
