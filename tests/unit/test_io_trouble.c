/*
 * test_io_trouble.c - ten MiB go through descriptors that fail, are not
 * ready or do less than asked, one call in three; the bytes are the same.
 */
#include "calls.h"
#include "messages.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TOTAL = 10 << 20 };

static unsigned
noise(unsigned *state, unsigned below)
{
	*state = *state * 1103515245 + 12345;
	return (*state >> 16) % below;
}

/* The bytes, in segments of any length. */
static struct ibuf_mbuf *
make_message(const uint8_t *bytes, unsigned seed)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);
	size_t at = 0, n;

	while (at < TOTAL) {
		n = 1 + noise(&seed, 8000);
		if (n > TOTAL - at)
			n = TOTAL - at;
		assert_int_equal(ibuf_mbuf_concat(m, message_of(bytes + at, n)),
				 0);
		at += n;
	}
	return m;
}

static void
send_all_through(int to, int from, bool is_socket, unsigned seed)
{
	uint8_t *bytes = malloc(TOTAL);
	struct ibuf_mbuf *in, *out;
	ssize_t n;

	for (size_t i = 0; i < TOTAL; i++)
		bytes[i] = (uint8_t)noise(&seed, 256);
	out = make_message(bytes, seed);
	in = ibuf_mbuf_new(0);
	calls_reset();
	calls_trouble(30, seed);
	while (ibuf_mbuf_len(in) < TOTAL) {
		n = is_socket ? ibuf_io_write_socket(to, out, 0)
			      : ibuf_io_write(to, out);
		assert_true(n >= 0 || n == -EAGAIN);
		n = ibuf_io_read(from, in, 1 + noise(&seed, 100000));
		assert_true(n > 0 || n == -EAGAIN);
		assert_int_equal(ibuf_mbuf_validate(in), 0);
	}
	calls_reset();
	assert_message(out, "", 0);
	assert_message(in, bytes, TOTAL);
	assert_int_equal(ibuf_mbuf_segments(in), 1);
	ibuf_mbuf_free(in);
	ibuf_mbuf_free(out);
	free(bytes);
	close(to);
	close(from);
}

TEST(ten_mib_come_whole_through_a_troubled_pipe)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	send_all_through(ends[1], ends[0], false, 1);
}

TEST(ten_mib_come_whole_through_a_troubled_socket)
{
	int ends[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	send_all_through(ends[1], ends[0], true, 2);
}
