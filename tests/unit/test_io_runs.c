/*
 * test_io_runs.c - a message is sent as a run of datagrams of one size, and a
 * run is received as one message.
 */
#include "calls.h"
#include "datagrams.h"

#include <netinet/ip.h>

/* Headers of the system may not know them: UDP_SEGMENT and UDP_GRO. */
enum { CUTS = 103, JOINS = 104 };

/* ---- a kernel that is older ---------------------------------------- */

static size_t asked; /* calls of getsockopt() for the segment size */
static int older;    /* the error that it gives, 0: none */

int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *n);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *n);

int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
	if (level == IPPROTO_UDP && name == CUTS) {
		asked++;
		if (older != 0) {
			errno = older;
			return -1;
		}
	}
	return __real_getsockopt(fd, level, name, value, n);
}

/* ---- two ends ------------------------------------------------------ */

struct pair {
	int to, from; /* to is connected to from */
	struct ibuf_pool *pool;
};

static int
bound(int family, struct sockaddr_storage *address, socklen_t *len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)family;
	*len = family == AF_INET ? sizeof(*v4) : sizeof(*v6);
	if (family == AF_INET)
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		v6->sin6_addr = in6addr_loopback;
	if (fd < 0 || bind(fd, (struct sockaddr *)address, *len) != 0) {
		close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, len), 0);
	return fd;
}

/* False, and says why: the system has no runs, or no such addresses. */
static bool
pair_open(struct pair *p, int family)
{
	struct sockaddr_storage address, other;
	socklen_t len, n;
	uint16_t half = 1;
	int on = 1;
	char byte;

	*p = (struct pair){-1, -1, NULL};
	older = 0;
	asked = 0;
	calls_reset();
#ifdef IBUF_PLATFORM_POSIX
	print_message("plain POSIX has no runs\n");
	return false;
#endif
	p->from = bound(family, &address, &len);
	if (p->from < 0) {
		print_message("there is no IPv6 here\n");
		return false;
	}
	p->to = bound(family, &other, &n);
	assert_int_equal(connect(p->to, (struct sockaddr *)&address, len), 0);
	/* An emulator may have the options, and forget about them. */
	if (send_with(p->to, "ab", 2, IPPROTO_UDP, CUTS, &half, sizeof(half)) !=
		    2 ||
	    recv(p->from, &byte, 1, MSG_TRUNC) != 1 ||
	    recv(p->from, &byte, 1, 0) != 1 ||
	    setsockopt(p->from, IPPROTO_UDP, JOINS, &on, sizeof(on)) != 0) {
		print_message("this system has no UDP_SEGMENT or UDP_GRO\n");
		close(p->from);
		close(p->to);
		return false;
	}
	calls_reset();
	p->pool = ibuf_pool_new(0, 65535);
	return true;
}

static void
pair_close(struct pair *p)
{
	close(p->to);
	close(p->from);
	assert_int_equal(ibuf_pool_destroy(p->pool), 0);
}

/* From now on each datagram comes alone. */
static void
pair_take_single(const struct pair *p)
{
	int off = 0;

	assert_int_equal(
		setsockopt(p->from, IPPROTO_UDP, JOINS, &off, sizeof(off)), 0);
}

static uint8_t bytes[1 << 16];

static struct ibuf_mbuf *
run_of(size_t n)
{
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	return message_of(bytes, n);
}

/* Send n bytes in pieces of that size. */
static int
send_run(int fd, size_t n, uint16_t size)
{
	struct ibuf_io_datagram d = {.m = run_of(n)};
	struct ibuf_io_control c = {.segment_size = size};
	int sent = ibuf_io_send_control(fd, &d, &c, 1, 0);

	if (sent == 1) {
		assert_null(d.m);
		return 1;
	}
	/* It is the caller's as it was. */
	assert_message(d.m, bytes, n);
	assert_int_equal(c.segment_size, size);
	ibuf_mbuf_free(d.m);
	return sent;
}

