/* test_io_read.c - what a descriptor has to read is appended. */
#include "calls.h"
#include "failures.h"
#include "messages.h"

#include <fcntl.h>
#include <unistd.h>

static const uint8_t ten[] = "0123456789";

/* A pipe that does not block, with some bytes in it. */
struct source {
	int from, to;
};

static void
source_open(struct source *s, const void *bytes, size_t n)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	s->from = ends[0];
	s->to = ends[1];
	assert_int_equal(write(s->to, bytes, n), n);
	calls_reset();
}

static void
source_close(struct source *s)
{
	close(s->from);
	if (s->to >= 0)
		close(s->to);
	calls_reset();
}

/* ---- shapes -------------------------------------------------------- */

/* What a message can be like when something is read into it. */

static void
with_tailroom(struct world *w)
{
	w->m = message_with(2, 6, 5);
}

static void
full(struct world *w)
{
	w->m = message_with(2, 6, 0);
}

static void
without_any_room(struct world *w)
{
	w->m = ibuf_mbuf_new(0);
}

static void
that_would_slide(struct world *w)
{
	w->m = message_with(2, 12, 0);
	assert_int_equal(ibuf_mbuf_trim_head(w->m, 9), 0);
}

static void
that_shares_its_tail(struct world *w)
{
	w->m = message_with(2, 6, 5);
	w->peer = w->m;
	w->m = ibuf_mbuf_clone(w->peer);
}

static void
whose_tail_others_share(struct world *w)
{
	w->m = message_with(2, 6, 5);
	w->peer = ibuf_mbuf_clone(w->m);
}

static void
that_is_a_slice(struct world *w)
{
	w->peer = message_with(2, 6, 5);
	w->m = ibuf_mbuf_slice(w->peer, 1, 3);
}

static void
that_is_read_only(struct world *w)
{
	w->m = ibuf_mbuf_wrap_const(ten, 10, NULL, NULL);
	w->peer = ibuf_mbuf_clone(w->m);
}

static void
of_several_segments(struct world *w)
{
	w->m = message_cut(ten, 10, 0x48);
}

static void
of_a_pool(struct world *w)
{
	w->pool = ibuf_pool_new(2, 10);
	w->m = ibuf_pool_alloc(w->pool);
	assert_int_equal(ibuf_mbuf_append(w->m, ten, 10), 0);
}

static void
of_a_pool_and_shared(struct world *w)
{
	of_a_pool(w);
	w->peer = w->m;
	w->m = ibuf_mbuf_clone(w->peer);
}

static world_make_fn *const shapes[] = {
	with_tailroom,        full,
	without_any_room,     that_would_slide,
	that_shares_its_tail, whose_tail_others_share,
	that_is_a_slice,      that_is_read_only,
	of_several_segments,  of_a_pool,
	of_a_pool_and_shared};

#define SHAPES (sizeof(shapes) / sizeof(*shapes))

/* ---- bytes --------------------------------------------------------- */

TEST(read_appends_to_a_message_of_any_shape_and_no_other_changes)
{
	for (size_t i = 0; i < SHAPES; i++) {
		struct world w = {NULL, NULL, NULL, NULL};
		struct state was, peer;
		struct source s;
		struct ibuf_mbuf *m;
		ssize_t got;

		source_open(&s, "abc", 3);
		shapes[i](&w);
		m = w.m;
		state_take(&was, w.m);
		if (w.peer != NULL)
			state_take(&peer, w.peer);
		got = ibuf_io_read(s.from, w.m, 100);
		assert_in_range(got, 1, 3);
		memcpy(was.bytes + was.len, "abc", 3);
		assert_message(w.m, was.bytes, was.len + (size_t)got);
		assert_ptr_equal(w.m, m);
		assert_int_equal(ibuf_mbuf_segments(w.m), was.segments);
		if (w.peer != NULL)
			assert_message(w.peer, peer.bytes, peer.len);
		assert_int_equal(calls_made(), 1);
		world_end(&w);
		source_close(&s);
	}
}

