/*
 * test_checked.c - what the checked free says of an mbuf whose memory may be
 * gone: it looks only where there is memory.
 */
#include "threads.h"

#include <stdio.h>

struct checked {
	struct ibuf_pool *p;
	struct ibuf_mbuf *m; /* the culprit */
	bool elsewhere;      /* another thread trims */
};

static struct ibuf_pool *
pool_named(const char *name, size_t cache, unsigned flags)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.name = name;
	o.capacity = 64;
	o.cache = cache;
	o.flags = flags;
	return pool_with(&o);
}

static void *
trim(void *p)
{
	ibuf_pool_trim(p);
	return NULL;
}

static void
trim_here_or_there(const struct checked *w)
{
	if (w->elsewhere)
		threads_run(1, trim, w->p, 0);
	else
		ibuf_pool_trim(w->p);
}

static void
free_trim_free(void *world)
{
	struct checked *w = world;

	ibuf_pool_free(w->p, w->m);
	trim_here_or_there(w);
	ibuf_pool_free(w->p, w->m);
}

static void
free_plainly_trim_free(void *world)
{
	struct checked *w = world;
	struct ibuf_mbuf *other = ibuf_pool_alloc(w->p);

	ibuf_pool_free(w->p, other); /* the slab is remembered */
	ibuf_mbuf_free(w->m);
	trim_here_or_there(w);
	ibuf_pool_free(w->p, w->m);
}

/* Its slab is gone, and another one is remembered since. */
static void
free_trim_alloc_free(void *world)
{
	struct checked *w = world;

	ibuf_pool_free(w->p, w->m);
	trim_here_or_there(w);
	ibuf_pool_free(w->p, ibuf_pool_alloc(w->p));
	trim_here_or_there(w);
	ibuf_pool_free(w->p, w->m);
}

static void
assert_foreign_or_twice(void (*body)(void *world), unsigned flags, size_t cache,
			bool is_clone)
{
	for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
		struct checked w = {.p = pool_named("trimmed", cache, flags),
				    .elsewhere = elsewhere != 0};
		char words[64];

		w.m = ibuf_pool_alloc(w.p);
		if (is_clone) {
			struct ibuf_mbuf *clone = ibuf_mbuf_clone(w.m);

			ibuf_mbuf_free(w.m);
			w.m = clone;
		}
		snprintf(words, sizeof(words), "\"trimmed\" %p", (void *)w.m);
		assert_aborts(body, &w, words);
		ibuf_mbuf_free(w.m);
		assert_int_equal(ibuf_pool_destroy(w.p), 0);
	}
}

TEST(what_a_trim_has_unmapped_is_not_looked_at)
{
	static void (*const bodies[])(void *world) = {
		free_trim_free, free_plainly_trim_free, free_trim_alloc_free};

	for (size_t b = 0; b < 3; b++) {
		assert_foreign_or_twice(bodies[b], 0, 0, false);
		assert_foreign_or_twice(bodies[b], 0, 8, true);
	}
	assert_foreign_or_twice(free_trim_free, IBUF_POOL_F_WIPE, 0, true);
	assert_foreign_or_twice(free_trim_free, IBUF_POOL_F_WAIT, 0, false);
}

/* ---- a pool where another one was ---------------------------------------- */

/* As malloc does, another pool gets the address of the one that ended. */
static void
free_to_its_successor(void *world)
{
	struct checked *w = world;
	struct ibuf_pool *before = w->p;

	ibuf_pool_free(before, w->m);
	ibuf_pool_destroy(before);
	for (int i = 0; i < 100; i++) {
		struct ibuf_pool *p = pool_named("after", 0, 0);

		if (p == before) {
			ibuf_pool_free(p, w->m);
			return;
		}
	}
	/* No such luck: say what would have been. */
	ibuf_pool_free(pool_named("after", 0, 0), w->m);
}

TEST(what_is_remembered_of_a_pool_does_not_outlive_it)
{
	struct checked w = {.p = pool_named("first", 0, 0)};

	w.m = ibuf_pool_alloc(w.p);
	assert_aborts(free_to_its_successor, &w, "\"after\" no");
	ibuf_mbuf_free(w.m);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}

/* ---- twice, whatever the pool ---------------------------------------------- */

struct pair {
	struct ibuf_mbuf *a, *b;
	bool between;
};

static void
free_twice(void *pair)
{
	struct pair *pr = pair;

	ibuf_mbuf_free(pr->a);
	if (pr->between)
		ibuf_mbuf_free(pr->b);
	ibuf_mbuf_free(pr->a);
}

static void
assert_twice_is_caught(const struct ibuf_pool_options *o)
{
	struct ibuf_pool *p = pool_with(o);

	for (int how = 0; how < 4; how++) {
		struct pair pr = {ibuf_pool_alloc(p), NULL, how % 2 != 0};
		struct ibuf_mbuf *parent = NULL;

		if (how / 2 != 0) {
			parent = pr.a;
			pr.a = ibuf_mbuf_clone(parent);
		}
		pr.b = parent != NULL ? ibuf_mbuf_clone(parent)
				      : ibuf_pool_alloc(p);
		assert_aborts(free_twice, &pr, "twice \"caught\"");
		ibuf_mbuf_free(pr.a);
		ibuf_mbuf_free(pr.b);
		ibuf_mbuf_free(parent);
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_double_free_is_caught_in_pools_of_every_kind)
{
	static const size_t caches[] = {0, IBUF_POOL_CACHE_AUTO};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.name = "caught";
	o.capacity = 64;
	for (size_t c = 0; c < 2; c++) {
		o.cache = caches[c];
		o.flags = 0;
		assert_twice_is_caught(&o);
		o.private_size = 24;
		assert_twice_is_caught(&o);
		o.flags = IBUF_POOL_F_WIPE;
		assert_twice_is_caught(&o);
		o.private_size = 0;
	}
	o.cache = 0;
	o.flags = IBUF_POOL_F_WAIT;
	assert_twice_is_caught(&o);
}
