/* uring/proxy.c - a proxy by io_uring: what comes on one side goes out of the
   other, and lies where the kernel put it. */
#include "serve.h"

#include <poll.h>

/* One side of a pair of connections. */
struct side {
	struct pair *pair;
	struct side *other;
	int fd;
	bool ended;            /* no more comes */
	bool waits;            /* for memory, in the list */
	struct side *next;     /* in that list */
	struct ibuf_mbuf *out; /* what waits for the send under way */
	struct ibuf_uring_send send;
};

struct pair {
	struct side sides[2];
	int requests; /* under way, of both */
};

/* What a completion is about, in the low bits of the side's address. */
enum { ACCEPT, CONNECT, RECV, SEND, KINDS = 3 };

static struct side *waiting; /* for memory to receive into */
static struct sockaddr_in upstream;

static struct io_uring_sqe *
request(struct server *s, struct side *side)
{
	side->pair->requests++;
	return server_entry(s);
}

static void
arm(struct server *s, struct side *side)
{
	struct io_uring_sqe *sqe = request(s, side);

	ibuf_uring_recv_prep(&s->group, sqe, side->fd, 0);
	io_uring_sqe_set_data64(sqe, (uintptr_t)side | RECV);
}

/* What waits goes out; behind the last of it, the end. */
static void
send_next(struct server *s, struct side *side)
{
	struct io_uring_sqe *sqe;

	if (!ibuf_uring_send_is_idle(&side->send))
		return;
	if (side->out == NULL) {
		if (side->other->ended)
			shutdown(side->fd, SHUT_WR);
		return;
	}
	sqe = request(s, side);
	ibuf_uring_send_prep(&side->send, sqe, side->fd, side->out, MSG_WAITALL,
			     0);
	io_uring_sqe_set_data64(sqe, (uintptr_t)side | SEND);
	side->out = NULL;
}

/* No more of either: what is under way ends by itself. */
static void
give_up(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		pair->sides[i].ended = true;
		shutdown(pair->sides[i].fd, SHUT_RDWR);
	}
}

static void
close_when_idle(struct server *s, struct pair *pair)
{
	struct side *a = &pair->sides[0], *b = &pair->sides[1];

	if (!a->ended || !b->ended || a->waits || b->waits ||
	    pair->requests != 0)
		return;
	for (int i = 0; i < 2; i++) {
		ibuf_mbuf_free(pair->sides[i].out);
		close(pair->sides[i].fd);
	}
	free(pair);
	s->connections--;
}

static void
accepted(struct server *s, const struct io_uring_cqe *cqe)
{
	struct io_uring_sqe *sqe;
	struct pair *pair;

	if ((cqe->flags & IORING_CQE_F_MORE) == 0)
		server_accept(s, ACCEPT);
	if (cqe->res < 0)
		return;
	pair = calloc(1, sizeof(*pair));
	if (pair == NULL) {
		close(cqe->res);
		return;
	}
	for (int i = 0; i < 2; i++) {
		pair->sides[i].pair = pair;
		pair->sides[i].other = &pair->sides[1 - i];
	}
	s->connections++;
	s->accepts++;
	pair->sides[0].fd = cqe->res;
	pair->sides[1].fd = socket(AF_INET, SOCK_STREAM, 0);
	sqe = request(s, &pair->sides[1]);
	io_uring_prep_connect(sqe, pair->sides[1].fd,
			      (struct sockaddr *)&upstream, sizeof(upstream));
	io_uring_sqe_set_data64(sqe, (uintptr_t)&pair->sides[1] | CONNECT);
}

static void
received(struct server *s, struct side *side, const struct io_uring_cqe *cqe)
{
	struct ibuf_mbuf *m = NULL, **out = &side->other->out;
	int result = ibuf_uring_recv_take(&s->group, cqe, &m);

	if (result == -ENOMEM)
		errx(1, "no memory for a header of 64 bytes");
	if (result == 1) {
		/* Behind what waits already, as segments. */
		if (*out == NULL) {
			*out = m;
		} else if (ibuf_mbuf_concat(*out, m) != 0) {
			ibuf_mbuf_free(m);
			give_up(side->pair);
		}
	} else if (result == 0) {
		side->ended = true;
	} else if (result != -ENOBUFS) {
		give_up(side->pair);
	}
	send_next(s, side->other);
	if ((cqe->flags & IORING_CQE_F_MORE) != 0)
		return;
	side->pair->requests--;
	if (!side->ended) {
		side->waits = true;
		side->next = waiting;
		waiting = side;
	}
}

