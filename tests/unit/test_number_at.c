/*
 * test_number_at.c - integers written and read at an offset, across every cut.
 */
#include "messages.h"

static const uint8_t bytes[] = {0x11, 0x82, 0x13, 0x84, 0x15, 0x86,
				0x17, 0x88, 0x19, 0x8a, 0x1b, 0x8c};
enum { LEN = sizeof(bytes) };

/* The functions of one width and order, widened to 64 bits. */
struct number {
	const char *name;
	size_t width;
	bool big;
	int (*put)(struct ibuf_mbuf *m, size_t off, uint64_t value);
	bool (*get)(const struct ibuf_mbuf *m, size_t off, uint64_t *value);
};

#define NUMBERS(X)                                                             \
	X(u8, uint8_t, 1, true)                                                \
	X(be16, uint16_t, 2, true)                                             \
	X(be24, uint32_t, 3, true)                                             \
	X(be32, uint32_t, 4, true)                                             \
	X(be64, uint64_t, 8, true)                                             \
	X(le16, uint16_t, 2, false)                                            \
	X(le24, uint32_t, 3, false)                                            \
	X(le32, uint32_t, 4, false)                                            \
	X(le64, uint64_t, 8, false)

#define DEFINE(name, type, width, big)                                         \
	static int put_##name(struct ibuf_mbuf *m, size_t off, uint64_t value) \
	{                                                                      \
		return ibuf_mbuf_put_##name(m, off, (type)value);              \
	}                                                                      \
	static bool get_##name(const struct ibuf_mbuf *m, size_t off,          \
			       uint64_t *value)                                \
	{                                                                      \
		type narrow = (type)*value;                                    \
		bool got = ibuf_mbuf_get_##name(m, off, &narrow);              \
                                                                               \
		*value = narrow;                                               \
		return got;                                                    \
	}
NUMBERS(DEFINE)
#undef DEFINE

static const struct number numbers[] = {
#define ROW(name, type, width, big) {#name, width, big, put_##name, get_##name},
	NUMBERS(ROW)
#undef ROW
};

#define N_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

/* The value of the bytes at off. */
static uint64_t
decode(const struct number *number, const uint8_t *at)
{
	uint64_t value = 0;

	for (size_t i = 0; i < number->width; i++)
		value = value << 8 |
			at[number->big ? i : number->width - 1 - i];
	return value;
}

TEST(every_width_is_read_at_every_offset_across_every_cut)
{
	for (unsigned cuts = 0; cuts < 1u << (LEN - 1); cuts += 7) {
		struct ibuf_mbuf *m = message_cut(bytes, LEN, cuts);

		for (size_t i = 0; i < N_NUMBERS; i++) {
			const struct number *number = &numbers[i];

			for (size_t off = 0; off + number->width <= LEN;
			     off++) {
				uint64_t value = 0;

				assert_true(number->get(m, off, &value));
				assert_int_equal(value,
						 decode(number, bytes + off));
			}
		}
		ibuf_mbuf_free(m);
	}
}

TEST(every_width_is_written_at_every_offset_and_nothing_beside_it)
{
	static const unsigned cuts[] = {0, 1, 0x7ff, 0x155, 0x420};

	for (size_t c = 0; c < sizeof(cuts) / sizeof(*cuts); c++) {
		for (size_t i = 0; i < N_NUMBERS; i++) {
			const struct number *number = &numbers[i];

			for (size_t off = 0; off + number->width <= LEN;
			     off++) {
				struct ibuf_mbuf *m =
					message_cut(bytes, LEN, cuts[c]);
				uint8_t expected[LEN];
				uint64_t value;

				memcpy(expected, bytes, LEN);
				memset(expected + off, 0x5a, number->width);
				value = decode(number, expected + off);
				assert_int_equal(number->put(m, off, value), 0);
				assert_message(m, expected, LEN);
				ibuf_mbuf_free(m);
			}
		}
	}
}

TEST(what_another_message_shows_is_never_written)
{
	struct ibuf_mbuf *m = message_of(bytes, LEN);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

	assert_int_equal(ibuf_mbuf_put_be16(m, 3, 0x4142), 0);
	assert_message(clone, bytes, LEN);
	assert_int_equal(*ibuf_mbuf_at(m, 3, NULL), 0x41);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(m);
}

TEST(outside_nothing_is_read_or_written)
{
	struct ibuf_mbuf *m = message_cut(bytes, LEN, 0x10);

	for (size_t i = 0; i < N_NUMBERS; i++) {
		const struct number *number = &numbers[i];
		size_t offs[] = {LEN - number->width + 1, LEN, LEN + 1,
				 SIZE_MAX, SIZE_MAX - number->width + 1};

		for (size_t k = 0; k < sizeof(offs) / sizeof(*offs); k++) {
			uint64_t value = 0x77;

			assert_false(number->get(m, offs[k], &value));
			assert_int_equal(value, 0x77);
			assert_int_equal(number->put(m, offs[k], 1), -ERANGE);
		}
	}
	assert_message(m, bytes, LEN);
	ibuf_mbuf_free(m);
}

TEST(a_value_beyond_24_bits_is_not_written)
{
	struct ibuf_mbuf *m = message_of(bytes, LEN);

	assert_int_equal(ibuf_mbuf_put_be24(m, 0, 0x1000000), -ERANGE);
	assert_int_equal(ibuf_mbuf_put_le24(m, 0, UINT32_MAX), -ERANGE);
	assert_message(m, bytes, LEN);
	assert_int_equal(ibuf_mbuf_put_be24(m, 0, 0xffffff), 0);
	ibuf_mbuf_free(m);
}

TEST(without_memory_for_a_private_copy_nothing_is_written)
{
	struct ibuf_mbuf *m = message_of(bytes, LEN);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

	fault_from(1);
	assert_int_equal(ibuf_mbuf_put_le32(m, 2, 1), -ENOMEM);
	assert_true(fault_off());
	assert_message(m, bytes, LEN);
	assert_message(clone, bytes, LEN);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(m);
}
