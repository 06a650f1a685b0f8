/*
 * test_threads_life.c - threads and pools that come and go in any order, and
 * what a thread keeps back meanwhile.
 */
#include "threads.h"

#include <semaphore.h>

enum { THREADS = 4, CACHE = 8, MAX = 40 };

struct life {
	struct ibuf_pool *p;
	struct gate filled; /* all have done their part */
	struct gate done;   /* all may go */
	atomic_size_t wrong;
	struct ibuf_mbuf *left[MAX];
};

/* ---- what a thread keeps back --------------------------------------- */

/* Fill this thread's cache, and stay. */
static void *
fill_cache_and_stay(void *arg)
{
	struct life *w = arg;
	struct ibuf_mbuf *ms[CACHE];
	size_t n = take_all(w->p, ms, CACHE);

	ibuf_mbuf_free_bulk(ms, n);
	gate_wait(&w->filled);
	gate_wait(&w->done);
	return NULL;
}

TEST(a_thread_gets_all_but_what_the_others_may_keep_back)
{
	struct life w = {.p = pool_of(MAX, CACHE),
			 .filled = GATE_INIT(THREADS),
			 .done = GATE_INIT(THREADS)};
	struct ibuf_mbuf *ms[MAX + 1];
	pthread_t threads[THREADS - 1];
	size_t n;

	threads_start(threads, THREADS - 1, fill_cache_and_stay, &w, 0);
	gate_wait(&w.filled);
	assert_true(stats_of(w.p).cached <= (THREADS - 1) * CACHE);
	assert_books(w.p, 0);
	n = take_all(w.p, ms, MAX + 1);
	assert_in_range(n, MAX - (THREADS - 1) * CACHE, MAX);
	assert_books(w.p, n);
	ibuf_mbuf_free_bulk(ms, n);
	assert_true(stats_of(w.p).cached <= THREADS * CACHE);
	gate_wait(&w.done);
	threads_join(threads, THREADS - 1);
	/* They exited, and gave back what they had. */
	assert_true(stats_of(w.p).cached <= CACHE);
	assert_int_equal(take_all(w.p, ms, MAX + 1), MAX);
	ibuf_mbuf_free_bulk(ms, MAX);
	assert_books(w.p, 0);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}

TEST(no_cache_means_none)
{
	struct life w = {.p = pool_of(MAX, 0),
			 .filled = GATE_INIT(THREADS),
			 .done = GATE_INIT(THREADS)};
	struct ibuf_mbuf *ms[MAX + 1];
	pthread_t threads[THREADS - 1];

	threads_start(threads, THREADS - 1, fill_cache_and_stay, &w, 0);
	gate_wait(&w.filled);
	assert_int_equal(stats_of(w.p).cached, 0);
	assert_int_equal(take_all(w.p, ms, MAX + 1), MAX);
	ibuf_mbuf_free_bulk(ms, MAX);
	gate_wait(&w.done);
	threads_join(threads, THREADS - 1);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}

/* ---- threads that exit ---------------------------------------------- */

static void *
leave_messages(void *arg)
{
	struct life *w = arg;

	for (int i = 0; i < MAX; i++) {
		w->left[i] = ibuf_pool_alloc(w->p);
		if (w->left[i] == NULL ||
		    ibuf_mbuf_append(w->left[i], &i, sizeof(i)) != 0)
			atomic_fetch_add(&w->wrong, 1);
	}
	return NULL;
}

TEST(what_a_thread_left_when_it_exited_is_valid_and_can_be_freed)
{
	struct life w = {.p = pool_of(MAX, CACHE)};

	for (int round = 0; round < 3; round++) {
		threads_run(1, leave_messages, &w, 0);
		assert_int_equal(w.wrong, 0);
		assert_books(w.p, MAX);
		for (int i = 0; i < MAX; i++)
			assert_message(w.left[i], &i, sizeof(i));
		ibuf_mbuf_free_bulk(w.left, MAX);
		ibuf_pool_flush(w.p); /* the next thread wants them all */
		assert_books(w.p, 0);
		ibuf_pool_flush(w.p); /* the next thread needs them all */
	}
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}

static void *
live_shortly(void *arg)
{
	struct life *w = arg;
	struct ibuf_mbuf *m = ibuf_pool_alloc(w->p);

	if (m == NULL || ibuf_mbuf_append(m, "x", 1) != 0)
		atomic_fetch_add(&w->wrong, 1);
	ibuf_mbuf_free(ibuf_mbuf_clone(m));
	ibuf_mbuf_free(m);
	return NULL;
}

