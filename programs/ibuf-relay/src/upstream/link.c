/*
 * link.c - a connection to a server upstream.
 */
#include "link.h"
#include "../base/log.h"
#include "dial.h"
#include "upstream.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#define MS UINT64_C(1000000)

/* A pause doubles from the least to the most, and is cut by chance. */
#define BACKOFF_LEAST_NS (100 * MS)
#define BACKOFF_MOST_NS (5000 * MS)

/* How long connecting may take, and an answer while nothing is heard. */
#define CONNECT_NS (5000 * MS)
#define SILENCE_NS (10000 * MS)

/* What its name there may take: of some hundred relays. */
enum { PATH_BYTES = 4096 };

/* How often it looks whether the host is found. */
#define LOOK_NS (10 * MS)

/* How often HELLO is said: it tells the role of the server too. */
#define HELLO_NS (5000 * MS)

struct link *
link_new(struct upstream *u, const struct url_host *host)
{
	struct link *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->upstream = u;
	l->host = *host;
	l->fd = -1;
	l->state = LINK_IDLE;
	return l;
}

static void
hang_up(struct link *l)
{
	dial_end(l->dial);
	l->dial = NULL;
	if (l->fd < 0)
		return;
	close(l->fd);
	l->fd = -1;
	answer_destroy(&l->parser);
	ibuf_mbuf_free(l->in);
	ibuf_mbuf_free(l->out);
	l->in = NULL;
	l->out = NULL;
	l->is_starved = false;
}

void
link_free(struct link *l)
{
	hang_up(l);
	free(l);
}

bool
link_is_hopeless(const struct link *l)
{
	return l->is_looped ||
	       (l->state != LINK_READY &&
		l->upstream->now_ns - l->down_ns > UPSTREAM_PATIENCE_NS);
}

size_t
link_input(const struct link *l)
{
	return l->in != NULL ? ibuf_mbuf_len(l->in) : 0;
}

void
link_want(struct link *l)
{
	if (l->state != LINK_IDLE)
		return;
	l->state = LINK_PAUSING;
	l->down_ns = l->upstream->now_ns;
	l->try_ns = l->upstream->now_ns;
}

/* The pause before the next try: the whole back-off, or half, or between. */
static void
pause_link(struct link *l)
{
	uint64_t half;

	if (l->backoff_ns == 0)
		l->backoff_ns = BACKOFF_LEAST_NS;
	half = l->backoff_ns / 2;
	l->try_ns = l->upstream->now_ns + half +
		    upstream_chance(l->upstream) % half;
	l->backoff_ns *= 2;
	if (l->backoff_ns > BACKOFF_MOST_NS)
		l->backoff_ns = BACKOFF_MOST_NS;
}

/* One that the cluster has told us of.  NULL: there are fewer. */
static const struct url_host *
learnt_host(const struct upstream *u, size_t n)
{
	const struct link *l;

	for (l = u->links; l != NULL; l = l->next)
		if (l != u->main && n-- == 0)
			return &l->host;
	return NULL;
}

/*
 * The main link goes through the hosts of the URL, then through the nodes
 * that it knows besides, and pauses after the last.
 */
static void
choose_host(struct link *l, bool was_up)
{
	const struct url *url = &l->upstream->relay->options.upstream;
	const struct url_host *host = NULL;

	l->turn = was_up ? 0 : l->turn + 1;
	if (l->turn >= url->count)
		host = learnt_host(l->upstream, l->turn - url->count);
	if (l->turn >= url->count && host == NULL)
		l->turn = 0;
	l->host = host != NULL ? *host : url->hosts[l->turn];
	if (l->turn == 0)
		pause_link(l);
	else
		l->try_ns = l->upstream->now_ns;
}

void
link_lose(struct link *l, const char *why, ...)
{
	va_list args;

	if (l->is_lost)
		return;
	l->is_lost = true;
	va_start(args, why);
	vsnprintf(l->why, sizeof(l->why), why, args);
	va_end(args);
}

