/*
 * test_io_control.c - datagrams come and go with control messages, and no
 * descriptor is left open that nobody knows of.
 */
#include "calls.h"
#include "datagrams.h"

#include <netinet/ip.h>
#include <time.h>

/* Room for control messages, and what is received with it. */
struct room {
	_Alignas(struct cmsghdr) uint8_t bytes[512];
};

static struct ibuf_io_control
room_of(struct room *r, size_t size)
{
	struct ibuf_io_control c;

	/* What is written is not read. */
	memset(&c, 0xee, sizeof(c));
	memset(r, 0xee, sizeof(*r));
	c.data = size != 0 ? r->bytes : NULL;
	c.size = size;
	c.takes_descriptors = false;
	return c;
}

static struct msghdr
header_of(const struct ibuf_io_control *c)
{
	struct msghdr h = {.msg_control = c->data, .msg_controllen = c->len};

	return h;
}

/* The control message of this kind, and that it has so many bytes. */
static const void *
find(const struct ibuf_io_control *c, int level, int type, size_t n)
{
	struct msghdr h = header_of(c);
	struct cmsghdr *m;

	for (m = CMSG_FIRSTHDR(&h); m != NULL; m = CMSG_NXTHDR(&h, m)) {
		if (m->cmsg_level != level || m->cmsg_type != type)
			continue;
		assert_int_equal(m->cmsg_len, CMSG_LEN(n));
		return CMSG_DATA(m);
	}
	return NULL;
}

/* Put one more control message behind those to send. */
static void
add(struct ibuf_io_control *c, int level, int type, const void *data, size_t n)
{
	struct cmsghdr *m = (struct cmsghdr *)((uint8_t *)c->data + c->len);

	memset(m, 0, CMSG_SPACE(n));
	m->cmsg_level = level;
	m->cmsg_type = type;
	m->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(m), data, n);
	c->len += CMSG_SPACE(n);
}

static struct ibuf_io_control
none_in(struct room *r)
{
	struct ibuf_io_control c = {0};

	c.data = r->bytes;
	return c;
}

static void
set(int fd, int level, int option)
{
	int on = 1;

	assert_int_equal(setsockopt(fd, level, option, &on, sizeof(on)), 0);
}

/*
 * False, and says so: an emulator stands between, which does not know how the
 * bytes of a control message lie in the system that it plays.
 */
static bool
system_keeps_control(void)
{
	struct sockaddr_in to, from;
	int receiver = udp_socket(&to), sender = udp_socket(&from), tos = 0xb9;
	bool keeps;

	assert_int_equal(connect(sender, (struct sockaddr *)&to, sizeof(to)),
			 0);
	keeps = send_with(sender, "x", 1, IPPROTO_IP, IP_TOS, &tos,
			  sizeof(tos)) == 1;
	if (!keeps)
		print_message("control messages do not reach the system\n");
	close(receiver);
	close(sender);
	return keeps;
}

static int
udp6_socket(struct sockaddr_in6 *address)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof(*address);

	memset(address, 0, sizeof(*address));
	address->sin6_family = AF_INET6;
	address->sin6_addr = in6addr_loopback;
	if (fd < 0 || bind(fd, (struct sockaddr *)address, len) != 0) {
		print_message("there is no IPv6 here\n");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
	return fd;
}

/* Send m to an address, with c unless that is NULL. */
static int
send_to(int fd, const void *to, size_t len, struct ibuf_mbuf *m,
	const struct ibuf_io_control *c)
{
	struct ibuf_io_datagram d;
	int sent;

	memset(&d, 0xee, sizeof(d));
	d.m = m;
	memcpy(&d.peer, to, len);
	d.peer_len = (socklen_t)len;
	sent = ibuf_io_send_control(fd, &d, c, 1, 0);
	if (sent != 1) {
		assert_ptr_equal(d.m, m);
		ibuf_mbuf_free(m);
	} else {
		assert_null(d.m);
	}
	return sent;
}

