/*
 * malloc.c - what a C programmer writes without a library: one allocation of a
 * header with an atomic count and the data behind it.
 *
 * The allocator is the one of libc, or the one that is preloaded: mimalloc,
 * jemalloc, tcmalloc.  A clone is a handle of its own, which can be trimmed
 * and passed on as one pointer, so it is a small allocation and a count.  Who
 * only counts and passes the bytes on by value is at the limit: see limit.c.
 */
#include "../bench.h"

#include <gnu/libc-version.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

struct message {
	atomic_uint count;
	unsigned len;
	unsigned size;  /* of the bytes */
	uint8_t *data;  /* the first that counts */
	uint8_t *bytes; /* behind the header, or where it grew to */
	struct message *next;
	uint8_t room[];
};

#define MSG struct message *

static size_t capacity, headroom;

static BENCH_INLINE MSG
message_new(size_t front, size_t size)
{
	struct message *m = malloc(sizeof *m + front + size);

	if (m == NULL)
		bench_die("malloc");
	atomic_init(&m->count, 1);
	m->len = 0;
	m->size = (unsigned)(front + size);
	m->bytes = m->room;
	m->data = m->room + front;
	m->next = NULL;
	return m;
}

static BENCH_INLINE MSG
msg_new(unsigned pool)
{
	(void)pool;
	return message_new(headroom, capacity);
}

static BENCH_INLINE void
msg_free(MSG m)
{
	if (atomic_load_explicit(&m->count, memory_order_acquire) != 1 &&
	    atomic_fetch_sub_explicit(&m->count, 1, memory_order_acq_rel) != 1)
		return;
	if (m->bytes != m->room)
		free(m->bytes);
	free(m);
}

static inline size_t
tailroom(MSG m)
{
	return (size_t)(m->bytes + m->size - m->data) - m->len;
}

/* Out of line: what is rare. */
static __attribute__((noinline)) void
message_grow(MSG m, size_t n)
{
	size_t size = (size_t)m->size * 2, off = (size_t)(m->data - m->bytes);
	uint8_t *bytes = m->bytes == m->room ? NULL : m->bytes;

	while (size < off + m->len + n)
		size *= 2;
	bytes = realloc(bytes, size);
	if (bytes == NULL)
		bench_die("realloc");
	if (m->bytes == m->room)
		memcpy(bytes, m->room, off + m->len);
	m->bytes = bytes;
	m->data = bytes + off;
	m->size = (unsigned)size;
}

static BENCH_INLINE void
msg_append(MSG m, const void *bytes, size_t n)
{
	if (__builtin_expect(n > tailroom(m), 0))
		message_grow(m, n);
	memcpy(m->data + m->len, bytes, n);
	m->len += (unsigned)n;
}

#define HAS_READ
#define HAS_STREAM
static BENCH_INLINE void
msg_read(MSG m, void *dst, size_t n)
{
	if (n > m->len)
		bench_die("too few bytes");
	memcpy(dst, m->data, n);
	m->data += n;
	m->len -= (unsigned)n;
}

static BENCH_INLINE void
msg_clear(MSG m)
{
	m->data = m->bytes + headroom;
	m->len = 0;
}

#define HAS_GROWTH
static BENCH_INLINE MSG
msg_new_heap(size_t size)
{
	return message_new(0, size);
}

#define HAS_PREPEND
static BENCH_INLINE void
msg_prepend(MSG m, const void *bytes, size_t n)
{
	if (n > (size_t)(m->data - m->bytes))
		bench_die("no headroom");
	m->data -= n;
	m->len += (unsigned)n;
	memcpy(m->data, bytes, n);
}

static BENCH_INLINE void
msg_trim_head(MSG m, size_t n)
{
	if (n > m->len)
		bench_die("too few bytes");
	m->data += n;
	m->len -= (unsigned)n;
}

static BENCH_INLINE uint16_t
msg_u16(MSG m)
{
	const uint8_t *p = m->data;

	return m->len < 2 ? 0 : (uint16_t)(p[0] << 8 | p[1]);
}

/* A window onto a part of a message, which it keeps alive. */
struct window {
	struct message *owner;
	uint8_t *bytes;
	size_t len;
};

#define HAS_CLONE
#define HAS_SLICE
#define SHARED MSG
#define CLONE struct window *
static BENCH_INLINE SHARED
shared_new(const void *bytes, size_t n)
{
	MSG m = msg_new(0);

	msg_append(m, bytes, n);
	return m;
}

#define shared_free msg_free

static BENCH_INLINE CLONE
clone_slice(SHARED m, size_t off, size_t len)
{
	struct window *w = malloc(sizeof *w);

	if (w == NULL || off > m->len || len > m->len - off)
		bench_die("no window");
	atomic_fetch_add_explicit(&m->count, 1, memory_order_relaxed);
	w->owner = m;
	w->bytes = m->data + off;
	w->len = len;
	return w;
}

static BENCH_INLINE CLONE
clone_new(SHARED m)
{
	return clone_slice(m, 0, m->len);
}

static BENCH_INLINE void
clone_fan_out(SHARED m, CLONE *out, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = clone_new(m);
}

static BENCH_INLINE void
clone_free(CLONE w)
{
	msg_free(w->owner);
	free(w);
}

#define HAS_CHAIN
struct chain {
	MSG first;
	MSG last;
};

static BENCH_INLINE void
chain_start(struct chain *c)
{
	c->first = c->last = NULL;
}

static BENCH_INLINE void
chain_add(struct chain *c, MSG m)
{
	if (c->first == NULL)
		c->first = m;
	else
		c->last->next = m;
	c->last = m;
}

static inline size_t
chain_iov(struct chain *c, struct iovec *iov, size_t most)
{
	size_t n = 0;
	MSG m;

	for (m = c->first; m != NULL && n < most; m = m->next) {
		iov[n].iov_base = m->data;
		iov[n++].iov_len = m->len;
	}
	return n;
}

static BENCH_INLINE void
chain_free(struct chain *c)
{
	MSG m = c->first;

	while (m != NULL) {
		MSG next = m->next;

		msg_free(m);
		m = next;
	}
}

#define HAS_FRAMES
#define STREAM MSG
#define FRAME struct window *
#define stream_free msg_free
#define stream_new msg_new_heap
#define frame_free clone_free

static BENCH_INLINE void
stream_fill(STREAM s, const void *bytes, size_t n)
{
	s->data = s->bytes;
	s->len = 0;
	msg_append(s, bytes, n);
}

static BENCH_INLINE FRAME
frame_next(STREAM s)
{
	size_t n = msg_u16(s);
	FRAME f;

	msg_trim_head(s, 2);
	f = clone_slice(s, 0, n);
	msg_trim_head(s, n);
	return f;
}

#define HAS_HEADROOM
#include "../loops.h"

static void
size_open(const struct bench_setup *setup)
{
	capacity = setup->capacity;
	headroom = setup->headroom;
}

static void
nothing(void)
{
}

static void
start(unsigned cpu)
{
	(void)cpu;
}

const struct bench_peer bench_peer = {
	.name = "malloc",
	.most = SIZE_MAX,
	.version = gnu_get_libc_version,
	.start = start,
	.open = size_open,
	.close = nothing,
	.enter = nothing,
	.leave = nothing,
	.cases = loop_cases,
};
