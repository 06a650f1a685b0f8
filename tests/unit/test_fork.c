/*
 * test_fork.c - after fork, parent and child each own a working pool.
 */
#include "fork.h"

static int
use_what_was_inherited(struct family *w)
{
	struct ibuf_mbuf *ms[MAX];
	size_t n;

	if (ibuf_mbuf_validate(w->m) != 0 || ibuf_mbuf_len(w->m) != 5)
		return 1;
	if (ibuf_mbuf_append(w->m, "child", 5) != 0)
		return 2;
	n = take_all(w->p, ms, MAX);
	if (n != MAX - 1 || !books_are_right(w->p))
		return 3;
	ibuf_mbuf_free_bulk(ms, n);
	ibuf_mbuf_free(w->m);
	if (ibuf_pool_allocated(w->p) != 0 || !books_are_right(w->p))
		return 4;
	return ibuf_pool_destroy(w->p) == 0 ? 0 : 5;
}

TEST(a_child_owns_what_its_parent_had_and_the_parent_keeps_it)
{
	struct family w = {.p = pool_of(MAX, CACHE)};
	struct ibuf_mbuf *ms[MAX + 1];

	assert_int_equal(take_all(w.p, ms, 20), 20);
	ibuf_mbuf_free_bulk(ms, 20); /* some are kept back, maybe */
	w.m = ibuf_pool_alloc(w.p);
	assert_int_equal(ibuf_mbuf_append(w.m, "bytes", 5), 0);
	assert_int_equal(in_child(use_what_was_inherited, &w), 0);
	assert_message(w.m, "bytes", 5);
	assert_books(w.p, 1);
	assert_int_equal(take_all(w.p, ms, MAX + 1), MAX - 1);
	ibuf_mbuf_free_bulk(ms, MAX - 1);
	ibuf_mbuf_free(w.m);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}

/* ---- what other threads had ------------------------------------------- */

enum { POOLS = 3 };

static struct ibuf_pool *pools[POOLS];
static struct gate filled, done;

/* Keep a few of each pool back, and stay. */
static void *
fill_caches_and_stay(void *arg)
{
	struct ibuf_mbuf *ms[CACHE], *clone;
	size_t n;

	(void)arg;
	for (int i = 0; i < POOLS; i++) {
		n = take_all(pools[i], ms, CACHE);
		clone = ibuf_mbuf_clone(ms[0]);
		ibuf_mbuf_free(clone);
		ibuf_mbuf_free_bulk(ms, n);
	}
	gate_wait(&filled);
	gate_wait(&done);
	return NULL;
}

static pthread_t
stay_with_full_caches(void)
{
	pthread_t thread;

	filled = (struct gate)GATE_INIT(2);
	done = (struct gate)GATE_INIT(2);
	for (int i = 0; i < POOLS; i++)
		pools[i] = pool_of(MAX, CACHE);
	threads_start(&thread, 1, fill_caches_and_stay, pools, 0);
	gate_wait(&filled);
	return thread;
}

static void
go_with_full_caches(pthread_t thread)
{
	gate_wait(&done);
	threads_join(&thread, 1);
	for (int i = 0; i < POOLS; i++) {
		assert_books(pools[i], 0);
		assert_int_equal(ibuf_pool_destroy(pools[i]), 0);
	}
}

/* All of a pool comes out once, and goes back. */
static bool
all_is_there_once(struct ibuf_pool *p)
{
	struct ibuf_mbuf *ms[MAX + 1], *clone;
	size_t n = take_all(p, ms, MAX + 1);
	bool good = n == MAX;

	for (size_t i = 0; i < n; i++)
		good = good && ibuf_mbuf_append(ms[i], &i, sizeof(i)) == 0;
	for (size_t i = 0; i < n; i++)
		good = good && ibuf_mbuf_len(ms[i]) == sizeof(i) &&
		       memcmp(ibuf_mbuf_data(ms[i]), &i, sizeof(i)) == 0;
	clone = ibuf_mbuf_clone(ms[0]);
	good = good && clone != NULL;
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free_bulk(ms, n);
	return good && books_are_right(p) && ibuf_pool_allocated(p) == 0;
}

static int
use_every_pool(struct family *w)
{
	(void)w;
	for (int i = 0; i < POOLS; i++)
		if (!books_are_right(pools[i]) ||
		    !all_is_there_once(pools[i]) ||
		    !all_is_there_once(pools[i]))
			return 1 + i;
	for (int i = 0; i < POOLS; i++)
		if (ibuf_pool_destroy(pools[i]) != 0)
			return 11 + i;
	return 0;
}

