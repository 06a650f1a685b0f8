/*
 * paths.c - the hot paths, one function each, for valgrind to count.
 *
 *   paths NAME TIMES
 *
 * The path runs TIMES times to warm up (memory is mapped, symbols are bound),
 * then TIMES times inside measured(), the only function whose instructions
 * ./count looks at.  Sizes are small constants, so that no memcpy() is called
 * that another machine would have in another version.
 */
#include <ibuf/ibuf.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The compiler must have made what p points at, and keep p. */
#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")

/* No instruction that a look at the result would take. */
#define BLIND(call) ((void)!(call))

static struct ibuf_pool *pool;
static struct ibuf_mbuf *message; /* fresh before each run: 64 KiB */
static struct ibuf_cursor cursor;
static const uint8_t bytes[64] = {0, 38};

/* What the loop takes by itself; ./count subtracts it. */
static void
nothing(unsigned n)
{
	struct ibuf_mbuf *m = message;

	while (n-- > 0)
		KEEP(m);
}

static void
alloc_free(unsigned n)
{
	while (n-- > 0) {
		struct ibuf_mbuf *m = ibuf_pool_alloc(pool);

		KEEP(m);
		ibuf_mbuf_free(m);
	}
}

static void
wait_pool(void)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;

	options.max = 1024;
	options.flags = IBUF_POOL_F_WAIT;
	if (ibuf_pool_create(&pool, &options) != 0)
		abort();
}

static void
alloc_append_free(unsigned n)
{
	while (n-- > 0) {
		struct ibuf_mbuf *m = ibuf_pool_alloc(pool);

		BLIND(ibuf_mbuf_append(m, bytes, 38));
		KEEP(m);
		ibuf_mbuf_free(m);
	}
}

static void
bulk(unsigned n)
{
	struct ibuf_mbuf *ms[32];

	for (; n >= 32; n -= 32) {
		if (ibuf_pool_alloc_bulk(pool, ms, 32) != 0)
			abort();
		KEEP(ms);
		ibuf_mbuf_free_bulk(ms, 32);
	}
}

static void
append(unsigned n)
{
	struct ibuf_mbuf *m = message;

	while (n-- > 0) {
		BLIND(ibuf_mbuf_append(m, bytes, 8));
		KEEP(m);
	}
}

static void
append_be32(unsigned n)
{
	struct ibuf_mbuf *m = message;

	while (n-- > 0) {
		BLIND(ibuf_mbuf_append_be32(m, n));
		KEEP(m);
	}
}

static void
prepend(unsigned n)
{
	struct ibuf_mbuf *m = message;

	while (n-- > 0) {
		BLIND(ibuf_mbuf_prepend(m, bytes, 8));
		KEEP(m);
	}
}

static void
trim_head(unsigned n)
{
	struct ibuf_mbuf *m = message;

	while (n-- > 0) {
		ibuf_mbuf_trim_head(m, 1);
		KEEP(m);
	}
}

static void
trim_tail(unsigned n)
{
	struct ibuf_mbuf *m = message;

	while (n-- > 0) {
		ibuf_mbuf_trim_tail(m, 1);
		KEEP(m);
	}
}

static void
write_read_clear(unsigned n)
{
	struct ibuf_mbuf *m = message;
	uint8_t out[9];

	while (n-- > 0) {
		BLIND(ibuf_mbuf_append(m, bytes, 9));
		KEEP(m);
		ibuf_mbuf_read(m, out, 9);
		KEEP(out);
		ibuf_mbuf_clear(m);
	}
}

static void
clone_free(unsigned n)
{
	struct ibuf_mbuf *of = message;

	while (n-- > 0) {
		struct ibuf_mbuf *m = ibuf_mbuf_clone(of);

		KEEP(m);
		ibuf_mbuf_free(m);
	}
}

static void
slice_free(unsigned n)
{
	struct ibuf_mbuf *of = message;

	while (n-- > 0) {
		struct ibuf_mbuf *m = ibuf_mbuf_slice(of, 100, 64);

		KEEP(m);
		ibuf_mbuf_free(m);
	}
}

/* ---- the heap's ------------------------------------------------------ */

static struct ibuf_mbuf *on_heap;

static void
fresh_on_heap(void)
{
	ibuf_mbuf_free(on_heap);
	on_heap = ibuf_mbuf_new(64 << 10);
	if (on_heap == NULL || ibuf_mbuf_extend_tail(on_heap, 32 << 10) == NULL)
		abort();
	ibuf_cursor_init(&cursor, on_heap);
}

