/*
 * top_sample.h - what a server told of itself at one moment.
 *
 * From INFO come numbers, some of which a redis-server does not have; from
 * CLIENT LIST the subscribers for whom most waits.
 */
#ifndef RELAY_TOP_SAMPLE_H
#define RELAY_TOP_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum top_field {
	TOP_UPTIME,
	TOP_THREADS,
	TOP_CLIENTS,
	TOP_BLOCKED,
	TOP_CHANNELS,
	TOP_PATTERNS,
	TOP_SHARDS,
	TOP_PUBLISHED,
	TOP_DELIVERED,
	TOP_DROPPED,
	TOP_BYTES_IN,
	TOP_BYTES_OUT,
	TOP_COMMANDS,
	TOP_CONNECTIONS,
	TOP_SLOW_CLOSED,
	TOP_WAITS,
	TOP_EVICTED,
	TOP_PROTOCOL_ERRORS,
	TOP_ACCEPT_PAUSES,
	TOP_MEMORY,
	TOP_MEMORY_LIMIT,
	TOP_ROOMS,
	TOP_ROOMS_ALLOCATED,
	TOP_ROOMS_PEAK,
	TOP_ROOMS_FAILURES,
	TOP_ROOMS_WINDOWS,
	TOP_ROOMS_COPIED,
	TOP_REPLIES_ALLOCATED,
	TOP_REPLIES_WINDOWS,
	TOP_UPSTREAM_CHANNELS,
	TOP_UPSTREAM_PATTERNS,
	TOP_UPSTREAM_SHARDS,
	TOP_UPSTREAM_MESSAGES,
	TOP_UPSTREAM_PUBLISHED,
	TOP_UPSTREAM_IN_FLIGHT,
	TOP_UPSTREAM_WAITING,
	TOP_UPSTREAM_LOSSES,
	TOP_UPSTREAM_ERRORS,
	TOP_FIELDS
};

enum { TOP_SUBSCRIBERS = 64 };

struct top_subscriber {
	unsigned long long id, waits_bytes, lost, subscriptions, idle_s;
	char addr[48], name[32];
};

struct top_sample {
	uint64_t at_ns; /* 0: there is none */
	bool has[TOP_FIELDS];
	unsigned long long number[TOP_FIELDS];
	char version[32]; /* "ibuf-relay 0.1.0", "redis 7.0.15" */

	/* Of the upstream; "": there is none. */
	char upstream_state[16], upstream_host[64], upstream_port[8];

	/* Those for whom most waits, the most first. */
	struct top_subscriber subscribers[TOP_SUBSCRIBERS];
	size_t subscribers_count; /* how many of them are here */
	size_t subscribers_total; /* and how many there are */
};

/* Read what INFO says. */
void top_sample_info(struct top_sample *s, const char *text, size_t len);

/* Read what CLIENT LIST says. */
void top_sample_clients(struct top_sample *s, const char *text, size_t len);

#endif
