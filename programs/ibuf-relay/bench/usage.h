/*
 * usage.h - what a process has used, as /proc tells it.
 */
#ifndef RELAY_BENCH_USAGE_H
#define RELAY_BENCH_USAGE_H

#include <sys/types.h>

/* CPU seconds of all its threads; of threads that ended, nothing. */
double usage_cpu_seconds(pid_t pid);

/* The most memory it had resident so far, in bytes. */
long usage_peak_bytes(pid_t pid);

/* The monotonic clock, in seconds. */
double usage_now(void);

#endif
