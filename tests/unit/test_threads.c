/*
 * test_threads.c - several threads on one pool: what goes out comes back,
 * whoever frees it, and max holds all along.
 */
#include "threads.h"

enum { THREADS = 4, CACHE = 8 };

/* What the threads of a test share. */
struct shared {
	struct ibuf_pool *p;
	struct gate start;
	atomic_size_t out;  /* live now, never more than max */
	atomic_size_t most; /* the most that were ever seen */
	atomic_size_t wrong;
	_Atomic(struct ibuf_mbuf *) table[64]; /* messages handed on */
};

/* One thread of them. */
struct worker {
	struct shared *shared;
	uint32_t random;
	int rounds;
};

static void
workers_init(struct worker *ws, struct shared *shared, int rounds)
{
	for (uint32_t i = 0; i < THREADS; i++)
		ws[i] = (struct worker){shared, i * 2654435761u + 1, rounds};
}

static void
note_out(struct shared *s)
{
	size_t out = atomic_fetch_add(&s->out, 1) + 1;
	size_t most = atomic_load(&s->most);

	while (out > most &&
	       !atomic_compare_exchange_weak(&s->most, &most, out))
		;
}

/* Free what was left in the table. */
static void
table_clear(struct shared *s)
{
	for (int i = 0; i < 64; i++)
		ibuf_mbuf_free(atomic_exchange(&s->table[i], NULL));
}

/* ---- conservation -------------------------------------------------- */

/* Keep some, free some, never hold more than a few. */
static void *
alloc_and_free(void *arg)
{
	struct worker *w = arg;
	struct shared *s = w->shared;
	struct ibuf_mbuf *mine[8] = {NULL};

	gate_wait(&s->start);
	for (int i = 0; i < w->rounds; i++) {
		struct ibuf_mbuf **place = &mine[next_random(&w->random) % 8];

		if (*place != NULL) {
			const uint8_t *data = ibuf_mbuf_data(*place);

			if (memcmp(data, &place, sizeof(place)) != 0)
				atomic_fetch_add(&s->wrong, 1);
			atomic_fetch_sub(&s->out, 1);
			ibuf_mbuf_free(*place);
			*place = NULL;
			continue;
		}
		*place = ibuf_pool_alloc(s->p);
		if (*place == NULL)
			continue;
		note_out(s);
		if (ibuf_mbuf_len(*place) != 0 ||
		    ibuf_mbuf_append(*place, &place, sizeof(place)) != 0)
			atomic_fetch_add(&s->wrong, 1);
	}
	for (int i = 0; i < 8; i++) {
		if (mine[i] != NULL)
			atomic_fetch_sub(&s->out, 1);
		ibuf_mbuf_free(mine[i]);
	}
	return NULL;
}

TEST(what_goes_out_comes_back_and_max_is_never_exceeded)
{
	static const size_t caches[] = {0, CACHE, IBUF_POOL_CACHE_AUTO};

	for (int i = 0; i < 3; i++) {
		struct shared s = {.p = pool_of(20, caches[i]),
				   .start = GATE_INIT(THREADS)};
		struct worker ws[THREADS];
		struct ibuf_mbuf *ms[21];

		workers_init(ws, &s, 20000);
		threads_run(THREADS, alloc_and_free, ws, sizeof(ws[0]));
		assert_int_equal(s.wrong, 0);
		assert_true(s.most <= 20);
		assert_books(s.p, 0);
		assert_true(stats_of(s.p).capacity <= 20);
		assert_true(stats_of(s.p).peak >= s.most);
		/* The threads are gone, and keep nothing back. */
		assert_int_equal(take_all(s.p, ms, 21), 20);
		ibuf_mbuf_free_bulk(ms, 20);
		assert_int_equal(ibuf_pool_destroy(s.p), 0);
	}
}

/* Put a message into the table; free what stood there, whoever made it. */
static void *
hand_on(void *arg)
{
	struct worker *w = arg;
	struct shared *s = w->shared;

	gate_wait(&s->start);
	for (int i = 0; i < w->rounds; i++) {
		uint32_t random = next_random(&w->random);
		struct ibuf_mbuf *m = ibuf_pool_alloc(s->p);

		if (m != NULL) {
			uint8_t *bytes = ibuf_mbuf_extend_tail(m, 8);

			memset(bytes, (int)(random >> 8), 8);
			if (random % 7 == 0)
				test_either(
					ibuf_mbuf_append_fill(m, *bytes, 200));
		}
		m = atomic_exchange(&s->table[random % 64], m);
		if (m == NULL)
			continue;
		const uint8_t *bytes = ibuf_mbuf_data(m);

		if (ibuf_mbuf_validate(m) != 0 || bytes[0] != bytes[7])
			atomic_fetch_add(&s->wrong, 1);
		ibuf_mbuf_free(m);
	}
	return NULL;
}

TEST(any_thread_frees_what_any_other_made)
{
	static const size_t caches[] = {0, CACHE, IBUF_POOL_CACHE_AUTO};

	for (int i = 0; i < 3; i++) {
		struct shared s = {.p = pool_of(i == 2 ? 0 : 80, caches[i]),
				   .start = GATE_INIT(THREADS)};
		struct worker ws[THREADS];

		workers_init(ws, &s, 10000);
		threads_run(THREADS, hand_on, ws, sizeof(ws[0]));
		assert_int_equal(s.wrong, 0);
		table_clear(&s);
		assert_books(s.p, 0);
		assert_int_equal(ibuf_pool_destroy(s.p), 0);
	}
}

/* ---- clones -------------------------------------------------------- */

