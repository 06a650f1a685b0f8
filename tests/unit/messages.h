/*
 * messages.h - messages whose segments lie where a test wants them.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include "test.h"

/* Bytes in one heap segment. */
static inline struct ibuf_mbuf *
message_of(const void *bytes, size_t len)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from(bytes, len);

	assert_non_null(m);
	return m;
}

/* Put bytes behind m as a segment of their own. */
static inline void
add_segment(struct ibuf_mbuf *m, const void *bytes, size_t len)
{
	size_t segments = ibuf_mbuf_segments(m);

	assert_int_equal(ibuf_mbuf_concat(m, message_of(bytes, len)), 0);
	assert_int_equal(ibuf_mbuf_segments(m), segments + 1);
}

/* Cut before each byte whose bit is set in cuts (bit 0 is byte 1). */
static inline struct ibuf_mbuf *
message_cut(const uint8_t *bytes, size_t len, unsigned cuts)
{
	struct ibuf_mbuf *m = NULL;
	size_t from = 0;

	for (size_t i = 1; i <= len; i++) {
		if (i < len && (cuts >> (i - 1) & 1) == 0)
			continue;
		if (m == NULL)
			m = message_of(bytes + from, i - from);
		else
			add_segment(m, bytes + from, i - from);
		from = i;
	}
	assert_message(m, bytes, len);
	return m;
}

#endif
