/*
 * evbuffer.c - libevent's evbuffer, without locks but where two threads meet.
 *
 * It has no pool: a message is evbuffer_new() and room by evbuffer_expand().
 */
#include "../bench.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define MSG struct evbuffer *

static size_t capacity;
static unsigned threads;

static inline MSG
msg_new(unsigned pool)
{
	MSG m = evbuffer_new();

	(void)pool;
	if (m == NULL || evbuffer_expand(m, capacity) != 0)
		bench_die("evbuffer_new");
	return m;
}

static inline void
msg_free(MSG m)
{
	evbuffer_free(m);
}

static inline void
msg_append(MSG m, const void *bytes, size_t n)
{
	if (evbuffer_add(m, bytes, n) != 0)
		bench_die("evbuffer_add");
}

#define HAS_READ
#define HAS_STREAM
static inline void
msg_read(MSG m, void *dst, size_t n)
{
	evbuffer_remove(m, dst, n);
}

static inline void
msg_clear(MSG m)
{
	evbuffer_drain(m, evbuffer_get_length(m));
}

/* It grows by adding pieces, and is not contiguous in the end. */
#define HAS_GROWTH
static inline MSG
msg_new_heap(size_t size)
{
	(void)size;
	return evbuffer_new();
}

#define HAS_PREPEND
static inline void
msg_prepend(MSG m, const void *bytes, size_t n)
{
	if (evbuffer_prepend(m, bytes, n) != 0)
		bench_die("evbuffer_prepend");
}

static inline void
msg_trim_head(MSG m, size_t n)
{
	evbuffer_drain(m, n);
}

static inline uint16_t
msg_u16(MSG m)
{
	uint8_t p[2];

	evbuffer_copyout(m, p, 2);
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* There is no slice: a reference is to all the bytes of a buffer. */
#define HAS_CLONE
#define SHARED MSG
#define CLONE MSG
static inline SHARED
shared_new(const void *bytes, size_t n)
{
	MSG m = msg_new(0);

	if (threads > 1 && evbuffer_enable_locking(m, NULL) != 0)
		bench_die("evbuffer_enable_locking");
	msg_append(m, bytes, n);
	return m;
}

#define shared_free msg_free
#define clone_free msg_free

static inline CLONE
clone_new(SHARED m)
{
	CLONE c = evbuffer_new();

	if (c == NULL || evbuffer_add_buffer_reference(c, m) != 0)
		bench_die("evbuffer_add_buffer_reference");
	return c;
}

static inline void
clone_fan_out(SHARED m, CLONE *out, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = clone_new(m);
}

#define HAS_CHAIN
struct chain {
	MSG all;
};

static inline void
chain_start(struct chain *c)
{
	c->all = evbuffer_new();
}

static inline void
chain_add(struct chain *c, MSG m)
{
	if (evbuffer_add_buffer(c->all, m) != 0)
		bench_die("evbuffer_add_buffer");
	evbuffer_free(m);
}

static inline size_t
chain_iov(struct chain *c, struct iovec *iov, size_t most)
{
	return (size_t)evbuffer_peek(c->all, -1, NULL, iov, (int)most);
}

static inline void
chain_free(struct chain *c)
{
	evbuffer_free(c->all);
}

#define HAS_FRAMES
#define STREAM MSG
#define FRAME MSG
#define stream_free msg_free
#define frame_free msg_free

static inline STREAM
stream_new(size_t size)
{
	(void)size;
	return evbuffer_new();
}

static inline void
stream_fill(STREAM s, const void *bytes, size_t n)
{
	msg_append(s, bytes, n);
}

static inline FRAME
frame_next(STREAM s)
{
	FRAME f = evbuffer_new();
	uint8_t p[2];

	evbuffer_remove(s, p, 2);
	evbuffer_remove_buffer(s, f, (size_t)(p[0] << 8 | p[1]));
	return f;
}

#include "../loops.h"

static void
size_open(const struct bench_setup *setup)
{
	capacity = setup->capacity;
	threads = setup->threads;
}

static void
nothing(void)
{
}

static void
start(unsigned cpu)
{
	(void)cpu;
	if (evthread_use_pthreads() != 0)
		bench_die("evthread_use_pthreads");
}

const struct bench_peer bench_peer = {
	.name = "evbuffer",
	.most = SIZE_MAX,
	.version = event_get_version,
	.start = start,
	.open = size_open,
	.close = nothing,
	.enter = nothing,
	.leave = nothing,
	.cases = loop_cases,
};
