/* uring/echo.c - an echo by io_uring: what comes goes back where it lies. */
#include "serve.h"

/* One connection. */
struct conn {
	int fd;
	bool ended;            /* no more comes */
	bool waits;            /* for memory, in the list */
	struct conn *next;     /* in that list */
	struct ibuf_mbuf *out; /* what waits for the send under way */
	struct ibuf_uring_send send;
	int requests; /* under way: a receive, sends */
};

/* What a completion is about, in the low bits of the connection's address. */
enum { ACCEPT, RECV, SEND, KINDS = 3 };

static struct conn *waiting; /* for memory to receive into */

static void
arm(struct server *s, struct conn *c)
{
	struct io_uring_sqe *sqe = server_entry(s);

	ibuf_uring_recv_prep(&s->group, sqe, c->fd, 0);
	io_uring_sqe_set_data64(sqe, (uintptr_t)c | RECV);
	c->requests++;
}

/* What waits goes out in one request; the kernel holds all of it. */
static void
send_next(struct server *s, struct conn *c)
{
	struct io_uring_sqe *sqe;

	if (c->out == NULL || !ibuf_uring_send_is_idle(&c->send))
		return;
	sqe = server_entry(s);
	ibuf_uring_send_prep(&c->send, sqe, c->fd, c->out, MSG_WAITALL, 0);
	io_uring_sqe_set_data64(sqe, (uintptr_t)c | SEND);
	c->requests++;
	c->out = NULL;
}

static void
close_when_idle(struct server *s, struct conn *c)
{
	if (!c->ended || c->requests != 0 || c->waits)
		return;
	ibuf_mbuf_free(c->out);
	close(c->fd);
	free(c);
	s->connections--;
}

static void
accepted(struct server *s, const struct io_uring_cqe *cqe)
{
	struct conn *c;

	if (cqe->res >= 0) {
		c = calloc(1, sizeof(*c));
		if (c == NULL) {
			close(cqe->res);
		} else {
			c->fd = cqe->res;
			s->connections++;
			s->accepts++;
			arm(s, c);
		}
	}
	if ((cqe->flags & IORING_CQE_F_MORE) == 0)
		server_accept(s, ACCEPT);
}

static void
received(struct server *s, struct conn *c, const struct io_uring_cqe *cqe)
{
	struct ibuf_mbuf *m = NULL;
	int result = ibuf_uring_recv_take(&s->group, cqe, &m);
	bool over = (cqe->flags & IORING_CQE_F_MORE) == 0;

	if (over)
		c->requests--;
	if (result == 1) {
		/* Behind what waits already, as segments. */
		if (c->out == NULL)
			c->out = m;
		else if (ibuf_mbuf_concat(c->out, m) != 0)
			ibuf_mbuf_free(m), c->ended = true;
		send_next(s, c);
	} else if (result == -ENOMEM) {
		errx(1, "no memory for a header of 64 bytes");
	} else if (result != -ENOBUFS) {
		c->ended = true;
	}
	if (over && !c->ended) {
		c->waits = true;
		c->next = waiting;
		waiting = c;
	}
	close_when_idle(s, c);
}

static void
sent(struct server *s, struct conn *c, const struct io_uring_cqe *cqe)
{
	int result = ibuf_uring_send_done(&c->send, cqe);

	c->requests--;
	if (result == IBUF_URING_REST) {
		struct io_uring_sqe *sqe = server_entry(s);

		ibuf_uring_send_rest(&c->send, sqe);
		io_uring_sqe_set_data64(sqe, (uintptr_t)c | SEND);
		c->requests++;
		return;
	}
	if (result < 0) {
		/* It is ours again; nobody is there to take it. */
		ibuf_mbuf_free(ibuf_uring_send_take(&c->send));
		shutdown(c->fd, SHUT_RDWR);
		c->ended = true;
	} else {
		send_next(s, c);
	}
	close_when_idle(s, c);
}

void
server_completed(struct server *s, const struct io_uring_cqe *cqe)
{
	struct conn *c = (void *)(uintptr_t)(cqe->user_data & ~(__u64)KINDS);

	switch (cqe->user_data & KINDS) {
	case ACCEPT:
		accepted(s, cqe);
		break;
	case RECV:
		received(s, c, cqe);
		break;
	case SEND:
		sent(s, c, cqe);
		break;
	}
}

/* Receives that ended for want of memory go on when there is some: what this
   program frees, it frees when a send is done, so each turn looks. */
void
server_turn(struct server *s)
{
	while (waiting != NULL && ibuf_uring_group_refill(&s->group) != 0) {
		struct conn *c = waiting;

		waiting = c->next;
		c->waits = false;
		if (c->ended)
			close_when_idle(s, c);
		else
			arm(s, c);
	}
}

/* echo PORT: serve for ever (0: on any port, which it prints); without a port,
   show that it works. */
int
main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 0;
	struct server s;
	pthread_t thread;

	server_open(&s, &port);
	server_accept(&s, ACCEPT);
	if (argc > 1) {
		printf("%d\n", port);
		fflush(stdout);
		server_run(&s, false);
	}
	if (pthread_create(&thread, NULL, client, &port) != 0)
		return 1;
	server_run(&s, true);
	pthread_join(thread, NULL);
	server_close(&s);
	return 0;
}

/* Prints:
 * 4 connections, 11873200 bytes, 0 of them wrong
 * copied by the library: 0 bytes
 * in use at the end: 0 messages
 */
