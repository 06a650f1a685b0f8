/* test_fault.c - the glue itself: faults strike where they are told to. */
#include "test.h"

#include <stdio.h>
#include <sys/mman.h>

static bool
can_allocate(void)
{
	void *block = malloc(1);

	free(block);
	return block != NULL;
}

TEST(a_fault_strikes_the_nth_allocation_and_no_other)
{
	fault_at(3);
	assert_true(can_allocate());
	assert_true(can_allocate());
	assert_false(can_allocate());
	assert_true(can_allocate());
	assert_true(fault_off());
}

TEST(a_fault_from_then_on_strikes_until_it_is_off)
{
	fault_from(2);
	assert_true(can_allocate());
	assert_false(can_allocate());
	assert_false(can_allocate());
	assert_true(fault_off());
	assert_true(can_allocate());
}

TEST(a_fault_that_does_not_strike_says_so)
{
	fault_at(2);
	assert_true(can_allocate());
	assert_false(fault_off());
}

TEST(a_failed_realloc_leaves_the_block_and_its_account)
{
	/* The compiler is not to know: it takes the block for gone. */
	void *(*volatile resize)(void *, size_t) = realloc;
	size_t live = fault_live_blocks();
	char *block = malloc(4);

	memcpy(block, "abc", 4);
	fault_at(1);
	assert_null(resize(block, 1000));
	assert_true(fault_off());
	assert_string_equal(block, "abc");
	assert_int_equal(fault_live_blocks(), live + 1);
	block = resize(block, 1000);
	assert_int_equal(fault_live_blocks(), live + 1);
	free(block);
	assert_int_equal(fault_live_blocks(), live);
}

TEST(every_allocator_is_stood_in_for)
{
	void *block = NULL;
	size_t calls = fault_calls();

	fault_from(1);
	assert_null(calloc(1, 1));
	assert_null(aligned_alloc(64, 64));
	assert_int_equal(posix_memalign(&block, 64, 64), ENOMEM);
	assert_ptr_equal(
		mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		MAP_FAILED);
	assert_true(fault_off());
	assert_int_equal(fault_calls(), calls + 4);
}

TEST(mapped_bytes_are_counted)
{
	size_t mapped = fault_live_bytes_mapped();
	void *pages =
		mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(fault_live_bytes_mapped(), mapped + 8192);
	assert_int_equal(munmap(pages, 8192), 0);
	assert_int_equal(fault_live_bytes_mapped(), mapped);
}

static void
abort_with(void *line)
{
	fputs(line, stderr);
	abort();
}

TEST(an_abort_is_seen_with_the_line_it_prints)
{
	static char line[] = "pool 7: double free\n";

	assert_aborts(abort_with, line, "double pool");
}

/*
 * Not run with the others: what it leaves must fail it, which the test
 * unit.fault.leak sees to.
 */
TEST(leak)
{
	if (getenv("TEST_LEAK") != NULL)
		assert_non_null(malloc(42));
}
