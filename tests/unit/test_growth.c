/*
 * test_growth.c - the growth law of a sole owner, against a second telling:
 *
 *   h0 headroom the room was made with, C = room - h0
 *   n more behind, that do not fit:
 *       back to h0, if off - h0 >= len and len + n <= C
 *       else C' = max(C + C / 2, len + n), data at h0
 *   n more in front, that do not fit:
 *       slide, if tailroom >= len and n <= free = room - len: headroom is then
 *       max(half of free rounded up, n), before the n go in
 *       else C' = max(C + C / 2, len + n), the tailroom kept up to half of
 *       what is free then
 */
#include "states.h"

struct law {
	size_t h0, room, off, len;
	size_t allocations, moved;
};

static size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t
law_capacity(const struct law *law)
{
	return law->room - law->h0;
}

static size_t
law_tailroom(const struct law *law)
{
	return law->room - law->off - law->len;
}

static void
law_tail(struct law *law, size_t n)
{
	size_t c = law_capacity(law);
	size_t dead = law->off > law->h0 ? law->off - law->h0 : 0;

	if (n > law_tailroom(law)) {
		law->off = law->h0;
		law->moved += law->len;
		if (dead < law->len || law->len + n > c) {
			law->room = law->h0 + larger(c + c / 2, law->len + n);
			law->allocations++;
		}
	}
}

static void
law_head(struct law *law, size_t n)
{
	size_t c = law_capacity(law), tail = law_tailroom(law);
	size_t free_bytes = law->room - law->len;

	if (n <= law->off)
		return;
	law->moved += law->len;
	if (tail >= law->len && n <= free_bytes) {
		law->off = larger((free_bytes + 1) / 2, n);
		return;
	}
	law->room = law->h0 + larger(c + c / 2, law->len + n);
	law->allocations++;
	free_bytes = law->room - law->len;
	if (tail > free_bytes / 2)
		tail = free_bytes / 2;
	if (tail > free_bytes - n)
		tail = free_bytes - n;
	law->off = free_bytes - tail;
}

static void
assert_law(const struct law *law, const struct ibuf_mbuf *m)
{
	assert_sizes(m, law->off, law->len, law_tailroom(law),
		     law_capacity(law));
}

/* ---- exact capacities ---------------------------------------------- */

TEST(appends_of_one_byte_reallocate_as_often_as_the_law_says)
{
	struct law law = {.room = 64};
	struct ibuf_mbuf *m = ibuf_mbuf_new(64);
	size_t calls = fault_calls();

	for (size_t i = 0; i < 1 << 20; i++) {
		law_tail(&law, 1);
		law.len++;
		assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
		if (ibuf_mbuf_capacity(m) != law_capacity(&law) ||
		    i % 4099 == 0)
			assert_law(&law, m);
	}
	assert_int_equal(fault_calls() - calls, law.allocations);
	assert_int_equal(law.allocations, 24);
	ibuf_mbuf_free(m);
}

TEST(the_need_beats_half_as_much_again)
{
	static const struct {
		size_t capacity, len, more, grown;
	} rows[] = {
		{10, 0, 46, 46},    {10, 10, 5, 15},  {10, 10, 6, 16},
		{10, 10, 4, 15},    {0, 0, 1, 1},     {1, 1, 1, 2},
		{2, 2, 1, 3},       {3, 3, 1, 4},     {4, 4, 1, 6},
		{0, 0, 1000, 1000}, {64, 1, 64, 96},  {64, 64, 1, 96},
		{64, 32, 64, 96},   {64, 33, 64, 97}, {65, 65, 1, 97},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ibuf_mbuf *m = ibuf_mbuf_new(rows[i].capacity);

		assert_int_equal(ibuf_mbuf_append_fill(m, 'a', rows[i].len), 0);
		assert_int_equal(ibuf_mbuf_capacity(m), rows[i].capacity);
		assert_int_equal(ibuf_mbuf_append_fill(m, 'b', rows[i].more),
				 0);
		assert_sizes(m, 0, rows[i].len + rows[i].more,
			     rows[i].grown - rows[i].len - rows[i].more,
			     rows[i].grown);
		ibuf_mbuf_free(m);
	}
}

static int
by_append(struct ibuf_mbuf *m, size_t n)
{
	static const char bytes[256];

	return ibuf_mbuf_append(m, bytes, n);
}

static int
by_write(struct ibuf_mbuf *m, size_t n)
{
	static const char bytes[256];

	return ibuf_mbuf_write(m, bytes, n) == (ssize_t)n ? 0 : -1;
}

