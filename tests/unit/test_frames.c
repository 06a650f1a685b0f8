/*
 * test_frames.c - frames are cut out of a stream buffer while reading goes
 * on into it.
 *
 * A frame is a byte n and n bytes.  Whoever cuts keeps every frame, so the
 * rooms stay shared; then nothing may be copied but, when a room is full and
 * reading goes on, the bytes of the frame that is not complete yet.
 */
#include "failures.h"
#include "messages.h"

#include <unistd.h>

#define FRAMES 400

struct reading {
	struct ibuf_pool *pool; /* NULL: the heap */
	struct ibuf_mbuf *stream;
	struct ibuf_mbuf *frames[FRAMES];
	size_t n;
	uint64_t unfinished; /* bytes in the buffer each time it moved */
	int ends[2];
};

/* How long frame i is. */
static size_t
length_of(size_t i)
{
	return i * 37 % 61;
}

static uint8_t
byte_of(size_t i, size_t at)
{
	return (uint8_t)(i * 31 + at);
}

/* ---- ways to cut --------------------------------------------------- */

/* Each gives the first n bytes of *stream, which goes on without them. */
typedef struct ibuf_mbuf *cut_fn(struct ibuf_mbuf **stream, size_t n);

static struct ibuf_mbuf *
by_slice(struct ibuf_mbuf **stream, size_t n)
{
	struct ibuf_mbuf *frame = ibuf_mbuf_slice(*stream, 0, n);

	assert_int_equal(ibuf_mbuf_trim_head(*stream, n), 0);
	return frame;
}

static struct ibuf_mbuf *
by_split(struct ibuf_mbuf **stream, size_t n)
{
	struct ibuf_mbuf *frame = *stream;

	*stream = ibuf_mbuf_split(frame, n);
	return frame;
}

static struct ibuf_mbuf *
by_cursor(struct ibuf_mbuf **stream, size_t n)
{
	struct ibuf_mbuf *frame;
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, *stream);
	frame = ibuf_cursor_take(&c, n);
	assert_int_equal(ibuf_mbuf_trim_head(*stream, n), 0);
	return frame;
}

/* ---- reading ------------------------------------------------------- */

static uint64_t
copied_bytes(const struct reading *r)
{
	struct ibuf_pool_stats stats;

	assert_int_equal(ibuf_pool_get_stats(r->pool, &stats, sizeof(stats)),
			 0);
	return stats.copied_bytes;
}

/* Cut all frames that are complete; none of this copies. */
static void
cut_frames(struct reading *r, cut_fn *cut)
{
	uint64_t copied = copied_bytes(r);
	struct ibuf_cursor c;
	uint8_t n;

	for (;;) {
		ibuf_cursor_init(&c, r->stream);
		if (!ibuf_cursor_get_u8(&c, &n) ||
		    ibuf_cursor_remaining(&c) < n)
			break;
		const uint8_t *at = ibuf_mbuf_data(r->stream);
		struct ibuf_mbuf *frame = cut(&r->stream, (size_t)n + 1);

		assert_non_null(frame);
		assert_ptr_equal(ibuf_mbuf_data(frame), at);
		assert_int_equal(ibuf_mbuf_validate(frame), 0);
		assert_int_equal(ibuf_mbuf_validate(r->stream), 0);
		r->frames[r->n++] = frame;
	}
	assert_int_equal(copied_bytes(r), copied);
}

/*
 * Read once.  What must move is what is unfinished in a room that has no
 * place for what came.
 */
static void
read_once(struct reading *r, size_t max)
{
	size_t room = ibuf_mbuf_tailroom(r->stream);
	size_t len = ibuf_mbuf_len(r->stream);
	uint64_t copied = copied_bytes(r);
	ssize_t got = ibuf_io_read(r->ends[0], r->stream, max);

	assert_true(got > 0);
	if ((size_t)got <= room) {
		assert_int_equal(copied_bytes(r), copied);
	} else {
		r->unfinished += len;
		assert_int_equal(copied_bytes(r), copied + len);
	}
	assert_int_equal(ibuf_mbuf_validate(r->stream), 0);
}

static void
assert_frame(const struct ibuf_mbuf *frame, size_t i)
{
	uint8_t bytes[64];
	size_t n = length_of(i);

	bytes[0] = (uint8_t)n;
	for (size_t at = 0; at < n; at++)
		bytes[at + 1] = byte_of(i, at);
	assert_message(frame, bytes, n + 1);
}

static void
send_frame(int fd, size_t i)
{
	uint8_t bytes[64];
	size_t n = length_of(i);

	bytes[0] = (uint8_t)n;
	for (size_t at = 0; at < n; at++)
		bytes[at + 1] = byte_of(i, at);
	assert_int_equal(write(fd, bytes, n + 1), n + 1);
}

