/*
 * bench.h - what a peer is, and what a workload is.
 *
 * workloads.c has the one list of workloads.  A peer has, for each workload it
 * has an equivalent for, a function that does the work n times: the loop is
 * the peer's, so that what is inline in its headers is inline in the loop.
 * The peers in C all get that loop from loops.h; only bytes, which is Rust,
 * has the same loops written again.
 *
 * driver.cc joins the two with Google Benchmark, one program for each peer.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What benchmark::DoNotOptimize() and ClobberMemory() do, for C: the compiler
 * must have p at hand here, and all that was written in memory.
 */
#define BENCH_KEEP(p) __asm__ volatile("" : : "r"(p) : "memory")

/* What a peer wraps is inlined, however long the compiler finds it. */
#define BENCH_INLINE inline __attribute__((always_inline))

/*
 * A size the compiler does not know, as that of a packet is not known.  Told a
 * constant of some hundred bytes or more, gcc copies by `rep movs` at some
 * tunings and by memcpy() at others, and we would measure that.
 */
static inline size_t
bench_unknown(size_t n)
{
	__asm__("" : "+r"(n));
	return n;
}

#define BENCH_SOURCE ((size_t)1 << 20)

/* Where the bytes come from that are appended: BENCH_SOURCE of them. */
extern uint8_t bench_source[BENCH_SOURCE];

/* A stream of frames: two bytes that say 100, in network order, then 100. */
#define BENCH_FRAME 100
#define BENCH_FRAMES 642
#define BENCH_STREAM (BENCH_FRAMES * (2 + BENCH_FRAME))
extern uint8_t bench_stream[BENCH_STREAM];

/* What there must be before the clock starts. */
struct bench_setup {
	size_t capacity; /* bytes that a message holds */
	size_t headroom; /* and in front of them, where the peer has that */
	size_t live;     /* most messages alive at a time, in all pools */
	size_t pools;
	size_t arg;       /* what a sweep varies: see workloads.c */
	unsigned threads; /* that run it */
};

struct bench_workload {
	const char *id;
	const char *what;
	const char *unit; /* of the table: ns, us or bytes */
	unsigned threads; /* 0: the caller's own thread */
	unsigned step;    /* n is a multiple of it */
	unsigned batch;   /* this many a call, a multiple of step */
	char group;       /* those with the same letter share a process */
	size_t capacity, headroom, live;
	const char *sweep;   /* what is varied, or NULL: threads, pools, ... */
	const size_t *sizes; /* its values, ending with 0 */
};

extern const struct bench_workload bench_workloads[]; /* ends with id NULL */

/* Do a workload n times, as one of its threads. */
typedef void bench_run_fn(uint64_t n, unsigned thread);

struct bench_case {
	const char *id;
	bench_run_fn *run;
	void (*prepare)(const struct bench_setup *setup); /* or NULL */
	void (*finish)(void);                             /* or NULL */
};

struct bench_peer {
	const char *name;
	size_t most; /* bytes that a message may hold */
	const char *(*version)(void);
	void (*start)(unsigned cpu); /* once; the caller runs on cpu */
	void (*open)(const struct bench_setup *setup);
	void (*close)(void);
	void (*enter)(void); /* a thread that will run is there */
	void (*leave)(void);
	const struct bench_case *cases; /* ends with id NULL */
};

extern const struct bench_peer bench_peer;

/* Say what went wrong and end the program; benchmarks do not carry on. */
void bench_die(const char *what) __attribute__((noreturn));

/*
 * crew.c: threads, each on a CPU of its own while there are enough.  Run
 * n times in each, and return the seconds from the first start to the last end.
 */
unsigned bench_cpus(void);
unsigned bench_cpu(unsigned i); /* the number of the i-th we may use */
void bench_pin(unsigned i);
void bench_crew_start(unsigned threads);
double bench_crew_run(bench_run_fn *run, uint64_t n);
void bench_crew_stop(void);

#ifdef __cplusplus
}
#endif

#endif
