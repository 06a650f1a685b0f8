/* with_libuv.c - cookbook: a libuv stream that reads into and writes messages. */
#define _POSIX_C_SOURCE 200809L
#include <ibuf/ibuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <uv.h>

/* libuv reads into the tailroom; the stream's data is its message. */
static void
give_room(uv_handle_t *stream, size_t wanted, uv_buf_t *buf)
{
	struct ibuf_mbuf *m = stream->data;
	char *place;

	(void)wanted;
	place = ibuf_mbuf_reserve(m, 4096);
	*buf = uv_buf_init(place, place == NULL ? 0 : 4096);
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct ibuf_mbuf *m = stream->data;

	(void)buf;
	if (n > 0 && ibuf_mbuf_commit(m, (size_t)n) != 0)
		abort(); /* no more than was reserved */
	if (n < 0)
		uv_close((uv_handle_t *)stream, NULL);
}

/* The message stays ours until libuv has written it. */
struct write {
	uv_write_t request;
	struct ibuf_mbuf *m;
};

static void
on_written(uv_write_t *request, int status)
{
	struct write *w = (struct write *)request;

	(void)status;
	ibuf_mbuf_free(w->m);
	uv_close((uv_handle_t *)request->handle, NULL);
	free(w);
}

/* Write a message and take it over: 0.  Else m is still the caller's. */
static int
write_message(uv_stream_t *stream, struct ibuf_mbuf *m)
{
	size_t n = ibuf_mbuf_segments(m), i;
	struct write *w = malloc(sizeof *w);
	struct iovec *iov = calloc(n, sizeof *iov);
	uv_buf_t *bufs = calloc(n, sizeof *bufs);
	int rc = UV_ENOMEM;

	if (w != NULL && iov != NULL && bufs != NULL) {
		w->m = m;
		n = ibuf_mbuf_iov(m, 0, iov, n);
		for (i = 0; i < n; i++)
			bufs[i] = uv_buf_init(iov[i].iov_base,
					      (unsigned)iov[i].iov_len);
		rc = uv_write(&w->request, stream, bufs, (unsigned)n,
			      on_written);
	}
	free(iov);
	free(bufs);
	if (rc != 0)
		free(w);
	return rc;
}

int
main(void)
{
	struct ibuf_mbuf *in = ibuf_mbuf_new(64);
	struct ibuf_mbuf *out = ibuf_mbuf_from("over ", 5);
	struct ibuf_mbuf *tail = ibuf_mbuf_from("libuv", 5);
	uv_loop_t *loop = uv_default_loop();
	uv_pipe_t from, to;
	int ends[2];

	if (in == NULL || out == NULL || tail == NULL ||
	    ibuf_mbuf_concat(out, tail) != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 1;
	uv_pipe_init(loop, &from, 0);
	uv_pipe_init(loop, &to, 0);
	from.data = in;
	if (uv_pipe_open(&from, ends[0]) != 0 ||
	    uv_pipe_open(&to, ends[1]) != 0 ||
	    uv_read_start((uv_stream_t *)&from, give_room, on_read) != 0 ||
	    write_message((uv_stream_t *)&to, out) != 0)
		return 1;
	uv_run(loop, UV_RUN_DEFAULT);
	uv_loop_close(loop);
	printf("read: %.*s\n", (int)ibuf_mbuf_len(in),
	       (const char *)ibuf_mbuf_data(in));
	ibuf_mbuf_free(in);
	return 0;
}

/* Prints:
 * read: over libuv
 */