/* ---- the internet -------------------------------------------------- */

TEST(an_ipv4_datagram_comes_with_its_address_class_and_time)
{
	if (!system_keeps_control())
		skip();
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram d;
	struct sockaddr_in to, from;
	int receiver = udp_socket(&to), sender = udp_socket(&from);
	struct room room, sent;
	struct ibuf_io_control c = room_of(&room, sizeof(room)),
			       s = none_in(&sent);
	struct timespec at, now;
	int tos = 0xb9; /* EF, ECN 1 */

	set(receiver, IPPROTO_IP, IP_PKTINFO);
	set(receiver, IPPROTO_IP, IP_RECVTOS);
	set(receiver, SOL_SOCKET, SO_TIMESTAMPNS);
	add(&s, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	assert_int_equal(
		send_to(sender, &to, sizeof(to), message_of("x", 1), &s), 1);
	assert_int_equal(ibuf_io_recv_control(receiver, p, &d, &c, 1, 0), 1);
	assert_message(d.m, "x", 1);
	assert_memory_equal(&d.peer, &from, sizeof(from));
	assert_int_equal(c.flags, 0);
	assert_int_equal(c.segment_size, 0);
	assert_ptr_equal(c.data, room.bytes);
	assert_int_equal(
		((const struct in_pktinfo *)find(&c, IPPROTO_IP, IP_PKTINFO,
						 sizeof(struct in_pktinfo)))
			->ipi_addr.s_addr,
		htonl(INADDR_LOOPBACK));
	assert_int_equal(*(const uint8_t *)find(&c, IPPROTO_IP, IP_TOS, 1),
			 tos);
	memcpy(&at, find(&c, SOL_SOCKET, SCM_TIMESTAMPNS, sizeof(at)),
	       sizeof(at));
	clock_gettime(CLOCK_REALTIME, &now);
	assert_in_range(now.tv_sec - at.tv_sec, 0, 60);
	ibuf_mbuf_free(d.m);
	close(sender);
	close(receiver);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(an_ipv6_datagram_comes_with_its_address_and_class)
{
	if (!system_keeps_control())
		skip();
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram d;
	struct sockaddr_in6 to, from;
	int receiver = udp6_socket(&to), sender, class = 0x2e, got;
	struct room room, sent;
	struct ibuf_io_control c = room_of(&room, sizeof(room)),
			       s = none_in(&sent);

	if (receiver < 0) {
		assert_int_equal(ibuf_pool_destroy(p), 0);
		skip();
	}
	sender = udp6_socket(&from);
	set(receiver, IPPROTO_IPV6, IPV6_RECVPKTINFO);
	set(receiver, IPPROTO_IPV6, IPV6_RECVTCLASS);
	add(&s, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class));
	assert_int_equal(
		send_to(sender, &to, sizeof(to), message_of("6", 1), &s), 1);
	assert_int_equal(ibuf_io_recv_control(receiver, p, &d, &c, 1, 0), 1);
	assert_message(d.m, "6", 1);
	assert_memory_equal(&((const struct in6_pktinfo *)find(
				      &c, IPPROTO_IPV6, IPV6_PKTINFO,
				      sizeof(struct in6_pktinfo)))
				     ->ipi6_addr,
			    &in6addr_loopback, sizeof(in6addr_loopback));
	memcpy(&got, find(&c, IPPROTO_IPV6, IPV6_TCLASS, sizeof(got)),
	       sizeof(got));
	assert_int_equal(got, class);
	ibuf_mbuf_free(d.m);
	close(sender);
	close(receiver);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(an_answer_leaves_from_the_address_that_was_asked)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram d;
	struct sockaddr_in any = {.sin_family = AF_INET}, to, from;
	int server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int client = udp_socket(&from);
	struct room room;
	struct ibuf_io_control c = room_of(&room, sizeof(room));
	socklen_t len = sizeof(to);

	assert_int_equal(bind(server, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&to, &len), 0);
	set(server, IPPROTO_IP, IP_PKTINFO);
	/* All of 127/8 is this host. */
	to.sin_addr.s_addr = htonl(0x7f000203);
	assert_int_equal(connect(client, (struct sockaddr *)&to, len), 0);
	assert_int_equal(send(client, "?", 1, 0), 1);
	assert_int_equal(ibuf_io_recv_control(server, p, &d, &c, 1, 0), 1);
	/* What came is what the answer needs. */
	assert_int_equal(ibuf_io_send_control(server, &d, &c, 1, 0), 1);
	/* It is connected: from elsewhere it would not be received. */
	assert_next(client, "?", 1);
	close(server);
	close(client);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(control_messages_that_do_not_fit_are_left_out_whole)
{
	if (!system_keeps_control())
		skip();
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct sockaddr_in to, from;
	int receiver = udp_socket(&to), sender = udp_socket(&from);
	const size_t time = CMSG_SPACE(sizeof(struct timespec)),
		     info = CMSG_SPACE(sizeof(struct in_pktinfo));

	set(receiver, SOL_SOCKET, SO_TIMESTAMPNS);
	set(receiver, IPPROTO_IP, IP_PKTINFO);
	for (size_t size = 0; size <= time + info; size++) {
		bool has_time = size >= time, has_info = false;
		struct ibuf_io_datagram d;
		struct room room;
		struct ibuf_io_control c = room_of(&room, size);

		/* The last needs no padding; one that is shorter may fit
		 * where the first did not. */
		has_info = size >= CMSG_LEN(sizeof(struct in_pktinfo)) +
					   (has_time ? time : 0);
		assert_int_equal(send_to(sender, &to, sizeof(to),
					 message_of("x", 1), NULL),
				 1);
		assert_int_equal(
			ibuf_io_recv_control(receiver, p, &d, &c, 1, 0), 1);
		assert_message(d.m, "x", 1);
		assert_int_equal(find(&c, SOL_SOCKET, SCM_TIMESTAMPNS,
				      sizeof(struct timespec)) != NULL,
				 has_time);
		assert_int_equal(find(&c, IPPROTO_IP, IP_PKTINFO,
				      sizeof(struct in_pktinfo)) != NULL,
				 has_info);
		assert_int_equal((c.flags & MSG_CTRUNC) != 0,
				 !has_time || !has_info);
		assert_true(c.len <= size);
		/* And nothing is written behind the room. */
		for (size_t i = size; i < sizeof(room); i++)
			assert_int_equal(room.bytes[i], 0xee);
		ibuf_mbuf_free(d.m);
	}
	close(sender);
	close(receiver);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(an_error_of_an_earlier_datagram_comes_from_the_queue_of_errors)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram d;
	struct sockaddr_in to, from;
	int gone = udp_socket(&to), sender = udp_socket(&from);
	struct room room;
	struct ibuf_io_control c = room_of(&room, sizeof(room));
	struct msghdr h;

	close(gone);
	set(sender, IPPROTO_IP, IP_RECVERR);
	assert_int_equal(
		ibuf_io_recv_control(sender, p, &d, &c, 1, MSG_ERRQUEUE),
		-EAGAIN);
	assert_int_equal(
		send_to(sender, &to, sizeof(to), message_of("lost", 4), NULL),
		1);
	assert_int_equal(
		ibuf_io_recv_control(sender, p, &d, &c, 1, MSG_ERRQUEUE), 1);
	/* The datagram that was refused, and where it went. */
	assert_message(d.m, "lost", 4);
	assert_memory_equal(&d.peer, &to, sizeof(to));
	assert_int_equal(c.flags, MSG_ERRQUEUE);
	h = header_of(&c);
	assert_int_equal(CMSG_FIRSTHDR(&h)->cmsg_type, IP_RECVERR);
	assert_int_equal(*(uint32_t *)(void *)CMSG_DATA(CMSG_FIRSTHDR(&h)),
			 ECONNREFUSED);
	ibuf_mbuf_free(d.m);
	close(sender);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- batches ------------------------------------------------------- */

TEST(each_datagram_of_a_batch_has_its_own_control_messages)
{
	static const unsigned counts[] = {1, 31, 32, 33, 100};
	/* Some get all that came, some a part, some nothing. */
	static const size_t sizes[] = {512, 0, CMSG_SPACE(sizeof(struct ucred)),
				       CMSG_LEN(sizeof(struct ucred)) - 1};

	for (size_t k = 0; k < sizeof(counts) / sizeof(*counts); k++) {
		struct ibuf_pool *p = ibuf_pool_new(0, 64);
		struct ibuf_io_datagram d[100];
		struct ibuf_io_control c[100];
		static struct room rooms[100];
		struct channel ch;
		unsigned n = counts[k];

		channel_open(&ch, SOCK_SEQPACKET);
		set(ch.from, SOL_SOCKET, SO_PASSCRED);
		for (unsigned i = 0; i < n; i++) {
			put(&ch, &i, sizeof(i));
			c[i] = room_of(&rooms[i], sizes[i % 4]);
		}
		for (unsigned got = 0; got < n;) {
			int here = ibuf_io_recv_control(ch.from, p, d + got,
							c + got, n - got, 0);

			assert_int_equal(here, n < AT_ONCE ? n : AT_ONCE);
			got += (unsigned)here;
		}
		for (unsigned i = 0; i < n; i++) {
			const struct ucred *who =
				find(&c[i], SOL_SOCKET, SCM_CREDENTIALS,
				     sizeof(struct ucred));

			assert_message(d[i].m, &i, sizeof(i));
			ibuf_mbuf_free(d[i].m);
			assert_int_equal(who != NULL, i % 4 % 2 == 0);
			assert_int_equal((c[i].flags & MSG_CTRUNC) != 0,
					 who == NULL);
			if (who != NULL)
				assert_int_equal(who->pid, getpid());
			else
				assert_int_equal(c[i].len, 0);
		}
		assert_int_equal(ibuf_pool_destroy(p), 0);
		channel_close(&ch);
	}
}

TEST(control_messages_go_with_each_datagram_of_many)
{
	enum { N = 150 };
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram d[N];
	struct ibuf_io_control c[N];
	static struct room rooms[N];
	struct channel ch;
	struct ucred me = {getpid(), getuid(), getgid()};
	unsigned got = 0;

	channel_open(&ch, SOCK_SEQPACKET);
	set(ch.from, SOL_SOCKET, SO_PASSCRED);
	for (unsigned i = 0; i < N; i++) {
		d[i].m = message_of(&i, sizeof(i));
		d[i].peer_len = 0;
		c[i] = none_in(&rooms[i]);
		if (i % 3 != 0)
			add(&c[i], SOL_SOCKET, SCM_CREDENTIALS, &me,
			    sizeof(me));
	}
	assert_int_equal(ibuf_io_send_control(ch.to, d, c, N, 0), N);
	for (unsigned i = 0; i < N; i++) {
		assert_null(d[i].m);
		c[i] = room_of(&rooms[i], sizeof(rooms[i]));
	}
	while (got < N) {
		int here = ibuf_io_recv_control(ch.from, p, d + got, c + got,
						N - got, 0);

		assert_true(here > 0);
		got += (unsigned)here;
	}
	for (unsigned i = 0; i < N; i++) {
		assert_message(d[i].m, &i, sizeof(i));
		ibuf_mbuf_free(d[i].m);
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&ch);
}

TEST(what_fails_leaves_messages_and_control_as_they_were)
{
	struct ibuf_pool *p = pool_of_4_bytes(1);
	struct ibuf_io_datagram d, was;
	struct room room;
	struct ibuf_io_control c = room_of(&room, sizeof(room)), stale = c;
	struct channel ch;
	int odd = 1;

	memset(&d, 0xee, sizeof(d));
	was = d;
	channel_open(&ch, SOCK_DGRAM);
	assert_int_equal(ibuf_io_recv_control(ch.from, p, &d, &c, 1, 0),
			 -EAGAIN);
	assert_int_equal(ibuf_io_recv_control(-1, p, &d, &c, 1, 0), -EBADF);
	assert_int_equal(ibuf_io_recv_control(-1, p, &d, &c, 0, 0), 0);
	calls_fail(1, ECONNREFUSED);
	assert_int_equal(ibuf_io_recv_control(ch.from, p, &d, &c, 1, 0),
			 -ECONNREFUSED);
	assert_int_equal(
		ibuf_io_recv_control(ch.from, p, &d, &c, 1, MSG_ZEROCOPY),
		-EINVAL);
	assert_memory_equal(&d, &was, sizeof(d));
	assert_memory_equal(&c, &stale, sizeof(c));
	assert_int_equal(ibuf_pool_allocated(p), 0);

	/* The system does not know this one. */
	c = none_in(&room);
	add(&c, SOL_SOCKET, 0x7777, &odd, sizeof(odd));
	d.m = message_of("abc", 3);
	d.peer_len = 0;
	assert_int_equal(ibuf_io_send_control(ch.to, &d, &c, 1, 0), -EINVAL);
	assert_message(d.m, "abc", 3);
	assert_int_equal(ibuf_io_send_control(ch.to, &d, &c, 1, MSG_ERRQUEUE),
			 -EINVAL);
	assert_int_equal(ibuf_io_send_control(ch.to, &d, &c, 1, MSG_ZEROCOPY),
			 -EINVAL);
	assert_int_equal(ibuf_io_send_control(ch.to, NULL, NULL, 0, 0), 0);
	/* Without it, it goes. */
	c.len = 0;
	assert_int_equal(ibuf_io_send_control(ch.to, &d, &c, 1, 0), 1);
	assert_next(ch.from, "abc", 3);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&ch);
}

TEST(an_error_behind_the_first_is_told_by_the_next_call)
{
	struct ibuf_io_datagram d[3];
	struct ibuf_io_control c[3];
	struct room room;
	struct channel ch;
	int odd = 1;

	channel_open(&ch, SOCK_DGRAM);
	memset(c, 0, sizeof(c));
	c[1] = none_in(&room);
	add(&c[1], SOL_SOCKET, 0x7777, &odd, sizeof(odd));
	for (unsigned i = 0; i < 3; i++) {
		d[i].m = message_of(&i, sizeof(i));
		d[i].peer_len = 0;
	}
	assert_int_equal(ibuf_io_send_control(ch.to, d, c, 3, 0), 1);
	assert_null(d[0].m);
	assert_int_equal(ibuf_io_send_control(ch.to, d + 1, c + 1, 2, 0),
			 -EINVAL);
	assert_int_equal(ibuf_io_send_control(ch.to, d + 2, c + 2, 1, 0), 1);
	ibuf_mbuf_free(d[1].m);
	channel_close(&ch);
}

TEST(without_memory_for_a_long_list_fewer_come_and_none_is_lost)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_io_datagram d[100];
	struct ibuf_io_control c[100] = {{0}};
	unsigned most = AT_ONCE < 32 ? AT_ONCE : 32, got;
	struct ibuf_pool *p;
	struct channel ch;

	o.initial = 100;
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	channel_open(&ch, SOCK_SEQPACKET);
	for (unsigned i = 0; i < 100; i++)
		put(&ch, &i, sizeof(i));
	fault_from(1);
	assert_int_equal(ibuf_io_recv_control(ch.from, p, d, c, 100, 0), most);
	(void)fault_off();
	for (got = most; got < 100;) {
		int here = ibuf_io_recv_control(ch.from, p, d + got, c + got,
						100 - got, 0);

		assert_true(here > 0);
		got += (unsigned)here;
	}
	for (unsigned i = 0; i < 100; i++) {
		assert_message(d[i].m, &i, sizeof(i));
		ibuf_mbuf_free(d[i].m);
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&ch);
}

/* ---- descriptors --------------------------------------------------- */

/* Send n times the same descriptor beside "fd". */
static void
pass(int to, int fd, size_t n)
{
	int fds[64];
	struct room room;
	struct ibuf_io_control c = none_in(&room);
	struct ibuf_io_datagram d = {.m = message_of("fd", 2)};

	for (size_t i = 0; i < n; i++)
		fds[i] = fd;
	add(&c, SOL_SOCKET, SCM_RIGHTS, fds, n * sizeof(int));
	assert_int_equal(ibuf_io_send_control(to, &d, &c, 1, 0), 1);
}

TEST(descriptors_are_the_caller_s_where_it_takes_them)
{
	static const size_t counts[] = {1, 2, 3, 53, 54, 64};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct ibuf_pool *p = ibuf_pool_new(0, 64);
		struct ibuf_io_datagram d;
		struct room room;
		struct ibuf_io_control c = room_of(&room, sizeof(room));
		struct channel ch;
		size_t n = counts[i], before;
		int fds[64];

		channel_open(&ch, SOCK_DGRAM);
		pass(ch.to, ch.to, n);
		before = open_descriptors();
		c.takes_descriptors = true;
		assert_int_equal(ibuf_io_recv_control(ch.from, p, &d, &c, 1, 0),
				 1);
		assert_message(d.m, "fd", 2);
		ibuf_mbuf_free(d.m);
		assert_int_equal(c.flags, 0);
		memcpy(fds, find(&c, SOL_SOCKET, SCM_RIGHTS, n * sizeof(int)),
		       n * sizeof(int));
		assert_int_equal(open_descriptors(), before + n);
		for (size_t j = 0; j < n; j++) {
			assert_int_equal(fcntl(fds[j], F_GETFD), FD_CLOEXEC);
			assert_int_equal(close(fds[j]), 0);
		}
		assert_int_equal(open_descriptors(), before);
		assert_int_equal(ibuf_pool_destroy(p), 0);
		channel_close(&ch);
	}
}

