/* test_uring_send.c - messages go out by io_uring, and are held meanwhile. */
#include "../../unit/messages.h"
#include "world.h"

#include <fcntl.h>

static void
send_open(struct world *w, unsigned what)
{
	ring_open(w, 64);
	needs(w, what);
}

static void
send_close(struct world *w)
{
	io_uring_queue_exit(&w->ring);
	close(w->near);
	close(w->far);
}

static void
start(struct world *w, struct ibuf_uring_send *s, struct ibuf_mbuf *m,
      int flags, unsigned how)
{
	struct io_uring_sqe *sqe = entry(w);

	ibuf_uring_send_prep(s, sqe, w->near, m, flags, how);
	io_uring_sqe_set_data64(sqe, SEND);
	submit(w);
}

static void
go_on(struct world *w, struct ibuf_uring_send *s)
{
	struct io_uring_sqe *sqe = entry(w);

	ibuf_uring_send_rest(s, sqe);
	io_uring_sqe_set_data64(sqe, SEND);
	submit(w);
}

static int
done(struct world *w, struct ibuf_uring_send *s)
{
	struct io_uring_cqe cqe = next(w);

	assert_int_equal(cqe.user_data, SEND);
	return ibuf_uring_send_done(s, &cqe);
}

/* All of it, of a send that may go in parts. */
static int
done_all(struct world *w, struct ibuf_uring_send *s)
{
	int state;

	while ((state = done(w, s)) > 0)
		if (state == IBUF_URING_REST)
			go_on(w, s);
	return state;
}

static void
hears(struct world *w, const char *words)
{
	size_t n = strlen(words), got = 0;
	char bytes[4096];

	while (got < n) {
		ssize_t r = read(w->far, bytes + got, n - got);

		assert_true(r > 0);
		got += (size_t)r;
	}
	assert_memory_equal(bytes, words, n);
}

/* A message of n segments of a byte each, "abc...". */
static struct ibuf_mbuf *
alphabet(unsigned n)
{
	return message_cut((const uint8_t *)"abcdefghijklmnopqrstuvwxyz", n,
			   UINT32_MAX);
}

TEST(a_message_goes_out_and_is_freed)
{
	struct ibuf_uring_send s = {0};
	struct world w;

	send_open(&w, 0);
	ends_unix(&w, SOCK_STREAM);
	assert_true(ibuf_uring_send_is_idle(&s));
	start(&w, &s, message_of("hello", 5), 0, 0);
	assert_false(ibuf_uring_send_is_idle(&s));
	assert_int_equal(done(&w, &s), IBUF_URING_DONE);
	assert_true(ibuf_uring_send_is_idle(&s));
	assert_null(ibuf_uring_send_take(&s));
	hears(&w, "hello");
	send_close(&w);
}

TEST(segments_go_out_in_one_request_and_many_in_several)
{
	struct ibuf_uring_send s = {0};
	struct world w;

	send_open(&w, 0);
	ends_unix(&w, SOCK_STREAM);
	start(&w, &s, alphabet(IBUF_URING_SEGMENTS), 0, 0);
	assert_int_equal(done(&w, &s), IBUF_URING_DONE);
	hears(&w, "abcdefghijklmnop");
	start(&w, &s, alphabet(IBUF_URING_SEGMENTS + 1), 0, 0);
	assert_int_equal(done(&w, &s), IBUF_URING_REST);
	assert_int_equal(ibuf_uring_send_left(&s), 1);
	go_on(&w, &s);
	assert_int_equal(done(&w, &s), IBUF_URING_DONE);
	hears(&w, "abcdefghijklmnopq");
	send_close(&w);
}

TEST(an_empty_message_is_an_empty_datagram)
{
	struct ibuf_uring_send s = {0};
	struct world w;
	char byte;

	send_open(&w, 0);
	ends_unix(&w, SOCK_SEQPACKET);
	start(&w, &s, ibuf_mbuf_new(10), 0, 0);
	assert_int_equal(done(&w, &s), IBUF_URING_DONE);
	assert_int_equal(recv(w.far, &byte, 1, MSG_DONTWAIT), 0);
	send_close(&w);
}

static struct ibuf_mbuf *
large(size_t n)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(n);

	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', n), 0);
	return m;
}

