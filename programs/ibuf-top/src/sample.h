/*
 * sample.h - what processes have of pools and queues at one moment.
 */
#ifndef TOP_SAMPLE_H
#define TOP_SAMPLE_H

#include "process.h"

/* Most that are shown of a process: what is damaged may have any number. */
enum { SAMPLE_POOLS = 4096, SAMPLE_QUEUES = 4096 };

enum number {
	ALLOCATED,
	CAPACITY,
	CACHED,
	PEAK,
	CLONES,
	MAPPED,
	/* From here on they only grow, so that each has a rate. */
	ALLOCS,
	FREES,
	GROWS,
	FAILURES,
	WAITS,
	COPIED,
	NUMBERS
};

/* As JSON names them. */
extern const char *const sample_numbers[NUMBERS];

struct pool {
	char name[64];
	uint64_t address;
	uint64_t max; /* 0: none */
	bool closed;
	uint64_t number[NUMBERS];
	double rate[NUMBERS]; /* each second; below 0: not known */
};

struct queue {
	uint64_t address;
	uint32_t len, most;
	uint32_t pushed, popped; /* modulo 2^32 */
	double push_rate, pop_rate;
	bool closed, popper, pusher; /* threads that wait */
};

struct program {
	pid_t pid;
	char command[32];
	unsigned library;
	char trouble[96]; /* "": all was read */
	struct pool *pools;
	size_t pools_count;
	struct queue *queues;
	size_t queues_count;
};

struct sample {
	uint64_t at_ns;
	struct program *programs;
	size_t count;
	unsigned refused; /* processes that may not be read */
};

/* Take one of all processes; false: no memory, or no /proc. */
bool sample_take(struct sample *s);

/* The same of one, which may have no ibuf.  0, or an error as process_open()
   has it, or ENOMEM. */
int sample_add(struct sample *s, pid_t pid);
void sample_begin(struct sample *s);

/* What grew since another one gives the rates of this one. */
void sample_compare(struct sample *s, const struct sample *before);

void sample_free(struct sample *s);

#endif
