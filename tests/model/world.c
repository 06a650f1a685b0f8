/* world.c - the population: made, compared after each operation, ended. */
#include "world.h"

#include "operations.h"
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

	CHECK_EQUAL(-ibuf_pool_get_stats(NULL, &stats, sizeof(stats)), 0);
	memset(&heap, 0, sizeof(heap));
	heap.others = (size_t)stats.handles;
	heap.copied = stats.copied_bytes;
}

/* Nor do the headers that the heap keeps, and what it keeps them in. */
static void
hold_headers(void)
{
	static struct ibuf_mbuf *clones[4096];
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);
	size_t blocks;

	CHECK(m != NULL);
	do {
		blocks = fault_live_blocks();
		for (size_t i = 0; i < 4096; i++)
			clones[i] = ibuf_mbuf_clone(m);
		ibuf_mbuf_free_bulk(clones, 4096);
	} while (fault_live_blocks() != blocks);
	ibuf_mbuf_free(m);
}

/* What a thread keeps until it exits belongs to no world. */
static void
settle_in(void)
{
	struct ibuf_pool *p = ibuf_pool_new(1, 1);

	if (p != NULL)
		ibuf_mbuf_free(ibuf_pool_alloc(p));
	ibuf_pool_destroy(p);
	hold_headers();
}

void
world_begin(struct world *w, FILE *talk)
{
	static char buffer[BUFSIZ]; /* or stdio allocates one, later */
	static FILE *nowhere;

	if (nowhere == NULL) {
		nowhere = fopen("/dev/null", "w");
		CHECK(nowhere != NULL);
		setvbuf(nowhere, buffer, _IOFBF, sizeof(buffer));
	}
	memset(w, 0, sizeof(*w));
	w->talk = talk;
	w->nowhere = nowhere;
	make_bytes(w);
	count_heap();
	settle_in();
	w->blocks = fault_live_blocks();
	w->mapped = fault_live_bytes_mapped();
	for (unsigned i = 0; i < POOLS; i++)
		make_pool(w, i, i);
}

/* All messages that the model knows, and no others, are met once. */
struct met {
	const struct world *w;
	unsigned times[SLOTS];
};

static void
meet(const struct ibuf_mbuf *m, void *arg)
{
	struct met *met = arg;

	for (unsigned i = 0; i < SLOTS; i++)
		met->times[i] += met->w->slot[i].m == m;
}

static void
check_walk(const struct world *w, struct ibuf_pool *pool)
{
	struct met met = {.w = w};
	size_t n = ibuf_pool_walk(pool, meet, &met), expected = 0;

	for (unsigned i = 0; i < SLOTS; i++) {
		const struct message *message = &w->slot[i];
		const struct owner *owner = message->at[0].owner;
		bool here = message->m != NULL && owner->pool == pool &&
			    owner->is_pool == (pool != NULL);

		CHECK_EQUAL(met.times[i], here);
		expected += here;
	}
	CHECK_EQUAL(n, expected);
}

static void
check_walks(const struct world *w)
{
	for (unsigned i = 0; i < POOLS; i++)
		check_walk(w, w->pools[i]->pool);
	check_walk(w, NULL);
}

static void
check_world(struct world *w)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (w->slot[i].m != NULL)
			check_message(&w->slot[i]);
	for (unsigned i = 0; i < POOLS; i++)
		check_owner(w->pools[i]);
	check_owner(&heap);
	/* Which takes ten times as long as all before it. */
	if (w->checks++ % 16 == 0)
		check_walks(w);
}

void
world_end(struct world *w)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (w->slot[i].m != NULL)
			free_message(w, &w->slot[i]);
	check_world(w);
	for (unsigned i = 0; i < POOLS; i++) {
		CHECK_EQUAL(w->pools[i]->direct, 0);
		CHECK_EQUAL(w->pools[i]->others, 0);
		CHECK_EQUAL(ibuf_pool_destroy(w->pools[i]->pool), 0);
		free(w->pools[i]);
	}
	while (w->closed != NULL) {
		struct owner *owner = w->closed;

		CHECK_EQUAL(owner->direct, 0);
		CHECK_EQUAL(owner->others, 0);
		w->closed = owner->next;
		free(owner);
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
