/*
 * test_kept.c - rooms of the heap that a thread keeps back: the next message
 * of their size gets them, they are few, and the thread's exit frees them.
 *
 * What a thread keeps stays until it exits, so each test is a thread, which
 * notes the line of what it finds wrong.
 */
#include "dry.h"
#include "threads.h"

#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 400, LARGEST = 1024, KEPT_OF_A_SIZE = 4096 };

struct world {
	int line; /* of what was wrong; 0: nothing */
	size_t before;
	struct ibuf_mbuf *m;
	struct ibuf_pool *p;
	pthread_key_t key;
	int rounds;
};

#define need(w, condition)                                                     \
	((condition) ? (void)0 : (void)((w)->line = __LINE__))

/* Run body in a thread that may keep rooms; its exit frees them, or the test
   fails that has one block more at its end. */
static void
in_thread(void *(*body)(void *arg), struct world *w)
{
	threads_run(1, body, w, 0);
	if (w->line != 0)
		fail_msg("wrong in line %d", w->line);
}

void __tsan_init(void);
#pragma weak __tsan_init

/* Where a leak checker or a sanitizer looks, nothing is kept. */
static void
skip_if_watched(void)
{
	if (heap_may_keep(1) != 0 || __tsan_init != NULL)
		skip();
}

static void
in_new_thread(void *(*body)(void *arg))
{
	struct world w = {0};

	skip_if_watched();
	in_thread(body, &w);
}

/* The first message of a thread lets it keep rooms. */
static void
begin(struct world *w)
{
	ibuf_mbuf_free(ibuf_mbuf_new(LARGEST + 1));
	w->before = fault_live_blocks();
}

static size_t
kept(const struct world *w)
{
	return fault_live_blocks() - w->before;
}

/* ---- they come back ---------------------------------------------------- */

static void *
use_one_size(void *arg)
{
	struct world *w = arg;
	struct ibuf_mbuf *m;
	size_t calls;

	begin(w);
	ibuf_mbuf_free(ibuf_mbuf_new(512));
	need(w, kept(w) == 1);
	calls = fault_calls();
	for (size_t n = 512; n > 512 - 64; n--) {
		m = ibuf_mbuf_new(n);
		need(w, ibuf_mbuf_capacity(m) == n && ibuf_mbuf_len(m) == 0);
		need(w, ibuf_mbuf_append_fill(m, 'x', n) == 0);
		need(w, ibuf_mbuf_headroom(m) == 0 && ibuf_mbuf_is_unique(m));
		need(w, ibuf_mbuf_validate(m) == 0);
		ibuf_mbuf_free(m);
	}
	m = ibuf_mbuf_new_headroom(500, 12);
	need(w, ibuf_mbuf_headroom(m) == 500 && ibuf_mbuf_tailroom(m) == 12);
	ibuf_mbuf_free(m);
	need(w, fault_calls() == calls);
	need(w, kept(w) == 1);
	return NULL;
}

TEST(the_next_message_of_a_size_gets_the_room_of_the_one_before)
{
	in_new_thread(use_one_size);
}

/* Sizes at the ends of what is kept. */
static void *
use_sizes(void *arg)
{
	static const struct {
		size_t first, next;
		bool kept, same;
	} cases[] = {
		{0, 0, true, true},       {0, 1, true, false},
		{1, 64, true, true},      {64, 1, true, true},
		{64, 65, true, false},    {65, 64, true, false},
		{961, 1024, true, true},  {1024, 961, true, true},
		{960, 1024, true, false}, {1025, 1025, false, false},
	};
	struct world *w = arg;
	size_t was, calls;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(w);
		was = kept(w);
		w->m = ibuf_mbuf_new(cases[i].first);
		need(w, kept(w) == was + 1 || kept(w) == was);
		need(w, ibuf_mbuf_append_fill(w->m, 'x', cases[i].first) == 0);
		calls = fault_calls();
		ibuf_mbuf_free(w->m);
		w->m = ibuf_mbuf_new(cases[i].next);
		if (cases[i].same || !cases[i].kept)
			need(w, (fault_calls() == calls) == cases[i].same);
		need(w, ibuf_mbuf_append_fill(w->m, 'y', cases[i].next) == 0);
		need(w, ibuf_mbuf_validate(w->m) == 0);
		ibuf_mbuf_free(w->m);
	}
	return NULL;
}

TEST(rooms_of_up_to_1024_bytes_are_kept_by_64s)
{
	in_new_thread(use_sizes);
}

