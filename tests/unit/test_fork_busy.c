/*
 * test_fork_busy.c - after fork, parent and child each own a working pool,
 * whatever other threads were doing at that moment.
 */
#include "fork.h"

enum { THREADS = 3 };

static void *
keep_busy(void *arg)
{
	struct family *w = arg;

	gate_wait(&w->start);
	while (!atomic_load(&w->over)) {
		struct ibuf_mbuf *ms[CACHE + 1];
		size_t n = take_all(w->p, ms, CACHE + 1);
		struct ibuf_pool *other = ibuf_pool_new(1, 64);

		if (n != 0)
			ibuf_mbuf_free(ibuf_mbuf_clone(ms[0]));
		ibuf_mbuf_free_bulk(ms, n);
		ibuf_mbuf_free(ibuf_pool_alloc(other));
		ibuf_pool_destroy(other);
	}
	return NULL;
}

static int
use_everything(struct family *w)
{
	struct ibuf_pool *other = ibuf_pool_new(4, 64);
	struct ibuf_mbuf *ms[MAX], *clone;
	size_t n, i;

	if (other == NULL || !books_are_right(w->p))
		return 1;
	clone = ibuf_mbuf_clone(w->m);
	if (clone == NULL || ibuf_mbuf_append(clone, "child", 5) != 0)
		return 2;
	ibuf_mbuf_free(clone);
	/* Whatever the others held or kept back is lost here; not more. */
	n = take_all(w->p, ms, MAX);
	if (n > MAX - 1 || !books_are_right(w->p))
		return 3;
	for (i = 0; i < n; i++)
		if (ibuf_mbuf_validate(ms[i]) != 0 ||
		    ibuf_mbuf_append(ms[i], &i, sizeof(i)) != 0)
			return 4;
	for (i = 0; i < n; i++)
		if (memcmp(ibuf_mbuf_data(ms[i]), &i, sizeof(i)) != 0)
			return 5;
	ibuf_mbuf_free_bulk(ms, n);
	ibuf_pool_flush(w->p);
	ibuf_pool_trim(w->p);
	if (take_all(w->p, ms, 1) != 1 || !books_are_right(w->p))
		return 6;
	ibuf_mbuf_free(ms[0]);
	return ibuf_pool_destroy(other) == 0 ? 0 : 7;
}

TEST(a_child_never_waits_for_threads_it_does_not_have)
{
	struct family w = {.p = pool_of(MAX, CACHE),
			   .start = GATE_INIT(THREADS + 1)};
	pthread_t threads[THREADS];

	w.m = ibuf_pool_alloc(w.p);
	assert_int_equal(ibuf_mbuf_append(w.m, "bytes", 5), 0);
	threads_start(threads, THREADS, keep_busy, &w, 0);
	gate_wait(&w.start);
	for (unsigned i = test_rounds(100); i > 0; i--)
		assert_int_equal(in_child(use_everything, &w), 0);
	atomic_store(&w.over, true);
	threads_join(threads, THREADS);
	assert_message(w.m, "bytes", 5);
	assert_books(w.p, 1);
	ibuf_mbuf_free(w.m);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
}
