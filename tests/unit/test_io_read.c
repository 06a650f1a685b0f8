/* test_io_read.c - what a descriptor has to read is appended. */
#include "calls.h"
#include "failures.h"
#include "messages.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
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
with_tailroom(struct failure *w)
{
	w->m = message_with(2, 6, 5);
}

static void
full(struct failure *w)
{
	w->m = message_with(2, 6, 0);
}

static void
without_any_room(struct failure *w)
{
	w->m = ibuf_mbuf_new(0);
}

static void
that_would_slide(struct failure *w)
{
	w->m = message_with(2, 12, 0);
	assert_int_equal(ibuf_mbuf_trim_head(w->m, 9), 0);
}

/* Large enough that it need not grow, and with dead headroom. */
static void
that_slides(struct failure *w)
{
	w->m = message_with(2, 6000, 100);
	assert_int_equal(ibuf_mbuf_trim_head(w->m, 5000), 0);
}

static void
emptied(struct failure *w)
{
	w->m = message_with(2, 6000, 100);
	assert_int_equal(ibuf_mbuf_trim_head(w->m, 6000), 0);
}

static void
that_shares_its_tail(struct failure *w)
{
	w->m = message_with(2, 6, 5);
	w->peer = w->m;
	w->m = ibuf_mbuf_clone(w->peer);
}

static void
whose_tail_others_share(struct failure *w)
{
	w->m = message_with(2, 6, 5);
	w->peer = ibuf_mbuf_clone(w->m);
}

static void
that_is_a_slice(struct failure *w)
{
	w->peer = message_with(2, 6, 5);
	w->m = ibuf_mbuf_slice(w->peer, 1, 3);
}

static void
that_is_read_only(struct failure *w)
{
	w->m = ibuf_mbuf_wrap_const(ten, 10, NULL, NULL);
	w->peer = ibuf_mbuf_clone(w->m);
}

static void
of_several_segments(struct failure *w)
{
	w->m = message_cut(ten, 10, 0x48);
}

static void
of_a_pool(struct failure *w)
{
	w->pool = ibuf_pool_new(2, 10);
	w->m = ibuf_pool_alloc(w->pool);
	assert_int_equal(ibuf_mbuf_append(w->m, ten, 10), 0);
}

static void
of_a_pool_and_shared(struct failure *w)
{
	of_a_pool(w);
	w->peer = w->m;
	w->m = ibuf_mbuf_clone(w->peer);
}

static world_make_fn *const shapes[] = {
	with_tailroom,        full,
	without_any_room,     that_would_slide,
	that_slides,          emptied,
	that_shares_its_tail, whose_tail_others_share,
	that_is_a_slice,      that_is_read_only,
	of_several_segments,  of_a_pool,
	of_a_pool_and_shared};

#define SHAPES (sizeof(shapes) / sizeof(*shapes))

/* ---- bytes --------------------------------------------------------- */

TEST(read_appends_to_a_message_of_any_shape_and_no_other_changes)
{
	for (size_t i = 0; i < SHAPES; i++) {
		struct failure w = {NULL, NULL, NULL, NULL};
		struct state was, peer;
		struct source s;
		struct ibuf_mbuf *m;

		source_open(&s, "abc", 3);
		shapes[i](&w);
		m = w.m;
		state_take(&was, w.m);
		if (w.peer != NULL)
			state_take(&peer, w.peer);
		assert_int_equal(ibuf_io_read(s.from, w.m, 100), 3);
		memcpy(was.bytes + was.len, "abc", 3);
		assert_message(w.m, was.bytes, was.len + 3);
		assert_ptr_equal(w.m, m);
		assert_int_equal(ibuf_mbuf_segments(w.m), was.segments);
		if (w.peer != NULL)
			assert_message(w.peer, peer.bytes, peer.len);
		assert_int_equal(calls_made(), 1);
		world_end(&w);
		source_close(&s);
	}
}

