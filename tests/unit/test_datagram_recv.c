/* test_datagram_recv.c - datagrams are received in batches. */
#include "calls.h"
#include "datagrams.h"

/* Room for so many, full of stale bytes. */
static struct ibuf_io_datagram *
slots(size_t n)
{
	struct ibuf_io_datagram *d = malloc(n * sizeof(*d));

	memset(d, 0xee, n * sizeof(*d));
	return d;
}

static bool
is_untouched(const struct ibuf_io_datagram *d)
{
	struct ibuf_io_datagram stale;

	memset(&stale, 0xee, sizeof(stale));
	return memcmp(d, &stale, sizeof(stale)) == 0;
}

/* Each slot was full of stale bytes, of which none is a bool. */
static bool
is_truncated(const struct ibuf_io_datagram *d)
{
	uint8_t byte;

	memcpy(&byte, &d->truncated, 1);
	assert_in_range(byte, 0, 1);
	return byte == 1;
}

static void
free_received(struct ibuf_io_datagram *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ibuf_mbuf_free(d[i].m);
	free(d);
}

/* ---- bytes --------------------------------------------------------- */

TEST(a_batch_gives_each_datagram_its_message_and_cuts_what_is_too_long)
{
	struct ibuf_pool *p = pool_of_4_bytes(0);
	struct ibuf_io_datagram *d = slots(8);
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	put(&c, "abcdefgh", 8);
	put(&c, "", 0);
	put(&c, "xy", 2);
	put(&c, "1234", 4);
	receive_all(c.from, p, d, 4, 8, 0);
	assert_message(d[0].m, "abcd", 4);
	assert_message(d[1].m, "", 0);
	assert_message(d[2].m, "xy", 2);
	assert_message(d[3].m, "1234", 4);
	assert_true(is_truncated(&d[0]));
	for (int i = 1; i < 4; i++)
		assert_false(is_truncated(&d[i]));
	for (int i = 4; i < 8; i++)
		assert_true(is_untouched(&d[i]));
	/* What was not needed is back. */
	assert_int_equal(ibuf_pool_allocated(p), 4);
	assert_int_equal(ibuf_mbuf_headroom(d[2].m), 128);
	assert_int_equal(ibuf_mbuf_tailroom(d[2].m), 2);
	free_received(d, 4);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

TEST(msg_trunc_says_truncated_and_no_more_bytes_than_there_are)
{
	struct ibuf_pool *p = pool_of_4_bytes(0);
	struct ibuf_io_datagram *d = slots(2);
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	put(&c, "abcdefgh", 8);
	put(&c, "ij", 2);
	receive_all(c.from, p, d, 2, 2, MSG_TRUNC);
	assert_message(d[0].m, "abcd", 4);
	assert_true(is_truncated(&d[0]));
	assert_message(d[1].m, "ij", 2);
	assert_false(is_truncated(&d[1]));
	free_received(d, 2);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

TEST(all_that_are_there_come_in_one_system_call_and_in_order)
{
	static const unsigned counts[] = {1, 64, 65, 127, 128, 129, 150};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct ibuf_pool *p = ibuf_pool_new(0, 64);
		struct ibuf_io_datagram *d = slots(200);
		struct channel c;

		channel_open(&c, SOCK_SEQPACKET);
		for (unsigned j = 0; j < counts[i]; j++)
			put(&c, &j, sizeof(j));
		receive_all(c.from, p, d, counts[i], 200, 0);
		for (unsigned j = 0; j < counts[i]; j++)
			assert_message(d[j].m, &j, sizeof(j));
		assert_int_equal(ibuf_pool_allocated(p), counts[i]);
		free_received(d, counts[i]);
		assert_int_equal(ibuf_pool_destroy(p), 0);
		channel_close(&c);
	}
}

TEST(no_more_are_taken_than_were_asked_for)
{
	static const unsigned most[] = {1, 2, 64, 65, 100};

	for (size_t i = 0; i < sizeof(most) / sizeof(*most); i++) {
		struct ibuf_pool *p = ibuf_pool_new(0, 64);
		struct ibuf_io_datagram *d = slots(100);
		struct channel c;
		unsigned left = 0;

		channel_open(&c, SOCK_SEQPACKET);
		for (unsigned j = 0; j < 120; j++)
			put(&c, &j, sizeof(j));
		receive_all(c.from, p, d, most[i], most[i], 0);
		assert_int_equal(recv(c.from, &left, sizeof(left), 0),
				 sizeof(left));
		assert_int_equal(left, most[i]);
		free_received(d, most[i]);
		assert_int_equal(ibuf_pool_destroy(p), 0);
		channel_close(&c);
	}
}

TEST(a_call_takes_no_more_than_1024)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram *d = slots(1025);
	struct channel c;

	/* Peeking, one datagram is as good as any number. */
	channel_open(&c, SOCK_DGRAM);
	put(&c, "again", 5);
	assert_int_equal(ibuf_io_recv(c.from, p, d, 1025, MSG_PEEK), AT_ONCE);
	assert_true(is_untouched(&d[AT_ONCE]));
	for (unsigned i = 0; i < AT_ONCE; i++)
		assert_message(d[i].m, "again", 5);
	assert_int_equal(ibuf_pool_allocated(p), AT_ONCE);
	free_received(d, AT_ONCE);
	d = slots(AT_ONCE);
	assert_int_equal(ibuf_io_recv(c.from, p, d, UINT32_MAX, MSG_PEEK),
			 AT_ONCE);
	free_received(d, AT_ONCE);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

TEST(a_blocking_socket_waits_for_the_first_only)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram *d = slots(100);
	struct channel c;

	channel_open(&c, SOCK_SEQPACKET);
	channel_let_block(&c);
	put(&c, "one", 3);
	put(&c, "two", 3);
	receive_all(c.from, p, d, 2, 100, 0);
	assert_message(d[1].m, "two", 3);
	ibuf_mbuf_free(d[0].m);
	ibuf_mbuf_free(d[1].m);
	/* Also when many are there. */
	for (unsigned i = 0; i < 64; i++)
		put(&c, &i, sizeof(i));
	receive_all(c.from, p, d, 64, 100, 0);
	free_received(d, 64);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

/* ---- peers --------------------------------------------------------- */

TEST(a_sender_without_an_address_has_none)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram *d = slots(2);
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	put(&c, "a", 1);
	put(&c, "b", 1);
	receive_all(c.from, p, d, 2, 2, 0);
	for (int i = 0; i < 2; i++) {
		static const struct sockaddr_storage none;

		assert_int_equal(d[i].peer_len, 0);
		/* Nothing stale either. */
		assert_memory_equal(&d[i].peer, &none, sizeof(none));
	}
	free_received(d, 2);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

TEST(each_datagram_knows_who_sent_it)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram *d = slots(3);
	struct sockaddr_in to, from[2];
	int receiver = udp_socket(&to);
	int senders[2] = {udp_socket(&from[0]), udp_socket(&from[1])};

	for (int i = 0; i < 3; i++)
		assert_int_equal(sendto(senders[i % 2], "x", 1, 0,
					(struct sockaddr *)&to, sizeof(to)),
				 1);
	receive_all(receiver, p, d, 3, 3, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(d[i].peer_len, sizeof(to));
		assert_memory_equal(&d[i].peer, &from[i % 2], sizeof(to));
	}
	free_received(d, 3);
	close(receiver);
	close(senders[0]);
	close(senders[1]);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_named_local_sender_is_known_by_its_name)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram *d = slots(1);
	/* An abstract name: no file. */
	struct sockaddr_un name = {.sun_family = AF_UNIX,
				   .sun_path = "\0ibuf-test"};
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 10;
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	assert_int_equal(bind(c.to, (struct sockaddr *)&name, len), 0);
	put(&c, "x", 1);
	assert_int_equal(ibuf_io_recv(c.from, p, d, 1, 0), 1);
	assert_int_equal(d[0].peer_len, len);
	assert_memory_equal(&d[0].peer, &name, len);
	free_received(d, 1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

/* ---- nothing came -------------------------------------------------- */

static void
assert_receives_nothing(int fd, unsigned n, int result)
{
	struct ibuf_pool *p = ibuf_pool_new(2, 64);
	struct ibuf_io_datagram *d = slots(100);

	assert_int_equal(ibuf_io_recv(fd, p, d, n, 0), result);
	for (int i = 0; i < 100; i++)
		assert_true(is_untouched(&d[i]));
	assert_int_equal(ibuf_pool_allocated(p), 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	free(d);
}

TEST(a_socket_that_has_none_or_fails_leaves_everything_as_it_was)
{
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	assert_receives_nothing(c.from, 100, -EAGAIN);
	assert_receives_nothing(c.from, 1, -EAGAIN);
	assert_receives_nothing(-1, 100, -EBADF);
	put(&c, "x", 1);
	assert_receives_nothing(c.from, 0, 0);
	calls_fail(1, ECONNREFUSED);
	assert_receives_nothing(c.from, 100, -ECONNREFUSED);
	channel_close(&c);
}

TEST(a_signal_that_came_first_is_no_error)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram *d = slots(2);
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	put(&c, "x", 1);
	calls_fail(5, EINTR);
	assert_int_equal(ibuf_io_recv(c.from, p, d, 2, 0), 1);
	assert_message(d[0].m, "x", 1);
	free_received(d, 1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

/* ---- an error behind the first ------------------------------------- */

TEST(an_error_behind_those_that_came_is_told_by_the_next_call)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram *d = slots(200);
	struct channel c;
	int got;

	channel_open(&c, SOCK_SEQPACKET);
	for (unsigned i = 0; i < 150; i++)
		put(&c, &i, sizeof(i));
	/* Whoever asks the system a second time gets it, and nobody else. */
	calls_fail_at(2, ECONNREFUSED);
	got = ibuf_io_recv(c.from, p, d, 200, 0);
	assert_int_equal(got, 150 < AT_ONCE ? 150 : AT_ONCE);
	assert_int_equal(ibuf_io_recv(c.from, p, d + got, 1, 0), -ECONNREFUSED);
	free_received(d, (size_t)got);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

/* ---- flags --------------------------------------------------------- */

TEST(flags_that_cannot_be_kept_are_refused_before_anything_happens)
{
	static const int flags[] = {MSG_ERRQUEUE, MSG_ZEROCOPY,
				    MSG_DONTWAIT | MSG_ERRQUEUE};
	struct ibuf_pool *p = pool_of_4_bytes(1);
	struct ibuf_io_datagram *d = slots(1);
	struct ibuf_mbuf *last = ibuf_pool_alloc(p);
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	put(&c, "x", 1);
	for (size_t i = 0; i < 3; i++) {
		/* Also where it would fail for another reason. */
		assert_int_equal(ibuf_io_recv(c.from, p, d, 1, flags[i]),
				 -EINVAL);
		assert_int_equal(ibuf_io_recv(c.from, p, d, 0, flags[i]),
				 -EINVAL);
	}
	assert_int_equal(calls_made(), 0);
	assert_true(is_untouched(d));
	ibuf_mbuf_free(last);
	assert_int_equal(ibuf_io_recv(c.from, p, d, 1, MSG_DONTWAIT), 1);
	assert_message(d[0].m, "x", 1);
	free_received(d, 1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

/* ---- what is not received ------------------------------------------ */

TEST(a_descriptor_that_a_peer_passes_is_not_left_open)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram *d = slots(1);
	struct channel c;
	size_t before;

	channel_open(&c, SOCK_DGRAM);
	assert_int_equal(send_with(c.to, "x", 1, SOL_SOCKET, SCM_RIGHTS, &c.to,
				   sizeof(int)),
			 1);
	before = open_descriptors();
	assert_int_equal(ibuf_io_recv(c.from, p, d, 1, 0), 1);
	assert_int_equal(open_descriptors(), before);
	assert_message(d[0].m, "x", 1);
	assert_false(is_truncated(d));
	free_received(d, 1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

TEST(a_connection_whose_peer_is_gone_gives_empty_messages)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 64);
	struct ibuf_io_datagram *d = slots(4);
	struct channel c;

	channel_open(&c, SOCK_SEQPACKET);
	put(&c, "last", 4);
	shutdown(c.to, SHUT_WR);
	receive_all(c.from, p, d, 4, 4, 0);
	assert_message(d[0].m, "last", 4);
	for (int i = 1; i < 4; i++)
		assert_message(d[i].m, "", 0);
	free_received(d, 4);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

/* ---- the pool is empty --------------------------------------------- */

TEST(an_empty_pool_is_told_and_no_datagram_is_lost)
{
	struct ibuf_pool *p = pool_of_4_bytes(2);
	struct ibuf_io_datagram *d = slots(3);
	struct ibuf_mbuf *held = ibuf_pool_alloc(p);
	struct channel c;

	channel_open(&c, SOCK_DGRAM);
	put(&c, "1", 1);
	put(&c, "2", 1);
	assert_int_equal(ibuf_io_recv(c.from, p, d, 3, 0), 1);
	assert_message(d[0].m, "1", 1);
	assert_true(is_untouched(&d[1]));
	assert_int_equal(ibuf_io_recv(c.from, p, d + 1, 2, 0), -ENOBUFS);
	assert_true(is_untouched(&d[1]));
	ibuf_mbuf_free(held);
	assert_int_equal(ibuf_io_recv(c.from, p, d + 1, 2, 0), 1);
	assert_message(d[1].m, "2", 1);
	free_received(d, 2);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}

static void *
map_nothing(size_t size, size_t alignment, void *context)
{
	(void)size;
	(void)alignment;
	(void)context;
	return NULL;
}

static void
unmap_nothing(void *base, size_t size, void *context)
{
	(void)base;
	(void)size;
	(void)context;
}

TEST(a_pool_that_gets_no_memory_says_so_and_no_datagram_is_lost)
{
	struct ibuf_provider broken = {map_nothing, unmap_nothing, NULL};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_io_datagram *d = slots(1);
	struct ibuf_pool *p;
	struct channel c;
	char byte;

	o.provider = &broken;
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	channel_open(&c, SOCK_DGRAM);
	put(&c, "x", 1);
	assert_int_equal(ibuf_io_recv(c.from, p, d, 1, 0), -ENOMEM);
	assert_true(is_untouched(d));
	assert_int_equal(recv(c.from, &byte, 1, 0), 1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	free(d);
	channel_close(&c);
}

TEST(without_memory_for_a_long_list_fewer_come_and_none_is_lost)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_io_datagram *d = slots(200);
	unsigned most = AT_ONCE < 128 ? AT_ONCE : 128;
	struct ibuf_pool *p;
	struct channel c;

	o.initial = 200;
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	channel_open(&c, SOCK_SEQPACKET);
	for (unsigned i = 0; i < 150; i++)
		put(&c, &i, sizeof(i));
	fault_from(1);
	assert_int_equal(ibuf_io_recv(c.from, p, d, 200, 0), most);
	(void)fault_off();
	receive_all(c.from, p, d + most, 150 - most, 200 - most, 0);
	for (unsigned i = 0; i < 150; i++)
		assert_message(d[i].m, &i, sizeof(i));
	assert_int_equal(ibuf_pool_allocated(p), 150);
	free_received(d, 150);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	channel_close(&c);
}
