/*
 * heard.h - what a parser makes of a stream, as a sum in which the order
 * counts, to compare one way of reading it with another.
 */
#ifndef FUZZ_HEARD_H
#define FUZZ_HEARD_H

#include <model/model.h>

struct heard {
	uint64_t sum;
	unsigned last; /* what the parser said at the end */
};

static inline void
hear_byte(struct heard *h, uint8_t byte)
{
	h->sum = (h->sum ^ byte) * UINT64_C(1099511628211);
}

static inline void
hear_words(struct heard *h, const char *words)
{
	for (; *words != '\0'; words++)
		hear_byte(h, (uint8_t)*words);
}

/* The bytes from here on, which are there. */
static inline void
hear_bytes(struct heard *h, const struct ibuf_mbuf *in, size_t at, size_t len)
{
	struct ibuf_cursor c;
	uint8_t byte;

	ibuf_cursor_init(&c, in);
	CHECK(ibuf_cursor_seek(&c, at));
	for (size_t i = 0; i < len; i++) {
		CHECK(ibuf_cursor_get_u8(&c, &byte));
		hear_byte(h, byte);
	}
}

/* Put a piece behind what was read, which is NULL at first. */
static inline void
read_piece(struct ibuf_mbuf **in, const uint8_t *bytes, size_t n)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from(bytes, n);

	CHECK(m != NULL);
	if (*in == NULL)
		*in = m;
	else
		CHECK_EQUAL(-ibuf_mbuf_concat(*in, m), 0);
}

static inline void
heard_same(struct heard a, struct heard b)
{
	CHECK_EQUAL(a.sum, b.sum);
	CHECK_EQUAL(a.last, b.last);
}

/* By all messages of the heap, ever. */
static inline uint64_t
bytes_copied(void)
{
	struct ibuf_pool_stats stats;

	CHECK_EQUAL(-ibuf_pool_get_stats(NULL, &stats, sizeof(stats)), 0);
	return stats.copied_bytes;
}

#endif