static void *
share(void *arg)
{
	struct world *w = arg;
	struct ibuf_mbuf *m, *clone;
	const uint8_t *bytes;

	begin(w);
	m = ibuf_mbuf_new(100);
	need(w, ibuf_mbuf_append(m, "shared", 6) == 0);
	clone = ibuf_mbuf_clone(m);
	bytes = ibuf_mbuf_data(m);
	ibuf_mbuf_free(m);
	m = ibuf_mbuf_new(100);
	need(w, ibuf_mbuf_append(m, "other", 5) == 0);
	need(w, memcmp(ibuf_mbuf_data(clone), "shared", 6) == 0);
	ibuf_mbuf_free(clone); /* the last to show it */
	clone = ibuf_mbuf_new(100);
	need(w, ibuf_mbuf_append(clone, "again", 5) == 0);
	need(w, ibuf_mbuf_data(clone) == bytes);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	need(w, kept(w) == 2);
	return NULL;
}

TEST(a_room_that_clones_show_is_kept_when_the_last_is_freed)
{
	in_new_thread(share);
}

/* ---- what is not kept -------------------------------------------------- */

static void *
free_many(void *arg)
{
	struct world *w = arg;
	struct ibuf_mbuf *ms[MANY];
	size_t all = 0, i, was;

	begin(w);
	for (size_t n = 0; n <= LARGEST; n += 64) {
		was = kept(w);
		for (i = 0; i < MANY; i++)
			ms[i] = ibuf_mbuf_new(n);
		ibuf_mbuf_free_bulk(ms, MANY);
		was = kept(w) - was;
		need(w, was != 0 && was * (n + 32) <= KEPT_OF_A_SIZE);
		all += was * (n + 32);
	}
	need(w, all <= (size_t)68 << 10);
	return NULL;
}

TEST(of_each_size_a_thread_keeps_4_KiB)
{
	struct world w = {0};
	size_t mapped = fault_live_bytes_mapped();

	skip_if_watched();
	in_thread(free_many, &w);
	/* The heap's headers stay. */
	test_keeps(0, fault_live_bytes_mapped() - mapped);
}

static void *
grow(void *arg)
{
	struct world *w = arg;
	struct ibuf_mbuf *m;

	begin(w);
	ibuf_mbuf_free(ibuf_mbuf_new(100));
	need(w, kept(w) == 1);
	m = ibuf_mbuf_new(100);
	need(w, ibuf_mbuf_append_fill(m, 'x', 100) == 0);
	need(w, ibuf_mbuf_append_fill(m, 'y', 500) == 0);
	need(w, ibuf_mbuf_len(m) == 600 && ibuf_mbuf_validate(m) == 0);
	ibuf_mbuf_free(m);
	need(w, kept(w) == 0);
	return NULL;
}

TEST(a_room_that_has_grown_in_place_is_not_kept)
{
	in_new_thread(grow);
}

/* A room of the heap comes to a segment of a pool that wipes. */
static void *
wipe(void *arg)
{
	struct world *w = arg;
	struct ibuf_mbuf *m, *secret;
	size_t was;

	begin(w);
	ibuf_mbuf_free(ibuf_mbuf_new(200));
	m = ibuf_pool_alloc(w->p);
	need(w, ibuf_mbuf_append(m, "front", 5) == 0);
	secret = ibuf_mbuf_new(200);
	need(w, ibuf_mbuf_append(secret, "a secret", 8) == 0);
	need(w, ibuf_mbuf_concat(m, secret) == 0);
	need(w, ibuf_mbuf_trim_head(m, 5) == 0);
	was = kept(w);
	ibuf_mbuf_free(m);
	need(w, kept(w) == was - 1);
	m = ibuf_pool_alloc(w->p);
	need(w, ibuf_mbuf_append(m, "a secret", 8) == 0);
	need(w, ibuf_mbuf_append_fill(m, 'x', 200) == 0); /* outgrows it */
	ibuf_mbuf_free(m);
	need(w, kept(w) == was - 1);
	return NULL;
}

TEST(a_room_that_must_be_wiped_is_wiped_and_not_kept)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct world w = {0};

	skip_if_watched();
	o.capacity = 64;
	o.flags = IBUF_POOL_F_WIPE;
	w.p = pool_with(&o);
	fault_watch("a secret", 8);
	/* What the thread keeps of the pool comes back with its exit. */
	in_thread(wipe, &w);
	assert_int_equal(fault_found(), 0);
	fault_watch(NULL, 0);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}

/* ---- without memory ---------------------------------------------------- */

static void *
go_without(void *arg)
{
	struct world *w = arg;
	struct ibuf_mbuf *m;

	begin(w);
	ibuf_mbuf_free(ibuf_mbuf_new(300));
	fault_from(1);
	m = ibuf_mbuf_new(300);
	need(w, m != NULL);
	need(w, ibuf_mbuf_new(300) == NULL && ibuf_mbuf_new(500) == NULL);
	need(w, ibuf_mbuf_append_fill(m, 'x', 301) == -ENOMEM);
	need(w, ibuf_mbuf_len(m) == 0 && ibuf_mbuf_capacity(m) == 300);
	ibuf_mbuf_free(m);
	need(w, fault_off());
	need(w, kept(w) == 1);
	return NULL;
}

