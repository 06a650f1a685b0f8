/* test_uring_group.c - what io_uring receives comes as messages of a pool. */
#include "world.h"

TEST(what_a_peer_sends_comes_as_messages_of_the_pool)
{
	struct ibuf_mbuf *m;
	struct world w;

	world_open(&w, 2048, 0, 8, 0);
	ends_unix(&w, SOCK_STREAM);
	arm(&w);
	say(&w, "hello");
	m = came(&w);
	assert_message(m, "hello", 5);
	assert_ptr_equal(ibuf_mbuf_pool(m), w.pool);
	assert_true(ibuf_mbuf_is_unique(m));
	assert_int_equal(ibuf_mbuf_tailroom(m), 2048 - 5);
	ibuf_mbuf_free(m);
	say(&w, "world");
	comes(&w, "world");
	disarm(&w);
	world_close(&w);
}

TEST(a_frame_that_fills_a_buffer_and_one_byte_more_takes_two)
{
	struct world w;

	world_open(&w, 8, 0, 8, 0);
	ends_unix(&w, SOCK_STREAM);
	arm(&w);
	say(&w, "12345678");
	comes(&w, "12345678");
	say(&w, "123456789");
	comes(&w, "12345678");
	comes(&w, "9");
	disarm(&w);
	world_close(&w);
}

TEST(several_frames_in_one_buffer_are_slices_of_it)
{
	struct ibuf_mbuf *m, *first;
	struct world w;

	world_open(&w, 2048, 0, 8, 0);
	ends_unix(&w, SOCK_STREAM);
	say(&w, "one,");
	say(&w, "two,");
	arm(&w);
	m = came(&w);
	assert_message(m, "one,two,", 8);
	assert_int_equal(ibuf_mbuf_split_front(m, 4, &first), 0);
	ibuf_mbuf_free(m);
	assert_message(first, "one,", 4);
	/* The buffer is in use until the last slice of it is gone. */
	assert_int_equal(ibuf_pool_allocated(w.pool), 9);
	ibuf_mbuf_free(first);
	assert_int_equal(ibuf_pool_allocated(w.pool), 8);
	disarm(&w);
	world_close(&w);
}

TEST(the_end_of_the_stream_is_0_and_loses_no_buffer)
{
	struct world w;

	world_open(&w, 2048, 2, 2, 0);
	ends_unix(&w, SOCK_STREAM);
	for (int i = 0; i < 5; i++) {
		arm(&w);
		say(&w, "last words");
		shutdown(w.far, SHUT_WR);
		comes(&w, "last words");
		ends_with(&w, 0);
		assert_int_equal(ibuf_uring_group_refill(&w.group), 2);
		close(w.near);
		close(w.far);
		ends_unix(&w, SOCK_STREAM);
	}
	world_close(&w);
}

TEST(an_empty_datagram_is_0_and_the_receive_goes_on)
{
	struct ibuf_mbuf *m = NULL;
	struct io_uring_cqe cqe;
	struct world w;

	world_open(&w, 2048, 0, 4, 0);
	ends_udp(&w);
	arm(&w);
	assert_int_equal(send(w.far, NULL, 0, 0), 0);
	cqe = next(&w);
	assert_int_equal(ibuf_uring_recv_take(&w.group, &cqe, &m), 0);
	if (!goes_on(&cqe))
		arm(&w); /* Linux ends a receive there */
	say(&w, "more");
	comes(&w, "more");
	disarm(&w);
	world_close(&w);
}

TEST(a_peer_that_resets_the_connection_is_an_error_and_loses_no_buffer)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};
	struct world w;

	world_open(&w, 2048, 2, 2, 0);
	for (int i = 0; i < 5; i++) {
		ends_tcp(&w);
		arm(&w);
		say(&w, "half of a mess");
		comes(&w, "half of a mess");
		setsockopt(w.far, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(w.far);
		ends_with(&w, -ECONNRESET);
		assert_int_equal(ibuf_uring_group_refill(&w.group), 2);
		close(w.near);
	}
	ends_unix(&w, SOCK_STREAM);
	world_close(&w);
}

