/*
 * recall.c - threads work in their thread caches of a pool that may wait,
 * while others recall what they keep: by waiting, and by allocations of one and
 * of many that find the pool at its max.  Some threads come and go, some
 * sleep with full caches and never call again, and some of the processes are
 * forked ones.
 *
 * Whoever has an mbuf writes a stamp of its own into it: two hands on one
 * would show.  A wake that is lost would leave all asleep; then the alarm
 * ends the program.
 */
#include "race.h"

#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 4, MAX = 24, CACHE = 8, MOST = 12 };

static struct ibuf_pool *pool;
static atomic_uint stamps;

struct worker {
	uint32_t random;
	uint64_t left;
	bool alone; /* nobody would bring one */
	struct ibuf_mbuf *held[MOST];
	uint32_t stamp[MOST];
	size_t n;
};

static void
stamp(struct worker *w, struct ibuf_mbuf *m)
{
	uint32_t mine =
		atomic_fetch_add_explicit(&stamps, 1, memory_order_relaxed);

	check(m != NULL && ibuf_mbuf_len(m) == 0, w->left);
	check(ibuf_mbuf_append(m, &mine, sizeof(mine)) == 0, w->left);
	w->held[w->n] = m;
	w->stamp[w->n++] = mine;
}

/* Give one back, whose stamp must be as it was. */
static void
give(struct worker *w)
{
	size_t i = race_random(&w->random) % w->n;
	struct ibuf_mbuf *m = w->held[i];
	uint32_t seen;

	check(ibuf_mbuf_len(m) == sizeof(seen), w->left);
	memcpy(&seen, ibuf_mbuf_data(m), sizeof(seen));
	check(seen == w->stamp[i], w->left);
	w->held[i] = w->held[--w->n];
	w->stamp[i] = w->stamp[w->n];
	if (race_random(&w->random) % 4 == 0)
		ibuf_mbuf_free(ibuf_mbuf_clone(m));
	if (race_random(&w->random) % 8 == 0)
		ibuf_pool_free(pool, m);
	else
		ibuf_mbuf_free(m);
}

static void
take_many(struct worker *w, size_t n)
{
	struct ibuf_mbuf *ms[MOST];
	bool some = race_random(&w->random) % 2 == 0;
	size_t got = n;

	if (some)
		got = ibuf_pool_alloc_upto(pool, ms, n);
	else if (ibuf_pool_alloc_bulk(pool, ms, n) != 0)
		got = 0;
	for (size_t i = 0; i < got; i++)
		stamp(w, ms[i]);
}

static void
wait_for_one(struct worker *w)
{
	static const struct timespec moment = {.tv_nsec = 30000};
	bool ever = !w->alone && w->n == 0 && race_random(&w->random) % 2 == 0;
	struct ibuf_mbuf *m = ibuf_pool_alloc_wait(pool, ever ? NULL : &moment);

	if (m != NULL)
		stamp(w, m);
	else
		check(!ever, w->left);
}

static void
turn(struct worker *w)
{
	uint32_t what = race_random(&w->random) % 32;
	struct ibuf_mbuf *m;

	if (w->n != 0 && (what < 15 || w->n == MOST)) {
		give(w);
	} else if (what < 24) {
		m = ibuf_pool_alloc(pool);
		if (m != NULL)
			stamp(w, m);
	} else if (what < 28) {
		wait_for_one(w);
	} else if (what < 30) {
		take_many(w, 1 + race_random(&w->random) % (MOST - w->n));
	} else if (what < 31) {
		ibuf_pool_flush(pool);
	} else {
		ibuf_pool_trim(pool);
	}
}

static void *
work(void *arg)
{
	struct worker *w = arg;

	for (; w->left != 0; w->left--)
		turn(w);
	while (w->n != 0)
		give(w);
	return NULL;
}

/* Threads that come and go. */
static void *
come_and_go(void *arg)
{
	struct worker *w = arg;

	for (uint64_t i = w->left / 500; i != 0; i--) {
		struct worker one = {.random = race_random(&w->random) | 1,
				     .left = 100};
		pthread_t thread;

		check(pthread_create(&thread, NULL, work, &one) == 0, i);
		check(pthread_join(thread, NULL) == 0, i);
	}
	return NULL;
}

/* Fill a thread cache, and sleep until told. */
static pthread_barrier_t all;

static void *
keep_and_sleep(void *arg)
{
	struct worker *w = arg;

	work(w);
	pthread_barrier_wait(&all);
	pthread_barrier_wait(&all);
	return NULL;
}

/* A child has one thread, and whatever max leaves. */
static void
child(struct worker *w)
{
	struct worker one = {.random = race_random(&w->random) | 1,
			     .left = 200,
			     .alone = true};
	struct ibuf_pool_stats s;

	alarm(60);
	for (; one.left != 0; one.left--)
		turn(&one);
	while (one.n != 0)
		give(&one);
	check(ibuf_pool_get_stats(pool, &s, sizeof(s)) == 0, 0);
	check(s.capacity == s.allocated + s.available, 0);
	check(s.capacity <= MAX, 0);
	_exit(0);
}

static void *
fork_now_and_then(void *arg)
{
	struct worker *w = arg;

	for (uint64_t i = w->left / 2000; i != 0; i--) {
		pid_t pid = fork();
		int status;

		check(pid >= 0, i);
		if (pid == 0)
			child(w);
		check(waitpid(pid, &status, 0) == pid && status == 0, i);
	}
	return NULL;
}

/* With all asleep, one thread can have all. */
static void
take_all(void)
{
	struct ibuf_mbuf *ms[MAX + 1];
	size_t n;

	for (n = 0; n <= MAX; n++) {
		ms[n] = ibuf_pool_alloc(pool);
		if (ms[n] == NULL)
			break;
	}
	check(n == MAX, n);
	ibuf_mbuf_free_bulk(ms, n);
	check(ibuf_pool_alloc_bulk(pool, ms, MAX) == 0, 0);
	ibuf_mbuf_free_bulk(ms, MAX);
}

int
main(int argc, char **argv)
{
	void *(*const bodies[])(void *) = {come_and_go, fork_now_and_then};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct worker ws[WORKERS + 2] = {{0}};
	pthread_t threads[WORKERS + 2];
	uint32_t i, n = WORKERS + 2;

	race_arguments(argc, argv, 100000);
	alarm((unsigned)(120 + race_cycles / 1000));
	o.capacity = 64;
	o.max = MAX;
	o.cache = CACHE;
	o.flags = IBUF_POOL_F_WAIT;
	check(ibuf_pool_create(&pool, &o) == 0, 0);
	check(pthread_barrier_init(&all, NULL, WORKERS + 1) == 0, 0);
#if defined(__SANITIZE_THREAD__)
	n--; /* a child of it has no second thread to wait for */
#endif
	for (i = 0; i < n; i++) {
		ws[i].random = race_random_init(i);
		ws[i].left = race_cycles / WORKERS;
		check(pthread_create(&threads[i], NULL,
				     i < WORKERS ? keep_and_sleep
						 : bodies[i - WORKERS],
				     &ws[i]) == 0,
		      0);
	}
	for (i = WORKERS; i < n; i++)
		check(pthread_join(threads[i], NULL) == 0, 0);
	pthread_barrier_wait(&all);
	take_all();
	pthread_barrier_wait(&all);
	for (i = 0; i < WORKERS; i++)
		check(pthread_join(threads[i], NULL) == 0, 0);
	race_check_books(pool, 0);
	check(ibuf_pool_destroy(pool) == 0, 0);
	return 0;
}