static void
drain(struct world *w, size_t n)
{
	static char bytes[65536];

	while (n != 0) {
		ssize_t r = read(w->far, bytes, sizeof(bytes));

		assert_true(r > 0);
		n -= (size_t)r;
	}
}

TEST(a_send_that_the_socket_takes_in_parts_goes_on)
{
	enum { SIZE = 4 << 20 };
	struct ibuf_uring_send s = {0};
	int state, small = 4096;
	struct world w;
	size_t left = SIZE;
	unsigned parts = 0;

	send_open(&w, 0);
	ends_unix(&w, SOCK_STREAM);
	setsockopt(w.near, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	/* Who does not want to wait gets what fits. */
	fcntl(w.near, F_SETFL, O_NONBLOCK);
	start(&w, &s, large(SIZE), MSG_DONTWAIT, 0);
	while ((state = done(&w, &s)) != IBUF_URING_DONE) {
		assert_int_equal(state, IBUF_URING_REST);
		drain(&w, left - ibuf_uring_send_left(&s));
		left = ibuf_uring_send_left(&s);
		parts++;
		go_on(&w, &s);
	}
	drain(&w, left);
	assert_true(parts > 0);
	send_close(&w);
}

TEST(a_send_to_a_peer_that_is_gone_fails_and_gives_the_message_back)
{
	struct ibuf_uring_send s = {0};
	struct ibuf_mbuf *m = message_of("lost", 4);
	struct world w;

	send_open(&w, 0);
	ends_unix(&w, SOCK_STREAM);
	close(w.far);
	start(&w, &s, m, 0, 0);
	assert_int_equal(done(&w, &s), -EPIPE);
	assert_false(ibuf_uring_send_is_idle(&s));
	assert_ptr_equal(ibuf_uring_send_take(&s), m);
	assert_true(ibuf_uring_send_is_idle(&s));
	assert_message(m, "lost", 4);
	ibuf_mbuf_free(m);
	w.far = -1;
	send_close(&w);
}

TEST(a_peer_that_dies_in_the_middle_leaves_what_it_did_not_take)
{
	enum { SIZE = 4 << 20 };
	struct ibuf_uring_send s = {0};
	struct ibuf_mbuf *m;
	struct world w;
	int state;

	send_open(&w, 0);
	ends_unix(&w, SOCK_STREAM);
	start(&w, &s, large(SIZE), MSG_WAITALL, 0);
	drain(&w, 65536);
	assert_quiet(&w);
	/* The kernel has it. */
	assert_null(ibuf_uring_send_take(&s));
	close(w.far);
	state = done_all(&w, &s);
	assert_true(state == -EPIPE || state == -ECONNRESET);
	m = ibuf_uring_send_take(&s);
	assert_non_null(m);
	assert_true(ibuf_mbuf_len(m) > 0 && ibuf_mbuf_len(m) < SIZE);
	ibuf_mbuf_free(m);
	w.far = -1;
	send_close(&w);
}

TEST(a_send_that_is_cancelled_gives_back_what_has_not_gone)
{
	enum { SIZE = 4 << 20 };
	struct ibuf_uring_send s = {0};
	struct ibuf_mbuf *m;
	struct world w;
	size_t went;
	int state = IBUF_URING_HELD;

	send_open(&w, 0);
	ends_unix(&w, SOCK_STREAM);
	start(&w, &s, large(SIZE), MSG_WAITALL, 0);
	assert_quiet(&w);
	cancel(&w, SEND);
	for (int seen = 0; seen < 2; seen++) {
		struct io_uring_cqe cqe = next(&w);

		if (cqe.user_data == SEND)
			state = ibuf_uring_send_done(&s, &cqe);
	}
	/* A part may have gone, which is its result then. */
	assert_true(state == IBUF_URING_REST || state == -ECANCELED);
	m = ibuf_uring_send_take(&s);
	assert_non_null(m);
	went = SIZE - ibuf_mbuf_len(m);
	ibuf_mbuf_free(m);
	drain(&w, went);
	assert_int_equal(recv(w.far, &went, 1, MSG_DONTWAIT), -1);
	send_close(&w);
}

TEST(one_message_goes_to_several_by_clones)
{
	struct ibuf_uring_send s[3];
	struct ibuf_mbuf *m = message_of("to all", 6);
	struct world w[3];

	memset(s, 0, sizeof(s));
	for (int i = 0; i < 3; i++) {
		send_open(&w[i], 0);
		ends_unix(&w[i], SOCK_STREAM);
		start(&w[i], &s[i], ibuf_mbuf_clone(m), 0, 0);
	}
	ibuf_mbuf_free(m);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(done(&w[i], &s[i]), IBUF_URING_DONE);
		hears(&w[i], "to all");
		send_close(&w[i]);
	}
}