void
link_bury(struct link *l)
{
	struct upstream *u = l->upstream;
	bool was_up = l->state == LINK_READY;

	log_line("upstream %s port %s is %s: %s", l->host.host, l->host.port,
		 was_up ? "lost" : "not reached", l->why);
	upstream_note(u, l->why);
	hang_up(l);
	l->is_lost = false;
	l->state = LINK_PAUSING;
	if (was_up) {
		l->down_ns = u->now_ns;
		/* One that breaks at once is not a good one. */
		if (u->now_ns - l->ready_ns > BACKOFF_MOST_NS)
			l->backoff_ns = 0;
	}
	if (l->is_main)
		choose_host(l, was_up);
	else
		pause_link(l);
	upstream_lost(u, l);
}

bool
link_say(struct link *l, struct ibuf_mbuf *m, struct due due)
{
	struct due *put = malloc(sizeof(*put));
	size_t n;

	if (m == NULL || put == NULL)
		goto fail;
	n = ibuf_mbuf_len(m);
	if (l->out == NULL)
		l->out = m;
	else if (ibuf_mbuf_concat(l->out, m) != 0)
		goto fail;
	l->said += n;
	due.end = l->said;
	*put = due;
	DL_APPEND(l->dues, put);
	return true;
fail:
	free(put);
	ibuf_mbuf_free(m);
	link_lose(l, "out of memory");
	return false;
}

bool
link_take_due(struct link *l, struct due *due)
{
	struct due *first = l->dues;

	if (first == NULL)
		return false;
	*due = *first;
	DL_DELETE(l->dues, first);
	free(first);
	return true;
}

static bool
add_bulk(struct ibuf_mbuf *m, const char *text)
{
	return ibuf_mbuf_printf(m, "$%zu\r\n%s\r\n", strlen(text), text) == 0;
}

static void
say_hello(struct link *l)
{
	const struct url *url = &l->upstream->relay->options.upstream;
	bool is_known = l->state == LINK_READY || url->password[0] == '\0';
	char path[PATH_BYTES];
	struct ibuf_mbuf *m = ibuf_pool_alloc(l->upstream->relay->replies);
	bool is_good = m != NULL &&
		       ibuf_mbuf_printf(m, "*%u\r\n", is_known ? 4 : 7) == 0 &&
		       add_bulk(m, "HELLO") && add_bulk(m, "3");

	relay_path(l->upstream->relay, path, sizeof(path));
	is_good = is_good && add_bulk(m, "SETNAME") && add_bulk(m, path);
	if (!is_known)
		is_good = is_good && add_bulk(m, "AUTH") &&
			  add_bulk(m, url->user) && add_bulk(m, url->password);
	if (!is_good) {
		ibuf_mbuf_free(m);
		m = NULL;
	}
	l->hello_ns = l->upstream->now_ns;
	link_say(l, m, (struct due){.what = DUE_HELLO});
}

static void
watch(struct link *l)
{
	struct epoll_event event = {.data.ptr = l};

	if (!l->is_starved)
		event.events |= EPOLLIN;
	if (l->out != NULL || l->state == LINK_CONNECTING)
		event.events |= EPOLLOUT;
	if (event.events == l->events)
		return;
	if (epoll_ctl(l->upstream->epoll, EPOLL_CTL_MOD, l->fd, &event) != 0)
		link_lose(l, "%s", strerror(errno));
	else
		l->events = event.events;
}

static void
look_for(struct link *l)
{
	l->late_ns = l->upstream->now_ns + CONNECT_NS;
	l->state = LINK_LOOKING;
	l->dial = dial_begin(&l->host);
	if (l->dial == NULL)
		link_lose(l, "out of memory");
}

static void
connect_link(struct link *l)
{
	struct upstream *u = l->upstream;
	struct epoll_event event = {.events = EPOLLOUT, .data.ptr = l};
	const char *why;

	l->fd = dial_connect(l->dial, upstream_chance(u), &why);
	dial_end(l->dial);
	l->dial = NULL;
	if (l->fd >= 0 &&
	    epoll_ctl(u->epoll, EPOLL_CTL_ADD, l->fd, &event) != 0) {
		why = strerror(errno);
		close(l->fd);
		l->fd = -1;
	}
	if (l->fd < 0) {
		link_lose(l, "%s", why);
		return;
	}
	l->state = LINK_CONNECTING;
	l->events = event.events;
	l->said = 0;
	l->sent = 0;
	answer_init(&l->parser, u->relay->options.max_bulk);
}

