/* view.c - pools in the order that is asked for, then queues, then troubles. */
#include "view.h"
#include <stdlib.h>
#include <string.h>

const struct view_order view_orders[VIEW_ORDERS] = {
	{"allocated", 'a', ALLOCATED}, {"rate", 'r', ALLOCS},
	{"copied", 'c', COPIED},       {"failures", 'f', FAILURES},
	{"mapped", 'm', MAPPED},       {"name", 'n', NUMBERS},
	{"pid", 'p', NUMBERS},
};

const struct view_order *
view_order_named(const char *name)
{
	size_t i;

	for (i = 0; i < VIEW_ORDERS; i++)
		if (strcmp(view_orders[i].name, name) == 0)
			return &view_orders[i];
	return NULL;
}

struct row {
	const struct program *program;
	const struct pool *pool;
	const struct view_order *order;
};

static double
weight(const struct row *row)
{
	enum number number = row->order->number;

	/* Before there is a rate, what has been counted. */
	if (number == ALLOCS || number == COPIED)
		return row->pool->rate[number] >= 0
			       ? row->pool->rate[number]
			       : (double)row->pool->number[number] * 1e-9;
	return (double)row->pool->number[number];
}

/* Rows that are alike stay where they are: by process and address. */
static int
compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = 0;

	if (x->order->number != NUMBERS)
		order = (weight(x) < weight(y)) - (weight(x) > weight(y));
	else if (x->order->key == 'n')
		order = strcmp(x->pool->name, y->pool->name);
	if (order == 0)
		order = (x->program->pid > y->program->pid) -
			(x->program->pid < y->program->pid);
	if (order == 0)
		order = (x->pool->address > y->pool->address) -
			(x->pool->address < y->pool->address);
	return order;
}

enum { NUMBER = 16 };

/* 999, 1.2k, 34M: four letters or so; below 0: a dash. */
static const char *
shortly(char to[NUMBER], double number, double thousand)
{
	static const char units[] = " kMGTPE";
	size_t unit = 0;

	while (number >= thousand - 0.5 && units[unit + 1] != '\0') {
		number /= thousand;
		unit++;
	}
	if (number < 0)
		strcpy(to, "-");
	else if (unit == 0)
		snprintf(to, NUMBER, "%.0f", number);
	else
		snprintf(to, NUMBER, number < 9.95 ? "%.1f%c" : "%.0f%c",
			 number, units[unit]);
	return to;
}

/* What is shown of a number, or of how fast it grows. */
static const struct column {
	const char *heading;
	enum number number;
	bool is_rate;
	double thousand;
} columns[] = {
	{"ALLOC", ALLOCATED, false, 1000}, {"OF", CAPACITY, false, 1000},
	{"CACHED", CACHED, false, 1000},   {"PEAK", PEAK, false, 1000},
	{"CLONES", CLONES, false, 1000},   {"MAPPED", MAPPED, false, 1024},
	{"ALLOC/S", ALLOCS, true, 1000},   {"COPIED", COPIED, false, 1024},
	{"COPY/S", COPIED, true, 1024},    {"GROWS", GROWS, false, 1000},
	{"WAITS", WAITS, false, 1000},     {"FAILED", FAILURES, false, 1000},
};

enum { COLUMNS = sizeof columns / sizeof *columns, WIDTH = 256 };

/* What is out of the ordinary: it fails, now or for all that is known. */
static enum view_style
style_of(const struct pool *pool)
{
	bool at_max = pool->max != 0 && pool->number[ALLOCATED] >= pool->max;
	double rate = pool->rate[FAILURES];

	return at_max || rate > 0 ? VIEW_ALARM : VIEW_PLAIN;
}

static void
pool_line(char text[WIDTH], const struct row *row)
{
	const struct pool *pool = row->pool;
	char number[NUMBER];
	size_t i;
	int n = snprintf(text, WIDTH, "%7ld %-15.15s %-20.20s",
			 (long)row->program->pid, row->program->command,
			 pool->name);

	for (i = 0; i < COLUMNS; i++)
		n += snprintf(
			text + n, WIDTH - (size_t)n, " %7s",
			shortly(number,
				columns[i].is_rate
					? pool->rate[columns[i].number]
					: (double)pool
						  ->number[columns[i].number],
				columns[i].thousand));
	if (pool->closed)
		snprintf(text + n, WIDTH - (size_t)n, " destroyed");
}

static void
queue_line(char text[WIDTH], const struct program *program,
	   const struct queue *q)
{
	char push[NUMBER], pop[NUMBER];

	snprintf(text, WIDTH, "%7ld %-15.15s 0x%-18llx %7lu %7lu %7s %7s%s%s%s",
		 (long)program->pid, program->command,
		 (unsigned long long)q->address, (unsigned long)q->len,
		 (unsigned long)q->most, shortly(push, q->push_rate, 1000),
		 shortly(pop, q->pop_rate, 1000), q->closed ? " closed" : "",
		 q->popper ? " waited for" : "", q->pusher ? " full" : "");
}

/* All pools, sorted; how many. */
static size_t
sort_pools(const struct sample *s, const struct view_order *order,
	   struct row *rows)
{
	size_t n = 0, i, j;

	for (i = 0; i < s->count; i++)
		for (j = 0; j < s->programs[i].pools_count; j++)
			rows[n++] =
				(struct row){&s->programs[i],
					     &s->programs[i].pools[j], order};
	if (n > 1)
		qsort(rows, n, sizeof *rows, compare);
	return n;
}

static void
show_queues(const struct sample *s,
	    void (*line)(const char *text, enum view_style style, void *arg),
	    void *arg)
{
	char text[WIDTH];
	size_t i, j, n = 0;

	for (i = 0; i < s->count; i++)
		for (j = 0; j < s->programs[i].queues_count; j++) {
			if (n++ == 0) {
				snprintf(text, sizeof text,
					 "%7s %-15s %-20s %7s %7s %7s %7s",
					 "PID", "COMMAND", "QUEUE", "LEN", "OF",
					 "PUSH/S", "POP/S");
				line(text, VIEW_HEADING, arg);
			}
			queue_line(text, &s->programs[i],
				   &s->programs[i].queues[j]);
			line(text, VIEW_PLAIN, arg);
		}
}

bool
view_lines(const struct sample *s, const struct view_order *order,
	   void (*line)(const char *text, enum view_style style, void *arg),
	   void *arg)
{
	char text[WIDTH];
	struct row *rows;
	size_t n = 1, i;
	int end;

	for (i = 0; i < s->count; i++)
		n += s->programs[i].pools_count;
	rows = calloc(n, sizeof *rows);
	if (rows == NULL)
		return false;
	end = snprintf(text, sizeof text, "%7s %-15s %-20s", "PID", "COMMAND",
		       "POOL");
	for (i = 0; i < COLUMNS; i++)
		end += snprintf(text + end, sizeof text - (size_t)end, " %7s",
				columns[i].heading);
	line(text, VIEW_HEADING, arg);
	n = sort_pools(s, order, rows);
	for (i = 0; i < n; i++) {
		pool_line(text, &rows[i]);
		line(text, style_of(rows[i].pool), arg);
	}
	free(rows);
	show_queues(s, line, arg);
	for (i = 0; i < s->count; i++)
		if (s->programs[i].trouble[0] != '\0') {
			snprintf(text, sizeof text, "process %ld, %s: %s",
				 (long)s->programs[i].pid,
				 s->programs[i].command,
				 s->programs[i].trouble);
			line(text, VIEW_ALARM, arg);
		}
	return true;
}
