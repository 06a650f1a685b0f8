/*
 * test_kinds.c - every call of pools, on pools of every kind: the options in all
 * combinations that change which way a header goes.
 */
#include "threads.h"

#define FLAGS (IBUF_POOL_F_WAIT | IBUF_POOL_F_WIPE)

/* Numbers from here on have thread caches elsewhere. */
enum { HIGH = 256 };

static struct ibuf_pool *
pool_of_kind(unsigned flags, size_t private_size, size_t cache)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;

	o.name = "kind";
	o.capacity = 100;
	o.max = 40;
	o.flags = flags;
	o.private_size = private_size;
	o.cache = cache;
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	return p;
}

static void
count_one(const struct ibuf_mbuf *m, void *n)
{
	assert_int_equal(ibuf_mbuf_validate(m), 0);
	++*(size_t *)n;
}

/* A message, and what shares its bytes, in each way that they are made. */
static void
messages_work(struct ibuf_pool *p)
{
	static const struct timespec moment = {.tv_nsec = 1000000};
	struct ibuf_mbuf *ms[8], *front = NULL;
	struct ibuf_pool_stats s;
	size_t visited = 0, n;

	ms[0] = ibuf_pool_alloc(p);
	assert_non_null(ms[0]);
	ms[1] = ibuf_pool_alloc_wait(p, &moment);
	assert_int_equal(ibuf_pool_alloc_bulk(p, &ms[2], 2), 0);
	assert_int_equal(ibuf_pool_alloc_upto(p, &ms[4], 1), 1);
	assert_int_equal(ibuf_mbuf_append(ms[0], "0123456789", 10), 0);
	ms[5] = ibuf_mbuf_clone(ms[0]);
	ms[6] = ibuf_mbuf_slice(ms[0], 2, 3);
	ms[7] = ibuf_mbuf_split(ms[0], 5);
	assert_int_equal(ibuf_mbuf_split_front(ms[0], 1, &front), 0);
	assert_message(ms[5], "0123456789", 10);
	assert_message(ms[6], "234", 3);
	assert_message(ms[7], "56789", 5);
	assert_message(front, "0", 1);
	assert_int_equal(ibuf_mbuf_concat(ms[2], ms[3]), 0);
	ms[3] = NULL;
	assert_int_equal(ibuf_mbuf_append(ms[4], "x", 1), 0);
	assert_int_equal(ibuf_mbuf_append_fill(ms[4], 'x', 1000), 0);
	n = ibuf_pool_walk(p, count_one, &visited);
	assert_int_equal(n, visited);
	assert_int_equal(n, ms[1] != NULL ? 8 : 7);
	assert_int_equal(ibuf_pool_get_stats(p, &s, sizeof s), 0);
	assert_int_equal(s.allocated, ibuf_pool_allocated(p));
	assert_int_equal(s.capacity, s.allocated + s.available);
	ibuf_pool_free(p, ms[0]);
	ibuf_pool_free(p, ms[6]);
	ms[0] = ms[6] = NULL;
	ibuf_mbuf_free_bulk(ms, 8);
	ibuf_mbuf_free(front);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	visited = 0;
	assert_int_equal(ibuf_pool_walk(p, count_one, &visited), 0);
}

/* All of it, and not one more; then as if nothing had been. */
static void
max_is_reached(struct ibuf_pool *p)
{
	struct ibuf_mbuf *ms[41];

	assert_int_equal(ibuf_pool_reserve(p, 40), 0);
	assert_int_equal(ibuf_pool_reserve(p, 41), -ENOBUFS);
	assert_int_equal(ibuf_pool_available(p), 40);
	assert_int_equal(ibuf_pool_alloc_bulk(p, ms, 41), -ENOBUFS);
	assert_int_equal(ibuf_pool_alloc_upto(p, ms, 41), 40);
	assert_null(ibuf_pool_alloc(p));
	ibuf_mbuf_free_bulk(ms, 40);
	ibuf_pool_flush(p);
	assert_true(ibuf_pool_trim(p) > 0);
}

static void
works(struct ibuf_pool *p)
{
	struct ibuf_pool_options o;
	struct ibuf_mbuf *late;

	assert_int_equal(ibuf_pool_get_options(p, &o, sizeof o), 0);
	assert_string_equal(ibuf_pool_name(p), "kind");
	assert_int_equal(o.max, 40);
	for (int i = 0; i < 3; i++) {
		messages_work(p);
		max_is_reached(p);
	}
	late = ibuf_pool_alloc(p);
	assert_non_null(late);
	assert_int_equal(ibuf_mbuf_append(late, "late", 4), 0);
	assert_int_equal(ibuf_pool_destroy(p), 1);
	assert_message(late, "late", 4);
	ibuf_mbuf_free(late);
}

static void
all_kinds_work(void)
{
	for (unsigned flags = 0; flags <= FLAGS; flags++)
		for (size_t private_size = 0; private_size <= 16;
		     private_size += 16)
			for (size_t cache = 0; cache <= 8; cache += 4)
				works(pool_of_kind(flags, private_size, cache));
}

TEST(every_call_works_on_pools_of_every_kind)
{
	all_kinds_work();
}

/* What a thread keeps for high numbers goes with it. */
static void *
all_kinds_work_in_a_thread(void *arg)
{
	all_kinds_work();
	return arg;
}

TEST(every_call_works_on_pools_of_every_kind_with_high_numbers)
{
	struct ibuf_pool *low[HIGH];
	pthread_t thread;

	for (size_t i = 0; i < HIGH; i++) {
		low[i] = ibuf_pool_new(0, 1);
		assert_non_null(low[i]);
	}
	threads_start(&thread, 1, all_kinds_work_in_a_thread, low, 0);
	threads_join(&thread, 1);
	for (size_t i = 0; i < HIGH; i++)
		assert_int_equal(ibuf_pool_destroy(low[i]), 0);
}