TEST(each_datagram_of_a_batch_has_all_its_descriptors)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram d[3];
	struct room rooms[3];
	struct ibuf_io_control c[3];
	struct channel ch;
	size_t before;
	int fds[64], here;

	/* More than the library has room for itself. */
	channel_open(&ch, SOCK_DGRAM);
	for (int i = 0; i < 3; i++) {
		pass(ch.to, ch.to, 64);
		c[i] = room_of(&rooms[i], sizeof(rooms[i]));
		c[i].takes_descriptors = true;
	}
	before = open_descriptors();
	for (int got = 0; got < 3; got += here) {
		here = ibuf_io_recv_control(ch.from, p, d + got, c + got,
					    3 - (unsigned)got, 0);
		assert_in_range(here, 1, 3 - got);
	}
	assert_int_equal(open_descriptors(), before + 3 * 64);
	for (int i = 0; i < 3; i++) {
		const void *found =
			find(&c[i], SOL_SOCKET, SCM_RIGHTS, sizeof(fds));

		assert_int_equal(c[i].flags, 0);
		assert_non_null(found);
		memcpy(fds, found, sizeof(fds));
		for (int j = 0; j < 64; j++)
			assert_int_equal(close(fds[j]), 0);
		assert_message(d[i].m, "fd", 2);
		ibuf_mbuf_free(d[i].m);
	}
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&ch);
}

