/*
 * load.h - one publisher and many subscribers of one channel, by hiredis.
 *
 *	publisher -- PUBLISH, at most `window` in flight --> server
 *	listeners <-- every message, in order -------------- server
 *
 * A message is in flight until every listener has it.  It begins with its
 * number and when it was sent, so each listener can tell what is missing, and
 * how long it took; the first listener compares every byte besides.
 */
#ifndef RELAY_BENCH_LOAD_H
#define RELAY_BENCH_LOAD_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_options {
	const char *unix_path; /* NULL: the port, on loopback */
	int port;
	size_t listeners, window;
	size_t size; /* of a payload */
	double seconds;
	long server; /* its process */
};

/* What a payload begins with. */
struct stamp {
	uint64_t number;
	double sent; /* usage_now() */
};

struct listener {
	redisContext *context;
	struct load *load;
	uint64_t next; /* the number of its next message */
	bool is_exact; /* compares every byte */
};

struct load {
	struct load_options options;
	int epoll;
	redisContext *publisher;
	struct listener *listeners;
	unsigned char *payload;
	bool is_blocked; /* the publisher's socket is full */

	uint64_t published, done; /* done: by every listener */
	size_t *had;              /* by how many; of a number in the window */
	uint64_t deliveries;
	float *latencies; /* in seconds; a ring */
	uint64_t latency_count;
};

enum { LATENCIES = 1 << 20 };

/* Connect and subscribe; what fails ends the program. */
void load_connect(struct load *load);

/* Say so much as the window has room for. */
void load_publish(struct load *load);

/* Wait for answers and messages, and take them. */
void load_take(struct load *load);

#endif
