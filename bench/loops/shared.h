/* shared.h - clones, slices and frames of one message. */
#ifndef BENCH_LOOPS_SHARED_H
#define BENCH_LOOPS_SHARED_H

/* ---- W5, W6, W13: sharing ------------------------------------------ */

#ifdef HAS_CLONE
/*
 * SHARED, what is cloned, and shared_new(bytes, n), shared_free(s); CLONE, a
 * handle that shows the same bytes, and clone_new(s), clone_free(c).  Who has
 * pools has shared_new_heap(), or NO_HEAP.
 */
#ifndef HAS_HEAP
#define shared_new_heap shared_new
#endif
static SHARED loop_shared;

static void
shared_prepare(const struct bench_setup *setup)
{
	loop_prepare(setup);
	loop_shared = shared_new(bench_source, 1500);
}

#ifndef NO_HEAP
static void
shared_prepare_heap(const struct bench_setup *setup)
{
	loop_prepare(setup);
	loop_shared = shared_new_heap(bench_source, 1500);
}
#endif

static void
shared_finish(void)
{
	shared_free(loop_shared);
}

static void
run_clone(uint64_t n, unsigned thread)
{
	SHARED m = loop_shared;

	(void)thread;
	while (n-- > 0) {
		CLONE c = clone_new(m);

		BENCH_KEEP(c);
		clone_free(c);
	}
}

static void
run_fan_out(uint64_t n, unsigned thread)
{
	SHARED m = loop_shared;
	CLONE out[64];
	unsigned i;

	(void)thread;
	for (; n > 0; n -= 64) {
		clone_fan_out(m, out, 64);
		BENCH_KEEP(out);
		for (i = 0; i < 64; i++)
			clone_free(out[i]);
	}
}

#ifdef HAS_SLICE /* clone_slice(s, off, len) */
static void
run_slice(uint64_t n, unsigned thread)
{
	SHARED m = loop_shared;

	(void)thread;
	while (n-- > 0) {
		CLONE c = clone_slice(m, 700, 64);

		BENCH_KEEP(c);
		clone_free(c);
	}
}
#endif
#endif

/* ---- W16: frames out of a stream ----------------------------------- */

#ifdef HAS_FRAMES
/*
 * STREAM, stream_new(capacity), stream_free(s); stream_fill(s, bytes, n): the
 * stream was read to its end and gets n bytes; FRAME frame_next(s): read the
 * length and cut so many bytes out, without copying; frame_free(f).  Who has
 * pools has stream_new_heap(), or NO_HEAP.
 */
#ifndef HAS_HEAP
#define stream_new_heap stream_new
#endif
static STREAM loop_stream;

static void
frames_prepare(const struct bench_setup *setup)
{
	loop_prepare(setup);
	loop_stream = stream_new(64 << 10);
}

#ifndef NO_HEAP
static void
frames_prepare_heap(const struct bench_setup *setup)
{
	loop_prepare(setup);
	loop_stream = stream_new_heap(64 << 10);
}
#endif

static void
frames_finish(void)
{
	stream_free(loop_stream);
}

static void
run_frames(uint64_t n, unsigned thread)
{
	unsigned i;

	(void)thread;
	for (; n > 0; n -= BENCH_FRAMES) {
		stream_fill(loop_stream, bench_stream, BENCH_STREAM);
		for (i = 0; i < BENCH_FRAMES; i++) {
			FRAME f = frame_next(loop_stream);

			BENCH_KEEP(f);
			frame_free(f);
		}
	}
}
#endif

#endif
