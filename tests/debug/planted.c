/*
 * planted.c - bugs for IBUF_DEBUG to find: planted BUG plants one.
 *
 * What allocates is a function of its own, so that a report can name it.
 */
#define _GNU_SOURCE
#include <ibuf/ibuf.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__ /* others have no makecontext() */
#include <sys/mman.h>
#include <ucontext.h>
#endif

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
	lose_of_heap(); /* the first there is */
	ibuf_mbuf_free(ibuf_mbuf_from("bytes", 5));
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

#ifdef __GLIBC__
/*
 * Forty on a stack of their own, most of which ends right above the frame and
 * is gone before the next.
 */
static ucontext_t back;
static struct ibuf_pool *of_coroutines;

static void
coroutine(void)
{
	lose_one(of_coroutines);
}

static void
coroutines_leak(void)
{
	enum { SIZE = 256 << 10 };
	ucontext_t there;
	void *stack;
	int i;

	of_coroutines = pool_named("coroutines", 0);
	for (i = 0; i < 40; i++) {
		stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (stack == MAP_FAILED || getcontext(&there) != 0)
			abort();
		there.uc_stack.ss_sp = stack;
		there.uc_stack.ss_size = SIZE - (size_t)i % 4 * 4096;
		there.uc_link = &back;
		makecontext(&there, coroutine, 0);
		if (swapcontext(&back, &there) != 0)
			abort();
		munmap(stack, SIZE);
	}
	ibuf_pool_destroy(of_coroutines);
}
#else

static void
coroutines_leak(void)
{
}

#endif

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

/* ---- freed twice --------------------------------------------------------- */

/* What is freed must not be known to be. */
static struct ibuf_mbuf *volatile stale;

APART static struct ibuf_mbuf *
allocate(struct ibuf_pool *p)
{
	return p == NULL ? ibuf_mbuf_new(512) : ibuf_pool_alloc(p);
}

APART static void
free_first(struct ibuf_mbuf *m)
{
	ibuf_mbuf_free(m);
}

APART static void
free_again(struct ibuf_mbuf *m)
{
	ibuf_mbuf_free(m);
}

/* Others are handed out meanwhile. */
static void
churn(struct ibuf_pool *p)
{
	struct ibuf_mbuf *ms[8];
	int i, round;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 8; i++)
			if ((ms[i] = allocate(p)) == NULL)
				abort();
		ibuf_mbuf_free_bulk(ms, 8);
	}
}

static void
twice(struct ibuf_pool *p)
{
	stale = allocate(p);
	free_first(stale);
	churn(p);
	free_again(stale);
}

static void
pool_twice(void)
{
	twice(pool_named("twice", 0));
}

static void
heap_twice(void)
{
	ibuf_pool_destroy(ibuf_pool_new(0, 64));
	twice(NULL);
}

APART static struct ibuf_mbuf *
make_clone(struct ibuf_mbuf *m)
{
	return ibuf_mbuf_clone(m);
}

static void
clone_twice(void)
{
	struct ibuf_pool *p = pool_named("twice", 0);
	struct ibuf_mbuf *m = allocate(p), *clone;

	stale = make_clone(m);
	free_first(stale);
	clone = make_clone(m);
	free_again(stale);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(m);
}

/* A clone shows its room still. */
static void
shown_twice(void)
{
	struct ibuf_mbuf *m = allocate(pool_named("twice", 0));
	struct ibuf_mbuf *clone = make_clone(m);

	stale = m;
	free_first(m);
	free_again(stale);
	ibuf_mbuf_free(clone);
}

static void *
free_in_thread(void *m)
{
	free_first(m);
	return NULL;
}

static void
threads_twice(void)
{
	struct ibuf_pool *p = pool_named("twice", 0);
	pthread_t thread;

	stale = allocate(p);
	if (pthread_create(&thread, NULL, free_in_thread, stale) != 0)
		abort();
	pthread_join(thread, NULL);
	churn(p);
	free_again(stale);
}

/* ---- used after it was freed --------------------------------------------- */

static uint8_t *volatile old_bytes;

APART static void
write_late(void)
{
	old_bytes[3] = 'x';
}

APART static void
read_late(void)
{
	printf("%d\n", old_bytes[3]);
}

/* Its bytes are known still. */
static void
let_go(struct ibuf_mbuf *m)
{
	if (ibuf_mbuf_append(m, "bytes", 5) != 0)
		abort();
	old_bytes = (uint8_t *)(uintptr_t)ibuf_mbuf_data(m);
	free_first(m);
}

static void
late(struct ibuf_pool *p, void (*then)(void))
{
	let_go(allocate(p));
	churn(p);
	then();
	churn(p);
	if (p != NULL)
		ibuf_pool_destroy(p);
}

static void
pool_written(void)
{
	late(pool_named("late", 0), write_late);
}

static void
pool_read(void)
{
	late(pool_named("late", 0), read_late);
}

static void
wait_written(void)
{
	late(pool_named("late", IBUF_POOL_F_WAIT), write_late);
}

static void
wipe_written(void)
{
	late(pool_named("late", IBUF_POOL_F_WIPE), write_late);
}

static void
heap_written(void)
{
	ibuf_pool_destroy(ibuf_pool_new(0, 64));
	late(NULL, write_late);
}

