/*
 * test_marks.c - whatever was done to messages of a wiping pool, no byte that
 * was ever written in its rooms survives the free.
 *
 * Rooms begin as zeros, all that is written is something else, and every room
 * is looked at from end to end after each sequence of edits.
 */
#include "pools.h"

#include <fcntl.h>
#include <unistd.h>

enum { HEADROOM = 40, CAPACITY = 160, ROOM = HEADROOM + CAPACITY };
enum { MBUFS = 6, HANDLES = 8, PRIVATE = 24 };

ssize_t __real_read(int fd, void *to, size_t n);
ssize_t __wrap_read(int fd, void *to, size_t n);

/* A read may write in all that it is given, whatever comes of it. */
ssize_t
__wrap_read(int fd, void *to, size_t n)
{
	memset(to, 0x33, n);
	return __real_read(fd, to, n);
}

static void *
map_zeros(size_t size, size_t alignment, void *context)
{
	void *base = ibuf_provider_heap()->map(size, alignment, context);

	if (base != NULL)
		memset(base, 0, size);
	return base;
}

static struct ibuf_pool *
pool(unsigned flags, size_t private_size, size_t cache)
{
	struct ibuf_provider zeros = {map_zeros, ibuf_provider_heap()->unmap,
				      NULL};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.headroom = HEADROOM;
	o.capacity = CAPACITY;
	o.max = MBUFS;
	o.cache = cache;
	o.private_size = private_size;
	o.flags = flags;
	o.provider = &zeros;
	return pool_with(&o);
}

/* ---- edits ------------------------------------------------------------ */

struct world {
	struct ibuf_pool *p, *plain;
	struct ibuf_mbuf *ms[HANDLES]; /* NULL: none */
	uint8_t bytes[2 * ROOM];       /* never 0 */
	int pipe[2];
	uint32_t random;
};

/* From 0 to n - 1. */
static size_t
dice(struct world *w, size_t n)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 17;
	w->random ^= w->random << 5;
	return w->random % n;
}

/* Short most often, and now and then more than a room. */
static size_t
some(struct world *w)
{
	static const size_t most[] = {4, 32, 32, 90, ROOM + 30};

	return dice(w, most[dice(w, 5)]);
}

static size_t
part(struct world *w, const struct ibuf_mbuf *m)
{
	size_t len = ibuf_mbuf_len(m), n = some(w);

	return n < len ? n : dice(w, len + 1);
}

static void
fill(void *bytes, size_t n)
{
	if (bytes != NULL)
		memset(bytes, 0xa7, n);
}

static void
put(struct world *w, struct ibuf_mbuf *m)
{
	size_t i = dice(w, HANDLES);

	if (m == NULL)
		return;
	ibuf_mbuf_free(w->ms[i]);
	w->ms[i] = m;
}

/* Take another message than m out of the world; NULL: there is none. */
static struct ibuf_mbuf *
other(struct world *w, const struct ibuf_mbuf *m)
{
	size_t i = dice(w, HANDLES);
	struct ibuf_mbuf *found = w->ms[i];

	if (found == m)
		return NULL;
	w->ms[i] = NULL;
	return found;
}

/* Bytes may be written that are never shown. */
static void
reserve(struct world *w, struct ibuf_mbuf *m)
{
	size_t n = some(w), room;
	uint8_t *to = ibuf_mbuf_reserve(m, n);

	if (to == NULL)
		return;
	room = ibuf_mbuf_tailroom(m);
	fill(to, dice(w, 2) == 0 ? n : room);
	(void)!ibuf_mbuf_commit(m, dice(w, n + 1));
}

static void
read_in(struct world *w, struct ibuf_mbuf *m)
{
	size_t n = 1 + some(w);

	/* A read that fails may have moved bytes, too. */
	assert_int_equal(ibuf_io_read(w->pipe[0], m, n), -EAGAIN);
	assert_int_equal(write(w->pipe[1], w->bytes, n), n);
	while (n != 0) {
		ssize_t got = ibuf_io_read(w->pipe[0], m, 1 + some(w));

		assert_true(got > 0);
		n -= (size_t)got;
	}
}

