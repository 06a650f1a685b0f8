/*
 * record.c - who allocated what lives: for IBUF_DEBUG=leaks.
 *
 * A record is kept from when its header goes out until it comes back to its
 * owner, so a pool has records only as long as it is there.  All of it is under
 * one lock, in which nothing else is locked.
 */
#define _POSIX_C_SOURCE 200809L
#include "debug.h"

#include "state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where headers were allocated; never freed, each different from the others. */
struct place {
	struct place *next;
	struct ibuf_stack stack;
	size_t messages, bytes; /* of the report that is made; else 0 */
};

struct record {
	struct record *next;
	const struct ibuf_mbuf *m;
	const struct ibuf_pool *pool;
	struct place *place; /* NULL: there was no memory for it */
	size_t bytes;        /* 0: its room may be any */
	bool told;
};

/* The last place that one caller with one frame was. */
struct recent {
	void *const *frame;
	struct place *place;
	struct ibuf_stack_places at;
};

#define LISTS 65536 /* a power of two */
#define PLACES 4096 /* too */
#define RECENT 512  /* too */

struct book {
	struct record *records[LISTS];
	struct place *places[PLACES];
	struct recent recent[RECENT];
	struct record *spare;
};

static struct book *book;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t
mix(uintptr_t bits)
{
	return (size_t)((bits * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static void
lock_it(void)
{
	pthread_mutex_lock(&lock);
}

static void
unlock_it(void)
{
	pthread_mutex_unlock(&lock);
}

bool
ibuf_record_prepare_(void)
{
	book = calloc(1, sizeof *book);
	if (book == NULL || pthread_atfork(lock_it, unlock_it, unlock_it) != 0)
		return false;
	ibuf_stack_prepare_();
	return true;
}

/* ---- places: under the lock --------------------------------------------- */

/* The one with this stack, made when there is none; NULL: no memory. */
static struct place *
place_with(const struct ibuf_stack *stack)
{
	struct place *place, **list;
	uintptr_t bits = stack->n;
	unsigned i;

	for (i = 0; i < stack->n; i++)
		bits = bits * 31 + (uintptr_t)stack->callers[i];
	list = &book->places[mix(bits) % PLACES];
	for (place = *list; place != NULL; place = place->next)
		if (place->stack.n == stack->n &&
		    memcmp(place->stack.callers, stack->callers,
			   stack->n * sizeof *stack->callers) == 0)
			return place;
	place = calloc(1, sizeof *place);
	if (place == NULL)
		return NULL;
	place->stack = *stack;
	place->next = *list;
	*list = place;
	return place;
}

/*
 * Where the calling thread is.  To walk a stack takes a thousand times what an
 * allocation does, so it is looked whether the calls of last time are under way
 * still.  The lock is let go meanwhile, since who walks may wait for the loader.
 */
static struct place *
place_here(void *const *frame, void *caller)
{
	struct recent *recent =
		&book->recent[mix((uintptr_t)frame ^ (uintptr_t)caller << 12) %
			      RECENT];
	struct ibuf_stack stack;
	struct place *place;

	if (recent->frame == frame &&
	    ibuf_stack_is_(&recent->place->stack, frame, &recent->at))
		return recent->place;
	unlock_it();
	ibuf_stack_take_(&stack, caller);
	lock_it();
	place = place_with(&stack);
	recent->frame = NULL;
	if (place == NULL || !ibuf_stack_find_(&stack, frame, &recent->at))
		return place;
	recent->frame = frame;
	recent->place = place;
	return place;
}

/* ---- records ------------------------------------------------------------- */

static struct record **
list_of(const struct ibuf_mbuf *m)
{
	return &book->records[mix((uintptr_t)m) % LISTS];
}

/* Any will do; NULL: no memory. */
static struct record *
record_new(void)
{
	struct record *record = book->spare;

	if (record == NULL)
		return malloc(sizeof *record);
	book->spare = record->next;
	return record;
}

__attribute__((noinline)) void
ibuf_record_put_(struct ibuf_mbuf *m, struct ibuf_pool *p, size_t bytes,
		 void *caller)
{
	struct record *record;
	struct place *place;

	lock_it();
	place = place_here(__builtin_frame_address(0), caller);
	record = record_new();
	if (record != NULL) {
		record->next = *list_of(m);
		record->m = m;
		record->pool = p;
		record->place = place;
		record->bytes = bytes;
		record->told = false;
		*list_of(m) = record;
	}
	unlock_it();
}

void
ibuf_record_remove_(const struct ibuf_mbuf *m)
{
	struct record **link, *record;

	lock_it();
	for (link = list_of(m); *link != NULL; link = &(*link)->next) {
		record = *link;
		if (record->m != m)
			continue;
		*link = record->next;
		record->next = book->spare;
		book->spare = record;
		break;
	}
	unlock_it();
}

/* ---- the report ---------------------------------------------------------- */

/* A line, or a piece of one, to standard error. */
#define say(...) ((void)dprintf(STDERR_FILENO, __VA_ARGS__))

/* What is told of one place. */
struct line {
	const struct place *place;
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
bytes_of(const struct record *record)
{
	return record->bytes != 0 ? record->bytes
				  : load_relaxed_u32(&record->m->cap_);
}

/* Is it one to tell of?  Any pool's, where none is named. */
static bool
is_due(const struct record *record, const struct ibuf_pool *p)
{
	return record->place != NULL && !record->told &&
	       (p == NULL || record->pool == p);
}

/* The next record to tell of; NULL: none.  The lock is held. */
static struct record *
next_due(struct record *record, size_t *list, const struct ibuf_pool *p)
{
	if (record != NULL)
		record = record->next;
	for (;;) {
		for (; record != NULL; record = record->next)
			if (is_due(record, p))
				return record;
		if (*list == LISTS)
			return NULL;
		record = book->records[(*list)++];
	}
}

/* Sum up the records of a pool; how many places.  The lock is held. */
static size_t
sum_up(const struct ibuf_pool *p)
{
	struct record *record = NULL;
	size_t list = 0, n = 0;

	while ((record = next_due(record, &list, p)) != NULL) {
		if (record->place->messages++ == 0)
			n++;
		record->place->bytes += bytes_of(record);
	}
	return n;
}

/* Take the sums, into n lines or into none.  The lock is held. */
static void
take_sums(const struct ibuf_pool *p, struct line *lines)
{
	struct record *record = NULL;
	size_t list = 0;

	while ((record = next_due(record, &list, p)) != NULL) {
		struct place *place = record->place;

		record->told = true;
		if (place->messages == 0)
			continue;
		if (lines != NULL)
			*lines++ = (struct line){place, place->messages,
						 place->bytes};
		place->messages = 0;
		place->bytes = 0;
	}
}

static void
say_place(const struct line *line)
{
	const struct ibuf_stack *stack = &line->place->stack;
	char name[400];
	unsigned i;

	say("ibuf:   %zu of %zu bytes, allocated by\n", line->messages,
	    line->bytes);
	for (i = 0; i < stack->n; i++) {
		ibuf_stack_name_(stack->callers[i], name, sizeof name);
		say("ibuf:     #%u %s\n", i, name);
	}
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
	unlock_it();
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
		say_place(&lines[i]);
	free(lines);
	lock_it();
}

void
ibuf_record_report_(const struct ibuf_pool *p, unsigned each)
{
	const struct record *record;
	size_t list;

	lock_it();
	for (;;) {
		list = 0;
		record = next_due(NULL, &list, p);
		if (record == NULL)
			break;
		report_one(record->pool, each);
	}
	unlock_it();
}
