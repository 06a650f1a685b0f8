/*
 * limit.c - the same work with no library at all: what is physically there.
 *
 * A message comes from an array of pointers of the thread's own and goes back
 * there; a clone is one atomic addition and the bytes' address by value;
 * growth is memory that is there already.  Nothing is checked but the ends of
 * the array, where 64 at a time go to an array that all threads share: without
 * that, a thread that only allocates would have nothing left to give.
 */
#define _GNU_SOURCE
#include "../bench.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define MSG struct message *
#define POOLS_MOST 256
#define STACK 576u
#define MOVED 64u

struct message {
	atomic_uint count;
	/* Pointers, so that each edit stores one field and reads no pair. */
	uint8_t *head, *tail;
	alignas(64) uint8_t bytes[];
};

struct stack {
	MSG items[STACK];
	unsigned n;
};

static _Thread_local struct stack stacks[POOLS_MOST];

static struct {
	atomic_flag lock;
	uint8_t *base;
	size_t size, bytes, stride, carved, headroom;
	MSG *free;
	size_t n_free, elements;
} arena;

static void
arena_lock(void)
{
	while (atomic_flag_test_and_set_explicit(&arena.lock,
						 memory_order_acquire))
		;
}

static void
arena_unlock(void)
{
	atomic_flag_clear_explicit(&arena.lock, memory_order_release);
}

static __attribute__((noinline)) void
refill(struct stack *s)
{
	arena_lock();
	while (s->n < MOVED) {
		MSG m;

		if (arena.n_free > 0) {
			m = arena.free[--arena.n_free];
		} else {
			if (arena.carved == arena.elements)
				bench_die("the arena is too small");
			m = (MSG)(void *)(arena.base +
					  arena.carved++ * arena.stride);
		}
		s->items[s->n++] = m;
	}
	arena_unlock();
}

static __attribute__((noinline)) void
spill(struct stack *s)
{
	unsigned i;

	arena_lock();
	for (i = 0; i < MOVED; i++)
		arena.free[arena.n_free++] = s->items[--s->n];
	arena_unlock();
}

static BENCH_INLINE MSG
msg_new(unsigned pool)
{
	struct stack *s = &stacks[pool];
	MSG m;

	if (__builtin_expect(s->n == 0, 0))
		refill(s);
	m = s->items[--s->n];
	m->head = m->tail = m->bytes + arena.headroom;
	return m;
}

static BENCH_INLINE void
msg_free_to(unsigned pool, MSG m)
{
	struct stack *s = &stacks[pool];

	if (__builtin_expect(s->n == STACK, 0))
		spill(s);
	s->items[s->n++] = m;
}

static BENCH_INLINE void
msg_free(MSG m)
{
	msg_free_to(0, m);
}

static BENCH_INLINE void
msg_append(MSG m, const void *bytes, size_t n)
{
	memcpy(m->tail, bytes, n);
	m->tail += n;
}

#define HAS_BULK
static BENCH_INLINE void
msg_new_bulk(MSG *out, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = msg_new(0);
}

static BENCH_INLINE void
msg_free_bulk(MSG *ms, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		msg_free(ms[i]);
}

#define HAS_READ
#define HAS_STREAM
static BENCH_INLINE void
msg_read(MSG m, void *dst, size_t n)
{
	memcpy(dst, m->head, n);
	m->head += n;
}

static BENCH_INLINE void
msg_clear(MSG m)
{
	m->head = m->tail = m->bytes + arena.headroom;
}

/* workloads.c makes the messages of W9 large enough from the start. */
#define HAS_GROWTH
static BENCH_INLINE MSG
msg_new_heap(size_t capacity)
{
	(void)capacity;
	return msg_new(0);
}

#define HAS_PREPEND
static BENCH_INLINE void
msg_prepend(MSG m, const void *bytes, size_t n)
{
	m->head -= n;
	memcpy(m->head, bytes, n);
}

static BENCH_INLINE void
msg_trim_head(MSG m, size_t n)
{
	m->head += n;
}

static BENCH_INLINE uint16_t
msg_u16(MSG m)
{
	const uint8_t *p = m->head;

	return (uint16_t)(p[0] << 8 | p[1]);
}

