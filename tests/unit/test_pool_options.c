/*
 * test_pool_options.c - how a pool is made, and what it refuses to be.
 */
#include "pools.h"

#define OPTIONS(name) struct ibuf_pool_options name = IBUF_POOL_OPTIONS_INIT

/* ---- defaults ------------------------------------------------------ */

static void
assert_default_pool(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	assert_fresh(p, m, 128, 2048);
	assert_int_equal((uintptr_t)ibuf_mbuf_data(m) % 64, 0);
	assert_null(ibuf_mbuf_private(m));
	ibuf_mbuf_free(m);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(the_initialiser_says_what_the_reference_says)
{
	OPTIONS(o);

	assert_int_equal(o.size, sizeof(o));
	assert_string_equal(o.name, "ibuf");
	assert_int_equal(o.capacity, 2048);
	assert_int_equal(o.headroom, 128);
	assert_int_equal(o.initial, 0);
	assert_int_equal(o.max, 0);
	assert_true(o.cache == IBUF_POOL_CACHE_AUTO);
	assert_int_equal(o.alignment, 64);
	assert_int_equal(o.private_size, 0);
	assert_int_equal(o.flags, 0);
	assert_null(o.provider);
	assert_default_pool(pool_with(&o));
}

TEST(no_options_mean_the_defaults)
{
	assert_default_pool(pool_with(NULL));
}

TEST(a_short_struct_is_completed_by_the_defaults)
{
	struct ibuf_pool_options o;

	memset(&o, 0xff, sizeof(o)); /* behind its size nothing is read */
	o.size = offsetof(struct ibuf_pool_options, headroom);
	o.name = "short";
	o.capacity = 100;

	struct ibuf_pool *p = pool_with(&o);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	assert_fresh(p, m, 128, 100);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	o.size = sizeof(o.size);
	assert_default_pool(pool_with(&o));
}

TEST(new_takes_two_numbers_and_leaves_the_rest_to_the_defaults)
{
	struct ibuf_pool *p = ibuf_pool_new(10, 1024);
	struct ibuf_mbuf *m;

	assert_non_null(p);
	assert_int_equal(stats_of(p).capacity, 10);
	assert_int_equal(ibuf_pool_available(p), 10);
	m = ibuf_pool_alloc(p);
	assert_fresh(p, m, 128, 1024);
	assert_int_equal((uintptr_t)ibuf_mbuf_data(m) % 64, 0);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- what is refused ----------------------------------------------- */

TEST(a_struct_of_no_size_or_of_an_unknown_one_is_refused)
{
	OPTIONS(o);

	o.size = 0;
	assert_int_equal(error_of(&o), -EINVAL);
	o.size = sizeof(o) + 1;
	assert_int_equal(error_of(&o), -EINVAL);
	o.size = SIZE_MAX;
	assert_int_equal(error_of(&o), -EINVAL);
}

TEST(each_unknown_flag_is_refused)
{
	for (unsigned bit = 0; bit < 32; bit++) {
		unsigned known = IBUF_POOL_F_WIPE | IBUF_POOL_F_WAIT;
		OPTIONS(o);

		o.flags = 1u << bit;
		assert_int_equal(error_of(&o),
				 (o.flags & known) != 0 ? 0 : -EINVAL);
	}
}

TEST(an_alignment_that_is_no_power_of_two_is_refused)
{
	static const size_t wrong[] = {3, 6, 63, 65, 100, SIZE_MAX};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		OPTIONS(o);

		o.alignment = wrong[i];
		assert_int_equal(error_of(&o), -EINVAL);
	}
}

TEST(an_alignment_of_0_is_the_usual_one)
{
	struct ibuf_pool_options o = {.size = sizeof(o), .capacity = 1500};
	struct ibuf_pool *p = pool_with(&o);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	assert_fresh(p, m, 0, 1500);
	assert_int_equal((uintptr_t)ibuf_mbuf_data(m) % 64, 0);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_provider_without_functions_is_refused)
{
	struct ibuf_provider half = *ibuf_provider_heap();
	OPTIONS(o);

	o.provider = &half;
	half.unmap = NULL;
	assert_int_equal(error_of(&o), -EINVAL);
	half = *ibuf_provider_heap();
	half.map = NULL;
	assert_int_equal(error_of(&o), -EINVAL);
}

/* ---- a struct of any size ------------------------------------------- */

/* What a pool shows of the options that it took over. */
static void
assert_took_over(struct ibuf_pool *p, const struct ibuf_pool_options *o,
		 size_t size, int maps)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);
	bool headroom = size >= offsetof(struct ibuf_pool_options, initial);
	bool private = size >= offsetof(struct ibuf_pool_options, flags);
	bool capacity = size >= offsetof(struct ibuf_pool_options, headroom);
	bool provider = size >= offsetof(struct ibuf_pool_options, provider) +
					sizeof(void *);

	assert_fresh(p, m, headroom ? o->headroom : 128,
		     capacity ? o->capacity : 2048);
	assert_true((ibuf_mbuf_private(m) != NULL) == private);
	assert_true((maps != 0) == provider);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* Pointers cut in two lead nowhere, and what lies behind is not read. */
