/* 09_threads.c - guide 9: the server with workers, and never too many messages. */

/*
 *   sockets --> the epoll thread --> work queues --> workers
 *                     ^                                 |
 *                     +----------- done queue ----------+
 *
 * All frames of a connection go to one worker, so their order stays.
 */
#include "client.h"
#include "conn.h"
#include <stdlib.h>
#include <sys/epoll.h>

enum {
	CLIENTS = 4,
	WORKERS = 2,
	EVENTS = 16,
	CONNS_MAX = 8,
	FLIGHT_MAX = 4, /* frames of a connection that the workers have */
	QUEUE = CONNS_MAX * FLIGHT_MAX,
	/* For a connection: what is unfinished, in flight, to be written. */
	MBUFS = CONNS_MAX * 24,
};

struct peer {
	struct conn c;
	struct ibuf_queue *work;
	unsigned flight; /* frames that the workers have */
	int error;       /* it ends when they are back */
	bool used;
};

struct server {
	int epoll, listener;
	struct ibuf_pool *pool;
	struct ibuf_queue *work[WORKERS], *done;
	struct peer peers[CONNS_MAX];
	pthread_t threads[WORKERS];
	int started, served;
};

struct worker {
	struct ibuf_queue *work, *done;
};

static void *
worker_run(void *arg)
{
	struct worker *w = arg;
	struct ibuf_mbuf *m;

	while (ibuf_queue_pop_wait(w->work, &m, NULL) == 0) {
		/* What cannot be answered goes back empty. */
		if (frame_answer(m) != 0)
			ibuf_mbuf_clear(m);
		/* It fits: the queue holds all that can be in flight. */
		if (ibuf_queue_push(w->done, m) != 0)
			abort();
	}
	return NULL;
}

/* Give the workers the frames that are there, but not too many. */
static int
hand_out(struct peer *p)
{
	struct ibuf_mbuf *frame;
	struct peer **from;
	int rc = 0;

	while (p->flight < FLIGHT_MAX &&
	       (rc = frame_next(p->c.in, &frame)) == 1) {
		from = ibuf_mbuf_private(frame);
		*from = p;
		rc = ibuf_queue_push(p->work, frame);
		if (rc != 0) {
			ibuf_mbuf_free(frame);
			return rc;
		}
		p->flight++;
	}
	return rc < 0 ? rc : 0;
}

/* May it read?  If not, the peer's own writes wait in the end. */
static bool
may_read(const struct server *s, const struct peer *p)
{
	return p->error == 0 && !p->c.ended && p->flight < FLIGHT_MAX &&
	       ibuf_mbuf_len(p->c.out) < CONN_OUT_MAX &&
	       ibuf_pool_allocated(s->pool) < MBUFS;
}

static void
end_peer(struct server *s, struct peer *p)
{
	conn_close(&p->c);
	p->used = false;
	s->served++;
}

/* After anything has happened to a connection. */
static void
update(struct server *s, struct peer *p)
{
	struct epoll_event e = {.data.ptr = p};

	if (p->error == 0)
		p->error = hand_out(p);
	if (p->error == 0)
		p->error = conn_write(&p->c);
	if (p->c.ended && p->flight == 0 && ibuf_mbuf_len(p->c.out) == 0)
		p->error = -EPIPE;
	if (may_read(s, p))
		e.events |= EPOLLIN;
	if (p->error == 0 && ibuf_mbuf_len(p->c.out) != 0)
		e.events |= EPOLLOUT;
	if (p->error == 0)
		p->error = epoll_ctl(s->epoll, EPOLL_CTL_MOD, p->c.fd, &e);
	if (p->error == 0)
		return;
	/* The workers' frames name it, so it stays until they are back. */
	epoll_ctl(s->epoll, EPOLL_CTL_DEL, p->c.fd, NULL);
	if (p->flight == 0)
		end_peer(s, p);
}

static void
take_answers(struct server *s)
{
	struct ibuf_mbuf *m;
	struct peer *p;

	while ((m = ibuf_queue_pop(s->done)) != NULL) {
		p = *(struct peer **)ibuf_mbuf_private(m);
		p->flight--;
		if (p->error == 0 && ibuf_mbuf_len(m) == 0)
			p->error = -ENOMEM;
		if (p->error != 0 || ibuf_mbuf_concat(p->c.out, m) != 0)
			ibuf_mbuf_free(m);
	}
}

