/* test_front.c - messages are joined and cut at the front. */
#include "failures.h"
#include "messages.h"
#include "pools.h"
#include "states.h"

static const uint8_t ten[] = "0123456789";

/* ---- concat_front ------------------------------------------------------ */

TEST(concat_front_gives_the_bytes_of_both_for_every_cut)
{
	for (unsigned front = 0; front < 1u << 4; front++) {
		for (unsigned back = 0; back < 1u << 4; back++) {
			struct ibuf_mbuf *f = message_cut(ten, 5, front);
			struct ibuf_mbuf *m = message_cut(ten + 5, 5, back);
			struct ibuf_mbuf *const was = m;
			size_t segments =
				ibuf_mbuf_segments(f) + ibuf_mbuf_segments(m);

			assert_int_equal(ibuf_mbuf_concat_front(m, f), 0);
			assert_ptr_equal(m, was);
			assert_message(m, ten, 10);
			assert_int_equal(ibuf_mbuf_segments(m), segments);
			ibuf_mbuf_free(m);
		}
	}
}

TEST(concat_front_copies_nothing_and_allocates_nothing)
{
	struct ibuf_mbuf *m = message_of("back", 4);
	struct ibuf_mbuf *front = message_of("front", 5);
	const uint8_t *first = ibuf_mbuf_data(front);
	const uint8_t *second = ibuf_mbuf_data(m);
	uint64_t copied = heap_copied_bytes();
	size_t calls = fault_calls();

	assert_int_equal(ibuf_mbuf_concat_front(m, front), 0);
	assert_int_equal(fault_calls(), calls);
	assert_int_equal(heap_copied_bytes(), copied);
	assert_ptr_equal(ibuf_mbuf_at(m, 0, NULL), first);
	assert_ptr_equal(ibuf_mbuf_at(m, 5, NULL), second);
	ibuf_mbuf_free(m);
}

TEST(a_clone_gets_a_header_of_its_own_before_a_payload_that_stays_shared)
{
	struct ibuf_mbuf *payload = message_of("payload", 7), *to[3];
	uint64_t copied = heap_copied_bytes();

	for (int i = 0; i < 3; i++) {
		char header = (char)('a' + i);

		to[i] = ibuf_mbuf_clone(payload);
		assert_int_equal(
			ibuf_mbuf_concat_front(to[i], message_of(&header, 1)),
			0);
	}
	assert_int_equal(heap_copied_bytes(), copied);
	assert_message(payload, "payload", 7);
	assert_message(to[0], "apayload", 8);
	assert_message(to[1], "bpayload", 8);
	assert_message(to[2], "cpayload", 8);
	assert_ptr_equal(ibuf_mbuf_at(to[0], 1, NULL), ibuf_mbuf_data(payload));
	ibuf_mbuf_free_bulk(to, 3);
	ibuf_mbuf_free(payload);
}

TEST(concat_front_keeps_address_pool_and_private_area_of_a_pool_mbuf)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p, *q;
	struct ibuf_mbuf *m, *front;

	o.private_size = 8;
	o.capacity = 64;
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	assert_int_equal(ibuf_pool_create(&q, &o), 0);
	m = ibuf_pool_alloc(p);
	front = ibuf_pool_alloc(q);
	memcpy(ibuf_mbuf_private(m), "private", 8);
	assert_int_equal(ibuf_mbuf_append(m, "back", 4), 0);
	assert_int_equal(ibuf_mbuf_append(front, "front", 5), 0);
	assert_int_equal(ibuf_mbuf_concat_front(m, front), 0);
	assert_message(m, "frontback", 9);
	assert_ptr_equal(ibuf_mbuf_pool(m), p);
	assert_string_equal(ibuf_mbuf_private(m), "private");
	/* Each room goes back to where it came from. */
	assert_int_equal(ibuf_pool_allocated(p), 1);
	assert_int_equal(ibuf_pool_allocated(q), 1);
	assert_int_equal(ibuf_mbuf_trim_head(m, 5), 0);
	assert_message(m, "back", 4);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_allocated(p), 0);
	assert_int_equal(ibuf_pool_allocated(q), 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(ibuf_pool_destroy(q), 0);
}

TEST(an_empty_front_adds_nothing_and_an_empty_message_gives_up_its_room)
{
	struct ibuf_mbuf *m = message_of("abc", 3), *was;
	const uint8_t *data;

	assert_int_equal(ibuf_mbuf_concat_front(m, ibuf_mbuf_new(8)), 0);
	assert_message(m, "abc", 3);
	assert_int_equal(ibuf_mbuf_segments(m), 1);
	data = ibuf_mbuf_data(m);
	was = ibuf_mbuf_new(16);
	assert_int_equal(ibuf_mbuf_concat_front(was, m), 0);
	assert_message(was, "abc", 3);
	assert_int_equal(ibuf_mbuf_segments(was), 1);
	assert_ptr_equal(ibuf_mbuf_data(was), data);
	ibuf_mbuf_free(was);
}

TEST(what_was_split_is_one_segment_again)
{
	struct ibuf_mbuf *m = message_of(ten, 10), *front;
	uint64_t copied = heap_copied_bytes();

	assert_int_equal(ibuf_mbuf_split_front(m, 4, &front), 0);
	assert_int_equal(ibuf_mbuf_concat_front(m, front), 0);
	assert_message(m, ten, 10);
	assert_int_equal(ibuf_mbuf_segments(m), 1);
	assert_true(ibuf_mbuf_is_unique(m));
	assert_int_equal(heap_copied_bytes(), copied);
	ibuf_mbuf_free(m);
}

