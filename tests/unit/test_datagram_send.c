/* test_datagram_send.c - datagrams are sent in batches. */
#include "datagrams.h"
#include "states.h"

#include <signal.h>

static const uint8_t ten[] = "0123456789";

/* One to wherever the socket is connected. */
static void
address_none(struct ibuf_io_datagram *d, struct ibuf_mbuf *m)
{
	memset(d, 0xee, sizeof(*d));
	d->m = m;
	d->peer_len = 0;
}

static struct ibuf_mbuf *
number(unsigned i)
{
	return message_of(&i, sizeof(i));
}

/* ---- bytes --------------------------------------------------------- */

TEST(each_message_goes_as_one_datagram_and_is_freed)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram d[4];
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	for (int i = 0; i < 4; i++)
		address_none(&d[i], ibuf_pool_alloc(p));
	assert_int_equal(ibuf_mbuf_append(d[0].m, "first", 5), 0);
	assert_int_equal(ibuf_mbuf_append(d[2].m, "third, ", 7), 0);
	assert_int_equal(ibuf_mbuf_concat(d[2].m, message_cut(ten, 10, 0x48)),
			 0);
	assert_int_equal(ibuf_mbuf_append(d[3].m, "last", 4), 0);
	assert_int_equal(ibuf_io_send(c.to, d, 4, 0), 4);
	for (int i = 0; i < 4; i++)
		assert_null(d[i].m);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	assert_next(c.from, "first", 5);
	assert_next(c.from, "", 0);
	assert_next(c.from, "third, 0123456789", 17);
	assert_next(c.from, "last", 4);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

TEST(sending_none_calls_nothing)
{
	calls_reset();
	assert_int_equal(ibuf_io_send(-1, NULL, 0, 0), 0);
	assert_int_equal(calls_made(), 0);
}

TEST(each_datagram_goes_where_it_is_addressed)
{
	struct sockaddr_in from, to[2];
	int sender = udp_socket(&from);
	int receivers[2] = {udp_socket(&to[0]), udp_socket(&to[1])};
	struct ibuf_io_datagram d[4];

	for (unsigned i = 0; i < 4; i++) {
		address_none(&d[i], number(i));
		memcpy(&d[i].peer, &to[i % 2], sizeof(to[0]));
		d[i].peer_len = sizeof(to[0]);
	}
	assert_int_equal(ibuf_io_send(sender, d, 4, 0), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_next(receivers[i % 2], &i, sizeof(i));
	close(sender);
	close(receivers[0]);
	close(receivers[1]);
}

TEST(what_was_received_can_be_sent_back_as_it_is)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct sockaddr_in address[2];
	int client = udp_socket(&address[0]), server = udp_socket(&address[1]);
	struct ibuf_io_datagram d[2];

	assert_int_equal(sendto(client, "echo", 4, 0,
				(struct sockaddr *)&address[1],
				sizeof(address[1])),
			 4);
	assert_int_equal(ibuf_io_recv(server, p, d, 2, 0), 1);
	assert_int_equal(ibuf_io_send(server, d, 1, 0), 1);
	assert_next(client, "echo", 4);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	close(client);
	close(server);
}

TEST(more_than_a_system_call_takes_go_in_order)
{
	static const unsigned counts[] = {1, 63, 64, 65, 128, 129, 150};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct ibuf_io_datagram d[150];
		struct channel c;

		channel_open(&c, SOCK_SEQPACKET);
		for (unsigned j = 0; j < counts[i]; j++)
			address_none(&d[j], number(j));
		assert_int_equal(ibuf_io_send(c.to, d, counts[i], 0),
				 counts[i]);
		for (unsigned j = 0; j < counts[i]; j++) {
			assert_null(d[j].m);
			assert_next(c.from, &j, sizeof(j));
		}
		channel_close(&c);
	}
}

