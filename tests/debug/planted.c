/*
 * planted.c - bugs for IBUF_DEBUG to find: planted BUG plants one.
 *
 * What allocates is a function of its own, so that a report can name it.
 */
#include <ibuf/ibuf.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APART __attribute__((noinline))

static struct ibuf_pool *
pool_named(const char *name, unsigned flags)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;

	o.name = name;
	o.capacity = 512;
	o.headroom = 0;
	o.flags = flags;
	if (ibuf_pool_create(&p, &o) != 0)
		abort();
	return p;
}

/* What is lost must not be known to be. */
static __thread struct ibuf_mbuf *volatile lost;

/* ---- leaks --------------------------------------------------------------- */

APART static void
lose_one(struct ibuf_pool *p)
{
	lost = ibuf_pool_alloc(p);
}

APART static void
lose_two(struct ibuf_pool *p)
{
	struct ibuf_mbuf *ms[2];

	if (ibuf_pool_alloc_bulk(p, ms, 2) != 0)
		abort();
	lost = ms[0];
	lost = ms[1];
}

/* Many that are not lost, by all calls and of all kinds. */
static void
use(struct ibuf_pool *p)
{
	struct ibuf_mbuf *ms[40], *clone;
	size_t n = ibuf_pool_alloc_upto(p, ms, 40), i;

	clone = ibuf_mbuf_clone(ms[0]);
	if (clone == NULL || ibuf_mbuf_append(clone, "bytes", 5) != 0)
		abort();
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free_bulk(ms, n);
	for (i = 0; i < 200; i++)
		ibuf_mbuf_free(ibuf_pool_alloc(p));
}

static void
pool_leaks(void)
{
	struct ibuf_pool *p = pool_named("leaking", 0);

	use(p);
	lose_one(p);
	lose_two(p);
	use(p);
	if (ibuf_pool_destroy(p) != 3)
		abort();
}

APART static struct ibuf_mbuf *
make_original(struct ibuf_pool *p)
{
	return ibuf_pool_alloc(p);
}

/* The original is freed; a clone keeps its memory. */
static void
clone_leaks(void)
{
	struct ibuf_pool *p = pool_named("cloned", 0);
	struct ibuf_mbuf *m = make_original(p);

	lost = ibuf_mbuf_clone(m);
	ibuf_mbuf_free(m);
	ibuf_pool_destroy(p);
}

APART static void
lose_of_heap(void)
{
	lost = ibuf_mbuf_new(777);
}

static void
heap_leaks(void)
{
	/* With the archive the heap is watched from the first pool on. */
	ibuf_pool_destroy(ibuf_pool_new(0, 64));
	ibuf_mbuf_free(ibuf_mbuf_from("bytes", 5));
	lose_of_heap();
}

/* Ten of each thread's hundred: with leaks=10 all that are recorded. */
static void *
lose_ten(void *p)
{
	int i;

	for (i = 0; i < 100; i++) {
		if (i % 10 == 0)
			lose_one(p);
		else
			ibuf_mbuf_free(ibuf_pool_alloc(p));
	}
	return NULL;
}

static void
threads_leak(void)
{
	struct ibuf_pool *p = pool_named("shared", 0);
	pthread_t threads[4];
	int i;

	for (i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, lose_ten, p) != 0)
			abort();
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ibuf_pool_destroy(p);
}

/* The pool is not destroyed, and told of at the exit. */
static void
exit_leaks(void)
{
	lose_one(pool_named("forgotten", 0));
}

static void
nothing(void)
{
	const unsigned flags[] = {0, IBUF_POOL_F_WIPE, IBUF_POOL_F_WAIT,
				  IBUF_POOL_F_WIPE | IBUF_POOL_F_WAIT};
	struct ibuf_pool *many[300];
	size_t i;

	for (i = 0; i < 300; i++)
		many[i] = pool_named("sound", flags[i % 4]);
	for (i = 0; i < 300; i++) {
		if (i < 4 || i > 290)
			use(many[i]);
		if (ibuf_pool_allocated(many[i]) != 0)
			abort();
	}
	for (i = 0; i < 300; i++)
		if (ibuf_pool_destroy(many[i]) != 0)
			abort();
}

/* ---- which one ----------------------------------------------------------- */

static const struct {
	const char *name;
	void (*plant)(void);
} bugs[] = {
	{"pool-leaks", pool_leaks}, {"clone-leaks", clone_leaks},
	{"heap-leaks", heap_leaks}, {"threads-leak", threads_leak},
	{"exit-leaks", exit_leaks}, {"nothing", nothing},
};

int
main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc == 2 && i < sizeof bugs / sizeof *bugs; i++)
		if (strcmp(bugs[i].name, argv[1]) == 0) {
			bugs[i].plant();
			return 0;
		}
	fprintf(stderr, "usage: planted BUG\n");
	return 2;
}
