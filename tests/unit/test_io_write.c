/* test_io_write.c - a message goes out through a descriptor. */
#include "calls.h"
#include "failures.h"
#include "messages.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t ten[] = "0123456789";

/* ---- channels ------------------------------------------------------ */

/* Both functions have the same rules; each test runs with both. */
typedef ssize_t write_fn(int fd, struct ibuf_mbuf *m);

static ssize_t
by_writev(int fd, struct ibuf_mbuf *m)
{
	return ibuf_io_write(fd, m);
}

static ssize_t
by_sendmsg(int fd, struct ibuf_mbuf *m)
{
	return ibuf_io_write_socket(fd, m, 0);
}

static write_fn *const both[] = {by_writev, by_sendmsg};

/* Two ends that do not block; a socket may be used by either function. */
struct channel {
	int to, from;
};

static void
channel_open(struct channel *c)
{
	int ends[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	c->to = ends[0];
	c->from = ends[1];
	calls_reset();
}

static void
channel_close(struct channel *c)
{
	close(c->to);
	if (c->from >= 0)
		close(c->from);
	calls_reset();
}

/* These bytes came out, and no more. */
static void
assert_came(const struct channel *c, const uint8_t *bytes, size_t n)
{
	uint8_t *came = malloc(n + 1);
	size_t have = 0;
	ssize_t got;

	while ((got = recv(c->from, came + have, n + 1 - have, 0)) > 0)
		have += (size_t)got;
	assert_int_equal(have, n);
	assert_memory_equal(came, bytes, n);
	free(came);
}

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
	assert_int_equal(ibuf_mbuf_segments(m), n);
	return m;
}

/* ---- bytes --------------------------------------------------------- */

TEST(all_segments_go_out_in_one_call_and_the_message_is_empty)
{
	for (size_t i = 0; i < 2; i++) {
		for (unsigned cuts = 0; cuts <= 0x1ff; cuts += 5) {
			struct ibuf_mbuf *m = message_cut(ten, 10, cuts);
			struct ibuf_mbuf *was = m;
			struct channel c;

			channel_open(&c);
			assert_int_equal(both[i](c.to, m), 10);
			assert_int_equal(calls_made(), 1);
			assert_ptr_equal(m, was);
			assert_message(m, "", 0);
			assert_came(&c, ten, 10);
			/* It can be used again. */
			assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
			assert_message(m, "x", 1);
			ibuf_mbuf_free(m);
			channel_close(&c);
		}
	}
}

TEST(a_file_gets_the_bytes)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
	FILE *file = tmpfile();
	char bytes[16];

	assert_int_equal(ibuf_io_write(fileno(file), m), 10);
	assert_message(m, "", 0);
	assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
	assert_int_equal(read(fileno(file), bytes, 16), 10);
	assert_memory_equal(bytes, ten, 10);
	fclose(file);
	ibuf_mbuf_free(m);
}

TEST(an_empty_message_calls_nothing)
{
	for (size_t i = 0; i < 2; i++) {
		struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);

		calls_reset();
		ibuf_mbuf_clear(m);
		assert_int_equal(both[i](-1, m), 0);
		assert_int_equal(calls_made(), 0);
		assert_message(m, "", 0);
		ibuf_mbuf_free(m);
	}
}

TEST(a_short_write_at_every_byte_resumes_at_the_next)
{
	for (size_t i = 0; i < 2; i++) {
		for (size_t most = 1; most <= 10; most++) {
			struct ibuf_mbuf *m = message_cut(ten, 10, 0xa9);
			size_t gone = 0;
			struct channel c;

			channel_open(&c);
			while (gone < 10) {
				size_t here =
					10 - gone < most ? 10 - gone : most;

				calls_limit(most);
				assert_int_equal(both[i](c.to, m), here);
				gone += here;
				assert_message(m, ten + gone, 10 - gone);
			}
			assert_came(&c, ten, 10);
			ibuf_mbuf_free(m);
			channel_close(&c);
		}
	}
}

