/*
 * test_hash.c - what ibuf-relay hashes names with.
 */
#include <unit/test.h>

#include "../../../common/hash.h"

static const char *const bytes =
	"the quick brown fox jumps over the lazy dog, and so on";

/* Computed by another's SipHash-1-3, both halves of which are combined. */
TEST(hash_is_siphash_1_3)
{
	static const struct {
		size_t len;
		uint32_t hash;
	} rows[] = {
		{1, 0x486af3a9},  {2, 0x5fc51838},  {7, 0x08e84729},
		{8, 0x92d890c3},  {9, 0x87ec2466},  {15, 0x8a7f61c3},
		{16, 0x78388f58}, {17, 0x973706ee}, {31, 0xde11dd59},
		{54, 0xc7fb42a6},
	};
	const uint64_t zero[2] = {0, 0};

	hash_init(zero);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(hash_bytes(bytes, rows[i].len), rows[i].hash);
}

TEST(another_key_gives_other_hashes)
{
	const uint64_t zero[2] = {0, 0}, one[2] = {0, 1}, two[2] = {1, 0};
	uint32_t a, b, c;

	hash_init(zero);
	a = hash_bytes(bytes, 10);
	hash_init(one);
	b = hash_bytes(bytes, 10);
	hash_init(two);
	c = hash_bytes(bytes, 10);
	assert_true(a != b && b != c && c != a);
}