TEST(descriptors_that_the_caller_does_not_take_are_closed)
{
	if (!system_keeps_control())
		skip();
	static const size_t counts[] = {1, 2, 53, 54, 64};

	/* With any room, and a message that the caller does want beside. */
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		for (size_t size = 0; size <= 512; size += 8) {
			struct ibuf_pool *p = ibuf_pool_new(0, 64);
			struct ibuf_io_datagram d;
			struct room room;
			struct ibuf_io_control c = room_of(&room, size);
			struct channel ch;
			size_t before;

			channel_open(&ch, SOCK_DGRAM);
			set(ch.from, SOL_SOCKET, SO_PASSCRED);
			pass(ch.to, ch.to, counts[i]);
			before = open_descriptors();
			assert_int_equal(
				ibuf_io_recv_control(ch.from, p, &d, &c, 1, 0),
				1);
			assert_int_equal(open_descriptors(), before);
			assert_true((c.flags & MSG_CTRUNC) != 0);
			assert_null(
				find(&c, SOL_SOCKET, SCM_RIGHTS, counts[i]));
			assert_int_equal(
				find(&c, SOL_SOCKET, SCM_CREDENTIALS,
				     sizeof(struct ucred)) != NULL,
				size >= CMSG_SPACE(sizeof(struct ucred)));
			ibuf_mbuf_free(d.m);
			assert_int_equal(ibuf_pool_destroy(p), 0);
			channel_close(&ch);
		}
	}
}

