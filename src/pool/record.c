/* record.c - who allocated what, and who freed it: for IBUF_DEBUG. */
#define _POSIX_C_SOURCE 200809L
#include "record.h"

#include <stdlib.h>
#include <string.h>

/* The last site that one caller with one frame was. */
struct recent {
	void *const *frame;
	struct ibuf_site *site;
	struct ibuf_stack_places at;
};

#define LISTS 65536 /* a power of two */
#define SITES 4096  /* too */
#define RECENT 512  /* too */

struct book {
	struct ibuf_record *records[LISTS];
	struct ibuf_site *sites[SITES];
	struct recent recent[RECENT];
	struct ibuf_record *spare;
};

static struct book *book;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned book_forks; /* under the lock */

/*
 * Address space for records and sites, touched as they are needed: so the
 * program's own use of malloc is what it was.  When it is full malloc serves.
 */
#define SPACE ((size_t)64 << 20)

static uint8_t *space;
static size_t space_left;

static void *
get_space(size_t n)
{
	if (space_left < n)
		return malloc(n);
	space_left -= n;
	space += n;
	return space - n;
}

static size_t
mix(uintptr_t bits)
{
	return (size_t)((bits * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

void
ibuf_record_lock_(void)
{
	pthread_mutex_lock(&lock);
}

void
ibuf_record_unlock_(void)
{
	pthread_mutex_unlock(&lock);
}

static void
book_forked(void)
{
	book_forks++;
	ibuf_record_unlock_();
}

unsigned
ibuf_record_forks_(void)
{
	return book_forks;
}

bool
ibuf_record_prepare_(void)
{
	book = calloc(1, sizeof *book);
	space = ibuf_platform_map_(SPACE, CACHE_LINE, false);
	space_left = space != NULL ? SPACE : 0;
	if (book == NULL ||
	    pthread_atfork(ibuf_record_lock_, ibuf_record_unlock_,
			   book_forked) != 0)
		return false;
	ibuf_stack_prepare_();
	return true;
}

/* ---- sites: under the lock --------------------------------------------- */

/* The one with this stack, made when there is none; NULL: no memory. */
static struct ibuf_site *
site_with(const struct ibuf_stack *stack)
{
	struct ibuf_site *site, **list;
	uintptr_t bits = stack->n;
	unsigned i;

	for (i = 0; i < stack->n; i++)
		bits = bits * 31 + (uintptr_t)stack->callers[i];
	list = &book->sites[mix(bits) % SITES];
	for (site = *list; site != NULL; site = site->next)
		if (site->stack.n == stack->n &&
		    memcmp(site->stack.callers, stack->callers,
			   stack->n * sizeof *stack->callers) == 0)
			return site;
	site = get_space(sizeof *site);
	if (site == NULL)
		return NULL;
	*site = (struct ibuf_site){.next = *list, .stack = *stack};
	*list = site;
	return site;
}

/*
 * Where the calling thread is.  To walk a stack takes a thousand times what an
 * allocation does, so it is looked whether the calls of last time are under way
 * still.  The lock is let go meanwhile, since who walks may wait for the loader.
 */
static struct ibuf_site *
site_here(void *const *frame, void *caller)
{
	struct recent *recent =
		&book->recent[mix((uintptr_t)frame ^ (uintptr_t)caller << 12) %
			      RECENT];
	struct ibuf_stack stack;
	struct ibuf_site *site;

	if (recent->frame == frame &&
	    ibuf_stack_is_(&recent->site->stack, frame, &recent->at))
		return recent->site;
	ibuf_record_unlock_();
	ibuf_stack_take_(&stack, caller);
	ibuf_record_lock_();
	site = site_with(&stack);
	recent->frame = NULL;
	if (site == NULL || !ibuf_stack_find_(&stack, frame, &recent->at))
		return site;
	recent->frame = frame;
	recent->site = site;
	return site;
}

/* ---- records ------------------------------------------------------------- */

static struct ibuf_record **
list_of(const void *of)
{
	return &book->records[mix((uintptr_t)of) % LISTS];
}

/* Any will do; NULL: no memory. */
static struct ibuf_record *
record_new(void)
{
	struct ibuf_record *record = book->spare;

	if (record == NULL)
		return get_space(sizeof *record);
	book->spare = record->next;
	return record;
}

__attribute__((noinline)) bool
ibuf_record_put_(void *of, struct ibuf_pool *p, unsigned kind, size_t bytes,
		 void *caller)
{
	struct ibuf_record *record;
	struct ibuf_site *site;

	ibuf_record_lock_();
	site = site_here(__builtin_frame_address(0), caller);
	record = record_new();
	if (record != NULL) {
		record->next = *list_of(of);
		record->of = of;
		record->pool = p;
		record->site = site;
		record->freed = NULL;
		record->bytes = bytes;
		record->kind = kind;
		record->told = false;
		record->held = false;
		*list_of(of) = record;
	}
	ibuf_record_unlock_();
	return record != NULL;
}

struct ibuf_record *
ibuf_record_find_(const void *of)
{
	struct ibuf_record *record = *list_of(of);

	while (record != NULL && record->of != of)
		record = record->next;
	return record;
}

void
ibuf_record_unlist_(const struct ibuf_record *record)
{
	struct ibuf_record **link = list_of(record->of);

	while (*link != record)
		link = &(*link)->next;
	*link = record->next;
}

void
ibuf_record_spare_(struct ibuf_record *record)
{
	record->next = book->spare;
	book->spare = record;
}

void
ibuf_record_remove_(const void *of)
{
	struct ibuf_record *record;

	ibuf_record_lock_();
	record = ibuf_record_find_(of);
	if (record != NULL) {
		ibuf_record_unlist_(record);
		ibuf_record_spare_(record);
	}
	ibuf_record_unlock_();
}

__attribute__((noinline)) struct ibuf_record *
ibuf_record_freed_(const void *of, void *caller)
{
	struct ibuf_record *record;
	struct ibuf_site *site;

	ibuf_record_lock_();
	/* First: the lock may be let go meanwhile. */
	site = site_here(__builtin_frame_address(0), caller);
	record = ibuf_record_find_(of);
	if (record != NULL && !record->held)
		record->freed = site;
	ibuf_record_unlock_();
	return record;
}

struct ibuf_record *
ibuf_record_next_(const struct ibuf_record *record, size_t *list)
{
	struct ibuf_record *next = record == NULL ? NULL : record->next;

	while (next == NULL && *list != LISTS)
		next = book->records[(*list)++];
	return next;
}