TEST(four_thousand_short_threads_leave_nothing_behind)
{
	struct life w = {.p = pool_of(MAX, CACHE)};
	size_t blocks, mapped;

	threads_run(4, live_shortly, &w, 0);
	blocks = fault_live_blocks();
	mapped = fault_live_bytes_mapped();
	for (unsigned i = 0; i < test_rounds(4000) / 4; i++)
		threads_run(4, live_shortly, &w, 0);
	assert_int_equal(w.wrong, 0);
	assert_books(w.p, 0);
	/* What four at once need may have been less the first time. */
	assert_true(fault_live_blocks() <= blocks + 16);
	assert_true(fault_live_bytes_mapped() <= mapped + (1 << 20));
	assert_true(stats_of(w.p).capacity <= MAX);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}

/* A destructor of the program's own: it may run before or after ours. */
static pthread_key_t key;
static atomic_int rounds_left;

static void
free_at_exit(void *m)
{
	struct ibuf_pool *p = ibuf_mbuf_pool(m);

	ibuf_mbuf_free(m);
	if (atomic_fetch_sub(&rounds_left, 1) > 1)
		pthread_setspecific(key, ibuf_pool_alloc(p));
}

static void *
leave_it_to_the_destructor(void *arg)
{
	struct life *w = arg;

	if (pthread_setspecific(key, ibuf_pool_alloc(w->p)) != 0)
		atomic_fetch_add(&w->wrong, 1);
	return NULL;
}

TEST(destructors_of_a_thread_may_allocate_and_free)
{
	struct life w = {.p = pool_of(MAX, CACHE)};
	struct ibuf_mbuf *ms[MAX + 1];

	assert_int_equal(pthread_key_create(&key, free_at_exit), 0);
	/* In the fourth round ThreadSanitizer takes its own leave. */
	for (int rounds = 1; rounds <= 3; rounds++) {
		for (int i = 0; i < 20; i++) {
			rounds_left = rounds;
			threads_run(1, leave_it_to_the_destructor, &w, 0);
			assert_int_equal(w.wrong, 0);
			assert_books(w.p, 0);
		}
		assert_int_equal(take_all(w.p, ms, MAX + 1), MAX);
		ibuf_mbuf_free_bulk(ms, MAX);
	}
	assert_int_equal(pthread_key_delete(key), 0);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}

/* ---- pools that end ------------------------------------------------- */

/* Some of the messages that are left, for one thread to free. */
struct part {
	struct life *w;
	struct ibuf_mbuf **ms;
	size_t n;
};

static void *
use_and_free(void *arg)
{
	const struct part *part = arg;

	gate_wait(&part->w->filled);
	for (size_t i = 0; i < part->n; i++) {
		struct ibuf_mbuf *m = part->ms[i];
		struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

		if (clone == NULL || ibuf_mbuf_append(m, "+", 1) != 0 ||
		    ibuf_mbuf_append_fill(clone, '.', 100) != 0 ||
		    ibuf_mbuf_validate(m) != 0 ||
		    ibuf_mbuf_validate(clone) != 0)
			atomic_fetch_add(&part->w->wrong, 1);
		ibuf_mbuf_free(m);
		ibuf_mbuf_free(clone);
	}
	return NULL;
}

TEST(a_pool_ends_while_other_threads_use_and_free_its_messages)
{
	for (unsigned round = test_rounds(200); round > 0; round--) {
		struct counting c = {0};
		struct ibuf_provider provider = counting_provider(&c);
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct life w = {.filled = GATE_INIT(THREADS + 1)};
		struct part parts[THREADS];
		pthread_t threads[THREADS];

		o.capacity = 64;
		o.cache = CACHE;
		o.provider = &provider;
		w.p = pool_with(&o);
		leave_messages(&w);
		for (size_t i = 0; i < THREADS; i++)
			parts[i] = (struct part){&w, w.left + 10 * i, 10};
		threads_start(threads, THREADS, use_and_free, parts,
			      sizeof(parts[0]));
		gate_wait(&w.filled);
		assert_true(ibuf_pool_destroy(w.p) <= MAX);
		threads_join(threads, THREADS);
		assert_int_equal(w.wrong, 0);
		assert_int_equal(c.bytes, 0);
		assert_int_equal(c.maps, c.unmaps);
	}
}

