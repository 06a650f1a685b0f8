/*
 * test_pool_life.c - a pool is destroyed while its messages live: it is
 * closed, they keep every function, and the last one takes the memory along.
 */
#include "pools.h"

/* A pool whose memory is watched. */
struct watched {
	struct counting c;
	struct ibuf_pool *p;
};

static void
watched_open(struct watched *w, unsigned flags)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_provider provider = counting_provider(&w->c);

	memset(w, 0, sizeof(*w));
	o.capacity = 64;
	o.headroom = 16;
	o.private_size = 8;
	o.flags = flags;
	o.provider = &provider;
	w->p = pool_with(&o);
}

/* All is given back, once. */
static void
assert_gone(const struct watched *w)
{
	assert_int_equal(w->c.bytes, 0);
	assert_int_equal(w->c.maps, w->c.unmaps);
}

static struct ibuf_mbuf *
message_in(struct ibuf_pool *p, const char *text)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	assert_non_null(m);
	assert_int_equal(ibuf_mbuf_append(m, text, strlen(text)), 0);
	return m;
}

TEST(destroying_nothing_is_fine)
{
	assert_int_equal(ibuf_pool_destroy(NULL), 0);
}

TEST(a_pool_with_all_in_its_room_goes_at_once)
{
	struct watched w;
	struct ibuf_mbuf *ms[300];

	watched_open(&w, 0);
	assert_int_equal(take_all(w.p, ms, 300), 300);
	ibuf_mbuf_free_bulk(ms, 300);
	assert_true(w.c.bytes > 0);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
	assert_gone(&w);
}

TEST(destroy_tells_how_many_elements_are_in_use)
{
	struct watched w;
	struct ibuf_mbuf *ms[5];

	watched_open(&w, 0);
	assert_int_equal(take_all(w.p, ms, 3), 3);
	ms[3] = ibuf_mbuf_clone(ms[1]); /* no mbuf of its own */
	ms[4] = ibuf_mbuf_clone(ms[2]);
	ibuf_mbuf_free(ms[2]); /* still looked at */
	ms[2] = NULL;
	assert_int_equal(ibuf_pool_destroy(w.p), 3);
	ibuf_mbuf_free_bulk(ms, 5);
	assert_gone(&w);
}

TEST(the_memory_stays_until_the_last_message_is_freed_and_no_longer)
{
	struct watched w;
	struct ibuf_mbuf *ms[3];
	size_t bytes;

	watched_open(&w, 0);
	assert_int_equal(take_all(w.p, ms, 3), 3);
	bytes = w.c.bytes;
	assert_int_equal(ibuf_pool_destroy(w.p), 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(w.c.bytes, bytes);
		assert_int_equal(w.c.unmaps, 0);
		assert_int_equal(ibuf_mbuf_validate(ms[i]), 0);
		ibuf_mbuf_free(ms[i]);
	}
	assert_gone(&w);
}

TEST(a_segment_alone_keeps_the_memory)
{
	struct watched w;
	struct ibuf_mbuf *m, *clone;

	watched_open(&w, 0);
	m = message_in(w.p, "bytes");
	clone = ibuf_mbuf_clone(m);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(w.p), 1);
	assert_message(clone, "bytes", 5);
	assert_null(ibuf_mbuf_pool(clone));
	ibuf_mbuf_free(clone);
	assert_gone(&w);
}

TEST(a_segment_that_moved_to_the_heap_keeps_its_own_memory)
{
	struct watched w;
	struct ibuf_mbuf *m, *clone;

	watched_open(&w, 0);
	m = message_in(w.p, "bytes");
	clone = ibuf_mbuf_clone(m);
	assert_int_equal(ibuf_mbuf_append_fill(clone, 'x', 1000), 0);
	ibuf_mbuf_free(m);
	/* Only a header of the pool's is out: no mbuf. */
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
	assert_true(w.c.bytes > 0);
	assert_int_equal(ibuf_mbuf_trim_tail(clone, 1000), 0);
	assert_message(clone, "bytes", 5);
	ibuf_mbuf_free(clone);
	assert_gone(&w);
}

TEST(an_orphan_has_no_pool_but_every_function)
{
	for (unsigned flags = 0; flags <= IBUF_POOL_F_WIPE; flags++) {
		struct watched w;
		struct ibuf_mbuf *m, *clone, *slice, *rest, *copy;

		watched_open(&w, flags);
		m = message_in(w.p, "0123456789");
		memcpy(ibuf_mbuf_private(m), "private", 8);
		assert_int_equal(ibuf_pool_destroy(w.p), 1);
		assert_null(ibuf_mbuf_pool(m));
		assert_message(m, "0123456789", 10);
		assert_int_equal(ibuf_mbuf_prepend(m, "ab", 2), 0);
		clone = ibuf_mbuf_clone(m);
		slice = ibuf_mbuf_slice(m, 2, 3);
		copy = ibuf_mbuf_copy(m, 2, 3);
		rest = ibuf_mbuf_split(m, 6);
		assert_null(ibuf_mbuf_pool(clone));
		assert_null(ibuf_mbuf_pool(copy));
		assert_message(m, "ab0123", 6);
		assert_message(rest, "456789", 6);
		assert_int_equal(ibuf_mbuf_append(m, "+", 1), 0);
		assert_int_equal(ibuf_mbuf_append_fill(m, '.', 500), 0);
		assert_int_equal(ibuf_mbuf_trim_tail(m, 500), 0);
		assert_int_equal(ibuf_mbuf_shrink(m), 0);
		assert_int_equal(ibuf_mbuf_concat(m, rest), 0);
		assert_int_equal(ibuf_mbuf_linearize(m), 0);
		assert_message(m, "ab0123+456789", 13);
		assert_non_null(ibuf_mbuf_data_mut(clone));
		assert_message(clone, "ab0123456789", 12);
		assert_message(slice, "012", 3);
		assert_message(copy, "012", 3);
		assert_memory_equal(ibuf_mbuf_private(m), "private", 8);
		ibuf_mbuf_free(slice);
		ibuf_mbuf_free(clone);
		ibuf_mbuf_free(copy);
		assert_true(w.c.bytes > 0);
		ibuf_mbuf_free(m);
		assert_gone(&w);
	}
}

