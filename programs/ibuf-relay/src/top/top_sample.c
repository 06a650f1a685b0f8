/*
 * top_sample.c - what a server told of itself at one moment.
 *
 * Nothing that it says is trusted: it may be too long, and a byte that does
 * not print would do with a terminal as it likes.
 */
#include "top_sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[TOP_FIELDS] = {
	[TOP_UPTIME] = "uptime_in_seconds",
	[TOP_THREADS] = "io_threads",
	[TOP_CLIENTS] = "connected_clients",
	[TOP_BLOCKED] = "blocked_clients",
	[TOP_CHANNELS] = "pubsub_channels",
	[TOP_PATTERNS] = "pubsub_patterns",
	[TOP_SHARDS] = "pubsubshard_channels",
	[TOP_PUBLISHED] = "messages_published",
	[TOP_DELIVERED] = "messages_delivered",
	[TOP_DROPPED] = "messages_dropped",
	[TOP_BYTES_IN] = "total_net_input_bytes",
	[TOP_BYTES_OUT] = "total_net_output_bytes",
	[TOP_COMMANDS] = "total_commands_processed",
	[TOP_CONNECTIONS] = "total_connections_received",
	[TOP_SLOW_CLOSED] = "client_output_limit_disconnections",
	[TOP_WAITS] = "publisher_waits",
	[TOP_EVICTED] = "evicted_clients",
	[TOP_PROTOCOL_ERRORS] = "protocol_errors",
	[TOP_ACCEPT_PAUSES] = "accept_pauses",
	[TOP_MEMORY] = "used_memory",
	[TOP_MEMORY_LIMIT] = "maxmemory",
	[TOP_ROOMS] = "pool_rooms_capacity",
	[TOP_ROOMS_ALLOCATED] = "pool_rooms_allocated",
	[TOP_ROOMS_PEAK] = "pool_rooms_peak",
	[TOP_ROOMS_FAILURES] = "pool_rooms_failures",
	[TOP_ROOMS_WINDOWS] = "pool_rooms_handles",
	[TOP_ROOMS_COPIED] = "pool_rooms_copied_bytes",
	[TOP_REPLIES_ALLOCATED] = "pool_replies_allocated",
	[TOP_REPLIES_WINDOWS] = "pool_replies_handles",
	[TOP_UPSTREAM_CHANNELS] = "upstream_channels",
	[TOP_UPSTREAM_PATTERNS] = "upstream_patterns",
	[TOP_UPSTREAM_SHARDS] = "upstream_shard_channels",
	[TOP_UPSTREAM_MESSAGES] = "upstream_messages",
	[TOP_UPSTREAM_PUBLISHED] = "upstream_published",
	[TOP_UPSTREAM_IN_FLIGHT] = "upstream_in_flight",
	[TOP_UPSTREAM_WAITING] = "upstream_waiting",
	[TOP_UPSTREAM_LOSSES] = "upstream_losses",
	[TOP_UPSTREAM_ERRORS] = "upstream_errors",
};

/* Part of a line: its bytes are not ended by a zero. */
struct span {
	const char *text;
	size_t len;
};

/* Take what stands before the next such byte off the front, and the byte. */
static struct span
take_until(struct span *from, char byte)
{
	const char *end =
		from->len > 0 ? memchr(from->text, byte, from->len) : NULL;
	struct span taken = *from;

	if (end == NULL) {
		*from = (struct span){from->text + from->len, 0};
		return taken;
	}
	taken.len = (size_t)(end - from->text);
	from->len -= taken.len + 1;
	from->text = end + 1;
	return taken;
}

static bool
is_word(struct span s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.text, word, s.len) == 0;
}

static void
copy_printable(char *to, size_t size, struct span s)
{
	size_t i;

	for (i = 0; i < s.len && i + 1 < size; i++)
		to[i] = s.text[i] >= ' ' && s.text[i] <= '~' ? s.text[i] : '?';
	to[i] = '\0';
}

