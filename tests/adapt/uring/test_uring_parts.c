/* test_uring_parts.c - a buffer of io_uring that takes several receives. */
#include "world.h"

TEST(receives_share_a_buffer_as_slices_and_it_comes_home_with_the_last)
{
	struct ibuf_mbuf *first, *second;
	struct world w;

	world_open(&w, 64, 0, 2, IBUF_URING_F_PARTS);
	ends_unix(&w, SOCK_STREAM);
	arm(&w);
	say(&w, "first");
	first = came(&w);
	say(&w, "second");
	second = came(&w);
	assert_message(first, "first", 5);
	assert_message(second, "second", 6);
	assert_ptr_equal(ibuf_mbuf_data(first) + 5, ibuf_mbuf_data(second));
	assert_int_equal(ibuf_pool_allocated(w.pool), 2);
	disarm(&w);
	assert_int_equal(ibuf_uring_group_close(&w.group), 0);
	/* The buffer is held by the two slices. */
	assert_int_equal(ibuf_pool_allocated(w.pool), 1);
	ibuf_mbuf_free(first);
	assert_int_equal(ibuf_pool_allocated(w.pool), 1);
	assert_message(second, "second", 6);
	ibuf_mbuf_free(second);
	assert_int_equal(ibuf_pool_allocated(w.pool), 0);
	assert_int_equal(ibuf_pool_destroy(w.pool), 0);
	io_uring_queue_exit(&w.ring);
	close(w.near);
	close(w.far);
}

TEST(a_frame_over_two_buffers_comes_as_two_parts)
{
	struct ibuf_mbuf *m;
	struct world w;

	world_open(&w, 8, 0, 4, IBUF_URING_F_PARTS);
	ends_unix(&w, SOCK_STREAM);
	arm(&w);
	say(&w, "12345");
	comes(&w, "12345");
	say(&w, "6789");
	m = came(&w);
	assert_message(m, "678", 3);
	/* The last of a buffer is the buffer's own message. */
	assert_true(ibuf_mbuf_is_unique(m));
	ibuf_mbuf_free(m);
	comes(&w, "9");
	disarm(&w);
	world_close(&w);
}

TEST(frames_that_fill_buffers_again_and_again_all_come)
{
	struct world w;

	world_open(&w, 16, 4, 4, IBUF_URING_F_PARTS);
	ends_unix(&w, SOCK_STREAM);
	arm(&w);
	for (int i = 0; i < 500; i++) {
		say(&w, "12345");
		for (size_t n = 0; n < 5;) {
			struct ibuf_mbuf *m = came(&w);

			assert_memory_equal(ibuf_mbuf_data(m), "12345" + n,
					    ibuf_mbuf_len(m));
			n += ibuf_mbuf_len(m);
			ibuf_mbuf_free(m);
		}
	}
	disarm(&w);
	world_close(&w);
}

TEST(connections_share_the_buffers_of_a_group)
{
	struct world w;
	int other[2];

	world_open(&w, 64, 0, 2, IBUF_URING_F_PARTS);
	ends_unix(&w, SOCK_STREAM);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
	arm(&w);
	arm_on(&w, other[0]);
	for (int i = 0; i < 50; i++) {
		struct ibuf_mbuf *m;

		say(&w, "abcd");
		m = came(&w);
		if (ibuf_mbuf_len(m) == 4)
			assert_message(m, "abcd", 4);
		else
			comes(&w, &"abcd"[ibuf_mbuf_len(m)]);
		ibuf_mbuf_free(m);
		assert_int_equal(write(other[1], "ef", 2), 2);
		m = came(&w);
		if (ibuf_mbuf_len(m) == 2)
			assert_message(m, "ef", 2);
		else
			comes(&w, "f");
		ibuf_mbuf_free(m);
	}
	close(other[1]);
	ends_with(&w, 0);
	close(other[0]);
	/* What is left of the buffer is as good as before. */
	say(&w, "on");
	comes(&w, "on");
	disarm(&w);
	world_close(&w);
}

