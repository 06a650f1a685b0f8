/*
 * waits.c - more threads than mbufs wait for one, for ever or for a moment,
 * and some are cancelled while they do.
 *
 * A wake that is lost would leave all of them asleep with an mbuf in the pool;
 * then the alarm ends the program.
 */
#include "race.h"

#include <unistd.h>

enum { WORKERS = 4, MAX = 2 };

static struct ibuf_pool *pool;

struct worker {
	uint32_t random;
	uint64_t left;
};

static void
free_it(void *m)
{
	ibuf_mbuf_free(m);
}

/* Wait for one, and hold it for a while in which it may be cancelled. */
static void
turn(struct worker *w)
{
	static const struct timespec moment = {.tv_nsec = 20000};
	struct ibuf_mbuf *m = ibuf_pool_alloc_wait(
		pool, race_random(&w->random) % 4 == 0 ? &moment : NULL);

	if (m == NULL)
		return;
	pthread_cleanup_push(free_it, m);
	check(ibuf_mbuf_append(m, "turn", 4) == 0, w->left);
	if (race_random(&w->random) % 2 == 0) {
		struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

		ibuf_mbuf_free(clone);
	}
	if (race_random(&w->random) % 16 == 0)
		pthread_testcancel();
	pthread_cleanup_pop(1);
}

static void *
work(void *arg)
{
	struct worker *w = arg;

	for (; w->left != 0; w->left--)
		turn(w);
	return NULL;
}

static void *
work_for_ever(void *arg)
{
	for (;;)
		turn(arg);
	return NULL;
}

/* Start somebody, and cancel him, again and again. */
static void *
cancel(void *arg)
{
	struct worker *w = arg;

	for (uint64_t i = 0; i < w->left; i++) {
		struct worker victim = {.random = w->random | 1};
		pthread_t thread;
		void *end;

		for (uint32_t n = race_random(&w->random) % 4096; n != 0; n--)
			__asm__ volatile("");
		check(pthread_create(&thread, NULL, work_for_ever, &victim) ==
			      0,
		      i);
		for (uint32_t n = race_random(&w->random) % 65536; n != 0; n--)
			__asm__ volatile("");
		check(pthread_cancel(thread) == 0, i);
		check(pthread_join(thread, &end) == 0, i);
		check(end == PTHREAD_CANCELED, i);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct worker ws[WORKERS], canceller;
	struct ibuf_mbuf *ms[MAX + 1];
	pthread_t thread;

	race_arguments(argc, argv, 40000);
	alarm((unsigned)(120 + race_cycles / 1000));
	o.capacity = 64;
	o.max = MAX;
	o.flags = IBUF_POOL_F_WAIT;
	check(ibuf_pool_create(&pool, &o) == 0, 0);
	canceller = (struct worker){race_random_init(99), race_cycles / 100};
	check(pthread_create(&thread, NULL, cancel, &canceller) == 0, 0);
	for (uint32_t i = 0; i < WORKERS; i++)
		ws[i] = (struct worker){race_random_init(i),
					race_cycles / WORKERS};
	race_run(WORKERS, work, ws, sizeof(ws[0]));
	check(pthread_join(thread, NULL) == 0, 0);
	race_check_books(pool, 0);
	check(ibuf_pool_alloc_upto(pool, ms, MAX + 1) == MAX, 0);
	ibuf_mbuf_free_bulk(ms, MAX);
	check(ibuf_pool_destroy(pool) == 0, 0);
	return 0;
}
