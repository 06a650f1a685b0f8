/* report.c - what lives, and mistakes, are told of: for IBUF_DEBUG. */
#define _POSIX_C_SOURCE 200809L
#include "debug.h"

#include "record.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A line, or a piece of one, to standard error. */
#define say(...) ((void)dprintf(STDERR_FILENO, __VA_ARGS__))

static void
say_stack(const struct ibuf_stack *stack)
{
	char name[400];
	unsigned i;

	for (i = 0; i < stack->n; i++) {
		ibuf_stack_name_(stack->callers[i], name, sizeof name);
		say("ibuf:     #%u %s\n", i, name);
	}
}

void
ibuf_debug_say_site_(const char *what, const struct ibuf_site *site)
{
	if (site == NULL)
		return;
	say("ibuf:   %s\n", what);
	say_stack(&site->stack);
}

/* ---- a mistake ------------------------------------------------------------ */

static void
say_what(const struct ibuf_record *record)
{
	if (record->kind == RECORD_ROOM)
		say("ibuf: room %p of the heap",
		    (void *)heap_room_base(record->of));
	else
		say("ibuf: mbuf %p of pool \"%s\"", record->of,
		    record->pool->owner.name);
}

static void
say_sites(const struct ibuf_record *record)
{
	ibuf_debug_say_site_("allocated by", record->site);
	ibuf_debug_say_site_("freed by", record->freed);
}

_Noreturn void
ibuf_debug_die_(const struct ibuf_record *record,
		void (*behind)(const struct ibuf_record *record),
		const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof line, format, args);
	va_end(args);
	say_what(record);
	say("%s%s\n", line[0] == ':' ? "" : " ", line);
	say_sites(record);
	if (behind != NULL)
		behind(record);
	abort();
}

_Noreturn void
ibuf_debug_die_twice_(const struct ibuf_record *record, const char *owner,
		      const void *of, void *caller)
{
	struct ibuf_stack stack;

	if (record != NULL)
		say_what(record);
	else
		say("ibuf: mbuf %p of pool \"%s\"", of, owner);
	say(" is freed twice\n");
	if (record != NULL)
		say_sites(record);
	ibuf_stack_take_(&stack, caller);
	say("ibuf:   and then freed by\n");
	say_stack(&stack);
	abort();
}

/* ---- leaks ---------------------------------------------------------------- */

/* What is told of one site. */
struct line {
	const struct ibuf_site *site;
	size_t messages, bytes;
};

static int
by_bytes(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : 0;
}

/* The bytes of a message that lives; of the heap, as its header says. */
static size_t
bytes_of(const struct ibuf_record *record)
{
	return record->bytes != 0
		       ? record->bytes
		       : load_relaxed_u32(
				 &((const struct ibuf_mbuf *)record->of)->cap_);
}

/* Is it a message that lives, and not told of?  Any pool's, where none is named;
   clones of a pool's are in the room of another. */
static bool
is_due(const struct ibuf_record *record, const struct ibuf_pool *p)
{
	return record->site != NULL && !record->told && !record->held &&
	       record->pool != NULL && (p == NULL || record->pool == p) &&
	       (record->kind == IBUF_DIRECT_ || record->pool->owner.index == 0);
}

/* The next record to tell of; NULL: none.  The lock is held. */
static struct ibuf_record *
next_due(const struct ibuf_record *record, size_t *list,
	 const struct ibuf_pool *p)
{
	struct ibuf_record *next = ibuf_record_next_(record, list);

	while (next != NULL && !is_due(next, p))
		next = ibuf_record_next_(next, list);
	return next;
}

/* Sum up the records of a pool; how many sites.  The lock is held. */
static size_t
sum_up(const struct ibuf_pool *p)
{
	struct ibuf_record *record = NULL;
	size_t list = 0, n = 0;

	while ((record = next_due(record, &list, p)) != NULL) {
		if (record->site->messages++ == 0)
			n++;
		record->site->bytes += bytes_of(record);
	}
	return n;
}

/* Take the sums, into n lines or into none.  The lock is held. */
static void
take_sums(const struct ibuf_pool *p, struct line *lines)
{
	struct ibuf_record *record = NULL;
	size_t list = 0;

	while ((record = next_due(record, &list, p)) != NULL) {
		struct ibuf_site *site = record->site;

		record->told = true;
		if (site->messages == 0)
			continue;
		if (lines != NULL)
			*lines++ = (struct line){site, site->messages,
						 site->bytes};
		site->messages = 0;
		site->bytes = 0;
	}
}

static void
say_site(const struct line *line)
{
	const struct ibuf_stack *stack = &line->site->stack;

	say("ibuf:   %zu of %zu bytes, allocated by\n", line->messages,
	    line->bytes);
	say_stack(stack);
}

/* Tell of one pool; its name is not known any more once the lock is let go. */
static void
report_one(const struct ibuf_pool *p, unsigned each)
{
	char name[64];
	size_t n, i, messages = 0, bytes = 0;
	struct line *lines;

	(void)snprintf(name, sizeof name, "%s", p->owner.name);
	n = sum_up(p);
	lines = n == 0 ? NULL : calloc(n, sizeof *lines);
	take_sums(p, lines);
	ibuf_record_unlock_();
	for (i = 0; lines != NULL && i < n; i++) {
		messages += lines[i].messages;
		bytes += lines[i].bytes;
	}
	if (lines != NULL) {
		say("ibuf: pool \"%s\": %zu message%s of %zu bytes %s%s\n",
		    name, messages, messages == 1 ? "" : "s", bytes,
		    messages == 1 ? "lives" : "live",
		    each == 1 ? "" : ", of those that were recorded");
		qsort(lines, n, sizeof *lines, by_bytes);
	}
	for (i = 0; lines != NULL && i < n; i++)
		say_site(&lines[i]);
	free(lines);
	ibuf_record_lock_();
}

void
ibuf_debug_report_leaks_(const struct ibuf_pool *p, unsigned each)
{
	const struct ibuf_record *record;
	size_t list;

	ibuf_record_lock_();
	for (;;) {
		list = 0;
		record = next_due(NULL, &list, p);
		if (record == NULL)
			break;
		report_one(record->pool, each);
	}
	ibuf_record_unlock_();
}
