/* world.c - the population, and what the operations need to choose. */
#include "world.h"

#include "operations.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unit/fault.h>

/* ---- from nothing to nothing --------------------------------------- */

/* Once a process: bytes to take from, and the same on a page of stone. */
static void
make_bytes(struct world *w)
{
	static uint8_t source[SOURCE_SIZE], scratch[BYTES_MAX];
	static uint8_t *page;

	w->source = source;
	w->scratch = scratch;
	if (page == NULL) {
		uint32_t bits = 1;

		for (size_t i = 0; i < sizeof(source); i++) {
			bits = bits * 1664525 + 1013904223;
			source[i] = (uint8_t)(bits >> 24);
		}
		page = mmap(NULL, BYTES_MAX, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(page != MAP_FAILED);
		memcpy(page, source, BYTES_MAX);
		CHECK_EQUAL(mprotect(page, BYTES_MAX, PROT_READ), 0);
	}
	w->read_only = page;
}

static void
count_heap(void)
{
	struct ibuf_pool_stats stats;

	CHECK_EQUAL(ibuf_pool_get_stats(NULL, &stats, sizeof(stats)), 0);
	memset(&heap, 0, sizeof(heap));
	heap.handles = (size_t)stats.handles;
	heap.copied = stats.copied_bytes;
}

void
world_begin(struct world *w, FILE *talk)
{
	static FILE *nowhere;

	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	memset(w, 0, sizeof(*w));
	w->talk = talk;
	w->nowhere = nowhere;
	make_bytes(w);
	count_heap();
	w->blocks = fault_live_blocks();
	w->mapped = fault_live_bytes_mapped();
	for (unsigned i = 0; i < POOLS; i++)
		make_pool(w, i, i);
}

static void
check_world(struct world *w)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (w->slot[i].m != NULL)
			check_message(&w->slot[i]);
	for (unsigned i = 0; i < POOLS; i++)
		check_home(w->pools[i]);
	check_home(&heap);
}

void
world_end(struct world *w)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (w->slot[i].m != NULL)
			free_message(w, &w->slot[i]);
	check_world(w);
	for (unsigned i = 0; i < POOLS; i++) {
		CHECK_EQUAL(w->pools[i]->elements, 0);
		CHECK_EQUAL(w->pools[i]->handles, 0);
		CHECK_EQUAL(ibuf_pool_destroy(w->pools[i]->pool), 0);
		free(w->pools[i]);
	}
	while (w->closed != NULL) {
		struct home *home = w->closed;

		CHECK_EQUAL(home->elements, 0);
		CHECK_EQUAL(home->handles, 0);
		w->closed = home->next;
		free(home);
	}
	CHECK_EQUAL(fault_live_blocks(), w->blocks);
	CHECK_EQUAL(fault_live_bytes_mapped(), w->mapped);
}

void
world_run(struct world *w, const struct operation *op)
{
	operation_run(w, op);
	check_world(w);
}

void
world_play(const struct operation *ops, size_t n, FILE *talk,
	   volatile size_t *at)
{
	static struct world w;

	world_begin(&w, talk);
	for (*at = 0; *at < n; ++*at)
		world_run(&w, &ops[*at]);
	world_end(&w);
}

/* ---- telling ------------------------------------------------------- */

void
say(const struct world *w, const char *format, ...)
{
	va_list args;

	if (w->talk == NULL)
		return;
	va_start(args, format);
	vfprintf(w->talk, format, args);
	va_end(args);
	fputc('\n', w->talk);
	fflush(w->talk);
}

unsigned
slot_of(const struct world *w, const struct message *message)
{
	return (unsigned)(message - w->slot);
}

/* ---- choosing messages --------------------------------------------- */

struct message *
some_message(struct world *w, unsigned wish)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		struct message *message = &w->slot[(wish + i) % SLOTS];

		if (message->m != NULL)
			return message;
	}
	return NULL;
}

struct message *
other_of(struct world *w, const struct operation *op)
{
	return some_message(w, op->slots >> 3);
}

