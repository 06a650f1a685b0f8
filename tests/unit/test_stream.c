/* test_stream.c - a message as a stream: written at the end, read at the front. */
#include "messages.h"
#include "states.h"

/* Three segments, "abc", "defgh" and "ij". */
static struct ibuf_mbuf *
three_segments(void)
{
	struct ibuf_mbuf *m = message_of("abc", 3);

	add_segment(m, "defgh", 5);
	add_segment(m, "ij", 2);
	return m;
}

/* xorshift32 */
static uint32_t
next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

TEST(what_is_written_is_read_and_then_gone)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(4);
	char out[10] = "..........";

	assert_int_equal(ibuf_mbuf_read(m, out, 10), 0);
	assert_int_equal(ibuf_mbuf_write(m, "abcd", 4), 4);
	assert_int_equal(ibuf_mbuf_write(m, "efg", 3), 3);
	assert_int_equal(ibuf_mbuf_read(m, out, 0), 0);
	assert_int_equal(ibuf_mbuf_read(m, out, 3), 3);
	assert_memory_equal(out, "abc.......", 10);
	assert_message(m, "defg", 4);
	assert_int_equal(ibuf_mbuf_read(m, out, 10), 4);
	assert_memory_equal(out, "defg......", 10);
	assert_message(m, "", 0);
	assert_int_equal(ibuf_mbuf_read(m, out, SIZE_MAX), 0);
	ibuf_mbuf_free(m);
}

TEST(reading_does_not_move_what_is_left)
{
	struct ibuf_mbuf *m = message_with(0, 100, 0);
	const uint8_t *data = ibuf_mbuf_data(m);
	uint64_t copied = heap_copied_bytes();
	uint8_t out[30];

	assert_int_equal(ibuf_mbuf_read(m, out, 30), 30);
	assert_ptr_equal(ibuf_mbuf_data(m), data + 30);
	assert_sizes(m, 30, 70, 0, 100);
	assert_int_equal(heap_copied_bytes(), copied);
	ibuf_mbuf_free(m);
}

TEST(reading_goes_across_segments)
{
	for (size_t n = 0; n <= 11; n++) {
		struct ibuf_mbuf *m = three_segments();
		size_t got = n < 10 ? n : 10;
		char out[12] = "............";

		assert_int_equal(ibuf_mbuf_read(m, out, n), got);
		assert_memory_equal(out, "abcdefghij", got);
		assert_int_equal(out[got], '.');
		assert_message(m, &"abcdefghij"[got], 10 - got);
		ibuf_mbuf_free(m);
	}
}

TEST(a_stream_of_random_pieces_keeps_its_bytes_and_a_bounded_capacity)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);
	uint8_t bytes[100];
	uint8_t written = 0, read = 0;
	uint32_t seed = 7;

	for (int i = 0; i < 100000; i++) {
		size_t n = next_random(&seed) % (sizeof(bytes) + 1);

		for (size_t j = 0; j < n; j++)
			bytes[j] = written++;
		assert_int_equal(ibuf_mbuf_write(m, bytes, n), n);
		n = ibuf_mbuf_read(m, bytes, sizeof(bytes));
		for (size_t j = 0; j < n; j++)
			if (bytes[j] != read++)
				fail_msg("round %d: a byte is wrong", i);
	}
	assert_int_equal(ibuf_mbuf_validate(m), 0);
	assert_in_range(ibuf_mbuf_capacity(m), 1, 300);
	ibuf_mbuf_free(m);
}

TEST(a_fifo_that_is_at_most_half_full_never_allocates)
{
	uint8_t out[2048], in[2048];
	struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(32, 4096);
	size_t calls = fault_calls(), written = 0, read = 0;
	uint64_t copied = heap_copied_bytes();
	uint32_t seed = 1;

	for (int i = 0; i < 100000; i++) {
		size_t n = next_random(&seed) % (2048 - ibuf_mbuf_len(m) + 1);

		for (size_t j = 0; j < n; j++)
			in[j] = (uint8_t)((written + j) * 7);
		assert_int_equal(ibuf_mbuf_write(m, in, n), n);
		written += n;
		n = next_random(&seed) % 200;
		n = ibuf_mbuf_read(m, out, n);
		for (size_t j = 0; j < n; j++)
			if (out[j] != (uint8_t)((read + j) * 7))
				fail_msg("byte %zu is wrong", read + j);
		read += n;
	}
	assert_int_equal(ibuf_mbuf_validate(m), 0);
	assert_int_equal(fault_calls(), calls);
	assert_int_equal(ibuf_mbuf_capacity(m), 4096);
	assert_int_equal(written - read, ibuf_mbuf_len(m));
	/* Each byte moves O(1) times. */
	assert_in_range(heap_copied_bytes() - copied, 1, read);
	ibuf_mbuf_free(m);
}