/* ---- datagrams ----------------------------------------------------- */

TEST(a_datagram_goes_to_an_address_whole)
{
	struct ibuf_uring_send s = {0};
	struct sockaddr_in to;
	struct msghdr with = {.msg_name = &to, .msg_namelen = sizeof(to)};
	struct io_uring_sqe *sqe;
	struct world w;
	char bytes[32];

	send_open(&w, 0);
	w.far = bound(SOCK_DGRAM, &to);
	w.near = socket(AF_INET, SOCK_DGRAM, 0);
	sqe = entry(&w);
	assert_int_equal(ibuf_uring_sendmsg_prep(&s, sqe, w.near, alphabet(16),
						 &with, 0, 0),
			 0);
	io_uring_sqe_set_data64(sqe, SEND);
	submit(&w);
	assert_int_equal(done(&w, &s), IBUF_URING_DONE);
	assert_int_equal(recv(w.far, bytes, sizeof(bytes), 0), 16);
	assert_memory_equal(bytes, "abcdefghijklmnop", 16);
	send_close(&w);
}

TEST(a_datagram_of_too_many_segments_is_refused_and_still_the_callers)
{
	struct ibuf_mbuf *m = alphabet(17);
	struct ibuf_uring_send s = {0};
	struct msghdr with = {0};
	struct io_uring_sqe sqe;
	struct world w;

	send_open(&w, 0);
	ends_unix(&w, SOCK_DGRAM);
	assert_int_equal(
		ibuf_uring_sendmsg_prep(&s, &sqe, w.near, m, &with, 0, 0),
		-EMSGSIZE);
	assert_true(ibuf_uring_send_is_idle(&s));
	assert_message(m, "abcdefghijklmnopq", 17);
	ibuf_mbuf_free(m);
	send_close(&w);
}

/* ---- without a copy ------------------------------------------------ */

/* Counts its release. */
static void
count_release(void *bytes, size_t len, void *arg)
{
	(void)bytes;
	(void)len;
	++*(int *)arg;
}

TEST(without_a_copy_the_message_is_held_until_its_last_completion)
{
	static char bytes[16384];
	struct ibuf_uring_send s = {0};
	int released = 0, state;
	struct world w;

	send_open(&w, IBUF_URING_HAS_ZEROCOPY);
	ends_tcp(&w);
	start(&w, &s,
	      ibuf_mbuf_wrap(bytes, sizeof(bytes), count_release, &released),
	      MSG_WAITALL, IBUF_URING_F_ZEROCOPY);
	/* All went; then the kernel lets go, at the latest when it is read. */
	assert_int_equal(done(&w, &s), IBUF_URING_HELD);
	assert_int_equal(ibuf_uring_send_left(&s), 0);
	assert_int_equal(released, 0);
	assert_null(ibuf_uring_send_take(&s));
	drain(&w, sizeof(bytes));
	state = done(&w, &s);
	assert_int_equal(state, IBUF_URING_DONE);
	assert_int_equal(released, 1);
	send_close(&w);
}

TEST(a_notification_may_come_after_the_socket_was_closed)
{
	static char bytes[16384];
	struct ibuf_uring_send s = {0};
	int released = 0;
	struct world w;

	send_open(&w, IBUF_URING_HAS_ZEROCOPY);
	ends_tcp(&w);
	start(&w, &s,
	      ibuf_mbuf_wrap(bytes, sizeof(bytes), count_release, &released),
	      MSG_WAITALL, IBUF_URING_F_ZEROCOPY);
	assert_int_equal(done(&w, &s), IBUF_URING_HELD);
	close(w.near);
	drain(&w, sizeof(bytes));
	assert_int_equal(done(&w, &s), IBUF_URING_DONE);
	assert_int_equal(released, 1);
	w.near = -1;
	send_close(&w);
}