static void
take_connection(struct server *s)
{
	struct epoll_event e = {0};
	struct peer *p = s->peers;
	int fd = accept(s->listener, NULL, NULL);

	while (p < s->peers + CONNS_MAX && p->used)
		p++;
	if (fd < 0)
		return;
	if (p == s->peers + CONNS_MAX || send_at_once(fd) != 0 ||
	    conn_open(&p->c, fd, s->pool) != 0) {
		close(fd);
		return;
	}
	p->work = s->work[(p - s->peers) % WORKERS];
	p->error = 0;
	p->used = true;
	e.data.ptr = p;
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		end_peer(s, p);
}

static void
serve(struct peer *p, struct server *s, uint32_t events)
{
	ssize_t n;

	if (events & EPOLLIN) {
		n = conn_read(&p->c, s->pool);
		if (n == 0)
			p->c.ended = true;
		else if (n < 0 && n != -EAGAIN && n != -ENOBUFS)
			p->error = (int)n;
	} else if (events & (EPOLLERR | EPOLLHUP)) {
		p->error = -ECONNRESET;
	}
}

static void
run(struct server *s)
{
	struct epoll_event events[EVENTS];
	int i, n;

	while (s->served < CLIENTS) {
		n = epoll_wait(s->epoll, events, EVENTS, -1);
		for (i = 0; i < n; i++)
			if (events[i].data.ptr == &s->listener)
				take_connection(s);
			else if (events[i].data.ptr == s->done)
				take_answers(s);
			else
				serve(events[i].data.ptr, s, events[i].events);
		/* What one has given back, another may use. */
		for (i = 0; i < CONNS_MAX; i++)
			if (s->peers[i].used)
				update(s, &s->peers[i]);
	}
}

static struct ibuf_pool *
bounded_pool(void)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *pool = NULL;

	o.name = "requests";
	o.max = MBUFS;
	o.flags = IBUF_POOL_F_WAIT;
	o.private_size = sizeof(struct peer *);
	return ibuf_pool_create(&pool, &o) == 0 ? pool : NULL;
}

static int
watch(struct server *s, int fd, void *what)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = what};

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e);
}

static bool
start(struct server *s, struct worker *workers)
{
	const unsigned both =
		IBUF_QUEUE_F_SINGLE_PRODUCER | IBUF_QUEUE_F_SINGLE_CONSUMER;
	int i;

	if (ibuf_queue_create(&s->done, QUEUE, IBUF_QUEUE_F_SINGLE_CONSUMER))
		return false;
	for (i = 0; i < WORKERS; i++) {
		if (ibuf_queue_create(&s->work[i], QUEUE, both) != 0)
			return false;
		workers[i] = (struct worker){s->work[i], s->done};
		if (pthread_create(&s->threads[i], NULL, worker_run,
				   &workers[i]) != 0)
			return false;
	}
	return true;
}

/* The workers finish what is in their queues, and end. */
static void
stop(struct server *s)
{
	int i;

	for (i = 0; i < WORKERS; i++) {
		ibuf_queue_close(s->work[i]);
		pthread_join(s->threads[i], NULL);
		ibuf_queue_destroy(s->work[i]);
	}
	ibuf_queue_destroy(s->done);
}

int
main(void)
{
	struct server s = {.pool = bounded_pool()};
	struct client clients[CLIENTS] = {0};
	struct worker workers[WORKERS];
	struct sockaddr_in address;
	struct ibuf_pool_stats stats;

	s.epoll = epoll_create1(EPOLL_CLOEXEC);
	s.listener = listen_here(&address);
	if (s.pool == NULL || s.epoll < 0 || s.listener < 0 ||
	    !start(&s, workers) || watch(&s, s.listener, &s.listener) != 0 ||
	    watch(&s, ibuf_queue_fd(s.done), s.done) != 0 ||
	    !clients_start(clients, CLIENTS, &address))
		return 1;

	run(&s);

	clients_end(clients, CLIENTS);
	stop(&s);
	ibuf_pool_get_stats(s.pool, &stats, sizeof stats);
	printf("copied %zu bytes, made %s mbufs\n", (size_t)stats.copied_bytes,
	       stats.capacity <= MBUFS ? "no more than max" : "too many");
	close(s.listener);
	close(s.epoll);
	printf("in use at the end: %zu\n", ibuf_pool_destroy(s.pool));
	return 0;
}

/* Prints:
 * 4 clients: 1600 of 1600 answers are right
 * copied 0 bytes, made no more than max mbufs
 * in use at the end: 0
 */
