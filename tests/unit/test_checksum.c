/* test_checksum.c - the internet checksum of any range, however cut. */
#include "messages.h"

/*
 * RFC 1071 word by word, on flat bytes, in 16-bit one's complement sums: the
 * carry is added back at once, so that it shares nothing with the library.
 */
static uint16_t
add_ones(uint16_t a, uint16_t b)
{
	uint32_t sum = (uint32_t)a + b;

	return (uint16_t)(sum > 0xffff ? sum - 0xffff : sum);
}

static uint16_t
reference(const uint8_t *bytes, size_t n, uint32_t start)
{
	uint16_t sum = add_ones((uint16_t)(start >> 16), (uint16_t)start);

	for (size_t i = 0; i < n; i++)
		sum = add_ones(
			sum, (uint16_t)(i % 2 == 0 ? bytes[i] << 8 : bytes[i]));
	return (uint16_t)~sum;
}

static uint16_t
checksum_of(const struct ibuf_mbuf *m, size_t off, size_t n, uint32_t start)
{
	uint16_t out;

	assert_int_equal(ibuf_mbuf_checksum(m, off, n, start, &out), 0);
	return out;
}

TEST(the_example_of_rfc_1071_comes_out_right)
{
	static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03,
					0xf4, 0xf5, 0xf6, 0xf7};

	/* Its sum is ddf2. */
	for (unsigned cuts = 0; cuts < 1u << 7; cuts++) {
		struct ibuf_mbuf *m = message_cut(bytes, 8, cuts);

		assert_int_equal(checksum_of(m, 0, 8, 0), 0xffff & ~0xddf2);
		ibuf_mbuf_free(m);
	}
}

TEST(an_ip_header_that_holds_its_checksum_sums_to_0)
{
	uint8_t header[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40,
			    0x00, 0x40, 0x11, 0x00, 0x00, 0xc0, 0xa8,
			    0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
	struct ibuf_mbuf *m = message_cut(header, sizeof(header), 0x1234);
	uint16_t sum = checksum_of(m, 0, sizeof(header), 0);
	uint8_t be16[] = {(uint8_t)(sum >> 8), (uint8_t)sum};

	assert_int_equal(sum, 0xb861);
	assert_int_equal(ibuf_mbuf_write_at(m, 10, be16, 2), 0);
	assert_int_equal(checksum_of(m, 0, sizeof(header), 0), 0);
	ibuf_mbuf_free(m);
}

TEST(segments_of_odd_length_do_not_disturb_it)
{
	uint8_t bytes[11];
	unsigned noise = 1;

	for (unsigned cuts = 0; cuts < 1u << 10; cuts++) {
		struct ibuf_mbuf *m;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			noise = noise * 1103515245 + 12345;
			bytes[i] = (uint8_t)(noise >> 16);
		}
		m = message_cut(bytes, sizeof(bytes), cuts);
		for (size_t off = 0; off <= 4; off++)
			for (size_t n = 0; n <= sizeof(bytes) - off; n++)
				assert_int_equal(
					checksum_of(m, off, n, noise),
					reference(bytes + off, n, noise));
		ibuf_mbuf_free(m);
	}
}

TEST(every_start_is_folded_in)
{
	static const uint32_t starts[] = {
		0,          1,          0xff,       0xfffe,     0xffff,
		0x10000,    0x1fffe,    0x1ffff,    0x7fffffff, 0x80000000,
		0xfffeffff, 0xffff0000, 0xfffffffe, 0xffffffff, 0x12345678};
	static const uint8_t tables[][4] = {
		{0, 0, 0, 0}, {255, 255, 255, 255}, {1, 2, 3, 4}};

	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
		for (size_t j = 0; j < 3; j++) {
			struct ibuf_mbuf *m = message_cut(tables[j], 4, 5);

			for (size_t n = 0; n <= 4; n++)
				assert_int_equal(
					checksum_of(m, 0, n, starts[i]),
					reference(tables[j], n, starts[i]));
			ibuf_mbuf_free(m);
		}
	}
}

TEST(a_udp_datagram_with_its_pseudo_header_verifies)
{
	/* 10.0.0.1 to 10.0.0.2, UDP, and the datagram, 9 + 8 bytes. */
	static const uint8_t pseudo[] = {10, 0, 0, 1,  10, 0,
					 0,  2, 0, 17, 0,  17};
	uint8_t udp[] = {0x30, 0x39, 0x00, 0x35, 0x00, 0x11, 0,   0,  'i',
			 'b',  'u',  'f',  ' ',  'd',  'a',  't', 'a'};
	uint8_t both[sizeof(pseudo) + sizeof(udp)];
	uint32_t start = 0;
	uint16_t sum;

	for (size_t i = 0; i < sizeof(pseudo); i += 2)
		start += (uint32_t)pseudo[i] << 8 | pseudo[i + 1];
	memcpy(both, pseudo, sizeof(pseudo));
	memcpy(both + sizeof(pseudo), udp, sizeof(udp));
	for (unsigned cuts = 0; cuts < 1u << 16; cuts += 257) {
		struct ibuf_mbuf *m = message_cut(udp, sizeof(udp), cuts);

		sum = checksum_of(m, 0, sizeof(udp), start);
		assert_int_equal(sum, reference(both, sizeof(both), 0));
		udp[6] = (uint8_t)(sum >> 8);
		udp[7] = (uint8_t)sum;
		assert_int_equal(ibuf_mbuf_write_at(m, 6, udp + 6, 2), 0);
		assert_int_equal(checksum_of(m, 0, sizeof(udp), start), 0);
		ibuf_mbuf_free(m);
		udp[6] = udp[7] = 0;
	}
}

TEST(a_long_message_of_large_words_loses_no_carry)
{
	size_t n = 200001;
	uint8_t *bytes = malloc(n);
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);

	memset(bytes, 0xff, n);
	for (size_t from = 0; from < n; from += 33333)
		assert_int_equal(
			ibuf_mbuf_concat(m,
					 message_of(bytes + from,
						    n - from < 33333 ? n - from
								     : 33333)),
			0);
	assert_int_equal(ibuf_mbuf_len(m), n);
	assert_int_equal(checksum_of(m, 0, n, 0xffffffff),
			 reference(bytes, n, 0xffffffff));
	assert_int_equal(checksum_of(m, 1, n - 1, 1),
			 reference(bytes, n - 1, 1));
	ibuf_mbuf_free(m);
	free(bytes);
}

TEST(a_range_outside_is_refused_and_writes_nothing)
{
	static const size_t outside[][2] = {
		{0, 5},        {4, 1},        {5, 0},
		{1, SIZE_MAX}, {SIZE_MAX, 1}, {SIZE_MAX, SIZE_MAX}};
	struct ibuf_mbuf *m = message_cut((const uint8_t *)"abcd", 4, 5);
	uint16_t out = 0x1234;

	for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++)
		assert_int_equal(ibuf_mbuf_checksum(m, outside[i][0],
						    outside[i][1], 0, &out),
				 -ERANGE);
	assert_int_equal(out, 0x1234);
	assert_int_equal(checksum_of(m, 4, 0, 0), 0xffff);
	assert_int_equal(checksum_of(m, 0, 0, 0xabcd), 0xffff & ~0xabcd);
	ibuf_mbuf_free(m);
}
