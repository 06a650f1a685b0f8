/* test_limits.c - sizes beyond what a room or a message can be. */
#include "messages.h"
#include "states.h"

/* An address that must not be read, whatever the compiler knows of it. */
static const void *volatile unreadable = (const void *)16;

/* What is more than fits a room that has 10 bytes already. */
static const size_t too_many[] = {
	SIZE_MAX,
	SIZE_MAX - 9,
	SIZE_MAX - 10,
	(size_t)PTRDIFF_MAX + 1,
	PTRDIFF_MAX,
	(size_t)PTRDIFF_MAX - 10,
#if SIZE_MAX > UINT32_MAX
	(size_t)UINT32_MAX + 1,
	UINT32_MAX,
	(size_t)UINT32_MAX - 9,
	((size_t)1 << 32) + 5, /* 5, to whom looks at 32 bits */
	((size_t)1 << 63) + 5,
#endif
};

#define EACH(i, array) (size_t i = 0; i < sizeof(array) / sizeof(*(array)); i++)

static struct ibuf_mbuf *
spacious(void)
{
	return message_with(64, 10, 64);
}

static struct ibuf_mbuf *
full(void)
{
	return message_with(0, 10, 0);
}

static struct ibuf_mbuf *
read_only(void)
{
	return ibuf_mbuf_wrap_const("0123456789", 10, NULL, NULL);
}

static struct ibuf_mbuf *
own_kin(void)
{
	struct ibuf_mbuf *m = message_of("01234", 5);

	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_clone(m)), 0);
	/* Both segments share, and are long enough. */
	assert_int_equal(ibuf_mbuf_segments(m), 2);
	assert_int_equal(ibuf_mbuf_linearize(m), 0);
	return m;
}

static struct ibuf_mbuf *(*const worlds[])(void) = {spacious, full, read_only,
						    own_kin};

static void
refuse_all(struct ibuf_mbuf *m, size_t n)
{
	assert_int_equal(ibuf_mbuf_append(m, unreadable, n), -EOVERFLOW);
	assert_int_equal(ibuf_mbuf_write(m, unreadable, n), -EOVERFLOW);
	assert_int_equal(ibuf_mbuf_prepend(m, unreadable, n), -EOVERFLOW);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', n), -EOVERFLOW);
	assert_null(ibuf_mbuf_extend_tail(m, n));
	assert_null(ibuf_mbuf_extend_head(m, n));
	assert_null(ibuf_mbuf_reserve(m, n));
	assert_int_equal(ibuf_mbuf_commit(m, n), -ERANGE);
	assert_int_equal(ibuf_mbuf_trim_head(m, n), -ERANGE);
	assert_int_equal(ibuf_mbuf_trim_tail(m, n), -ERANGE);
}

TEST(what_can_never_fit_is_refused_before_anything_happens)
{
	for
		EACH(w, worlds)
		{
			struct ibuf_mbuf *m = worlds[w]();
			struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
			size_t calls = fault_calls();
			struct state before, of_clone;

			state_take(&before, m);
			state_take(&of_clone, clone);
		for
			EACH(i, too_many)
			{
				refuse_all(m, too_many[i]);
				refuse_all(clone, too_many[i]);
				assert_state(m, &before);
				assert_state(clone, &of_clone);
			}
		assert_int_equal(fault_calls(), calls);
		ibuf_mbuf_free(clone);
		ibuf_mbuf_free(m);
		}
}

TEST(the_checks_still_permit_growth)
{
	for
		EACH(w, worlds)
		{
			struct ibuf_mbuf *m = worlds[w]();

			assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 1 << 20),
					 0);
			assert_non_null(ibuf_mbuf_extend_head(m, 1 << 20));
			assert_non_null(ibuf_mbuf_reserve(m, 1 << 20));
			assert_int_equal(ibuf_mbuf_len(m), (2 << 20) + 10);
			assert_int_equal(ibuf_mbuf_validate(m), 0);
			ibuf_mbuf_free(m);
		}
}

#if SIZE_MAX > UINT32_MAX

/* No memory is what stops it, not its size. */
TEST(an_empty_message_may_grow_to_the_largest_room)
{
	for (size_t h = 0; h < 20; h += 10) {
		struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(h, 0);
		size_t most = UINT32_MAX - h;

		fault_from(1);
		assert_int_equal(ibuf_mbuf_append(m, unreadable, most),
				 -ENOMEM);
		assert_int_equal(ibuf_mbuf_prepend(m, unreadable, most + h + 1),
				 -EOVERFLOW);
		assert_int_equal(ibuf_mbuf_append(m, unreadable, most + 1),
				 -EOVERFLOW);
		assert_true(fault_off());
		assert_sizes(m, h, 0, 0, 0);
		ibuf_mbuf_free(m);
	}
}

/* Half as much again would be more than a room can be. */
TEST(growth_is_clamped_to_the_largest_room)
{
	const size_t most = UINT32_MAX, large = (size_t)3 << 30;
	struct ibuf_mbuf *m =
		test_gigabytes() ? ibuf_mbuf_new_headroom(100, large) : NULL;

	if (m == NULL)
		skip();
	assert_non_null(ibuf_mbuf_extend_tail(m, large));
	/* All but a few bytes go, so that no gigabytes are copied. */
	assert_int_equal(ibuf_mbuf_trim_head(m, large - 4), 0);
	memcpy(ibuf_mbuf_data_mut(m), "last", 4);
	if (ibuf_mbuf_reserve(m, large) != NULL)
		assert_sizes(m, 100, 4, most - 104, most - 100);
	assert_message(m, "last", 4);
	/* One byte more than the largest room has. */
	assert_null(ibuf_mbuf_reserve(m, most - 103));
	assert_int_equal(ibuf_mbuf_append(m, unreadable, most - 103),
			 -EOVERFLOW);
	assert_message(m, "last", 4);
	ibuf_mbuf_free(m);
}

/* What does not fit one room is fine as several segments. */
TEST(a_message_may_be_longer_than_a_room)
{
	const size_t large = (size_t)3 << 30;
	struct ibuf_mbuf *m = test_gigabytes() ? ibuf_mbuf_new(large) : NULL;
	struct ibuf_mbuf *clone;
	size_t run;

	if (m == NULL)
		skip();
	assert_non_null(ibuf_mbuf_extend_tail(m, large));
	memcpy(ibuf_mbuf_at_mut(m, 0, NULL), "head", 4);
	clone = ibuf_mbuf_clone(m);
	assert_int_equal(ibuf_mbuf_concat(m, clone), 0);
	assert_int_equal(ibuf_mbuf_len(m), 2 * large);
	assert_int_equal(ibuf_mbuf_segments(m), 2);
	assert_int_equal(ibuf_mbuf_validate(m), 0);
	assert_memory_equal(ibuf_mbuf_at(m, large, &run), "head", 4);
	assert_int_equal(run, large);
	assert_null(ibuf_mbuf_copy(m, 0, 2 * large));
	assert_int_equal(ibuf_mbuf_linearize(m), -EOVERFLOW);
	assert_null(ibuf_mbuf_pullup(m, 2 * large));
	assert_int_equal(ibuf_mbuf_segments(m), 2);
	clone = ibuf_mbuf_slice(m, large - 10, 14);
	assert_int_equal(ibuf_mbuf_trim_head(clone, 10), 0);
	assert_message(clone, "head", 4);
	ibuf_mbuf_free(clone);
	assert_int_equal(ibuf_mbuf_trim_tail(m, 2 * large - 4), 0);
	assert_message(m, "head", 4);
	ibuf_mbuf_free(m);
}

#endif
