/*
 * uring/serve.h - what the programs here share: a ring that listens, with a
 * pool and a group of buffers; and a client to show them by.
 *
 * A program has server_completed(), which gets every completion, and
 * server_turn(), which runs between two waits.
 */
#ifndef SERVE_H
#define SERVE_H

#include <arpa/inet.h>
#include <err.h>
#include <ibuf/adapt/uring.h>
#include <ibuf/ibuf.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a program returns where there is no io_uring. */
enum { SKIPPED = 77 };

struct server {
	struct io_uring ring;
	struct ibuf_pool *pool;
	struct ibuf_uring_group group;
	int listener;
	unsigned connections, accepts;
};

void server_completed(struct server *s, const struct io_uring_cqe *cqe);
void server_turn(struct server *s);

/* An entry; where all are taken, the kernel gets them first. */
static inline struct io_uring_sqe *
server_entry(struct server *s)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&s->ring);

	if (sqe == NULL) {
		io_uring_submit(&s->ring);
		sqe = io_uring_get_sqe(&s->ring);
		if (sqe == NULL)
			errx(1, "the ring takes no more");
	}
	return sqe;
}

/* Accept until further notice. */
static inline void
server_accept(struct server *s, uint64_t user_data)
{
	struct io_uring_sqe *sqe = server_entry(s);

	io_uring_prep_multishot_accept(sqe, s->listener, NULL, NULL, 0);
	io_uring_sqe_set_data64(sqe, user_data);
}

/* Listen on a port of this machine; 0: any.  The port, or -errno. */
static inline int
listen_on(int *fd, int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);
	int on = 1;

	at.sin_port = htons((uint16_t)port);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* Those that it accepts inherit that. */
	setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(*fd, (struct sockaddr *)&at, len) != 0 ||
	    listen(*fd, 1024) != 0 ||
	    getsockname(*fd, (struct sockaddr *)&at, &len) != 0)
		return -errno;
	return ntohs(at.sin_port);
}

/* A ring for one thread, whose completions come when it waits for them:
   Linux 6.1. */
static inline void
server_open_ring(struct server *s)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
		.cq_entries = 4096,
	};
	unsigned needs = IBUF_URING_HAS_GROUP | IBUF_URING_HAS_MULTISHOT;
	int error = io_uring_queue_init_params(512, &s->ring, &p);

	if (error == -EINVAL) {
		p.flags = IORING_SETUP_CQSIZE;
		error = io_uring_queue_init_params(512, &s->ring, &p);
	}
	if (error != 0 || (ibuf_uring_features(&s->ring) & needs) != needs) {
		fprintf(stderr, "skipped: no io_uring that does this here\n");
		exit(SKIPPED);
	}
	io_uring_register_ring_fd(&s->ring);
}

/* A pool of 64 MiB at most, and a group that it fills. */
static inline void
server_open(struct server *s, int *port)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	bool parts;

	memset(s, 0, sizeof(*s));
	server_open_ring(s);
	parts = (ibuf_uring_features(&s->ring) & IBUF_URING_HAS_PARTS) != 0;
	o.name = "received";
	o.capacity = parts ? 65536 : 16384;
	o.max = ((size_t)64 << 20) / o.capacity;
	*port = listen_on(&s->listener, *port);
	if (*port < 0 || ibuf_pool_create(&s->pool, &o) != 0 ||
	    ibuf_uring_group_open(&s->group, &s->ring, s->pool,
				  parts ? 32 : 256, 0,
				  parts ? IBUF_URING_F_PARTS : 0) != 0)
		errx(1, "cannot serve");
}

/* Until all connections are closed, where it ever ends. */
static inline void
server_run(struct server *s, bool ends)
{
	while (!ends || s->accepts == 0 || s->connections != 0) {
		struct io_uring_cqe *cqe;
		unsigned head, n = 0;

		server_turn(s);
		io_uring_submit_and_wait(&s->ring, 1);
		io_uring_for_each_cqe(&s->ring, head, cqe)
		{
			server_completed(s, cqe);
			n++;
		}
		io_uring_cq_advance(&s->ring, n);
	}
}

/* ---- a client ------------------------------------------------------ */

enum { CLIENTS = 4, ROUNDS = 200, LONGEST = 30000 };

static inline int
connect_to(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_port = htons((uint16_t)port);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		err(1, "connect");
	return fd;
}

/* Talk over several connections at once; how many bytes came back wrong? */
static void *
client(void *arg)
{
	static uint8_t out[LONGEST], in[LONGEST];
	size_t bytes = 0, wrong = 0;
	int fds[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = connect_to(*(const int *)arg);
	for (int round = 0; round < ROUNDS; round++) {
		size_t n = (size_t)(round * 7919) % LONGEST + 1;

		for (int i = 0; i < CLIENTS; i++) {
			memset(out, round + i, n);
			if (write(fds[i], out, n) != (ssize_t)n)
				err(1, "write");
		}
		for (int i = 0; i < CLIENTS; i++) {
			memset(out, round + i, n);
			if (recv(fds[i], in, n, MSG_WAITALL) != (ssize_t)n ||
			    memcmp(in, out, n) != 0)
				wrong += n;
			bytes += n;
		}
	}
	for (int i = 0; i < CLIENTS; i++) {
		shutdown(fds[i], SHUT_WR);
		if (read(fds[i], in, 1) != 0)
			wrong++;
		close(fds[i]);
	}
	printf("%d connections, %zu bytes, %zu of them wrong\n", CLIENTS, bytes,
	       wrong);
	return NULL;
}

/* All connections are closed, so no receive is under way. */
static inline void
server_close(struct server *s)
{
	struct ibuf_pool_stats stats;

	if (ibuf_uring_group_close(&s->group) != 0 ||
	    ibuf_pool_get_stats(s->pool, &stats, sizeof(stats)) != 0)
		errx(1, "a receive is left");
	printf("copied by the library: %zu bytes\n",
	       (size_t)stats.copied_bytes);
	printf("in use at the end: %zu messages\n", ibuf_pool_destroy(s->pool));
	io_uring_queue_exit(&s->ring);
	close(s->listener);
}

#endif
