/*
 * workloads.c - the one list of workloads.
 *
 * A message holds 2048 bytes and has 128 bytes of headroom, where the peer has
 * such a thing, unless the line says otherwise.  A row is the cost of one
 * message, clone or frame; of one whole run in W8 to W12.
 */
#include "bench.h"

#include <stdalign.h>

alignas(4096) uint8_t bench_source[BENCH_SOURCE];
alignas(64) uint8_t bench_stream[BENCH_STREAM];

/* Thread counts that are beyond twice the CPUs are left out by driver.cc. */
static const size_t thread_counts[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 0};
static const size_t live_counts[] = {1000,   4000,    16000, 64000,
				     256000, 1000000, 0};
static const size_t segment_counts[] = {1, 4, 16, 64, 256, 1024, 4096, 0};
static const size_t pool_counts[] = {1, 4, 16, 64, 256, 0};
static const size_t message_sizes[] = {16,    64,    256,    1024,    4096,
				       16384, 65536, 262144, 1048576, 0};

#define ROOM 2048, 128

const struct bench_workload bench_workloads[] = {
	/* id, what, unit, threads, step, batch, group, ROOM, live */
	{"W1", "alloc + free", "ns", 0, 1, 1024, 'a', ROOM, 1, NULL, NULL},
	{"M2", "W1 on a pool to wait for", "ns", 0, 1, 1024, 'a', ROOM, 1, NULL,
	 NULL},
	{"W2a", "32 allocs, then 32 frees", "ns", 0, 32, 1024, 'a', ROOM, 32,
	 NULL, NULL},
	{"W2b", "the same with the bulk calls", "ns", 0, 32, 1024, 'a', ROOM,
	 32, NULL, NULL},
	{"W2c", "512 allocs, then 512 frees", "ns", 0, 512, 1024, 'a', ROOM,
	 512, NULL, NULL},
	{"W3", "W1 in two threads on one pool", "ns", 2, 1, 1000000, 'a', ROOM,
	 2, NULL, NULL},
	{"W4", "one thread allocs, ring, another frees", "ns", 2, 1, 400000,
	 'a', ROOM, 2048, NULL, NULL},
	{"W4t", "the same, 64 bytes written and read", "ns", 2, 1, 400000, 'a',
	 ROOM, 2048, NULL, NULL},
	{"W5", "clone + free of a 1500 byte message", "ns", 0, 1, 1024, 'a',
	 ROOM, 2, NULL, NULL},
	{"W6", "slice of 64 out of 1500 bytes + free", "ns", 0, 1, 1024, 'a',
	 ROOM, 2, NULL, NULL},
	{"W7", "alloc, append 38 bytes, free", "ns", 0, 1, 1024, 'a', ROOM, 1,
	 NULL, NULL},
	{"W8a", "write 9 bytes, clear", "ns", 0, 1, 1024, 'a', ROOM, 1, NULL,
	 NULL},
	{"W8b", "write 9, read 9, clear", "ns", 0, 1, 1024, 'a', ROOM, 1, NULL,
	 NULL},
	/* The capacity is for the limit; all others start from 64 bytes. */
	{"W9", "grow 64 B to 1 MiB by 100 B appends", "us", 0, 1, 1, 'a',
	 (1 << 20) + 128, 0, 1, NULL, NULL},
	{"W10a", "packet of 64: alloc, copy, prepend 14, trim 14, u16, free",
	 "ns", 0, 1, 1024, 'a', ROOM, 1, NULL, NULL},
	{"W10b", "packet of 1500, the same", "ns", 0, 1, 1024, 'a', ROOM, 1,
	 NULL, NULL},
	{"W11", "fill 1 MiB, drain it by 64 B reads", "us", 0, 1, 1, 'a',
	 1 << 20, 0, 1, NULL, NULL},
	{"W12", "chain 16 x 1 KiB, writev to /dev/null, free", "ns", 0, 1, 64,
	 'a', ROOM, 16, NULL, NULL},
	{"W13", "one message to 64 clones, each freed", "ns", 0, 64, 1024, 'a',
	 ROOM, 65, NULL, NULL},
	{"W13b", "clone + free of one message from two threads", "ns", 2, 1,
	 1000000, 'a', ROOM, 4, NULL, NULL},
	{"W14", "replace a random one of 65536 live", "ns", 0, 1, 1024, 'b',
	 ROOM, 65536, NULL, NULL},
	{"W14t", "the same, 64 bytes written", "ns", 0, 1, 1024, 'b', ROOM,
	 65536, NULL, NULL},
	{"W15a", "resident bytes for a live 2048 B message, no headroom",
	 "bytes", 0, 1, 100000, 'c', 2048, 0, 100000, NULL, NULL},
	{"W15b", "the same with 128 B of headroom", "bytes", 0, 1, 100000, 'd',
	 ROOM, 100000, NULL, NULL},
	{"W16", "cut 100 B frames out of a 64 KiB stream", "ns", 0, 642,
	 642 * 4, 'a', 64 << 10, 0, 2, NULL, NULL},
	{"W16h", "the same of a stream on the heap", "ns", 0, 642, 642 * 4, 'a',
	 64 << 10, 0, 2, NULL, NULL},
	{"W17", "queue, one thread pushes, another pops", "ns", 2, 1, 1000000,
	 'h', ROOM, 1, NULL, NULL},
	{"W17b", "the same, 32 at a time", "ns", 2, 32, 3200000, 'h', ROOM, 1,
	 NULL, NULL},
	{"W17m", "queue, two threads push, two pop", "ns", 4, 1, 500000, 'h',
	 ROOM, 1, NULL, NULL},
	{"M4", "a message of 512 bytes on the heap + free", "ns", 0, 1, 1024,
	 'a', ROOM, 1, NULL, NULL},
	{"M5", "clone + free of a message on the heap", "ns", 0, 1, 1024, 'a',
	 ROOM, 2, NULL, NULL},

	{"M1", "W1 from a pool with 16 private bytes", "ns", 0, 1, 1024, 'i',
	 ROOM, 1, NULL, NULL},
	{"M3", "W1 from pool number 300", "ns", 0, 1, 1024, 'j', ROOM, 1, NULL,
	 NULL},

	{"threads", "alloc + free in T threads on one pool", "ns", 1, 1,
	 1000000, 'e', ROOM, 2, "threads", thread_counts},
	{"live", "replace a random one of N live", "ns", 0, 1, 1024, 'f', ROOM,
	 1, "live messages", live_counts},
	{"segments", "chain N messages of 64 B and free them; each", "ns", 0, 1,
	 4096, 'g', ROOM, 4096, "segments", segment_counts},
	{"pools", "alloc + free, going round P pools", "ns", 0, 1, 1024, 'g',
	 ROOM, 1, "pools", pool_counts},
	{"size", "alloc a message of N bytes, append them, free", "ns", 0, 1,
	 16, 'g', 0, 0, 1, "bytes", message_sizes},
	{NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, NULL, NULL},
};