TEST(a_descriptor_that_is_none_is_an_error)
{
	struct world w;

	world_open(&w, 2048, 0, 2, 0);
	arm_on(&w, 1000000);
	ends_with(&w, -EBADF);
	ends_unix(&w, SOCK_STREAM);
	world_close(&w);
}

/*
 * Kernels differ in whether the end of a stream names a buffer, and in whether
 * it used that up.  This one names none, so we say it in its place.
 */
TEST(an_end_that_names_a_buffer_the_kernel_still_has_leaves_it_there)
{
	struct io_uring_cqe end;
	struct ibuf_mbuf *m = NULL, *ms[2];
	struct io_uring_sqe unused;
	struct world w;

	world_open(&w, 64, 2, 2, 0);
	ends_unix(&w, SOCK_SEQPACKET);
	memset(&end, 0, sizeof(end));
	end.flags = IORING_CQE_F_BUFFER;
	ibuf_uring_recv_prep(&w.group, &unused, w.near, 0);
	assert_int_equal(ibuf_uring_recv_take(&w.group, &end, &m), 0);
	assert_int_equal(ibuf_pool_allocated(w.pool), 2);
	arm(&w);
	say(&w, "1");
	ms[0] = came(&w);
	say(&w, "2");
	ms[1] = came(&w);
	assert_message(ms[0], "1", 1);
	assert_message(ms[1], "2", 1);
	ends_with(&w, -ENOBUFS);
	ibuf_mbuf_free_bulk(ms, 2);
	world_close(&w);
}

TEST(an_end_that_used_up_a_buffer_gives_it_back)
{
	struct io_uring_cqe end;
	struct ibuf_mbuf *m = NULL;
	struct world w;

	world_open(&w, 64, 1, 1, 0);
	ends_unix(&w, SOCK_SEQPACKET);
	arm(&w);
	say(&w, "lost");
	end = next(&w);
	end.res = 0;
	assert_int_equal(ibuf_uring_recv_take(&w.group, &end, &m), 0);
	disarm(&w);
	assert_int_equal(ibuf_uring_group_refill(&w.group), 1);
	arm(&w);
	say(&w, "it works");
	comes(&w, "it works");
	disarm(&w);
	world_close(&w);
}

/* ---- empty groups -------------------------------------------------- */

TEST(an_empty_group_ends_the_receive_and_messages_that_are_freed_fill_it)
{
	struct ibuf_mbuf *ms[2];
	struct world w;

	world_open(&w, 64, 2, 4, 0);
	ends_unix(&w, SOCK_SEQPACKET);
	arm(&w);
	say(&w, "1");
	ms[0] = came(&w);
	say(&w, "2");
	ms[1] = came(&w);
	say(&w, "3");
	ends_with(&w, -ENOBUFS);
	assert_int_equal(ibuf_uring_group_refill(&w.group), 0);
	ibuf_mbuf_free(ms[0]);
	assert_int_equal(ibuf_uring_group_refill(&w.group), 1);
	arm(&w);
	/* It waited in the socket. */
	comes(&w, "3");
	ibuf_mbuf_free(ms[1]);
	disarm(&w);
	world_close(&w);
}

TEST(a_group_whose_pool_has_nothing_to_give_opens_and_is_filled_later)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_mbuf *m;
	struct world w;

	ring_open(&w, 64);
	needs(&w, IBUF_URING_HAS_GROUP | IBUF_URING_HAS_MULTISHOT);
	o.max = 1;
	assert_int_equal(ibuf_pool_create(&w.pool, &o), 0);
	m = ibuf_pool_alloc(w.pool);
	assert_int_equal(
		ibuf_uring_group_open(&w.group, &w.ring, w.pool, 4, 0, 0), 0);
	ends_unix(&w, SOCK_STREAM);
	say(&w, "x");
	arm(&w);
	ends_with(&w, -ENOBUFS);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_uring_group_refill(&w.group), 1);
	arm(&w);
	comes(&w, "x");
	disarm(&w);
	world_close(&w);
}

