/* test_uring_slabs.c - the slabs of a pool are registered buffers of a ring. */
#include "world.h"

#include <pthread.h>

static struct ibuf_uring_slabs slabs;

static void
slabs_open(struct world *w, size_t capacity)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	ring_open(w, 64);
	needs(w, IBUF_URING_HAS_ZEROCOPY);
	assert_int_equal(ibuf_uring_slabs_open(&slabs, &w->ring, 16, NULL), 0);
	o.capacity = capacity;
	o.provider = ibuf_uring_slabs_provider(&slabs);
	assert_int_equal(ibuf_pool_create(&w->pool, &o), 0);
}

static void
slabs_close(struct world *w)
{
	assert_int_equal(ibuf_pool_destroy(w->pool), 0);
	ibuf_uring_slabs_close(&slabs);
	io_uring_queue_exit(&w->ring);
}

static int
index_of(const struct ibuf_mbuf *m)
{
	return ibuf_uring_slabs_index(&slabs, ibuf_mbuf_data(m),
				      ibuf_mbuf_len(m));
}

TEST(a_message_has_an_index_once_its_slab_is_registered)
{
	struct ibuf_mbuf *m, *other = ibuf_mbuf_from("heap", 4);
	struct world w;

	slabs_open(&w, 1024);
	m = ibuf_pool_alloc(w.pool);
	assert_int_equal(ibuf_mbuf_append(m, "pool", 4), 0);
	assert_int_equal(index_of(m), -ENOENT);
	assert_int_equal(ibuf_uring_slabs_update(&slabs), 0);
	assert_true(index_of(m) >= 0);
	assert_int_equal(index_of(other), -ENOENT);
	assert_int_equal(ibuf_uring_slabs_index(&slabs, ibuf_mbuf_data(m),
						(size_t)1 << 40),
			 -ENOENT);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(other);
	slabs_close(&w);
}

static void
send_fixed(struct world *w, struct ibuf_mbuf *m, bool uses)
{
	struct ibuf_uring_send s = {0};
	struct io_uring_sqe *sqe = entry(w);
	struct io_uring_cqe cqe;

	ibuf_uring_send_prep(&s, sqe, w->near, m, MSG_WAITALL,
			     IBUF_URING_F_ZEROCOPY);
	assert_int_equal(ibuf_uring_slabs_use(&slabs, sqe), uses);
	submit(w);
	do {
		cqe = next(w);
		assert_true(cqe.res >= 0);
	} while (ibuf_uring_send_done(&s, &cqe) != IBUF_URING_DONE);
}

TEST(a_send_without_a_copy_uses_the_registered_buffer)
{
	struct ibuf_mbuf *m;
	struct world w;
	char bytes[8];

	slabs_open(&w, 1024);
	ends_tcp(&w);
	m = ibuf_pool_alloc(w.pool);
	assert_int_equal(ibuf_mbuf_append(m, "fixed", 5), 0);
	assert_int_equal(ibuf_uring_slabs_update(&slabs), 0);
	send_fixed(&w, m, true);
	send_fixed(&w, ibuf_mbuf_from("plain", 5), false);
	assert_int_equal(recv(w.far, bytes, 5, MSG_WAITALL), 5);
	assert_memory_equal(bytes, "fixed", 5);
	assert_int_equal(recv(w.far, bytes, 5, MSG_WAITALL), 5);
	assert_memory_equal(bytes, "plain", 5);
	close(w.near);
	close(w.far);
	slabs_close(&w);
}

TEST(what_is_copied_or_has_segments_uses_none)
{
	struct ibuf_uring_send s = {0};
	struct io_uring_sqe sqe;
	struct ibuf_mbuf *m, *tail;
	struct world w;

	slabs_open(&w, 1024);
	m = ibuf_pool_alloc(w.pool);
	tail = ibuf_pool_alloc(w.pool);
	assert_int_equal(ibuf_mbuf_append(m, "a", 1), 0);
	assert_int_equal(ibuf_mbuf_append(tail, "b", 1), 0);
	assert_int_equal(ibuf_uring_slabs_update(&slabs), 0);
	ibuf_uring_send_prep(&s, &sqe, 0, m, 0, 0);
	assert_false(ibuf_uring_slabs_use(&slabs, &sqe));
	assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
	ibuf_uring_send_prep(&s, &sqe, 0, m, 0, IBUF_URING_F_ZEROCOPY);
	assert_false(ibuf_uring_slabs_use(&slabs, &sqe));
	ibuf_mbuf_free(m);
	slabs_close(&w);
}

static void *
grow(void *arg)
{
	struct ibuf_pool *p = arg;

	return (void *)(uintptr_t)(ibuf_pool_reserve(p, 10000) == 0);
}

TEST(a_pool_that_grows_on_another_thread_is_registered_at_the_next_update)
{
	struct ibuf_mbuf *ms[200];
	struct world w;
	pthread_t thread;
	unsigned found = 0;
	void *grew;

	slabs_open(&w, 256);
	assert_int_equal(ibuf_uring_slabs_update(&slabs), 0);
	assert_int_equal(pthread_create(&thread, NULL, grow, w.pool), 0);
	while (ibuf_pool_available(w.pool) < 10000)
		assert_int_equal(ibuf_uring_slabs_update(&slabs), 0);
	pthread_join(thread, &grew);
	assert_non_null(grew);
	assert_int_equal(ibuf_uring_slabs_update(&slabs), 0);
	assert_int_equal(ibuf_pool_alloc_bulk(w.pool, ms, 200), 0);
	for (int i = 0; i < 200; i++)
		found += index_of(ms[i]) >= 0;
	assert_int_equal(found, 200);
	ibuf_mbuf_free_bulk(ms, 200);
	slabs_close(&w);
}

TEST(a_slab_that_is_gone_has_no_index_and_its_number_is_used_again)
{
	struct ibuf_mbuf *m;
	struct world w;

	slabs_open(&w, 1024);
	for (int i = 0; i < 40; i++) {
		m = ibuf_pool_alloc(w.pool);
		assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
		assert_int_equal(ibuf_uring_slabs_update(&slabs), 0);
		assert_true(index_of(m) >= 0);
		ibuf_mbuf_free(m);
		assert_true(ibuf_pool_trim(w.pool) > 0);
		assert_int_equal(ibuf_uring_slabs_update(&slabs), 0);
	}
	slabs_close(&w);
}

TEST(a_second_table_no_entries_and_no_memory_are_refused)
{
	struct ibuf_uring_slabs other;
	struct world w;

	slabs_open(&w, 1024);
	assert_int_equal(ibuf_uring_slabs_open(&other, &w.ring, 4, NULL),
			 -EBUSY);
	assert_int_equal(ibuf_uring_slabs_open(&other, &w.ring, 0, NULL),
			 -EINVAL);
	fault_at(1);
	assert_int_equal(ibuf_uring_slabs_open(&other, &w.ring, 4, NULL),
			 -ENOMEM);
	fault_off();
	slabs_close(&w);
}