TEST(thousands_go_in_one_call)
{
	enum { N = 3000 };
	struct ibuf_io_datagram *d = malloc(N * sizeof(*d));
	struct sockaddr_in address;
	int fd = udp_socket(&address);

	/* To itself: what its buffer does not hold is dropped. */
	for (unsigned i = 0; i < N; i++) {
		address_none(&d[i], number(i));
		memcpy(&d[i].peer, &address, sizeof(address));
		d[i].peer_len = sizeof(address);
	}
	assert_int_equal(ibuf_io_send(fd, d, N, 0), N);
	for (unsigned i = 0; i < N; i++)
		assert_null(d[i].m);
	for (unsigned i = 0; i < 100; i++)
		assert_next(fd, &i, sizeof(i));
	close(fd);
	free(d);
}

/* ---- many segments ------------------------------------------------- */

/* n segments of one byte, and the bytes. */
static struct ibuf_mbuf *
many_segments(size_t n, uint8_t *bytes)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);

	for (size_t i = 0; i < n; i++) {
		bytes[i] = (uint8_t)(i * 7 + i / 256);
		assert_int_equal(ibuf_mbuf_concat(m, message_of(&bytes[i], 1)),
				 0);
	}
	return m;
}

TEST(a_datagram_of_any_number_of_segments_stays_one_datagram)
{
	static const size_t counts[] = {1023, 1024, 1025, 5000};
	uint8_t bytes[5000];

	for (size_t i = 0; i < 4; i++) {
		struct ibuf_io_datagram d[3];
		uint64_t copied = heap_copied_bytes();
		struct channel c;

		channel_open(&c, SOCK_DGRAM);
		address_none(&d[0], message_of("before", 6));
		address_none(&d[1], many_segments(counts[i], bytes));
		address_none(&d[2], message_of("after", 5));
		assert_int_equal(ibuf_io_send(c.to, d, 3, 0), 3);
		assert_next(c.from, "before", 6);
		assert_next(c.from, bytes, counts[i]);
		assert_next(c.from, "after", 5);
		assert_true(calls_most_pieces() <= 1024);
		/* What no call takes is copied, and that is counted. */
		assert_int_equal(heap_copied_bytes(),
				 copied + (counts[i] > 1024 ? counts[i] : 0));
		channel_close(&c);
	}
}

TEST(a_batch_of_many_segments_each_goes_whole)
{
	struct ibuf_io_datagram d[60];
	uint8_t bytes[100];
	struct channel c;

	channel_open(&c, SOCK_SEQPACKET);
	for (size_t i = 0; i < 60; i++)
		address_none(&d[i], many_segments(40 + i, bytes));
	assert_int_equal(ibuf_io_send(c.to, d, 60, 0), 60);
	for (size_t i = 0; i < 60; i++)
		assert_next(c.from, bytes, 40 + i);
	channel_close(&c);
}

TEST(a_datagram_that_must_be_copied_but_cannot_stays_the_caller_s)
{
	struct ibuf_io_datagram d;
	uint8_t bytes[1025];
	struct channel c;
	size_t n = 0;
	bool struck;
	int sent;

	channel_open(&c, SOCK_DGRAM);
	address_none(&d, many_segments(1025, bytes));
	do {
		fault_at(++n);
		sent = ibuf_io_send(c.to, &d, 1, 0);
		struck = fault_off();
		if (struck) {
			assert_int_equal(sent, -ENOMEM);
			assert_message(d.m, bytes, 1025);
		}
	} while (struck);
	assert_int_equal(sent, 1);
	assert_true(n > 1);
	assert_next(c.from, bytes, 1025);
	channel_close(&c);
}

/* ---- errors -------------------------------------------------------- */

/* Those from the first one on are still the caller's, in their order. */
static void
assert_left(struct ibuf_io_datagram *d, unsigned first, unsigned n)
{
	for (unsigned i = 0; i < first; i++)
		assert_null(d[i].m);
	for (unsigned i = first; i < n; i++)
		assert_message(d[i].m, &i, sizeof(i));
}

