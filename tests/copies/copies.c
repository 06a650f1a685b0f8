/*
 * copies.c - one process with several copies of the library: its own, one in
 * each of two plugins, and the shared one that a third plugin is linked to.
 *
 *   copies PLUGIN...
 *
 * What one copy makes the others use, share, free and destroy, in every pair,
 * also in other threads; in the end nothing is missing and no memory is left.
 */
#include "copy.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct copy *own_copy(void);

enum { COPIES = 8, MAX = 40, EACH = 10 };

static const struct copy *copies[COPIES];
static size_t n_copies;

/* The two that are at work: what one made the other uses. */
static const struct copy *x, *y;

#define check(what)                                                            \
	do {                                                                   \
		if (!(what))                                                   \
			over(#what, __LINE__);                                 \
	} while (0)

_Noreturn static void
over(const char *what, int line)
{
	fprintf(stderr, "line %d: not so: %s; made by %s, used by %s\n", line,
		what, x->name, y->name);
	abort();
}

/* ---- memory that is counted ------------------------------------------ */

static size_t mapped;

static void *
map(size_t size, size_t alignment, void *context)
{
	void *base = ibuf_provider_heap()->map(size, alignment, context);

	if (base != NULL)
		__atomic_fetch_add(&mapped, size, __ATOMIC_RELAXED);
	return base;
}

static void
unmap(void *base, size_t size, void *context)
{
	__atomic_fetch_sub(&mapped, size, __ATOMIC_RELAXED);
	ibuf_provider_heap()->unmap(base, size, context);
}

static struct ibuf_pool *
make(unsigned flags)
{
	static const struct ibuf_provider provider = {map, unmap, NULL};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;

	o.capacity = 64;
	o.headroom = 16;
	o.max = MAX;
	o.cache = 8;
	o.flags = flags;
	o.provider = &provider;
	if (flags != 0)
		o.cache = IBUF_POOL_CACHE_AUTO;
	check(x->create(&p, &o) == 0);
	return p;
}

static void
check_books(const struct ibuf_pool *p, size_t allocated)
{
	struct ibuf_pool_stats s;

	for (size_t i = 0; i < n_copies; i++) {
		check(copies[i]->get_stats(p, &s, sizeof(s)) == 0);
		check(s.allocated == allocated);
		check(s.capacity == s.allocated + s.available);
		check(copies[i]->allocated(p) == allocated);
		check(copies[i]->available(p) == s.available);
		if (allocated == 0)
			check(s.handles == 0);
	}
}

/* ---- what one makes the other uses -------------------------------------- */

/* Of each a message with four bytes, by the pool of x. */
static void
take(struct ibuf_pool *p, const struct copy *by, struct ibuf_mbuf **ms)
{
	for (size_t i = 0; i < EACH; i++) {
		ms[i] = by->alloc(p);
		check(ms[i] != NULL && by->pool(ms[i]) == p);
		check(by->append(ms[i], "text", 4) == 0);
		check(x->validate(ms[i]) == 0 && y->validate(ms[i]) == 0);
	}
}

/* Edit, share and free what it is given, in every way. */
static void
use(const struct copy *by, struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *clone = by->clone(m), *slice = by->slice(m, 1, 2);
	struct ibuf_mbuf *duplicate = by->duplicate(m, 0, 4);

	check(clone != NULL && slice != NULL && duplicate != NULL);
	check(memcmp(ibuf_mbuf_data(duplicate), "text", 4) == 0);
	check(by->append(clone, "more", 4) == 0);
	check(by->append(m, "else", 4) == 0);
	check(memcmp(ibuf_mbuf_data(clone), "textmore", 8) == 0);
	check(memcmp(ibuf_mbuf_data(m), "textelse", 8) == 0);
	check(memcmp(ibuf_mbuf_data(slice), "ex", 2) == 0);
	check(by->unshare(slice) == 0);
	check(by->concat(duplicate, slice) == 0);
	check(x->validate(duplicate) == 0 && y->validate(duplicate) == 0);
	check(x->validate(clone) == 0 && y->validate(clone) == 0);
	by->free(duplicate);
	x->free(clone);
	by->free(m);
}

static void
messages_go_from_one_to_the_other(void)
{
	struct ibuf_pool *p = make(0);
	struct ibuf_mbuf *ms[EACH], *more[EACH];

	for (int round = 0; round < 5; round++) {
		take(p, x, ms);
		check_books(p, EACH);
		for (size_t i = 0; i < EACH; i++)
			use(y, ms[i]);
		check_books(p, 0);
		take(p, y, ms);
		take(p, x, more);
		check_books(p, 2 * EACH);
		x->free_bulk(ms, EACH);
		y->free_bulk(more, EACH);
		check_books(p, 0);
	}
	check(y->destroy(p) == 0);
	check(mapped == 0);
}

static void
pools_are_anybodys(void)
{
	static const struct timespec none = {0, 0};
	struct ibuf_pool *p = make(0), *waits = make(IBUF_POOL_F_WAIT);
	struct ibuf_mbuf *ms[MAX + 1];

	check(y->reserve(p, MAX) == 0);
	check(y->alloc_bulk(p, ms, MAX) == 0);
	check(y->alloc(p) == NULL && x->alloc(p) == NULL);
	check_books(p, MAX);
	for (size_t i = 0; i < MAX; i++)
		(i % 2 == 0 ? x : y)->pool_free(p, ms[i]);
	check_books(p, 0);
	x->flush(p);
	y->flush(p);
	check(y->alloc_upto(p, ms, MAX + 1) == MAX);
	y->free_bulk(ms, MAX);
	y->flush(p);
	check(y->trim(p) != 0);
	check_books(p, 0);
	for (size_t i = 0; i < MAX; i++)
		check((ms[i] = y->alloc_wait(waits, NULL)) != NULL);
	check(y->alloc_wait(waits, &none) == NULL);
	x->free_bulk(ms, MAX);
	check_books(waits, 0);
	check(y->destroy(waits) == 0);
	check(y->destroy(p) == 0);
	check(mapped == 0);
}

/* ---- the heap ------------------------------------------------------------ */

static size_t released;

static void
release(void *bytes, size_t len, void *arg)
{
	(void)bytes;
	(void)len;
	(void)arg;
	released++;
}

static void
messages_of_the_heap_are_one_sum(void)
{
	static char bytes[] = "text";
	struct ibuf_pool_stats before, s;
	struct ibuf_mbuf *m, *wrapped;

	check(x->get_stats(NULL, &before, sizeof(before)) == 0);
	m = x->new_one(10);
	wrapped = x->wrap(bytes, 4, release, NULL);
	check(m != NULL && wrapped != NULL);
	check(x->append(m, "text", 4) == 0);
	check(y->get_stats(NULL, &s, sizeof(s)) == 0);
	check(s.allocated == before.allocated + 2);
	check(y->concat(m, wrapped) == 0);
	check(y->validate(m) == 0);
	y->free(m);
	check(released == 1);
	released = 0;
	use(y, y->duplicate(m = x->wrap(bytes, 4, release, NULL), 0, 4));
	y->free(m);
	check(released == 1);
	released = 0;
	check(x->get_stats(NULL, &s, sizeof(s)) == 0);
	check(s.allocated == before.allocated);
}

static void
one_message_of_two_pools(void)
{
	struct ibuf_pool *p = make(0), *q;
	const struct copy *other = x;
	struct ibuf_mbuf *m, *tail;

	x = y;
	q = make(0);
	x = other;
	m = x->alloc(p);
	tail = y->alloc(q);
	check(x->append(m, "head", 4) == 0 && y->append(tail, "tail", 4) == 0);
	check(y->concat(m, tail) == 0);
	check_books(p, 1);
	check_books(q, 1);
	x->free(m);
	check_books(p, 0);
	check_books(q, 0);
	check(y->destroy(p) == 0 && x->destroy(q) == 0);
	check(mapped == 0);
}

/* ---- threads --------------------------------------------------------------- */

static struct ibuf_pool *shared;
static struct ibuf_mbuf *handed[EACH];
static pthread_barrier_t met;

static void *
use_and_exit(void *arg)
{
	struct ibuf_mbuf *ms[EACH];

	(void)arg;
	take(shared, y, ms);
	for (size_t i = 0; i < EACH; i++)
		use(y, handed[i]);
	pthread_barrier_wait(&met); /* the pool ends */
	pthread_barrier_wait(&met);
	for (size_t i = 0; i < EACH; i++)
		use(i % 2 == 0 ? x : y, ms[i]);
	return NULL;
}

static void
a_pool_ends_while_others_have_its_messages(void)
{
	struct ibuf_mbuf *ms[EACH];
	pthread_t thread;

	shared = make(0);
	take(shared, x, handed);
	take(shared, y, ms);
	check(pthread_create(&thread, NULL, use_and_exit, NULL) == 0);
	pthread_barrier_wait(&met);
	check_books(shared, 2 * EACH);
	check(y->destroy(shared) == 2 * EACH);
	pthread_barrier_wait(&met);
	for (size_t i = 0; i < EACH; i++)
		use(i % 2 == 0 ? y : x, ms[i]);
	check(pthread_join(thread, NULL) == 0);
	check(mapped == 0);
}

/* ---- all pairs ------------------------------------------------------------- */

static void
load(const char *file)
{
	const struct copy *(*copy)(void);
	void *symbol;
	void *plugin = dlopen(file, RTLD_NOW | RTLD_GLOBAL);

	if (plugin == NULL)
		fprintf(stderr, "%s\n", dlerror());
	check(plugin != NULL && n_copies < COPIES);
	symbol = dlsym(plugin, COPY_EXPORT);
	check(symbol != NULL);
	memcpy(&copy, &symbol, sizeof(copy));
	copies[n_copies] = copy();
	/* A copy that is used stays, whoever closes the plugin it is in. */
	copies[n_copies]->free(copies[n_copies]->new_one(1));
	n_copies++;
	if (strstr(file, "shared") == NULL)
		check(dlclose(plugin) == 0);
}

int
main(int argc, char **argv)
{
	x = y = copies[n_copies++] = own_copy();
	check(pthread_barrier_init(&met, NULL, 2) == 0);
	for (int i = 1; i < argc; i++)
		load(argv[i]);
	for (size_t i = 0; i < n_copies * n_copies; i++) {
		x = copies[i / n_copies];
		y = copies[i % n_copies];
		messages_go_from_one_to_the_other();
		pools_are_anybodys();
		messages_of_the_heap_are_one_sum();
		one_message_of_two_pools();
		a_pool_ends_while_others_have_its_messages();
	}
	pthread_barrier_destroy(&met);
	printf("%zu copies, each with each\n", n_copies);
	return 0;
}