TEST(a_struct_of_any_size_is_read_by_whole_members_or_refused)
{
	enum { MOST = 4096 };
	struct counting c = {0};
	struct ibuf_provider *provider = malloc(sizeof(*provider));
	char *name = malloc(5);
	OPTIONS(o);

	*provider = counting_provider(&c);
	o.name = memcpy(name, "mine", 5);
	o.provider = provider;
	o.capacity = 333;
	o.headroom = 77;
	o.private_size = 8;
	o.initial = 1;
	for (size_t size = 0; size <= MOST; size++) {
		size_t there = size < sizeof(size) ? sizeof(size) : size;
		char *block = malloc(there);
		struct ibuf_pool *p;
		int error;

		memset(block, 0xa5, there);
		memcpy(block, &o, there < sizeof(o) ? there : sizeof(o));
		memcpy(block, &size, sizeof(size));
		c.maps = 0;
		error = ibuf_pool_create(&p, (void *)block);
		free(block);
		assert_int_equal(error,
				 size == 0 || size > sizeof(o) ? -EINVAL : 0);
		if (error == 0)
			assert_took_over(p, &o, size, (int)c.maps);
	}
	free(provider);
	free(name);
}

TEST(members_of_any_bytes_make_a_pool_or_are_refused)
{
	uint32_t random = 2463534242u;

	for (int round = 0; round < 20000; round++) {
		OPTIONS(o);
		struct ibuf_pool *p;
		uint8_t bytes[sizeof(o)];
		size_t from = offsetof(struct ibuf_pool_options, capacity);
		size_t to = offsetof(struct ibuf_pool_options, provider);

		for (size_t i = from; i < to; i++) {
			random ^= random << 13;
			random ^= random >> 17;
			random ^= random << 5;
			/* Many zeros, or nearly all would be too much. */
			bytes[i] = random & 0xe00 ? 0 : (uint8_t)random;
		}
		memcpy((uint8_t *)&o + from, bytes + from, to - from);
		/* A little, or more than can be. */
		if (o.initial > 100 || o.capacity > 65536 ||
		    o.headroom > 65536 || o.private_size > 65536)
			o.initial = o.initial % 2 == 0 ? 0 : SIZE_MAX / 64;
		switch (ibuf_pool_create(&p, &o)) {
		case 0:
			assert_int_equal(ibuf_pool_destroy(p), 0);
			break;
		case -EINVAL:
		case -EOVERFLOW:
		case -ENOMEM:
			break;
		default:
			fail_msg("round %d", round);
		}
	}
}

TEST(more_at_first_than_at_most_is_refused)
{
	OPTIONS(o);

	o.initial = 11;
	o.max = 10;
	assert_int_equal(error_of(&o), -EINVAL);
	o.initial = 10;
	assert_int_equal(error_of(&o), 0);
}

TEST(a_pool_to_wait_for_has_a_cache_as_others_have)
{
	static const size_t maxes[] = {0, 7, 1000};

	for (size_t i = 0; i < sizeof(maxes) / sizeof(maxes[0]); i++) {
		struct ibuf_pool_options in_force[2];

		for (unsigned waits = 0; waits < 2; waits++) {
			OPTIONS(o);
			struct ibuf_pool *p;

			o.flags = waits ? IBUF_POOL_F_WAIT : 0;
			o.max = maxes[i];
			p = pool_with(&o);
			ibuf_pool_get_options(p, &in_force[waits],
					      sizeof(in_force[waits]));
			ibuf_pool_destroy(p);
			o.cache = 1;
			assert_int_equal(error_of(&o), 0);
			o.cache = 0;
			assert_int_equal(error_of(&o), 0);
		}
		/* It is 0 where what threads keep could not be recalled. */
		assert_int_equal(in_force[1].cache,
				 caches_work() ? in_force[0].cache : 0);
	}
}

