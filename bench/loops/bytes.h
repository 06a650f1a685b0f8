/* bytes.h - one message: written and read, grown, a packet. */
#ifndef BENCH_LOOPS_BYTES_H
#define BENCH_LOOPS_BYTES_H

/* ---- W8, W11: one message, written and read ------------------------ */

#ifdef HAS_READ
static MSG loop_message;

static void
message_prepare(const struct bench_setup *setup)
{
	loop_prepare(setup);
	loop_message = msg_new(0);
}

static void
message_finish(void)
{
	msg_free(loop_message);
}

static void
run_write_clear(uint64_t n, unsigned thread)
{
	MSG m = loop_message;

	(void)thread;
	while (n-- > 0) {
		msg_append(m, bench_source, 9);
		BENCH_KEEP(m);
		msg_clear(m);
	}
}

static void
run_write_read_clear(uint64_t n, unsigned thread)
{
	MSG m = loop_message;
	uint8_t bytes[9];

	(void)thread;
	while (n-- > 0) {
		msg_append(m, bench_source, 9);
		BENCH_KEEP(m);
		msg_read(m, bytes, 9);
		BENCH_KEEP(bytes);
		msg_clear(m);
	}
}
#endif

#ifdef HAS_STREAM /* a message may hold 1 MiB, and is read at O(1) a byte */
static void
run_fill_drain(uint64_t n, unsigned thread)
{
	MSG m = loop_message;
	uint8_t bytes[64];
	size_t at;

	(void)thread;
	while (n-- > 0) {
		for (at = 0; at < 1 << 20; at += 4096)
			msg_append(m, bench_source, bench_unknown(4096));
		BENCH_KEEP(m);
		for (at = 0; at < 1 << 20; at += 64) {
			msg_read(m, bytes, 64);
			BENCH_KEEP(bytes);
		}
		msg_clear(m);
	}
}
#endif

/* ---- W9: growth ---------------------------------------------------- */

#ifdef HAS_GROWTH /* msg_new_heap(capacity): append makes it larger */
static void
run_grow(uint64_t n, unsigned thread)
{
	(void)thread;
	while (n-- > 0) {
		MSG m = msg_new_heap(64);
		size_t len;

		for (len = 0; len < 1 << 20; len += 100) {
			msg_append(m, bench_source, 100);
			BENCH_KEEP(m);
		}
		msg_free(m);
	}
}
#endif

/* ---- M4: one message on the heap ------------------------------------ */

#ifdef HAS_GROWTH
static void
run_new_free(uint64_t n, unsigned thread)
{
	(void)thread;
	while (n-- > 0) {
		MSG m = msg_new_heap(512);

		BENCH_KEEP(m);
		msg_free(m);
	}
}
#endif

/* ---- W10: a packet ------------------------------------------------- */

#ifdef HAS_PREPEND /* msg_prepend(m, bytes, n), msg_trim_head(m, n), msg_u16(m) */
static inline void
packet(uint64_t n, size_t size)
{
	while (n-- > 0) {
		MSG m = msg_new(0);
		uint16_t number;

		msg_append(m, bench_source, size);
		BENCH_KEEP(m);
		msg_prepend(m, bench_source + 4096, 14);
		BENCH_KEEP(m);
		msg_trim_head(m, 14);
		BENCH_KEEP(m);
		number = msg_u16(m);
		BENCH_KEEP((uintptr_t)number);
		msg_free(m);
	}
}

static void
run_packet_64(uint64_t n, unsigned thread)
{
	(void)thread;
	packet(n, 64);
}

static void
run_packet_1500(uint64_t n, unsigned thread)
{
	(void)thread;
	packet(n, bench_unknown(1500));
}
#endif

#endif
