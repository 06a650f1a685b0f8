/*
 * sample.c - pools and queues of processes that go on meanwhile.
 *
 * A pool leads back to itself, and the pointer that leads to a queue is where
 * the queue says: what does not is no pool, or has gone since.  The numbers of
 * a pool are summed up as src/pool/stats.c does it, what came back first, so
 * what is out is not told too low.
 */
#include "sample.h"
#include "layout.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 3 };

const char *const sample_numbers[NUMBERS] = {
	[ALLOCATED] = "allocated", [CAPACITY] = "capacity",
	[CACHED] = "cached",       [PEAK] = "peak",
	[CLONES] = "clones",       [MAPPED] = "mapped_bytes",
	[ALLOCS] = "allocs",       [FREES] = "frees",
	[GROWS] = "grows",         [FAILURES] = "failures",
	[WAITS] = "waits",         [COPIED] = "copied_bytes",
};

/* What one pool's lists are read with. */
struct reading {
	struct process *p;
	const struct layout *l;
	uint64_t address;
	uint8_t piece[LAYOUT_PIECE];
};

/* ---- a list that may have a circle --------------------------------------- */

/* Brent's: a step that is remembered, each time twice as long. */
struct walk {
	uint64_t at, remembered;
	size_t steps, until;
};

/* Go on to the next; false: it was there before. */
static bool
walk_on(struct walk *w, uint64_t next)
{
	if (w->steps++ == w->until) {
		w->remembered = w->at;
		w->until = 2 * w->until + 1;
	}
	w->at = next;
	return next != w->remembered;
}

/* ---- a pool -------------------------------------------------------------- */

/* false: there is none, or no more. */
static bool
read_pool_piece(struct reading *r)
{
	const struct layout *l = r->l;
	size_t store = layout_span(l, S_POOL, S_BYTES);
	size_t size = layout_span(l, P_NEXT, P_CACHES);
	size_t at = l->offset[P_DIRECT];

	if (size < l->offset[P_DIRECT] + store)
		size = l->offset[P_DIRECT] + store;
	if (size < l->offset[P_OTHERS] + store)
		size = l->offset[P_OTHERS] + store;
	return process_read(r->p, r->address, r->piece, size) &&
	       layout_get(l, r->piece, at, S_POOL) == r->address;
}

/* What thread caches have of a kind of header, added up. */
struct sums {
	uint64_t taken[2], given[2], held;
};

