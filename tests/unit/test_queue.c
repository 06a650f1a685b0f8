/* test_queue.c - a queue in one thread: order, bounds, bulk, memory. */
#include "queues.h"

/* ---- made ----------------------------------------------------------- */

TEST(a_senseless_queue_is_refused_and_nothing_is_touched)
{
	struct ibuf_queue *untouched = (struct ibuf_queue *)&untouched;
	struct ibuf_queue *q = untouched;
	size_t most = (size_t)1 << 24;

	assert_int_equal(ibuf_queue_create(&q, 0, 0), -EINVAL);
	assert_int_equal(ibuf_queue_create(&q, most + 1, 0), -EINVAL);
	assert_int_equal(ibuf_queue_create(&q, SIZE_MAX, 0), -EINVAL);
	assert_int_equal(ibuf_queue_create(&q, 1, 4), -EINVAL);
	assert_int_equal(ibuf_queue_create(&q, 1, ALL_FLAGS | 1u << 31),
			 -EINVAL);
	assert_ptr_equal(q, untouched);
}

TEST(a_queue_that_cannot_be_made_leaves_nothing_behind)
{
	struct ibuf_queue *untouched = (struct ibuf_queue *)&untouched;
	struct ibuf_queue *q;
	size_t blocks = fault_live_blocks(), n = 0;
	bool struck;
	int error;

	do {
		q = untouched;
		fault_at(++n);
		error = ibuf_queue_create(&q, 100, 0);
		struck = fault_off();
		assert_int_equal(error, struck ? -ENOMEM : 0);
		if (struck)
			assert_ptr_equal(q, untouched);
		else
			ibuf_queue_destroy(q);
		assert_int_equal(fault_live_blocks(), blocks);
	} while (struck);
	assert_true(n > 2);
}

TEST(destroying_none_does_nothing)
{
	ibuf_queue_destroy(NULL);
}

static void
count(void *bytes, size_t len, void *arg)
{
	(void)bytes;
	(void)len;
	++*(int *)arg;
}

TEST(destroying_frees_what_is_inside_once)
{
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(5, flags);
		static char bytes[1];
		int released = 0;

		for (int i = 0; i < 5; i++)
			assert_int_equal(
				ibuf_queue_push(q,
						ibuf_mbuf_wrap(bytes, 1, count,
							       &released)),
				0);
		assert_int_equal(released, 0);
		ibuf_queue_destroy(q);
		assert_int_equal(released, 5);
	}
}

/* ---- order and bounds ----------------------------------------------- */

static const size_t capacities[] = {1,  2,  3,   4,   5,   7,   8,   9,
				    31, 32, 100, 127, 128, 129, 1000};

#define for_each_capacity(c)                                                   \
	for (const size_t *c = capacities;                                     \
	     c < capacities + sizeof(capacities) / sizeof(*capacities); c++)

TEST(a_capacity_is_exact_and_what_does_not_fit_is_refused)
{
	for_each_promise(flags)
	{
		for_each_capacity(c)
		{
			struct ibuf_queue *q = queue_of(*c, flags);

			for (int round = 0; round < 3; round++) {
				push_numbers(q, 1, (uint32_t)*c);
				assert_int_equal(ibuf_queue_len(q), *c);
				assert_refused(q, -EAGAIN);
				pop_numbers(q, 1, 1);
				assert_int_equal(ibuf_queue_len(q), *c - 1);
				push_numbers(q, 99, 99);
				assert_refused(q, -EAGAIN);
				pop_numbers(q, 2, (uint32_t)*c);
				pop_numbers(q, 99, 99);
				assert_none(q, -ETIMEDOUT);
			}
			ibuf_queue_destroy(q);
		}
	}
}

TEST(the_largest_capacity_is_exact)
{
	size_t most = (size_t)1 << 24, n = 0;
	struct ibuf_queue *q = queue_of(most, ALL_FLAGS);
	struct ibuf_mbuf *m = numbered(1);
	struct ibuf_mbuf *ms[1024];

	/* One message many times: nobody looks into it meanwhile. */
	for (int i = 0; i < 1024; i++)
		ms[i] = m;
	for (size_t done; (done = ibuf_queue_push_bulk(q, ms, 1000)) != 0;)
		n += done;
	assert_int_equal(n, most);
	assert_int_equal(ibuf_queue_len(q), most);
	assert_int_equal(ibuf_queue_push(q, m), -EAGAIN);
	for (size_t done; (done = ibuf_queue_pop_bulk(q, ms, 1024)) != 0;)
		n -= done;
	assert_int_equal(n, 0);
	ibuf_mbuf_free(m);
	ibuf_queue_destroy(q);
}

