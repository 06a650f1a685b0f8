/*
 * closing.c - a pool ends while its messages are freed and threads exit.
 *
 * Each cycle makes a pool, fills the caches of some threads, lets them free
 * its messages and exit while the pool is destroyed, and at last sees all of
 * its memory given back, each piece once.
 */
#include "race.h"

enum { THREADS = 3, EACH = 12, CROWD = 260 };

static struct ibuf_pool *pool;
static atomic_size_t mapped, pieces;

static void *
map(size_t size, size_t alignment, void *context)
{
	void *base = ibuf_provider_heap()->map(size, alignment, context);

	if (base != NULL) {
		atomic_fetch_add_explicit(&mapped, size, memory_order_relaxed);
		atomic_fetch_add_explicit(&pieces, 1, memory_order_relaxed);
	}
	return base;
}

static void
unmap(void *base, size_t size, void *context)
{
	atomic_fetch_sub_explicit(&mapped, size, memory_order_relaxed);
	atomic_fetch_sub_explicit(&pieces, 1, memory_order_relaxed);
	ibuf_provider_heap()->unmap(base, size, context);
}

struct holder {
	struct ibuf_mbuf *ms[EACH];
	uint32_t random;
	uint64_t cycle;
};

/* Threads and the one that destroys, until all hold what they will. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_came = PTHREAD_COND_INITIALIZER;
static unsigned came;

static void
meet(void)
{
	pthread_mutex_lock(&lock);
	if (++came == THREADS + 1)
		pthread_cond_broadcast(&all_came);
	while (came < THREADS + 1)
		pthread_cond_wait(&all_came, &lock);
	pthread_mutex_unlock(&lock);
}

static void *
hold_and_free(void *arg)
{
	struct holder *h = arg;
	size_t n = race_random(&h->random) % EACH;

	for (size_t i = 0; i < EACH; i++) {
		h->ms[i] = ibuf_pool_alloc(pool);
		check(h->ms[i] != NULL, h->cycle);
		check(ibuf_mbuf_append(h->ms[i], &i, sizeof(i)) == 0, h->cycle);
	}
	ibuf_mbuf_free_bulk(h->ms, n); /* into the cache */
	meet();
	for (size_t i = n; i < EACH; i++) {
		struct ibuf_mbuf *m = h->ms[i], *clone;

		if (race_random(&h->random) % 2 == 0) {
			clone = ibuf_mbuf_clone(m);
			check(clone != NULL, h->cycle);
			ibuf_mbuf_free(m);
			m = clone;
		}
		check(memcmp(ibuf_mbuf_data(m), &i, sizeof(i)) == 0, h->cycle);
		ibuf_mbuf_free(m);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	static const struct ibuf_provider provider = {map, unmap, NULL};
	struct ibuf_pool *crowd[CROWD];
	size_t n = 0;

	race_arguments(argc, argv, 3000);
	for (uint64_t cycle = 0; cycle < race_cycles; cycle++) {
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct holder hs[THREADS];
		pthread_t threads[THREADS];

		o.capacity = 64;
		o.cache = cycle % 3 == 0 ? 0 : 8;
		o.initial = cycle % 2 == 0 ? 0 : 10;
		o.provider = &provider;
		/* From here on the pool has a high number. */
		if (cycle == race_cycles / 3 * 2)
			while (n < CROWD)
				check((crowd[n++] = ibuf_pool_new(0, 64)) !=
					      NULL,
				      cycle);
		check(ibuf_pool_create(&pool, &o) == 0, cycle);
		came = 0;
		for (uint32_t i = 0; i < THREADS; i++) {
			hs[i].random = race_random_init(i) ^
				       ((uint32_t)cycle << 8 | 1);
			hs[i].cycle = cycle;
			check(pthread_create(&threads[i], NULL, hold_and_free,
					     &hs[i]) == 0,
			      cycle);
		}
		meet();
		check(ibuf_pool_destroy(pool) <= THREADS * EACH, cycle);
		for (size_t i = 0; i < THREADS; i++)
			check(pthread_join(threads[i], NULL) == 0, cycle);
		check(atomic_load(&mapped) == 0, cycle);
		check(atomic_load(&pieces) == 0, cycle);
	}
	while (n > 0)
		check(ibuf_pool_destroy(crowd[--n]) == 0, n);
	return 0;
}
