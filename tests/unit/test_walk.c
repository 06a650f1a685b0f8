/* test_walk.c - every live message is met once, by its first segment. */
#include "messages.h"
#include "pools.h"

#include <pthread.h>

enum { MOST = 512 };

struct met {
	const struct ibuf_mbuf *ms[MOST];
	size_t n, bytes;
};

static void
meet(const struct ibuf_mbuf *m, void *arg)
{
	struct met *met = arg;

	assert_in_range(met->n, 0, MOST - 1);
	assert_int_equal(ibuf_mbuf_validate(m), 0);
	met->bytes += ibuf_mbuf_len(m);
	met->ms[met->n++] = m;
}

static struct met
walk(struct ibuf_pool *p)
{
	struct met met = {.n = 0};
	size_t n = ibuf_pool_walk(p, meet, &met);

	assert_int_equal(n, met.n);
	return met;
}

static size_t
times_met(const struct met *met, const struct ibuf_mbuf *m)
{
	size_t times = 0;

	for (size_t i = 0; i < met->n; i++)
		times += met->ms[i] == m;
	return times;
}

/* The messages of a pool, or of the heap besides those before, are these. */
static void
assert_met(struct ibuf_pool *p, const struct met *before,
	   struct ibuf_mbuf *const *ms, size_t n)
{
	struct met met = walk(p);

	assert_int_equal(met.n, n + (before == NULL ? 0 : before->n));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(times_met(&met, ms[i]), 1);
	for (size_t i = 0; before != NULL && i < before->n; i++)
		assert_int_equal(times_met(&met, before->ms[i]), 1);
}

#define assert_walk(p, ...)                                                    \
	do {                                                                   \
		struct ibuf_mbuf *ms_[] = {__VA_ARGS__};                       \
                                                                               \
		assert_met(p, NULL, ms_, sizeof(ms_) / sizeof(*ms_));          \
	} while (0)

#define assert_heap(before, ...)                                               \
	do {                                                                   \
		struct ibuf_mbuf *ms_[] = {__VA_ARGS__};                       \
                                                                               \
		assert_met(NULL, before, ms_, sizeof(ms_) / sizeof(*ms_));     \
	} while (0)

static struct ibuf_mbuf *
in(struct ibuf_pool *p, const char *text)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	assert_non_null(m);
	assert_int_equal(ibuf_mbuf_append(m, text, strlen(text)), 0);
	return m;
}

/* ---- each kind once ------------------------------------------------ */

TEST(a_pool_without_messages_has_none_to_meet)
{
	struct ibuf_pool *p = pool_of(10, 0);

	assert_int_equal(walk(p).n, 0);
	ibuf_mbuf_free(in(p, "gone"));
	assert_int_equal(walk(p).n, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(messages_clones_and_slices_are_met_and_those_that_are_freed_are_not)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *a = in(p, "aaaa"), *b = in(p, "bbbb");
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(a);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(a, 1, 2);

	assert_walk(p, a, b, clone, slice);
	assert_int_equal(walk(p).bytes, 14);
	/* Its header is free, but its room is not. */
	ibuf_mbuf_free(a);
	assert_walk(p, b, clone, slice);
	ibuf_mbuf_free(clone);
	assert_walk(p, b, slice);
	ibuf_mbuf_free(slice);
	assert_walk(p, b);
	ibuf_mbuf_free(b);
	assert_int_equal(walk(p).n, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_message_that_outgrew_its_room_is_met_once)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = in(p, "m"), *clone = ibuf_mbuf_clone(m);

	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 100000), 0);
	assert_walk(p, m, clone);
	/* The clone takes a direct header's room, which is no message. */
	assert_int_equal(ibuf_mbuf_append(clone, "y", 1), 0);
	assert_walk(p, m, clone);
	ibuf_mbuf_free(clone);
	assert_walk(p, m);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- segments -------------------------------------------------------- */