TEST(read_fills_the_tailroom_and_no_more)
{
	static const size_t tailrooms[] = {1, 9, 10, 11, 64};

	for (size_t i = 0; i < sizeof(tailrooms) / sizeof(*tailrooms); i++) {
		size_t room = tailrooms[i], here = room < 10 ? room : 10;
		struct ibuf_mbuf *m = message_with(3, 0, room);
		const uint8_t *data = ibuf_mbuf_data(m);
		struct source s;
		size_t calls;

		source_open(&s, ten, 10);
		calls = fault_calls();
		assert_int_equal(ibuf_io_read(s.from, m, SIZE_MAX), here);
		assert_int_equal(fault_calls(), calls);
		assert_message(m, ten, here);
		assert_ptr_equal(ibuf_mbuf_data(m), data);
		assert_sizes(m, 3, here, room - here, room);
		assert_true(calls_most_asked() <= room);
		ibuf_mbuf_free(m);
		source_close(&s);
	}
}

TEST(read_makes_room_only_when_there_is_none)
{
	struct ibuf_mbuf *m = message_with(3, 0, 4);
	struct source s;

	source_open(&s, ten, 10);
	assert_int_equal(ibuf_io_read(s.from, m, 100), 4);
	assert_sizes(m, 3, 4, 0, 4);
	assert_int_equal(ibuf_io_read(s.from, m, 100), 6);
	assert_message(m, ten, 10);
	/* For one byte at least and for what was asked at most. */
	assert_in_range(ibuf_mbuf_capacity(m), 10, 4 + 100);
	assert_int_equal(ibuf_mbuf_headroom(m), 3);
	ibuf_mbuf_free(m);
	source_close(&s);
}

TEST(read_takes_no_more_than_max)
{
	for (size_t i = 0; i < SHAPES; i++) {
		for (size_t max = 0; max <= 4; max++) {
			struct world w = {NULL, NULL, NULL, NULL};
			struct source s;
			size_t len;
			char left[16];

			source_open(&s, ten, 10);
			shapes[i](&w);
			len = ibuf_mbuf_len(w.m);
			assert_int_equal(ibuf_io_read(s.from, w.m, max), max);
			assert_int_equal(ibuf_mbuf_len(w.m), len + max);
			assert_int_equal(ibuf_mbuf_validate(w.m), 0);
			assert_true(calls_most_asked() <= max);
			assert_int_equal(calls_made(), max != 0);
			assert_int_equal(read(s.from, left, 16), 10 - max);
			world_end(&w);
			source_close(&s);
		}
	}
}

TEST(what_comes_byte_by_byte_becomes_the_same_bytes)
{
	for (size_t most = 1; most <= 10; most++) {
		struct ibuf_mbuf *m = ibuf_mbuf_new(3);
		struct source s;

		source_open(&s, ten, 10);
		calls_limit(most);
		while (ibuf_io_read(s.from, m, 7) > 0)
			assert_int_equal(ibuf_mbuf_validate(m), 0);
		assert_message(m, ten, 10);
		assert_int_equal(ibuf_mbuf_segments(m), 1);
		ibuf_mbuf_free(m);
		source_close(&s);
	}
}

TEST(a_file_is_read_to_its_end)
{
	enum { SIZE = 100000 };
	uint8_t *bytes = malloc(SIZE);
	struct ibuf_mbuf *m = ibuf_mbuf_new(0);
	FILE *file = tmpfile();
	size_t total = 0;
	ssize_t got;

	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(i * i >> 7);
	assert_int_equal(write(fileno(file), bytes, SIZE), SIZE);
	assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
	while ((got = ibuf_io_read(fileno(file), m, SIZE_MAX)) > 0)
		total += (size_t)got;
	assert_int_equal(got, 0);
	assert_int_equal(total, SIZE);
	assert_message(m, bytes, SIZE);
	assert_int_equal(ibuf_mbuf_segments(m), 1);
	fclose(file);
	ibuf_mbuf_free(m);
	free(bytes);
}