TEST(the_end_of_a_stream_and_a_reset_leave_the_rest_of_the_buffer)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};
	struct world w;

	world_open(&w, 64, 1, 1, IBUF_URING_F_PARTS);
	for (int i = 0; i < 10; i++) {
		ends_tcp(&w);
		arm(&w);
		say(&w, "12");
		comes(&w, "12");
		if (i % 2 == 0) {
			shutdown(w.far, SHUT_WR);
			ends_with(&w, 0);
		} else {
			setsockopt(w.far, SOL_SOCKET, SO_LINGER, &now,
				   sizeof(now));
			close(w.far);
			ends_with(&w, -ECONNRESET);
		}
		assert_int_equal(ibuf_uring_group_refill(&w.group), 1);
		close(w.near);
		if (i % 2 == 0)
			close(w.far);
	}
	ends_unix(&w, SOCK_STREAM);
	arm(&w);
	say(&w, "and on");
	comes(&w, "and on");
	disarm(&w);
	world_close(&w);
}

TEST(an_empty_group_of_parts_ends_the_receive_and_starts_again)
{
	struct ibuf_mbuf *ms[3];
	struct world w;

	world_open(&w, 4, 1, 2, IBUF_URING_F_PARTS);
	ends_unix(&w, SOCK_STREAM);
	arm(&w);
	say(&w, "12");
	ms[0] = came(&w);
	say(&w, "3456");
	ms[1] = came(&w);
	assert_message(ms[1], "34", 2);
	ends_with(&w, -ENOBUFS);
	ibuf_mbuf_free(ms[1]);
	/* One slice still shows the buffer. */
	assert_int_equal(ibuf_uring_group_refill(&w.group), 0);
	ibuf_mbuf_free(ms[0]);
	assert_int_equal(ibuf_uring_group_refill(&w.group), 1);
	arm(&w);
	comes(&w, "56");
	disarm(&w);
	world_close(&w);
}

TEST(a_part_without_a_header_to_show_it_can_be_taken_again)
{
	struct ibuf_mbuf *m = NULL;
	struct io_uring_cqe cqe;
	struct world w;

	world_open(&w, 64, 0, 1, IBUF_URING_F_PARTS);
	ends_unix(&w, SOCK_STREAM);
	arm(&w);
	say(&w, "wait");
	cqe = next(&w);
	fault_from(1);
	assert_int_equal(ibuf_uring_recv_take(&w.group, &cqe, &m), -ENOMEM);
	fault_off();
	assert_null(m);
	assert_int_equal(ibuf_uring_recv_take(&w.group, &cqe, &m), 1);
	assert_message(m, "wait", 4);
	ibuf_mbuf_free(m);
	say(&w, "more");
	comes(&w, "more");
	disarm(&w);
	world_close(&w);
}

TEST(datagrams_with_addresses_are_refused_by_a_group_of_parts)
{
	struct msghdr asked = {.msg_namelen = sizeof(struct sockaddr_storage)};
	struct io_uring_sqe sqe;
	struct world w;

	world_open(&w, 2048, 0, 1, IBUF_URING_F_PARTS);
	ends_udp(&w);
	assert_int_equal(
		ibuf_uring_recvmsg_prep(&w.group, &sqe, w.near, &asked, 0),
		-EINVAL);
	world_close(&w);
}

TEST(a_part_may_be_extended_without_touching_the_next)
{
	struct ibuf_mbuf *first, *second;
	struct world w;

	world_open(&w, 64, 0, 2, IBUF_URING_F_PARTS);
	ends_unix(&w, SOCK_STREAM);
	arm(&w);
	say(&w, "first");
	first = came(&w);
	say(&w, "second");
	second = came(&w);
	assert_int_equal(ibuf_mbuf_append(first, "+tail", 5), 0);
	assert_int_equal(ibuf_mbuf_prepend(second, "head+", 5), 0);
	assert_message(first, "first+tail", 10);
	assert_message(second, "head+second", 11);
	say(&w, "third");
	comes(&w, "third");
	ibuf_mbuf_free(first);
	ibuf_mbuf_free(second);
	disarm(&w);
	world_close(&w);
}
