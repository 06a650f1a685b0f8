/*
 * test_pool_memory.c - what lies beside and behind an mbuf: the private
 * area, and what a pool that wipes leaves in memory.
 */
#include "pools.h"

static const uint8_t zeros[64];

static struct ibuf_pool *
pool_with_private(size_t private_size)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = 64;
	o.headroom = 16;
	o.max = 2;
	o.private_size = private_size;
	return pool_with(&o);
}

/* ---- private ------------------------------------------------------- */

TEST(the_private_area_is_aligned_zero_and_big_enough)
{
	for (size_t size = 1; size <= sizeof(zeros); size++) {
		struct ibuf_pool *p = pool_with_private(size);
		struct ibuf_mbuf *a = ibuf_pool_alloc(p);
		struct ibuf_mbuf *b = ibuf_pool_alloc(p);
		struct ibuf_mbuf *clone = ibuf_mbuf_clone(a);
		struct ibuf_mbuf *all[] = {a, b, clone};

		for (int i = 0; i < 3; i++) {
			uint8_t *area = ibuf_mbuf_private(all[i]);

			assert_non_null(area);
			assert_int_equal((uintptr_t)area % 16, 0);
			assert_memory_equal(area, zeros, size);
			memset(area, i + 1, size);
			assert_int_equal(ibuf_mbuf_validate(all[i]), 0);
		}
		for (int i = 0; i < 3; i++) {
			uint8_t *area = ibuf_mbuf_private(all[i]);

			for (size_t k = 0; k < size; k++)
				assert_int_equal(area[k], i + 1);
		}
		ibuf_mbuf_free_bulk(all, 3);
		assert_int_equal(ibuf_pool_destroy(p), 0);
	}
}

TEST(there_is_no_private_area_where_none_was_asked_for)
{
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *clone = ibuf_mbuf_clone(m);
	struct ibuf_mbuf *heap = ibuf_mbuf_new(10);

	assert_null(ibuf_mbuf_private(m));
	assert_null(ibuf_mbuf_private(clone));
	assert_null(ibuf_mbuf_private(heap));
	ibuf_mbuf_free(heap);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* The private area of a new handle is zero, and not that of another. */
static void
assert_own_private(struct ibuf_mbuf *handle, struct ibuf_mbuf *of)
{
	assert_non_null(handle);
	assert_ptr_not_equal(ibuf_mbuf_private(handle), ibuf_mbuf_private(of));
	assert_memory_equal(ibuf_mbuf_private(handle), zeros, 32);
	memset(ibuf_mbuf_private(handle), 0xee, 32);
	ibuf_mbuf_free(handle);
}

TEST(every_new_handle_has_a_private_area_of_its_own)
{
	struct ibuf_pool *p = pool_with_private(32);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	uint8_t mine[32];
	struct ibuf_cursor c;

	memset(mine, 0x77, sizeof(mine));
	memcpy(ibuf_mbuf_private(m), mine, sizeof(mine));
	assert_int_equal(ibuf_mbuf_append(m, "0123456789", 10), 0);
	for (int round = 0; round < 3; round++) {
		assert_own_private(ibuf_mbuf_clone(m), m);
		assert_own_private(ibuf_mbuf_slice(m, 2, 3), m);
		assert_own_private(ibuf_mbuf_copy(m, 2, 3), m);
		ibuf_cursor_init(&c, m);
		assert_own_private(ibuf_cursor_take(&c, 4), m);
		assert_own_private(ibuf_mbuf_split(m, 10 - (size_t)round - 1),
				   m);
		assert_memory_equal(ibuf_mbuf_private(m), mine, sizeof(mine));
		assert_int_equal(ibuf_mbuf_append(m, "x", 1), 0);
	}
	ibuf_mbuf_free(m);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(the_private_area_stays_with_the_handle_whatever_happens_to_the_bytes)
{
	struct ibuf_pool *p = pool_with_private(32);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *clone;
	void *area = ibuf_mbuf_private(m);
	uint8_t mine[32];

	memset(mine, 0x77, sizeof(mine));
	memcpy(area, mine, sizeof(mine));
	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 80), 0);
	assert_int_equal(ibuf_mbuf_prepend(m, mine, sizeof(mine)), 0);
	clone = ibuf_mbuf_clone(m);
	assert_non_null(ibuf_mbuf_data_mut(m));
	ibuf_mbuf_free(clone);
	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_from("tail", 4)), 0);
	assert_int_equal(ibuf_mbuf_trim_head(m, 113), 0);
	assert_message(m, "ail", 3);
	ibuf_mbuf_clear(m);
	assert_int_equal(ibuf_mbuf_shrink(m), 0);
	assert_ptr_equal(ibuf_mbuf_private(m), area);
	assert_memory_equal(area, mine, sizeof(mine));
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- wipe ---------------------------------------------------------- */