static void
sent(struct server *s, struct side *side, const struct io_uring_cqe *cqe)
{
	int result = ibuf_uring_send_done(&side->send, cqe);

	side->pair->requests--;
	if (result == IBUF_URING_REST) {
		struct io_uring_sqe *sqe = request(s, side);

		ibuf_uring_send_rest(&side->send, sqe);
		io_uring_sqe_set_data64(sqe, (uintptr_t)side | SEND);
	} else if (result < 0) {
		ibuf_mbuf_free(ibuf_uring_send_take(&side->send));
		give_up(side->pair);
	} else {
		send_next(s, side);
	}
}

void
server_completed(struct server *s, const struct io_uring_cqe *cqe)
{
	struct side *side = (void *)(uintptr_t)(cqe->user_data & ~(__u64)KINDS);

	switch (cqe->user_data & KINDS) {
	case ACCEPT:
		accepted(s, cqe);
		return;
	case CONNECT:
		side->pair->requests--;
		if (cqe->res < 0) {
			give_up(side->pair);
		} else {
			arm(s, side);
			arm(s, side->other);
		}
		break;
	case RECV:
		received(s, side, cqe);
		break;
	case SEND:
		sent(s, side, cqe);
		break;
	}
	close_when_idle(s, side->pair);
}

/* Receives that ended for want of memory go on when there is some: what this
   program frees, it frees when a send is done, so each turn looks. */
void
server_turn(struct server *s)
{
	while (waiting != NULL && ibuf_uring_group_refill(&s->group) != 0) {
		struct side *side = waiting;

		waiting = side->next;
		side->waits = false;
		if (side->ended)
			close_when_idle(s, side->pair);
		else
			arm(s, side);
	}
}

/* What stands behind the proxy when it shows that it works: an echo of as many
   connections as the client has. */
static void *
echo(void *arg)
{
	struct pollfd fds[CLIENTS];
	struct ibuf_mbuf *m = ibuf_mbuf_new(65536);
	int open = CLIENTS;

	for (int i = 0; i < CLIENTS; i++) {
		fds[i].fd = accept(*(int *)arg, NULL, NULL);
		fds[i].events = POLLIN;
	}
	while (m != NULL && open > 0 && poll(fds, CLIENTS, -1) > 0)
		for (int i = 0; i < CLIENTS; i++) {
			if (fds[i].fd < 0 || fds[i].revents == 0)
				continue;
			if (ibuf_io_read(fds[i].fd, m, 65536) > 0) {
				while (ibuf_mbuf_len(m) != 0 &&
				       ibuf_io_write_socket(fds[i].fd, m, 0) >
					       0)
					;
				continue;
			}
			close(fds[i].fd);
			fds[i].fd = -1;
			open--;
		}
	ibuf_mbuf_free(m);
	return NULL;
}

/* proxy PORT TO: from a port of this machine to another one, for ever; without
   ports, show that it works. */
int
main(int argc, char **argv)
{
	int port = argc > 2 ? atoi(argv[1]) : 0, behind = -1, to;
	pthread_t threads[2];
	struct server s;

	server_open(&s, &port);
	server_accept(&s, ACCEPT);
	to = argc > 2 ? atoi(argv[2]) : listen_on(&behind, 0);
	upstream.sin_family = AF_INET;
	upstream.sin_port = htons((uint16_t)to);
	upstream.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (argc > 2) {
		printf("%d\n", port);
		fflush(stdout);
		server_run(&s, false);
	}
	if (pthread_create(&threads[0], NULL, echo, &behind) != 0 ||
	    pthread_create(&threads[1], NULL, client, &port) != 0)
		return 1;
	server_run(&s, true);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	server_close(&s);
	close(behind);
	return 0;
}

/* Prints:
 * 4 connections, 11873200 bytes, 0 of them wrong
 * copied by the library: 0 bytes
 * in use at the end: 0 messages
 */
