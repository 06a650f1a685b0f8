/* client.h - what the servers of the guide are tried with. */
#ifndef GUIDE_CLIENT_H
#define GUIDE_CLIENT_H

#include "frame.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENT_AT_ONCE = 8 };

struct client {
	pthread_t thread;
	struct sockaddr_in server;
	int frames, right;
};

/* A socket that listens on a free port of this machine; -1: failed. */
static inline int
listen_here(struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof *address;

	*address = (struct sockaddr_in){.sin_family = AF_INET};
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)address, len) != 0 ||
	    listen(fd, 64) != 0 ||
	    getsockname(fd, (struct sockaddr *)address, &len) != 0)
		return -1;
	return fd;
}

/* Small messages go out at once, and do not wait for others. */
static inline int
send_at_once(int fd)
{
	int on = 1;

	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Send one request. */
static inline bool
client_ask(int fd, int number)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(FRAME_HEADER, 32);
	bool sent = false;

	if (m != NULL && ibuf_mbuf_printf(m, "request %d", number) == 0 &&
	    ibuf_mbuf_prepend_be32(m, (uint32_t)ibuf_mbuf_len(m)) == 0)
		sent = ibuf_io_write_socket(fd, m, 0) > 0;
	ibuf_mbuf_free(m);
	return sent;
}

/* Wait for one answer, and say whether it is the right one. */
static inline bool
client_hear(int fd, struct ibuf_mbuf *in, int number)
{
	struct ibuf_mbuf *frame;
	char wanted[32];
	size_t n = (size_t)sprintf(wanted, "ok request %d", number);
	bool right;
	int rc;

	while ((rc = frame_next(in, &frame)) == 0)
		if (ibuf_io_read(fd, in, 4096) <= 0)
			return false;
	if (rc < 0)
		return false;
	right = ibuf_mbuf_len(frame) == n &&
		ibuf_mbuf_matches(frame, 0, wanted, n);
	ibuf_mbuf_free(frame);
	return right;
}

static inline void *
client_run(void *arg)
{
	struct client *c = arg;
	const struct sockaddr *server = (const struct sockaddr *)&c->server;
	struct ibuf_mbuf *in = ibuf_mbuf_new(4096);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int i, k;

	if (in != NULL && connect(fd, server, sizeof c->server) == 0 &&
	    send_at_once(fd) == 0)
		for (i = 0; i < c->frames; i += CLIENT_AT_ONCE) {
			for (k = i; k < i + CLIENT_AT_ONCE; k++)
				if (!client_ask(fd, k))
					break;
			for (k = i; k < i + CLIENT_AT_ONCE; k++)
				c->right += client_hear(fd, in, k);
		}
	ibuf_mbuf_free(in);
	close(fd);
	return NULL;
}

static inline bool
clients_start(struct client *cs, int n, const struct sockaddr_in *server)
{
	int i;

	for (i = 0; i < n; i++) {
		cs[i].server = *server;
		cs[i].frames = 400;
		if (pthread_create(&cs[i].thread, NULL, client_run, &cs[i]))
			return false;
	}
	return true;
}

static inline void
clients_end(struct client *cs, int n)
{
	int i, frames = 0, right = 0;

	for (i = 0; i < n; i++) {
		pthread_join(cs[i].thread, NULL);
		frames += cs[i].frames;
		right += cs[i].right;
	}
	printf("%d clients: %d of %d answers are right\n", n, right, frames);
}

#endif
