/*
 * test_rhythms.c - the four ends of a message in any rhythm: its bytes are
 * right, its room stays within a constant factor of the longest length there
 * was, and each byte is moved a few times at most.
 */
#include "states.h"

enum { LONGEST = 4000, STEPS = 4000 };

struct rhythm {
	struct ibuf_mbuf *m, *snapshot;
	size_t len, longest, added;
	uint64_t copied;
	uint32_t random;
	uint8_t flat[2 * LONGEST];
};

static uint32_t
dice(struct rhythm *r, uint32_t sides)
{
	r->random = r->random * 1103515245 + 12345;
	return (r->random >> 8) % sides;
}

static uint64_t
copied_for(const struct ibuf_mbuf *m)
{
	struct ibuf_pool_stats stats;

	assert_int_equal(
		ibuf_pool_get_stats(ibuf_mbuf_pool(m), &stats, sizeof(stats)),
		0);
	return stats.copied_bytes;
}

static void
add(struct rhythm *r, bool front, size_t n)
{
	uint8_t bytes[400];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)dice(r, 256);
	if (front) {
		assert_int_equal(ibuf_mbuf_prepend(r->m, bytes, n), 0);
		memmove(r->flat + n, r->flat, r->len);
		memcpy(r->flat, bytes, n);
	} else {
		assert_int_equal(ibuf_mbuf_append(r->m, bytes, n), 0);
		memcpy(r->flat + r->len, bytes, n);
	}
	r->len += n;
	r->added += n;
	if (r->len > r->longest)
		r->longest = r->len;
}

static void
take(struct rhythm *r, bool front, size_t n)
{
	if (n > r->len)
		n = r->len;
	if (front) {
		assert_int_equal(ibuf_mbuf_trim_head(r->m, n), 0);
		memmove(r->flat, r->flat + n, r->len - n);
	} else {
		assert_int_equal(ibuf_mbuf_trim_tail(r->m, n), 0);
	}
	r->len -= n;
}

/* A clone of what there is, until the next one. */
static void
look(struct rhythm *r)
{
	ibuf_mbuf_free(r->snapshot);
	r->snapshot = ibuf_mbuf_clone(r->m);
	assert_non_null(r->snapshot);
}

static void
end(struct rhythm *r)
{
	assert_message(r->m, r->flat, r->len);
	ibuf_mbuf_free(r->m);
	ibuf_mbuf_free(r->snapshot);
}

static void
start(struct rhythm *r, struct ibuf_mbuf *m, uint32_t seed)
{
	memset(r, 0, sizeof(*r));
	r->m = m;
	r->random = seed;
	assert_non_null(m);
	r->copied = copied_for(m);
	r->longest = ibuf_mbuf_capacity(m);
}

static void
assert_frugal(struct rhythm *r, size_t moves)
{
	size_t room = ibuf_mbuf_capacity(r->m) + ibuf_mbuf_headroom(r->m);

	assert_in_range(room, 0, 8 * r->longest + 64);
	assert_in_range(copied_for(r->m) - r->copied, 0,
			moves * r->added + 4096);
}

/* Grow at one end more often, shrink at the other, or not. */
static void
play(struct ibuf_mbuf *m, uint32_t seed)
{
	static struct rhythm r;
	uint32_t front, cross, most;

	start(&r, m, seed);
	front = dice(&r, 9);
	cross = dice(&r, 9);
	most = 1 + dice(&r, 400);
	for (int i = 0; i < STEPS; i++) {
		bool in_front = dice(&r, 8) < front;
		size_t n = 1 + dice(&r, most);

		if (r.len + n <= LONGEST && (r.len < 500 || dice(&r, 2) == 0))
			add(&r, in_front, n);
		else
			take(&r, in_front != (dice(&r, 8) < cross), n);
		assert_frugal(&r, 8);
		if (i % 64 == 0)
			assert_message(r.m, r.flat, r.len);
	}
	end(&r);
}

TEST(any_rhythm_of_the_four_ends_stays_within_the_length_there_was)
{
	struct ibuf_pool *p = ibuf_pool_new(0, 512);

	assert_non_null(p);
	for (uint32_t seed = 1; seed <= 60; seed++) {
		play(ibuf_mbuf_new_headroom(seed % 5 * 16, seed % 3 * 100),
		     seed);
		play(ibuf_pool_alloc(p), seed);
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_queue_of_constant_length_has_constant_memory_whichever_end_grows)
{
	static struct rhythm r;

	for (int front = 0; front < 2; front++) {
		size_t room = 0;

		start(&r, ibuf_mbuf_new(0), 1);
		for (int i = 0; i < 20000; i++) {
			add(&r, front, 100);
			if (r.len > 1000)
				take(&r, !front, 100);
			assert_frugal(&r, 8);
			if (i == 100)
				room = ibuf_mbuf_capacity(r.m);
		}
		assert_int_equal(ibuf_mbuf_capacity(r.m), room);
		end(&r);
	}
}

/* A snapshot now and then, or after each byte; mostly at one end, or not. */
TEST(a_byte_costs_as_little_while_clones_look_at_what_there_was)
{
	static struct rhythm r;

	for (uint32_t front = 0; front <= 8; front++) {
		for (uint32_t every = 1; every <= 9; every += 4) {
			start(&r, ibuf_mbuf_new(64), front + 1);
			while (r.len < LONGEST) {
				if (dice(&r, every) == 0)
					look(&r);
				add(&r, dice(&r, 8) < front, 1);
				/* A logarithm hides where both ends grow. */
				assert_frugal(&r, front % 8 == 0 ? 8 : 48);
			}
			end(&r);
		}
	}
}

TEST(a_clone_that_is_extended_grows_by_half_and_leaves_the_slack_there)
{
	for (int front = 0; front < 2; front++) {
		struct ibuf_mbuf *m = message_with(8, 30, 0);
		struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

		assert_non_null(front ? ibuf_mbuf_extend_head(clone, 1)
				      : ibuf_mbuf_extend_tail(clone, 1));
		assert_sizes(clone, front ? 22 : 8, 31, front ? 0 : 14, 45);
		/* The message itself keeps half of the room for each end. */
		assert_int_equal(ibuf_mbuf_trim_tail(m, 20), 0);
		ibuf_mbuf_free(clone);
		clone = ibuf_mbuf_clone(m);
		assert_non_null(ibuf_mbuf_extend_head(m, 9));
		assert_sizes(m, 5, 19, 14, 30);
		ibuf_mbuf_free(clone);
		ibuf_mbuf_free(m);
	}
}
