/* single.h - messages made and freed, one at a time, in bursts, by two threads. */
#ifndef BENCH_LOOPS_SINGLE_H
#define BENCH_LOOPS_SINGLE_H

/* ---- W1, W3, W7, size: one at a time ------------------------------- */

static void
run_alloc_free(uint64_t n, unsigned thread)
{
	(void)thread;
	while (n-- > 0) {
		MSG m = msg_new(0);

		BENCH_KEEP(m);
		msg_free(m);
	}
}

static void
run_append_free(uint64_t n, unsigned thread)
{
	(void)thread;
	while (n-- > 0) {
		MSG m = msg_new(0);

		msg_append(m, bench_source, 38);
		BENCH_KEEP(m);
		msg_free(m);
	}
}

static void
run_size(uint64_t n, unsigned thread)
{
	(void)thread;
	while (n-- > 0) {
		MSG m = msg_new(0);

		msg_append(m, bench_source, loop_arg);
		BENCH_KEEP(m);
		msg_free(m);
	}
}

/* ---- W2: bursts ---------------------------------------------------- */

static inline void
burst(uint64_t n, unsigned size)
{
	MSG burst[512];
	unsigned i;

	for (; n > 0; n -= size) {
		for (i = 0; i < size; i++) {
			burst[i] = msg_new(0);
			BENCH_KEEP(burst[i]);
		}
		for (i = 0; i < size; i++)
			msg_free(burst[i]);
	}
}

static void
run_burst_32(uint64_t n, unsigned thread)
{
	(void)thread;
	burst(n, 32);
}

static void
run_burst_512(uint64_t n, unsigned thread)
{
	(void)thread;
	burst(n, 512);
}

#ifdef HAS_BULK /* msg_new_bulk(out, n), msg_free_bulk(ms, n) */
static void
run_bulk_32(uint64_t n, unsigned thread)
{
	MSG burst[32];

	(void)thread;
	for (; n > 0; n -= 32) {
		msg_new_bulk(burst, 32);
		BENCH_KEEP(burst);
		msg_free_bulk(burst, 32);
	}
}
#endif

/* ---- W4: from thread to thread ------------------------------------- */

static void
run_cross(uint64_t n, unsigned thread)
{
	while (n-- > 0) {
		if (thread == 0) {
			MSG m = msg_new(0);

			BENCH_KEEP(m);
			ring_give(&loop_ring, m);
		} else {
			msg_free((MSG)ring_take(&loop_ring));
		}
	}
	if (thread == 0)
		ring_show_tail(&loop_ring);
}

#ifdef HAS_READ /* msg_read(m, dst, n): consumes; msg_clear(m) */
static void
run_cross_touched(uint64_t n, unsigned thread)
{
	uint8_t bytes[64];

	while (n-- > 0) {
		if (thread == 0) {
			MSG m = msg_new(0);

			msg_append(m, bench_source, 64);
			BENCH_KEEP(m);
			ring_give(&loop_ring, m);
		} else {
			MSG m = (MSG)ring_take(&loop_ring);

			msg_read(m, bytes, 64);
			BENCH_KEEP(bytes);
			msg_free(m);
		}
	}
	if (thread == 0)
		ring_show_tail(&loop_ring);
}
#endif

#endif
