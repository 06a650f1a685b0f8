/*
 * hand.c - the echo of W18 by liburing alone: a ring of provided buffers, a
 * receive that goes on, and each buffer back into the ring when it was sent.
 */
#include "listen.h"

#include <errno.h>
#include <liburing.h>
#include <stdbool.h>

enum { BUFFERS = 256, SIZE = 16384, MASK = BUFFERS - 1 };
enum { ACCEPT, RECV, SEND, KINDS = 3 };

struct piece {
	uint16_t id;
	uint32_t len;
};

struct conn {
	int fd;
	bool sending, ended;
	int requests;
	unsigned head, tail; /* of what waits; the first is being sent */
	struct piece pieces[BUFFERS];
};

static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static uint8_t *memory;
static int listener;

static struct io_uring_sqe *
entry(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (sqe == NULL) {
		io_uring_submit(&ring);
		sqe = io_uring_get_sqe(&ring);
	}
	return sqe;
}

static void
give_back(unsigned id)
{
	io_uring_buf_ring_add(buffers, memory + (size_t)id * SIZE, SIZE,
			      (unsigned short)id, MASK, 0);
	io_uring_buf_ring_advance(buffers, 1);
}

static void
arm(struct conn *c)
{
	struct io_uring_sqe *sqe = entry();

	io_uring_prep_recv_multishot(sqe, c->fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = 0;
	io_uring_sqe_set_data64(sqe, (uintptr_t)c | RECV);
	c->requests++;
}

static void
send_next(struct conn *c)
{
	const struct piece *p = &c->pieces[c->head & MASK];
	struct io_uring_sqe *sqe;

	if (c->sending || c->head == c->tail)
		return;
	sqe = entry();
	io_uring_prep_send(sqe, c->fd, memory + (size_t)p->id * SIZE, p->len,
			   MSG_WAITALL | MSG_NOSIGNAL);
	io_uring_sqe_set_data64(sqe, (uintptr_t)c | SEND);
	c->requests++;
	c->sending = true;
}

static void
accepts(void)
{
	struct io_uring_sqe *sqe = entry();

	io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, 0);
	io_uring_sqe_set_data64(sqe, ACCEPT);
}

static void
completed(const struct io_uring_cqe *cqe)
{
	struct conn *c = (void *)(uintptr_t)(cqe->user_data & ~(__u64)KINDS);
	bool over = (cqe->flags & IORING_CQE_F_MORE) == 0;

	switch (cqe->user_data & KINDS) {
	case ACCEPT:
		c = calloc(1, sizeof(*c));
		c->fd = cqe->res;
		arm(c);
		if (over)
			accepts();
		return;
	case RECV:
		c->requests -= over;
		if (cqe->res > 0) {
			struct piece *p = &c->pieces[c->tail++ & MASK];

			p->id = (uint16_t)(cqe->flags >>
					   IORING_CQE_BUFFER_SHIFT);
			p->len = (uint32_t)cqe->res;
			send_next(c);
		} else if (cqe->res != -ENOBUFS) {
			if ((cqe->flags & IORING_CQE_F_BUFFER) != 0)
				give_back(cqe->flags >>
					  IORING_CQE_BUFFER_SHIFT);
			c->ended = true;
		}
		if (over && !c->ended)
			arm(c);
		break;
	case SEND:
		c->requests--;
		c->sending = false;
		give_back(c->pieces[c->head++ & MASK].id);
		if (cqe->res < 0)
			c->ended = true;
		send_next(c);
		break;
	}
	if (c->ended && c->requests == 0) {
		close(c->fd);
		free(c);
	}
}

int
main(void)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
		.cq_entries = 4096,
	};
	struct io_uring_buf_reg reg = {.ring_entries = BUFFERS};

	listener = listen_and_say();
	if (io_uring_queue_init_params(512, &ring, &p) != 0)
		errx(1, "no io_uring");
	io_uring_register_ring_fd(&ring);
	buffers = aligned_alloc(65536, 65536);
	memory = aligned_alloc(1 << 21, (size_t)BUFFERS * SIZE);
	memset(buffers, 0, 65536);
	reg.ring_addr = (uintptr_t)buffers;
	if (io_uring_register_buf_ring(&ring, &reg, 0) != 0)
		errx(1, "no ring of buffers");
	for (unsigned i = 0; i < BUFFERS; i++)
		give_back(i);
	accepts();
	for (;;) {
		struct io_uring_cqe *cqe;
		unsigned head, n = 0;

		io_uring_submit_and_wait(&ring, 1);
		io_uring_for_each_cqe(&ring, head, cqe)
		{
			completed(cqe);
			n++;
		}
		io_uring_cq_advance(&ring, n);
	}
}
