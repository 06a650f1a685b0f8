/*
 * client.c - one connection.
 */
#include "client.h"
#include "../base/address.h"
#include "../base/log.h"
#include "../fanout/pipes.h"
#include "congestion.h"
#include "hold.h"
#include "relay.h"
#include "reply.h"
#include "stretch.h"
#include "worker.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* What an unfinished request may take, beyond its largest argument. */
enum { REQUEST_MAX_BYTES = 1 << 30 };

struct client *
client_new(struct worker *w, int fd)
{
	const struct options *o = &w->relay->options;
	struct epoll_event event = {.events = EPOLLIN};
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	c->worker = w;
	c->events = EPOLLIN;
	c->sub.resp = 2;
	c->unread = w->is_stopping ? UNREAD_STOPPING : 0;
	c->is_trusted = !settings_has_password(&w->relay->settings);
	resp_init(&c->parser, o->max_bulk, c->is_trusted);
	c->card.fd = fd;
	c->card.worker = w;
	c->card.created_ns = w->now_ns;
	atomic_init(&c->card.active_ns, w->now_ns);
	atomic_init(&c->card.resp, 2);
	address_of(fd, c->card.addr, sizeof(c->card.addr), c->card.laddr,
		   sizeof(c->card.laddr));
	event.data.ptr = c;
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		log_line("a client cannot be watched: %s", strerror(errno));
		close(fd);
		free(c);
		return NULL;
	}
	registry_add(&w->relay->registry, &c->card);
	return c;
}

void
client_leave_all(struct client *c, enum kind kind)
{
	fanout_leave_all(&c->worker->fanout, kind, &c->sub);
	atomic_store(&c->card.counts[kind], 0);
}

void
client_free(struct client *c)
{
	if (c->unread & UNREAD_HELD)
		congestion_forget(c);
	for (unsigned kind = 0; kind < KINDS; kind++)
		client_leave_all(c, kind);
	registry_remove(&c->worker->relay->registry, &c->card);
	close(c->card.fd);
	hold_forget(c);
	stretch_forget(c);
	resp_destroy(&c->parser);
	ibuf_mbuf_free(c->in);
	ibuf_mbuf_free(c->out);
	ibuf_mbuf_free(c->reply);
	free(c);
}

void
client_doom(struct client *c)
{
	if (c->is_doomed)
		return;
	c->is_doomed = true;
	c->next_doomed = c->worker->doomed;
	c->worker->doomed = c;
}

size_t
client_subscriptions(const struct client *c)
{
	size_t n = 0;

	for (unsigned kind = 0; kind < KINDS; kind++)
		n += HASH_COUNT(c->sub.mine[kind]);
	return n;
}

/*
 * The bytes, and what it takes to hold them: of many small messages the
 * windows are most.
 */
size_t
client_cost(const struct ibuf_mbuf *m)
{
	enum { WINDOW_BYTES = 64 };

	return m == NULL ? 0
			 : ibuf_mbuf_len(m) +
				   WINDOW_BYTES * ibuf_mbuf_segments(m);
}

size_t
client_pending(const struct client *c)
{
	return client_cost(c->out) + client_cost(c->reply) + c->behind_cost;
}

/* And what of its requests waits for the upstream. */
static size_t
burden(const struct client *c)
{
	return client_pending(c) + c->asked_bytes;
}

void
client_watch(struct client *c)
{
	struct epoll_event event = {.data.ptr = c};

	if (c->unread == 0)
		event.events |= EPOLLIN;
	if (c->out != NULL)
		event.events |= EPOLLOUT;
	if (c->is_doomed || event.events == c->events)
		return;
	if (epoll_ctl(c->worker->epoll, EPOLL_CTL_MOD, c->card.fd, &event) != 0)
		client_doom(c);
	else
		c->events = event.events;
}

void
client_touch(struct client *c)
{
	if (c->is_dirty)
		return;
	c->is_dirty = true;
	c->next_dirty = c->worker->dirty;
	c->worker->dirty = c;
}

void
client_link(struct client *c, struct ibuf_mbuf **chain, struct ibuf_mbuf *m)
{
	if (*chain == NULL) {
		*chain = m;
	} else if (ibuf_mbuf_concat(*chain, m) != 0) {
		ibuf_mbuf_free(m);
		client_doom(c);
	}
}

