/*
 * trim.c - a pool is trimmed, reserved, flushed and counted while others
 * use it.
 *
 * max holds all along, statistics never lie by more than what is under way,
 * and no mbuf loses its memory.
 */
#include "race.h"

enum { THREADS = 3, MAX = 300, HELD = 80 };

static struct ibuf_pool *pool;
static atomic_bool over;

struct user {
	uint32_t random;
	uint64_t cycles;
};

static void *
use(void *arg)
{
	struct user *u = arg;
	struct ibuf_mbuf *ms[HELD];

	for (uint64_t cycle = 0; cycle < u->cycles; cycle++) {
		size_t n = ibuf_pool_alloc_upto(
			pool, ms, 1 + race_random(&u->random) % HELD);

		for (size_t i = 0; i < n; i++) {
			memset(ibuf_mbuf_extend_tail(ms[i], 64), (int)i, 64);
			if (i % 8 == 0)
				ibuf_mbuf_free(ibuf_mbuf_clone(ms[i]));
		}
		for (size_t i = 0; i < n; i++) {
			const uint8_t *bytes = ibuf_mbuf_data(ms[i]);

			check(ibuf_mbuf_pool(ms[i]) == pool, cycle);
			check(bytes[0] == i && bytes[63] == i, cycle);
			ibuf_mbuf_free(ms[i]);
		}
		if (cycle % 64 == 0)
			ibuf_pool_flush(pool);
	}
	return NULL;
}

static void *
keep_house(void *arg)
{
	struct ibuf_pool_stats last = {0}, now;
	uint32_t random = race_random_init(99);
	uint64_t cycle = 0;

	(void)arg;
	while (!atomic_load_explicit(&over, memory_order_relaxed)) {
		cycle++;
		ibuf_pool_trim(pool);
		if (race_random(&random) % 4 == 0) {
			int error = ibuf_pool_reserve(
				pool, race_random(&random) % 20);

			check(error == 0 || error == -ENOBUFS, cycle);
		}
		check(ibuf_pool_get_stats(pool, &now, sizeof(now)) == 0, cycle);
		check(now.capacity <= MAX, cycle);
		check(now.allocated <= now.capacity, cycle);
		check(now.available == now.capacity - now.allocated, cycle);
		check(now.allocs - now.frees == now.allocated, cycle);
		check(now.peak >= now.allocated, cycle);
		check(now.cached <= now.available, cycle);
		check(now.allocs >= last.allocs, cycle);
		check(now.frees >= last.frees, cycle);
		check(now.grows >= last.grows, cycle);
		check(now.peak >= last.peak, cycle);
		last = now;
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	static const size_t caches[] = {0, 10, IBUF_POOL_CACHE_AUTO};

	race_arguments(argc, argv, 4000);
	for (size_t c = 0; c < sizeof(caches) / sizeof(caches[0]); c++) {
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct user us[THREADS];
		pthread_t keeper;

		o.capacity = 64;
		o.max = MAX;
		o.cache = caches[c];
		check(ibuf_pool_create(&pool, &o) == 0, 0);
		atomic_store(&over, false);
		check(pthread_create(&keeper, NULL, keep_house, NULL) == 0, 0);
		for (uint32_t i = 0; i < THREADS; i++)
			us[i] = (struct user){race_random_init(i),
					      race_cycles / THREADS};
		race_run(THREADS, use, us, sizeof(us[0]));
		atomic_store(&over, true);
		check(pthread_join(keeper, NULL) == 0, 0);
		race_check_books(pool, 0);
		ibuf_pool_flush(pool);
		ibuf_pool_trim(pool);
		check(ibuf_pool_available(pool) == 0, 0);
		check(ibuf_pool_destroy(pool) == 0, 0);
	}
	return 0;
}
