/*
 * test_wipe.c - what a wiping pool's messages held is overwritten wherever it
 * has been: no block that goes back to the heap holds it.
 */
#include "states.h"

/* Another one each time: what was freed before may lie in any new block. */
static char secret[] = "0aaaaaaaaa the secret bbbbbbbbbb";
#define SECRET_LEN (sizeof(secret) - 1)

/* A pool in the heap, where what is freed can be looked at. */
static struct ibuf_pool *
pool(unsigned flags)
{
	struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;

	options.capacity = 64;
	options.headroom = 16;
	options.flags = flags;
	options.provider = ibuf_provider_heap();
	assert_int_equal(ibuf_pool_create(&p, &options), 0);
	return p;
}

static struct ibuf_mbuf *
secret_of(struct ibuf_pool *p)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	assert_non_null(m);
	assert_int_equal(ibuf_mbuf_append(m, secret, SECRET_LEN), 0);
	return m;
}

/* ---- where the bytes go ----------------------------------------------- */

static void
grows_behind(struct ibuf_mbuf *m, struct ibuf_pool *plain)
{
	(void)plain;
	for (int i = 0; i < 6; i++)
		assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 60), 0);
}

static void
grows_in_front(struct ibuf_mbuf *m, struct ibuf_pool *plain)
{
	uint8_t zeros[60] = {0};

	(void)plain;
	for (int i = 0; i < 6; i++)
		assert_int_equal(ibuf_mbuf_prepend(m, zeros, 60), 0);
}

static void
is_cloned_and_extended(struct ibuf_mbuf *m, struct ibuf_pool *plain)
{
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	struct ibuf_mbuf *slice = ibuf_mbuf_slice(m, 0, SECRET_LEN);

	(void)plain;
	assert_int_equal(ibuf_mbuf_append_fill(clone, 'x', 200), 0);
	assert_int_equal(ibuf_mbuf_unshare(slice), 0);
	assert_int_equal(ibuf_mbuf_append_fill(slice, 'x', 200), 0);
	ibuf_mbuf_free(clone);
	ibuf_mbuf_free(slice);
}

static void
is_shrunk(struct ibuf_mbuf *m, struct ibuf_pool *plain)
{
	(void)plain;
	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 200), 0);
	assert_int_equal(ibuf_mbuf_shrink(m), 0);
}

static void
is_printed_to(struct ibuf_mbuf *m, struct ibuf_pool *plain)
{
	(void)plain;
	for (int i = 0; i < 8; i++)
		assert_int_equal(ibuf_mbuf_printf(m, "%s", secret), 0);
}

static void
is_written_to_itself(struct ibuf_mbuf *m, struct ibuf_pool *plain)
{
	struct ibuf_mbuf *rest;

	assert_int_equal(ibuf_mbuf_append(m, secret, 16), 0);
	rest = ibuf_mbuf_split(m, 40);
	assert_non_null(rest);
	assert_int_equal(ibuf_mbuf_concat(m, ibuf_pool_alloc(plain)), 0);
	assert_int_equal(ibuf_mbuf_concat(m, rest), 0);
	assert_int_equal(ibuf_mbuf_write_at(m, 10, ibuf_mbuf_data(m),
					    ibuf_mbuf_len(m) - 10),
			 0);
}

static void
is_gathered_elsewhere(struct ibuf_mbuf *m, struct ibuf_pool *plain)
{
	for (int heap = 0; heap < 2; heap++) {
		struct ibuf_mbuf *other = heap ? ibuf_mbuf_from("in front", 8)
					       : ibuf_pool_alloc(plain);

		assert_int_equal(ibuf_mbuf_append(other, "-", 1), 0);
		assert_int_equal(ibuf_mbuf_concat(other, ibuf_mbuf_clone(m)),
				 0);
		assert_non_null(ibuf_mbuf_pullup(other, 9 + 8 * (size_t)heap));
		assert_int_equal(ibuf_mbuf_linearize(other), 0);
		assert_int_equal(ibuf_mbuf_append_fill(other, 'x', 500), 0);
		ibuf_mbuf_free(other);
	}
}