TEST(a_child_writes_off_what_others_kept_of_every_pool)
{
	pthread_t thread = stay_with_full_caches();

	assert_int_equal(in_child(use_every_pool, NULL), 0);
	go_with_full_caches(thread);
}

/*
 * With one place in a magazine, freeing all needs more magazines than there
 * are: one that was in the stack of the empty ones twice would be filled
 * twice.
 */
static struct ibuf_mbuf *out[MAX];

static int
free_all(struct family *w)
{
	size_t n = MAX / 2;

	n += take_all(w->p, out + n, MAX - n);
	for (size_t i = 0; i < n; i++)
		ibuf_mbuf_free(out[i]);
	if (n != MAX || !all_is_there_once(w->p))
		return 1;
	return all_is_there_once(w->p) ? 0 : 2;
}

TEST(each_magazine_is_there_once_in_a_child)
{
	struct family w = {.p = pool_of(MAX, 2)};

	/* Some magazines, all in the stack of the empty ones at last. */
	assert_int_equal(take_all(w.p, out, MAX / 2), MAX / 2);
	for (int i = 0; i < MAX / 2; i++)
		ibuf_mbuf_free(out[i]);
	assert_int_equal(take_all(w.p, out, MAX / 2), MAX / 2);
	assert_int_equal(in_child(free_all, &w), 0);
	ibuf_mbuf_free_bulk(out, MAX / 2);
	assert_books(w.p, 0);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}

/* ---- what begins there -------------------------------------------------- */

#if !defined(IBUF_TSAN_) /* which has no threads in such a child */

static void *
use_and_exit(void *arg)
{
	struct family *w = arg;

	if (!all_is_there_once(w->p))
		atomic_store(&w->over, true);
	ibuf_pool_flush(w->p);
	return NULL;
}

static int
start_threads(struct family *w)
{
	pthread_t thread;

	w->p = pools[0];
	for (int i = 0; i < 20; i++)
		if (pthread_create(&thread, NULL, use_and_exit, w) != 0 ||
		    pthread_join(thread, NULL) != 0)
			return 1;
	if (atomic_load(&w->over))
		return 2;
	return use_every_pool(w);
}

/* It has slots, and stays. */
static void *
begin_and_stay(void *arg)
{
	ibuf_mbuf_free(ibuf_pool_alloc(arg));
	gate_wait(&filled);
	gate_wait(&done);
	return NULL;
}

TEST(a_child_has_threads_of_its_own)
{
	enum { OTHERS = 6 };
	struct family w = {.p = NULL};
	pthread_t threads[OTHERS];

	filled = (struct gate)GATE_INIT(OTHERS + 1);
	done = (struct gate)GATE_INIT(OTHERS + 1);
	for (int i = 0; i < POOLS; i++)
		pools[i] = pool_of(MAX, CACHE);
	threads_start(threads, OTHERS, begin_and_stay, pools[0], 0);
	gate_wait(&filled);
	assert_int_equal(in_child(start_threads, &w), 0);
	gate_wait(&done);
	threads_join(threads, OTHERS);
	for (int i = 0; i < POOLS; i++)
		assert_int_equal(ibuf_pool_destroy(pools[i]), 0);
}

#endif

/* ---- who waited there --------------------------------------------------- */

static void *
wait_for_ever(void *arg)
{
	struct family *w = arg;

	ibuf_mbuf_free(ibuf_pool_alloc_wait(w->p, NULL));
	return NULL;
}

static int
free_and_destroy(struct family *w)
{
	static const struct timespec moment = {0, 1000000};
	struct ibuf_mbuf *m;

	if (ibuf_pool_alloc_wait(w->p, &moment) != NULL)
		return 1;
	ibuf_mbuf_free(w->m);
	m = ibuf_pool_alloc_wait(w->p, NULL);
	if (m == NULL)
		return 2;
	ibuf_mbuf_free(m);
	/* Nobody waits here, so nobody is waited for. */
	return ibuf_pool_destroy(w->p) == 0 ? 0 : 3;
}

TEST(a_child_does_not_wait_for_those_who_waited)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct family w = {.p = NULL};
	pthread_t thread;

	o.max = 1;
	o.flags = IBUF_POOL_F_WAIT;
	w.p = pool_with(&o);
	w.m = ibuf_pool_alloc(w.p);
	threads_start(&thread, 1, wait_for_ever, &w, 0);
	while (stats_of(w.p).waits == 0)
		sleep_ms(1);
	assert_int_equal(in_child(free_and_destroy, &w), 0);
	ibuf_mbuf_free(w.m);
	threads_join(&thread, 1);
	assert_books(w.p, 0);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}
