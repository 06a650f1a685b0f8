/* many.h - chains of messages, many that live, many pools. */
#ifndef BENCH_LOOPS_MANY_H
#define BENCH_LOOPS_MANY_H

/* ---- W12, segments: a chain of messages ---------------------------- */

#ifdef HAS_CHAIN
/*
 * struct chain, chain_start(c), chain_add(c, m), chain_iov(c, iov, most),
 * which returns how many it filled, chain_free(c).
 */
static int loop_null = -1;

static void
chain_prepare(const struct bench_setup *setup)
{
	loop_prepare(setup);
	loop_null = open("/dev/null", O_WRONLY);
	if (loop_null < 0)
		bench_die("/dev/null");
}

static void
chain_finish(void)
{
	close(loop_null);
}

static void
run_writev(uint64_t n, unsigned thread)
{
	struct iovec iov[16];
	struct chain c;
	unsigned i;

	(void)thread;
	while (n-- > 0) {
		chain_start(&c);
		for (i = 0; i < 16; i++) {
			MSG m = msg_new(0);

			msg_append(m, bench_source, bench_unknown(1024));
			chain_add(&c, m);
		}
		if (writev(loop_null, iov, (int)chain_iov(&c, iov, 16)) !=
		    16 * 1024)
			bench_die("writev");
		chain_free(&c);
	}
}

static void
run_segments(uint64_t n, unsigned thread)
{
	struct chain c;
	size_t i;

	(void)thread;
	for (; n > 0; n -= loop_arg) {
		chain_start(&c);
		for (i = 0; i < loop_arg; i++) {
			MSG m = msg_new(0);

			msg_append(m, bench_source, 64);
			chain_add(&c, m);
		}
		BENCH_KEEP(&c);
		chain_free(&c);
	}
}
#endif

/* ---- W14, W15, live: many of them ---------------------------------- */

static MSG *loop_live;
static size_t loop_n_live, loop_filled;
static uint64_t loop_random = 88172645463325252u;

static void
table_prepare(const struct bench_setup *setup)
{
	loop_prepare(setup);
	loop_n_live = setup->live;
	loop_filled = 0;
	loop_live = malloc(loop_n_live * sizeof *loop_live);
	if (loop_live == NULL)
		bench_die("no memory for the table");
}

static void
live_prepare(const struct bench_setup *setup)
{
	table_prepare(setup);
	while (loop_filled < loop_n_live)
		loop_live[loop_filled++] = msg_new(0);
}

static void
live_finish(void)
{
	while (loop_filled > 0)
		msg_free(loop_live[--loop_filled]);
	free(loop_live);
}

/* Marsaglia's xorshift, and Lemire's way to bring it below n. */
static inline size_t
any_of(size_t n)
{
	loop_random ^= loop_random << 13;
	loop_random ^= loop_random >> 7;
	loop_random ^= loop_random << 17;
	return (size_t)((loop_random >> 32) * n >> 32);
}

static void
run_replace(uint64_t n, unsigned thread)
{
	(void)thread;
	while (n-- > 0) {
		MSG *m = &loop_live[any_of(loop_n_live)];

		msg_free(*m);
		*m = msg_new(0);
		BENCH_KEEP(*m);
	}
}

static void
run_replace_written(uint64_t n, unsigned thread)
{
	(void)thread;
	while (n-- > 0) {
		MSG *m = &loop_live[any_of(loop_n_live)];

		msg_free(*m);
		*m = msg_new(0);
		msg_append(*m, bench_source, 64);
		BENCH_KEEP(*m);
	}
}

/* Fill n messages and keep them; driver.cc looks at what is resident. */
static inline void
run_resident(uint64_t n, unsigned thread)
{
	(void)thread;
	while (n-- > 0) {
		MSG m = msg_new(0);

		msg_append(m, bench_source, bench_unknown(2048));
		BENCH_KEEP(m);
		loop_live[loop_filled++] = m;
	}
}

/* ---- pools --------------------------------------------------------- */

#ifdef HAS_POOLS /* msg_free_to(pool, m) */
static void
run_pools(uint64_t n, unsigned thread)
{
	unsigned pool = 0;

	(void)thread;
	while (n-- > 0) {
		MSG m = msg_new(pool);

		BENCH_KEEP(m);
		msg_free_to(pool, m);
		pool = pool + 1 == loop_arg ? 0 : pool + 1;
	}
}
#endif

#endif