static struct ibuf_mbuf *
begin(struct reading *r, bool pooled)
{
	memset(r, 0, sizeof(*r));
	assert_int_equal(pipe(r->ends), 0);
	for (size_t i = 0; i < FRAMES; i++)
		send_frame(r->ends[1], i);
	if (!pooled)
		return ibuf_mbuf_new_headroom(7, 256);
	r->pool = ibuf_pool_new(4, 256);
	return ibuf_pool_alloc(r->pool);
}

static void
end(struct reading *r)
{
	ibuf_mbuf_free(r->stream);
	ibuf_mbuf_free_bulk(r->frames, r->n);
	if (r->pool != NULL) {
		assert_int_equal(ibuf_pool_allocated(r->pool), 0);
		assert_int_equal(ibuf_pool_destroy(r->pool), 0);
	}
	close(r->ends[0]);
	close(r->ends[1]);
}

static void
assert_frames_cost_no_more_than_the_unfinished(cut_fn *cut, bool pooled,
					       size_t max)
{
	struct reading r;
	uint64_t copied;

	r.stream = begin(&r, pooled);
	copied = copied_bytes(&r);
	while (r.n < FRAMES) {
		read_once(&r, max);
		cut_frames(&r, cut);
	}
	assert_message(r.stream, "", 0);
	assert_true(r.unfinished != 0);
	assert_int_equal(copied_bytes(&r), copied + r.unfinished);
	for (size_t i = 0; i < FRAMES; i++)
		assert_frame(r.frames[i], i);
	end(&r);
}

TEST(frames_cut_by_slice_cost_no_more_than_the_unfinished_ones)
{
	assert_frames_cost_no_more_than_the_unfinished(by_slice, false, 256);
	assert_frames_cost_no_more_than_the_unfinished(by_slice, true, 256);
	assert_frames_cost_no_more_than_the_unfinished(by_slice, true, 13);
}

TEST(frames_cut_by_split_cost_no_more_than_the_unfinished_ones)
{
	assert_frames_cost_no_more_than_the_unfinished(by_split, false, 256);
	assert_frames_cost_no_more_than_the_unfinished(by_split, true, 256);
	assert_frames_cost_no_more_than_the_unfinished(by_split, false, 13);
}

TEST(frames_cut_by_a_cursor_cost_no_more_than_the_unfinished_ones)
{
	assert_frames_cost_no_more_than_the_unfinished(by_cursor, false, 256);
	assert_frames_cost_no_more_than_the_unfinished(by_cursor, true, 256);
	assert_frames_cost_no_more_than_the_unfinished(by_cursor, true, 13);
}

TEST(reading_appends_to_the_room_that_frames_were_cut_from)
{
	struct ibuf_mbuf *stream = ibuf_mbuf_new(100), *frames[4];
	const uint8_t *room = ibuf_mbuf_data(stream);
	size_t calls;

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(ibuf_mbuf_append(stream, "frame and", 9), 0);
		calls = fault_calls();
		frames[i] = ibuf_mbuf_slice(stream, 0, 6);
		assert_int_equal(ibuf_mbuf_trim_head(stream, 9), 0);
		assert_ptr_equal(ibuf_mbuf_data(stream), room + 9 * (i + 1));
		assert_int_equal(ibuf_mbuf_tailroom(stream), 100 - 9 * (i + 1));
		/* A header that the thread kept back, and nothing else. */
		assert_int_equal(fault_calls(), calls);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_message(frames[i], "frame ", 6);
		assert_ptr_equal(ibuf_mbuf_data(frames[i]), room + 9 * i);
	}
	/* What was read is the stream's no more: it may not come back. */
	assert_int_equal(ibuf_mbuf_headroom(stream), 0);
	ibuf_mbuf_free_bulk(frames, 4);
	ibuf_mbuf_free(stream);
}

TEST(frames_that_are_freed_at_once_let_the_buffer_be_used_again)
{
	struct reading r;
	size_t calls;

	r.stream = begin(&r, false);
	calls = fault_calls();
	while (r.n < FRAMES) {
		size_t before = r.n;

		read_once(&r, 128);
		cut_frames(&r, by_slice);
		for (size_t i = before; i < r.n; i++) {
			assert_frame(r.frames[i], i);
			ibuf_mbuf_free(r.frames[i]);
			r.frames[i] = NULL;
		}
	}
	/* The room was always large enough, and the thread had headers. */
	assert_int_equal(fault_calls(), calls);
	end(&r);
}
