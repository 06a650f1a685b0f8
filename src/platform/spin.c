/* spin.c - waiting for a thread that is inside of a few instructions. */
#define _POSIX_C_SOURCE 200809L
#include "spin.h"

#include <pthread.h>
#include <time.h>

#define PAUSES 64            /* the holder is at work */
#define YIELDS (PAUSES + 32) /* it may have lost its CPU to us */
#define MOMENT 50000L        /* nanoseconds: others of our priority have too */

/* nanosleep() is a cancellation point, and a push is none. */
static void
sleep_for_a_moment(void)
{
	static const struct timespec moment = {0, MOMENT};
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	nanosleep(&moment, NULL);
	pthread_setcancelstate(state, &state);
}

void
ibuf_spin_wait_(unsigned *tries)
{
	if (*tries < PAUSES)
		cpu_pause();
	else if (*tries < YIELDS)
		ibuf_platform_yield_();
	else
		sleep_for_a_moment();
	if (*tries < YIELDS)
		++*tries;
}

void
ibuf_spin_take_(uint32_t *lock)
{
	unsigned tries = 0;

	do {
		while (load_relaxed_u32(lock) != 0)
			ibuf_spin_wait_(&tries);
	} while (exchange_acquire_u32(lock, 1) != 0);
}