/* false: it is no number. */
static bool
read_number(struct span s, unsigned long long *number)
{
	char digits[24], *end;

	if (s.len == 0 || s.len >= sizeof(digits))
		return false;
	memcpy(digits, s.text, s.len);
	digits[s.len] = '\0';
	*number = strtoull(digits, &end, 10);
	return *end == '\0' && digits[0] != '-';
}

static void
read_version(struct top_sample *s, const char *program, struct span value)
{
	char version[16];

	copy_printable(version, sizeof(version), value);
	snprintf(s->version, sizeof(s->version), "%s %s", program, version);
}

static void
read_text(struct top_sample *s, struct span name, struct span value)
{
#define COPY(field_) copy_printable(s->field_, sizeof(s->field_), value)
	/* The relay says which Redis it is like before what it is. */
	if (is_word(name, "redis_version"))
		read_version(s, "redis", value);
	else if (is_word(name, "ibuf_relay_version"))
		read_version(s, "ibuf-relay", value);
	else if (is_word(name, "upstream_state"))
		COPY(upstream_state);
	else if (is_word(name, "upstream_host"))
		COPY(upstream_host);
	else if (is_word(name, "upstream_port"))
		COPY(upstream_port);
#undef COPY
}

void
top_sample_info(struct top_sample *s, const char *text, size_t len)
{
	struct span rest = {text, len};

	while (rest.len > 0) {
		struct span line = take_until(&rest, '\n');
		struct span value, name;

		if (line.len > 0 && line.text[line.len - 1] == '\r')
			line.len--;
		value = line;
		name = take_until(&value, ':');
		read_text(s, name, value);
		for (unsigned i = 0; i < TOP_FIELDS; i++)
			if (is_word(name, names[i]))
				s->has[i] = read_number(value, &s->number[i]);
	}
}

static struct top_subscriber
read_subscriber(struct span line)
{
	struct top_subscriber s = {0};

	while (line.len > 0) {
		struct span value = take_until(&line, ' ');
		struct span name = take_until(&value, '=');
		unsigned long long number = 0;

		if (is_word(name, "addr"))
			copy_printable(s.addr, sizeof(s.addr), value);
		else if (is_word(name, "name"))
			copy_printable(s.name, sizeof(s.name), value);
		else if (!read_number(value, &number))
			continue;
		else if (is_word(name, "id"))
			s.id = number;
		else if (is_word(name, "omem"))
			s.waits_bytes = number;
		else if (is_word(name, "dropped"))
			s.lost = number;
		else if (is_word(name, "idle"))
			s.idle_s = number;
		else if (is_word(name, "sub") || is_word(name, "psub") ||
			 is_word(name, "ssub"))
			s.subscriptions += number;
	}
	return s;
}

static bool
is_slower(const struct top_subscriber *a, const struct top_subscriber *b)
{
	if (a->waits_bytes != b->waits_bytes)
		return a->waits_bytes > b->waits_bytes;
	if (a->lost != b->lost)
		return a->lost > b->lost;
	return a->id < b->id;
}

/* Put it where it belongs among the slowest; the last may fall out. */
static void
insert(struct top_sample *s, const struct top_subscriber *new)
{
	size_t i = s->subscribers_count;

	if (i == TOP_SUBSCRIBERS && !is_slower(new, &s->subscribers[i - 1]))
		return;
	if (i < TOP_SUBSCRIBERS)
		s->subscribers_count++;
	else
		i--;
	for (; i > 0 && is_slower(new, &s->subscribers[i - 1]); i--)
		s->subscribers[i] = s->subscribers[i - 1];
	s->subscribers[i] = *new;
}

void
top_sample_clients(struct top_sample *s, const char *text, size_t len)
{
	struct span rest = {text, len};

	while (rest.len > 0) {
		struct top_subscriber new =
			read_subscriber(take_until(&rest, '\n'));

		if (new.id == 0)
			continue;
		s->subscribers_total++;
		insert(s, &new);
	}
}