TEST(segments_behind_the_first_are_no_messages)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = in(p, "one"), *clone, *slice;

	assert_int_equal(ibuf_mbuf_concat(m, in(p, "two")), 0);
	assert_int_equal(ibuf_mbuf_concat(m, in(p, "three")), 0);
	assert_walk(p, m);
	clone = ibuf_mbuf_clone(m);
	slice = ibuf_mbuf_slice(m, 1, 7);
	assert_int_equal(ibuf_mbuf_segments(slice), 3);
	assert_walk(p, m, clone, slice);
	assert_int_equal(ibuf_mbuf_concat(clone, slice), 0);
	assert_walk(p, m, clone);
	ibuf_mbuf_free(m);
	assert_walk(p, clone);
	assert_int_equal(walk(p).bytes, 18);
	ibuf_mbuf_free(clone);
	assert_int_equal(walk(p).n, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_segment_that_becomes_the_first_is_a_message_again)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = in(p, "one"), *two = in(p, "two"), *rest, *front;

	assert_int_equal(ibuf_mbuf_concat(m, two), 0);
	assert_int_equal(ibuf_mbuf_concat(m, in(p, "three")), 0);
	rest = ibuf_mbuf_split(m, 3);
	assert_ptr_equal(rest, two);
	assert_walk(p, m, rest);
	assert_int_equal(ibuf_mbuf_concat(m, rest), 0);
	assert_int_equal(ibuf_mbuf_split_front(m, 3, &front), 0);
	assert_walk(p, m, front);
	assert_int_equal(ibuf_mbuf_concat_front(m, front), 0);
	assert_walk(p, m);
	assert_int_equal(ibuf_mbuf_split_front(m, 4, &front), 0);
	assert_int_equal(ibuf_mbuf_segments(front), 2);
	assert_walk(p, m, front);
	rest = ibuf_mbuf_split(m, 3);
	assert_walk(p, m, front, rest);
	assert_message(front, "onet", 4);
	assert_message(m, "wot", 3);
	assert_message(rest, "hree", 4);
	ibuf_mbuf_free(front);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(rest);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_message_stays_one_while_its_segments_go_and_are_joined)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = in(p, "one");

	for (int i = 0; i < 5; i++)
		assert_int_equal(ibuf_mbuf_concat(m, in(p, "more")), 0);
	assert_int_equal(ibuf_mbuf_trim_head(m, 5), 0);
	assert_walk(p, m);
	assert_int_equal(ibuf_mbuf_trim_tail(m, 5), 0);
	assert_walk(p, m);
	assert_non_null(ibuf_mbuf_pullup(m, 4));
	assert_walk(p, m);
	assert_int_equal(ibuf_mbuf_linearize(m), 0);
	assert_walk(p, m);
	assert_int_equal(ibuf_mbuf_concat(m, in(p, "more")), 0);
	ibuf_mbuf_clear(m);
	assert_walk(p, m);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* A message may have segments of several pools. */
TEST(a_message_is_met_in_the_pool_of_its_first_segment)
{
	struct ibuf_pool *p = pool_of(0, 0), *q = pool_of(0, 0);
	struct ibuf_mbuf *m = in(p, "p");

	assert_int_equal(ibuf_mbuf_concat(m, in(q, "q")), 0);
	assert_walk(p, m);
	assert_int_equal(walk(q).n, 0);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(ibuf_pool_destroy(q), 0);
}

/* ---- pools ------------------------------------------------------------- */

