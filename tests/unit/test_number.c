/* test_number.c - integers of every width and order at either end. */
#include "messages.h"
#include "states.h"

/* One row for each function; all take a uint64_t here. */
#define NUMBERS(X)                                                             \
	X(append, u8, uint8_t)                                                 \
	X(append, be16, uint16_t)                                              \
	X(append, be24, uint32_t)                                              \
	X(append, be32, uint32_t)                                              \
	X(append, be64, uint64_t)                                              \
	X(append, le16, uint16_t)                                              \
	X(append, le24, uint32_t)                                              \
	X(append, le32, uint32_t)                                              \
	X(append, le64, uint64_t)                                              \
	X(prepend, u8, uint8_t)                                                \
	X(prepend, be16, uint16_t)                                             \
	X(prepend, be24, uint32_t)                                             \
	X(prepend, be32, uint32_t)                                             \
	X(prepend, be64, uint64_t)                                             \
	X(prepend, le16, uint16_t)                                             \
	X(prepend, le24, uint32_t)                                             \
	X(prepend, le32, uint32_t)                                             \
	X(prepend, le64, uint64_t)

#define DEFINE(where, kind, type)                                              \
	static int do_##where##_##kind(struct ibuf_mbuf *m, uint64_t value)    \
	{                                                                      \
		return ibuf_mbuf_##where##_##kind(m, (type)value);             \
	}
NUMBERS(DEFINE)
#undef DEFINE

static const struct number {
	const char *where, *kind;
	int (*add)(struct ibuf_mbuf *m, uint64_t value);
} numbers[] = {
#define ROW(where, kind, type) {#where, #kind, do_##where##_##kind},
	NUMBERS(ROW)
#undef ROW
};

#define EACH(i) (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)

static size_t
width_of(const struct number *number)
{
	return strtoul(number->kind + strcspn(number->kind, "123468"), NULL,
		       10) /
	       8;
}

/* The bytes of a value, as the name of the function says. */
static size_t
encode(const struct number *number, uint64_t value, uint8_t *bytes)
{
	size_t width = width_of(number);
	bool big = number->kind[0] == 'b';

	for (size_t i = 0; i < width; i++)
		bytes[big ? width - 1 - i : i] = (uint8_t)(value >> 8 * i);
	return width;
}

static bool
appends(const struct number *number)
{
	return strcmp(number->where, "append") == 0;
}

/* The largest value that a function takes. */
static uint64_t
largest(const struct number *number)
{
	return UINT64_MAX >> (64 - 8 * width_of(number));
}

TEST(the_bytes_of_one_value_are_written_out_by_hand)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);

	assert_int_equal(ibuf_mbuf_append_u8(m, 0xa1), 0);
	assert_int_equal(ibuf_mbuf_append_be16(m, 0x0102), 0);
	assert_int_equal(ibuf_mbuf_append_be24(m, 0x030405), 0);
	assert_int_equal(ibuf_mbuf_append_be32(m, 0x06070809), 0);
	assert_int_equal(ibuf_mbuf_append_be64(m, 0x1112131415161718), 0);
	assert_int_equal(ibuf_mbuf_append_le16(m, 0x0102), 0);
	assert_int_equal(ibuf_mbuf_append_le24(m, 0x030405), 0);
	assert_int_equal(ibuf_mbuf_append_le32(m, 0x06070809), 0);
	assert_int_equal(ibuf_mbuf_append_le64(m, 0x1112131415161718), 0);
	assert_message(m,
		       "\xa1"
		       "\x01\x02"
		       "\x03\x04\x05"
		       "\x06\x07\x08\x09"
		       "\x11\x12\x13\x14\x15\x16\x17\x18"
		       "\x02\x01"
		       "\x05\x04\x03"
		       "\x09\x08\x07\x06"
		       "\x18\x17\x16\x15\x14\x13\x12\x11",
		       35);
	ibuf_mbuf_clear(m);
	assert_int_equal(ibuf_mbuf_prepend_u8(m, 0xa1), 0);
	assert_int_equal(ibuf_mbuf_prepend_be16(m, 0x0102), 0);
	assert_int_equal(ibuf_mbuf_prepend_be24(m, 0x030405), 0);
	assert_int_equal(ibuf_mbuf_prepend_be32(m, 0x06070809), 0);
	assert_int_equal(ibuf_mbuf_prepend_be64(m, 0x1112131415161718), 0);
	assert_int_equal(ibuf_mbuf_prepend_le16(m, 0x0102), 0);
	assert_int_equal(ibuf_mbuf_prepend_le24(m, 0x030405), 0);
	assert_int_equal(ibuf_mbuf_prepend_le32(m, 0x06070809), 0);
	assert_int_equal(ibuf_mbuf_prepend_le64(m, 0x1112131415161718), 0);
	assert_message(m,
		       "\x18\x17\x16\x15\x14\x13\x12\x11"
		       "\x09\x08\x07\x06"
		       "\x05\x04\x03"
		       "\x02\x01"
		       "\x11\x12\x13\x14\x15\x16\x17\x18"
		       "\x06\x07\x08\x09"
		       "\x03\x04\x05"
		       "\x01\x02"
		       "\xa1",
		       35);
	ibuf_mbuf_free(m);
}

