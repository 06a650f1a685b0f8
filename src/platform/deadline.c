/* deadline.c - when a wait is over. */
#define _POSIX_C_SOURCE 200809L
#include "deadline.h"

#include <stdint.h>

#define LONGEST INT64_C(1000000000) /* seconds; more is for ever */
#define SECOND 1000000000L          /* nanoseconds */

/* The most seconds that a tv_nsec of 64 bits can carry, and a few more. */
#define CARRY_MOST INT64_C(10000000000)

bool
ibuf_deadline_after_(struct timespec *end, const struct timespec *timeout)
{
	int64_t seconds = timeout->tv_sec;
	int64_t carry = timeout->tv_nsec / SECOND;
	long rest = (long)(timeout->tv_nsec % SECOND);
	struct timespec now;

	if (rest < 0) {
		rest += SECOND;
		carry--;
	}
	/* Beyond these no carry changes the answer, within none overflows. */
	if (seconds > LONGEST + CARRY_MOST)
		seconds = LONGEST + CARRY_MOST;
	if (seconds < -2 * CARRY_MOST)
		seconds = -2 * CARRY_MOST;
	seconds += carry;
	if (seconds < 0 || (seconds == 0 && rest == 0))
		return false;
	if (seconds >= LONGEST) {
		seconds = LONGEST;
		rest = 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	rest += now.tv_nsec;
	end->tv_sec = now.tv_sec + (time_t)(seconds + rest / SECOND);
	end->tv_nsec = rest % SECOND;
	return true;
}

int
ibuf_deadline_condition_(pthread_cond_t *condition)
{
	pthread_condattr_t monotonic;
	int error = pthread_condattr_init(&monotonic);

	if (error != 0)
		return error;
	error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	if (error == 0)
		error = pthread_cond_init(condition, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return error;
}
