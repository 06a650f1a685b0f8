/* test_alias.c - a message's own bytes are appended, prepended, written. */
#include "messages.h"
#include "states.h"

/* Each row: a message with these sizes, and how it came to them. */
static const struct room {
	size_t headroom, len, tailroom, trim;
} rooms[] = {
	{0, 8, 100, 0},                /* all fits behind */
	{0, 8, 0, 0},                  /* grows, in place where it can */
	{16, 8, 0, 0},  {16, 8, 3, 2}, /* moves to another room */
	{0, 30, 1, 22},                /* slides */
	{4, 40, 0, 32},
};

#define EACH(row, rows)                                                        \
	(size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++)

static struct ibuf_mbuf *
message_in(const struct room *room)
{
	struct ibuf_mbuf *m =
		message_with(room->headroom, room->len, room->tailroom);

	assert_int_equal(ibuf_mbuf_trim_head(m, room->trim), 0);
	return m;
}

/* Append bytes off to off + n of m to it, or prepend them. */
static void
add_own(struct ibuf_mbuf *m, size_t off, size_t n, bool behind)
{
	size_t len = ibuf_mbuf_len(m);
	const uint8_t *own = ibuf_mbuf_at(m, off, NULL);
	uint8_t expected[STATE_MAX];

	if (behind) {
		ibuf_mbuf_copy_out(m, 0, expected, len);
		ibuf_mbuf_copy_out(m, off, expected + len, n);
		assert_int_equal(ibuf_mbuf_append(m, own, n), 0);
	} else {
		ibuf_mbuf_copy_out(m, off, expected, n);
		ibuf_mbuf_copy_out(m, 0, expected + n, len);
		assert_int_equal(ibuf_mbuf_prepend(m, own, n), 0);
	}
	assert_message(m, expected, len + n);
}

static void
add_every_own_range(bool behind)
{
	for
		EACH(i, rooms)
		{
			size_t len = rooms[i].len - rooms[i].trim;

			for (size_t off = 0; off < len; off++) {
				for (size_t n = 1; n <= len - off; n++) {
					struct ibuf_mbuf *m =
						message_in(&rooms[i]);

					add_own(m, off, n, behind);
					ibuf_mbuf_free(m);
				}
			}
		}
}

TEST(own_bytes_can_be_appended_with_and_without_growth)
{
	add_every_own_range(true);
}

TEST(own_bytes_can_be_prepended_with_and_without_growth)
{
	add_every_own_range(false);
}

TEST(a_message_appended_to_itself_many_times_doubles_each_time)
{
	struct ibuf_mbuf *m = message_of("ab", 2);
	size_t len = 2;

	for (int i = 0; i < 16; i++, len *= 2)
		assert_int_equal(ibuf_mbuf_append(m, ibuf_mbuf_data(m), len),
				 0);
	assert_int_equal(ibuf_mbuf_len(m), 1 << 17);
	for (size_t i = 0; i < len; i++)
		if (ibuf_mbuf_data(m)[i] != "ab"[i % 2])
			fail_msg("byte %zu is wrong", i);
	ibuf_mbuf_free(m);
}

TEST(own_bytes_can_be_added_where_the_room_is_shared_or_read_only)
{
	for (int behind = 0; behind < 2; behind++) {
		for (size_t off = 0; off < 6; off++) {
			struct ibuf_mbuf *m = message_of("abcdef", 6);
			struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
			struct ibuf_mbuf *rom =
				ibuf_mbuf_wrap_const("abcdef", 6, NULL, NULL);

			add_own(clone, off, 6 - off, behind);
			add_own(m, off, 6 - off, behind);
			add_own(rom, off, 6 - off, behind);
			ibuf_mbuf_free(m);
			ibuf_mbuf_free(clone);
			ibuf_mbuf_free(rom);
		}
	}
}

TEST(bytes_of_a_sibling_can_be_appended_with_growth)
{
	struct ibuf_mbuf *m = message_of("abcdef", 6);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 2, 2);

	assert_int_equal(ibuf_mbuf_append(m, ibuf_mbuf_data(clone), 6), 0);
	assert_message(m, "abcdefabcdef", 12);
	/* More than the slice's own bytes, and some of them. */
	assert_int_equal(ibuf_mbuf_append(slice, ibuf_mbuf_data(clone), 6), 0);
	assert_message(slice, "cdabcdef", 8);
	assert_message(clone, "abcdef", 6);
	assert_int_equal(ibuf_mbuf_append(clone, ibuf_mbuf_data(m), 6), 0);
	assert_message(clone, "abcdefabcdef", 12);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(slice);
}

