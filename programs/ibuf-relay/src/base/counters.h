/*
 * counters.h - what one thread counts: it alone writes, others read.
 */
#ifndef RELAY_COUNTERS_H
#define RELAY_COUNTERS_H

#include <stdatomic.h>

struct counters {
	atomic_ullong connections, commands, published, delivered, dropped,
		slow_closed, evicted, waits, protocol_errors, bytes_in,
		bytes_out;
};

/* Not an atomic addition: there is one writer. */
static inline void
count(atomic_ullong *counter, unsigned long long n)
{
	atomic_store_explicit(
		counter,
		atomic_load_explicit(counter, memory_order_relaxed) + n,
		memory_order_relaxed);
}

#endif