TEST(the_last_message_of_a_closed_pool_may_be_freed_by_any_thread)
{
	for (int round = 0; round < 50; round++) {
		struct counting c = {0};
		struct ibuf_provider provider = counting_provider(&c);
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct life w = {.filled = GATE_INIT(THREADS)};
		struct part parts[THREADS];

		o.provider = &provider;
		w.p = pool_with(&o);
		leave_messages(&w);
		ibuf_mbuf_free_bulk(w.left, 10);
		assert_int_equal(ibuf_pool_destroy(w.p), MAX - 10);
		for (size_t i = 0; i < THREADS; i++)
			parts[i] = (struct part){&w, w.left + 10 * i,
						 i == 0 ? 0 : 10};
		threads_run(THREADS, use_and_free, parts, sizeof(parts[0]));
		assert_int_equal(w.wrong, 0);
		assert_int_equal(c.bytes, 0);
		assert_int_equal(c.maps, c.unmaps);
	}
}

/* A thread that serves one pool after another. */
struct servant {
	sem_t ask, answer;
	struct ibuf_pool *p; /* NULL: go */
	size_t wrong;
};

static void *
serve(void *arg)
{
	struct servant *s = arg;

	for (;;) {
		struct ibuf_mbuf *ms[20];

		while (sem_wait(&s->ask) != 0)
			;
		if (s->p == NULL)
			return NULL;
		for (size_t i = 0; i < 20; i++) {
			ms[i] = ibuf_pool_alloc(s->p);
			if (ms[i] == NULL || ibuf_mbuf_pool(ms[i]) != s->p ||
			    ibuf_mbuf_len(ms[i]) != 0)
				s->wrong++;
		}
		ibuf_mbuf_free_bulk(ms, 20);
		sem_post(&s->answer);
	}
}

TEST(a_thread_outlives_many_pools_and_mixes_up_none)
{
	struct servant s = {.wrong = 0};
	struct ibuf_mbuf *ms[21];
	pthread_t thread;

	assert_int_equal(sem_init(&s.ask, 0, 0), 0);
	assert_int_equal(sem_init(&s.answer, 0, 0), 0);
	threads_start(&thread, 1, serve, &s, 0);
	for (int round = 0; round < 500; round++) {
		s.p = pool_of(20 + CACHE, CACHE);
		sem_post(&s.ask);
		while (sem_wait(&s.answer) != 0)
			;
		assert_books(s.p, 0);
		assert_true(stats_of(s.p).cached <= CACHE);
		assert_int_equal(take_all(s.p, ms, 20), 20);
		ibuf_mbuf_free_bulk(ms, 20);
		assert_int_equal(ibuf_pool_destroy(s.p), 0);
	}
	s.p = NULL;
	sem_post(&s.ask);
	threads_join(&thread, 1);
	assert_int_equal(s.wrong, 0);
	sem_destroy(&s.ask);
	sem_destroy(&s.answer);
}

TEST(a_thread_uses_many_pools_at_once)
{
	enum { POOLS = 300 };
	struct ibuf_pool *ps[POOLS];
	struct ibuf_mbuf *ms[POOLS];
	size_t mapped = fault_live_bytes_mapped();

	for (int i = 0; i < POOLS; i++)
		ps[i] = pool_of(2, 1);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < POOLS; i++) {
			ms[i] = ibuf_pool_alloc(ps[i]);
			assert_ptr_equal(ibuf_mbuf_pool(ms[i]), ps[i]);
		}
		for (int i = 0; i < POOLS; i++)
			assert_books(ps[i], 1);
		ibuf_mbuf_free_bulk(ms, POOLS);
		for (int i = 0; i < POOLS; i++)
			assert_books(ps[i], 0);
	}
	for (int i = 0; i < POOLS; i++)
		assert_int_equal(ibuf_pool_destroy(ps[i]), 0);
	/* Thread caches of high numbers, as it keeps those of low ones. */
	mapped = fault_live_bytes_mapped() - mapped;
	assert_in_range(mapped, 0, 48 << 10);
	test_keeps(0, mapped);
}

/* ---- providers that take their time --------------------------------------- */

/* A provider that does not return before a thread has used another pool. */
struct slow {
	sem_t mapping, other_done;
	atomic_bool armed, in_time;
	struct ibuf_pool *p, *other;
};