TEST(a_kept_room_needs_no_memory_either_way)
{
	in_new_thread(go_without);
}

/* ---- threads, and their ends ------------------------------------------- */

static void *
make(void *arg)
{
	struct world *w = arg;

	ibuf_mbuf_free(ibuf_mbuf_new(400));
	w->m = ibuf_mbuf_new(400);
	need(w, ibuf_mbuf_append(w->m, "made", 4) == 0);
	return NULL;
}

static void *
take_over(void *arg)
{
	struct world *w = arg;
	const uint8_t *bytes = ibuf_mbuf_data(w->m);
	struct ibuf_mbuf *m;

	begin(w);
	ibuf_mbuf_free(w->m);
	need(w, kept(w) == 0);
	m = ibuf_mbuf_new(400);
	need(w, ibuf_mbuf_append(m, "mine", 4) == 0);
	need(w, ibuf_mbuf_data(m) == bytes);
	ibuf_mbuf_free(m);
	return NULL;
}

TEST(a_room_is_kept_by_the_thread_that_frees_it)
{
	struct world w = {0};
	size_t before = fault_live_blocks();

	skip_if_watched();
	threads_run(1, make, &w, 0);
	threads_run(1, take_over, &w, 0);
	assert_int_equal(w.line, 0);
	assert_int_equal(fault_live_blocks(), before);
}

static void
free_at_the_end(void *arg)
{
	struct world *w = arg;

	/* The second round: the library's turn has been. */
	if (w->rounds++ == 0) {
		pthread_setspecific(w->key, w);
		return;
	}
	ibuf_mbuf_free(w->m);
	ibuf_mbuf_free(ibuf_mbuf_new(400));
}

static void *
leave_one(void *arg)
{
	struct world *w = arg;

	make(w);
	pthread_setspecific(w->key, w);
	return NULL;
}

TEST(a_thread_past_its_end_keeps_none)
{
	struct world w = {0};

	skip_if_watched();
	assert_int_equal(pthread_key_create(&w.key, free_at_the_end), 0);
	in_thread(leave_one, &w);
	pthread_key_delete(w.key);
}

/* Thread caches made in the last round are found by threads that begin. */
static void
begin_at_the_end(void *arg)
{
	struct world *w = arg;

	if (++w->rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
		pthread_setspecific(w->key, w);
		return;
	}
	for (int i = 0; i < 3; i++)
		ibuf_mbuf_free(ibuf_mbuf_new(400));
}

static void *
go(void *arg)
{
	struct world *w = arg;

	pthread_setspecific(w->key, w);
	return NULL;
}

static void *
use(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		ibuf_mbuf_free(ibuf_mbuf_new(400));
	return NULL;
}

TEST(what_a_thread_kept_that_went_without_a_word_is_freed_by_others)
{
	struct world w = {0};
	size_t before = fault_live_blocks();

	skip_if_watched();
	assert_int_equal(pthread_key_create(&w.key, begin_at_the_end), 0);
	for (int i = 0; i < 40; i++) {
		w.rounds = 0;
		threads_run(1, go, &w, 0);
	}
	for (int i = 0; i < 20; i++)
		threads_run(1, use, &w, 0);
	/* Few of the dead are left, one where their death is not seen. */
	pthread_key_delete(w.key);
	assert_true(fault_live_blocks() - before <= 2);
	test_keeps(fault_live_blocks() - before, 0);
}

/* ---- forks ------------------------------------------------------------- */

static void *
fork_and_use(void *arg)
{
	struct world *w = arg;
	struct ibuf_mbuf *m;
	pid_t child;
	int status;

	begin(w);
	m = ibuf_mbuf_new(200);
	ibuf_mbuf_free(ibuf_mbuf_new(200));
	child = fork();
	if (child == 0) {
		ibuf_mbuf_free(m);
		use_one_size(w);
		_exit(w->line != 0);
	}
	need(w, waitpid(child, &status, 0) == child && status == 0);
	ibuf_mbuf_free(m);
	need(w, kept(w) == 2);
	return NULL;
}

TEST(the_child_of_a_fork_uses_what_its_thread_kept)
{
	in_new_thread(fork_and_use);
}

/* ---- misuse ------------------------------------------------------------ */

static void
free_twice(void *arg)
{
	struct world *w = arg;

	ibuf_mbuf_free(ibuf_mbuf_new(512));
	w->m = ibuf_mbuf_new(512);
	ibuf_mbuf_free(w->m);
	ibuf_mbuf_free(w->m);
}

TEST(a_second_free_is_caught_where_the_room_is_kept)
{
	struct world w = {0};

	skip_if_watched();
	assert_aborts(free_twice, &w, "\"heap\" twice");
}