static int
by_fill(struct ibuf_mbuf *m, size_t n)
{
	return ibuf_mbuf_append_fill(m, 0, n);
}

static int
by_extending(struct ibuf_mbuf *m, size_t n)
{
	void *bytes = ibuf_mbuf_extend_tail(m, n);

	if (bytes == NULL)
		return -1;
	memset(bytes, 0, n);
	return 0;
}

static int
by_reserving(struct ibuf_mbuf *m, size_t n)
{
	void *bytes = ibuf_mbuf_reserve(m, n);

	if (bytes == NULL)
		return -1;
	memset(bytes, 0, n);
	return ibuf_mbuf_commit(m, n);
}

static int
by_printing(struct ibuf_mbuf *m, size_t n)
{
	return ibuf_mbuf_printf(m, "%*s", (int)n, "");
}

TEST(every_way_to_add_at_the_end_follows_the_law)
{
	static int (*const ways[])(struct ibuf_mbuf *, size_t) = {
		by_append,    by_write,     by_fill,
		by_extending, by_reserving, by_printing};
	static const size_t sizes[] = {1, 0, 5, 1, 40, 2, 3, 100, 1, 150, 255};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct law law = {.h0 = 6, .room = 16, .off = 6};
		struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(6, 10);

		for (size_t j = 0; j < sizeof(sizes) / sizeof(*sizes); j++) {
			law_tail(&law, sizes[j]);
			law.len += sizes[j];
			assert_int_equal(ways[i](m, sizes[j]), 0);
			assert_law(&law, m);
			if (j % 3 != 2)
				continue;
			law.off += law.len / 2;
			law.len -= law.len / 2;
			ibuf_mbuf_trim_head(m, ibuf_mbuf_len(m) / 2);
		}
		ibuf_mbuf_free(m);
	}
}

TEST(what_fits_allocates_nothing_and_moves_nothing)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20);
	const uint8_t *data = ibuf_mbuf_data(m);
	size_t calls = fault_calls();
	uint64_t copied = heap_copied_bytes();

	assert_ptr_equal(ibuf_mbuf_reserve(m, 0), data + 10);
	assert_ptr_equal(ibuf_mbuf_reserve(m, 20), data + 10);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 20), 0);
	assert_int_equal(ibuf_mbuf_prepend(m, "headroom", 8), 0);
	assert_ptr_equal(ibuf_mbuf_data(m), data - 8);
	assert_sizes(m, 0, 38, 0, 30);
	assert_int_equal(fault_calls(), calls);
	assert_int_equal(heap_copied_bytes(), copied);
	ibuf_mbuf_free(m);
}

TEST(reserving_one_more_than_the_tailroom_keeps_bytes_and_headroom)
{
	struct ibuf_mbuf *m = message_with(8, 10, 20);
	struct state before;

	state_take(&before, m);
	assert_non_null(ibuf_mbuf_reserve(m, 21));
	assert_sizes(m, 8, 10, 35, 45);
	assert_message(m, before.bytes, 10);
	ibuf_mbuf_free(m);
}

/* ---- sliding ------------------------------------------------------- */