TEST(whoever_shares_the_bytes_keeps_them)
{
	for (size_t i = 0; i < 2; i++) {
		struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
		struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
		struct channel c;

		channel_open(&c);
		calls_limit(6);
		assert_int_equal(both[i](c.to, m), 6);
		assert_message(m, ten + 6, 4);
		assert_message(clone, ten, 10);
		assert_int_equal(both[i](c.to, m), 4);
		assert_message(clone, ten, 10);
		assert_came(&c, ten, 10);
		ibuf_mbuf_free(m);
		assert_true(ibuf_mbuf_is_unique(clone));
		ibuf_mbuf_free(clone);
		channel_close(&c);
	}
}

static void
count_release(void *bytes, size_t len, void *arg)
{
	(void)bytes;
	(void)len;
	++*(int *)arg;
}

TEST(segments_that_went_out_are_given_back_and_the_others_are_not)
{
	int released[3] = {0, 0, 0};
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);
	struct channel c;

	channel_open(&c);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
			ibuf_mbuf_concat(m, ibuf_mbuf_wrap_const(ten + 3 * i, 3,
								 count_release,
								 &released[i])),
			0);
	calls_limit(5);
	assert_int_equal(ibuf_io_write(c.to, m), 5);
	assert_int_equal(released[0], 1);
	assert_int_equal(released[1], 0);
	assert_int_equal(released[2], 0);
	assert_message(m, ten + 5, 4);
	ibuf_mbuf_free(m);
	assert_int_equal(released[0] + released[1] + released[2], 3);
	channel_close(&c);
}

/* ---- many segments ------------------------------------------------- */

static void
assert_goes_in_pieces(write_fn *out, size_t n)
{
	uint8_t *bytes = malloc(n);
	struct ibuf_mbuf *m = many_segments(n, bytes);
	struct channel c;

	channel_open(&c);
	assert_int_equal(out(c.to, m), n);
	assert_true(calls_most_pieces() <= 1024);
	assert_int_equal(calls_made(), (n + 1023) / 1024);
	assert_message(m, "", 0);
	assert_came(&c, bytes, n);
	ibuf_mbuf_free(m);
	free(bytes);
	channel_close(&c);
}

TEST(more_segments_than_a_call_takes_go_out_in_pieces)
{
	for (size_t i = 0; i < 2; i++) {
		assert_goes_in_pieces(both[i], 1023);
		assert_goes_in_pieces(both[i], 1024);
		assert_goes_in_pieces(both[i], 1025);
		assert_goes_in_pieces(both[i], 5000);
	}
}

TEST(an_error_after_some_pieces_is_told_by_the_next_call)
{
	static const int errors[] = {EAGAIN, EIO, EPIPE};

	for (size_t i = 0; i < 6; i++) {
		write_fn *out = both[i % 2];
		int error = errors[i / 2];
		uint8_t bytes[2500];
		struct ibuf_mbuf *m = many_segments(2500, bytes);
		struct channel c;

		channel_open(&c);
		calls_fail_at(3, error);
		assert_int_equal(out(c.to, m), 2048);
		assert_int_equal(ibuf_mbuf_len(m), 452);
		calls_fail_at(1, error);
		assert_int_equal(out(c.to, m), -error);
		assert_message(m, bytes + 2048, 452);
		assert_int_equal(out(c.to, m), 452);
		assert_came(&c, bytes, 2500);
		ibuf_mbuf_free(m);
		channel_close(&c);
	}
}

