/*
 * test_threads_gone.c - threads that use a pool for the first time in the
 * last round of destructors, when none of ours is run any more: what they
 * keep is not lost, and neither are their slots.
 */
#include "threads.h"

#include <limits.h>

enum { MAX = 80, CACHE = 8, THREADS = 300 };

/* ThreadSanitizer itself is gone in the last round, when the library's turn
   would come for what was done in the one before. */
#if defined(IBUF_TSAN_)
enum { LAST_ROUND = PTHREAD_DESTRUCTOR_ITERATIONS - 2 };
#else
enum { LAST_ROUND = PTHREAD_DESTRUCTOR_ITERATIONS };
#endif

/* ---- what a thread does in the last round ---------------------------- */

struct goer {
	struct ibuf_pool *p;
	struct ibuf_pool *other; /* or NULL */
	void (*act)(struct goer *g);
	pthread_key_t key;
	struct ibuf_mbuf *m; /* freed there, or NULL */
	int rounds;
	bool wrong;
};

static void
alloc_and_free(struct goer *g)
{
	struct ibuf_mbuf *ms[CACHE];
	size_t n = take_all(g->p, ms, CACHE);

	g->wrong = n == 0;
	for (size_t i = 0; i < n; i++)
		ibuf_mbuf_free(ms[i]);
}

static void
free_only(struct goer *g)
{
	(void)g;
}

static void
clone_and_free(struct goer *g)
{
	struct ibuf_mbuf *clones[20];

	g->wrong = ibuf_mbuf_clone_bulk(g->m, clones, 20) != 0;
	if (!g->wrong)
		ibuf_mbuf_free_bulk(clones, 20);
}

static void
use_two_pools(struct goer *g)
{
	alloc_and_free(g);
	ibuf_mbuf_free(ibuf_pool_alloc(g->other));
}

static void
come_to_the_last_round(void *arg)
{
	struct goer *g = arg;

	if (++g->rounds < LAST_ROUND) {
		pthread_setspecific(g->key, g);
		return;
	}
	g->act(g);
	ibuf_mbuf_free(g->m);
}

/* One key is older than the library's, since nothing has used it yet: then
   ours comes after it in the same round.  After the younger one it does not. */
static pthread_key_t older, younger;

__attribute__((constructor)) static void
make_older_key(void)
{
	if (pthread_key_create(&older, come_to_the_last_round) != 0)
		abort();
}

static void
make_younger_key(void)
{
	assert_int_equal(pthread_key_create(&younger, come_to_the_last_round),
			 0);
}

static void *
go(void *arg)
{
	struct goer *g = arg;

	if (pthread_setspecific(g->key, g) != 0)
		g->wrong = true;
	return NULL;
}

static void
run_goer(struct goer *g)
{
	g->rounds = 0;
	g->wrong = false;
	threads_run(1, go, g, 0);
	assert_false(g->wrong);
	assert_int_equal(g->rounds, LAST_ROUND);
}

/* ---- nothing is lost --------------------------------------------------- */

static void
assert_all_can_be_had(struct ibuf_pool *p)
{
	struct ibuf_mbuf *ms[MAX + 1], *clones[MAX];

	assert_books(p, 0);
	assert_int_equal(stats_of(p).handles, 0);
	assert_int_equal(take_all(p, ms, MAX + 1), MAX);
	for (size_t i = 0; i < MAX; i++) {
		assert_int_equal(ibuf_mbuf_append(ms[i], &i, sizeof(i)), 0);
		clones[i] = ibuf_mbuf_clone(ms[i]);
		assert_non_null(clones[i]);
	}
	for (size_t i = 0; i < MAX; i++)
		assert_message(clones[i], &i, sizeof(i));
	ibuf_mbuf_free_bulk(ms, MAX);
	ibuf_mbuf_free_bulk(clones, MAX);
	assert_books(p, 0);
}

/* Each thread that begins looks at others' slots, and frees what it finds. */
static void *
begin(void *arg)
{
	ibuf_mbuf_free(ibuf_pool_alloc(arg));
	return NULL;
}

static void (*const acts[])(struct goer *g) = {alloc_and_free, free_only,
					       clone_and_free, use_two_pools};

static void *
lock_and_exit(void *mutex)
{
	pthread_mutex_lock(mutex);
	return NULL;
}

/* In qemu's user mode nobody learns that a thread has died. */
static bool
deaths_are_noticed(void)
{
	pthread_mutexattr_t robust;
	pthread_mutex_t mutex;
	bool noticed;

	if (pthread_mutexattr_init(&robust) != 0)
		return false;
	pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
	noticed = pthread_mutex_init(&mutex, &robust) == 0;
	pthread_mutexattr_destroy(&robust);
	if (!noticed)
		return false;
	threads_run(1, lock_and_exit, &mutex, 0);
	noticed = pthread_mutex_trylock(&mutex) == EOWNERDEAD;
	if (noticed) {
		pthread_mutex_consistent(&mutex);
		pthread_mutex_unlock(&mutex);
	}
	pthread_mutex_destroy(&mutex);
	return noticed;
}