/* Put m behind all that the client is told. */
static void
put(struct client *c, struct ibuf_mbuf *m)
{
	struct ibuf_mbuf **tail = hold_tail(c);

	if (c->holds == NULL) {
		client_link(c, tail, m);
		return;
	}
	c->behind_cost -= client_cost(*tail);
	client_link(c, tail, m);
	c->behind_cost += client_cost(*tail);
}

void
client_end_reply(struct client *c)
{
	struct ibuf_mbuf *reply = c->reply;

	c->reply = NULL;
	if (reply != NULL)
		put(c, reply);
}

void
client_send(struct client *c, struct ibuf_mbuf *m)
{
	client_end_reply(c);
	put(c, m);
	client_touch(c);
}

void
client_send_bytes(struct client *c, const void *bytes, size_t n)
{
	/* A piece that is full is followed by another, and never moved. */
	if (c->reply != NULL && ibuf_mbuf_tailroom(c->reply) < n)
		client_end_reply(c);
	if (c->reply == NULL)
		c->reply = ibuf_pool_alloc(c->worker->relay->replies);
	if (c->reply == NULL || ibuf_mbuf_append(c->reply, bytes, n) != 0) {
		/* Half an answer would be taken for another one. */
		log_line("out of memory: client %llu is closed",
			 (unsigned long long)c->card.id);
		client_doom(c);
		return;
	}
	client_touch(c);
}

/* Send of the output up to n bytes from their rooms; bytes or -errno. */
static ssize_t
write_some(struct client *c, size_t n)
{
	/* Without memory to cut it there it goes out in one. */
	struct ibuf_mbuf *rest =
		n < ibuf_mbuf_len(c->out) ? ibuf_mbuf_split(c->out, n) : NULL;
	ssize_t sent = ibuf_io_write_socket(c->card.fd, c->out, 0);

	if (rest != NULL)
		client_link(c, &c->out, rest);
	return sent;
}

/*
 * Send of the output what comes next: a stretch that lies in a pipe, or what
 * is before the next one.  *all: how much that was; bytes or -errno.
 */
static ssize_t
write_next(struct client *c, size_t *all)
{
	const struct stretch *s = stretch_first(c);
	size_t from, n;

	*all = ibuf_mbuf_len(c->out);
	if (s == NULL)
		return write_some(c, *all);
	if (s->begin > c->sent) {
		*all = (size_t)(s->begin - c->sent);
		return write_some(c, *all);
	}
	from = (size_t)(c->sent - s->begin);
	*all = s->load->bytes - from;
	n = pipes_send(&c->worker->fanout.pipes, s->load, from, c->card.fd);
	/* Whatever hinders it, this is told of it. */
	if (n == 0)
		return write_some(c, *all);
	(void)ibuf_mbuf_trim_head(c->out, n);
	/* Each piece costs a tee() of all: more than to copy little ones. */
	if (from > 0 && n < *all && n < PIPES_LEAST_BYTES)
		stretch_forget(c);
	return (ssize_t)n;
}

/* Send what the socket takes. */
static void
write_out(struct client *c)
{
	size_t all;
	ssize_t n;

	client_end_reply(c);
	if (c->out == NULL || c->is_doomed)
		return;
	do {
		n = write_next(c, &all);
		if (n > 0) {
			count(&c->worker->counters.bytes_out, (uint64_t)n);
			c->sent += (uint64_t)n;
		}
	} while (n == (ssize_t)all && ibuf_mbuf_len(c->out) > 0);
	if (n < 0 && n != -EAGAIN && n != -ENOMEM && n != -ENOBUFS)
		client_doom(c);
	(void)stretch_first(c); /* lets go of what is sent */
	if (ibuf_mbuf_len(c->out) == 0) {
		ibuf_mbuf_free(c->out);
		c->out = NULL;
	}
}

void
client_flush(struct client *c)
{
	size_t limit = settings_output_limit(&c->worker->relay->settings);

	write_out(c);
	if ((c->unread & UNREAD_ENDING) && c->out == NULL && c->holds == NULL)
		client_doom(c);
	if (c->is_full && client_pending(c) <= limit / 2)
		congestion_end(c);
	/* Once it stops, other workers may not hear us any more. */
	if ((c->unread & UNREAD_PAUSED) && burden(c) <= limit / 4 &&
	    !(c->unread & UNREAD_STOPPING)) {
		client_clear(c, UNREAD_PAUSED);
		client_execute(c);
	}
	atomic_store_explicit(&c->card.output, client_pending(c),
			      memory_order_relaxed);
	client_watch(c);
}