static bool
sum_up(struct reading *r, uint64_t first, uint64_t depot, struct sums *sums)
{
	const struct layout *l = r->l;
	size_t part[2] = {l->offset[T_DIRECT], l->offset[T_OTHERS]};
	size_t size = layout_span(l, C_LINK, C_GIVEN);
	struct walk w = {.at = first};
	uint8_t piece[LAYOUT_PIECE];
	uint64_t held;
	unsigned i;

	size += part[0] > part[1] ? part[0] : part[1];
	*sums = (struct sums){0};
	while (w.at != 0) {
		if (!process_read(r->p, w.at, piece, size))
			return false;
		for (i = 0; i < 2; i++) {
			sums->taken[i] +=
				layout_get(l, piece, part[i], C_TAKEN);
			sums->given[i] +=
				layout_get(l, piece, part[i], C_GIVEN);
		}
		held = layout_get(l, piece, part[0], C_TOP) -
		       layout_get(l, piece, part[0], C_BASE);
		held /= sizeof(void *);
		sums->held += (held <= depot ? held : 0) +
			      layout_get(l, piece, part[0], C_KEPT);
		if (!walk_on(&w, layout_get(l, piece, part[1], C_LINK)))
			return false;
	}
	return true;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Headers that are out; taken and given are of moments that follow. */
static uint64_t
out(uint64_t taken, uint64_t given, uint64_t carved)
{
	return taken < given ? 0 : least(taken - given, carved);
}

static void
fill_numbers(const struct reading *r, const struct sums *before,
	     const struct sums *now, const uint64_t given[2], struct pool *pool)
{
	const struct layout *l = r->l;
	size_t store[2] = {l->offset[P_DIRECT], l->offset[P_OTHERS]};
	/* The heap, number 0, has headers of the other kind only. */
	unsigned kind = layout_get(l, r->piece, 0, P_INDEX) == 0 ? 1 : 0;
	uint64_t *number = pool->number;
	uint64_t taken[2], are_out[2], lost[2];
	unsigned i;

#define STORE(i_, field_) layout_get(l, r->piece, store[i_], field_)
	for (i = 0; i < 2; i++) {
		taken[i] = STORE(i, S_TAKEN) + now->taken[i];
		lost[i] = STORE(i, S_LOST);
		are_out[i] = out(taken[i], given[i] + before->given[i],
				 STORE(i, S_CARVED) - lost[i]);
	}
	number[ALLOCATED] = are_out[kind];
	number[CLONES] = are_out[1];
	number[CAPACITY] = kind == 1 ? are_out[1] : STORE(0, S_MADE) - lost[0];
	number[CACHED] =
		kind == 1 ? 0 : least(now->held, number[CAPACITY] - are_out[0]);
	number[PEAK] = STORE(kind, S_PEAK);
	number[MAPPED] = STORE(0, S_BYTES) + STORE(1, S_BYTES);
	number[ALLOCS] = taken[kind];
	number[FREES] = taken[kind] - are_out[kind];
	number[GROWS] = STORE(kind, S_GROWS);
	number[FAILURES] = layout_get(l, r->piece, 0, P_FAILURES);
	number[WAITS] = layout_get(l, r->piece, 0, P_WAITS);
	number[COPIED] = layout_get(l, r->piece, 0, P_COPIED);
	pool->max = STORE(kind, S_MAX);
	if (pool->max == SIZE_MAX)
		pool->max = 0;
#undef STORE
}

static bool
try_pool(struct reading *r, struct pool *pool)
{
	const struct layout *l = r->l;
	size_t store[2] = {l->offset[P_DIRECT], l->offset[P_OTHERS]};
	struct sums before, now;
	uint64_t given[2], caches, depot;

	if (!read_pool_piece(r))
		return false;
	given[0] = layout_get(l, r->piece, store[0], S_GIVEN);
	given[1] = layout_get(l, r->piece, store[1], S_GIVEN);
	caches = layout_get(l, r->piece, 0, P_CACHES);
	depot = layout_get(l, r->piece, store[0], S_DEPOT);
	if (!sum_up(r, caches, depot, &before) ||
	    !sum_up(r, caches, depot, &now) || !read_pool_piece(r))
		return false;
	pool->address = r->address;
	pool->closed = layout_get(l, r->piece, 0, P_CLOSED) != 0;
	fill_numbers(r, &before, &now, given, pool);
	process_read_text(r->p, layout_get(l, r->piece, 0, P_NAME), pool->name,
			  sizeof pool->name);
	return true;
}

static bool
read_pool(struct reading *r, struct pool *pool, uint64_t *next)
{
	unsigned tries;

	for (tries = 0; tries < TRIES; tries++)
		if (try_pool(r, pool)) {
			*next = layout_get(r->l, r->piece, 0, P_NEXT);
			return true;
		}
	return false;
}

/* ---- a queue ------------------------------------------------------------- */

static bool
read_queue(struct reading *r, struct queue *q, uint64_t *next)
{
	const struct layout *l = r->l;
	uint64_t link, back;
	uint32_t signs;

	if (!process_read(r->p, r->address, r->piece,
			  layout_span(l, Q_NEXT, Q_SIGNS)))
		return false;
	link = layout_get(l, r->piece, 0, Q_LINK);
	if (!process_read(r->p, link, &back, sizeof(void *)) ||
	    back != r->address)
		return false;
	q->address = r->address;
	q->most = (uint32_t)layout_get(l, r->piece, 0, Q_MOST);
	q->pushed = (uint32_t)layout_get(l, r->piece, 0, Q_PUSHED) +
		    l->offset[N_BEFORE];
	q->popped = (uint32_t)layout_get(l, r->piece, 0, Q_POPPED) +
		    l->offset[N_BEFORE];
	q->len = (uint32_t)least(q->pushed - q->popped, q->most);
	signs = (uint32_t)layout_get(l, r->piece, 0, Q_SIGNS);
	q->closed = (signs & l->offset[F_CLOSED]) != 0;
	q->popper = (signs & l->offset[F_POPPER]) != 0;
	q->pusher = (signs & l->offset[F_PUSHER]) != 0;
	*next = layout_get(l, r->piece, 0, Q_NEXT);
	return true;
}

/* ---- the list of a table -------------------------------------------------- */

/* A place for one more at the end of an array; NULL: no memory, or too many. */
static void *
grow(void **array, size_t *count, size_t size, size_t most)
{
	void *more = *array;

	if (*count == most)
		return NULL;
	if ((*count & (*count - 1)) == 0) /* a power of two, or 0 */
		more = realloc(*array, (*count == 0 ? 1 : 2 * *count) * size);
	if (more == NULL)
		return NULL;
	*array = more;
	return memset((char *)more + (*count)++ * size, 0, size);
}

static struct pool *
add_pool(struct program *program)
{
	void *array = program->pools;
	struct pool *pool =
		grow(&array, &program->pools_count, sizeof *pool, SAMPLE_POOLS);

	program->pools = array;
	return pool;
}

static struct queue *
add_queue(struct program *program)
{
	void *array = program->queues;
	struct queue *queue = grow(&array, &program->queues_count,
				   sizeof *queue, SAMPLE_QUEUES);

	program->queues = array;
	return queue;
}

/* One more of the list; false: it cannot be read, or there is no memory. */
static bool
read_one(struct reading *r, struct program *program, uint64_t *next)
{
	struct pool *pool;
	struct queue *queue;

	if (r->l->is_queues) {
		queue = add_queue(program);
		if (queue == NULL)
			return false;
		if (read_queue(r, queue, next))
			return true;
		program->queues_count--;
		return false;
	}
	pool = add_pool(program);
	if (pool == NULL)
		return false;
	if (read_pool(r, pool, next))
		return true;
	program->pools_count--;
	return false;
}

static bool
try_list(struct process *p, const struct layout *l, struct program *program)
{
	struct reading r = {.p = p, .l = l};
	struct walk w = {0};
	uint64_t next = 0;

	if (process_read(p, l->head, &next, sizeof(void *)))
		w.at = next;
	while (w.at != 0) {
		r.address = w.at;
		if (!read_one(&r, program, &next) || !walk_on(&w, next))
			return false;
	}
	return true;
}

static void
read_list(struct process *p, const struct layout *l, struct program *program)
{
	size_t pools = program->pools_count, queues = program->queues_count;
	unsigned tries;

	for (tries = 0; tries < TRIES; tries++) {
		program->pools_count = pools;
		program->queues_count = queues;
		if (try_list(p, l, program))
			return;
	}
	snprintf(program->trouble, sizeof program->trouble,
		 "its list of %s changed while it was read, or is damaged",
		 l->is_queues ? "queues" : "pools");
}

/* ---- a sample ------------------------------------------------------------- */

void
sample_begin(struct sample *s)
{
	struct timespec now;

	*s = (struct sample){0};
	clock_gettime(CLOCK_MONOTONIC, &now);
	s->at_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int
sample_add(struct sample *s, pid_t pid)
{
	struct process p;
	struct program *program;
	struct layout l;
	char why[sizeof program->trouble];
	void *array = s->programs;
	size_t i;
	int error = process_open(&p, pid);

	if (error != 0)
		return error;
	if (p.tables_count == 0)
		return 0;
	program = grow(&array, &s->count, sizeof *program, SIZE_MAX);
	s->programs = array;
	if (program == NULL)
		return ENOMEM;
	program->pid = pid;
	memcpy(program->command, p.command, sizeof program->command);
	for (i = 0; i < p.tables_count; i++) {
		if (layout_read(&l, &p, p.tables[i], why)) {
			program->library = l.library;
			read_list(&p, &l, program);
		} else {
			memcpy(program->trouble, why, sizeof why);
		}
	}
	return 0;
}

bool
sample_take(struct sample *s)
{
	pid_t *list = process_list();
	size_t i;
	int error = 0;

	sample_begin(s);
	for (i = 0; list != NULL && list[i] != 0 && error != ENOMEM; i++) {
		if (list[i] == getpid())
			continue;
		error = sample_add(s, list[i]);
		if (error == EACCES || error == EPERM)
			s->refused++;
	}
	free(list);
	return list != NULL && error != ENOMEM;
}

/* ---- two samples ----------------------------------------------------------- */

static const struct program *
program_of(const struct sample *s, pid_t pid)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if (s->programs[i].pid == pid)
			return &s->programs[i];
	return NULL;
}

static void
compare_pool(struct pool *pool, const struct program *before, double seconds)
{
	const struct pool *old = NULL;
	size_t i;
	unsigned n;

	for (i = 0; before != NULL && i < before->pools_count; i++)
		if (before->pools[i].address == pool->address &&
		    strcmp(before->pools[i].name, pool->name) == 0)
			old = &before->pools[i];
	for (n = 0; n < NUMBERS; n++)
		pool->rate[n] =
			old == NULL || n < ALLOCS ||
					pool->number[n] < old->number[n]
				? -1
				: (double)(pool->number[n] - old->number[n]) /
					  seconds;
}

static void
compare_queue(struct queue *q, const struct program *before, double seconds)
{
	const struct queue *old = NULL;
	size_t i;

	for (i = 0; before != NULL && i < before->queues_count; i++)
		if (before->queues[i].address == q->address)
			old = &before->queues[i];
	q->push_rate = q->pop_rate = -1;
	if (old == NULL)
		return;
	q->push_rate = (double)(uint32_t)(q->pushed - old->pushed) / seconds;
	q->pop_rate = (double)(uint32_t)(q->popped - old->popped) / seconds;
}

void
sample_compare(struct sample *s, const struct sample *before)
{
	double seconds = (double)(s->at_ns - before->at_ns) / 1e9;
	const struct program *old;
	struct program *program;
	size_t i, j;

	for (i = 0; i < s->count; i++) {
		program = &s->programs[i];
		old = seconds > 0 ? program_of(before, program->pid) : NULL;
		for (j = 0; j < program->pools_count; j++)
			compare_pool(&program->pools[j], old, seconds);
		for (j = 0; j < program->queues_count; j++)
			compare_queue(&program->queues[j], old, seconds);
	}
}

void
sample_free(struct sample *s)
{
	size_t i;

	for (i = 0; i < s->count; i++) {
		free(s->programs[i].pools);
		free(s->programs[i].queues);
	}
	free(s->programs);
	*s = (struct sample){0};
}
