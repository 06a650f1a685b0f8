/*
 * test_io_pieces.c - where the system takes few pieces of memory in one call,
 * no call is given more.
 */
#include "datagrams.h"

/* What a call takes here is what sysconf says. */
#define FEW 16

static long few = FEW;

long __real_sysconf(int name);
long __wrap_sysconf(int name);

long
__wrap_sysconf(int name)
{
	return name == _SC_IOV_MAX ? few : __real_sysconf(name);
}

static const char bytes[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCD";

/* n segments of a byte each. */
static struct ibuf_mbuf *
segments(size_t n)
{
	struct ibuf_mbuf *m = message_of(bytes, 1);

	for (size_t i = 1; i < n; i++)
		add_segment(m, &bytes[i], 1);
	return m;
}

typedef ssize_t write_fn(int fd, struct ibuf_mbuf *m);

static ssize_t
by_sendmsg(int fd, struct ibuf_mbuf *m)
{
	return ibuf_io_write_socket(fd, m, 0);
}

static void
assert_stream(write_fn *out, size_t n)
{
	struct ibuf_mbuf *m = segments(n);
	struct channel c;

	channel_open(&c, SOCK_STREAM);
	assert_int_equal(out(c.to, m), n);
	assert_true(calls_most_pieces() <= FEW);
	assert_int_equal(calls_made(), (n + FEW - 1) / FEW);
	assert_next(c.from, bytes, n);
	ibuf_mbuf_free(m);
	channel_close(&c);
}

TEST(a_stream_goes_out_in_pieces_that_the_system_takes)
{
	for (size_t n = 1; n <= 40; n++) {
		assert_stream(ibuf_io_write, n);
		assert_stream(by_sendmsg, n);
	}
}

TEST(a_datagram_of_more_pieces_than_the_system_takes_stays_one)
{
	for (size_t n = 1; n <= 40; n++) {
		struct ibuf_io_datagram d[3];
		struct channel c;

		channel_open(&c, SOCK_DGRAM);
		memset(d, 0, sizeof(d));
		d[0].m = segments(2);
		d[1].m = segments(n);
		d[2].m = segments(FEW);
		assert_int_equal(ibuf_io_send(c.to, d, 3, 0), 3);
		assert_true(calls_most_pieces() <= FEW);
		assert_next(c.from, bytes, 2);
		assert_next(c.from, bytes, n);
		assert_next(c.from, bytes, FEW);
		channel_close(&c);
	}
}

TEST(where_the_system_knows_no_limit_or_a_larger_one_1024_go)
{
	static const long limits[] = {-1, 0, 1025, 1 << 20};

	for (size_t i = 0; i < 4; i++) {
		struct ibuf_mbuf *m = ibuf_mbuf_new(0);
		struct channel c;

		few = limits[i];
		for (int j = 0; j < 1500; j++)
			assert_int_equal(
				ibuf_mbuf_concat(m, message_of("x", 1)), 0);
		channel_open(&c, SOCK_STREAM);
		assert_int_equal(ibuf_io_write(c.to, m), 1500);
		assert_int_equal(calls_most_pieces(), 1024);
		ibuf_mbuf_free(m);
		channel_close(&c);
	}
	few = FEW;
}