struct message *
free_slot(struct world *w, const struct message *keep, unsigned wish)
{
	struct message *message;

	for (unsigned i = 0; i < SLOTS; i++)
		if (w->slot[i].m == NULL)
			return &w->slot[i];
	message = &w->slot[wish % SLOTS];
	if (message == keep)
		message = &w->slot[(wish + 1) % SLOTS];
	free_message(w, message);
	return message;
}

/* ---- choosing sizes ------------------------------------------------ */

bool
is_huge(size_t n)
{
	return n > SIZE_MAX / 4;
}

static size_t
huge_size(const struct operation *op, size_t len)
{
	switch (op->y / 4 % 4) {
	case 0:
		return SIZE_MAX;
	case 1:
		return SIZE_MAX - len;
	case 2:
		return (size_t)PTRDIFF_MAX + 1;
	default:
		return PTRDIFF_MAX;
	}
}

/* One less than n, n, or one more. */
static size_t
about(size_t n, unsigned luck)
{
	return luck % 3 == 0 && n == 0 ? 0 : n + luck % 3 - 1;
}

size_t
size_of(const struct operation *op, const struct message *a)
{
	size_t n;

	switch (op->how & 7) {
	case 0:
		n = op->x % 4;
		break;
	case 1:
		n = op->x % 17;
		break;
	case 2:
		n = op->x % 65;
		break;
	case 3:
		n = op->x % 300;
		break;
	case 4:
		n = about(window_tailroom(message_last(a)), op->y);
		break;
	case 5:
		n = about(window_headroom(&a->at[0]), op->y);
		break;
	case 6:
		n = about(window_capacity(message_last(a)), op->y);
		break;
	default:
		if (op->y % 4 == 0)
			return huge_size(op, a->len);
		n = op->x % 1500;
	}
	return n <= BYTES_MAX - a->len ? n : BYTES_MAX - a->len;
}

const uint8_t *
source_of(struct world *w, const struct operation *op, const struct message *a,
	  size_t *n, const uint8_t **copy)
{
	const uint8_t *bytes = w->source + op->byte * 16;
	size_t off, run;

	*copy = bytes;
	if (*n == 0)
		return op->byte % 2 == 0 ? NULL : bytes;
	if (is_huge(*n) || (op->how >> 3 & 7) < 5)
		return bytes;
	if ((op->how >> 3 & 7) == 5)
		a = other_of(w, op);
	if (a->len == 0)
		return bytes;
	off = op->y % a->len;
	bytes = ibuf_mbuf_at(a->m, off, &run);
	*n = *n < run ? *n : run;
	*copy = memcpy(w->scratch, a->bytes + off, *n);
	return bytes;
}

void
range_of(const struct operation *op, size_t len, size_t *off, size_t *n)
{
	*off = op->x % (len + 1);
	*n = op->y % (len - *off + 1);
	switch (op->how & 31) {
	case 0:
		*n = len - *off + 1;
		break;
	case 1:
		*off = len + 1 + op->byte % 2;
		break;
	case 2:
		*n = SIZE_MAX - op->byte % 4;
		break;
	case 3:
		*off = SIZE_MAX - op->byte % 4;
		break;
	case 4:
	case 5:
		*off = 0;
		*n = len;
		break;
	case 6:
		*off = len;
		*n = 0;
		break;
	default:
		break;
	}
}

bool
is_inside(const struct message *a, size_t off, size_t n)
{
	return off <= a->len && n <= a->len - off;
}

/* ---- running out of memory ----------------------------------------- */

void
arm(const struct operation *op)
{
	if (op->how >> 6 == 3 && op->byte % 4 == 0)
		fault_from(1 + op->byte / 4 % 3);
}

bool
did(int error, int expected)
{
	bool struck = fault_off();

	if (struck && error == -ENOMEM)
		return false;
	CHECK_EQUAL(-error, (uintmax_t)-expected);
	return error == 0;
}

bool
made(const void *pointer, bool expected)
{
	bool struck = fault_off();

	if (struck && pointer == NULL)
		return false;
	CHECK_EQUAL(pointer != NULL, expected);
	return pointer != NULL;
}
