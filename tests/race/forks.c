/*
 * forks.c - a process forks while its threads move mbufs, and magazines.
 *
 * The pool keeps little back, so that at any moment some thread has a
 * magazine in its hands.  In the child, which has one thread, each mbuf that
 * the pool says is available must come out once, time after time, and be
 * nobody else's.
 */
#include "race.h"

#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, MAX = 60, EACH = 7 };

static struct ibuf_pool *pool;
static atomic_bool over;

static void *
move(void *arg)
{
	struct ibuf_mbuf *ms[EACH], *clones[EACH];
	unsigned cycle = 0;

	(void)arg;
	while (!atomic_load_explicit(&over, memory_order_relaxed)) {
		size_t n = ibuf_pool_alloc_upto(pool, ms, EACH);

		ibuf_mbuf_free_bulk(ms, n);
		for (n = 0; n < EACH; n++) {
			ms[n] = ibuf_pool_alloc(pool);
			clones[n] =
				ms[n] == NULL ? NULL : ibuf_mbuf_clone(ms[n]);
		}
		ibuf_mbuf_free_bulk(ms, n);
		ibuf_mbuf_free_bulk(clones, n);
		/* So that slabs come and go when the process forks. */
		if (++cycle % 8 == 0)
			ibuf_pool_trim(pool);
	}
	return NULL;
}

static size_t
available(void)
{
	struct ibuf_pool_stats s;

	check(ibuf_pool_get_stats(pool, &s, sizeof(s)) == 0, 0);
	check(s.capacity == s.allocated + s.available, 0);
	check(s.capacity <= MAX, s.capacity);
	return (size_t)(s.available + MAX - s.capacity);
}

/* Each comes out once, and nobody else writes there. */
static void
take_all_once(uint64_t cycle)
{
	struct ibuf_mbuf *ms[MAX + 1], *clones[MAX];
	size_t there = available(), n, i, byte;

	for (n = 0; n <= MAX; n++) {
		ms[n] = ibuf_pool_alloc(pool);
		if (ms[n] == NULL)
			break;
		check(ibuf_mbuf_append(ms[n], &n, sizeof(n)) == 0, cycle);
		clones[n] = ibuf_mbuf_clone(ms[n]);
		check(clones[n] != NULL, cycle);
	}
	check(n == there, cycle);
	check(available() == 0, cycle);
	for (i = 0; i < n; i++) {
		check(ibuf_mbuf_validate(ms[i]) == 0, cycle);
		check(ibuf_mbuf_len(ms[i]) == sizeof(i), cycle);
		check(memcmp(ibuf_mbuf_data(ms[i]), &i, sizeof(i)) == 0, cycle);
		for (byte = 0; byte < i; byte++)
			check(clones[byte] != clones[i], cycle);
	}
	ibuf_mbuf_free_bulk(ms, n);
	ibuf_mbuf_free_bulk(clones, n);
	check(available() == there, cycle);
}

static void
fork_once(uint64_t cycle)
{
	pid_t child = fork();
	int status;

	check(child >= 0, cycle);
	if (child == 0) {
		alarm(20);
		for (int i = 0; i < 4; i++)
			take_all_once(cycle);
		ibuf_pool_flush(pool);
		take_all_once(cycle);
		_exit(0);
	}
	check(waitpid(child, &status, 0) == child, cycle);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0, cycle);
}

int
main(int argc, char **argv)
{
	static const size_t caches[] = {1, 2, 3, 8};
	pthread_t threads[THREADS];

	race_arguments(argc, argv, 400);
	for (size_t c = 0; c < sizeof(caches) / sizeof(caches[0]); c++) {
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

		o.capacity = 64;
		o.max = MAX;
		o.cache = caches[c];
		check(ibuf_pool_create(&pool, &o) == 0, 0);
		ibuf_mbuf_free(ibuf_pool_alloc(pool)); /* it has slots too */
		atomic_store(&over, false);
		for (size_t i = 0; i < THREADS; i++)
			check(pthread_create(&threads[i], NULL, move, NULL) ==
				      0,
			      0);
		for (uint64_t i = 0; i < race_cycles / 4; i++)
			fork_once(i);
		atomic_store(&over, true);
		for (size_t i = 0; i < THREADS; i++)
			check(pthread_join(threads[i], NULL) == 0, 0);
		race_check_books(pool, 0);
		check(ibuf_pool_destroy(pool) == 0, 0);
	}
	return 0;
}