/* ---- sending ------------------------------------------------------- */

static const int families[] = {AF_INET, AF_INET6};

TEST(a_message_goes_out_cut_into_pieces_of_the_size)
{
	static const size_t lengths[] = {1, 99, 100, 101, 199, 200, 201, 6400};

	for (size_t f = 0; f < 2; f++) {
		struct pair p;

		if (!pair_open(&p, families[f]))
			skip();
		pair_take_single(&p);
		for (size_t i = 0; i < 8; i++) {
			size_t n = lengths[i];

			assert_int_equal(send_run(p.to, n, 100), 1);
			for (size_t at = 0; at < n; at += 100)
				assert_next(p.from, bytes + at,
					    n - at < 100 ? n - at : 100);
			assert_int_equal(recv(p.from, bytes, 1, 0), -1);
		}
		pair_close(&p);
	}
}

TEST(a_piece_may_lie_across_any_segments_of_the_message)
{
	struct pair p;
	struct ibuf_io_datagram d = {0};
	struct ibuf_io_control c = {.segment_size = 7};

	if (!pair_open(&p, AF_INET))
		skip();
	pair_take_single(&p);
	d.m = run_of(1);
	for (size_t i = 1; i < 50; i++)
		add_segment(d.m, bytes + i, 1);
	assert_int_equal(ibuf_io_send_control(p.to, &d, &c, 1, 0), 1);
	for (size_t at = 0; at < 50; at += 7)
		assert_next(p.from, bytes + at, at == 49 ? 1 : 7);
	/* Also where a copy is made, for more segments than a call takes. */
	d.m = run_of(1);
	for (size_t i = 1; i < 1025; i++)
		add_segment(d.m, bytes + i, 1);
	c.segment_size = 500;
	assert_int_equal(ibuf_io_send_control(p.to, &d, &c, 1, 0), 1);
	for (size_t at = 0; at < 1025; at += 500)
		assert_next(p.from, bytes + at, at == 1000 ? 25 : 500);
	pair_close(&p);
}

TEST(a_batch_has_runs_and_datagrams_in_order_and_the_socket_is_asked_once)
{
	enum { N = 100 }; /* what the socket's buffer holds */
	struct pair p;
	struct ibuf_io_datagram d[N];
	struct ibuf_io_control c[N] = {{0}};
	uint8_t tos[N][CMSG_SPACE(sizeof(int))]
		__attribute__((aligned(_Alignof(struct cmsghdr))));

	if (!pair_open(&p, AF_INET))
		skip();
	pair_take_single(&p);
	for (unsigned i = 0; i < N; i++) {
		struct cmsghdr *h = (struct cmsghdr *)(void *)tos[i];

		d[i].m = run_of(10);
		d[i].peer_len = 0;
		/* Alone, beside another control message, or not at all. */
		c[i].segment_size = i % 3 == 0 ? 0 : 4;
		if (i % 2 == 0)
			continue;
		memset(tos[i], 0, sizeof(tos[i]));
		h->cmsg_level = IPPROTO_IP;
		h->cmsg_type = IP_TOS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		c[i].data = tos[i];
		/* The padding behind the last may be left out. */
		c[i].len = sizeof(tos[i]);
		if (i % 4 == 1)
			c[i].len = CMSG_LEN(sizeof(int));
	}
	assert_int_equal(ibuf_io_send_control(p.to, d, c, N, 0), N);
	assert_int_equal(asked, 1);
	for (unsigned i = 0; i < N; i++) {
		assert_null(d[i].m);
		if (i % 3 == 0) {
			assert_next(p.from, bytes, 10);
			continue;
		}
		assert_next(p.from, bytes, 4);
		assert_next(p.from, bytes + 4, 4);
		assert_next(p.from, bytes + 8, 2);
	}
	pair_close(&p);
}