TEST(more_frames_than_buffers_all_come_in_order)
{
	enum { FRAMES = 100 };
	int ended = 0, sent = 0;
	struct world w;
	char words[32];

	world_open(&w, 64, 4, 4, 0);
	ends_unix(&w, SOCK_SEQPACKET);
	arm(&w);
	for (int i = 0; i < FRAMES;) {
		struct ibuf_mbuf *m = NULL;
		struct io_uring_cqe cqe;
		int result;

		for (; sent < FRAMES && sent < i + 10; sent++) {
			snprintf(words, sizeof(words), "frame %d", sent);
			say(&w, words);
		}
		cqe = next(&w);
		result = ibuf_uring_recv_take(&w.group, &cqe, &m);
		assert_true(result == 1 || result == -ENOBUFS);
		if (result == 1) {
			snprintf(words, sizeof(words), "frame %d", i++);
			assert_message(m, words, strlen(words));
			ibuf_mbuf_free(m);
		}
		if (!goes_on(&cqe)) {
			ended++;
			assert_true(ibuf_uring_group_refill(&w.group) > 0);
			arm(&w);
		}
	}
	assert_true(ended > 0);
	disarm(&w);
	world_close(&w);
}

TEST(a_queue_of_completions_that_overflows_ends_the_receive_and_loses_nothing)
{
	enum { FRAMES = 40 };
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct world w;
	char words[32];
	int ended = 0;

	ring_open(&w, 4);
	needs(&w, IBUF_URING_HAS_GROUP | IBUF_URING_HAS_MULTISHOT);
	assert_int_equal(ibuf_pool_create(&w.pool, &o), 0);
	assert_int_equal(
		ibuf_uring_group_open(&w.group, &w.ring, w.pool, 64, 1, 0), 0);
	ends_unix(&w, SOCK_SEQPACKET);
	for (int i = 0; i < FRAMES; i++) {
		snprintf(words, sizeof(words), "frame %d", i);
		say(&w, words);
	}
	arm(&w);
	for (int i = 0; i < FRAMES; i++) {
		struct io_uring_cqe cqe = next(&w);
		struct ibuf_mbuf *m = NULL;

		assert_int_equal(ibuf_uring_recv_take(&w.group, &cqe, &m), 1);
		snprintf(words, sizeof(words), "frame %d", i);
		assert_message(m, words, strlen(words));
		ibuf_mbuf_free(m);
		if (!goes_on(&cqe)) {
			ended++;
			arm(&w);
		}
	}
	assert_true(ended > 0);
	disarm(&w);
	world_close(&w);
}

TEST(a_group_is_refilled_an_eighth_at_a_time)
{
	struct ibuf_mbuf *ms[16];
	struct world w;
	uint64_t most = 0;

	world_open(&w, 64, 0, 32, 0);
	ends_unix(&w, SOCK_SEQPACKET);
	arm(&w);
	for (unsigned i = 0; i < 16; i++) {
		say(&w, "x");
		ms[i] = came(&w);
		most = ibuf_pool_allocated(w.pool);
		/* Four ids are filled at once. */
		assert_int_equal(most, 32 + (i + 1) / 4 * 4);
	}
	ibuf_mbuf_free_bulk(ms, 16);
	disarm(&w);
	world_close(&w);
}

/* ---- ends of groups ------------------------------------------------ */

TEST(a_group_is_not_closed_while_a_receive_may_come)
{
	struct world w;

	world_open(&w, 64, 0, 4, 0);
	ends_unix(&w, SOCK_STREAM);
	arm(&w);
	assert_int_equal(ibuf_uring_group_close(&w.group), -EBUSY);
	say(&w, "still there");
	comes(&w, "still there");
	disarm(&w);
	world_close(&w);
}