static void
is_copied_elsewhere(struct ibuf_mbuf *m, struct ibuf_pool *plain)
{
	struct ibuf_mbuf *other = ibuf_pool_alloc(plain), *copy;

	assert_int_equal(ibuf_mbuf_append(other, "-", 1), 0);
	assert_int_equal(ibuf_mbuf_concat(other, ibuf_mbuf_clone(m)), 0);
	copy = ibuf_mbuf_copy(other, 0, ibuf_mbuf_len(other));
	ibuf_mbuf_free(other);
	assert_int_equal(ibuf_mbuf_append_fill(copy, 'x', 500), 0);
	ibuf_mbuf_free(copy);
}

static void
is_taken_over(struct ibuf_mbuf *m, struct ibuf_pool *plain)
{
	struct ibuf_mbuf *empty = ibuf_pool_alloc(plain);
	struct ibuf_mbuf *heap = ibuf_mbuf_new(0);

	assert_int_equal(ibuf_mbuf_concat(empty, ibuf_mbuf_clone(m)), 0);
	assert_int_equal(ibuf_mbuf_append_fill(empty, 'x', 500), 0);
	assert_int_equal(ibuf_mbuf_concat(heap, ibuf_mbuf_clone(m)), 0);
	assert_int_equal(ibuf_mbuf_append_fill(heap, 'x', 500), 0);
	ibuf_mbuf_free(empty);
	ibuf_mbuf_free(heap);
}

/* The pool's own message in a room that came from elsewhere. */
static void
takes_over(struct ibuf_mbuf *m, struct ibuf_pool *plain)
{
	(void)plain;
	ibuf_mbuf_clear(m);
	assert_int_equal(ibuf_mbuf_concat(m, ibuf_mbuf_from("heap", 4)), 0);
	assert_int_equal(ibuf_mbuf_append(m, secret, SECRET_LEN), 0);
	assert_int_equal(ibuf_mbuf_append_fill(m, 'x', 100), 0);
}

static void
is_freed(struct ibuf_mbuf *m, struct ibuf_pool *plain)
{
	(void)m;
	(void)plain;
}

static const struct way {
	const char *name;
	void (*goes)(struct ibuf_mbuf *m, struct ibuf_pool *plain);
} ways[] = {
	{"is freed", is_freed},
	{"grows behind", grows_behind},
	{"grows in front", grows_in_front},
	{"is cloned and extended", is_cloned_and_extended},
	{"is shrunk", is_shrunk},
	{"is printed to", is_printed_to},
	{"is written to itself", is_written_to_itself},
	{"is gathered elsewhere", is_gathered_elsewhere},
	{"is copied elsewhere", is_copied_elsewhere},
	{"is taken over", is_taken_over},
	{"takes over", takes_over},
};

/* Blocks that were freed and held the secret. */
static size_t
found(const struct way *way, unsigned flags, bool closed)
{
	struct ibuf_pool *p = pool(flags), *plain = pool(0);
	struct ibuf_mbuf *m;
	size_t n;

	secret[0]++;
	m = secret_of(p);
	fault_watch(secret, SECRET_LEN);
	if (closed)
		assert_int_equal(ibuf_pool_destroy(p), 1);
	way->goes(m, plain);
	ibuf_mbuf_free(m);
	if (!closed)
		assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(ibuf_pool_destroy(plain), 0);
	n = fault_found();
	fault_watch(NULL, 0);
	return n;
}

TEST(what_a_wiping_pool_held_is_in_no_block_that_is_freed)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		for (int closed = 0; closed < 2; closed++)
			if (found(&ways[i], IBUF_POOL_F_WIPE, closed) != 0)
				fail_msg("it %s%s: the secret is left",
					 ways[i].name,
					 closed ? ", its pool closed" : "");
		/* So that the above can fail. */
		if (found(&ways[i], 0, false) == 0)
			fail_msg("it %s: nobody would see it", ways[i].name);
	}
}