#define HAS_CLONE
#define HAS_SLICE
#define SHARED MSG
#define CLONE MSG
static BENCH_INLINE SHARED
shared_new(const void *bytes, size_t n)
{
	MSG m = msg_new(0);

	atomic_init(&m->count, 1);
	msg_append(m, bytes, n);
	return m;
}

#define shared_free msg_free

static BENCH_INLINE CLONE
clone_new(SHARED m)
{
	atomic_fetch_add_explicit(&m->count, 1, memory_order_relaxed);
	return m;
}

static BENCH_INLINE void
clone_fan_out(SHARED m, CLONE *out, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = clone_new(m);
}

static BENCH_INLINE CLONE
clone_slice(SHARED m, size_t off, size_t len)
{
	BENCH_KEEP(m->head + off);
	BENCH_KEEP(len);
	return clone_new(m);
}

static BENCH_INLINE void
clone_free(CLONE m)
{
	if (atomic_fetch_sub_explicit(&m->count, 1, memory_order_acq_rel) == 1)
		msg_free(m);
}

#define HAS_CHAIN
struct chain {
	MSG messages[4096];
	size_t n;
};

static BENCH_INLINE void
chain_start(struct chain *c)
{
	c->n = 0;
}

static BENCH_INLINE void
chain_add(struct chain *c, MSG m)
{
	c->messages[c->n++] = m;
}

static inline size_t
chain_iov(struct chain *c, struct iovec *iov, size_t most)
{
	size_t i;

	(void)most;
	for (i = 0; i < c->n; i++) {
		iov[i].iov_base = c->messages[i]->head;
		iov[i].iov_len =
			(size_t)(c->messages[i]->tail - c->messages[i]->head);
	}
	return i;
}

static BENCH_INLINE void
chain_free(struct chain *c)
{
	while (c->n > 0)
		msg_free(c->messages[--c->n]);
}

#define HAS_FRAMES
#define STREAM MSG
#define FRAME MSG
#define frame_free clone_free

static BENCH_INLINE STREAM
stream_new(size_t capacity)
{
	MSG m = msg_new(0);

	(void)capacity;
	atomic_init(&m->count, 1);
	return m;
}

#define stream_free msg_free

static BENCH_INLINE void
stream_fill(STREAM s, const void *bytes, size_t n)
{
	msg_clear(s);
	msg_append(s, bytes, n);
}

static BENCH_INLINE FRAME
frame_next(STREAM s)
{
	size_t n = msg_u16(s);
	FRAME f = clone_slice(s, 2, n);

	msg_trim_head(s, 2 + n);
	return f;
}

/*
 * The memory of n messages is their bytes, with nothing around or between;
 * and a pointer to each, which driver.cc takes off for everybody.
 */
static void
run_bytes(uint64_t n, unsigned thread)
{
	(void)thread;
	memset(arena.base, 1, n * (arena.bytes + sizeof(MSG)));
}

#define RUN_RESIDENT run_bytes
#define HAS_HEADROOM
#define HAS_POOLS
#include "../loops.h"

static void
arena_open(const struct bench_setup *setup)
{
	size_t caches = (setup->threads + 1) * setup->pools * (STACK + MOVED);

	arena.headroom = setup->headroom;
	arena.bytes = setup->headroom + setup->capacity;
	/* Cache lines, and an odd number of them, to spread over the sets. */
	arena.stride = ((sizeof(struct message) + setup->headroom +
			 setup->capacity + 63) &
			~(size_t)63) |
		       64;
	if (setup->capacity > 1 << 14)
		caches = (setup->threads + 1) * MOVED;
	arena.elements = setup->live + caches;
	arena.size = arena.elements * arena.stride;
	arena.base = mmap(NULL, arena.size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena.base == MAP_FAILED)
		bench_die("mmap");
	madvise(arena.base, arena.size, MADV_HUGEPAGE);
	arena.free = calloc(arena.elements, sizeof *arena.free);
	if (arena.free == NULL)
		bench_die("no memory for the arena");
	arena.carved = arena.n_free = 0;
}

static void
arena_close(void)
{
	munmap(arena.base, arena.size);
	free(arena.free);
	memset(stacks, 0, sizeof stacks);
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
	return "";
}

const struct bench_peer bench_peer = {
	.name = "limit",
	.most = SIZE_MAX,
	.version = version,
	.start = start,
	.open = arena_open,
	.close = arena_close,
	.enter = nothing,
	.leave = nothing,
	.cases = loop_cases,
};