TEST(a_receive_that_is_cancelled_with_bytes_under_way_loses_none)
{
	struct world w;
	int messages = 0, last = 0;

	world_open(&w, 64, 0, 8, 0);
	ends_unix(&w, SOCK_SEQPACKET);
	for (int i = 0; i < 20; i++) {
		arm(&w);
		say(&w, "x");
		cancel(&w, RECV);
		last = 0;
		for (int seen = 0; seen < 2;) {
			struct io_uring_cqe cqe = next(&w);
			struct ibuf_mbuf *m = NULL;

			if (cqe.user_data == CANCEL) {
				seen++;
				continue;
			}
			last = ibuf_uring_recv_take(&w.group, &cqe, &m);
			messages += last == 1;
			ibuf_mbuf_free(m);
			seen += !goes_on(&cqe);
		}
		assert_true(last == 1 || last == -ECANCELED);
	}
	/* What did not come is in the socket. */
	arm(&w);
	for (; messages < 20; messages++)
		comes(&w, "x");
	disarm(&w);
	world_close(&w);
}

TEST(messages_outlive_the_group_the_ring_and_the_pool)
{
	struct ibuf_mbuf *m, *part;
	struct world w;

	world_open(&w, 64, 0, 4, 0);
	ends_unix(&w, SOCK_STREAM);
	arm(&w);
	say(&w, "lives");
	m = came(&w);
	part = ibuf_mbuf_slice(m, 1, 3);
	disarm(&w);
	assert_int_equal(ibuf_uring_group_close(&w.group), 0);
	io_uring_queue_exit(&w.ring);
	assert_int_equal(ibuf_pool_destroy(w.pool), 1);
	assert_message(m, "lives", 5);
	ibuf_mbuf_free(m);
	assert_message(part, "ive", 3);
	ibuf_mbuf_free(part);
	close(w.near);
	close(w.far);
}

TEST(what_makes_no_group_is_refused_and_changes_nothing)
{
	struct ibuf_uring_group g, before;
	struct world w;

	world_open(&w, 64, 0, 4, 0);
	ends_unix(&w, SOCK_STREAM);
	memset(&g, 0x5a, sizeof(g));
	before = g;
#define open_with(entries, id, flags)                                          \
	ibuf_uring_group_open(&g, &w.ring, w.pool, entries, id, flags)
	assert_int_equal(open_with(0, 1, 0), -EINVAL);
	assert_int_equal(open_with(3, 1, 0), -EINVAL);
	assert_int_equal(open_with(65536, 1, 0), -EINVAL);
	assert_int_equal(open_with(4, 1, 2), -EINVAL);
	assert_int_equal(open_with(4, 7, 0), -EEXIST);
	for (size_t i = 1; i <= 4; i++) {
		fault_at(i);
		assert_int_equal(open_with(4, 1, 0), -ENOMEM);
		fault_off();
	}
	assert_memory_equal(&g, &before, sizeof(g));
	assert_int_equal(open_with(32768, 1, 0), 0);
	assert_int_equal(ibuf_uring_group_refill(&g), 32768);
	assert_int_equal(ibuf_uring_group_close(&g), 0);
	world_close(&w);
}

TEST(pools_that_wipe_and_pools_without_headroom_serve_too)
{
	struct ibuf_pool_options o = {.size = sizeof(o), .capacity = 100};
	struct world w;

	o.flags = IBUF_POOL_F_WIPE;
	ring_open(&w, 64);
	needs(&w, IBUF_URING_HAS_GROUP | IBUF_URING_HAS_MULTISHOT);
	assert_int_equal(ibuf_pool_create(&w.pool, &o), 0);
	assert_int_equal(
		ibuf_uring_group_open(&w.group, &w.ring, w.pool, 2, 0, 0), 0);
	ends_unix(&w, SOCK_STREAM);
	arm(&w);
	for (int i = 0; i < 9; i++) {
		say(&w, "secret");
		comes(&w, "secret");
	}
	disarm(&w);
	world_close(&w);
}
