/*
 * test_copies.c - a copy of the library of another layout is in the same
 * process: numbers are unique all the same, and its messages are refused.
 *
 * That copy is made up here as any release may find it: by a note that leads
 * to a variable.  What both look like stays as it is.
 */
#include "pools.h"

enum { TAKEN = 40 }; /* by the other: the numbers below this one */

static uint32_t numbers[65536 / 32] = {UINT32_MAX, 0xff};

extern struct another {
	uint32_t layout[5];
	void *table;
	uint32_t *numbers;
	uint32_t *elected_numbers;
	void *elected_table;
} copy_of_another_layout;

struct another copy_of_another_layout
	__attribute__((used, visibility("hidden"))) = {
		.layout = {UINT32_MAX},
		.table = &copy_of_another_layout, /* nobody may look there */
		.numbers = numbers,
};

__asm__("	.pushsection .note.ibuf,\"a\",%note\n"
	"	.balign 4\n"
	"	.long 5, 4, 1\n"
	"	.asciz \"ibuf\"\n"
	"	.balign 4\n"
	"	.long copy_of_another_layout - .\n"
	"	.popsection\n");

static bool
is_taken(uint32_t number)
{
	return (numbers[number / 32] >> number % 32 & 1) != 0;
}

TEST(numbers_that_a_copy_of_another_layout_has_are_not_taken)
{
	struct ibuf_pool *ps[100];
	struct ibuf_mbuf *m;

	for (uint32_t i = 0; i < 100; i++) {
		ps[i] = pool_of(1, 0);
		m = ibuf_pool_alloc(ps[i]);
		assert_int_equal(m->pool_, TAKEN + i);
		assert_true(is_taken(TAKEN + i));
		ibuf_mbuf_free(m);
	}
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(ibuf_pool_destroy(ps[i]), 0);
		assert_false(is_taken(TAKEN + i));
	}
	assert_int_equal(numbers[0], UINT32_MAX);
	assert_int_equal(numbers[1], 0xff);
}

static void
free_it(void *m)
{
	ibuf_mbuf_free(m);
}

static void
clone_it(void *m)
{
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

	ibuf_mbuf_free(clone);
}

TEST(messages_of_a_copy_of_another_layout_are_refused)
{
	struct ibuf_mbuf *m = ibuf_mbuf_from("text", 4);

	m->pool_ = 7;
	assert_aborts(free_it, m, "ibuf: copy of the library");
	assert_aborts(clone_it, m, "ibuf: copy of the library");
	assert_int_equal(ibuf_mbuf_validate(m), -EINVAL);
	m->pool_ = 0;
	ibuf_mbuf_free(m);
}
