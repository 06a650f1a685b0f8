/*
 * load.c - one publisher and many subscribers of one channel.
 */
#include "load.h"
#include "usage.h"
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CHANNEL "bench"

enum { EVENTS = 256, READ_BYTES = 256 * 1024, FEED_BYTES = 16 * 1024 };

/* ---- what hiredis has parsed ------------------------------------------ */

/* hiredis wants an object for each reply; these keep none. */
static char parsed[1];

static void
take_message(struct listener *l, const void *payload)
{
	struct load *load = l->load;
	struct stamp stamp;
	size_t *had;

	memcpy(&stamp, payload, sizeof(stamp));
	if (stamp.number != l->next)
		errx(1, "message %llu came for %llu",
		     (unsigned long long)stamp.number,
		     (unsigned long long)l->next);
	l->next++;
	if (l->is_exact && memcmp((const char *)payload + sizeof(stamp),
				  load->payload + sizeof(stamp),
				  load->options.size - sizeof(stamp)) != 0)
		errx(1, "message %llu is damaged",
		     (unsigned long long)stamp.number);
	load->latencies[load->latency_count++ % LATENCIES] =
		(float)(usage_now() - stamp.sent);
	load->deliveries++;
	had = &load->had[stamp.number % load->options.window];
	if (++*had == load->options.listeners) {
		*had = 0;
		load->done++;
	}
}

/* "message", the channel, the payload. */
static void *
take_string(const redisReadTask *task, char *bytes, size_t n)
{
	struct listener *l = task->privdata;

	if (l == NULL || task->parent == NULL)
		errx(1, "the server says %.*s", (int)n, bytes);
	if (task->idx == 2) {
		if (n != l->load->options.size)
			errx(1, "a message of %zu bytes came", n);
		take_message(l, bytes);
	}
	return parsed;
}

static void *
take_array(const redisReadTask *task, int n)
{
	(void)task;
	(void)n;
	return parsed;
}

/* How many a message goes to. */
static void *
take_integer(const redisReadTask *task, long long n)
{
	const struct load *load = task->privdata;

	if (n != (long long)load->options.listeners)
		errx(1, "a message went to %lld subscribers", n);
	return parsed;
}

static void
forget(void *object)
{
	(void)object;
}

static redisReplyObjectFunctions listening = {
	.createString = take_string,
	.createArray = take_array,
	.freeObject = forget,
};

static redisReplyObjectFunctions publishing = {
	.createString = take_string, /* an error */
	.createInteger = take_integer,
	.freeObject = forget,
};

/* ---- connections ------------------------------------------------------ */

static redisContext *
connect_one(struct load *load)
{
	const struct load_options *o = &load->options;
	redisContext *c = o->unix_path != NULL
				  ? redisConnectUnix(o->unix_path)
				  : redisConnect("127.0.0.1", o->port);

	if (c == NULL || c->err != 0)
		errx(1, "cannot connect: %s", c != NULL ? c->errstr : "memory");
	return c;
}

/* From here on it does not block, and its replies are only looked at. */
static void
watch(struct load *load, redisContext *c, redisReplyObjectFunctions *replies,
      void *data, void *event_data)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = event_data};

	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0 ||
	    epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
		err(1, "a connection");
	c->flags &= ~REDIS_BLOCK;
	c->reader->fn = replies;
	c->reader->privdata = data;
	c->reader->maxbuf = 0; /* it keeps its buffer when that is empty */
}

static void
listen_one(struct load *load, struct listener *l)
{
	redisReply *reply;

	l->context = connect_one(load);
	l->load = load;
	reply = redisCommand(l->context, "SUBSCRIBE " CHANNEL);
	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY)
		errx(1, "cannot subscribe: %s", l->context->errstr);
	freeReplyObject(reply);
	watch(load, l->context, &listening, l, l);
}

void
load_connect(struct load *load)
{
	const struct load_options *o = &load->options;

	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->listeners = calloc(o->listeners, sizeof(struct listener));
	load->payload = malloc(o->size);
	load->had = calloc(o->window, sizeof(size_t));
	load->latencies = malloc(LATENCIES * sizeof(float));
	if (load->epoll < 0 || load->listeners == NULL ||
	    load->payload == NULL || load->had == NULL ||
	    load->latencies == NULL)
		err(1, "cannot begin");
	for (size_t i = 0; i < o->size; i++)
		load->payload[i] = (unsigned char)(i * 31 + i / 251);
	for (size_t i = 0; i < o->listeners; i++)
		listen_one(load, &load->listeners[i]);
	load->listeners[0].is_exact = true;
	load->publisher = connect_one(load);
	watch(load, load->publisher, &publishing, load, NULL);
}

/* ---- the two directions ----------------------------------------------- */

static void
write_out(struct load *load)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	redisContext *c = load->publisher;
	int is_written = 0;

	while (!is_written) {
		size_t before = sdslen(c->obuf);

		if (redisBufferWrite(c, &is_written) != REDIS_OK)
			errx(1, "cannot write: %s", c->errstr);
		if (!is_written && sdslen(c->obuf) == before)
			break;
	}
	if (load->is_blocked == !is_written)
		return;
	load->is_blocked = !is_written;
	if (load->is_blocked)
		event.events |= EPOLLOUT;
	if (epoll_ctl(load->epoll, EPOLL_CTL_MOD, c->fd, &event) != 0)
		err(1, "epoll_ctl");
}

void
load_publish(struct load *load)
{
	const struct load_options *o = &load->options;
	const char *words[] = {"PUBLISH", CHANNEL, (char *)load->payload};
	const size_t sizes[] = {7, sizeof(CHANNEL) - 1, o->size};

	while (load->published - load->done < o->window) {
		struct stamp stamp = {load->published++, usage_now()};

		memcpy(load->payload, &stamp, sizeof(stamp));
		if (redisAppendCommandArgv(load->publisher, 3, words, sizes) !=
		    REDIS_OK)
			errx(1, "cannot publish");
	}
	write_out(load);
}

/* The first bytes of those that are left. */
static void
feed(redisContext *c, const char *bytes, size_t left)
{
	void *reply = parsed;

	if (redisReaderFeed(c->reader, bytes,
			    left < FEED_BYTES ? left : FEED_BYTES) != REDIS_OK)
		errx(1, "cannot read: %s", c->reader->errstr);
	while (reply != NULL)
		if (redisReaderGetReply(c->reader, &reply) != REDIS_OK)
			errx(1, "cannot read: %s", c->reader->errstr);
}

/*
 * As redisBufferRead(), but with fewer system calls.  The reader moves what is
 * left of its buffer for each reply, so it gets the bytes in small pieces.
 */
static void
read_in(redisContext *c)
{
	static char bytes[READ_BYTES];
	ssize_t n = read(c->fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		errx(1, "the server has closed a connection");
	for (size_t at = 0; at < (size_t)n; at += FEED_BYTES)
		feed(c, bytes + at, (size_t)n - at);
}

void
load_take(struct load *load)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(load->epoll, events, EVENTS, -1);

	for (int i = 0; i < n; i++) {
		struct listener *l = events[i].data.ptr;

		if (events[i].events & ~(unsigned)EPOLLOUT)
			read_in(l != NULL ? l->context : load->publisher);
	}
	if (load->is_blocked)
		write_out(load);
}
