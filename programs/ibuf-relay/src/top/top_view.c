/*
 * top_view.c - two samples as a screen.
 *
 * A line is cut at the right edge and lines at the bottom; each clears what
 * was behind it, so nothing flickers.
 */
#include "top_view.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct view {
	struct ibuf_mbuf *to;
	const struct top_sample *before, *now;
	unsigned width, height, row;
	int error;
};

enum { NUMBER_BYTES = 24 };

__attribute__((format(printf, 3, 4))) static void
line(struct view *v, const char *style, const char *format, ...)
{
	char text[512];
	va_list args;
	int n;

	if (v->error != 0 || v->row == v->height)
		return;
	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n >= (int)sizeof(text))
		n = (int)sizeof(text) - 1;
	if (n > (int)v->width)
		n = (int)v->width;
	/* Behind a full line clearing would take its last letter. */
	v->error = ibuf_mbuf_printf(v->to, "%s%s%.*s%s%s",
				    v->row > 0 ? "\r\n" : "", style, n, text,
				    *style != '\0' ? "\033[m" : "",
				    n < (int)v->width ? "\033[K" : "");
	v->row++;
}

/* 999, 1.2k, 34M: four letters or so. */
static void
print_short(char to[NUMBER_BYTES], double number, double thousand)
{
	static const char units[] = " kMGTPE";
	size_t unit = 0;

	while (number >= thousand - 0.5 && units[unit + 1] != '\0') {
		number /= thousand;
		unit++;
	}
	if (unit == 0)
		snprintf(to, NUMBER_BYTES, "%.0f", number);
	else
		snprintf(to, NUMBER_BYTES, number < 9.95 ? "%.1f%c" : "%.0f%c",
			 number, units[unit]);
}

static void
print_bytes(char to[NUMBER_BYTES], unsigned long long bytes)
{
	print_short(to, (double)bytes, 1024);
}

/* A number, or a dash where the server does not tell. */
static void
print_number(const struct view *v, enum top_field field, char to[NUMBER_BYTES])
{
	if (v->now->has[field])
		snprintf(to, NUMBER_BYTES, "%llu", v->now->number[field]);
	else
		strcpy(to, "-");
}

static void
print_rate(const struct view *v, enum top_field field, double thousand,
	   char to[NUMBER_BYTES])
{
	double seconds = (double)(v->now->at_ns - v->before->at_ns) / 1e9;
	unsigned long long old = v->before->number[field];
	unsigned long long new = v->now->number[field];

	strcpy(to, "-");
	if (v->before->at_ns == 0 || seconds <= 0 || !v->now->has[field] ||
	    !v->before->has[field])
		return;
	/* Another server may stand there now, which began at zero. */
	print_short(to, new > old ? (double)(new - old) / seconds : 0,
		    thousand);
}

static void
print_uptime(const struct view *v, char to[NUMBER_BYTES])
{
	unsigned long long s = v->now->number[TOP_UPTIME];

	if (s >= 86400)
		snprintf(to, NUMBER_BYTES, "%llud %lluh", s / 86400,
			 s / 3600 % 24);
	else
		snprintf(to, NUMBER_BYTES, "%llu:%02llu:%02llu", s / 3600,
			 s / 60 % 60, s % 60);
}

static void
show_title(struct view *v, const char *where)
{
	char uptime[NUMBER_BYTES], threads[NUMBER_BYTES];

	print_uptime(v, uptime);
	print_number(v, TOP_THREADS, threads);
	line(v, "\033[7m", "%s at %s, up %s, threads %s; q ends",
	     v->now->version, where, uptime, threads);
}

static void
show_who(struct view *v)
{
	char clients[NUMBER_BYTES], blocked[NUMBER_BYTES];
	char channels[NUMBER_BYTES], patterns[NUMBER_BYTES];
	char shards[NUMBER_BYTES];

	print_number(v, TOP_CLIENTS, clients);
	print_number(v, TOP_BLOCKED, blocked);
	print_number(v, TOP_CHANNELS, channels);
	print_number(v, TOP_PATTERNS, patterns);
	print_number(v, TOP_SHARDS, shards);
	line(v, "",
	     "clients %s, %s blocked   subscribers %zu   channels %s   "
	     "patterns %s   shards %s",
	     clients, blocked, v->now->subscribers_total, channels, patterns,
	     shards);
}

/* A number that grows: how much each second, and in all. */
struct cell {
	const char *label;
	enum top_field field;
	double thousand; /* 1024 for bytes */
};

static void
show_cells(struct view *v, const struct cell cells[2])
{
	char rate[2][NUMBER_BYTES], total[2][NUMBER_BYTES];

	for (size_t i = 0; i < 2; i++) {
		print_rate(v, cells[i].field, cells[i].thousand, rate[i]);
		print_number(v, cells[i].field, total[i]);
	}
	line(v, "", "%-13s %8s %18s  %-15s %8s %10s", cells[0].label, rate[0],
	     total[0], cells[1].label, rate[1], total[1]);
}

