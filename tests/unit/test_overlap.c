/*
 * test_overlap.c - two frees of one mbuf that overlap: each saw it in use, so
 * each put it among the free ones.  It is caught when it is freed again, or
 * when the two meet in the pool's stock.
 */
#include "pools.h"

#include <stdio.h>

enum { CACHE = 8 };

struct overlap {
	struct ibuf_pool *p;
	struct ibuf_mbuf *m;
};

/*
 * What two frees at once come to, one after the other: the second has read
 * the flags before the first has written them.
 */
static void
free_twice_at_once(struct ibuf_mbuf *m)
{
	uint16_t read_before = m->flags_;

	ibuf_mbuf_free(m);
	m->flags_ = read_before;
	ibuf_mbuf_free(m);
}

static void
assert_twice_is_caught(void (*body)(void *world), size_t cache)
{
	struct overlap w = {.p = pool_of(40, cache)};
	char words[40];

	w.m = ibuf_pool_alloc(w.p);
	snprintf(words, sizeof(words), "twice %p", (void *)w.m);
	assert_aborts(body, &w, words);
	ibuf_mbuf_free(w.m);
	assert_books(w.p, 0);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}

static void
free_again(void *world)
{
	struct overlap *w = world;
	struct ibuf_mbuf *ms[2];

	free_twice_at_once(w->m);
	ms[0] = ibuf_pool_alloc(w->p);
	ms[1] = ibuf_pool_alloc(w->p);
	ibuf_mbuf_free_bulk(ms, 2);
}

TEST(an_mbuf_in_a_cache_twice_is_caught_when_it_is_freed_again)
{
	assert_twice_is_caught(free_again, CACHE);
}

TEST(without_a_cache_too_it_is_caught_when_it_is_freed_again)
{
	assert_twice_is_caught(free_again, 0);
}

static void
flush(void *world)
{
	struct overlap *w = world;

	free_twice_at_once(w->m);
	ibuf_pool_flush(w->p);
}

TEST(an_mbuf_in_a_cache_twice_is_caught_by_flush)
{
	if (!caches_work())
		skip();
	assert_twice_is_caught(flush, CACHE);
}

static void
use_and_flush(void *world)
{
	struct overlap *w = world;

	free_twice_at_once(w->m);
	test_either(ibuf_pool_alloc(w->p));
	ibuf_pool_flush(w->p);
}

TEST(an_mbuf_in_a_cache_and_in_use_is_caught_by_flush)
{
	if (!caches_work())
		skip();
	assert_twice_is_caught(use_and_flush, CACHE);
}

static void
flush_window(void *world)
{
	struct overlap *w = world;
	struct ibuf_mbuf *first = ibuf_mbuf_clone(w->m);

	test_either(ibuf_mbuf_clone(w->m));
	w->m = first;
	free_twice_at_once(first);
	ibuf_pool_flush(w->p);
}

TEST(a_clone_in_a_cache_twice_is_caught_by_flush)
{
	struct overlap w = {.p = NULL};

	if (!caches_work())
		skip();
	w.p = pool_of(40, CACHE);
	w.m = ibuf_pool_alloc(w.p);
	assert_aborts(flush_window, &w, "twice ibuf");
	ibuf_mbuf_free(w.m);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}