static void
finish_connecting(struct link *l)
{
	socklen_t len = sizeof(int);
	int error = 0;

	getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error != 0) {
		link_lose(l, "%s", strerror(error));
		return;
	}
	l->state = LINK_GREETING;
	l->heard_ns = l->upstream->now_ns;
	say_hello(l);
}

void
link_greet_again(struct link *l)
{
	if (l->state == LINK_READY && !l->is_lost)
		say_hello(l);
}

void
link_greeted(struct link *l)
{
	l->state = LINK_READY;
	l->ready_ns = l->upstream->now_ns;
	log_line("upstream %s port %s is ready", l->host.host, l->host.port);
}

static void
hear(struct link *l)
{
	enum answer_result r = ANSWER_MORE;

	while (!l->is_lost &&
	       (r = answer_next(&l->parser, l->in)) == ANSWER_WHOLE)
		upstream_heard(l->upstream, l);
	if (r == ANSWER_ERROR)
		link_lose(l, "%s", l->parser.error);
	answer_consume(&l->parser, &l->in);
}

void
link_read(struct link *l)
{
	struct upstream *u = l->upstream;
	struct ibuf_mbuf *read;
	ssize_t n;

	if (upstream_is_held(u)) {
		u->is_held = true;
		l->is_starved = true;
		return;
	}
	n = upstream_read(u, l->fd, &read);
	if (n == -EAGAIN)
		return;
	l->is_starved = n == -ENOBUFS;
	if (l->is_starved)
		return;
	if (n <= 0) {
		link_lose(l, "%s",
			  n == 0 ? "it has closed the connection"
				 : strerror((int)-n));
		return;
	}
	l->heard_ns = u->now_ns;
	if (l->in == NULL) {
		l->in = read;
	} else if (ibuf_mbuf_concat(l->in, read) != 0) {
		ibuf_mbuf_free(read);
		link_lose(l, "an answer is too long");
		return;
	}
	hear(l);
}

void
link_handle(struct link *l, unsigned events)
{
	if (l->fd < 0 || l->is_lost)
		return;
	if (l->state == LINK_CONNECTING)
		finish_connecting(l);
	else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		link_read(l);
}

void
link_flush(struct link *l)
{
	ssize_t n;

	if (l->is_lost)
		return;
	if (l->out != NULL && l->state >= LINK_GREETING) {
		n = ibuf_io_write_socket(l->fd, l->out, 0);
		if (n < 0 && n != -EAGAIN && n != -ENOMEM && n != -ENOBUFS) {
			link_lose(l, "%s", strerror((int)-n));
			return;
		}
		if (n > 0) {
			l->sent += (uint64_t)n;
			count(&l->upstream->counts.bytes_out, (uint64_t)n);
		}
		if (ibuf_mbuf_len(l->out) == 0) {
			ibuf_mbuf_free(l->out);
			l->out = NULL;
		}
	}
	if (l->fd >= 0)
		watch(l);
}

/* When it must have come up, or tries to. */
static uint64_t
tick_down(struct link *l)
{
	uint64_t now_ns = l->upstream->now_ns;

	if (l->state == LINK_PAUSING) {
		if (now_ns < l->try_ns)
			return l->try_ns;
		look_for(l);
	}
	if (l->state == LINK_LOOKING && !l->is_lost && dial_is_done(l->dial))
		connect_link(l);
	if (now_ns >= l->late_ns)
		link_lose(l, "it does not answer");
	if (l->is_lost)
		return now_ns;
	/* Nobody tells that it is found. */
	return l->state == LINK_LOOKING ? now_ns + LOOK_NS : l->late_ns;
}

uint64_t
link_tick(struct link *l)
{
	uint64_t now_ns = l->upstream->now_ns;

	if (l->state == LINK_IDLE)
		return UINT64_MAX;
	if (l->state != LINK_READY)
		return tick_down(l);
	if (l->dues != NULL && !l->is_starved &&
	    now_ns - l->heard_ns > SILENCE_NS)
		link_lose(l, "it does not answer");
	else if (now_ns - l->hello_ns >= HELLO_NS)
		say_hello(l);
	return l->is_lost ? now_ns : l->hello_ns + HELLO_NS;
}