static struct client *
client_of(struct subscriber *s)
{
	return (void *)((char *)s - offsetof(struct client, sub));
}

void
client_push(struct subscriber *to, struct ibuf_mbuf *frame, size_t messages,
	    struct load *load)
{
	struct client *c = client_of(to);
	const struct settings *s = &c->worker->relay->settings;
	size_t limit = settings_output_limit(s);
	enum slow slow = settings_slow(s);
	struct counters *counters = &c->worker->counters;
	size_t more = client_cost(frame);
	bool is_over;

	if (c->is_doomed || (c->unread & UNREAD_ENDING)) {
		ibuf_mbuf_free(frame);
		return;
	}
	/* It may only be that nothing was sent yet in this round. */
	if (client_pending(c) + more > limit)
		write_out(c);
	is_over = client_pending(c) + more > limit;
	if (is_over && slow == SLOW_BLOCK)
		congestion_begin(c);
	if (!is_over || slow == SLOW_BLOCK) {
		count(&counters->delivered, messages);
		if (load != NULL)
			stretch_add(c, load);
		client_send(c, frame);
		return;
	}
	ibuf_mbuf_free(frame);
	if (slow == SLOW_DROP) {
		count(&counters->dropped, messages);
		atomic_fetch_add_explicit(&c->card.dropped, messages,
					  memory_order_relaxed);
		client_touch(c);
		return;
	}
	count(&counters->slow_closed, 1);
	log_line("client %llu at %s is too slow: closed, %zu bytes wait and "
		 "%zu came, more than %zu",
		 (unsigned long long)c->card.id, c->card.addr,
		 client_pending(c), more, limit);
	client_doom(c);
}

void
client_execute(struct client *c)
{
	size_t limit = settings_output_limit(&c->worker->relay->settings);
	enum resp_result r = RESP_REQUEST;

	while (c->in != NULL && !c->is_doomed &&
	       !(c->unread & (UNREAD_ENDING | UNREAD_HELD))) {
		if (burden(c) > limit / 2) {
			c->unread |= UNREAD_PAUSED;
			break;
		}
		r = resp_next(&c->parser, c->in);
		if (r != RESP_REQUEST)
			break;
		c->worker->relay->execute(c);
	}
	if (r == RESP_ERROR) {
		count(&c->worker->counters.protocol_errors, 1);
		reply_error(c, "ERR Protocol error: %s", c->parser.error);
		c->unread |= UNREAD_ENDING;
	} else if (r == RESP_NOMEM) {
		reply_error(c, "ERR out of memory");
		c->unread |= UNREAD_ENDING;
	}
	/* A request that is held is needed still, where it is. */
	if (!(c->unread & UNREAD_HELD))
		resp_consume(&c->parser, &c->in);
	if (c->in != NULL &&
	    ibuf_mbuf_len(c->in) > REQUEST_MAX_BYTES + c->parser.max_bulk) {
		log_line("client %llu has too many requests pending: closed",
			 (unsigned long long)c->card.id);
		client_doom(c);
	}
	atomic_store_explicit(&c->card.input,
			      c->in != NULL ? ibuf_mbuf_len(c->in) : 0,
			      memory_order_relaxed);
	client_touch(c);
}

void
client_readable(struct client *c)
{
	struct worker *w = c->worker;
	struct ibuf_mbuf *read;
	ssize_t n;

	if (c->is_doomed || !(c->events & EPOLLIN))
		return;
	n = worker_read(w, c->card.fd, &read);
	if (n == -EAGAIN)
		return;
	if (n == -ENOBUFS) {
		c->unread |= UNREAD_STARVED;
		client_watch(c);
		return;
	}
	if (n == 0 && c->holds != NULL) {
		c->unread |= UNREAD_ENDING;
		client_watch(c);
		return;
	}
	if (n <= 0) {
		/* Who says no more may still listen to the answers. */
		write_out(c);
		client_doom(c);
		return;
	}
	count(&w->counters.bytes_in, (uint64_t)n);
	client_link(c, &c->in, read);
	/* What others published before this came goes out before it. */
	worker_take_posts(w);
	client_execute(c);
}