TEST(segments_go_without_a_copy_too_and_many_in_several_requests)
{
	struct ibuf_uring_send s = {0};
	struct world w;

	send_open(&w, IBUF_URING_HAS_ZEROCOPY);
	ends_tcp(&w);
	start(&w, &s, alphabet(20), MSG_WAITALL, IBUF_URING_F_ZEROCOPY);
	assert_int_equal(done_all(&w, &s), IBUF_URING_DONE);
	hears(&w, "abcdefghijklmnopqrst");
	send_close(&w);
}

TEST(a_failure_without_a_copy_gives_the_message_back_when_nothing_is_to_come)
{
	struct ibuf_mbuf *m = message_of("lost", 4);
	struct ibuf_uring_send s = {0};
	struct world w;
	int state;

	send_open(&w, IBUF_URING_HAS_ZEROCOPY);
	ends_tcp(&w);
	shutdown(w.near, SHUT_WR);
	start(&w, &s, m, 0, IBUF_URING_F_ZEROCOPY);
	while ((state = done(&w, &s)) == IBUF_URING_HELD)
		assert_null(ibuf_uring_send_take(&s));
	assert_int_equal(state, -EPIPE);
	assert_ptr_equal(ibuf_uring_send_take(&s), m);
	assert_message(m, "lost", 4);
	ibuf_mbuf_free(m);
	send_close(&w);
}

/* What the kernel may say, in an order that it rarely has. */
static int
told(struct ibuf_uring_send *s, int res, unsigned flags)
{
	struct io_uring_cqe cqe;

	memset(&cqe, 0, sizeof(cqe));
	cqe.res = res;
	cqe.flags = flags;
	return ibuf_uring_send_done(s, &cqe);
}

TEST(notifications_of_parts_may_come_late_and_in_any_order)
{
	static char bytes[100];
	struct ibuf_uring_send s = {0};
	struct io_uring_sqe sqe;
	int released = 0;
	struct ibuf_mbuf *m =
		ibuf_mbuf_wrap(bytes, sizeof(bytes), count_release, &released);

	ibuf_uring_send_prep(&s, &sqe, 0, m, 0, IBUF_URING_F_ZEROCOPY);
	assert_int_equal(sqe.len, 100);
	assert_int_equal(told(&s, 60, IORING_CQE_F_MORE), IBUF_URING_REST);
	ibuf_uring_send_rest(&s, &sqe);
	assert_int_equal(sqe.len, 40);
	assert_true(sqe.addr == (uintptr_t)(bytes + 60));
	/* That of the first, while the second goes. */
	assert_int_equal(told(&s, 0, IORING_CQE_F_NOTIF), IBUF_URING_HELD);
	assert_int_equal(told(&s, 40, IORING_CQE_F_MORE), IBUF_URING_HELD);
	assert_int_equal(released, 0);
	assert_int_equal(told(&s, 0, IORING_CQE_F_NOTIF), IBUF_URING_DONE);
	assert_int_equal(released, 1);

	/* The second fails while the kernel still reads the first. */
	m = ibuf_mbuf_wrap(bytes, sizeof(bytes), count_release, &released);
	ibuf_uring_send_prep(&s, &sqe, 0, m, 0, IBUF_URING_F_ZEROCOPY);
	assert_int_equal(told(&s, 60, IORING_CQE_F_MORE), IBUF_URING_REST);
	assert_null(ibuf_uring_send_take(&s));
	ibuf_uring_send_rest(&s, &sqe);
	assert_int_equal(told(&s, -EPIPE, 0), IBUF_URING_HELD);
	assert_null(ibuf_uring_send_take(&s));
	assert_int_equal(told(&s, 0, IORING_CQE_F_NOTIF), -EPIPE);
	assert_ptr_equal(ibuf_uring_send_take(&s), m);
	assert_int_equal(ibuf_mbuf_len(m), 40);
	assert_int_equal(released, 1);
	ibuf_mbuf_free(m);
	assert_int_equal(released, 2);
}