TEST(a_socket_that_is_full_takes_some_and_leaves_the_rest_in_order)
{
	enum { N = 1000 };
	struct ibuf_io_datagram *d = malloc(N * sizeof(*d));
	unsigned sent = 0, came = 0;
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	for (unsigned i = 0; i < N; i++)
		address_none(&d[i], number(i));
	while (sent < N) {
		int n = ibuf_io_send(c.to, d + sent, N - sent, 0);

		assert_in_range(n, 1, N - 1);
		sent += (unsigned)n;
		assert_left(d, sent, N);
		if (sent < N)
			assert_int_equal(
				ibuf_io_send(c.to, d + sent, N - sent, 0),
				-EAGAIN);
		assert_left(d, sent, N);
		for (; came < sent; came++)
			assert_next(c.from, &came, sizeof(came));
	}
	free(d);
	channel_close(&c);
}

TEST(an_error_of_the_first_leaves_all_with_the_caller)
{
	struct ibuf_io_datagram d[3];
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	for (unsigned i = 0; i < 3; i++)
		address_none(&d[i], number(i));
	assert_int_equal(ibuf_io_send(-1, d, 3, 0), -EBADF);
	assert_left(d, 0, 3);
	calls_fail(1, EAGAIN);
	assert_int_equal(ibuf_io_send(c.to, d, 3, 0), -EAGAIN);
	assert_left(d, 0, 3);
	calls_fail(1, ENOBUFS);
	assert_int_equal(ibuf_io_send(c.to, d, 3, 0), -ENOBUFS);
	assert_left(d, 0, 3);
	assert_int_equal(ibuf_io_send(c.to, d, 3, 0), 3);
	channel_close(&c);
}

TEST(an_error_behind_the_first_is_told_by_the_next_call)
{
	struct sockaddr_in address;
	int fd = udp_socket(&address);
	struct ibuf_io_datagram d[3];

	for (unsigned i = 0; i < 3; i++) {
		address_none(&d[i], number(i));
		memcpy(&d[i].peer, &address, sizeof(address));
		d[i].peer_len = sizeof(address);
	}
	/* Longer than UDP can be. */
	assert_int_equal(ibuf_mbuf_append_fill(d[1].m, 0, 70000), 0);
	assert_int_equal(ibuf_io_send(fd, d, 3, 0), 1);
	assert_null(d[0].m);
	assert_int_equal(ibuf_io_send(fd, d + 1, 2, 0), -EMSGSIZE);
	assert_int_equal(ibuf_mbuf_len(d[1].m), 70000 + sizeof(unsigned));
	assert_int_equal(ibuf_io_send(fd, d + 2, 1, 0), 1);
	ibuf_mbuf_free(d[1].m);
	close(fd);
}

TEST(a_signal_that_came_first_is_no_error)
{
	struct ibuf_io_datagram d[2];
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	for (unsigned i = 0; i < 2; i++)
		address_none(&d[i], number(i));
	calls_fail(5, EINTR);
	assert_int_equal(ibuf_io_send(c.to, d, 2, 0), 2);
	assert_left(d, 2, 2);
	channel_close(&c);
}

TEST(a_system_call_that_sends_fewer_is_followed_by_another)
{
	struct ibuf_io_datagram d[10];
	struct channel c;

	channel_open(&c, SOCK_SEQPACKET);
	for (unsigned i = 0; i < 10; i++)
		address_none(&d[i], number(i));
	/* Four bytes are one datagram, too, where they go one by one. */
	calls_limit(4);
	assert_int_equal(ibuf_io_send(c.to, d, 10, 0), 10);
	for (unsigned i = 0; i < 10; i++)
		assert_next(c.from, &i, sizeof(i));
	channel_close(&c);
}