/* The rooms: with space, at odd addresses, full, shared. */
TEST(every_integer_is_right_at_every_offset_with_and_without_growth)
{
	static const uint64_t values[] = {0,
					  1,
					  0x80,
					  0x0123456789abcdef,
					  UINT64_MAX,
					  (uint64_t)INT64_MIN,
					  (uint64_t)INT64_MAX,
					  0x7ff8000000000001};

	for
		EACH(i)
		{
			for (size_t v = 0; v < sizeof(values) / sizeof(*values);
			     v++) {
				for (size_t at = 0; at < 16; at++) {
					uint64_t value = values[v] &
							 largest(&numbers[i]);
					uint8_t all[30] = {0};
					struct ibuf_mbuf *m, *clone;
					size_t n;

					m = message_with(at, 8, 15 - at);
					clone = ibuf_mbuf_clone(m);
					ibuf_mbuf_copy_out(m, 0, all + 10, 8);
					n = encode(&numbers[i], value, all);
					assert_int_equal(
						numbers[i].add(m, value), 0);
					assert_int_equal(
						numbers[i].add(clone, value),
						0);
					if (appends(&numbers[i])) {
						memcpy(all + 18, all, n);
						assert_message(m, all + 10,
							       8 + n);
						assert_message(clone, all + 10,
							       8 + n);
					} else {
						memmove(all + 10 - n, all, n);
						assert_message(m, all + 10 - n,
							       8 + n);
						assert_message(clone,
							       all + 10 - n,
							       8 + n);
					}
					ibuf_mbuf_free(m);
					ibuf_mbuf_free(clone);
				}
			}
		}
}

TEST(a_value_that_does_not_fit_24_bits_is_refused_and_changes_nothing)
{
	static const uint64_t values[] = {0x1000000, 0x1000001, 0x80000000,
					  0xff000000, UINT32_MAX};
	int refused = 0;

	for
		EACH(i)
		{
			struct ibuf_mbuf *m = message_with(8, 4, 8);
			struct state before;

			if (width_of(&numbers[i]) != 3) {
				ibuf_mbuf_free(m);
				continue;
			}
			state_take(&before, m);
			for (size_t v = 0; v < sizeof(values) / sizeof(*values);
			     v++) {
				assert_int_equal(numbers[i].add(m, values[v]),
						 -ERANGE);
				assert_state(m, &before);
				refused++;
			}
			assert_int_equal(numbers[i].add(m, 0xffffff), 0);
			ibuf_mbuf_free(m);
		}
	assert_int_equal(refused, 20);
}

TEST(without_memory_an_integer_is_not_added)
{
	for
		EACH(i)
		{
			struct ibuf_mbuf *m = message_with(0, 4, 0);
			struct state before;

			state_take(&before, m);
			fault_from(1);
			assert_int_equal(numbers[i].add(m, 1), -ENOMEM);
			assert_true(fault_off());
			assert_state(m, &before);
			assert_int_equal(numbers[i].add(m, 1), 0);
			assert_int_equal(ibuf_mbuf_len(m),
					 4 + width_of(&numbers[i]));
			ibuf_mbuf_free(m);
		}
}

TEST(integers_go_to_the_ends_of_many_segments)
{
	struct ibuf_mbuf *m = message_of("a", 1);

	add_segment(m, "b", 1);
	for
		EACH(i)
	assert_int_equal(numbers[i].add(m, 'x'), 0);
	assert_int_equal(ibuf_mbuf_len(m), 2 + 2 * 35);
	assert_int_equal(ibuf_mbuf_segments(m), 2);
	assert_int_equal(ibuf_mbuf_validate(m), 0);
	assert_int_equal(*ibuf_mbuf_at(m, 35, NULL), 'a');
	assert_int_equal(*ibuf_mbuf_at(m, 36, NULL), 'b');
	ibuf_mbuf_free(m);
}