/* The process ends first, and nobody destroys the pool. */
static void
exit_written(void)
{
	let_go(allocate(pool_named("late", 0)));
	write_late();
}

/* The last that shows the room is a clone. */
static void
clone_written(void)
{
	struct ibuf_pool *p = pool_named("late", 0);
	struct ibuf_mbuf *m = allocate(p), *clone = make_clone(m);

	ibuf_mbuf_free(m);
	let_go(clone);
	write_late();
	ibuf_pool_destroy(p);
}

static void
private_written(void)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;
	struct ibuf_mbuf *m;

	o.private_size = 16;
	if (ibuf_pool_create(&p, &o) != 0)
		abort();
	m = allocate(p);
	old_bytes = (uint8_t *)ibuf_mbuf_private(m) - 3;
	free_first(m);
	write_late();
	ibuf_pool_destroy(p);
}

/* A pool of four has none to spare: what waits goes back before it fails. */
static void
small_written(void)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;
	struct ibuf_mbuf *ms[4];
	int i;

	o.name = "late";
	o.initial = 4;
	o.max = 4;
	if (ibuf_pool_create(&p, &o) != 0)
		abort();
	for (i = 0; i < 100; i++) {
		if (ibuf_pool_alloc_bulk(p, ms, 4) != 0)
			abort();
		ibuf_mbuf_free_bulk(ms, 4);
	}
	let_go(allocate(p));
	write_late();
	if (ibuf_pool_alloc_bulk(p, ms, 4) != 0)
		abort();
	ibuf_mbuf_free_bulk(ms, 4);
}

/* ---- written beside its room --------------------------------------------- */

APART static void
write_behind(struct ibuf_mbuf *m)
{
	size_t n = ibuf_mbuf_len(m) + ibuf_mbuf_tailroom(m);
	uint8_t *bytes = (uint8_t *)(uintptr_t)ibuf_mbuf_data(m);

	bytes[n] = 0;
}

APART static void
write_in_front(struct ibuf_mbuf *m)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)ibuf_mbuf_data(m);

	bytes -= ibuf_mbuf_headroom(m);
	bytes[-1] = 1;
}

static void
beside(struct ibuf_pool *p, void (*write)(struct ibuf_mbuf *m))
{
	struct ibuf_mbuf *before = allocate(p), *m = allocate(p);
	struct ibuf_mbuf *behind = allocate(p);

	write(m);
	free_first(m);
	ibuf_mbuf_free(before);
	ibuf_mbuf_free(behind);
}

static void
pool_over(void)
{
	beside(pool_named("beside", 0), write_behind);
}

static void
pool_under(void)
{
	beside(pool_named("beside", 0), write_in_front);
}

static void
wipe_under(void)
{
	beside(pool_named("beside", IBUF_POOL_F_WIPE), write_in_front);
}

static void
heap_over(void)
{
	ibuf_pool_destroy(ibuf_pool_new(0, 64));
	beside(NULL, write_behind);
}

static void
heap_under(void)
{
	ibuf_pool_destroy(ibuf_pool_new(0, 64));
	beside(NULL, write_in_front);
}

/* A clone's room, freed by another thread. */
static void
clone_over(void)
{
	struct ibuf_mbuf *m = allocate(pool_named("beside", 0));
	struct ibuf_mbuf *clone = make_clone(m);
	pthread_t thread;

	write_behind(m);
	ibuf_mbuf_free(m);
	if (pthread_create(&thread, NULL, free_in_thread, clone) != 0)
		abort();
	pthread_join(thread, NULL);
}

APART static void
grow(struct ibuf_mbuf *m)
{
	static const uint8_t bytes[2000];

	if (ibuf_mbuf_append(m, bytes, sizeof bytes) != 0)
		abort();
}

/* A room that has grown is another, with the bytes asked for. */
static void
grown_over(void)
{
	struct ibuf_mbuf *m = allocate(pool_named("beside", 0));

	grow(m);
	write_behind(m);
	free_first(m);
}

/* ---- which one ----------------------------------------------------------- */

static const struct {
	const char *name;
	void (*plant)(void);
} bugs[] = {
	{"pool-leaks", pool_leaks},
	{"clone-leaks", clone_leaks},
	{"heap-leaks", heap_leaks},
	{"threads-leak", threads_leak},
	{"exit-leaks", exit_leaks},
	{"nothing", nothing},
	{"coroutines-leak", coroutines_leak},
	{"shown-twice", shown_twice},
	{"private-written", private_written},
	{"small-written", small_written},
	{"pool-twice", pool_twice},
	{"heap-twice", heap_twice},
	{"clone-twice", clone_twice},
	{"threads-twice", threads_twice},
	{"pool-written", pool_written},
	{"pool-read", pool_read},
	{"wait-written", wait_written},
	{"wipe-written", wipe_written},
	{"heap-written", heap_written},
	{"exit-written", exit_written},
	{"clone-written", clone_written},
	{"pool-over", pool_over},
	{"pool-under", pool_under},
	{"wipe-under", wipe_under},
	{"heap-over", heap_over},
	{"heap-under", heap_under},
	{"clone-over", clone_over},
	{"grown-over", grown_over},
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