TEST(bytes_slide_back_when_the_dead_headroom_holds_them_all)
{
	static const struct {
		size_t h0, capacity, len, trim, more;
		bool slides;
	} rows[] = {
		{0, 100, 100, 50, 1, true},    {0, 100, 100, 50, 50, true},
		{0, 100, 100, 50, 51, false},  {0, 100, 100, 49, 1, false},
		{0, 100, 100, 51, 1, true},    {0, 100, 100, 100, 1, true},
		{0, 100, 100, 100, 100, true}, {0, 100, 100, 100, 101, false},
		{16, 100, 100, 50, 50, true},  {16, 100, 100, 49, 1, false},
		{16, 100, 99, 50, 2, true},    {16, 100, 99, 50, 52, false},
		{16, 100, 99, 49, 2, false},   {0, 1, 1, 1, 1, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t c = rows[i].capacity, left = rows[i].len - rows[i].trim;
		struct ibuf_mbuf *m =
			message_with(rows[i].h0, rows[i].len, c - rows[i].len);
		size_t calls = fault_calls();
		uint64_t copied = heap_copied_bytes();
		struct state before;

		assert_int_equal(ibuf_mbuf_trim_head(m, rows[i].trim), 0);
		state_take(&before, m);
		assert_non_null(ibuf_mbuf_reserve(m, rows[i].more));
		assert_int_equal(fault_calls() - calls, !rows[i].slides);
		if (!rows[i].slides)
			c = larger(c + c / 2, left + rows[i].more);
		assert_sizes(m, rows[i].h0, left, c - left, c);
		assert_message(m, before.bytes, left);
		assert_int_equal(heap_copied_bytes() - copied, left);
		ibuf_mbuf_free(m);
	}
}

/* ---- the front ----------------------------------------------------- */

TEST(prepends_of_one_byte_cost_as_little_as_appends)
{
	struct law law = {.h0 = 4, .room = 68, .off = 4};
	struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(4, 64);
	size_t calls = fault_calls();
	uint64_t copied = heap_copied_bytes();

	for (size_t i = 0; i < 1 << 18; i++) {
		law_head(&law, 1);
		law.off--;
		law.len++;
		assert_int_equal(ibuf_mbuf_prepend(m, "x", 1), 0);
		if (ibuf_mbuf_headroom(m) != law.off || i % 1021 == 0)
			assert_law(&law, m);
	}
	assert_int_equal(fault_calls() - calls, law.allocations);
	assert_int_equal(heap_copied_bytes() - copied, law.moved);
	assert_in_range(law.moved, 1, 3 << 18);
	ibuf_mbuf_free(m);
}

TEST(prepending_past_the_headroom_slides_or_grows_as_the_law_says)
{
	for (size_t n = 9; n < 200; n++) {
		struct law law = {.h0 = 8, .room = 38, .off = 8, .len = 10};
		struct ibuf_mbuf *m = message_with(8, 10, 20);
		uint8_t *bytes = ibuf_mbuf_extend_head(m, n);

		law_head(&law, n);
		law.off -= n;
		law.len += n;
		assert_ptr_equal(ibuf_mbuf_data(m), bytes);
		memset(bytes, 'x', n);
		assert_law(&law, m);
		assert_int_equal(law.allocations, n > 28);
		assert_int_equal(*ibuf_mbuf_at(m, n - 1, NULL), 'x');
		assert_int_equal(*ibuf_mbuf_at(m, n, NULL), 0);
		assert_int_equal(*ibuf_mbuf_at(m, n + 9, NULL), 9);
		ibuf_mbuf_free(m);
	}
}

/* ---- any order ----------------------------------------------------- */

/* xorshift32 */
static uint32_t
next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

#define MOST 2000

/* One random edit of the law, the message and the bytes it should hold. */
static void
edit(struct law *law, struct ibuf_mbuf *m, uint8_t *flat, uint32_t *seed)
{
	uint8_t bytes[100];
	uint32_t what = next_random(seed) % 16;
	size_t n = next_random(seed) % (law->len < MOST ? sizeof(bytes) : 1);
	size_t less = law->len == 0 ? 0 : next_random(seed) % (law->len + 1);

	memset(bytes, (int)(*seed >> 8), sizeof(bytes));
	if (what < 6) {
		law_tail(law, n);
		assert_int_equal(ibuf_mbuf_append(m, bytes, n), 0);
		memcpy(flat + law->len, bytes, n);
		law->len += n;
	} else if (what < 9) {
		law_head(law, n);
		assert_int_equal(ibuf_mbuf_prepend(m, bytes, n), 0);
		memmove(flat + n, flat, law->len);
		memcpy(flat, bytes, n);
		law->off -= n;
		law->len += n;
	} else if (what < 12) {
		assert_int_equal(ibuf_mbuf_trim_head(m, less), 0);
		law->off += less;
		law->len -= less;
		memmove(flat, flat + less, law->len);
	} else if (what < 15) {
		assert_int_equal(ibuf_mbuf_trim_tail(m, less), 0);
		law->len -= less;
	} else {
		ibuf_mbuf_clear(m);
		law->off = law->h0;
		law->len = 0;
	}
}

TEST(the_law_holds_whatever_the_order_of_edits)
{
	static uint8_t flat[2 * MOST];
	uint32_t seed = 20240229;

	for (int round = 0; round < 200; round++) {
		size_t h0 = next_random(&seed) % 40;
		size_t c = next_random(&seed) % 100;
		struct law law = {.h0 = h0, .room = h0 + c, .off = h0};
		struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(h0, c);
		size_t calls = fault_calls();
		uint64_t copied = heap_copied_bytes();

		for (int i = 0; i < 200; i++) {
			edit(&law, m, flat, &seed);
			assert_law(&law, m);
			assert_message(m, flat, law.len);
			assert_int_equal(fault_calls() - calls,
					 law.allocations);
			assert_int_equal(heap_copied_bytes() - copied,
					 law.moved);
		}
		ibuf_mbuf_free(m);
	}
}