static void
take(struct world *w, struct ibuf_mbuf *m)
{
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	(void)ibuf_cursor_skip(&c, part(w, m));
	put(w, ibuf_cursor_take(&c, dice(w, ibuf_cursor_remaining(&c) + 1)));
}

static void
join(struct world *w, struct ibuf_mbuf *m, bool in_front)
{
	struct ibuf_mbuf *more = other(w, m);

	if (more == NULL)
		return;
	assert_int_equal(in_front ? ibuf_mbuf_concat_front(m, more)
				  : ibuf_mbuf_concat(m, more),
			 0);
}

static void
cut(struct world *w, struct ibuf_mbuf *m, bool in_front)
{
	struct ibuf_mbuf *front;

	if (!in_front)
		put(w, ibuf_mbuf_split(m, part(w, m)));
	else if (ibuf_mbuf_split_front(m, part(w, m), &front) == 0)
		put(w, front);
}

static void
write_inside(struct world *w, struct ibuf_mbuf *m)
{
	size_t off = part(w, m), run;
	uint8_t *at;

	switch (dice(w, 3)) {
	case 0:
		(void)!ibuf_mbuf_write_at(m, off, w->bytes,
					  dice(w, ibuf_mbuf_len(m) - off + 1));
		break;
	case 1:
		at = ibuf_mbuf_at_mut(m, off, &run);
		fill(at, at == NULL ? 0 : run);
		break;
	default:
		at = ibuf_mbuf_data_mut(m);
		fill(at, at == NULL ? 0 : ibuf_mbuf_len(m));
	}
}

static void
new_one(struct world *w)
{
	struct ibuf_mbuf *m =
		ibuf_pool_alloc(dice(w, 6) == 0 ? w->plain : w->p);

	if (m != NULL && ibuf_mbuf_private(m) != NULL && dice(w, 2) == 0)
		fill(ibuf_mbuf_private(m), PRIVATE);
	put(w, m);
}

static void
lengthen(struct world *w, struct ibuf_mbuf *m)
{
	size_t n = some(w);
	uint8_t out[2 * ROOM];

	switch (dice(w, 8)) {
	case 0:
		(void)!ibuf_mbuf_append(m, w->bytes, n);
		break;
	case 1:
		(void)!ibuf_mbuf_prepend(m, w->bytes, n);
		break;
	case 2:
		fill(ibuf_mbuf_extend_tail(m, n), n);
		break;
	case 3:
		fill(ibuf_mbuf_extend_head(m, n), n);
		break;
	case 4:
		(void)!ibuf_mbuf_append_fill(m, 0x55, n);
		break;
	case 5:
		(void)!ibuf_mbuf_printf(m, "%.*s", (int)n, (char *)w->bytes);
		break;
	case 6:
		n = part(w, m);
		if (n > sizeof(out) / 2)
			n = sizeof(out) / 2;
		(void)!ibuf_mbuf_append_range(m, m, 0, n);
		break;
	default:
		reserve(w, m);
	}
}

static void
shorten(struct world *w, struct ibuf_mbuf *m)
{
	uint8_t out[2 * ROOM];

	switch (dice(w, 4)) {
	case 0:
		assert_int_equal(ibuf_mbuf_trim_head(m, part(w, m)), 0);
		break;
	case 1:
		assert_int_equal(ibuf_mbuf_trim_tail(m, part(w, m)), 0);
		break;
	case 2:
		(void)ibuf_mbuf_read(m, out, some(w));
		break;
	default:
		ibuf_mbuf_clear(m);
	}
}

static void
share(struct world *w, struct ibuf_mbuf *m)
{
	size_t off = part(w, m);

	switch (dice(w, 4)) {
	case 0:
		put(w, ibuf_mbuf_clone(m));
		break;
	case 1:
		put(w, ibuf_mbuf_slice(m, off,
				       dice(w, ibuf_mbuf_len(m) - off + 1)));
		break;
	case 2:
		put(w, ibuf_mbuf_copy(m, off,
				      dice(w, ibuf_mbuf_len(m) - off + 1)));
		break;
	default:
		take(w, m);
	}
}

