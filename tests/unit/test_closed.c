/*
 * test_closed.c - a handle that is used after its pool was destroyed, while
 * a message keeps the memory, ends the program with a line; live messages
 * keep every function (test_pool_life.c).
 */
#include "threads.h"

struct closed {
	struct ibuf_pool *p;
	struct ibuf_mbuf *m;
	struct gate filled, closed;
};

/* ---- every call ----------------------------------------------------- */

static struct ibuf_mbuf *out[8];

static void
destroy(void *p)
{
	ibuf_pool_destroy(p);
}

static void
alloc(void *p)
{
	out[0] = ibuf_pool_alloc(p);
}

static void
alloc_bulk(void *p)
{
	test_either(ibuf_pool_alloc_bulk(p, out, 3));
}

static void
alloc_bulk_of_none(void *p)
{
	test_either(ibuf_pool_alloc_bulk(p, NULL, 0));
}

static void
alloc_upto(void *p)
{
	test_either(ibuf_pool_alloc_upto(p, out, 3));
}

static void
alloc_wait(void *p)
{
	const struct timespec now = {0, 0};

	out[0] = ibuf_pool_alloc_wait(p, &now);
}

static void
free_checked(void *p)
{
	ibuf_pool_free(p, out[7]);
}

static void
reserve(void *p)
{
	test_either(ibuf_pool_reserve(p, 1));
}

static void
trim(void *p)
{
	ibuf_pool_trim(p);
}

static void
flush(void *p)
{
	ibuf_pool_flush(p);
}

static void
get_stats(void *p)
{
	struct ibuf_pool_stats stats;

	ibuf_pool_get_stats(p, &stats, sizeof(stats));
}

static void
allocated(void *p)
{
	ibuf_pool_allocated(p);
}

static void
available(void *p)
{
	ibuf_pool_available(p);
}

static void (*const calls[])(void *p) = {
	destroy,      alloc,      alloc_bulk, alloc_bulk_of_none,
	alloc_upto,   alloc_wait, reserve,    trim,
	flush,        get_stats,  allocated,  available,
	free_checked,
};

TEST(each_call_on_a_pool_that_was_destroyed_aborts_with_its_name)
{
	static const size_t caches[] = {0, IBUF_POOL_CACHE_AUTO, 0};
	static const unsigned flags[] = {IBUF_POOL_F_WIPE, 0, IBUF_POOL_F_WAIT};

	for (size_t c = 0; c < 3; c++) {
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct ibuf_pool *p;

		o.name = "ended";
		o.capacity = 64;
		o.cache = caches[c];
		o.flags = flags[c];
		p = pool_with(&o);
		out[7] = ibuf_pool_alloc(p);
		/* This thread keeps some back. */
		ibuf_mbuf_free(ibuf_mbuf_clone(out[7]));
		ibuf_mbuf_free(ibuf_pool_alloc(p));
		assert_int_equal(ibuf_pool_destroy(p), 1);
		for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
			assert_aborts(calls[i], p, "\"ended\" destroyed");
		ibuf_mbuf_free(out[7]);
	}
}

/* ---- other threads ----------------------------------------------------- */

static void *
alloc_late(void *arg)
{
	struct closed *w = arg;

	ibuf_mbuf_free(ibuf_pool_alloc(w->p)); /* kept back here */
	gate_wait(&w->filled);
	gate_wait(&w->closed);
	out[0] = ibuf_pool_alloc(w->p);
	return NULL;
}

static void
destroy_and_alloc_elsewhere(void *arg)
{
	struct closed *w = arg;
	pthread_t thread;

	threads_start(&thread, 1, alloc_late, w, 0);
	gate_wait(&w->filled);
	w->m = ibuf_pool_alloc(w->p);
	ibuf_pool_destroy(w->p);
	gate_wait(&w->closed);
	threads_join(&thread, 1);
}

TEST(what_another_thread_keeps_back_is_not_to_be_had_after_destroy)
{
	struct closed w = {.p = pool_of(0, 8),
			   .filled = GATE_INIT(2),
			   .closed = GATE_INIT(2)};

	assert_aborts(destroy_and_alloc_elsewhere, &w, "\"ibuf\" destroyed");
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}

TEST(freeing_nothing_and_destroying_nothing_is_fine_all_the_same)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	assert_int_equal(ibuf_pool_destroy(p), 1);
	ibuf_pool_free(p, NULL);
	ibuf_pool_free(NULL, NULL);
	assert_int_equal(ibuf_pool_destroy(NULL), 0);
	ibuf_mbuf_free(m);
}