TEST(a_stream_read_and_consumed_needs_no_memory_after_a_while)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(64);
	struct source s;
	size_t calls;
	char dst[10];

	source_open(&s, "", 0);
	calls = fault_calls();
	for (int i = 0; i < 200; i++) {
		assert_int_equal(write(s.to, ten, 10), 10);
		while (ibuf_mbuf_len(m) < 10)
			assert_true(ibuf_io_read(s.from, m, 10) > 0);
		assert_int_equal(ibuf_mbuf_read(m, dst, 10), 10);
		assert_memory_equal(dst, ten, 10);
		assert_int_equal(ibuf_mbuf_validate(m), 0);
	}
	assert_int_equal(fault_calls(), calls);
	ibuf_mbuf_free(m);
	source_close(&s);
}

TEST(a_read_that_slides_takes_what_then_fits_and_allocates_nothing)
{
	static const size_t rooms[] = {12, 100, 20000, 60000};
	uint8_t *bytes = malloc(60000);

	for (size_t i = 0; i < 60000; i++)
		bytes[i] = (uint8_t)(i >> 5);
	for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
		size_t room = rooms[i], len = 3, calls;
		struct ibuf_mbuf *m = message_with(5, room, 0);
		struct source s;
		uint64_t copied;
		ssize_t got;

		source_open(&s, bytes, 60000);
		assert_int_equal(ibuf_mbuf_trim_head(m, room - len), 0);
		copied = heap_copied_bytes();
		calls = fault_calls();
		got = ibuf_io_read(s.from, m, SIZE_MAX);
		assert_in_range(got, 1, room - len);
		assert_int_equal(fault_calls(), calls);
		assert_int_equal(heap_copied_bytes(), copied + len);
		assert_sizes(m, 5, len + (size_t)got, room - len - (size_t)got,
			     room);
		assert_memory_equal(ibuf_mbuf_at(m, len, NULL), bytes,
				    (size_t)got);
		ibuf_mbuf_free(m);
		source_close(&s);
	}
	free(bytes);
}

/* ---- nothing came -------------------------------------------------- */

static void
assert_reads_nothing(world_make_fn *make, int fd, ssize_t result)
{
	struct world w = {NULL, NULL, NULL, NULL};
	struct world_state *was = malloc(sizeof(*was));
	size_t blocks;

	make(&w);
	world_take(was, &w);
	blocks = fault_live_blocks();
	assert_int_equal(ibuf_io_read(fd, w.m, 100), result);
	if (w.pool == NULL)
		assert_int_equal(fault_live_blocks(), blocks);
	assert_world(&w, was);
	world_end(&w);
	free(was);
}

TEST(end_of_file_leaves_everything_as_it_was)
{
	struct source s;

	source_open(&s, "", 0);
	close(s.to);
	s.to = -1;
	for (size_t i = 0; i < SHAPES; i++)
		assert_reads_nothing(shapes[i], s.from, 0);
	source_close(&s);
}

TEST(a_descriptor_that_is_not_ready_leaves_everything_as_it_was)
{
	struct source s;

	source_open(&s, "", 0);
	for (size_t i = 0; i < SHAPES; i++)
		assert_reads_nothing(shapes[i], s.from, -EAGAIN);
	source_close(&s);
}

TEST(an_error_leaves_everything_as_it_was)
{
	struct source s;

	source_open(&s, ten, 10);
	for (size_t i = 0; i < SHAPES; i++) {
		assert_reads_nothing(shapes[i], -1, -EBADF);
		assert_reads_nothing(shapes[i], s.to, -EBADF);
		calls_fail(1, EIO);
		assert_reads_nothing(shapes[i], s.from, -EIO);
	}
	source_close(&s);
}