static void
rearrange(struct world *w, struct ibuf_mbuf *m)
{
	switch (dice(w, 6)) {
	case 0:
		(void)!ibuf_mbuf_linearize(m);
		break;
	case 2:
		(void)!ibuf_mbuf_unshare(m);
		break;
	case 3:
		(void)!ibuf_mbuf_shrink(m);
		break;
	default:
		(void)!ibuf_mbuf_pullup(m, part(w, m));
	}
}

static void
edit(struct world *w)
{
	size_t i = dice(w, HANDLES);
	struct ibuf_mbuf *m = w->ms[i];

	if (m == NULL) {
		new_one(w);
		return;
	}
	switch (dice(w, 14)) {
	case 0:
		w->ms[i] = NULL;
		ibuf_mbuf_free(m);
		return;
	case 1:
	case 2:
	case 3:
		shorten(w, m);
		break;
	case 4:
		share(w, m);
		return; /* it may have taken m's place */
	case 5:
		join(w, m, dice(w, 2) == 0);
		break;
	case 6:
		cut(w, m, dice(w, 2) == 0);
		return;
	case 7:
	case 10:
	case 11:
		rearrange(w, m);
		break;
	case 8:
		write_inside(w, m);
		break;
	case 9:
		read_in(w, m);
		break;
	default:
		lengthen(w, m);
	}
	assert_int_equal(ibuf_mbuf_validate(m), 0);
}

/* ---- looked at -------------------------------------------------------- */

/* Bytes that are left in all rooms of the pool, which has no mbuf in use. */
static size_t
survivors(struct ibuf_pool *p)
{
	struct ibuf_mbuf *ms[MBUFS];
	size_t left = 0, n = take_all(p, ms, MBUFS);

	assert_int_equal(n, MBUFS);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *base = ibuf_mbuf_data(ms[i]) - HEADROOM;

		assert_fresh(p, ms[i], HEADROOM, CAPACITY);
		fault_see(base, ROOM);
		for (size_t at = 0; at < ROOM; at++)
			left += base[at] != 0;
	}
	ibuf_mbuf_free_bulk(ms, n);
	return left;
}

static void
free_all(struct world *w)
{
	if (dice(w, 2) == 0) {
		ibuf_mbuf_free_bulk(w->ms, HANDLES);
		memset(w->ms, 0, sizeof(w->ms));
	}
	for (size_t i = 0; i < HANDLES; i++)
		ibuf_mbuf_free(w->ms[i]);
	memset(w->ms, 0, sizeof(w->ms));
}

/* Sequences of edits; in how many of them did something survive? */
static size_t
run(unsigned flags, size_t private_size, size_t cache, uint32_t seed,
    size_t sequences)
{
	struct world w = {.p = pool(flags, private_size, cache),
			  .plain = pool(0, private_size, cache),
			  .random = seed};
	size_t bad = 0;

	assert_int_equal(pipe2(w.pipe, O_NONBLOCK), 0);
	memset(w.bytes, 0x5a, sizeof(w.bytes));
	for (size_t i = 0; i < sequences; i++) {
		for (size_t n = 1 + dice(&w, 60); n > 0; n--)
			edit(&w);
		free_all(&w);
		bad += survivors(w.p) != 0;
		if (bad != 0 && flags != 0)
			fail_msg("seed %u, sequence %zu", (unsigned)seed, i);
	}
	close(w.pipe[0]);
	close(w.pipe[1]);
	assert_int_equal(ibuf_pool_destroy(w.p), 0);
	assert_int_equal(ibuf_pool_destroy(w.plain), 0);
	return bad;
}

static size_t
sequences(void)
{
	const char *said = getenv("MARKS_SEQUENCES");

	return said == NULL ? 8000 : strtoul(said, NULL, 10);
}

TEST(no_byte_that_was_ever_written_in_a_room_survives_its_free)
{
	const char *seed = getenv("MARKS_SEED");
	uint32_t random = seed == NULL ? 1 : (uint32_t)atoi(seed);

	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(run(IBUF_POOL_F_WIPE, i % 2 * PRIVATE,
				     i / 2 * MBUFS, random + i,
				     sequences() / 4),
				 0);
	/* So that the above can fail. */
	assert_true(run(0, 0, MBUFS, random, 20) > 10);
}
