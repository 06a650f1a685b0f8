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

/* 0 where the server does not tell. */
static unsigned long long
number(const struct view *v, const char *name)
{
	unsigned long long n;

	(void)top_sample_number(v->now, name, &n);
	return n;
}

/* A number, or a dash where the server does not tell. */
static void
print_number(const struct view *v, const char *name, char to[NUMBER_BYTES])
{
	unsigned long long n;

	if (top_sample_number(v->now, name, &n))
		snprintf(to, NUMBER_BYTES, "%llu", n);
	else
		strcpy(to, "-");
}

static void
print_rate(const struct view *v, const char *name, double thousand,
	   char to[NUMBER_BYTES])
{
	double seconds = (double)(v->now->at_ns - v->before->at_ns) / 1e9;
	unsigned long long old, new;

	strcpy(to, "-");
	if (v->before->at_ns == 0 || seconds <= 0 ||
	    !top_sample_number(v->now, name, &new) ||
	    !top_sample_number(v->before, name, &old))
		return;
	/* Another server may stand there now, which began at zero. */
	print_short(to, new > old ? (double)(new - old) / seconds : 0,
		    thousand);
}

static void
print_uptime(const struct view *v, char to[NUMBER_BYTES])
{
	unsigned long long s = number(v, "uptime_in_seconds");

	if (s >= 86400)
		snprintf(to, NUMBER_BYTES, "%llud %lluh", s / 86400,
			 s / 3600 % 24);
	else
		snprintf(to, NUMBER_BYTES, "%llu:%02llu:%02llu", s / 3600,
			 s / 60 % 60, s % 60);
}

/* The relay says which Redis it is like, and what it is. */
static void
show_title(struct view *v, const char *where)
{
	char uptime[NUMBER_BYTES], threads[NUMBER_BYTES], version[16];
	const char *program = "ibuf-relay";

	print_uptime(v, uptime);
	print_number(v, "io_threads", threads);
	top_sample_text(v->now, "ibuf_relay_version", version, sizeof(version));
	if (version[0] == '\0') {
		program = "redis";
		top_sample_text(v->now, "redis_version", version,
				sizeof(version));
	}
	line(v, "\033[7m", "%s %s at %s, up %s, threads %s; q ends", program,
	     version, where, uptime, threads);
}

static void
show_who(struct view *v)
{
	static const char *const names[] = {
		"connected_clients", "blocked_clients",      "pubsub_channels",
		"pubsub_patterns",   "pubsubshard_channels",
	};
	char text[5][NUMBER_BYTES];

	for (size_t i = 0; i < 5; i++)
		print_number(v, names[i], text[i]);
	line(v, "",
	     "clients %s, %s blocked   subscribers %zu   channels %s   "
	     "patterns %s   shards %s",
	     text[0], text[1], v->now->subscribers_total, text[2], text[3],
	     text[4]);
}

/* A number that grows: how much each second, and in all. */
struct cell {
	const char *label;
	const char *name; /* in INFO */
	double thousand;  /* 1024 for bytes */
};

static void
show_cells(struct view *v, const struct cell cells[2])
{
	char rate[2][NUMBER_BYTES], total[2][NUMBER_BYTES];

	for (size_t i = 0; i < 2; i++) {
		print_rate(v, cells[i].name, cells[i].thousand, rate[i]);
		print_number(v, cells[i].name, total[i]);
	}
	line(v, "", "%-13s %8s %18s  %-15s %8s %10s", cells[0].label, rate[0],
	     total[0], cells[1].label, rate[1], total[1]);
}

static void
show_rates(struct view *v)
{
	static const struct cell cells[][2] = {
		{{"messages in", "messages_published", 1000},
		 {"lost", "messages_dropped", 1000}},
		{{"messages out", "messages_delivered", 1000},
		 {"closed as slow", "client_output_limit_disconnections",
		  1000}},
		{{"bytes in", "total_net_input_bytes", 1024},
		 {"evicted", "evicted_clients", 1000}},
		{{"bytes out", "total_net_output_bytes", 1024},
		 {"protocol errors", "protocol_errors", 1000}},
		{{"commands", "total_commands_processed", 1000},
		 {"accept pauses", "accept_pauses", 1000}},
		{{"connections", "total_connections_received", 1000},
		 {"publisher waits", "publisher_waits", 1000}},
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
		{{"from upstream", "upstream_messages", 1000},
		 {"links lost", "upstream_losses", 1000}},
		{{"to upstream", "upstream_published", 1000},
		 {"upstream errors", "upstream_errors", 1000}},
	};
	char state[16], host[64], port[8];

	top_sample_text(v->now, "upstream_state", state, sizeof(state));
	if (state[0] == '\0')
		return;
	top_sample_text(v->now, "upstream_host", host, sizeof(host));
	top_sample_text(v->now, "upstream_port", port, sizeof(port));
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		show_cells(v, cells[i]);
	line(v, "", "upstream %s port %s is %s; %llu in flight, %llu waiting",
	     host, port, state, number(v, "upstream_in_flight"),
	     number(v, "upstream_waiting"));
	line(v, "", "channels there %llu   patterns %llu   shards %llu",
	     number(v, "upstream_channels"), number(v, "upstream_patterns"),
	     number(v, "upstream_shard_channels"));
}

static void
show_memory(struct view *v)
{
	char used[NUMBER_BYTES], limit[NUMBER_BYTES], copied[NUMBER_BYTES];
	unsigned long long rooms;

	print_bytes(used, number(v, "used_memory"));
	print_bytes(limit, number(v, "maxmemory"));
	line(v, "", "memory %s of %s", used,
	     number(v, "maxmemory") > 0 ? limit : "no limit");
	if (!top_sample_number(v->now, "pool_rooms_capacity", &rooms))
		return;
	print_bytes(copied, number(v, "pool_rooms_copied_bytes"));
	line(v, "",
	     "rooms %llu of %llu in use, peak %llu, failed %llu, copied %s",
	     number(v, "pool_rooms_allocated"), rooms,
	     number(v, "pool_rooms_peak"), number(v, "pool_rooms_failures"),
	     copied);
	line(v, "",
	     "replies %llu in use; windows onto rooms %llu, replies %llu",
	     number(v, "pool_replies_allocated"),
	     number(v, "pool_rooms_handles"),
	     number(v, "pool_replies_handles"));
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
