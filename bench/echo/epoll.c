/* epoll.c - the echo of W18 by epoll, ibuf_io_read() and _write_socket(). */
#include "listen.h"

#include <errno.h>
#include <ibuf/ibuf.h>
#include <sys/epoll.h>

struct conn {
	int fd;
	struct ibuf_mbuf *m;
	bool blocked; /* waits until the socket takes more */
};

static int epoll;

static void
watch(struct conn *c, int how, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = c};

	if (epoll_ctl(epoll, how, c->fd, &event) != 0)
		err(1, "epoll_ctl");
}

static void
serve(struct conn *c)
{
	ssize_t n = 1;

	if (!c->blocked)
		n = ibuf_io_read(c->fd, c->m, SIZE_MAX);
	if (n > 0 && ibuf_mbuf_len(c->m) != 0)
		n = ibuf_io_write_socket(c->fd, c->m, 0);
	if (n == -EAGAIN)
		n = 1;
	if (n <= 0) {
		close(c->fd);
		ibuf_mbuf_free(c->m);
		free(c);
		return;
	}
	if ((ibuf_mbuf_len(c->m) != 0) != c->blocked) {
		c->blocked = !c->blocked;
		watch(c, EPOLL_CTL_MOD, c->blocked ? EPOLLOUT : EPOLLIN);
	}
}

int
main(void)
{
	struct ibuf_pool *pool = ibuf_pool_new(0, 65536);
	struct epoll_event events[256];
	struct conn listener = {.fd = listen_and_say()};

	epoll = epoll_create1(0);
	watch(&listener, EPOLL_CTL_ADD, EPOLLIN);
	for (;;) {
		int n = epoll_wait(epoll, events, 256, -1);

		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;

			if (c != &listener) {
				serve(c);
				continue;
			}
			c = calloc(1, sizeof(*c));
			c->fd = accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK);
			c->m = ibuf_pool_alloc(pool);
			watch(c, EPOLL_CTL_ADD, EPOLLIN);
		}
	}
}