TEST(a_short_write_among_many_segments_resumes_at_the_next_byte)
{
	static const size_t limits[] = {1000, 1023, 1024, 1025, 333};

	for (size_t i = 0; i < 10; i++) {
		uint8_t bytes[3000];
		struct ibuf_mbuf *m = many_segments(3000, bytes);
		struct channel c;
		size_t gone = 0;

		channel_open(&c);
		calls_limit(limits[i / 2]);
		while (ibuf_mbuf_len(m) != 0) {
			ssize_t went = both[i % 2](c.to, m);

			assert_true(went > 0);
			gone += (size_t)went;
			assert_message(m, bytes + gone, 3000 - gone);
		}
		assert_came(&c, bytes, 3000);
		ibuf_mbuf_free(m);
		channel_close(&c);
	}
}

static void
assert_goes_whole(write_fn *out, const struct ibuf_mbuf *all)
{
	struct ibuf_mbuf *m = ibuf_mbuf_clone(all);
	size_t len = ibuf_mbuf_len(m);

	calls_reset();
	calls_swallow();
	assert_int_equal(out(-1, m), len);
	assert_message(m, "", 0);
	assert_true(calls_made() <= 2 + len / (1 << 30));
	ibuf_mbuf_free(m);
	calls_reset();
}

/* Linux transfers no more than 2 GiB - 4096 bytes in one call. */
TEST(more_bytes_than_a_call_takes_go_out_whole)
{
	/* Nobody looks at the bytes, so they need not be there. */
	static const size_t third =
		SIZE_MAX > UINT32_MAX ? UINT32_MAX : INT32_MAX / 3;
	struct ibuf_mbuf *m = ibuf_mbuf_wrap_const(ten, third, NULL, NULL);

	for (size_t i = 0; i < 2; i++) {
		for (size_t n = 1; n <= 3; n++) {
			assert_goes_whole(both[i], m);
			assert_int_equal(
				ibuf_mbuf_concat(
					m, ibuf_mbuf_wrap_const(ten, third / 3,
								NULL, NULL)),
				0);
		}
		ibuf_mbuf_free(m);
		m = ibuf_mbuf_wrap_const(ten, third, NULL, NULL);
	}
	ibuf_mbuf_free(m);
}

/* ---- errors -------------------------------------------------------- */

TEST(a_signal_that_came_first_is_no_error)
{
	for (size_t i = 0; i < 2; i++) {
		struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
		struct channel c;

		channel_open(&c);
		calls_fail(5, EINTR);
		assert_int_equal(both[i](c.to, m), 10);
		assert_int_equal(calls_made(), 6);
		assert_message(m, "", 0);
		assert_came(&c, ten, 10);
		ibuf_mbuf_free(m);
		channel_close(&c);
	}
}

TEST(an_error_leaves_the_message_as_it_was)
{
	static const int errors[] = {EAGAIN, EIO, ENOSPC, EPIPE, ENOBUFS};

	for (size_t i = 0; i < 10; i++) {
		struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
		struct pieces was;
		struct channel c;

		channel_open(&c);
		pieces_take(&was, m);
		calls_fail_at(1, errors[i / 2]);
		assert_int_equal(both[i % 2](c.to, m), -errors[i / 2]);
		assert_message(m, ten, 10);
		assert_pieces(m, &was);
		calls_reset();
		assert_int_equal(both[i % 2](-1, m), -EBADF);
		assert_message(m, ten, 10);
		assert_pieces(m, &was);
		ibuf_mbuf_free(m);
		channel_close(&c);
	}
}

TEST(a_socket_that_is_full_takes_what_it_can_and_then_says_so)
{
	for (size_t i = 0; i < 2; i++) {
		struct ibuf_mbuf *m = ibuf_mbuf_new(0);
		struct ibuf_mbuf *all;
		struct channel c;
		size_t gone = 0;
		ssize_t went;

		channel_open(&c);
		for (int j = 0; j < 32; j++) {
			struct ibuf_mbuf *tail = ibuf_mbuf_new(65536);

			assert_int_equal(
				ibuf_mbuf_append_fill(tail, (uint8_t)j, 65536),
				0);
			assert_int_equal(ibuf_mbuf_concat(m, tail), 0);
		}
		all = ibuf_mbuf_clone(m);
		while ((went = both[i](c.to, m)) > 0)
			gone += (size_t)went;
		assert_int_equal(went, -EAGAIN);
		assert_in_range(gone, 1, 32 * 65536 - 1);
		assert_int_equal(ibuf_mbuf_len(m), 32 * 65536 - gone);
		ibuf_mbuf_free(ibuf_mbuf_split(all, gone));
		assert_int_equal(ibuf_mbuf_linearize(all), 0);
		assert_came(&c, ibuf_mbuf_data(all), gone);
		ibuf_mbuf_free(m);
		ibuf_mbuf_free(all);
		channel_close(&c);
	}
}