TEST(descriptors_that_do_not_fit_are_closed_also_where_the_caller_takes_them)
{
	if (!system_keeps_control())
		skip();
	for (size_t size = 0; size <= 512; size += 4) {
		struct ibuf_pool *p = ibuf_pool_new(0, 64);
		struct ibuf_io_datagram d;
		struct room room;
		struct ibuf_io_control c = room_of(&room, size);
		struct channel ch;
		struct msghdr h;
		struct cmsghdr *m;
		size_t before, n = 0;

		channel_open(&ch, SOCK_DGRAM);
		pass(ch.to, ch.to, 64);
		before = open_descriptors();
		c.takes_descriptors = true;
		assert_int_equal(ibuf_io_recv_control(ch.from, p, &d, &c, 1, 0),
				 1);
		h = header_of(&c);
		m = CMSG_FIRSTHDR(&h);
		if (m != NULL)
			n = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		/* Those that it can see are open, and no others. */
		assert_int_equal(open_descriptors(), before + n);
		assert_int_equal((c.flags & MSG_CTRUNC) != 0, n != 64);
		if (size >= CMSG_SPACE(64 * sizeof(int)))
			assert_int_equal(n, 64);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(m) + i * sizeof(int),
			       sizeof(int));
			assert_int_equal(close(fd), 0);
		}
		assert_int_equal(open_descriptors(), before);
		ibuf_mbuf_free(d.m);
		assert_int_equal(ibuf_pool_destroy(p), 0);
		channel_close(&ch);
	}
}

