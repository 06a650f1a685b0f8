/*
 * test_closing.c - a pool is closed at the worst of moments, which these
 * tests choose: just before another thread takes a lock, or while the closing
 * thread passes its barrier; and where there is no barrier any more.
 */
#include "moments.h"
#include "threads.h"

#include <semaphore.h>

/* ---- a pool and a thread that uses it ------------------------------- */

enum { EACH = 3 };

static struct {
	struct counting c;
	struct ibuf_pool *p, *before;
	struct ibuf_mbuf *ms[EACH];
	sem_t go, done;
	size_t wrong;
} world;

static void
give_way(sem_t *to, sem_t *until)
{
	sem_post(to);
	while (sem_wait(until) != 0)
		;
}

/* The other thread's turn, as far as its next step. */
static void
let_it_go_on(void)
{
	give_way(&world.go, &world.done);
}

/* The other thread has done a step. */
static void
step(void)
{
	give_way(&world.done, &world.go);
}

static void
world_open(size_t cache)
{
	struct ibuf_provider provider = counting_provider(&world.c);
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	memset(&world, 0, sizeof(world));
	barriers = 0;
	no_barriers = false;
	sem_init(&world.go, 0, 0);
	sem_init(&world.done, 0, 0);
	o.capacity = 64;
	o.cache = cache;
	o.provider = &provider;
	world.p = pool_with(&o);
	world.before = pool_of(0, 2);
}

static void
world_close(const pthread_t *thread)
{
	sem_post(&world.go);
	threads_join(thread, 1);
	assert_int_equal(world.wrong, 0);
	assert_int_equal(world.c.bytes, 0);
	assert_int_equal(world.c.maps, world.c.unmaps);
	assert_int_equal(ibuf_pool_destroy(world.before), 0);
	sem_destroy(&world.go);
	sem_destroy(&world.done);
}

static void
check(bool good)
{
	if (!good)
		world.wrong++;
}

static void
take_each(void)
{
	for (int i = 0; i < EACH; i++) {
		world.ms[i] = ibuf_pool_alloc(world.p);
		check(world.ms[i] != NULL);
	}
}

static void
give_each(void)
{
	for (int i = 0; i < EACH; i++)
		ibuf_mbuf_free(world.ms[i]);
}

/* ---- the barrier ----------------------------------------------------- */

static void *
take_and_give(void *arg)
{
	(void)arg;
	take_each();
	step();
	give_each();
	step();
	return NULL;
}

TEST(what_comes_back_while_the_barrier_is_passed_is_counted)
{
	pthread_t thread;

	if (!caches_work())
		skip();
	world_open(8);
	threads_start(&thread, 1, take_and_give, &world, 0);
	while (sem_wait(&world.done) != 0)
		;
	at_barrier = let_it_go_on;
	assert_int_equal(ibuf_pool_destroy(world.p), 0);
	assert_int_equal(barriers, 1);
	assert_int_equal(world.c.bytes, 0);
	world_close(&thread);
}

TEST(a_pool_that_one_thread_used_needs_no_barrier)
{
	struct ibuf_pool *p = pool_of(0, 8);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	barriers = 0;
	ibuf_mbuf_free(ibuf_mbuf_clone(m));
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(barriers, 0);
}

/* ---- slots ------------------------------------------------------------ */

/* With two places, the third free needs a new magazine, and so the lock. */
static void *
free_past_the_magazines(void *arg)
{
	(void)arg;
	take_each();
	ibuf_mbuf_free(world.ms[0]);
	ibuf_mbuf_free(world.ms[1]);
	before_lock = step;
	ibuf_mbuf_free(world.ms[2]);
	check(before_lock == NULL);
	step();
	return NULL;
}

TEST(a_slot_that_was_closed_stays_closed_whatever_its_thread_is_about)
{
	pthread_t thread;

	if (!caches_work())
		skip();
	world_open(2);
	threads_start(&thread, 1, free_past_the_magazines, &world, 0);
	while (sem_wait(&world.done) != 0)
		;
	assert_int_equal(ibuf_pool_destroy(world.p), 1);
	assert_true(world.c.bytes > 0);
	let_it_go_on();
	/* Its last free found the slot closed, and ended the pool. */
	assert_int_equal(world.c.bytes, 0);
	world_close(&thread);
}