TEST(pools_of_every_kind_are_walked)
{
	static const struct {
		unsigned flags;
		size_t cache, private_size;
	} kinds[] = {{0, 0, 0},
		     {0, 1, 0},
		     {IBUF_POOL_F_WAIT, IBUF_POOL_CACHE_AUTO, 0},
		     {IBUF_POOL_F_WIPE, IBUF_POOL_CACHE_AUTO, 0},
		     {0, IBUF_POOL_CACHE_AUTO, 24},
		     {IBUF_POOL_F_WIPE, IBUF_POOL_CACHE_AUTO, 200}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct ibuf_mbuf *ms[300];
		struct ibuf_pool *p;

		o.flags = kinds[i].flags;
		o.cache = kinds[i].cache;
		o.private_size = kinds[i].private_size;
		p = pool_with(&o);
		for (size_t n = 0; n < 200; n++)
			ms[n] = in(p, "m");
		for (size_t n = 200; n < 300; n++)
			ms[n] = ibuf_mbuf_clone(ms[n - 200]);
		assert_met(p, NULL, ms, 300);
		ibuf_mbuf_free_bulk(ms, 150);
		assert_met(p, NULL, ms + 150, 150);
		ibuf_mbuf_free_bulk(ms + 150, 150);
		assert_int_equal(walk(p).n, 0);
		(void)ibuf_pool_trim(p);
		assert_int_equal(walk(p).n, 0);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

static void *
use_and_leave_one(void *arg)
{
	struct ibuf_mbuf *ms[100];

	for (size_t i = 0; i < 100; i++)
		ms[i] = in(arg, "m");
	ibuf_mbuf_free_bulk(ms, 99);
	return ms[99];
}

TEST(what_another_thread_kept_back_or_left_is_told_apart)
{
	struct ibuf_pool *p = pool_of(0, 0);
	pthread_t thread;
	void *left;

	assert_int_equal(pthread_create(&thread, NULL, use_and_leave_one, p),
			 0);
	assert_int_equal(pthread_join(thread, &left), 0);
	assert_walk(p, left);
	ibuf_mbuf_free(left);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- the heap ------------------------------------------------------------ */

TEST(messages_of_the_heap_are_met_however_they_were_born)
{
	static const char text[] = "read-only";
	struct met before = walk(NULL);
	struct ibuf_mbuf *a = ibuf_mbuf_new(100), *b = ibuf_mbuf_from("b", 1);
	struct ibuf_mbuf *c = ibuf_mbuf_wrap_const(text, 9, NULL, NULL);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(c);
	struct ibuf_mbuf *copy = ibuf_mbuf_copy(c, 0, 4);

	assert_heap(&before, a, b, c, clone, copy);
	ibuf_mbuf_free(c);
	assert_heap(&before, a, b, clone, copy);
	assert_int_equal(ibuf_mbuf_concat(b, clone), 0);
	assert_heap(&before, a, b, copy);
	ibuf_mbuf_free(a);
	ibuf_mbuf_free(b);
	assert_heap(&before, copy);
	ibuf_mbuf_free(copy);
	assert_int_equal(walk(NULL).n, before.n);
}

TEST(what_a_destroyed_pool_s_messages_need_anew_is_met_on_the_heap)
{
	struct met before = walk(NULL);
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = in(p, "orphan"), *clone;

	assert_int_equal(ibuf_pool_destroy(p), 1);
	assert_int_equal(walk(NULL).n, before.n);
	clone = ibuf_mbuf_clone(m);
	assert_heap(&before, clone);
	ibuf_mbuf_free(m);
	assert_heap(&before, clone);
	ibuf_mbuf_free(clone);
	assert_int_equal(walk(NULL).n, before.n);
}

TEST(many_messages_of_the_heap_are_met_once_each)
{
	struct met before = walk(NULL);
	struct ibuf_mbuf *ms[400];

	for (size_t i = 0; i < 400; i++)
		ms[i] = ibuf_mbuf_new(i);
	assert_met(NULL, &before, ms, 400);
	ibuf_mbuf_free_bulk(ms, 200);
	assert_met(NULL, &before, ms + 200, 200);
	ibuf_mbuf_free_bulk(ms + 200, 200);
	assert_int_equal(walk(NULL).n, before.n);
}

/* ---- misuse -------------------------------------------------------------- */

static void
walk_it(void *p)
{
	struct met met = {.n = 0};

	ibuf_pool_walk(p, meet, &met);
}

TEST(a_destroyed_pool_is_not_walked)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = in(p, "m");

	assert_int_equal(ibuf_pool_destroy(p), 1);
	assert_aborts(walk_it, p, "destroyed");
	ibuf_mbuf_free(m);
}