TEST(a_socket_whose_peer_is_gone_says_so_without_a_signal)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
	struct pieces was;
	struct channel c;

	/* The signal would end the program. */
	assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	channel_open(&c);
	close(c.from);
	c.from = -1;
	pieces_take(&was, m);
	assert_int_equal(ibuf_io_write_socket(c.to, m, 0), -EPIPE);
	assert_message(m, ten, 10);
	assert_pieces(m, &was);
	channel_close(&c);
	ibuf_mbuf_free(m);
}

TEST(a_pipe_whose_reader_is_gone_says_so_and_the_message_is_intact)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	assert_int_equal(ibuf_io_write(ends[1], m), -EPIPE);
	assert_message(m, ten, 10);
	close(ends[1]);
	signal(SIGPIPE, before);
	ibuf_mbuf_free(m);
}

TEST(what_is_no_socket_is_refused_by_write_socket)
{
	struct ibuf_mbuf *m = message_of(ten, 10);
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(ibuf_io_write_socket(ends[1], m, 0), -ENOTSOCK);
	assert_message(m, ten, 10);
	close(ends[0]);
	close(ends[1]);
	ibuf_mbuf_free(m);
}

TEST(the_flags_of_the_caller_are_passed_on)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);
	int ends[2];
	ssize_t went;

	/* This one would block. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 8 << 20), 0);
	do
		went = ibuf_io_write_socket(ends[0], m, MSG_DONTWAIT);
	while (went > 0);
	assert_int_equal(went, -EAGAIN);
	close(ends[0]);
	close(ends[1]);
	ibuf_mbuf_free(m);
}

TEST(flags_that_cannot_be_kept_are_refused_before_anything_happens)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 0x48);
	struct pieces was;
	struct channel c;

	channel_open(&c);
	pieces_take(&was, m);
	assert_int_equal(
		ibuf_io_write_socket(c.to, m, MSG_ZEROCOPY | MSG_DONTWAIT),
		-EINVAL);
	assert_int_equal(ibuf_io_write_socket(c.to, m, MSG_ERRQUEUE), -EINVAL);
	assert_message(m, ten, 10);
	assert_pieces(m, &was);
	ibuf_mbuf_clear(m);
	assert_int_equal(ibuf_io_write_socket(c.to, m, MSG_ZEROCOPY), -EINVAL);
	assert_int_equal(calls_made(), 0);
	ibuf_mbuf_free(m);
	channel_close(&c);
}

TEST(flags_of_the_last_byte_go_with_the_last_call)
{
	uint8_t bytes[2500];
	struct ibuf_mbuf *m = many_segments(2500, bytes);
	struct channel c;

	channel_open(&c);
	calls_swallow();
	assert_int_equal(
		ibuf_io_write_socket(c.to, m, MSG_EOR | MSG_OOB | MSG_MORE),
		2500);
	assert_int_equal(calls_made(), 3);
	assert_int_equal(calls_flags(1), MSG_MORE | MSG_NOSIGNAL);
	assert_int_equal(calls_flags(2), MSG_MORE | MSG_NOSIGNAL);
	assert_int_equal(calls_flags(3),
			 MSG_EOR | MSG_OOB | MSG_MORE | MSG_NOSIGNAL);
	ibuf_mbuf_free(m);
	channel_close(&c);
}
