/*
 * libuv.c - the echo of W18 by libuv: buffers and requests come from a list of
 * free ones, and what comes is sent from where it lies.
 */
#include "listen.h"

#include <uv.h>

enum { SIZE = 65536 };

struct chunk {
	union {
		uv_write_t request;
		struct chunk *next;
	};
	char bytes[SIZE];
};

static struct chunk *chunks;

static void
give(struct chunk *c)
{
	c->next = chunks;
	chunks = c;
}

static void
take(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
	struct chunk *c = chunks;

	(void)h;
	(void)size;
	if (c != NULL)
		chunks = c->next;
	else
		c = malloc(sizeof(*c));
	*buf = uv_buf_init(c->bytes, SIZE);
}

static struct chunk *
chunk_of(const char *bytes)
{
	return (struct chunk *)(bytes - offsetof(struct chunk, bytes));
}

static void
closed(uv_handle_t *h)
{
	free(h);
}

static void
sent(uv_write_t *request, int status)
{
	(void)status;
	give((struct chunk *)request);
}

static void
came(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct chunk *c = chunk_of(buf->base);
	uv_buf_t out;
	int went;

	if (n <= 0) {
		if (buf->base != NULL)
			give(c);
		if (n < 0)
			uv_close((uv_handle_t *)s, closed);
		return;
	}
	/* As a fast program does: no request where the socket takes all. */
	out = uv_buf_init(c->bytes, (unsigned)n);
	went = uv_try_write(s, &out, 1);
	if (went == n) {
		give(c);
		return;
	}
	if (went > 0)
		out = uv_buf_init(c->bytes + went, (unsigned)(n - went));
	if (uv_write(&c->request, s, &out, 1, sent) != 0)
		give(c);
}

static void
accepted(uv_stream_t *server, int status)
{
	uv_tcp_t *tcp = malloc(sizeof(*tcp));

	(void)status;
	uv_tcp_init(server->loop, tcp);
	if (uv_accept(server, (uv_stream_t *)tcp) != 0)
		return;
	uv_read_start((uv_stream_t *)tcp, take, came);
}

int
main(void)
{
	uv_loop_t *loop = uv_default_loop();
	int fd = listen_and_say();
	uv_tcp_t server;

	uv_tcp_init(loop, &server);
	if (uv_tcp_open(&server, fd) != 0 ||
	    uv_listen((uv_stream_t *)&server, 1024, accepted) != 0)
		return 1;
	return uv_run(loop, UV_RUN_DEFAULT);
}