TEST(what_threads_take_first_in_the_last_round_can_be_had_again)
{
	if (!deaths_are_noticed())
		skip();
	make_younger_key();
	for (int i = 0; i < 8; i++) {
		struct goer g = {.p = pool_of(MAX, CACHE),
				 .other = pool_of(4, 2),
				 .act = acts[i / 2],
				 .key = i % 2 == 0 ? older : younger};
		size_t mapped = 0;

		for (int n = 0; n < THREADS; n++) {
			g.m = acts[i / 2] == alloc_and_free
				      ? NULL
				      : ibuf_pool_alloc(g.p);
			run_goer(&g);
			if (n == 20)
				mapped = fault_live_bytes_mapped();
		}
		/* A few of the last ones have not been missed yet. */
		assert_true(fault_live_bytes_mapped() <= mapped + (1 << 20));
		assert_all_can_be_had(g.p);
		for (int n = 0; n < 8; n++)
			threads_run(1, begin, g.p, 0);
		assert_int_equal(ibuf_pool_destroy(g.other), 0);
		assert_int_equal(ibuf_pool_destroy(g.p), 0);
	}
	assert_int_equal(pthread_key_delete(younger), 0);
}

/* ---- those that are there are left alone -------------------------------- */

struct stayer {
	struct ibuf_pool *p;
	struct gate filled, done;
	size_t kept; /* what it has, as others see it */
	bool wrong;
};

static void *
fill_cache_and_stay(void *arg)
{
	struct stayer *s = arg;
	struct ibuf_mbuf *ms[CACHE];
	size_t n = take_all(s->p, ms, CACHE);

	ibuf_mbuf_free_bulk(ms, n);
	gate_wait(&s->filled);
	gate_wait(&s->done);
	/* Still its own, whoever looked meanwhile. */
	n = take_all(s->p, ms, CACHE);
	s->wrong = n != s->kept;
	ibuf_mbuf_free_bulk(ms, n);
	return NULL;
}

TEST(what_a_living_thread_keeps_is_its_own_when_a_pool_runs_out)
{
	struct stayer s = {.p = pool_of(MAX, CACHE),
			   .filled = GATE_INIT(2),
			   .done = GATE_INIT(2)};
	struct goer g = {.p = s.p, .act = alloc_and_free};
	struct ibuf_mbuf *ms[MAX];
	pthread_t thread;
	size_t n;

	if (!caches_work() || !deaths_are_noticed()) {
		assert_int_equal(ibuf_pool_destroy(s.p), 0);
		skip();
	}
	threads_start(&thread, 1, fill_cache_and_stay, &s, 0);
	gate_wait(&s.filled);
	make_younger_key();
	g.key = younger;
	run_goer(&g); /* gone with as many */
	n = take_all(s.p, ms, MAX);
	assert_null(ibuf_pool_alloc(s.p));
	s.kept = (size_t)stats_of(s.p).cached;
	assert_in_range(s.kept, 1, CACHE);
	assert_int_equal(n + s.kept, MAX);
	gate_wait(&s.done);
	threads_join(&thread, 1);
	assert_false(s.wrong);
	ibuf_mbuf_free_bulk(ms, n);
	for (int i = 0; i < 8; i++)
		threads_run(1, begin, s.p, 0);
	assert_books(s.p, 0);
	assert_int_equal(pthread_key_delete(younger), 0);
	assert_int_equal(ibuf_pool_destroy(s.p), 0);
}

TEST(what_threads_kept_that_are_gone_is_had_by_the_next_call_that_needs_it)
{
	struct ibuf_mbuf *ms[MAX + 1];

	if (!deaths_are_noticed())
		skip();
	make_younger_key();
	/* Others have looked in vain, where few threads are to be looked at. */
	for (int looks = 1; looks <= 3; looks++) {
		struct goer g = {.p = pool_of(MAX, CACHE),
				 .act = alloc_and_free,
				 .key = younger};

		assert_int_equal(take_all(g.p, ms, MAX), MAX);
		for (int i = 0; i < looks; i++)
			assert_null(ibuf_pool_alloc(g.p));
		ibuf_mbuf_free_bulk(ms, MAX);
		ibuf_pool_flush(g.p);
		run_goer(&g);
		for (size_t i = 0; i < MAX; i++) {
			ms[i] = ibuf_pool_alloc(g.p);
			assert_non_null(ms[i]);
		}
		assert_books(g.p, MAX);
		ibuf_mbuf_free_bulk(ms, MAX);
		for (int i = 0; i < 8; i++)
			threads_run(1, begin, g.p, 0);
		assert_int_equal(ibuf_pool_destroy(g.p), 0);
	}
	assert_int_equal(pthread_key_delete(younger), 0);
}

TEST(trim_gives_back_what_threads_kept_that_are_gone)
{
	struct counting c = {0};
	struct ibuf_provider provider = counting_provider(&c);
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct goer g = {.act = alloc_and_free};

	if (!deaths_are_noticed())
		skip();
	o.provider = &provider;
	g.p = pool_with(&o);
	make_younger_key();
	g.key = younger;
	run_goer(&g);
	assert_true(c.bytes > 0);
	assert_true(ibuf_pool_trim(g.p) > 0);
	assert_int_equal(c.bytes, 0);
	for (int i = 0; i < 8; i++)
		threads_run(1, begin, g.p, 0);
	assert_int_equal(pthread_key_delete(younger), 0);
	assert_int_equal(ibuf_pool_destroy(g.p), 0);
}
