/*
 * relay.h - what all threads of the program share.
 *
 *	main: accepts --- POST_CLIENT --> worker: its clients, one epoll loop
 *	                                  worker <-- POST_PUBLISH --> worker
 *
 * Everything here is set before the workers start and stays, or says itself
 * how threads share it.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "../config/options.h"
#include "../config/settings.h"
#include "../fanout/directory.h"
#include "registry.h"
#include <ibuf/ibuf.h>
#include <stdatomic.h>
#include <stdint.h>

/* What is read goes into elements of this size, many requests into one. */
enum { RELAY_ROOM_BYTES = 64 * 1024 };

/* The version of Redis that clients are told to expect. */
#define RELAY_REDIS_VERSION "7.0.15"

/* Of one thread, which alone writes; others read. */
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

struct relay {
	struct options options;
	struct settings settings;  /* what of them may change */
	struct ibuf_pool *rooms;   /* what is read; max is --max-memory */
	struct ibuf_pool *replies; /* small pieces of what is written */
	struct directory *directory;
	struct registry registry;
	struct worker **workers;   /* options.threads of them */
	struct upstream *upstream; /* NULL: none, we are the server */
	uint64_t started_ns;       /* monotonic */
	atomic_uint reading;       /* threads that may still publish */
	atomic_ullong accept_pauses;
	atomic_uint held; /* publishers that wait for slow subscribers */
};

#endif