/* Of a size that a thread keeps back. */
static void
heap_new_free(unsigned n)
{
	while (n-- > 0) {
		struct ibuf_mbuf *m = ibuf_mbuf_new(512);

		KEEP(m);
		ibuf_mbuf_free(m);
	}
}

static void
heap_clone_free(unsigned n)
{
	struct ibuf_mbuf *of = on_heap;

	while (n-- > 0) {
		struct ibuf_mbuf *m = ibuf_mbuf_clone(of);

		KEEP(m);
		ibuf_mbuf_free(m);
	}
}

static void
cursor_get_be16(unsigned n)
{
	uint16_t v;

	while (n-- > 0) {
		ibuf_cursor_get_be16(&cursor, &v);
		KEEP(&v);
	}
}

static void
cursor_take_free(unsigned n)
{
	while (n-- > 0) {
		struct ibuf_mbuf *m = ibuf_cursor_take(&cursor, 10);

		KEEP(m);
		ibuf_mbuf_free(m);
	}
}

/* Two messages become one of two segments, which is freed. */
static void
concat_free(unsigned n)
{
	while (n-- > 0) {
		struct ibuf_mbuf *m = ibuf_pool_alloc(pool);
		struct ibuf_mbuf *tail = ibuf_pool_alloc(pool);

		BLIND(ibuf_mbuf_append(m, bytes, 8));
		BLIND(ibuf_mbuf_append(tail, bytes, 8));
		if (ibuf_mbuf_concat(m, tail) != 0)
			abort();
		KEEP(m);
		ibuf_mbuf_free(m);
	}
}

/* ---- pools with options ----------------------------------------------- */

/* The pool, the n-th of those, has such mbufs; made before the first run. */
static void
pool_with(size_t private_size, unsigned flags, unsigned n)
{
	static bool made;

	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;

	options.private_size = private_size;
	options.flags = flags;
	for (; !made && n > 0; n--)
		if (ibuf_pool_create(&pool, &options) != 0)
			abort();
	made = true;
}

static void
with_private_area(void)
{
	pool_with(16, 0, 1);
}

static void
with_high_number(void)
{
	pool_with(0, 0, 300);
}

static void
that_wipes(void)
{
	pool_with(0, IBUF_POOL_F_WIPE, 1);
}

/* A private area is used, too. */
static void
alloc_private_free(unsigned n)
{
	while (n-- > 0) {
		struct ibuf_mbuf *m = ibuf_pool_alloc(pool);

		KEEP(ibuf_mbuf_private(m));
		ibuf_mbuf_free(m);
	}
}

/* 64 bytes are written. */
static void
alloc_fill_free(unsigned n)
{
	while (n-- > 0) {
		struct ibuf_mbuf *m = ibuf_pool_alloc(pool);

		BLIND(ibuf_mbuf_append(m, bytes, 64));
		KEEP(m);
		ibuf_mbuf_free(m);
	}
}

static void
clone_pair(unsigned n)
{
	struct ibuf_mbuf *of = ibuf_pool_alloc(pool);

	while (n-- > 0) {
		struct ibuf_mbuf *m = ibuf_mbuf_clone(of);

		KEEP(m);
		ibuf_mbuf_free(m);
	}
	ibuf_mbuf_free(of);
}

/* ---- a pool that is no more ------------------------------------------ */

enum { LATE = 1024 + 1 };

static struct ibuf_mbuf *orphans[LATE];
static pthread_barrier_t met;

/* It has slots for the pool, and stays. */
static void *
use_and_stay(void *arg)
{
	ibuf_mbuf_free(ibuf_pool_alloc(pool));
	pthread_barrier_wait(&met);
	for (;;)
		pause();
	return arg;
}

/* Messages of a pool that was destroyed, which others used too. */
static void
orphan(unsigned threads)
{
	pthread_t thread;
	size_t i;

	if (pthread_barrier_init(&met, NULL, threads + 1) != 0)
		abort();
	pool = ibuf_pool_new(64, 64);
	for (i = 0; i < threads; i++)
		if (pthread_create(&thread, NULL, use_and_stay, NULL) != 0)
			abort();
	pthread_barrier_wait(&met);
	for (i = 0; i < LATE; i++)
		orphans[i] = ibuf_pool_alloc(pool);
	if (ibuf_pool_destroy(pool) != LATE)
		abort();
}

static void
orphan_few(void)
{
	orphan(4);
}

static void
orphan_many(void)
{
	orphan(64);
}