TEST(sizes_beyond_the_limits_are_refused)
{
	static const struct {
		size_t capacity, headroom, initial, alignment, private_size;
	} wrong[] = {
		{SIZE_MAX, 0, 0, 64, 0},
		{UINT32_MAX, 1, 0, 64, 0},
		{1, UINT32_MAX, 0, 64, 0},
		{SIZE_MAX, SIZE_MAX, 0, 64, 0},
		{1, SIZE_MAX, 0, 64, 0},
		{2048, 128, SIZE_MAX, 64, 0},
		{2048, 128, SIZE_MAX / 2 + 1, 64, 0},
		{2048, 128, SIZE_MAX / 2048, 64, 0},
		{1, 0, SIZE_MAX / 64 + 1, 64, 0},
		{1, 0, SIZE_MAX, 1, 0},
		{2048, 128, 0, SIZE_MAX / 2 + 1, 0},
		{2048, 128, 0, 64, SIZE_MAX},
		{2048, 128, 0, 64, SIZE_MAX - 64},
		{SIZE_MAX / 2, SIZE_MAX / 2, SIZE_MAX, 64, SIZE_MAX / 2},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		OPTIONS(o);

		o.capacity = wrong[i].capacity;
		o.headroom = wrong[i].headroom;
		o.initial = wrong[i].initial;
		o.alignment = wrong[i].alignment;
		o.private_size = wrong[i].private_size;
		assert_int_equal(error_of(&o), -EOVERFLOW);
	}
	assert_null(ibuf_pool_new(SIZE_MAX, 1));
	assert_null(ibuf_pool_new(1, SIZE_MAX));
	assert_null(ibuf_pool_new(SIZE_MAX, SIZE_MAX));
}

TEST(create_survives_every_failed_allocation)
{
	bool struck;
	size_t n = 0, failed = 0;

	do {
		OPTIONS(o);
		struct ibuf_pool *untouched = (void *)&o;
		struct ibuf_pool *p = untouched;
		int error;

		o.initial = 4;
		fault_at(++n);
		error = ibuf_pool_create(&p, &o);
		struck = fault_off();
		/* The first mbufs may be had in smaller pieces. */
		if (error != 0) {
			assert_true(struck);
			assert_ptr_equal(p, untouched);
			failed++;
		} else {
			assert_int_equal(stats_of(p).capacity, 4);
			assert_int_equal(ibuf_pool_destroy(p), 0);
		}
	} while (struck);
	assert_true(failed >= 2);
	assert_true(n > 2);
	fault_from(1);
	assert_null(ibuf_pool_new(1, 64));
	fault_off();
}

/* ---- what is asked for is given ------------------------------------ */

TEST(the_first_byte_is_aligned_whatever_stands_before_it)
{
	static const size_t headrooms[] = {0, 1, 14, 64, 127, 128, 200};
	static const size_t privates[] = {0, 1, 16, 40};

	for (size_t alignment = 1; alignment <= 8192; alignment *= 2) {
		for (size_t i = 0; i < 7 * 4; i++) {
			struct ibuf_mbuf *ms[5];
			OPTIONS(o);

			o.alignment = alignment;
			o.headroom = headrooms[i % 7];
			o.private_size = privates[i / 7];
			o.capacity = 60;
			o.max = 5;

			struct ibuf_pool *p = pool_with(&o);

			assert_int_equal(take_all(p, ms, 5), 5);
			for (int k = 0; k < 5; k++) {
				assert_fresh(p, ms[k], o.headroom, 60);
				assert_int_equal(
					(uintptr_t)ibuf_mbuf_data(ms[k]) %
						alignment,
					0);
			}
			ibuf_mbuf_free_bulk(ms, 5);
			assert_int_equal(ibuf_pool_destroy(p), 0);
		}
	}
}

