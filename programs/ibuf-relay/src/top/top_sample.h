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

enum { TOP_SUBSCRIBERS = 64 };

struct top_subscriber {
	unsigned long long id, waits_bytes, lost, subscriptions, idle_s;
	char addr[48], name[32];
};

/* All zero: there is none. */
struct top_sample {
	uint64_t at_ns;
	char *info; /* as it came */
	size_t info_len;

	/* Those for whom most waits, the most first. */
	struct top_subscriber subscribers[TOP_SUBSCRIBERS];
	size_t subscribers_count; /* how many of them are here */
	size_t subscribers_total; /* and how many there are */
};

/* There is none any more. */
void top_sample_clear(struct top_sample *s);

/* Keep what INFO says.  false: no memory. */
bool top_sample_info(struct top_sample *s, const char *text, size_t len);

/* Read what CLIENT LIST says. */
void top_sample_clients(struct top_sample *s, const char *text, size_t len);

/* A number of INFO, by its name there.  false, and 0: there is none. */
bool top_sample_number(const struct top_sample *s, const char *name,
		       unsigned long long *number);

/* A text of INFO; "": there is none. */
void top_sample_text(const struct top_sample *s, const char *name, char *to,
		     size_t size);

#endif
