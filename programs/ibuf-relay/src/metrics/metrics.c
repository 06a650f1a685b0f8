/*
 * metrics.c - the statistics for Prometheus, on a port of their own.
 *
 *	accept --> ASKING --head is whole--> ANSWERING --all sent--> LEAVING
 *
 * Who leaves is given time to close first: closing a socket that has bytes
 * to read resets the connection, and the answer might be lost with it.
 */
#include "metrics.h"
#include "../../../common/complain.h"
#include "../base/clock.h"
#include "../server/listen.h"
#include "../server/relay.h"
#include "http.h"
#include "stats.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPT_PAUSE_MS = 100 };

enum { STOP, LISTENER, FIRST_SCRAPER, POLLED = FIRST_SCRAPER + SCRAPERS };

struct scraper {
	int fd; /* -1: the place is free */
	enum { ASKING, ANSWERING, LEAVING } state;
	uint64_t end_ns;
	struct ibuf_mbuf *answer;
	size_t len;  /* of what it has asked so far */
	unsigned at; /* its place among what is polled; 0: none */
	char asked[HTTP_HEAD_MAX_BYTES];
};

struct metrics {
	struct relay *relay;
	pthread_t thread;
	int listener, stop;
	bool is_paused; /* accepts nobody for now */
	struct scraper scrapers[SCRAPERS];
};

static void
leave(struct scraper *s)
{
	close(s->fd);
	s->fd = -1;
	ibuf_mbuf_free(s->answer);
	s->answer = NULL;
}

static struct scraper *
find_place(struct metrics *m)
{
	struct scraper *oldest = &m->scrapers[0];

	for (unsigned i = 0; i < SCRAPERS; i++) {
		struct scraper *s = &m->scrapers[i];

		if (s->fd < 0)
			return s;
		if (s->end_ns < oldest->end_ns)
			oldest = s;
	}
	leave(oldest);
	return oldest;
}

static void
accept_one(struct metrics *m)
{
	int fd = accept4(m->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct scraper *s;

	if (fd < 0) {
		/* Out of descriptors it must not turn in circles. */
		m->is_paused = errno != EAGAIN;
		return;
	}
	s = find_place(m);
	s->fd = fd;
	s->state = ASKING;
	s->len = 0;
	s->end_ns = clock_now_ns() + (uint64_t)SCRAPE_MAX_MS * 1000000;
}

/* NULL: no memory. */
static struct ibuf_mbuf *
make_answer(struct relay *r, const struct http_request *q)
{
	const char *type = "text/plain; charset=utf-8";
	struct ibuf_mbuf *head = ibuf_mbuf_new(256);
	struct ibuf_mbuf *body = ibuf_mbuf_new(8192);
	int error = head != NULL && body != NULL ? 0 : -ENOMEM;

	if (error == 0 && q->status == 200) {
		type = "text/plain; version=0.0.4; charset=utf-8";
		error = stats_print_metrics(r, body);
	} else if (error == 0) {
		error = ibuf_mbuf_printf(body, "%s\n", http_reason(q->status));
	}
	if (error == 0)
		error = http_print_head(head, q->status, type,
					ibuf_mbuf_len(body));
	if (error == 0 && !q->is_head) {
		error = ibuf_mbuf_concat(head, body);
		body = error == 0 ? NULL : body;
	}
	ibuf_mbuf_free(body);
	if (error != 0) {
		ibuf_mbuf_free(head);
		head = NULL;
	}
	return head;
}

static void
answer(struct scraper *s)
{
	ssize_t n = ibuf_io_write_socket(s->fd, s->answer, 0);

	if (n < 0 && n != -EAGAIN) {
		leave(s);
	} else if (ibuf_mbuf_len(s->answer) == 0) {
		shutdown(s->fd, SHUT_WR);
		s->state = LEAVING;
	}
}

static void
listen_to(struct metrics *m, struct scraper *s)
{
	ssize_t n = read(s->fd, s->asked + s->len, sizeof(s->asked) - s->len);
	struct http_request q;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		leave(s);
		return;
	}
	/* Of what follows the question as much is passed over, and no more. */
	s->len += (size_t)n;
	if (s->state == LEAVING || !http_read(s->asked, s->len, "/metrics", &q))
		return;
	s->len = 0;
	s->state = ANSWERING;
	s->answer = make_answer(m->relay, &q);
	if (s->answer != NULL)
		answer(s);
	else
		leave(s);
}