TEST(much_control_beside_the_segment_sizes_goes_in_more_calls)
{
	enum { N = 8, MUCH = 42 };
	struct pair p;
	struct ibuf_io_datagram d[N];
	struct ibuf_io_control c[N];
	/* The same again and again: about 1000 bytes. */
	static uint8_t tos[8 * MUCH][CMSG_SPACE(sizeof(int))]
		__attribute__((aligned(_Alignof(struct cmsghdr))));

	if (!pair_open(&p, AF_INET))
		skip();
	pair_take_single(&p);
	for (unsigned i = 0; i < 8 * MUCH; i++) {
		struct cmsghdr *h = (struct cmsghdr *)(void *)tos[i];

		h->cmsg_level = IPPROTO_IP;
		h->cmsg_type = IP_TOS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
	}
	for (unsigned i = 0; i < N; i++) {
		d[i].m = run_of(5);
		d[i].peer_len = 0;
		memset(&c[i], 0, sizeof(c[i]));
		c[i].segment_size = 4;
		c[i].data = tos;
		c[i].len = MUCH * sizeof(tos[0]);
	}
	assert_int_equal(ibuf_io_send_control(p.to, d, c, N, 0), N);
	assert_in_range(calls_made(), 2, 3);
	for (unsigned i = 0; i < N; i++) {
		assert_next(p.from, bytes, 4);
		assert_next(p.from, bytes + 4, 1);
	}
	/* More than fits is refused, and the message is still there. */
	d[0].m = run_of(5);
	c[0].len = sizeof(tos);
	assert_int_equal(ibuf_io_send_control(p.to, d, c, 1, 0), -ENOBUFS);
	assert_message(d[0].m, bytes, 5);
	ibuf_mbuf_free(d[0].m);
	pair_close(&p);
}

TEST(a_run_that_is_too_long_is_refused_and_stays_the_caller_s)
{
	struct pair p;

	if (!pair_open(&p, AF_INET))
		skip();
	/* More than 128 pieces; no system takes so many. */
	assert_int_equal(send_run(p.to, 129, 1), -EINVAL);
	/* 64 are always fine. */
	assert_int_equal(send_run(p.to, 64, 1), 1);
	/* Longer than a datagram may be, though its pieces are not. */
	assert_int_equal(send_run(p.to, 65530, 1400), -EMSGSIZE);
	pair_close(&p);
}

TEST(a_message_that_is_no_longer_than_the_size_needs_no_system_that_cuts)
{
	struct channel ch;

	asked = 0;
	older = ENOPROTOOPT;
	channel_open(&ch, SOCK_DGRAM);
	assert_int_equal(send_run(ch.to, 0, 10), 1);
	assert_int_equal(send_run(ch.to, 9, 10), 1);
	assert_int_equal(send_run(ch.to, 10, 10), 1);
	assert_int_equal(asked, 0);
	assert_next(ch.from, bytes, 0);
	assert_next(ch.from, bytes, 9);
	assert_next(ch.from, bytes, 10);
	channel_close(&ch);
	older = 0;
}

TEST(a_system_or_socket_that_does_not_cut_refuses_and_sends_nothing)
{
	struct sockaddr_in address;
	int fd = udp_socket(&address);
	struct channel ch;

	channel_open(&ch, SOCK_DGRAM);
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	/* A socket that is not of UDP. */
	assert_int_equal(send_run(ch.to, 11, 10), -ENOTSUP);
	assert_int_equal(recv(ch.from, bytes, 1, 0), -1);
	/* Linux before 4.18 would send all of it as one datagram. */
	older = ENOPROTOOPT;
	assert_int_equal(send_run(fd, 11, 10), -ENOTSUP);
	older = 0;
	assert_int_equal(recv(fd, bytes, 1, 0), -1);
	assert_int_equal(calls_made(), 0);
#ifndef IBUF_PLATFORM_POSIX
	assert_int_equal(send_run(-1, 11, 10), -EBADF);
#endif
	close(fd);
	channel_close(&ch);
}