/* ---- several segments ---------------------------------------------- */

TEST(bytes_of_any_own_segment_can_be_added_at_both_ends)
{
	for (int behind = 0; behind < 2; behind++) {
		for (size_t off = 0; off < 9; off++) {
			struct ibuf_mbuf *m = message_of("abc", 3);
			size_t run;

			add_segment(m, "de", 2);
			add_segment(m, "fghi", 4);
			ibuf_mbuf_at(m, off, &run);
			add_own(m, off, run, behind);
			ibuf_mbuf_free(m);
		}
	}
}

/*
 * Two halves of one room, the second one in front: "defabc" in the message
 * lies as "abcdef" in memory.
 */
static struct ibuf_mbuf *
crossed(size_t tailroom)
{
	struct ibuf_mbuf *front = ibuf_mbuf_new_headroom(0, 6 + tailroom);
	struct ibuf_mbuf *m;

	assert_int_equal(ibuf_mbuf_append(front, "abcdef", 6), 0);
	m = ibuf_mbuf_split(front, 3);
	assert_int_equal(ibuf_mbuf_concat(m, front), 0);
	assert_message(m, "defabc", 6);
	assert_int_equal(ibuf_mbuf_segments(m), 2);
	return m;
}

TEST(own_bytes_may_lie_across_two_segments_of_one_room)
{
	for (size_t tailroom = 0; tailroom <= 8; tailroom += 4) {
		for (size_t off = 0; off < 3; off++) {
			for (size_t n = 1; n <= 6 - off; n++) {
				struct ibuf_mbuf *m = crossed(tailroom);
				const uint8_t *own = ibuf_mbuf_at(m, 3, NULL);
				char all[] = "defabc......";

				memcpy(all + 6, &"abcdef"[off], n);
				assert_int_equal(
					ibuf_mbuf_append(m, own + off, n), 0);
				assert_message(m, all, 6 + n);
				ibuf_mbuf_free(m);
			}
		}
	}
}

TEST(own_bytes_across_two_segments_of_one_room_can_be_prepended)
{
	for (size_t off = 0; off < 3; off++) {
		for (size_t n = 1; n <= 6 - off; n++) {
			struct ibuf_mbuf *front = message_of("abcdef", 6), *m;
			struct ibuf_mbuf *rest = ibuf_mbuf_split(front, 3);
			const uint8_t *own = ibuf_mbuf_data(front);
			char all[20];

			/* "abc" and "def" with something between them. */
			m = front;
			add_segment(m, "-", 1);
			assert_int_equal(ibuf_mbuf_concat(m, rest), 0);
			assert_message(m, "abc-def", 7);
			memcpy(all, &"abcdef"[off], n);
			memcpy(all + n, "abc-def", 7);
			assert_int_equal(ibuf_mbuf_prepend(m, own + off, n), 0);
			assert_message(m, all, 7 + n);
			ibuf_mbuf_free(m);
		}
	}
}

/* ---- write_at ------------------------------------------------------ */

static struct ibuf_mbuf *
three_segments(void)
{
	struct ibuf_mbuf *m = message_of("abc", 3);

	add_segment(m, "defg", 4);
	add_segment(m, "hi", 2);
	return m;
}

/* Write n own bytes from a segment over others, as memmove would. */
static void
write_own(struct ibuf_mbuf *m, size_t from, size_t to, size_t n)
{
	uint8_t expected[9];

	memcpy(expected, "abcdefghi", 9);
	memmove(expected + to, expected + from, n);
	assert_int_equal(
		ibuf_mbuf_write_at(m, to, ibuf_mbuf_at(m, from, NULL), n), 0);
	assert_message(m, expected, 9);
}

TEST(own_bytes_are_written_over_others_as_memmove_would)
{
	for (size_t from = 0; from < 9; from++) {
		for (size_t to = 0; to < 9; to++) {
			struct ibuf_mbuf *m = three_segments(), *clone, *flat;
			size_t run;

			ibuf_mbuf_at(m, from, &run);
			for (size_t n = 0; n <= run && to + n <= 9; n++) {
				clone = ibuf_mbuf_clone(m);
				flat = ibuf_mbuf_copy(m, 0, 9);
				write_own(clone, from, to, n);
				write_own(flat, from, to, n);
				assert_message(m, "abcdefghi", 9);
				ibuf_mbuf_free(clone);
				ibuf_mbuf_free(flat);
				/* Now a sole owner. */
				write_own(m, from, to, n);
				ibuf_mbuf_free(m);
				m = three_segments();
			}
			ibuf_mbuf_free(m);
		}
	}
}

