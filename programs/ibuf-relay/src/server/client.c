/*
 * client.c - one connection.
 */
#include "client.h"
#include "../base/address.h"
#include "../base/log.h"
#include "../base/memory.h"
#include "congestion.h"
#include "hold.h"
#include "multi.h"
#include "relay.h"
#include "reply.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* What an unfinished request may take, beyond its largest argument. */
enum { REQUEST_MAX_BYTES = 1 << 30 };

/* After the first wrong password, doubled with each so often. */
#define WRONG_NS UINT64_C(100000000)
enum { WRONG_MOST = 5 };

/* What may wait for who asks for more, while memory is used up. */
enum { STARVED_BURDEN_BYTES = 16 << 10 };

void
client_leave_all(struct client *c, enum kind kind)
{
	fanout_leave_all(&c->worker->fanout, kind, &c->sub);
	atomic_store(&c->card.counts[kind], 0);
}

static void
forget_slowed(struct client *c)
{
	struct client **at = &c->worker->slowed;

	while (*at != c)
		at = &(*at)->next_slowed;
	*at = c->next_slowed;
}

/* It is not heard until then. */
static void
slow_until(struct client *c, uint64_t ns)
{
	c->slowed_ns = ns;
	if (c->unread & UNREAD_SLOWED)
		return;
	c->unread |= UNREAD_SLOWED;
	c->next_slowed = c->worker->slowed;
	c->worker->slowed = c;
}

void
client_slow(struct client *c)
{
	unsigned doubled = c->wrong_passwords < WRONG_MOST ? c->wrong_passwords
							   : WRONG_MOST;
	struct doors *doors = &c->worker->relay->doors;
	uint64_t now_ns = c->worker->now_ns;
	uint64_t own_ns = now_ns + (WRONG_NS << doubled), all_ns;

	c->wrong_passwords++;
	doors_wrong(doors, c->card.addr, now_ns);
	all_ns = doors_until(doors, c->card.addr);
	slow_until(c, all_ns > own_ns ? all_ns : own_ns);
}

/* Of an address that has said too many wrong passwords. */
static void
slow_stranger(struct client *c)
{
	uint64_t ns = 0;

	if (!c->is_trusted)
		ns = doors_until(&c->worker->relay->doors, c->card.addr);
	if (ns <= c->worker->now_ns)
		return;
	slow_until(c, ns);
	client_watch(c);
}

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
		log_warning("a client cannot be watched: %s", strerror(errno));
		close(fd);
		free(c);
		return NULL;
	}
	memory_count(MEMORY_CLIENTS, sizeof(*c));
	registry_add(&w->relay->registry, &c->card);
	slow_stranger(c);
	return c;
}

void
client_free(struct client *c)
{
	if (c->unread & UNREAD_HELD)
		congestion_forget(c);
	if (c->unread & UNREAD_SLOWED)
		forget_slowed(c);
	multi_free(c);
	for (unsigned kind = 0; kind < KINDS; kind++)
		client_leave_all(c, kind);
	registry_remove(&c->worker->relay->registry, &c->card);
	close(c->card.fd);
	hold_forget(c);
	resp_destroy(&c->parser);
	ibuf_mbuf_free(c->in);
	output_destroy(&c->output);
	free(c);
	memory_count(MEMORY_CLIENTS, -(ptrdiff_t)sizeof(*c));
}

/* What waits to be sent, and what of its requests waits for the upstream. */
static size_t
burden(const struct client *c)
{
	return output_cost(&c->output) + c->asked_bytes;
}

void
client_watch(struct client *c)
{
	struct epoll_event event = {.data.ptr = c};

	if (c->unread == 0)
		event.events |= EPOLLIN;
	if (c->output.is_blocked)
		event.events |= EPOLLOUT;
	if (c->is_doomed || event.events == c->events)
		return;
	if (epoll_ctl(c->worker->epoll, EPOLL_CTL_MOD, c->card.fd, &event) != 0)
		client_doom(c);
	else
		c->events = event.events;
}

/* Send what the socket takes. */
static void
write_out(struct client *c)
{
	ssize_t n;

	if (c->is_doomed || !output_has_work(&c->output))
		return;
	n = output_write(&c->output, c->card.fd);
	if (n > 0)
		count(&c->worker->counters.bytes_out, (uint64_t)n);
	else if (n < 0 && n != -EAGAIN && n != -ENOMEM && n != -ENOBUFS)
		client_doom(c);
	else if (n < 0)
		c->output.is_blocked = true; /* epoll tries again */
}

