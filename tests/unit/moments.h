/*
 * moments.h - what a test does at the worst of moments: just before another
 * thread takes a lock, or while some thread makes all others pass a barrier;
 * and a system that refuses barriers.
 *
 * A test that includes it is linked with --wrap=pthread_mutex_lock and
 * --wrap=syscall.
 */
#ifndef MOMENTS_H
#define MOMENTS_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What this thread does before it takes a lock; once. */
static __thread void (*before_lock)(void);

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);

int
__wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	void (*moment)(void) = before_lock;

	before_lock = NULL;
	if (moment != NULL)
		moment();
	return __real_pthread_mutex_lock(mutex);
}

static atomic_int barriers;      /* passed */
static atomic_bool no_barriers;  /* the system refuses them */
static void (*at_barrier)(void); /* what happens meanwhile; once */

long __wrap_syscall(long number, long command, long flags, long cpu);
long __real_syscall(long number, long command, long flags, long cpu);

long
__wrap_syscall(long number, long command, long flags, long cpu)
{
	void (*moment)(void) = at_barrier;

	if (number != SYS_membarrier)
		return __real_syscall(number, command, flags, cpu);
	if (no_barriers) {
		errno = EPERM;
		return -1;
	}
	if (__real_syscall(number, command, flags, cpu) != 0)
		return -1;
	barriers++;
	at_barrier = NULL;
	if (moment != NULL)
		moment();
	return 0;
}

#endif