/* It has slots for one pool, and is about to get some for another. */
static void *
clone_for_the_first_time(void *arg)
{
	struct ibuf_mbuf *clones[2];

	(void)arg;
	ibuf_mbuf_free(ibuf_pool_alloc(world.before));
	before_lock = step;
	clones[0] = ibuf_mbuf_clone(world.ms[0]);
	check(before_lock == NULL);
	clones[1] = ibuf_mbuf_clone(world.ms[0]);
	check(clones[0] != NULL && clones[1] != NULL);
	for (int i = 0; i < 2; i++)
		ibuf_mbuf_free(clones[i]);
	give_each();
	step();
	return NULL;
}

TEST(a_thread_gets_no_slots_for_a_pool_that_was_closed_meanwhile)
{
	pthread_t thread;

	if (!caches_work())
		skip();
	world_open(8);
	take_each();
	threads_start(&thread, 1, clone_for_the_first_time, &world, 0);
	while (sem_wait(&world.done) != 0)
		;
	assert_int_equal(ibuf_pool_destroy(world.p), EACH);
	let_it_go_on();
	assert_int_equal(world.c.bytes, 0);
	world_close(&thread);
}

/* ---- without barriers -------------------------------------------------- */

TEST(a_pool_ends_where_the_barrier_is_refused)
{
	pthread_t thread;

	if (!caches_work())
		skip();
	for (int late = 0; late < 2; late++) {
		world_open(8);
		threads_start(&thread, 1, take_and_give, &world, 0);
		while (sem_wait(&world.done) != 0)
			;
		if (!late)
			let_it_go_on();
		no_barriers = true;
		assert_int_equal(ibuf_pool_destroy(world.p), late ? EACH : 0);
		no_barriers = false;
		if (late)
			let_it_go_on();
		assert_int_equal(world.c.bytes, 0);
		world_close(&thread);
	}
}

/*
 * ibuf_mbuf_free() as a processor may do it: it has looked at end_ before
 * the count is seen.
 */
static void *
free_without_looking(void *arg)
{
	struct ibuf_tcache_ *slot;
	struct ibuf_mbuf **top;

	(void)arg;
	take_each();
	ibuf_mbuf_free(world.ms[0]);
	ibuf_mbuf_free(world.ms[1]);
	/* Where a checker looks on, all goes the long way. */
	if (ibuf_pool_thread_->recent_.tcaches_ == NULL) {
		step();
		ibuf_mbuf_free(world.ms[2]);
		step();
		return NULL;
	}
	slot = &ibuf_pool_thread_->recent_.tcaches_->of_[IBUF_DIRECT_];
	top = ibuf_tcache_top_(slot);
	world.ms[2]->flags_ = 0;
	*top = world.ms[2];
	__atomic_store_n(&slot->top_, top + 1, __ATOMIC_RELAXED);
	step();
	ibuf_count_(&slot->given_);
	step();
	return NULL;
}

static void
make_and_end_a_pool(void)
{
	struct ibuf_pool *p = pool_of(0, 2);

	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_free_that_closing_missed_is_found_later)
{
	pthread_t thread;

	if (!caches_work())
		skip();
	for (int exits = 0; exits < 2; exits++) {
		world_open(8);
		threads_start(&thread, 1, free_without_looking, &world, 0);
		while (sem_wait(&world.done) != 0)
			;
		no_barriers = true;
		assert_int_equal(ibuf_pool_destroy(world.p), 1);
		no_barriers = false;
		let_it_go_on();
		if (!exits) {
			make_and_end_a_pool();
			assert_int_equal(world.c.bytes, 0);
		}
		world_close(&thread);
	}
}

TEST(pools_whose_closing_may_have_missed_something_are_all_looked_at)
{
	enum { POOLS = 5 };
	struct ibuf_mbuf *ms[POOLS];
	struct ibuf_pool *p;
	pthread_t thread;

	if (!caches_work())
		skip();
	world_open(8);
	threads_start(&thread, 1, take_and_give, &world, 0);
	while (sem_wait(&world.done) != 0)
		;
	no_barriers = true;
	assert_int_equal(ibuf_pool_destroy(world.p), EACH);
	for (int i = 0; i < POOLS; i++) {
		p = pool_of(0, 8);
		ms[i] = ibuf_pool_alloc(p);
		assert_int_equal(ibuf_pool_destroy(p), 1);
	}
	for (int i = 0; i < POOLS; i++)
		make_and_end_a_pool();
	ibuf_mbuf_free_bulk(ms, POOLS);
	no_barriers = false;
	let_it_go_on();
	assert_int_equal(world.c.bytes, 0);
	world_close(&thread);
}