static void
serve(struct metrics *m, struct scraper *s, short events)
{
	if (s->state == ANSWERING)
		answer(s);
	else if (events != 0)
		listen_to(m, s);
}

/*
 * What to wait for, n of them; returns for how long, -1: until it comes.
 * poll() refuses more places than there may be descriptors, also free ones.
 */
static int
prepare(struct metrics *m, struct pollfd polled[POLLED], nfds_t *n)
{
	uint64_t now_ns = clock_now_ns(), first_ns = UINT64_MAX;

	polled[STOP] = (struct pollfd){.fd = m->stop, .events = POLLIN};
	polled[LISTENER] = (struct pollfd){
		.fd = m->is_paused ? -1 : m->listener,
		.events = POLLIN,
	};
	if (m->is_paused)
		first_ns = now_ns + (uint64_t)ACCEPT_PAUSE_MS * 1000000;
	*n = FIRST_SCRAPER;
	for (unsigned i = 0; i < SCRAPERS; i++) {
		struct scraper *s = &m->scrapers[i];

		if (s->fd >= 0 && s->end_ns <= now_ns)
			leave(s);
		s->at = 0;
		if (s->fd < 0)
			continue;
		s->at = (unsigned)*n;
		polled[(*n)++] = (struct pollfd){
			.fd = s->fd,
			.events = s->state == ANSWERING ? POLLOUT : POLLIN,
		};
		if (s->end_ns < first_ns)
			first_ns = s->end_ns;
	}
	if (first_ns == UINT64_MAX)
		return -1;
	return (int)((first_ns - now_ns) / 1000000) + 1;
}

static void *
run(void *arg)
{
	struct metrics *m = arg;
	struct pollfd polled[POLLED];

	for (;;) {
		nfds_t n;
		int timeout_ms = prepare(m, polled, &n);

		if (poll(polled, n, timeout_ms) < 0)
			continue;
		m->is_paused = false;
		if (polled[STOP].revents != 0)
			return NULL;
		for (unsigned i = 0; i < SCRAPERS; i++) {
			struct scraper *s = &m->scrapers[i];

			if (s->at != 0 && polled[s->at].revents != 0)
				serve(m, s, polled[s->at].revents);
		}
		if (polled[LISTENER].revents != 0)
			accept_one(m);
	}
}

struct metrics *
metrics_start(struct relay *r)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		complain("out of memory");
		return NULL;
	}
	m->relay = r;
	for (unsigned i = 0; i < SCRAPERS; i++)
		m->scrapers[i].fd = -1;
	m->listener = listen_tcp(r->options.bind, r->options.metrics_port);
	if (m->listener < 0)
		goto no_listener;
	m->stop = eventfd(0, EFD_CLOEXEC);
	if (m->stop < 0)
		goto no_stop;
	errno = pthread_create(&m->thread, NULL, run, m);
	if (errno == 0)
		return m;
	close(m->stop);
no_stop:
	complain("cannot serve metrics: %s", strerror(errno));
	close(m->listener);
no_listener:
	free(m);
	return NULL;
}

void
metrics_stop(struct metrics *m)
{
	uint64_t one = 1;

	if (m == NULL)
		return;
	if (write(m->stop, &one, sizeof(one)) < 0)
		abort(); /* an eventfd takes a one */
	pthread_join(m->thread, NULL);
	for (unsigned i = 0; i < SCRAPERS; i++)
		if (m->scrapers[i].fd >= 0)
			leave(&m->scrapers[i]);
	close(m->stop);
	close(m->listener);
	free(m);
}
