/* test_uring_recvmsg.c - datagrams come with their addresses. */
#include "world.h"

static struct msghdr asked = {
	.msg_namelen = sizeof(struct sockaddr_storage),
};

static void
arm_datagrams(struct world *w)
{
	struct io_uring_sqe *sqe = entry(w);

	assert_int_equal(
		ibuf_uring_recvmsg_prep(&w->group, sqe, w->near, &asked, 0), 0);
	io_uring_sqe_set_data64(sqe, RECV);
	submit(w);
}

static struct ibuf_mbuf *
datagram(struct world *w, struct msghdr *with)
{
	struct io_uring_cqe cqe = next(w);
	struct ibuf_mbuf *m = NULL;

	assert_int_equal(
		ibuf_uring_recvmsg_take(&w->group, &cqe, &asked, with, &m), 1);
	return m;
}

TEST(a_datagram_comes_with_the_address_of_its_sender)
{
	struct sockaddr_in sender;
	socklen_t len = sizeof(sender);
	struct msghdr with;
	struct ibuf_mbuf *m;
	struct world w;

	world_open(&w, 512, 0, 4, 0);
	ends_udp(&w);
	assert_int_equal(getsockname(w.far, (struct sockaddr *)&sender, &len),
			 0);
	arm_datagrams(&w);
	say(&w, "hello");
	m = datagram(&w, &with);
	assert_message(m, "hello", 5);
	assert_int_equal(with.msg_namelen, sizeof(sender));
	assert_memory_equal(with.msg_name, &sender, sizeof(sender));
	assert_int_equal(with.msg_flags, 0);
	assert_int_equal(with.msg_controllen, 0);
	ibuf_mbuf_free(m);
	disarm(&w);
	world_close(&w);
}

TEST(an_empty_datagram_is_an_empty_message)
{
	struct msghdr with;
	struct ibuf_mbuf *m;
	struct world w;

	world_open(&w, 512, 0, 4, 0);
	ends_udp(&w);
	arm_datagrams(&w);
	assert_int_equal(send(w.far, NULL, 0, 0), 0);
	m = datagram(&w, &with);
	assert_message(m, "", 0);
	assert_int_equal(with.msg_namelen, sizeof(struct sockaddr_in));
	ibuf_mbuf_free(m);
	disarm(&w);
	world_close(&w);
}

TEST(a_datagram_that_is_too_long_is_cut_and_says_so)
{
	uint8_t bytes[600] = {1};
	struct msghdr with;
	struct ibuf_mbuf *m;
	struct world w;

	world_open(&w, 512, 0, 4, 0);
	ends_udp(&w);
	arm_datagrams(&w);
	assert_int_equal(send(w.far, bytes, sizeof(bytes), 0), sizeof(bytes));
	m = datagram(&w, &with);
	assert_message(m, bytes, 512 - 16 - sizeof(struct sockaddr_storage));
	assert_int_equal(with.msg_flags & MSG_TRUNC, MSG_TRUNC);
	ibuf_mbuf_free(m);
	say(&w, "short");
	m = datagram(&w, &with);
	assert_message(m, "short", 5);
	assert_int_equal(with.msg_flags & MSG_TRUNC, 0);
	ibuf_mbuf_free(m);
	disarm(&w);
	world_close(&w);
}

TEST(control_messages_come_beside_the_bytes)
{
	struct cmsghdr *control;
	struct msghdr with;
	struct ibuf_mbuf *m;
	struct world w;
	int on = 1;

	world_open(&w, 1024, 0, 4, 0);
	ends_udp(&w);
	assert_int_equal(
		setsockopt(w.near, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)), 0);
	asked.msg_controllen = 128;
	arm_datagrams(&w);
	say(&w, "hello");
	m = datagram(&w, &with);
	control = CMSG_FIRSTHDR(&with);
	assert_non_null(control);
	assert_int_equal(control->cmsg_level, IPPROTO_IP);
	assert_int_equal(control->cmsg_type, IP_PKTINFO);
	assert_null(CMSG_NXTHDR(&with, control));
	assert_message(m, "hello", 5);
	/* They lie in front of the bytes, and so does headroom. */
	assert_int_equal(ibuf_mbuf_prepend(m, "x", 1), 0);
	assert_message(m, "xhello", 6);
	ibuf_mbuf_free(m);
	disarm(&w);
	asked.msg_controllen = 0;
	world_close(&w);
}

TEST(an_empty_group_ends_a_receive_of_datagrams)
{
	struct msghdr with, before;
	struct io_uring_cqe cqe;
	struct ibuf_mbuf *m, *none = NULL;
	struct world w;

	world_open(&w, 512, 1, 1, 0);
	ends_udp(&w);
	arm_datagrams(&w);
	say(&w, "1");
	m = datagram(&w, &with);
	say(&w, "2");
	before = with;
	cqe = next(&w);
	assert_int_equal(
		ibuf_uring_recvmsg_take(&w.group, &cqe, &asked, &with, &none),
		-ENOBUFS);
	assert_memory_equal(&with, &before, sizeof(with));
	assert_false(goes_on(&cqe));
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_uring_group_refill(&w.group), 1);
	arm_datagrams(&w);
	m = datagram(&w, &with);
	assert_message(m, "2", 1);
	ibuf_mbuf_free(m);
	disarm(&w);
	world_close(&w);
}

TEST(buffers_too_small_for_an_address_and_odd_lengths_are_refused)
{
	struct msghdr odd = {.msg_namelen = 28};
	struct io_uring_sqe sqe;
	struct world w;

	world_open(&w, 144, 0, 2, 0);
	ends_udp(&w);
	assert_int_equal(
		ibuf_uring_recvmsg_prep(&w.group, &sqe, w.near, &asked, 0),
		-EINVAL);
	assert_int_equal(
		ibuf_uring_recvmsg_prep(&w.group, &sqe, w.near, &odd, 0),
		-EINVAL);
	/* Nothing is under way. */
	world_close(&w);
}
