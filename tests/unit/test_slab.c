/*
 * test_slab.c - the tree of slabs: right after every step, and as deep as a
 * logarithm, in whatever order the slabs come and go.
 *
 * A search, an insertion and a removal each go down once, so the depth is the
 * number of their steps.
 */
#include "test.h"

#include "slab.h"

enum { MOST = 1 << 15, SIZE = 4096 };

static struct ibuf_slab slabs[MOST], *root;

/* Where the i-th slab lies; nobody looks at its bytes. */
static void
place(size_t i, uintptr_t at)
{
	slabs[i].base = (uint8_t *)at; /* NOLINT: it is only compared */
	slabs[i].size = SIZE;
}

/* Check the order of a part of the tree; gives its size. */
static size_t
count(const struct ibuf_slab *node, uintptr_t from, uintptr_t to)
{
	if (node == NULL)
		return 0;
	assert_in_range(slab_start(node), from, to);
	return 1 + count(node->child[0], from, slab_start(node) - 1) +
	       count(node->child[1], slab_start(node) + 1, to);
}

static size_t
depth_of(const struct ibuf_slab *slab)
{
	const struct ibuf_slab *node = root;
	size_t depth = 1;

	for (; node != slab; depth++) {
		assert_non_null(node);
		node = node->child[slab_start(slab) > slab_start(node)];
	}
	return depth;
}

static void
assert_found(size_t i, bool there)
{
	uintptr_t at = slab_start(&slabs[i]);

	assert_true((ibuf_slab_floor_(root, at) == &slabs[i]) == there);
	assert_true((ibuf_slab_floor_(root, at + SIZE - 1) == &slabs[i]) ==
		    there);
}

static size_t
log2_of(size_t n)
{
	size_t log = 0;

	while ((size_t)1 << log < n)
		log++;
	return log;
}

/* Orders in which slabs come: upwards, downwards, from both ends, any. */
static size_t
order(size_t how, size_t i, size_t n)
{
	switch (how) {
	case 0:
		return i;
	case 1:
		return n - 1 - i;
	case 2:
		return i % 2 == 0 ? i / 2 : n - 1 - i / 2;
	default:
		return i * 40503 % n; /* odd, so each comes once */
	}
}

/* As mmap would: neighbours, or far apart, or in blocks. */
static uintptr_t
address(size_t how, size_t i)
{
	switch (how) {
	case 0:
		return SIZE + i * SIZE;
	case 1:
		return SIZE + i * (SIZE * 13);
	default:
		return SIZE + (i / 8 * 64 + i % 8) * SIZE;
	}
}

TEST(the_steps_to_a_slab_grow_as_the_logarithm_of_their_number)
{
	for (size_t n = 1 << 9; n <= MOST; n *= 4) {
		for (size_t how = 0; how < 12; how++) {
			size_t sum = 0, most = 0;

			root = NULL;
			for (size_t i = 0; i < n; i++)
				place(i,
				      address(how / 4, order(how % 4, i, n)));
			for (size_t i = 0; i < n; i++)
				ibuf_slab_insert_(&root, &slabs[i]);
			assert_int_equal(count(root, 0, UINTPTR_MAX), n);
			for (size_t i = 0; i < n; i++) {
				size_t depth = depth_of(&slabs[i]);

				sum += depth;
				most = depth > most ? depth : most;
				assert_found(i, true);
			}
			/* A random tree has 1.39 and, at most, about 4.3. */
			assert_in_range(sum, n, n * log2_of(n) * 2);
			assert_in_range(most, 1, log2_of(n) * 4);
		}
	}
}

TEST(the_tree_is_right_after_every_insertion_and_removal)
{
	enum { N = 64, STEPS = 20000 };
	bool there[N] = {false};
	uint32_t random = 2463534242u;
	size_t n = 0;

	root = NULL;
	for (size_t i = 0; i < N; i++)
		place(i, address(1, i));
	for (size_t step = 0; step < STEPS; step++) {
		size_t i;

		random ^= random << 13;
		random ^= random >> 17;
		random ^= random << 5;
		i = random % N;
		if (there[i]) {
			ibuf_slab_remove_(&root, &slabs[i]);
			n--;
		} else {
			ibuf_slab_insert_(&root, &slabs[i]);
			n++;
		}
		there[i] = !there[i];
		assert_int_equal(count(root, 0, UINTPTR_MAX), n);
		for (size_t k = 0; k < N; k++)
			assert_found(k, there[k]);
		assert_null(ibuf_slab_floor_(root, SIZE - 1));
	}
}