/* All but the last one, which ends the pool. */
static void
late_free(unsigned n)
{
	while (n-- > 0)
		ibuf_mbuf_free(orphans[n]);
}

/* ---- a queue -------------------------------------------------------- */

static struct ibuf_queue *queue;

static void
queue_make(unsigned flags)
{
	ibuf_queue_destroy(queue);
	if (ibuf_queue_create(&queue, 100, flags) != 0)
		abort();
}

static void
queue_for_two(void)
{
	queue_make(IBUF_QUEUE_F_SINGLE_PRODUCER | IBUF_QUEUE_F_SINGLE_CONSUMER);
}

static void
queue_for_many(void)
{
	queue_make(0);
}

static void
queue_pair(unsigned n)
{
	struct ibuf_mbuf *m = message;

	while (n-- > 0) {
		if (ibuf_queue_push(queue, m) != 0)
			abort();
		m = ibuf_queue_pop(queue);
		KEEP(m);
	}
}

static void
queue_pair_bulk(unsigned n)
{
	struct ibuf_mbuf *ms[32];
	unsigned i;

	for (i = 0; i < 32; i++)
		ms[i] = message;
	for (; n > 0; n -= 32) {
		if (ibuf_queue_push_bulk(queue, ms, 32) != 32 ||
		    ibuf_queue_pop_bulk(queue, ms, 32) != 32)
			abort();
		KEEP(ms);
	}
}

static const struct path {
	const char *name;
	void (*run)(unsigned n);
	void (*prepare)(void); /* before each run, or NULL */
} paths[] = {
	{"late_free_few", late_free, orphan_few},
	{"late_free_many", late_free, orphan_many},
	{"nothing", nothing, NULL},
	{"alloc_free", alloc_free, NULL},
	{"alloc_free_wait", alloc_free, wait_pool},
	{"alloc_append_free", alloc_append_free, NULL},
	{"bulk", bulk, NULL},
	{"append", append, NULL},
	{"append_be32", append_be32, NULL},
	{"prepend", prepend, NULL},
	{"trim_head", trim_head, NULL},
	{"trim_tail", trim_tail, NULL},
	{"write_read_clear", write_read_clear, NULL},
	{"clone_free", clone_free, NULL},
	{"slice_free", slice_free, NULL},
	{"heap_new_free", heap_new_free, NULL},
	{"heap_clone_free", heap_clone_free, fresh_on_heap},
	{"heap_take_free", cursor_take_free, fresh_on_heap},
	{"cursor_get_be16", cursor_get_be16, NULL},
	{"cursor_take_free", cursor_take_free, NULL},
	{"concat_free", concat_free, NULL},
	{"private_pair", alloc_free, with_private_area},
	{"private_used", alloc_private_free, with_private_area},
	{"private_clone", clone_pair, with_private_area},
	{"high_pair", alloc_free, with_high_number},
	{"high_clone", clone_pair, with_high_number},
	{"wipe_pair", alloc_fill_free, that_wipes},
	{"queue_pair", queue_pair, queue_for_two},
	{"queue_pair_many", queue_pair, queue_for_many},
	{"queue_bulk", queue_pair_bulk, queue_for_two},
};

/* A message of 32 KiB, with as much room for 1000 times 8 bytes around it. */
static void
fresh(void)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;
	static struct ibuf_pool *large;

	options.capacity = 64 << 10;
	options.headroom = 32 << 10;
	ibuf_mbuf_free(message);
	if (large == NULL && ibuf_pool_create(&large, &options) != 0)
		abort();
	message = ibuf_pool_alloc(large);
	if (message == NULL || ibuf_mbuf_append_fill(message, 1, 32 << 10) != 0)
		abort();
	ibuf_cursor_init(&cursor, message);
}

static void
prepare(const struct path *path)
{
	fresh();
	if (path->prepare != NULL)
		path->prepare();
}

void measured(void (*run)(unsigned n), unsigned n);

__attribute__((noinline)) void
measured(void (*run)(unsigned n), unsigned n)
{
	run(n);
}

int
main(int argc, char **argv)
{
	unsigned times = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
	size_t i;

	for (i = 0; times > 0 && i < sizeof paths / sizeof *paths; i++) {
		if (strcmp(paths[i].name, argv[1]) != 0)
			continue;
		pool = ibuf_pool_new(64, 2048);
		prepare(&paths[i]);
		paths[i].run(times);
		prepare(&paths[i]);
		measured(paths[i].run, times);
		return 0;
	}
	fprintf(stderr, "usage: paths NAME TIMES; TIMES a multiple of 32\n");
	return 2;
}
