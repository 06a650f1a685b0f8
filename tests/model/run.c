/*
 * run.c - random sequences, and how a failing one becomes short.
 *
 *	model [--seed S] [--operations N] [--show]
 *	model FILE...
 *
 * Operations come in sequences of a thousand, each in a world of its own and
 * drawn from a seed of its own: sequence i of seed S is the first one of seed
 * S + i.  So what fails is replayed in a moment, and can be played again and
 * again, in a child that may crash: first up to where it failed, then with
 * pieces dropped for as long as it still fails.  A FILE holds the bytes of
 * one sequence.
 */
#include "world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SEQUENCE = 1000, /* operations */
	TRIES = 3000,    /* to make a failure shorter */
	PATIENCE = 60,   /* seconds; a sequence that takes longer fails */
};

/* What a child leaves behind when it dies. */
struct trace {
	uint64_t seed;
	size_t at;
};

static volatile struct trace *trace;

/* ---- drawing ------------------------------------------------------- */

/* splitmix64, Steele, Lea and Flood, 2014 */
static uint64_t
draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void
draw_sequence(struct operation *ops, size_t n, uint64_t seed)
{
	uint64_t state = seed * UINT64_C(0x2545f4914f6cdd1d);

	for (size_t i = 0; i < n; i++) {
		uint64_t bits = draw(&state);

		ops[i] = (struct operation){
			.code = (uint8_t)bits,
			.slots = (uint8_t)(bits >> 8),
			.how = (uint8_t)(bits >> 16),
			.byte = (uint8_t)(bits >> 24),
			.x = (uint16_t)(bits >> 32),
			.y = (uint16_t)(bits >> 48),
		};
	}
}

/* ---- playing in a child -------------------------------------------- */

static void
hush(void)
{
	if (freopen("/dev/null", "w", stderr) == NULL)
		_exit(0);
}

/* Does it fail?  talk NULL: without a word. */
static bool
fails(const struct operation *ops, size_t n, FILE *talk)
{
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		if (talk == NULL)
			hush();
		alarm(PATIENCE);
		world_play(ops, n, talk, &trace->at);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	return status != 0;
}

/* ---- shorter ------------------------------------------------------- */

static size_t
without(struct operation *to, const struct operation *ops, size_t n,
	size_t first, size_t last)
{
	memcpy(to, ops, first * sizeof(*ops));
	memcpy(to + first, ops + last, (n - last) * sizeof(*ops));
	return n - (last - first);
}

/* Drop pieces, large ones first, for as long as it still fails. */
static size_t
shorten(struct operation *ops, size_t n)
{
	struct operation shorter[SEQUENCE];
	size_t piece = n, tries = 0;

	while (piece > 1 && tries < TRIES) {
		bool dropped = false;

		piece = (piece + 1) / 2;
		for (size_t end = n; end > 0 && tries < TRIES; tries++) {
			size_t start = end > piece ? end - piece : 0;
			size_t left = without(shorter, ops, n, start, end);

			if (fails(shorter, left, NULL)) {
				n = left;
				memcpy(ops, shorter, n * sizeof(*ops));
				dropped = true;
			}
			end = start;
		}
		if (piece == 1 && dropped)
			piece = 2; /* once more, one by one */
	}
	return n;
}

static int
report(struct operation *ops, size_t n)
{
	size_t all = n;

	if (!fails(ops, n, NULL)) {
		fputs("played again, it does not fail\n", stderr);
		return 1;
	}
	/* One that fails in the end needs all of them to get there. */
	if (trace->at < n)
		n = trace->at + 1;
	n = shorten(ops, n);
	fprintf(stderr, "shortened from %zu operations to %zu:\n", all, n);
	fails(ops, n, stderr);
	return 1;
}

/* ---- the main thing ------------------------------------------------ */

static int
play_random(uint64_t seed, size_t operations)
{
	static struct operation ops[SEQUENCE];
	pid_t child;
	int status = 1;

	printf("--seed %" PRIu64 " --operations %zu\n", seed, operations);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		for (; operations != 0; seed++) {
			size_t n =
				operations < SEQUENCE ? operations : SEQUENCE;

			trace->seed = seed;
			alarm(PATIENCE);
			draw_sequence(ops, n, seed);
			world_play(ops, n, NULL, &trace->at);
			operations -= n;
		}
		exit(0);
	}
	if (child > 0 && waitpid(child, &status, 0) == child && status == 0) {
		puts("all as the model says");
		return 0;
	}
	fprintf(stderr,
		"failed; again with: --seed %" PRIu64 " --operations %d\n",
		trace->seed, SEQUENCE);
	draw_sequence(ops, SEQUENCE, trace->seed);
	return report(ops, SEQUENCE);
}

static int
play_file(const char *path)
{
	static struct operation ops[SEQUENCE];
	FILE *file = fopen(path, "rb");
	size_t n;

	if (file == NULL) {
		perror(path);
		return 1;
	}
	n = fread(ops, sizeof(ops[0]), SEQUENCE, file);
	fclose(file);
	if (!fails(ops, n, NULL))
		return 0;
	fprintf(stderr, "%s fails\n", path);
	return report(ops, n);
}

static int
show(uint64_t seed, size_t n)
{
	static struct operation ops[SEQUENCE];

	n = n < SEQUENCE ? n : SEQUENCE;
	printf("--seed %" PRIu64 " --operations %zu\n", seed, n);
	draw_sequence(ops, n, seed);
	world_play(ops, n, stdout, &trace->at);
	return 0;
}

static int
usage(void)
{
	fputs("usage: model [--seed S] [--operations N] [--show]\n"
	      "       model FILE...\n",
	      stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	uint64_t seed = 1;
	size_t operations = 1000000;
	bool shown = false;
	int i, failed = 0;

	setrlimit(RLIMIT_CORE, &(struct rlimit){0});
	trace = mmap(NULL, sizeof(*trace), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (trace == MAP_FAILED)
		return 1;
	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--show") == 0)
			shown = true;
		else if (i + 1 == argc)
			return usage();
		else if (strcmp(argv[i], "--seed") == 0)
			seed = strtoull(argv[++i], NULL, 0);
		else if (strcmp(argv[i], "--operations") == 0)
			operations = (size_t)strtoull(argv[++i], NULL, 0);
		else
			return usage();
	}
	if (i == argc)
		return shown ? show(seed, operations)
			     : play_random(seed, operations);
	for (; i < argc; i++)
		failed |= play_file(argv[i]);
	return failed;
}