TEST(the_datagrams_ahead_of_a_run_that_is_refused_are_sent)
{
	struct ibuf_io_datagram d[3];
	struct ibuf_io_control c[3] = {{0}};
	struct channel ch;

	channel_open(&ch, SOCK_DGRAM);
	for (unsigned i = 0; i < 3; i++) {
		d[i].m = run_of(10 + i);
		d[i].peer_len = 0;
	}
	c[2].segment_size = 5;
	assert_int_equal(ibuf_io_send_control(ch.to, d, c, 3, 0), 2);
	assert_null(d[0].m);
	assert_null(d[1].m);
	assert_message(d[2].m, bytes, 12);
	assert_int_equal(ibuf_io_send_control(ch.to, d + 2, c + 2, 1, 0),
			 -ENOTSUP);
	assert_message(d[2].m, bytes, 12);
	ibuf_mbuf_free(d[2].m);
	channel_close(&ch);
}

/* ---- receiving ----------------------------------------------------- */

/* Receive one; control with room of that size. */
static void
receive_one(const struct pair *p, struct ibuf_io_datagram *d,
	    struct ibuf_io_control *c, void *room, size_t size)
{
	memset(c, 0xee, sizeof(*c));
	c->data = room;
	c->size = size;
	c->takes_descriptors = false;
	assert_int_equal(ibuf_io_recv_control(p->from, p->pool, d, c, 1, 0), 1);
}

TEST(a_run_comes_as_one_message_with_the_size_of_its_pieces)
{
	static const size_t lengths[] = {101, 199, 200, 201, 6400};

	for (size_t f = 0; f < 2; f++) {
		struct pair p;

		if (!pair_open(&p, families[f]))
			skip();
		for (size_t i = 0; i < 5; i++) {
			struct ibuf_io_datagram d;
			struct ibuf_io_control c;

			assert_int_equal(send_run(p.to, lengths[i], 100), 1);
			receive_one(&p, &d, &c, NULL, 0);
			assert_message(d.m, bytes, lengths[i]);
			assert_int_equal(c.segment_size, 100);
			assert_int_equal(c.len, 0);
			assert_int_equal(c.flags, 0);
			assert_false(d.truncated);
			ibuf_mbuf_free(d.m);
		}
		pair_close(&p);
	}
}

TEST(a_single_datagram_has_no_size_of_pieces)
{
	struct pair p;
	struct ibuf_io_datagram d;
	struct ibuf_io_control c;

	if (!pair_open(&p, AF_INET))
		skip();
	assert_int_equal(send_run(p.to, 100, 0), 1);
	receive_one(&p, &d, &c, NULL, 0);
	assert_message(d.m, bytes, 100);
	assert_int_equal(c.segment_size, 0);
	ibuf_mbuf_free(d.m);
	pair_close(&p);
}

TEST(a_run_is_cut_into_slices_and_nothing_is_copied)
{
	struct pair p;
	struct ibuf_io_datagram d;
	struct ibuf_io_control c;
	struct ibuf_mbuf *piece;
	const uint8_t *at;
	size_t n = 0;

	if (!pair_open(&p, AF_INET))
		skip();
	assert_int_equal(send_run(p.to, 2050, 1000), 1);
	receive_one(&p, &d, &c, NULL, 0);
	at = ibuf_mbuf_data(d.m);
	for (; ibuf_mbuf_len(d.m) > c.segment_size; n++) {
		assert_int_equal(
			ibuf_mbuf_split_front(d.m, c.segment_size, &piece), 0);
		assert_ptr_equal(ibuf_mbuf_data(piece), at + 1000 * n);
		assert_message(piece, bytes + 1000 * n, 1000);
		ibuf_mbuf_free(piece);
	}
	assert_int_equal(n, 2);
	assert_message(d.m, bytes + 2000, 50);
	ibuf_mbuf_free(d.m);
	pair_close(&p);
}

