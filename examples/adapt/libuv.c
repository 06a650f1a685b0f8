/* libuv.c - adapt: a stream of libuv that is read and written as messages. */
#define _POSIX_C_SOURCE 200809L
#include <ibuf/adapt/libuv.h>
#include <ibuf/ibuf.h>
#include <stdio.h>
#include <sys/socket.h>

/* What was read, in an mbuf of the pool, is ours. */
static void
on_read(uv_stream_t *stream, ssize_t n, struct ibuf_mbuf *m, void *in)
{
	if (n < 0)
		uv_close((uv_handle_t *)stream, NULL);
	else if (ibuf_mbuf_concat(in, m) != 0)
		ibuf_mbuf_free(m);
}

static void
on_written(uv_stream_t *stream, int status, void *arg)
{
	(void)status;
	(void)arg;
	uv_close((uv_handle_t *)stream, NULL);
}

int
main(void)
{
	struct ibuf_mbuf *in = ibuf_mbuf_new(0);
	struct ibuf_mbuf *out = ibuf_mbuf_from("over ", 5);
	struct ibuf_mbuf *tail = ibuf_mbuf_from("libuv", 5);
	struct ibuf_libuv_reader reader = {0};
	uv_loop_t *loop = uv_default_loop();
	uv_pipe_t from, to;
	int ends[2];

	reader.pool = ibuf_pool_new(0, 4096);
	reader.fn = on_read;
	reader.arg = in;
	if (reader.pool == NULL || in == NULL || out == NULL || tail == NULL ||
	    ibuf_mbuf_concat(out, tail) != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 1;
	uv_pipe_init(loop, &from, 0);
	uv_pipe_init(loop, &to, 0);
	if (uv_pipe_open(&from, ends[0]) != 0 ||
	    uv_pipe_open(&to, ends[1]) != 0 ||
	    ibuf_libuv_read_start((uv_stream_t *)&from, &reader) != 0 ||
	    ibuf_libuv_write((uv_stream_t *)&to, out, on_written, NULL) != 0)
		return 1;
	uv_run(loop, UV_RUN_DEFAULT);
	uv_loop_close(loop);

	if (ibuf_mbuf_linearize(in) != 0)
		return 1;
	printf("read: %.*s\n", (int)ibuf_mbuf_len(in),
	       (const char *)ibuf_mbuf_data(in));
	ibuf_mbuf_free(in);
	printf("in use: %zu\n", ibuf_pool_destroy(reader.pool));
	return 0;
}

/* Prints:
 * read: over libuv
 * in use: 0
 */