TEST(what_an_orphan_needs_anew_comes_from_the_heap)
{
	struct watched w;
	struct ibuf_mbuf *m, *clones[100];
	size_t maps;

	watched_open(&w, 0);
	m = message_in(w.p, "bytes");
	ibuf_mbuf_free(ibuf_mbuf_clone(m)); /* segments are there to be had */
	maps = w.c.maps;
	assert_int_equal(ibuf_pool_destroy(w.p), 1);
	uint64_t heap = stats_of(NULL).handles;

	assert_int_equal(ibuf_mbuf_clone_bulk(m, clones, 100), 0);
	assert_int_equal(stats_of(NULL).handles, heap + 100);
	assert_int_equal(w.c.maps, maps);
	for (int i = 0; i < 100; i++)
		assert_message(clones[i], "bytes", 5);
	ibuf_mbuf_free(m);
	assert_true(w.c.bytes > 0);
	ibuf_mbuf_free_bulk(clones, 100);
	assert_gone(&w);
}

TEST(an_orphan_s_edits_survive_every_failed_allocation)
{
	bool struck;
	size_t n = 0;

	do {
		struct watched w;
		struct ibuf_mbuf *m, *clone, *slice;

		watched_open(&w, 0);
		m = message_in(w.p, "bytes");
		clone = ibuf_mbuf_clone(m);
		assert_int_equal(ibuf_pool_destroy(w.p), 1);
		fault_at(++n);
		slice = ibuf_mbuf_slice(m, 1, 3);
		int error = ibuf_mbuf_append(clone, "+", 1);

		struck = fault_off();
		if (slice == NULL) {
			assert_true(struck);
			slice = ibuf_mbuf_slice(m, 1, 3);
		}
		if (error != 0) {
			assert_true(struck);
			assert_int_equal(error, -ENOMEM);
			assert_message(clone, "bytes", 5);
			error = ibuf_mbuf_append(clone, "+", 1);
		}
		assert_int_equal(error, 0);
		assert_message(m, "bytes", 5);
		assert_message(clone, "bytes+", 6);
		assert_message(slice, "yte", 3);
		ibuf_mbuf_free(m);
		ibuf_mbuf_free(slice);
		ibuf_mbuf_free(clone);
		assert_gone(&w);
	} while (struck);
	assert_true(n > 1);
}

TEST(messages_of_several_pools_outlive_them_in_any_order)
{
	static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					 {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	for (int order = 0; order < 6; order++) {
		struct watched w[3];
		struct ibuf_mbuf *m, *clone;

		for (int i = 0; i < 3; i++)
			watched_open(&w[i], 0);
		m = message_in(w[0].p, "one");
		assert_int_equal(ibuf_mbuf_concat(m, message_in(w[1].p, "two")),
				 0);
		assert_int_equal(
			ibuf_mbuf_concat(m, message_in(w[2].p, "three")), 0);
		clone = ibuf_mbuf_clone(m);
		for (int i = 0; i < 3; i++)
			assert_int_equal(
				ibuf_pool_destroy(w[orders[order][i]].p), 1);
		assert_message(m, "onetwothree", 11);
		/* The first segment goes, and with it what it kept. */
		assert_int_equal(ibuf_mbuf_trim_head(m, 3), 0);
		assert_message(m, "twothree", 8);
		ibuf_mbuf_free(order % 2 == 0 ? m : clone);
		m = order % 2 == 0 ? clone : m;
		assert_int_equal(ibuf_mbuf_validate(m), 0);
		ibuf_mbuf_free(m);
		for (int i = 0; i < 3; i++)
			assert_gone(&w[i]);
	}
}

TEST(a_new_pool_knows_nothing_of_the_orphans_of_an_old_one)
{
	struct watched old, new;
	struct ibuf_mbuf *orphan, *m;

	watched_open(&old, 0);
	orphan = message_in(old.p, "old");
	assert_int_equal(ibuf_pool_destroy(old.p), 1);
	watched_open(&new, 0);
	m = message_in(new.p, "new");
	assert_null(ibuf_mbuf_pool(orphan));
	assert_ptr_equal(ibuf_mbuf_pool(m), new.p);
	ibuf_mbuf_free(orphan);
	assert_gone(&old);
	assert_books(new.p, 1);
	assert_ptr_equal(ibuf_mbuf_pool(m), new.p);
	ibuf_mbuf_free(m);
	assert_books(new.p, 0);
	assert_int_equal(ibuf_pool_destroy(new.p), 0);
	assert_gone(&new);
}