TEST(a_pool_of_no_capacity_makes_mbufs_that_grow_at_the_first_byte)
{
	OPTIONS(o);

	o.capacity = 0;
	o.headroom = 0;
	o.alignment = 1;

	struct ibuf_pool *p = pool_with(&o);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	assert_fresh(p, m, 0, 0);
	assert_int_equal(ibuf_mbuf_append(m, "abc", 3), 0);
	assert_message(m, "abc", 3);
	assert_ptr_equal(ibuf_mbuf_pool(m), p);
	ibuf_mbuf_free(m);
	assert_books(p, 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(what_is_initial_is_there_and_needs_no_provider_later)
{
	struct counting c = {0};
	struct ibuf_provider provider = counting_provider(&c);
	struct ibuf_mbuf *ms[40];
	OPTIONS(o);

	o.capacity = 64;
	o.initial = 40;
	o.provider = &provider;

	struct ibuf_pool *p = pool_with(&o);
	size_t maps = c.maps;

	assert_int_equal(stats_of(p).capacity, 40);
	assert_int_equal(stats_of(p).grows, 0);
	assert_books(p, 0);
	assert_int_equal(take_all(p, ms, 40), 40);
	assert_int_equal(c.maps, maps);
	assert_int_equal(stats_of(p).grows, 0);
	ibuf_mbuf_free_bulk(ms, 40);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(c.maps, c.unmaps);
}

TEST(a_pool_without_initial_mbufs_maps_nothing_until_one_is_asked_for)
{
	struct counting c = {0};
	struct ibuf_provider provider = counting_provider(&c);
	OPTIONS(o);

	o.provider = &provider;

	struct ibuf_pool *p = pool_with(&o);

	assert_int_equal(stats_of(p).capacity, 0);
	assert_int_equal(stats_of(p).mapped_bytes, 0);
	assert_int_equal(c.maps, 0);
	ibuf_mbuf_free(ibuf_pool_alloc(p));
	assert_true(c.maps > 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

static void
free_twice(void *m)
{
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(m);
}

TEST(name_and_provider_are_copied)
{
	struct counting c = {0};
	struct ibuf_provider provider = counting_provider(&c);
	char name[] = "copied";
	OPTIONS(o);

	o.name = name;
	o.provider = &provider;

	struct ibuf_pool *p = pool_with(&o);

	memset(name, 'x', sizeof(name) - 1);
	memset(&provider, 0, sizeof(provider));
	memset(&o, 0, sizeof(o));

	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	assert_true(c.maps > 0);
	assert_aborts(free_twice, m, "copied");
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(c.maps, c.unmaps);
}

TEST(a_pool_without_a_name_has_the_default_one)
{
	struct ibuf_mbuf *m;
	OPTIONS(o);

	o.name = NULL;

	struct ibuf_pool *p = pool_with(&o);

	m = ibuf_pool_alloc(p);
	assert_aborts(free_twice, m, "\"ibuf\"");
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_cache_larger_than_max_is_clamped_and_strands_nothing)
{
	struct ibuf_pool *p = pool_of(4, 1000);
	struct ibuf_mbuf *ms[5];

	for (int round = 0; round < 3; round++) {
		assert_int_equal(take_all(p, ms, 5), 4);
		ibuf_mbuf_free_bulk(ms, 4);
		assert_true(stats_of(p).cached <= 4);
		assert_books(p, 0);
	}
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- many pools ---------------------------------------------------- */

TEST(a_pool_that_ended_makes_room_for_another)
{
	for (int i = 0; i < 70000; i++) {
		struct ibuf_pool *p = ibuf_pool_new(0, 64);

		if (p == NULL || ibuf_pool_destroy(p) != 0)
			fail_msg("pool %d", i);
	}
}

/* Where a number leads to is found without a lock, so it stays; and this thread
   has used one high number, for which it keeps thread caches until it exits. */
static void
assert_the_table_is_kept(size_t blocks, size_t mapped, size_t numbers)
{
	blocks = fault_live_blocks() - blocks;
	mapped = fault_live_bytes_mapped() - mapped;
	assert_in_range(blocks, 0, numbers / 512);
	assert_in_range(mapped, 0, numbers * 8 + (48 << 10));
	test_keeps(blocks, mapped);
}

TEST(a_number_that_needs_memory_of_its_own_survives_every_failure)
{
	enum { MANY = 512 };
	static struct ibuf_pool *pools[MANY];
	size_t blocks = fault_live_blocks(), mapped = fault_live_bytes_mapped();
	size_t n = 0;
	struct ibuf_pool *p;
	struct ibuf_mbuf *m;
	int error;
	bool struck;
	OPTIONS(o);

	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(ibuf_pool_create(&pools[i], &o), 0);
	do {
		fault_at(++n);
		error = ibuf_pool_create(&p, &o);
		struck = fault_off();
		assert_int_equal(error != 0, struck);
	} while (struck);
	m = ibuf_pool_alloc(p);
	assert_fresh(p, m, 128, 2048);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(ibuf_pool_destroy(pools[i]), 0);
	assert_the_table_is_kept(blocks, mapped, MANY);
}

TEST(a_pool_too_many_is_refused)
{
	enum { MOST = 65535 };
	size_t blocks = fault_live_blocks(), mapped = fault_live_bytes_mapped();
	struct ibuf_pool **pools = calloc(MOST, sizeof(struct ibuf_pool *));
	struct ibuf_mbuf *m;
	OPTIONS(o);

	assert_non_null(pools);
	o.capacity = 64;
	for (size_t i = 0; i < MOST; i++)
		if (ibuf_pool_create(&pools[i], &o) != 0)
			fail_msg("pool %zu", i);
	assert_int_equal(error_of(&o), -ENOBUFS);
	m = ibuf_pool_alloc(pools[MOST - 1]);
	assert_fresh(pools[MOST - 1], m, 128, 64);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(pools[7]), 0);
	assert_int_equal(ibuf_pool_create(&pools[7], &o), 0);
	for (size_t i = 0; i < MOST; i++)
		ibuf_pool_destroy(pools[i]);
	free(pools);
	assert_the_table_is_kept(blocks, mapped, MOST + 1);
}

/* ---- the options in force ------------------------------------------------ */

TEST(the_options_in_force_are_read_back_completed_and_clamped)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT, in_force;
	char name[] = "a name of any length, which the pool keeps whole";
	struct ibuf_pool *p, *same;

	o.name = name;
	o.capacity = 1500;
	o.max = 80;
	o.alignment = 0;
	o.private_size = 24;
	o.provider = ibuf_provider_heap();
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(ibuf_pool_get_options(p, &in_force, sizeof(in_force)),
			 0);
	assert_int_equal(in_force.size, sizeof(in_force));
	assert_string_equal(in_force.name,
			    "a name of any length, which the pool keeps whole");
	assert_ptr_equal(in_force.name, ibuf_pool_name(p));
	assert_int_equal(in_force.capacity, 1500);
	assert_int_equal(in_force.headroom, 128);
	assert_int_equal(in_force.max, 80);
	assert_int_equal(in_force.cache, 10); /* max / 8 */
	assert_int_equal(in_force.alignment, 64);
	assert_int_equal(in_force.private_size, 24);
	assert_int_equal(in_force.flags, 0);
	assert_non_null(in_force.provider->map);

	/* They make another such pool. */
	assert_int_equal(ibuf_pool_create(&same, &in_force), 0);
	assert_int_equal(ibuf_pool_get_options(same, &o, sizeof(o)), 0);
	assert_string_equal(o.name, in_force.name);
	assert_int_equal(o.cache, 10);
	assert_int_equal(ibuf_pool_destroy(same), 0);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(no_limit_is_read_back_as_none_and_a_wiping_pool_keeps_as_much_back)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;

	o.flags = IBUF_POOL_F_WIPE;
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	assert_int_equal(ibuf_pool_get_options(p, &o, sizeof(o)), 0);
	assert_int_equal(o.max, 0);
	assert_int_equal(o.cache, 124);
	assert_int_equal(o.flags, IBUF_POOL_F_WIPE);
	assert_string_equal(ibuf_pool_name(p), "ibuf");
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_program_that_knows_less_of_the_options_gets_so_much)
{
	struct ibuf_pool_options o;
	struct ibuf_pool *p = ibuf_pool_new(0, 100);
	size_t known = offsetof(struct ibuf_pool_options, headroom);

	assert_non_null(p);
	memset(&o, 0xa5, sizeof(o));
	assert_int_equal(ibuf_pool_get_options(p, &o, 0), -EINVAL);
	assert_int_equal(ibuf_pool_get_options(p, &o, known), 0);
	assert_int_equal(o.size, known);
	assert_int_equal(o.capacity, 100);
	assert_int_equal(((uint8_t *)&o)[known], 0xa5);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