#define SECRET 0xa5

/* A pool of one mbuf that wipes. */
static struct ibuf_pool *
pool_that_wipes(void)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = 64;
	o.headroom = 16;
	o.max = 1;
	o.private_size = 32;
	o.flags = IBUF_POOL_F_WIPE;
	return pool_with(&o);
}

/* The next owner of the mbuf finds none of the secret in it. */
static void
assert_wiped(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	const uint8_t *bytes;

	assert_fresh(p, m, 16, 64);
	assert_memory_equal(ibuf_mbuf_private(m), zeros, 32);
	assert_non_null(ibuf_mbuf_extend_tail(m, 64));
	bytes = ibuf_mbuf_extend_head(m, 16);
	fault_see(bytes, 80);
	for (int i = 0; i < 80; i++)
		if (bytes[i] == SECRET)
			fail_msg("byte %d survived", i);
	ibuf_mbuf_free(m);
	assert_books(p, 0);
}

/* All of an mbuf and its private area is secret. */
static struct ibuf_mbuf *
secret_message(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	memset(ibuf_mbuf_private(m), SECRET, 32);
	memset(ibuf_mbuf_extend_tail(m, 64), SECRET, 64);
	memset(ibuf_mbuf_extend_head(m, 16), SECRET, 16);
	return m;
}

TEST(what_a_wiped_mbuf_held_is_gone)
{
	struct ibuf_pool *p = pool_that_wipes();
	struct ibuf_mbuf *m = secret_message(p);

	ibuf_mbuf_free(m);
	assert_wiped(p);
	m = secret_message(p);
	ibuf_mbuf_clear(m);
	ibuf_mbuf_free(m);
	assert_wiped(p);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(what_it_held_before_it_grew_is_gone_too)
{
	struct ibuf_pool *p = pool_that_wipes();
	struct ibuf_mbuf *m = secret_message(p);

	assert_int_equal(ibuf_mbuf_append_fill(m, SECRET, 1000), 0);
	assert_int_equal(ibuf_mbuf_append_fill(m, SECRET, 9000), 0);
	ibuf_mbuf_free(m);
	assert_wiped(p);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(what_a_clone_saw_last_is_gone_too)
{
	struct ibuf_pool *p = pool_that_wipes();
	struct ibuf_mbuf *m = secret_message(p);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

	memset(ibuf_mbuf_private(clone), SECRET, 32);
	ibuf_mbuf_free(m);
	assert_int_equal(*ibuf_mbuf_data(clone), SECRET);
	ibuf_mbuf_free(clone);
	assert_wiped(p);
	m = ibuf_pool_alloc(p);
	clone = ibuf_mbuf_clone(m);
	assert_memory_equal(ibuf_mbuf_private(clone), zeros, 32);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* A provider that looks at what it gets back. */
static size_t secrets_left;

static void *
map_to_look_at(size_t size, size_t alignment, void *context)
{
	void *base = ibuf_provider_heap()->map(size, alignment, context);

	if (base != NULL)
		memset(base, 0, size); /* what malloc's memory held before */
	return base;
}

static void
look_and_unmap(void *base, size_t size, void *context)
{
	const uint8_t *bytes = base;

	fault_see(bytes, size);
	/* Eight in a row are no accident. */
	for (size_t i = 0, row = 0; i < size; i++) {
		row = bytes[i] == SECRET ? row + 1 : 0;
		if (row == 8)
			secrets_left++;
	}
	ibuf_provider_heap()->unmap(base, size, context);
}

TEST(nothing_secret_goes_back_to_the_provider)
{
	static const struct ibuf_provider provider = {map_to_look_at,
						      look_and_unmap, NULL};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = 64;
	o.headroom = 16;
	o.private_size = 32;
	o.provider = &provider;
	for (unsigned flags = 0; flags <= IBUF_POOL_F_WIPE; flags++) {
		struct ibuf_mbuf *ms[4];

		o.flags = flags;

		struct ibuf_pool *p = pool_with(&o);

		for (int i = 0; i < 3; i++) {
			ms[i] = secret_message(p);
			ms[3] = ibuf_mbuf_clone(ms[i]);
			memset(ibuf_mbuf_private(ms[3]), SECRET, 32);
			ibuf_mbuf_free(ms[3]);
		}
		assert_int_equal(ibuf_mbuf_append_fill(ms[1], SECRET, 500), 0);
		ms[3] = ibuf_mbuf_split(ms[2], 20);
		memset(ibuf_mbuf_private(ms[3]), SECRET, 32);
		ibuf_mbuf_free_bulk(ms, 4);
		secrets_left = 0;
		assert_int_equal(ibuf_pool_destroy(p), 0);
		if (flags == 0)
			assert_true(secrets_left > 0); /* it would be seen */
		else
			assert_int_equal(secrets_left, 0);
	}
}
