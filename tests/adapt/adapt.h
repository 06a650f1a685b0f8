/*
 * adapt.h - what the tests of adapters share: messages that say when they are
 * freed, and a count of what was copied.
 *
 * What a neighbour allocates is counted, and fails on request, where it lets a
 * program choose its allocator.
 */
#ifndef ADAPT_H
#define ADAPT_H

#include "../unit/dry.h"
#include "../unit/pools.h"
#include "../unit/test.h"

#include <pthread.h>
#include <stdatomic.h>

/* Memory that was wrapped, and how often it was released. */
struct wrapped {
	const char *bytes;
	atomic_int released;
};

static inline void
count_release(void *bytes, size_t len, void *wrapped)
{
	(void)bytes;
	(void)len;
	atomic_fetch_add(&((struct wrapped *)wrapped)->released, 1);
}

/* A message of one segment that counts its release. */
static inline struct ibuf_mbuf *
message_of(struct wrapped *w, const char *bytes)
{
	struct ibuf_mbuf *m;

	w->bytes = bytes;
	atomic_init(&w->released, 0);
	m = ibuf_mbuf_wrap_const(bytes, strlen(bytes), count_release, w);
	assert_non_null(m);
	return m;
}

/* "one two three", in three segments, each of which counts its release. */
static inline struct ibuf_mbuf *
message_of_three(struct wrapped w[3])
{
	struct ibuf_mbuf *m = message_of(&w[0], "one ");

	assert_int_equal(ibuf_mbuf_concat(m, message_of(&w[1], "two ")), 0);
	assert_int_equal(ibuf_mbuf_concat(m, message_of(&w[2], "three")), 0);
	return m;
}

/* It still says so. */
static inline void
assert_three(const struct ibuf_mbuf *m)
{
	assert_message(m, "one two three", 13);
}

static inline void
assert_released(struct wrapped *w, size_t n, int times)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(atomic_load(&w[i].released), times);
}

/* Text that can be compressed, in so many segments of 1000 bytes. */
static inline struct ibuf_mbuf *
text_of(struct ibuf_pool *p, size_t segments)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0), *s;

	for (size_t i = 0; i < segments; i++) {
		s = ibuf_pool_alloc(p);
		assert_non_null(s);
		for (size_t j = 0; j < 100; j++)
			assert_int_equal(
				ibuf_mbuf_printf(s, "%9zu ", i * j * j % 977),
				0);
		assert_int_equal(ibuf_mbuf_concat(m, s), 0);
	}
	return m;
}

/* A pool's message of a large number of bytes, which differ. */
static inline struct ibuf_mbuf *
message_of_many(struct ibuf_pool *p, size_t n)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	uint8_t *bytes;

	assert_non_null(m);
	bytes = ibuf_mbuf_extend_tail(m, n);
	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(i ^ i >> 8);
	return m;
}

/* What the library has copied so far, of the heap and of a pool's messages. */
static inline uint64_t
copied(const struct ibuf_pool *p)
{
	return stats_of(NULL).copied_bytes +
	       (p == NULL ? 0 : stats_of(p).copied_bytes);
}

/*
 * For as long as an expression says that it failed, let the n-th allocation and
 * all after it fail: first the first one where the heap has no free header,
 * then n = 1, 2, ...  Each time, the statement behind looks whether nothing has
 * changed.
 */
#define WHILE_WITHOUT_MEMORY(failed)                                           \
	for (struct without w_ = {0};                                          \
	     without_next(&w_) && without_failed(&w_, (failed));)

struct without {
	size_t n, blocks;
};

static inline bool
without_next(struct without *w)
{
	if (w->n == 0)
		heap_dry();
	w->blocks = fault_live_blocks();
	fault_from(w->n == 0 ? 1 : w->n);
	return true;
}

static inline bool
without_failed(struct without *w, bool failed)
{
	bool struck = fault_off();

	/* A neighbour may make do without what it did not get. */
	assert_true(struck || !failed);
	if (w->n++ == 0)
		heap_wet_since(dry.blocks + fault_live_blocks() - w->blocks,
			       dry.mapped);
	return failed;
}

/* Free a message in another thread, which is over when this returns. */
static inline void *
free_it(void *m)
{
	ibuf_mbuf_free(m);
	return NULL;
}

static inline void
free_elsewhere(struct ibuf_mbuf *m)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, free_it, m), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

#endif
