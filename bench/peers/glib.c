/*
 * glib.c - GLib: a GByteArray is written, a GBytes is shared.
 *
 * It has no pool and no headroom, and takes bytes off the front by moving the
 * rest, so W10 and W11 have no equivalent that anybody would use.
 */
#include "../bench.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define MSG GByteArray *

static guint capacity;

static inline MSG
msg_new(unsigned pool)
{
	(void)pool;
	return g_byte_array_sized_new(capacity);
}

static inline void
msg_free(MSG m)
{
	g_byte_array_unref(m);
}

static inline void
msg_append(MSG m, const void *bytes, size_t n)
{
	g_byte_array_append(m, bytes, (guint)n);
}

#define HAS_READ
static inline void
msg_read(MSG m, void *dst, size_t n)
{
	memcpy(dst, m->data, n);
	g_byte_array_remove_range(m, 0, (guint)n);
}

static inline void
msg_clear(MSG m)
{
	g_byte_array_set_size(m, 0);
}

#define HAS_GROWTH
static inline MSG
msg_new_heap(size_t size)
{
	return g_byte_array_sized_new((guint)size);
}

#define HAS_CLONE
#define HAS_SLICE
#define SHARED GBytes *
#define CLONE GBytes *
static inline SHARED
shared_new(const void *bytes, size_t n)
{
	return g_bytes_new(bytes, n);
}

#define shared_free g_bytes_unref
#define clone_free g_bytes_unref

static inline CLONE
clone_slice(SHARED m, size_t off, size_t len)
{
	return g_bytes_new_from_bytes(m, off, len);
}

/* The same object once more, which is enough since it never changes. */
static inline CLONE
clone_new(SHARED m)
{
	return g_bytes_ref(m);
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
	GPtrArray *all;
};

static void
unref(void *m)
{
	g_byte_array_unref(m);
}

static inline void
chain_start(struct chain *c)
{
	c->all = g_ptr_array_new_full(16, unref);
}

static inline void
chain_add(struct chain *c, MSG m)
{
	g_ptr_array_add(c->all, m);
}

static inline size_t
chain_iov(struct chain *c, struct iovec *iov, size_t most)
{
	size_t i;

	for (i = 0; i < c->all->len && i < most; i++) {
		GByteArray *m = g_ptr_array_index(c->all, i);

		iov[i].iov_base = m->data;
		iov[i].iov_len = m->len;
	}
	return i;
}

static inline void
chain_free(struct chain *c)
{
	g_ptr_array_unref(c->all);
}

#define HAS_FRAMES
#define STREAM struct stream *
#define FRAME GBytes *
#define frame_free g_bytes_unref
struct stream {
	GBytes *bytes;
	size_t at;
};

static inline STREAM
stream_new(size_t size)
{
	static struct stream s;

	(void)size;
	s.bytes = NULL;
	return &s;
}

static inline void
stream_free(STREAM s)
{
	g_bytes_unref(s->bytes);
}

/* What was handed out as GBytes cannot be written again, so it is new. */
static inline void
stream_fill(STREAM s, const void *bytes, size_t n)
{
	if (s->bytes != NULL)
		g_bytes_unref(s->bytes);
	s->bytes = g_bytes_new(bytes, n);
	s->at = 0;
}

static inline FRAME
frame_next(STREAM s)
{
	const uint8_t *p = g_bytes_get_data(s->bytes, NULL);
	size_t n = (size_t)(p[s->at] << 8 | p[s->at + 1]);
	FRAME f = g_bytes_new_from_bytes(s->bytes, s->at + 2, n);

	s->at += 2 + n;
	return f;
}

#include "../loops.h"

static void
size_open(const struct bench_setup *setup)
{
	capacity = (guint)setup->capacity;
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

static const char *
version(void)
{
	static char text[32];

	g_snprintf(text, sizeof text, "%u.%u.%u", glib_major_version,
		   glib_minor_version, glib_micro_version);
	return text;
}

const struct bench_peer bench_peer = {
	.name = "glib",
	.most = SIZE_MAX,
	.version = version,
	.start = start,
	.open = size_open,
	.close = nothing,
	.enter = nothing,
	.leave = nothing,
	.cases = loop_cases,
};