TEST(own_bytes_across_segments_of_one_room_are_written_as_they_were)
{
	for (size_t to = 0; to <= 6; to++) {
		for (size_t n = 0; n <= 6 - to; n++) {
			struct ibuf_mbuf *m = crossed(2);
			char expected[] = "defabc";

			memcpy(expected + to, "abcdef", n);
			assert_int_equal(
				ibuf_mbuf_write_at(m, to,
						   ibuf_mbuf_at(m, 3, NULL), n),
				0);
			assert_message(m, expected, 6);
			ibuf_mbuf_free(m);
		}
	}
}

/* ---- memory of several rooms ------------------------------------------ */

enum { BLOCK = 120 };

/* Whoever reads what was released reads this. */
static void
spoil(void *bytes, size_t len, void *arg)
{
	(void)arg;
	memset(bytes, 0xee, len);
}

static uint32_t
dice(uint32_t *random, uint32_t sides)
{
	*random = *random * 1103515245 + 12345;
	return (*random >> 8) % sides;
}

/* Windows of several wrapped rooms, one behind the other in memory. */
static struct ibuf_mbuf *
message_of_neighbours(uint8_t *block, uint32_t *random)
{
	struct ibuf_mbuf *m = NULL;
	size_t at = 0;

	while (at < BLOCK) {
		size_t len = 1 + dice(random, BLOCK / 2);
		struct ibuf_mbuf *room;

		if (len > BLOCK - at)
			len = BLOCK - at;
		room = ibuf_mbuf_wrap(block + at, len, spoil, NULL);
		assert_non_null(room);
		at += len;
		if (m == NULL)
			m = room;
		else
			assert_int_equal(ibuf_mbuf_concat(m, room), 0);
	}
	/* The ends may have room to slide in. */
	if (dice(random, 2) == 0)
		ibuf_mbuf_trim_head(m, dice(random, BLOCK * 3 / 4));
	if (dice(random, 2) == 0)
		ibuf_mbuf_trim_tail(m,
				    dice(random, (uint32_t)(ibuf_mbuf_len(m))));
	return m;
}

/* All bytes of the message lie in one piece of memory, whatever the rooms. */
TEST(own_bytes_may_lie_across_rooms_that_are_neighbours_in_memory)
{
	uint32_t random = 1;

	for (int i = 0; i < 30000; i++) {
		uint8_t block[BLOCK], flat[BLOCK], expected[2 * BLOCK];
		uint32_t what = dice(&random, 3);
		struct ibuf_mbuf *m;
		const uint8_t *own;
		size_t len, from, n, to;

		for (size_t k = 0; k < BLOCK; k++)
			block[k] = (uint8_t)(k + (size_t)i);
		m = message_of_neighbours(block, &random);
		len = ibuf_mbuf_len(m);
		assert_int_equal(ibuf_mbuf_copy_out(m, 0, flat, len), 0);
		from = dice(&random, (uint32_t)len);
		n = 1 + dice(&random, (uint32_t)(len - from));
		to = dice(&random, (uint32_t)(len - n) + 1);
		own = ibuf_mbuf_at(m, from, NULL);
		memcpy(expected, flat, len);
		if (what == 0) {
			memcpy(expected + len, flat + from, n);
			assert_int_equal(ibuf_mbuf_append(m, own, n), 0);
			len += n;
		} else if (what == 1) {
			memcpy(expected, flat + from, n);
			memcpy(expected + n, flat, len);
			assert_int_equal(ibuf_mbuf_prepend(m, own, n), 0);
			len += n;
		} else {
			memcpy(expected + to, flat + from, n);
			assert_int_equal(ibuf_mbuf_write_at(m, to, own, n), 0);
		}
		assert_message(m, expected, len);
		ibuf_mbuf_free(m);
	}
}

/* The last byte is source and target; the first byte of the next is source. */
TEST(write_at_reads_bytes_that_are_or_border_on_those_it_writes)
{
	for (size_t to = 0; to <= 8; to++) {
		for (size_t from = 0; from <= 8; from++) {
			uint8_t block[] = "abcdefghijkl", expected[13];
			struct ibuf_mbuf *m =
				ibuf_mbuf_wrap(block, 5, spoil, NULL);

			assert_int_equal(
				ibuf_mbuf_concat(m,
						 ibuf_mbuf_wrap(block + 5, 7,
								spoil, NULL)),
				0);
			memcpy(expected, block, 12);
			memmove(expected + to, block + from, 4);
			assert_int_equal(
				ibuf_mbuf_write_at(m, to, block + from, 4), 0);
			assert_message(m, expected, 12);
			ibuf_mbuf_free(m);
		}
	}
}