TEST(a_receive_that_finds_no_mbuf_leaves_the_descriptors_where_they_are)
{
	struct ibuf_pool *p = pool_of_4_bytes(1);
	struct ibuf_mbuf *held = ibuf_pool_alloc(p);
	struct ibuf_io_datagram d;
	struct room room;
	struct ibuf_io_control c = room_of(&room, sizeof(room));
	struct channel ch;
	size_t before;

	channel_open(&ch, SOCK_DGRAM);
	pass(ch.to, ch.to, 2);
	before = open_descriptors();
	c.takes_descriptors = true;
	assert_int_equal(ibuf_io_recv_control(ch.from, p, &d, &c, 1, 0),
			 -ENOBUFS);
	assert_int_equal(open_descriptors(), before);
	ibuf_mbuf_free(held);
	assert_int_equal(ibuf_io_recv_control(ch.from, p, &d, &c, 1, 0), 1);
	assert_int_equal(open_descriptors(), before + 2);
	for (size_t i = 0; i < 2; i++) {
		int fd;

		memcpy(&fd,
		       (const uint8_t *)find(&c, SOL_SOCKET, SCM_RIGHTS, 8) +
			       i * sizeof(int),
		       sizeof(int));
		close(fd);
	}
	ibuf_mbuf_free(d.m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&ch);
}