TEST(a_socket_whose_peer_is_gone_says_so_without_a_signal)
{
	struct ibuf_io_datagram d[2];
	struct channel c;

	/* The signal would end the program. */
	assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	channel_open(&c, SOCK_SEQPACKET);
	close(c.from);
	c.from = -1;
	for (unsigned i = 0; i < 2; i++)
		address_none(&d[i], number(i));
	assert_int_equal(ibuf_io_send(c.to, d, 2, 0), -EPIPE);
	assert_left(d, 0, 2);
	ibuf_mbuf_free(d[0].m);
	ibuf_mbuf_free(d[1].m);
	channel_close(&c);
}

TEST(flags_that_cannot_be_kept_are_refused_before_anything_happens)
{
	struct ibuf_io_datagram d[2];
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	for (unsigned i = 0; i < 2; i++)
		address_none(&d[i], number(i));
	assert_int_equal(ibuf_io_send(c.to, d, 2, MSG_ZEROCOPY), -EINVAL);
	assert_int_equal(ibuf_io_send(c.to, d, 0, MSG_ZEROCOPY), -EINVAL);
	assert_int_equal(ibuf_io_send(c.to, d, 2, MSG_ERRQUEUE | MSG_DONTWAIT),
			 -EINVAL);
	assert_int_equal(calls_made(), 0);
	assert_left(d, 0, 2);
	assert_int_equal(ibuf_io_send(c.to, d, 2, MSG_MORE | MSG_DONTWAIT), 2);
	channel_close(&c);
}

static struct ibuf_io_datagram sent[3];
static int seen[3]; /* of them by each callback */

static void
see_what_is_left(void *bytes, size_t len, void *arg)
{
	int *left = arg;

	(void)bytes;
	(void)len;
	*left = 0;
	for (int i = 0; i < 3; i++)
		*left += sent[i].m != NULL;
}

TEST(a_release_callback_finds_what_went_out_gone_from_the_array)
{
	struct channel c;

	channel_open(&c, SOCK_SEQPACKET);
	for (int i = 0; i < 3; i++) {
		seen[i] = -1;
		address_none(&sent[i],
			     ibuf_mbuf_wrap_const(ten, 10, see_what_is_left,
						  &seen[i]));
	}
	assert_int_equal(ibuf_io_send(c.to, sent, 3, 0), 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(seen[i], 0);
		assert_next(c.from, ten, 10);
	}
	channel_close(&c);
}

TEST(the_copy_of_a_message_of_too_many_segments_is_wiped)
{
	static const char secret[] = "secret-0123456789";
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_io_datagram d;
	struct ibuf_pool *p;
	struct channel c;

	o.capacity = 64;
	o.headroom = 0;
	o.flags = IBUF_POOL_F_WIPE;
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	channel_open(&c, SOCK_DGRAM);
	/* Its first segment does not wipe. */
	address_none(&d, message_of("-", 1));
	for (size_t i = 0; i < 1500; i++) {
		struct ibuf_mbuf *s = ibuf_pool_alloc(p);

		assert_int_equal(ibuf_mbuf_append(s, &secret[i % 17], 1), 0);
		assert_int_equal(ibuf_mbuf_concat(d.m, s), 0);
	}
	fault_watch(secret, 17);
	assert_int_equal(ibuf_io_send(c.to, &d, 1, 0), 1);
	assert_int_equal(fault_found(), 0);
	fault_watch(NULL, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

TEST(whoever_shares_the_bytes_keeps_them)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
	struct ibuf_io_datagram d[3];
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	for (int i = 0; i < 3; i++)
		address_none(&d[i], ibuf_mbuf_clone(m));
	assert_int_equal(ibuf_io_send(c.to, d, 3, 0), 3);
	assert_message(m, ten, 10);
	assert_true(ibuf_mbuf_is_unique(m));
	for (int i = 0; i < 3; i++)
		assert_next(c.from, ten, 10);
	ibuf_mbuf_free(m);
	channel_close(&c);
}
