/*
 * unload.c - the library is closed while threads that used it still run.
 *
 * A thread keeps mbufs back and has something to do when it exits; the code
 * that does it must still be there, and the program must not crash.
 */
#include "race.h"

#include <dlfcn.h>

/* This program is not linked with the library: it finds its functions. */
static struct ibuf_pool *(*new_pool)(size_t initial, size_t capacity);
static struct ibuf_mbuf *(*alloc)(struct ibuf_pool *p);
static void (*free_mbuf)(struct ibuf_mbuf *m);
static size_t (*destroy)(struct ibuf_pool *p);

static struct ibuf_pool *pool;
static pthread_barrier_t met;

static void
find(void *library, const char *name, void *function)
{
	void *symbol = dlsym(library, name);

	check(symbol != NULL, 0);
	memcpy(function, &symbol, sizeof(symbol));
}

static void *
use_and_stay(void *arg)
{
	struct ibuf_mbuf *ms[20];

	(void)arg;
	for (size_t i = 0; i < 20; i++)
		check((ms[i] = alloc(pool)) != NULL, i);
	for (size_t i = 0; i < 20; i++)
		free_mbuf(ms[i]);
	pthread_barrier_wait(&met); /* used */
	pthread_barrier_wait(&met); /* closed */
	return NULL;
}

int
main(int argc, char **argv)
{
	check(argc == 2, 0);
	check(pthread_barrier_init(&met, NULL, 4) == 0, 0);
	for (uint64_t cycle = 0; cycle < 50; cycle++) {
		void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
		pthread_t threads[3];

		if (library == NULL)
			fprintf(stderr, "%s\n", dlerror());
		check(library != NULL, cycle);
		find(library, "ibuf_pool_new", &new_pool);
		find(library, "ibuf_pool_alloc", &alloc);
		find(library, "ibuf_mbuf_free", &free_mbuf);
		find(library, "ibuf_pool_destroy", &destroy);
		pool = new_pool(0, 64);
		check(pool != NULL, cycle);
		for (size_t i = 0; i < 3; i++)
			check(pthread_create(&threads[i], NULL, use_and_stay,
					     NULL) == 0,
			      cycle);
		pthread_barrier_wait(&met);
		if (cycle % 2 == 0)
			check(destroy(pool) == 0, cycle);
		check(dlclose(library) == 0, cycle);
		pthread_barrier_wait(&met);
		for (size_t i = 0; i < 3; i++)
			check(pthread_join(threads[i], NULL) == 0, cycle);
		if (cycle % 2 != 0)
			check(destroy(pool) == 0, cycle);
	}
	pthread_barrier_destroy(&met);
	return 0;
}