static void *
map_slowly(size_t size, size_t alignment, void *context)
{
	struct slow *s = context;
	struct timespec end;

	if (atomic_exchange(&s->armed, false)) {
		sem_post(&s->mapping);
		clock_gettime(CLOCK_REALTIME, &end);
		end.tv_sec += 20;
		atomic_store(&s->in_time,
			     sem_timedwait(&s->other_done, &end) == 0);
	}
	return ibuf_provider_heap()->map(size, alignment, NULL);
}

static void
unmap_heap(void *base, size_t size, void *context)
{
	(void)context;
	ibuf_provider_heap()->unmap(base, size, NULL);
}

static void *
make_it_grow(void *arg)
{
	struct slow *s = arg;

	ibuf_mbuf_free(ibuf_pool_alloc(s->p));
	return NULL;
}

static void *
ask_it(void *arg)
{
	struct slow *s = arg;
	struct ibuf_pool_stats stats;

	(void)ibuf_pool_allocated(s->p);
	(void)ibuf_pool_get_stats(s->p, &stats, sizeof(stats));
	return NULL;
}

/* Begins and exits, while the other pool's provider works. */
static void *
use_the_other(void *arg)
{
	struct slow *s = arg;

	ibuf_mbuf_free(ibuf_pool_alloc(s->other));
	return NULL;
}

TEST(a_provider_that_takes_its_time_stops_no_thread_of_another_pool)
{
	struct slow s = {.armed = false};
	struct ibuf_provider provider = {map_slowly, unmap_heap, &s};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	pthread_t grows, asks[2], uses;

	assert_int_equal(sem_init(&s.mapping, 0, 0), 0);
	assert_int_equal(sem_init(&s.other_done, 0, 0), 0);
	o.provider = &provider;
	s.p = pool_with(&o);
	s.other = pool_of(0, CACHE);
	atomic_store(&s.armed, true);
	threads_start(&grows, 1, make_it_grow, &s, 0);
	while (sem_wait(&s.mapping) != 0)
		;
	threads_start(asks, 2, ask_it, &s, 0);
	sleep_ms(20); /* until they ask, most often */
	threads_start(&uses, 1, use_the_other, &s, 0);
	threads_join(&uses, 1);
	assert_int_equal(ibuf_pool_destroy(s.other), 0);
	sem_post(&s.other_done);
	threads_join(&grows, 1);
	threads_join(asks, 2);
	assert_true(s.in_time);
	assert_books(s.p, 0);
	assert_int_equal(ibuf_pool_destroy(s.p), 0);
	sem_destroy(&s.mapping);
	sem_destroy(&s.other_done);
}

/* ---- threads that exit in any order ---------------------------------- */

enum { MOST = 4 };

static struct stayer {
	pthread_t thread;
	struct ibuf_pool *p;
	sem_t in, go;
} stayers[MOST];

static void *
use_and_stay(void *arg)
{
	struct stayer *s = arg;

	ibuf_mbuf_free(ibuf_pool_alloc(s->p));
	sem_post(&s->in);
	while (sem_wait(&s->go) != 0)
		;
	return NULL;
}

static void *
use_and_exit(void *pool)
{
	ibuf_mbuf_free(ibuf_pool_alloc(pool));
	return NULL;
}

static void
stayer_starts(struct stayer *s, struct ibuf_pool *p)
{
	s->p = p;
	sem_init(&s->in, 0, 0);
	sem_init(&s->go, 0, 0);
	threads_start(&s->thread, 1, use_and_stay, s, 0);
	while (sem_wait(&s->in) != 0)
		;
}

static void
stayer_ends(struct stayer *s)
{
	sem_post(&s->go);
	threads_join(&s->thread, 1);
	sem_destroy(&s->in);
	sem_destroy(&s->go);
}

/* Each that begins looks at some of the others, by turns. */
TEST(whichever_of_several_threads_exits_the_next_one_begins_as_well)
{
	struct ibuf_pool *p = pool_of(MAX, CACHE);

	for (size_t n = 1; n <= MOST; n++) {
		for (size_t first = 0; first < n; first++) {
			for (size_t i = 0; i < n; i++)
				stayer_starts(&stayers[i], p);
			for (size_t i = 0; i < n; i++) {
				stayer_ends(&stayers[(first + i) % n]);
				threads_run(1, use_and_exit, p, 0);
			}
		}
	}
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