TEST(concat_front_refuses_what_cannot_be_and_changes_nothing)
{
	struct ibuf_mbuf *m = message_cut((const uint8_t *)"ab", 2, 1);
	struct ibuf_mbuf *front = message_of("xyz", 3);
	size_t rest = m->rest_;

	assert_int_equal(ibuf_mbuf_concat_front(m, m), -EINVAL);
	/* So long a message cannot be made here, only pretended. */
	m->rest_ = (size_t)PTRDIFF_MAX - 3;
	assert_int_equal(ibuf_mbuf_concat_front(m, front), -EOVERFLOW);
	assert_int_equal(ibuf_mbuf_concat_front(front, m), -EOVERFLOW);
	m->rest_ = rest;
	assert_message(m, "ab", 2);
	assert_message(front, "xyz", 3);
	assert_int_equal(ibuf_mbuf_concat_front(m, front), 0);
	assert_message(m, "xyzab", 5);
	ibuf_mbuf_free(m);
}

/* ---- split_front ------------------------------------------------------- */

TEST(split_front_at_every_byte_gives_both_parts)
{
	static const unsigned cuts[] = {0, 1, 1u << 8, 0x28, 0x1ff, 0x155};

	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		for (size_t n = 0; n <= 10; n++) {
			struct ibuf_mbuf *m = message_cut(ten, 10, cuts[i]);
			struct ibuf_mbuf *const was = m, *front;
			uint64_t copied = heap_copied_bytes();

			assert_int_equal(ibuf_mbuf_split_front(m, n, &front),
					 0);
			assert_ptr_equal(m, was);
			assert_message(front, ten, n);
			assert_message(m, ten + n, 10 - n);
			assert_int_equal(heap_copied_bytes(), copied);
			ibuf_mbuf_free(front);
			assert_message(m, ten + n, 10 - n);
			ibuf_mbuf_free(m);
		}
	}
}

TEST(frames_are_cut_off_a_stream_that_goes_on_growing_in_its_room)
{
	struct ibuf_mbuf *stream = ibuf_mbuf_new(1000), *frame;
	const uint8_t *base = ibuf_mbuf_seg_data(stream);
	uint64_t copied = heap_copied_bytes();

	for (int i = 0; i < 100; i++) {
		assert_int_equal(ibuf_mbuf_append(stream, ten, 10), 0);
		assert_int_equal(ibuf_mbuf_split_front(stream, 10, &frame), 0);
		assert_ptr_equal(ibuf_mbuf_data(frame), base + 10 * i);
		assert_message(frame, ten, 10);
		ibuf_mbuf_free(frame);
	}
	assert_int_equal(heap_copied_bytes(), copied);
	ibuf_mbuf_free(stream);
}

TEST(the_front_may_grow_at_its_head_and_the_rest_at_its_tail)
{
	struct ibuf_mbuf *m = message_with(8, 10, 8), *front;

	assert_int_equal(ibuf_mbuf_split_front(m, 4, &front), 0);
	assert_int_equal(ibuf_mbuf_headroom(front), 8);
	assert_int_equal(ibuf_mbuf_tailroom(front), 0);
	assert_int_equal(ibuf_mbuf_capacity(front), 4);
	assert_int_equal(ibuf_mbuf_headroom(m), 0);
	assert_int_equal(ibuf_mbuf_tailroom(m), 8);
	ibuf_mbuf_free(front);
	ibuf_mbuf_free(m);
}

TEST(split_front_outside_or_without_memory_changes_nothing)
{
	struct ibuf_mbuf *m = message_of(ten, 10);
	struct ibuf_mbuf *const none = (struct ibuf_mbuf *)(void *)&m;
	struct ibuf_mbuf *front = none;

	assert_int_equal(ibuf_mbuf_split_front(m, 11, &front), -ERANGE);
	assert_int_equal(ibuf_mbuf_split_front(m, SIZE_MAX, &front), -ERANGE);
	heap_dry();
	fault_from(1);
	assert_int_equal(ibuf_mbuf_split_front(m, 4, &front), -ENOMEM);
	assert_true(fault_off());
	assert_ptr_equal(front, none);
	assert_message(m, ten, 10);
	assert_true(ibuf_mbuf_is_unique(m));
	heap_wet();
	ibuf_mbuf_free(m);
}

TEST(a_segment_that_becomes_a_message_again_has_a_private_area_as_new)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_mbuf *a, *b, *part;
	struct ibuf_pool *p;

	o.private_size = 16;
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	a = ibuf_pool_alloc(p);
	b = ibuf_pool_alloc(p);
	assert_int_equal(ibuf_mbuf_append(a, "aaaa", 4), 0);
	assert_int_equal(ibuf_mbuf_append(b, "bbbb", 4), 0);
	memcpy(ibuf_mbuf_private(a), "mine", 5);
	memcpy(ibuf_mbuf_private(b), "a secret", 9);
	assert_int_equal(ibuf_mbuf_concat(a, b), 0);
	part = ibuf_mbuf_split(a, 4);
	assert_string_equal(ibuf_mbuf_private(part), "");
	memcpy(ibuf_mbuf_private(part), "another", 8);
	assert_int_equal(ibuf_mbuf_concat(a, part), 0);
	assert_int_equal(ibuf_mbuf_split_front(a, 4, &part), 0);
	assert_string_equal(ibuf_mbuf_private(part), "");
	assert_string_equal(ibuf_mbuf_private(a), "mine");
	ibuf_mbuf_free(part);
	ibuf_mbuf_free(a);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