TEST(order_holds_over_many_laps_and_where_indices_wrap)
{
	for_each_promise(flags)
	{
		for_each_capacity(c)
		{
			struct ibuf_queue *q = queue_of(*c, flags);
			uint32_t in = 0, out = 0, random = 7;

			while (out < 1000) {
				uint32_t n = next_random(&random) % 5;

				while (n-- > 0 && in - out < *c)
					push_numbers(q, in, in), in++;
				n = next_random(&random) % 5;
				while (n-- > 0 && out < in)
					pop_numbers(q, out, out), out++;
				assert_int_equal(ibuf_queue_len(q), in - out);
			}
			ibuf_queue_destroy(q);
		}
	}
}

/* ---- bulk ----------------------------------------------------------- */

TEST(a_bulk_of_none_does_nothing)
{
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(3, flags);

		assert_int_equal(ibuf_queue_push_bulk(q, NULL, 0), 0);
		assert_int_equal(ibuf_queue_pop_bulk(q, NULL, 0), 0);
		push_numbers(q, 1, 3);
		assert_int_equal(ibuf_queue_push_bulk(q, NULL, 0), 0);
		assert_int_equal(ibuf_queue_pop_bulk(q, NULL, 0), 0);
		pop_numbers(q, 1, 3);
		ibuf_queue_destroy(q);
	}
}

TEST(a_bulk_is_the_first_that_fit_and_no_more_is_touched)
{
	for_each_promise(flags)
	{
		struct ibuf_queue *q = queue_of(10, flags);
		struct ibuf_mbuf *in[16], *out[16], *none = (void *)q;

		for (uint32_t i = 0; i < 16; i++) {
			in[i] = numbered(i);
			out[i] = none;
		}
		assert_int_equal(ibuf_queue_push_bulk(q, in, 4), 4);
		assert_int_equal(ibuf_queue_push_bulk(q, in + 4, 12), 6);
		assert_int_equal(ibuf_queue_push_bulk(q, in + 10, 6), 0);
		assert_int_equal(ibuf_queue_pop_bulk(q, out, 3), 3);
		assert_ptr_equal(out[3], none);
		assert_int_equal(ibuf_queue_push_bulk(q, in + 10, 6), 3);
		assert_int_equal(ibuf_queue_pop_bulk(q, out + 3, 13), 10);
		assert_ptr_equal(out[13], none);
		for (uint32_t i = 0; i < 13; i++)
			assert_number(out[i], i);
		ibuf_mbuf_free_bulk(in + 13, 3);
		assert_none(q, -ETIMEDOUT);
		ibuf_queue_destroy(q);
	}
}

TEST(more_than_an_index_can_say_is_as_much_as_fits)
{
	struct ibuf_queue *q = queue_of(2, 0);
	struct ibuf_mbuf *in[2] = {numbered(1), numbered(2)}, *out[2];

	assert_int_equal(ibuf_queue_push_bulk(q, in, SIZE_MAX), 2);
	assert_int_equal(ibuf_queue_pop_bulk(q, out, SIZE_MAX), 2);
	assert_number(out[0], 1);
	assert_number(out[1], 2);
	ibuf_queue_destroy(q);
}

TEST(bulks_keep_their_order_across_the_end_of_the_ring)
{
	for_each_promise(flags)
	{
		for_each_capacity(c)
		{
			struct ibuf_queue *q = queue_of(*c, flags);
			uint32_t in = 0, out = 0, random = 11;
			struct ibuf_mbuf *ms[40];

			while (out < 600) {
				size_t n = next_random(&random) % 40, done;
				size_t room = *c - (in - out);

				for (uint32_t i = 0; i < n; i++)
					ms[i] = numbered(in + i);
				done = ibuf_queue_push_bulk(q, ms, n);
				assert_int_equal(done, n < room ? n : room);
				ibuf_mbuf_free_bulk(ms + done, n - done);
				in += (uint32_t)done;
				n = next_random(&random) % 40;
				done = ibuf_queue_pop_bulk(q, ms, n);
				assert_int_equal(done,
						 n < in - out ? n : in - out);
				for (size_t i = 0; i < done; i++)
					assert_number(ms[i], out++);
			}
			ibuf_queue_destroy(q);
		}
	}
}