/* Clone what stands in the table, edit the clone, drop it. */
static void *
clone_and_edit(void *arg)
{
	struct worker *w = arg;
	struct ibuf_mbuf *const m = atomic_load(&w->shared->table[0]);
	uint8_t mine = (uint8_t)next_random(&w->random);

	gate_wait(&w->shared->start);
	for (int i = 0; i < w->rounds; i++) {
		struct ibuf_mbuf *clone = i % 2 == 0 ? ibuf_mbuf_clone(m)
						     : ibuf_mbuf_slice(m, 0, 5);
		const uint8_t *bytes;

		if (clone == NULL ||
		    ibuf_mbuf_write_at(clone, 0, &mine, 1) != 0 ||
		    ibuf_mbuf_append(clone, &mine, 1) != 0) {
			atomic_fetch_add(&w->shared->wrong, 1);
			continue;
		}
		bytes = ibuf_mbuf_data(clone);
		if (bytes[0] != mine || memcmp(bytes + 1, "1234", 4) != 0 ||
		    bytes[5] != mine ||
		    memcmp(ibuf_mbuf_data(m), "01234", 5) != 0)
			atomic_fetch_add(&w->shared->wrong, 1);
		ibuf_mbuf_free(clone);
	}
	return NULL;
}

TEST(clones_made_and_edited_at_once_see_their_own_bytes_only)
{
	struct shared s = {.p = pool_of(0, CACHE), .start = GATE_INIT(THREADS)};
	struct ibuf_mbuf *m = ibuf_pool_alloc(s.p);
	struct worker ws[THREADS];

	assert_int_equal(ibuf_mbuf_append(m, "01234", 5), 0);
	s.table[0] = m;
	workers_init(ws, &s, 5000);
	threads_run(THREADS, clone_and_edit, ws, sizeof(ws[0]));
	assert_int_equal(s.wrong, 0);
	assert_message(m, "01234", 5);
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
	assert_books(s.p, 0);
	assert_int_equal(stats_of(s.p).handles, 0);
	assert_int_equal(ibuf_pool_destroy(s.p), 0);
}

/* Two holders edit the two halves of one message's bytes. */
static void *
edit_own_message(void *arg)
{
	struct worker *w = arg;
	struct ibuf_mbuf *m =
		atomic_exchange(&w->shared->table[w->rounds], NULL);
	uint8_t mine = (uint8_t)('a' + w->rounds);
	uint8_t expected[300];

	memset(expected, mine, sizeof(expected));
	gate_wait(&w->shared->start);
	for (size_t i = 0; i < 100; i++) {
		uint8_t *bytes = ibuf_mbuf_data_mut(m);

		if (bytes == NULL) {
			atomic_fetch_add(&w->shared->wrong, 1);
			break;
		}
		memset(bytes, mine, ibuf_mbuf_len(m));
		if (ibuf_mbuf_append(m, &mine, 1) != 0 ||
		    ibuf_mbuf_prepend(m, &mine, 1) != 0 ||
		    memcmp(ibuf_mbuf_data(m), expected, ibuf_mbuf_len(m)) != 0)
			atomic_fetch_add(&w->shared->wrong, 1);
	}
	ibuf_mbuf_free(m);
	return NULL;
}

TEST(holders_of_one_room_who_write_at_once_do_not_meet)
{
	for (int round = 0; round < 50; round++) {
		struct shared s = {.p = pool_of(0, CACHE),
				   .start = GATE_INIT(THREADS)};
		struct ibuf_mbuf *m = ibuf_pool_alloc(s.p);
		struct worker ws[THREADS];

		assert_int_equal(ibuf_mbuf_append(m, "0123456789", 10), 0);
		workers_init(ws, &s, 0);
		for (int i = 0; i < THREADS; i++) {
			ws[i].rounds = i;
			s.table[i] = i == 0 ? m : ibuf_mbuf_clone(m);
		}
		threads_run(THREADS, edit_own_message, ws, sizeof(ws[0]));
		assert_int_equal(s.wrong, 0);
		assert_books(s.p, 0);
		assert_int_equal(ibuf_pool_destroy(s.p), 0);
	}
}

/* ---- statistics ---------------------------------------------------- */

/* Read the statistics until the others are done. */
static void *
watch(void *arg)
{
	struct worker *w = arg;
	struct ibuf_pool_stats last = {0}, now;

	while (atomic_load(&w->shared->table[1]) == NULL) {
		ibuf_pool_get_stats(w->shared->p, &now, sizeof(now));
		if (now.allocs < last.allocs || now.frees < last.frees ||
		    now.peak < last.peak || now.failures < last.failures ||
		    now.capacity > 20 || now.allocated > now.capacity ||
		    now.available > now.capacity || now.cached > THREADS * 4 ||
		    now.handles > 20 || now.copied_bytes > UINT64_MAX / 2)
			atomic_fetch_add(&w->shared->wrong, 1);
		last = now;
	}
	return NULL;
}

TEST(statistics_read_under_load_are_never_torn_negative_or_going_back)
{
	struct shared s = {.p = pool_of(20, 4), .start = GATE_INIT(THREADS)};
	struct worker ws[THREADS], watcher = {&s, 1, 0};
	pthread_t thread;

	workers_init(ws, &s, 20000);
	threads_start(&thread, 1, watch, &watcher, sizeof(watcher));
	threads_run(THREADS, alloc_and_free, ws, sizeof(ws[0]));
	s.table[1] = (struct ibuf_mbuf *)(void *)&s;
	threads_join(&thread, 1);
	assert_int_equal(s.wrong, 0);
	assert_books(s.p, 0);
	assert_int_equal(ibuf_pool_destroy(s.p), 0);
}