void
client_flush(struct client *c)
{
	size_t limit = settings_output_limit(&c->worker->relay->settings);

	write_out(c);
	if ((c->unread & UNREAD_ENDING) && c->output.count == 0)
		client_doom(c);
	if (c->is_full && output_cost(&c->output) <= limit / 2)
		congestion_end(c);
	/* Once it stops, other workers may not hear us any more. */
	if ((c->unread & UNREAD_PAUSED) && burden(c) <= limit / 4 &&
	    !(c->unread & UNREAD_STOPPING)) {
		client_clear(c, UNREAD_PAUSED);
		client_execute(c);
	}
	atomic_store_explicit(&c->card.output, output_cost(&c->output),
			      memory_order_relaxed);
	client_watch(c);
}

static struct client *
client_of(struct subscriber *s)
{
	return (void *)((char *)s - offsetof(struct client, sub));
}

/* It is past its limit: what is done about this frame. */
static void
refuse(struct client *c, const struct frame *frame, size_t limit)
{
	struct counters *counters = &c->worker->counters;

	if (settings_slow(&c->worker->relay->settings) == SLOW_DROP) {
		count(&counters->dropped, frame->messages);
		count(&c->card.dropped, frame->messages);
		return;
	}
	count(&counters->slow_closed, 1);
	log_warning("client %llu at %s is too slow: closed, %zu bytes wait and "
		    "%zu came, more than %zu",
		    (unsigned long long)c->card.id, c->card.addr,
		    output_cost(&c->output), frame->len, limit);
	client_doom(c);
}

void
client_push(struct subscriber *to, struct frame *frame)
{
	struct client *c = client_of(to);
	const struct settings *s = &c->worker->relay->settings;
	size_t limit = settings_output_limit(s);

	if (c->is_doomed || (c->unread & UNREAD_ENDING))
		return;
	/* It may only be that nothing was sent yet in this round. */
	if (output_cost(&c->output) + frame->len > limit &&
	    !c->output.is_blocked)
		write_out(c);
	if (output_cost(&c->output) + frame->len > limit) {
		if (settings_slow(s) != SLOW_BLOCK) {
			refuse(c, frame, limit);
			return;
		}
		congestion_begin(c);
	}
	if (!output_add(&c->output, frame)) {
		log_warning("out of memory: client %llu is closed",
			    (unsigned long long)c->card.id);
		client_doom(c);
		return;
	}
	count(&c->worker->counters.delivered, frame->messages);
	if (!c->output.is_blocked)
		client_touch(c);
	else
		atomic_store_explicit(&c->card.output, output_cost(&c->output),
				      memory_order_relaxed);
}

void
client_execute(struct client *c)
{
	struct worker *w = c->worker;
	size_t limit = settings_output_limit(&w->relay->settings) / 2;
	enum resp_result r = RESP_REQUEST;

	if (w->starved_since_ns != 0 && limit > STARVED_BURDEN_BYTES)
		limit = STARVED_BURDEN_BYTES;
	while (c->in != NULL && !c->is_doomed &&
	       !(c->unread & (UNREAD_ENDING | UNREAD_HELD | UNREAD_SLOWED))) {
		if (burden(c) > limit) {
			c->unread |= UNREAD_PAUSED;
			break;
		}
		r = resp_next(&c->parser, c->in);
		if (r != RESP_REQUEST)
			break;
		w->relay->execute(c);
	}
	if (r == RESP_ERROR) {
		count(&w->counters.protocol_errors, 1);
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
		log_warning("client %llu has too many requests pending: closed",
			    (unsigned long long)c->card.id);
		client_doom(c);
	}
	atomic_store_explicit(&c->card.input,
			      c->in != NULL ? ibuf_mbuf_len(c->in) : 0,
			      memory_order_relaxed);
	client_touch(c);
}

void
client_take(struct client *c, struct ibuf_mbuf *read)
{
	if (c->in == NULL) {
		c->in = read;
	} else if (ibuf_mbuf_concat(c->in, read) != 0) {
		ibuf_mbuf_free(read);
		client_doom(c);
	}
	if (!c->is_doomed)
		client_execute(c);
}