TEST(who_passes_the_tailroom_stays_in_the_room)
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
		assert_int_equal(ibuf_io_read(s.from, m, room), here);
		assert_int_equal(fault_calls(), calls);
		assert_message(m, ten, here);
		assert_ptr_equal(ibuf_mbuf_data(m), data);
		assert_sizes(m, 3, here, room - here, room);
		assert_true(calls_most_asked() <= room);
		ibuf_mbuf_free(m);
		source_close(&s);
	}
}

TEST(read_takes_no_more_than_max)
{
	for (size_t i = 0; i < SHAPES; i++) {
		for (size_t max = 0; max <= 4; max++) {
			struct failure w = {NULL, NULL, NULL, NULL};
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

/* ---- how much is asked for ------------------------------------------ */

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* A sole owner of heap memory, dead bytes in front of len, room behind. */
struct shape {
	size_t h0, dead, len, room;
};

/* Its tailroom after what costs nothing. */
static size_t
room_of(const struct shape *s, size_t max)
{
	bool slides = s->room < max && s->dead >= s->len;

	return s->room + (slides ? s->dead : 0);
}

/* What a call asks the kernel for, by the rule of io.h. */
static size_t
asked(const struct shape *s, size_t max)
{
	size_t capacity = s->dead + s->len + s->room;
	size_t floor =
		least(max, least(4096, capacity < 512 ? 4096 : capacity));
	size_t room = least(max, room_of(s, max));

	return room > floor ? room : floor;
}

static struct ibuf_mbuf *
message_shaped(const struct shape *s)
{
	struct ibuf_mbuf *m = message_with(s->h0, s->dead + s->len, s->room);

	assert_int_equal(ibuf_mbuf_trim_head(m, s->dead), 0);
	return m;
}

/* The n bytes that come make it larger by the law; or stay in the room. */
static void
assert_read_follows_the_rule(const struct shape *s, size_t max, size_t n)
{
	struct ibuf_mbuf *m = message_shaped(s);
	size_t c = s->dead + s->len + s->room, room = room_of(s, max);
	size_t got, least_c = c + c / 2, most_c = c + c / 2;
	uint8_t came[2000];
	struct source from;
	struct state was;

	for (size_t i = 0; i < n; i++)
		came[i] = ten[i % 10];
	source_open(&from, came, n);
	state_take(&was, m);
	got = least(n, asked(s, max));
	assert_int_equal(ibuf_io_read(from.from, m, max), got);
	assert_int_equal(calls_made(), 1);
	assert_int_equal(calls_most_asked(), asked(s, max));
	assert_int_equal(ibuf_mbuf_validate(m), 0);
	assert_int_equal(ibuf_mbuf_len(m), s->len + got);
	assert_memory_equal(ibuf_mbuf_data(m), was.bytes, s->len);
	assert_memory_equal(ibuf_mbuf_data(m) + s->len, came, got);
	if (least_c < s->len + got)
		least_c = s->len + got;
	if (most_c < s->len + asked(s, max))
		most_c = s->len + asked(s, max);
	if (got <= room)
		assert_int_equal(ibuf_mbuf_capacity(m), c);
	else
		assert_in_range(ibuf_mbuf_capacity(m), least_c, most_c);
	ibuf_mbuf_free(m);
	source_close(&from);
}

TEST(a_call_asks_for_the_room_and_for_no_fewer_than_max_4096_or_the_capacity)
{
	static const struct shape shapes_read[] = {
		/* empty, full, and nearly full */
		{0, 0, 0, 100},
		{7, 0, 100, 0},
		{7, 0, 99, 1},
		{0, 0, 510, 1},
		{0, 0, 511, 1},
		{0, 0, 1000, 24},
		{16, 0, 4095, 1},
		{16, 0, 3000, 5000},
		{16, 0, 5000, 3000},
		/* emptied by trim_head */
		{0, 100, 0, 0},
		{16, 2048, 0, 0},
		{16, 6000, 0, 100},
		/* dead headroom of len, and of one less */
		{0, 100, 100, 0},
		{16, 1024, 1024, 0},
		{16, 3000, 3000, 10},
		{16, 2999, 3000, 10},
		{0, 4000, 100, 0},
		{0, 7000, 100, 900},
	};
	static const size_t maxes[] = {1, 10, 100, 1000, 4095, 5000, SIZE_MAX};
	static const size_t counts[] = {1, 60, 2000};

	for (size_t i = 0; i < sizeof(shapes_read) / sizeof(*shapes_read); i++)
		for (size_t j = 0; j < sizeof(maxes) / sizeof(*maxes); j++)
			for (size_t k = 0; k < 3; k++)
				assert_read_follows_the_rule(
					&shapes_read[i], maxes[j], counts[k]);
}

/* What each call of a loop gives that leaves some bytes of a 64 KiB room. */
TEST(a_loop_of_read_and_trim_head_goes_on_asking_for_the_whole_room)
{
	static const size_t left[] = {0, 1, 10, 1000, 32768};

	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++) {
		struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(16, 65536);
		int zero = open("/dev/zero", O_RDONLY);
		size_t calls = fault_calls();

		for (int j = 0; j < 10; j++) {
			size_t len = ibuf_mbuf_len(m);

			assert_int_equal(ibuf_io_read(zero, m, SIZE_MAX),
					 65536 - len);
			assert_int_equal(
				ibuf_mbuf_trim_head(m, 65536 - left[i]), 0);
		}
		assert_int_equal(ibuf_mbuf_capacity(m), 65536);
		assert_int_equal(fault_calls(), calls);
		close(zero);
		ibuf_mbuf_free(m);
	}
}

TEST(a_read_that_slides_copies_the_old_bytes_once)
{
	struct ibuf_mbuf *m = message_shaped(&(struct shape){5, 7000, 3000, 0});
	uint64_t copied = heap_copied_bytes();
	size_t calls = fault_calls();
	struct source s;

	source_open(&s, ten, 10);
	assert_int_equal(ibuf_io_read(s.from, m, SIZE_MAX), 10);
	assert_int_equal(heap_copied_bytes(), copied + 3000);
	assert_int_equal(fault_calls(), calls);
	assert_sizes(m, 5, 3010, 6990, 10000);
	ibuf_mbuf_free(m);
	source_close(&s);
}

TEST(what_fits_where_the_message_is_moves_nothing)
{
	struct ibuf_mbuf *m = message_with(3, 1000, 10);
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);
	const uint8_t *data = ibuf_mbuf_data(m);
	uint64_t copied = heap_copied_bytes();
	struct source s;

	source_open(&s, ten, 10);
	assert_int_equal(ibuf_io_read(s.from, m, SIZE_MAX), 10);
	assert_int_equal(calls_most_asked(), 1010);
	assert_ptr_equal(ibuf_mbuf_data(m), data);
	assert_int_equal(heap_copied_bytes(), copied);
	assert_int_equal(ibuf_mbuf_len(clone), 1000);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	source_close(&s);
}

TEST(a_record_of_eight_bytes_is_read_where_fewer_fit)
{
	static const struct itimerspec now = {{0, 0}, {0, 1}};

	for (size_t room = 0; room < 8; room++) {
		int event = eventfd(7, EFD_NONBLOCK);
		int timer = timerfd_create(CLOCK_MONOTONIC, 0);
		struct ibuf_mbuf *m = message_with(0, 3, room);
		uint64_t value;

		assert_int_equal(ibuf_io_read(event, m, 7), -EINVAL);
		assert_int_equal(ibuf_mbuf_len(m), 3);
		assert_int_equal(ibuf_io_read(event, m, SIZE_MAX), 8);
		assert_int_equal(ibuf_mbuf_copy_out(m, 3, &value, 8), 0);
		assert_int_equal(value, 7);
		assert_int_equal(timerfd_settime(timer, 0, &now, NULL), 0);
		assert_int_equal(ibuf_io_read(timer, m, 8), 8);
		ibuf_mbuf_free(m);
		close(event);
		close(timer);
	}
}

/* ---- nothing came -------------------------------------------------- */

static void
assert_reads_nothing(world_make_fn *make, int fd, ssize_t result)
{
	struct failure w = {NULL, NULL, NULL, NULL};
	struct world_state *was = malloc(sizeof(*was));
	size_t blocks;

	make(&w);
	world_take(was, &w);
	blocks = fault_live_blocks();
	assert_int_equal(ibuf_io_read(fd, w.m, SIZE_MAX), result);
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
		calls_fail(2, EIO);
		assert_reads_nothing(shapes[i], s.from, -EIO);
	}
	source_close(&s);
}

