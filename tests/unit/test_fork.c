/*
 * test_fork.c - after fork, parent and child each own a working pool.
 */
#include "fork.h"

static int
use_what_was_inherited(struct world *w)
{
	struct ibuf_mbuf *ms[MAX];
	size_t n;

	if (ibuf_mbuf_validate(w->m) != 0 || ibuf_mbuf_len(w->m) != 5)
		return 1;
	if (ibuf_mbuf_append(w->m, "child", 5) != 0)
		return 2;
	n = take_all(w->p, ms, MAX);
	if (n != MAX - 1 || !books_are_right(w->p))
		return 3;
	ibuf_mbuf_free_bulk(ms, n);
	ibuf_mbuf_free(w->m);
	if (ibuf_pool_allocated(w->p) != 0 || !books_are_right(w->p))
		return 4;
	return ibuf_pool_destroy(w->p) == 0 ? 0 : 5;
}

TEST(a_child_owns_what_its_parent_had_and_the_parent_keeps_it)
{
	struct world w = {.p = pool_of(MAX, CACHE)};
	struct ibuf_mbuf *ms[MAX + 1];

	assert_int_equal(take_all(w.p, ms, 20), 20);
	ibuf_mbuf_free_bulk(ms, 20); /* some are kept back, maybe */
	w.m = ibuf_pool_alloc(w.p);
	assert_int_equal(ibuf_mbuf_append(w.m, "bytes", 5), 0);
	assert_int_equal(in_child(use_what_was_inherited, &w), 0);
	assert_message(w.m, "bytes", 5);
	assert_books(w.p, 1);
	assert_int_equal(take_all(w.p, ms, MAX + 1), MAX - 1);
	ibuf_mbuf_free_bulk(ms, MAX - 1);
	ibuf_mbuf_free(w.m);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}