static void
show_rates(struct view *v)
{
	static const struct cell cells[][2] = {
		{{"messages in", TOP_PUBLISHED, 1000},
		 {"lost", TOP_DROPPED, 1000}},
		{{"messages out", TOP_DELIVERED, 1000},
		 {"closed as slow", TOP_SLOW_CLOSED, 1000}},
		{{"bytes in", TOP_BYTES_IN, 1024},
		 {"evicted", TOP_EVICTED, 1000}},
		{{"bytes out", TOP_BYTES_OUT, 1024},
		 {"protocol errors", TOP_PROTOCOL_ERRORS, 1000}},
		{{"commands", TOP_COMMANDS, 1000},
		 {"accept pauses", TOP_ACCEPT_PAUSES, 1000}},
		{{"connections", TOP_CONNECTIONS, 1000},
		 {"publisher waits", TOP_WAITS, 1000}},
	};

	line(v, "\033[1m", "%-13s %8s %18s  %-15s %8s %10s", "", "each s",
	     "in all", "", "each s", "in all");
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		show_cells(v, cells[i]);
}

static void
show_upstream(struct view *v)
{
	static const struct cell cells[][2] = {
		{{"from upstream", TOP_UPSTREAM_MESSAGES, 1000},
		 {"links lost", TOP_UPSTREAM_LOSSES, 1000}},
		{{"to upstream", TOP_UPSTREAM_PUBLISHED, 1000},
		 {"upstream errors", TOP_UPSTREAM_ERRORS, 1000}},
	};
	const unsigned long long *number = v->now->number;

	if (v->now->upstream_state[0] == '\0')
		return;
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		show_cells(v, cells[i]);
	line(v, "", "upstream %s port %s is %s; %llu in flight, %llu waiting",
	     v->now->upstream_host, v->now->upstream_port,
	     v->now->upstream_state, number[TOP_UPSTREAM_IN_FLIGHT],
	     number[TOP_UPSTREAM_WAITING]);
	line(v, "", "channels there %llu   patterns %llu   shards %llu",
	     number[TOP_UPSTREAM_CHANNELS], number[TOP_UPSTREAM_PATTERNS],
	     number[TOP_UPSTREAM_SHARDS]);
}

static void
show_memory(struct view *v)
{
	const unsigned long long *number = v->now->number;
	char used[NUMBER_BYTES], limit[NUMBER_BYTES], copied[NUMBER_BYTES];

	print_bytes(used, number[TOP_MEMORY]);
	print_bytes(limit, number[TOP_MEMORY_LIMIT]);
	line(v, "", "memory %s of %s", used,
	     number[TOP_MEMORY_LIMIT] > 0 ? limit : "no limit");
	if (!v->now->has[TOP_ROOMS])
		return;
	print_bytes(copied, number[TOP_ROOMS_COPIED]);
	line(v, "",
	     "rooms %llu of %llu in use, peak %llu, failed %llu, copied %s",
	     number[TOP_ROOMS_ALLOCATED], number[TOP_ROOMS],
	     number[TOP_ROOMS_PEAK], number[TOP_ROOMS_FAILURES], copied);
	line(v, "",
	     "replies %llu in use; windows onto rooms %llu, replies %llu",
	     number[TOP_REPLIES_ALLOCATED], number[TOP_ROOMS_WINDOWS],
	     number[TOP_REPLIES_WINDOWS]);
}

static void
show_subscribers(struct view *v)
{
	line(v, "\033[1m", "%8s %8s %10s %6s %6s  %-22s %s", "slowest", "waits",
	     "lost", "topics", "idle", "address", "name");
	for (size_t i = 0; i < v->now->subscribers_count; i++) {
		const struct top_subscriber *s = &v->now->subscribers[i];
		char waits[NUMBER_BYTES];

		print_bytes(waits, s->waits_bytes);
		line(v, "", "%8llu %8s %10llu %6llu %5llus  %-22s %s", s->id,
		     waits, s->lost, s->subscriptions, s->idle_s, s->addr,
		     s->name);
	}
}

int
top_view_print(struct ibuf_mbuf *to, const char *where,
	       const struct top_sample *before, const struct top_sample *now,
	       unsigned width, unsigned height)
{
	struct view v = {to, before, now, width, height, 0, 0};

	v.error = ibuf_mbuf_printf(to, "\033[H");
	show_title(&v, where);
	show_who(&v);
	line(&v, "", "%s", "");
	show_rates(&v);
	show_upstream(&v);
	line(&v, "", "%s", "");
	show_memory(&v);
	line(&v, "", "%s", "");
	show_subscribers(&v);
	if (v.error == 0)
		v.error = ibuf_mbuf_printf(to, "\033[J");
	return v.error;
}