TEST(a_read_that_fails_half_way_leaves_every_byte_as_it_was)
{
	struct source s;

	source_open(&s, ten, 10);
	for (size_t i = 0; i < SHAPES; i++) {
		calls_scribble();
		calls_fail(2, EIO);
		assert_reads_nothing(shapes[i], s.from, -EIO);
	}
	source_close(&s);
}

TEST(a_signal_that_came_first_is_no_error)
{
	for (size_t i = 0; i < SHAPES; i++) {
		struct failure w = {NULL, NULL, NULL, NULL};
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
read_three(struct failure *w)
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

TEST(without_memory_the_tailroom_there_is_is_read_into)
{
	static const struct shape some[] = {
		{3, 0, 6, 5}, {3, 8, 6, 0}, {3, 6, 0, 1}};

	for (size_t i = 0; i < 3; i++) {
		struct ibuf_mbuf *m = message_shaped(&some[i]);
		size_t room = room_of(&some[i], 100), len = some[i].len;
		struct source s;

		source_open(&s, ten, 10);
		fault_from(1);
		assert_int_equal(ibuf_io_read(s.from, m, 100), room);
		assert_true(fault_off());
		assert_sizes(m, 3, len + room, 0,
			     some[i].dead + len + some[i].room);
		assert_memory_equal(ibuf_mbuf_data(m) + len, ten, room);
		ibuf_mbuf_free(m);
		source_close(&s);
	}
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
	/* Two bytes more are possible, and only memory is missing. */
	m = ibuf_mbuf_wrap_const(ten, UINT32_MAX - 2, NULL, NULL);
	fault_from(1);
	assert_int_equal(ibuf_io_read(s.from, m, 3), -ENOMEM);
	assert_true(fault_off());
	ibuf_mbuf_free(m);
	source_close(&s);
#endif
}

TEST(the_last_bytes_that_a_room_can_hold_are_read_where_they_are)
{
#if SIZE_MAX > UINT32_MAX
	const size_t size = UINT32_MAX;
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct ibuf_mbuf *m = ibuf_mbuf_wrap(bytes, size, NULL, NULL);
	size_t calls = fault_calls();
	struct source s;

	source_open(&s, "abc", 3);
	assert_int_equal(ibuf_mbuf_trim_tail(m, 2), 0);
	assert_int_equal(ibuf_io_read(s.from, m, SIZE_MAX), 2);
	assert_int_equal(calls_most_asked(), 2);
	assert_int_equal(ibuf_io_read(s.from, m, SIZE_MAX), -EOVERFLOW);
	assert_int_equal(fault_calls(), calls);
	ibuf_mbuf_free(m);
	munmap(bytes, size);
	source_close(&s);
#endif
}

TEST(a_room_of_a_wiping_pool_that_was_not_needed_is_wiped)
{
	static const char secret[] = "secret-0123456789";
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_mbuf *m;
	struct ibuf_pool *p;
	struct source s;

	o.capacity = 100;
	o.flags = IBUF_POOL_F_WIPE;
	assert_int_equal(ibuf_pool_create(&p, &o), 0);
	m = ibuf_pool_alloc(p);
	source_open(&s, secret, 17);
	fault_watch(secret, 17);
	assert_int_equal(ibuf_io_read(s.from, m, SIZE_MAX), 17);
	assert_int_equal(calls_most_asked(), 4096);
	assert_message(m, secret, 17);
	assert_int_equal(ibuf_mbuf_capacity(m), 100);
	assert_int_equal(fault_found(), 0);
	fault_watch(NULL, 0);
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	source_close(&s);
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
	assert_int_equal(ibuf_io_read(s.from, m, 6), 6);
	assert_message(m, "abcd345678", 10);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(clone);
	source_close(&s);
}
