/*
 * states.h - what can be seen of a message, remembered and compared.
 *
 * "A failed call changes nothing" means: assert_state() holds afterwards.
 */
#ifndef STATES_H
#define STATES_H

#include "test.h"

#define STATE_MAX 8192

struct state {
	uint8_t bytes[STATE_MAX];
	size_t len, headroom, tailroom, capacity, segments;
	bool unique;
};

/* Remember m; it may be no longer than STATE_MAX. */
static inline void
state_take(struct state *state, const struct ibuf_mbuf *m)
{
	assert_int_equal(ibuf_mbuf_validate(m), 0);
	state->len = ibuf_mbuf_len(m);
	assert_in_range(state->len, 0, STATE_MAX);
	assert_int_equal(ibuf_mbuf_copy_out(m, 0, state->bytes, state->len), 0);
	state->headroom = ibuf_mbuf_headroom(m);
	state->tailroom = ibuf_mbuf_tailroom(m);
	state->capacity = ibuf_mbuf_capacity(m);
	state->segments = ibuf_mbuf_segments(m);
	state->unique = ibuf_mbuf_is_unique(m);
}

static inline bool
has_bytes(const struct ibuf_mbuf *m, const uint8_t *bytes, size_t len)
{
	if (ibuf_mbuf_len(m) != len)
		return false;
	for (const struct ibuf_mbuf *s = m; s != NULL;
	     s = ibuf_mbuf_seg_next(s)) {
		size_t here = ibuf_mbuf_seg_len(s);

		if (memcmp(ibuf_mbuf_seg_data(s), bytes, here) != 0)
			return false;
		bytes += here;
	}
	return true;
}

/* Name what of m is no longer as it was; NULL: nothing. */
static inline const char *
state_change(const struct state *state, const struct ibuf_mbuf *m)
{
	if (ibuf_mbuf_validate(m) != 0)
		return "validity";
	if (!has_bytes(m, state->bytes, state->len))
		return "bytes";
	if (ibuf_mbuf_headroom(m) != state->headroom)
		return "headroom";
	if (ibuf_mbuf_tailroom(m) != state->tailroom)
		return "tailroom";
	if (ibuf_mbuf_capacity(m) != state->capacity)
		return "capacity";
	if (ibuf_mbuf_segments(m) != state->segments)
		return "segments";
	if (ibuf_mbuf_is_unique(m) != state->unique)
		return "uniqueness";
	return NULL;
}

/* m is as it was when state was taken. */
#define assert_state(m, state)                                                 \
	do {                                                                   \
		const char *change_ = state_change(state, m);                  \
		if (change_ != NULL)                                           \
			fail_msg("the %s changed", change_);                   \
	} while (0)

/* The message is valid, and these are its sizes. */
#define assert_sizes(m, headroom, len, tailroom, capacity)                     \
	do {                                                                   \
		assert_int_equal(ibuf_mbuf_validate(m), 0);                    \
		assert_int_equal(ibuf_mbuf_headroom(m), headroom);             \
		assert_int_equal(ibuf_mbuf_len(m), len);                       \
		assert_int_equal(ibuf_mbuf_tailroom(m), tailroom);             \
		assert_int_equal(ibuf_mbuf_capacity(m), capacity);             \
	} while (0)

/* Bytes that the library has moved for the heap's messages. */
static inline uint64_t
heap_copied_bytes(void)
{
	struct ibuf_pool_stats stats;

	assert_int_equal(ibuf_pool_get_stats(NULL, &stats, sizeof(stats)), 0);
	return stats.copied_bytes;
}

/* Bytes 0, 1, 2 ... in a heap message with these sizes. */
static inline struct ibuf_mbuf *
message_with(size_t headroom, size_t len, size_t tailroom)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(headroom, len + tailroom);
	uint8_t *bytes;

	assert_non_null(m);
	bytes = ibuf_mbuf_extend_tail(m, len);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)i;
	assert_sizes(m, headroom, len, tailroom, len + tailroom);
	return m;
}

#endif