TEST(a_run_that_was_received_can_be_sent_on_as_it_is)
{
	struct pair p;
	struct ibuf_io_datagram d;
	struct ibuf_io_control c;

	if (!pair_open(&p, AF_INET))
		skip();
	assert_int_equal(send_run(p.to, 250, 100), 1);
	receive_one(&p, &d, &c, NULL, 0);
	pair_take_single(&p);
	d.peer_len = 0;
	assert_int_equal(ibuf_io_send_control(p.to, &d, &c, 1, 0), 1);
	assert_next(p.from, bytes, 100);
	assert_next(p.from, bytes + 100, 100);
	assert_next(p.from, bytes + 200, 50);
	pair_close(&p);
}

TEST(the_size_of_the_pieces_is_known_whatever_else_comes_and_whatever_the_room)
{
	static const int options[][2] = {{SOL_SOCKET, SO_TIMESTAMPNS},
					 {SOL_SOCKET, SO_RXQ_OVFL},
					 {IPPROTO_IP, IP_PKTINFO},
					 {IPPROTO_IP, IP_RECVTOS},
					 {IPPROTO_IP, IP_RECVTTL}};
	struct pair p;
	int on = 1;

	if (!pair_open(&p, AF_INET))
		skip();
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(setsockopt(p.from, options[i][0],
					    options[i][1], &on, sizeof(on)),
				 0);
	for (size_t size = 0; size <= 512; size += 4) {
		_Alignas(struct cmsghdr) uint8_t room[512];
		struct ibuf_io_datagram d;
		struct ibuf_io_control c;
		struct msghdr h = {.msg_control = room};
		struct cmsghdr *m;
		size_t n = 0;

		assert_int_equal(send_run(p.to, 250, 100), 1);
		receive_one(&p, &d, &c, room, size);
		assert_message(d.m, bytes, 250);
		assert_int_equal(c.segment_size, 100);
		/* And it is not among those that the caller gets. */
		h.msg_controllen = c.len;
		for (m = CMSG_FIRSTHDR(&h); m != NULL; m = CMSG_NXTHDR(&h, m)) {
			assert_int_not_equal(m->cmsg_level, IPPROTO_UDP);
			n++;
		}
		/* The socket dropped none, and does not say how many. */
		assert_in_range(n, size < 160 ? 0 : 4, 4);
		assert_int_equal((c.flags & MSG_CTRUNC) != 0, n < 4);
		ibuf_mbuf_free(d.m);
	}
	pair_close(&p);
}

TEST(a_run_that_is_longer_than_the_mbuf_is_truncated)
{
	struct pair p;
	struct ibuf_pool *small = ibuf_pool_new(0, 150);
	struct ibuf_io_datagram d;
	struct ibuf_io_control c = {0};

	if (!pair_open(&p, AF_INET)) {
		assert_int_equal(ibuf_pool_destroy(small), 0);
		skip();
	}
	assert_int_equal(send_run(p.to, 250, 100), 1);
	assert_int_equal(ibuf_io_recv_control(p.from, small, &d, &c, 1, 0), 1);
	assert_true(d.truncated);
	assert_int_equal(c.segment_size, 100);
	assert_message(d.m, bytes, 150);
	ibuf_mbuf_free(d.m);
	assert_int_equal(ibuf_pool_destroy(small), 0);
	pair_close(&p);
}

TEST(many_runs_come_in_one_call_each_with_its_size)
{
	enum { N = 40 };
	struct pair p;
	struct ibuf_io_datagram d[N];
	struct ibuf_io_control c[N] = {{0}};

	if (!pair_open(&p, AF_INET))
		skip();
	for (uint16_t i = 0; i < N; i++)
		assert_int_equal(send_run(p.to, 300u + i, i % 2 ? 100 + i : 0),
				 1);
	assert_int_equal(ibuf_io_recv_control(p.from, p.pool, d, c, N, 0), N);
	for (uint16_t i = 0; i < N; i++) {
		assert_message(d[i].m, bytes, 300u + i);
		assert_int_equal(c[i].segment_size, i % 2 ? 100 + i : 0);
		ibuf_mbuf_free(d[i].m);
	}
	pair_close(&p);
}
