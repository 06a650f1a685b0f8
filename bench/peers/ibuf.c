/* ibuf.c - ibuf itself, through its shared library, as programs link it. */
#include "../bench.h"

#include <ibuf/ibuf.h>
#include <stdbool.h>

#define MSG struct ibuf_mbuf *
#define POOLS_MOST 256

static struct ibuf_pool *pools[POOLS_MOST];
static size_t n_pools;

static void loop_prepare(const struct bench_setup *setup);

static BENCH_INLINE MSG
msg_new(unsigned pool)
{
	return ibuf_pool_alloc(pools[pool]);
}

static BENCH_INLINE void
msg_free(MSG m)
{
	ibuf_mbuf_free(m);
}

static BENCH_INLINE void
msg_append(MSG m, const void *bytes, size_t n)
{
	if (ibuf_mbuf_append(m, bytes, n) != 0)
		bench_die("ibuf_mbuf_append");
}

#define HAS_BULK
static BENCH_INLINE void
msg_new_bulk(MSG *out, size_t n)
{
	if (ibuf_pool_alloc_bulk(pools[0], out, n) != 0)
		bench_die("ibuf_pool_alloc_bulk");
}

static BENCH_INLINE void
msg_free_bulk(MSG *ms, size_t n)
{
	ibuf_mbuf_free_bulk(ms, n);
}

#define HAS_READ
#define HAS_STREAM
static BENCH_INLINE void
msg_read(MSG m, void *dst, size_t n)
{
	ibuf_mbuf_read(m, dst, n);
}

static BENCH_INLINE void
msg_clear(MSG m)
{
	ibuf_mbuf_clear(m);
}

#define HAS_GROWTH
static BENCH_INLINE MSG
msg_new_heap(size_t capacity)
{
	return ibuf_mbuf_new(capacity);
}

#define HAS_PREPEND
static BENCH_INLINE void
msg_prepend(MSG m, const void *bytes, size_t n)
{
	if (ibuf_mbuf_prepend(m, bytes, n) != 0)
		bench_die("ibuf_mbuf_prepend");
}

static BENCH_INLINE void
msg_trim_head(MSG m, size_t n)
{
	ibuf_mbuf_trim_head(m, n);
}

static BENCH_INLINE uint16_t
msg_u16(MSG m)
{
	struct ibuf_cursor c;
	uint16_t number = 0;

	ibuf_cursor_init(&c, m);
	ibuf_cursor_get_be16(&c, &number);
	return number;
}

#define HAS_CLONE
#define HAS_SLICE
#define SHARED MSG
#define CLONE MSG
static BENCH_INLINE SHARED
shared_new(const void *bytes, size_t n)
{
	MSG m = msg_new(0);

	msg_append(m, bytes, n);
	return m;
}

#define HAS_HEAP
static BENCH_INLINE SHARED
shared_new_heap(const void *bytes, size_t n)
{
	return ibuf_mbuf_from(bytes, n);
}

#define shared_free msg_free
#define clone_free msg_free

static BENCH_INLINE CLONE
clone_new(SHARED m)
{
	return ibuf_mbuf_clone(m);
}

static BENCH_INLINE void
clone_fan_out(SHARED m, CLONE *out, size_t n)
{
	if (ibuf_mbuf_clone_bulk(m, out, n) != 0)
		bench_die("ibuf_mbuf_clone_bulk");
}

static BENCH_INLINE CLONE
clone_slice(SHARED m, size_t off, size_t len)
{
	return ibuf_mbuf_slice(m, off, len);
}

#define HAS_CHAIN
struct chain {
	MSG head;
};

static BENCH_INLINE void
chain_start(struct chain *c)
{
	c->head = NULL;
}

static BENCH_INLINE void
chain_add(struct chain *c, MSG m)
{
	if (c->head == NULL)
		c->head = m;
	else if (ibuf_mbuf_concat(c->head, m) != 0)
		bench_die("ibuf_mbuf_concat");
}

static inline size_t
chain_iov(struct chain *c, struct iovec *iov, size_t most)
{
	return ibuf_mbuf_iov(c->head, 0, iov, most);
}

static BENCH_INLINE void
chain_free(struct chain *c)
{
	ibuf_mbuf_free(c->head);
}

#define HAS_FRAMES
#define FRAME MSG
#define STREAM struct stream *
struct stream {
	struct ibuf_pool *pool; /* of buffers as long as the stream */
	MSG m;
	struct ibuf_cursor at;
};

static BENCH_INLINE STREAM
stream_new(size_t capacity)
{
	static struct stream s;

	s.pool = ibuf_pool_new(1, capacity);
	if (s.pool == NULL)
		bench_die("ibuf_pool_new");
	s.m = ibuf_pool_alloc(s.pool);
	return &s;
}