TEST(a_signal_that_came_first_is_no_error)
{
	for (size_t i = 0; i < SHAPES; i++) {
		struct world w = {NULL, NULL, NULL, NULL};
		struct source s;
		size_t len;

		source_open(&s, ten, 1);
		shapes[i](&w);
		len = ibuf_mbuf_len(w.m);
		calls_fail(5, EINTR);
		assert_int_equal(ibuf_io_read(s.from, w.m, 10), 1);
		assert_int_equal(calls_made(), 6);
		assert_int_equal(ibuf_mbuf_len(w.m), len + 1);
		calls_fail(3, EINTR);
		assert_int_equal(ibuf_io_read(s.from, w.m, 10), -EAGAIN);
		assert_int_equal(ibuf_mbuf_validate(w.m), 0);
		world_end(&w);
		source_close(&s);
	}
}

/* ---- no room ------------------------------------------------------- */

static struct source supply;

static int
read_three(struct world *w)
{
	ssize_t got = ibuf_io_read(supply.from, w->m, 3);

	if (got < 0)
		return (int)got;
	assert_int_equal(got, 3);
	assert_int_equal(write(supply.to, "abc", 3), 3);
	return 0;
}

TEST(a_read_that_finds_no_memory_takes_no_byte)
{
	source_open(&supply, "abc", 3);
	assert_survives(full, read_three, "\0\1\2\3\4\5abc", 9);
	assert_survives(without_any_room, read_three, "abc", 3);
	assert_survives(that_shares_its_tail, read_three, "\0\1\2\3\4\5abc", 9);
	assert_survives(that_is_read_only, read_three, "0123456789abc", 13);
	assert_survives(of_several_segments, read_three, "0123456789abc", 13);
	assert_survives(of_a_pool, read_three, "0123456789abc", 13);
	source_close(&supply);
}

TEST(a_message_that_can_be_no_longer_reads_no_byte)
{
	struct ibuf_mbuf *m = message_cut(ten, 10, 1);
	struct source s;
	size_t rest = m->rest_;

	source_open(&s, "abcdef", 6);
	m->rest_ = (size_t)PTRDIFF_MAX - m->len_;
	assert_int_equal(ibuf_io_read(s.from, m, 100), -EOVERFLOW);
	assert_int_equal(ibuf_io_read(s.from, m, 0), 0);
	assert_int_equal(calls_made(), 0);
	/* There is room for two. */
	m->rest_ -= 2;
	assert_int_equal(ibuf_io_read(s.from, m, 100), 2);
	assert_int_equal(ibuf_mbuf_len(m), PTRDIFF_MAX);
	m->rest_ = rest + 2;
	assert_message(m, "0123456789ab", 12);
	ibuf_mbuf_free(m);
	source_close(&s);
}

TEST(a_room_that_can_be_no_larger_reads_no_byte)
{
#if SIZE_MAX > UINT32_MAX
	/* Nobody looks at the bytes, so they need not be there. */
	struct ibuf_mbuf *m = ibuf_mbuf_wrap_const(ten, UINT32_MAX, NULL, NULL);
	struct source s;

	source_open(&s, "abc", 3);
	assert_int_equal(ibuf_io_read(s.from, m, 3), -EOVERFLOW);
	assert_int_equal(calls_made(), 0);
	assert_int_equal(ibuf_mbuf_validate(m), 0);
	ibuf_mbuf_free(m);
	source_close(&s);
#endif
}

TEST(a_message_outlives_its_pool_and_reads_on)
{
	struct ibuf_pool *p = ibuf_pool_new(1, 10);
	struct ibuf_mbuf *m = ibuf_pool_alloc(p), *clone;
	struct source s;

	source_open(&s, ten, 10);
	assert_int_equal(ibuf_mbuf_append(m, "abcd", 4), 0);
	clone = ibuf_mbuf_clone(m);
	assert_int_equal(ibuf_pool_destroy(p), 1);
	assert_int_equal(ibuf_io_read(s.from, clone, 3), 3);
	assert_message(clone, "abcd012", 7);
	assert_int_equal(ibuf_io_read(s.from, m, 100), 6);
	assert_message(m, "abcd345678", 10);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	source_close(&s);
}
