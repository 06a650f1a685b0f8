/*
 * test_provider.c - where a pool's memory comes from: the three that are
 * there, and those that a program brings along.
 */
#include "provides.h"

#include <pthread.h>

/* ---- ours ---------------------------------------------------------- */

static void
assert_needs_memory(const struct ibuf_provider *provider)
{
	fault_from(1);
	assert_null(provider->map(100, 64, provider->context));
	fault_off();
}

#define PROVIDER_TESTS(name)                                                   \
	TEST(name##_gives_what_it_is_asked_for)                                \
	{                                                                      \
		assert_provides(ibuf_provider_##name(), (size_t)4 << 20);      \
	}                                                                      \
	TEST(name##_refuses_what_cannot_be)                                    \
	{                                                                      \
		assert_refuses(ibuf_provider_##name());                        \
		assert_needs_memory(ibuf_provider_##name());                   \
	}                                                                      \
	TEST(name##_serves_a_pool)                                             \
	{                                                                      \
		assert_serves_a_pool(ibuf_provider_##name(), 2000);            \
	}                                                                      \
	TEST(name##_is_always_the_same)                                        \
	{                                                                      \
		assert_ptr_equal(ibuf_provider_##name(),                       \
				 ibuf_provider_##name());                      \
	}

PROVIDER_TESTS(heap)
PROVIDER_TESTS(pages)
PROVIDER_TESTS(huge)

/* ---- a program's own ----------------------------------------------- */

TEST(a_provider_gets_its_context_and_a_power_of_two_and_each_piece_back)
{
	for (size_t alignment = 1; alignment <= 4096; alignment *= 8) {
		struct counting c = {0};
		struct ibuf_provider provider = counting_provider(&c);
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct ibuf_mbuf *ms[200];

		o.provider = &provider;
		o.alignment = alignment;
		o.capacity = 256;

		struct ibuf_pool *p = pool_with(&o);

		assert_int_equal(take_all(p, ms, 200), 200);
		for (size_t i = 0; i < c.maps; i++) {
			size_t asked = c.alignments[i];

			assert_true(asked != 0 && (asked & (asked - 1)) == 0);
			assert_int_equal((uintptr_t)c.bases[i] % asked, 0);
		}
		for (int i = 0; i < 200; i++) {
			size_t piece = piece_of(&c, ms[i]);

			assert_true(piece < PIECES);
			assert_int_equal(
				piece_of(&c, ibuf_mbuf_data(ms[i]) + 255),
				piece);
		}
		ibuf_mbuf_free_bulk(ms, 200);
		assert_int_equal(ibuf_pool_destroy(p), 0);
		assert_int_equal(c.maps, c.unmaps);
		assert_int_equal(c.bytes, 0);
	}
}

TEST(a_provider_that_gives_nothing_makes_calls_fail_and_nothing_else)
{
	struct counting c = {0};
	struct ibuf_provider provider = counting_provider(&c);
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_mbuf *m, *ms[4];

	o.provider = &provider;
	o.initial = 1;
	c.broken = true;
	assert_int_equal(error_of(&o), -ENOMEM);
	c.broken = false;

	struct ibuf_pool *p = pool_with(&o);

	c.broken = true;
	m = ibuf_pool_alloc(p);
	assert_non_null(m);
	assert_null(ibuf_pool_alloc(p));
	assert_int_equal(ibuf_pool_alloc_bulk(p, ms, 4), -ENOMEM);
	assert_int_equal(ibuf_pool_reserve(p, 1), -ENOMEM);
	assert_int_equal(ibuf_pool_alloc_upto(p, ms, 4), 0);
	assert_null(ibuf_mbuf_clone(m));
	assert_message(m, "", 0);
	assert_true(ibuf_mbuf_is_unique(m));
	assert_books(p, 1);
	assert_int_equal(stats_of(p).handles, 0);
	c.broken = false;
	assert_int_equal(ibuf_pool_alloc_bulk(p, ms, 4), 0);
	ibuf_mbuf_free_bulk(ms, 4);
	ibuf_mbuf_free(m);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(c.maps, c.unmaps);
}

/* ---- outside any lock ---------------------------------------------- */

/* While a piece is unmapped, another thread uses the pool and all else. */
struct busy {
	struct counting c;
	struct ibuf_pool *p; /* NULL: it has ended */
	size_t visits;
};

static void *
use_everything(void *context)
{
	struct busy *b = context;
	struct ibuf_pool *other = ibuf_pool_new(1, 64);
	struct ibuf_mbuf *m = ibuf_pool_alloc(other);

	assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
	ibuf_mbuf_free(m);
	ibuf_pool_destroy(other);
	if (b->p != NULL) {
		m = ibuf_pool_alloc(b->p);
		ibuf_mbuf_free(ibuf_mbuf_clone(m));
		ibuf_mbuf_free(m);
		ibuf_pool_allocated(b->p);
	}
	return NULL;
}

static void *
busy_map(size_t size, size_t alignment, void *context)
{
	return counting_map(size, alignment, &((struct busy *)context)->c);
}

static void
busy_unmap(void *base, size_t size, void *context)
{
	struct busy *b = context;
	pthread_t other;

	/* A lock that is held here would never be had there. */
	if (pthread_create(&other, NULL, use_everything, b) != 0)
		abort();
	pthread_join(other, NULL);
	b->visits++;
	counting_unmap(base, size, &b->c);
}

TEST(unmap_is_called_outside_any_lock)
{
	struct busy b = {.visits = 0};
	struct ibuf_provider provider = {busy_map, busy_unmap, &b};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_mbuf *ms[300];

	o.provider = &provider;
	o.initial = 10;

	struct ibuf_pool *p = pool_with(&o);

	b.p = p;
	assert_int_equal(take_all(p, ms, 300), 300);
	ibuf_mbuf_free(ibuf_mbuf_clone(ms[0]));
	ibuf_mbuf_free_bulk(ms + 1, 299);
	ibuf_pool_flush(p);
	assert_true(ibuf_pool_trim(p) > 0);
	assert_true(b.visits > 0);
	/* At the end: once by destroy, once by the last message. */
	b.p = NULL;
	b.visits = 0;
	assert_int_equal(ibuf_pool_destroy(p), 1);
	assert_int_equal(b.visits, 0);
	ibuf_mbuf_free(ms[0]);
	assert_true(b.visits > 0);
	assert_int_equal(b.c.bytes, 0);
	b.visits = 0;
	assert_int_equal(ibuf_pool_destroy(pool_with(&o)), 0);
	assert_true(b.visits > 0);
	assert_int_equal(b.c.bytes, 0);
}