static BENCH_INLINE STREAM
stream_new_heap(size_t capacity)
{
	static struct stream s;

	s.pool = NULL;
	s.m = ibuf_mbuf_new(capacity);
	return &s;
}

#define frame_free msg_free

static BENCH_INLINE void
stream_free(STREAM s)
{
	msg_free(s->m);
	ibuf_pool_destroy(s->pool);
}

static BENCH_INLINE void
stream_fill(STREAM s, const void *bytes, size_t n)
{
	ibuf_mbuf_clear(s->m);
	msg_append(s->m, bytes, n);
	ibuf_cursor_init(&s->at, s->m);
}

static BENCH_INLINE FRAME
frame_next(STREAM s)
{
	uint16_t len = 0;

	ibuf_cursor_get_be16(&s->at, &len);
	return ibuf_cursor_take(&s->at, len);
}

#define HAS_HEADROOM
#define HAS_POOLS
static BENCH_INLINE void
msg_free_to(unsigned pool, MSG m)
{
	(void)pool;
	msg_free(m);
}

/* Pools of other kinds take the place of the first, which stays. */
#define HAS_KINDS
#define KINDS_MOST 300
static struct ibuf_pool *plain, *kinds[KINDS_MOST];
static size_t n_kinds;

static void
kinds_prepare(const struct bench_setup *setup, struct ibuf_pool_options options,
	      size_t n)
{
	options.capacity = setup->capacity;
	options.headroom = setup->headroom;
	for (; n_kinds < n; n_kinds++)
		if (ibuf_pool_create(&kinds[n_kinds], &options) != 0)
			bench_die("ibuf_pool_create");
	plain = pools[0];
	pools[0] = kinds[n - 1];
}

static void
private_prepare(const struct bench_setup *setup)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;

	options.private_size = 16;
	loop_prepare(setup);
	kinds_prepare(setup, options, 1);
}

/* The plain one has number 1 at the least. */
static void
high_prepare(const struct bench_setup *setup)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;

	loop_prepare(setup);
	kinds_prepare(setup, options, 299);
}

static void
waiting_prepare(const struct bench_setup *setup)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;

	loop_prepare(setup);
	options.max = 1024;
	options.flags = IBUF_POOL_F_WAIT;
	kinds_prepare(setup, options, 1);
}

static void
kinds_finish(void)
{
	pools[0] = plain;
	while (n_kinds > 0)
		if (ibuf_pool_destroy(kinds[--n_kinds]) != 0)
			bench_die("a message was left over");
}

#define HAS_QUEUE
#define HAS_QUEUE_BULK
#define HAS_QUEUE_MANY
#define QUEUE struct ibuf_queue *
static QUEUE
queue_new(size_t slots, bool many)
{
	unsigned one =
		IBUF_QUEUE_F_SINGLE_PRODUCER | IBUF_QUEUE_F_SINGLE_CONSUMER;
	QUEUE q;

	if (ibuf_queue_create(&q, slots, many ? 0 : one) != 0)
		bench_die("ibuf_queue_create");
	return q;
}

#define queue_free ibuf_queue_destroy

static BENCH_INLINE bool
queue_push(QUEUE q, void *p)
{
	return ibuf_queue_push(q, p) == 0;
}

static BENCH_INLINE void *
queue_pop(QUEUE q)
{
	return ibuf_queue_pop(q);
}

static BENCH_INLINE size_t
queue_push_bulk(QUEUE q, void **ps, size_t n)
{
	return ibuf_queue_push_bulk(q, (struct ibuf_mbuf **)ps, n);
}

static BENCH_INLINE size_t
queue_pop_bulk(QUEUE q, void **ps, size_t n)
{
	return ibuf_queue_pop_bulk(q, (struct ibuf_mbuf **)ps, n);
}

#define queue_push_many queue_push
#define queue_pop_many queue_pop

#include "../loops.h"

static void
pool_open(const struct bench_setup *setup)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;

	options.capacity = setup->capacity;
	options.headroom = setup->headroom;
	for (n_pools = 0; n_pools < setup->pools; n_pools++)
		if (ibuf_pool_create(&pools[n_pools], &options) != 0)
			bench_die("ibuf_pool_create");
}

static void
pool_close(void)
{
	while (n_pools > 0)
		if (ibuf_pool_destroy(pools[--n_pools]) != 0)
			bench_die("a message was left over");
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
	.name = "ibuf",
	.most = SIZE_MAX,
	.version = ibuf_version_string,
	.start = start,
	.open = pool_open,
	.close = pool_close,
	.enter = nothing,
	.leave = nothing,
	.cases = loop_cases,
};
