/*
 * costs.c - what must not cost more for a longer message, or not more for
 * each byte, segment or clone, for valgrind to count at several sizes.
 *
 *   costs NAME SIZE...
 *
 * For each SIZE the case is prepared, then run inside measured(), the only
 * function whose instructions ./exponent looks at.
 */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <ibuf/ibuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define TIMES 64

static struct ibuf_pool *pool;
static struct ibuf_mbuf *message, *other;
static struct ibuf_mbuf **clones;
static int slow[2];

static void
need(bool condition)
{
	if (!condition)
		abort();
}

/* ---- prepared ------------------------------------------------------- */

static struct ibuf_mbuf *
segment(void)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(pool);

	need(m != NULL && ibuf_mbuf_append_fill(m, 'a', 48) == 0);
	return m;
}

/* A message of n segments, and one of 1. */
static void
segments(size_t n)
{
	message = segment();
	other = segment();
	while (--n > 0)
		need(ibuf_mbuf_concat(message, segment()) == 0);
}

/* A byte, a MiB in one segment, and n segments of a byte. */
static void
much_in_the_second(size_t n)
{
	message = ibuf_mbuf_from("a", 1);
	other = ibuf_mbuf_new(0);
	need(message != NULL && other != NULL &&
	     ibuf_mbuf_append_fill(other, 'b', 1 << 20) == 0 &&
	     ibuf_mbuf_concat(message, other) == 0);
	other = NULL;
	for (; n > 0; n--)
		need(ibuf_mbuf_concat(message, ibuf_mbuf_from("c", 1)) == 0);
}

static void
empty(size_t n)
{
	(void)n;
	message = ibuf_mbuf_new(64);
	other = NULL;
	need(message != NULL);
}

static void
one_to_be_cloned(size_t n)
{
	segments(1);
	clones = calloc(n, sizeof *clones);
	need(clones != NULL);
}

/* A pipe that takes 4096 bytes at a time. */
static void
segments_and_pipe(size_t n)
{
	segments(n);
	need(pipe(slow) == 0);
	fcntl(slow[1], F_SETFL, O_NONBLOCK);
	fcntl(slow[0], F_SETFL, O_NONBLOCK);
#ifdef F_SETPIPE_SZ
	fcntl(slow[1], F_SETPIPE_SZ, 4096);
#endif
}

/* ---- at one end of n segments ---------------------------------------- */

static void
iov_of_one(size_t n)
{
	struct iovec iov;

	need(ibuf_mbuf_iov(message, 0, &iov, 1) == n);
	need(ibuf_mbuf_iov(message, ibuf_mbuf_len(message) - 1, &iov, 1) == 1);
}

static void
write_at_front(size_t n)
{
	(void)n;
	need(ibuf_mbuf_write_at(message, 0, "xyz", 3) == 0);
}

static void
write_at_end(size_t n)
{
	(void)n;
	need(ibuf_mbuf_write_at(message, ibuf_mbuf_len(message) - 3, "xyz",
				3) == 0);
}

static void
look_at_end(size_t n)
{
	size_t end = ibuf_mbuf_len(message) - 2, run;
	uint8_t out[2];

	(void)n;
	need(ibuf_mbuf_at(message, end, &run) != NULL && run == 2);
	need(ibuf_mbuf_at_mut(message, end, &run) != NULL && run == 2);
	need(ibuf_mbuf_copy_out(message, end, out, 2) == 0);
	need(ibuf_mbuf_find(message, end, "a", 1) == end);
	ibuf_mbuf_free(ibuf_mbuf_slice(message, end, 2));
	ibuf_mbuf_free(ibuf_mbuf_copy(message, end, 2));
}

static void
look_at_second(size_t n)
{
	struct iovec iov;

	need(ibuf_mbuf_at(message, 900000, NULL) != NULL);
	need(ibuf_mbuf_write_at(message, 900000, "x", 1) == 0);
	need(ibuf_mbuf_iov(message, 900000, &iov, 1) == n + 1);
	need(ibuf_mbuf_iov(message, 0, &iov, 1) == n + 2);
	ibuf_mbuf_free(ibuf_mbuf_slice(message, 900000, 2));
}

static void
trim_tail_by_one(size_t n)
{
	(void)n;
	need(ibuf_mbuf_trim_tail(message, 1) == 0);
}

static void
trim_head_by_one(size_t n)
{
	(void)n;
	need(ibuf_mbuf_trim_head(message, 1) == 0);
}

static void
split_at_end(size_t n)
{
	struct ibuf_mbuf *rest =
		ibuf_mbuf_split(message, ibuf_mbuf_len(message) - 1);

	(void)n;
	need(rest != NULL);
	ibuf_mbuf_free(rest);
}

static void
split_at_front(size_t n)
{
	struct ibuf_mbuf *rest = ibuf_mbuf_split(message, 1);

	(void)n;
	need(rest != NULL);
	need(ibuf_mbuf_concat(message, rest) == 0);
}

static void
join_and_add(size_t n)
{
	(void)n;
	need(ibuf_mbuf_concat(message, segment()) == 0);
	need(ibuf_mbuf_append(message, "a", 1) == 0);
	need(ibuf_mbuf_prepend(message, "a", 1) == 0);
	need(ibuf_mbuf_len(message) != 0 && ibuf_mbuf_segments(message) != 0);
	need(ibuf_mbuf_tailroom(message) < ibuf_mbuf_capacity(message));
}

/* ---- n bytes, segments, clones --------------------------------------- */

static void
add_with_clones(size_t n, unsigned fronts, unsigned of)
{
	struct ibuf_mbuf *clone = NULL, *old;
	uint32_t random = 1;

	while (n-- > 0) {
		old = clone;
		clone = ibuf_mbuf_clone(message);
		need(clone != NULL);
		ibuf_mbuf_free(old);
		random = random * 1103515245 + 12345;
		if ((random >> 16) % of < fronts)
			need(ibuf_mbuf_prepend(message, "x", 1) == 0);
		else
			need(ibuf_mbuf_append(message, "x", 1) == 0);
	}
	ibuf_mbuf_free(clone);
}

static void
append_with_clones(size_t n)
{
	add_with_clones(n, 0, 1);
}

static void
prepend_with_clones(size_t n)
{
	add_with_clones(n, 1, 1);
}

static void
both_with_clones(size_t n)
{
	add_with_clones(n, 1, 2);
}

static void
queue(size_t n, bool forward)
{
	static const char bytes[100];

	while (n-- > 0) {
		if (forward) {
			need(ibuf_mbuf_append(message, bytes, 100) == 0);
			if (ibuf_mbuf_len(message) > 1000)
				ibuf_mbuf_trim_head(message, 100);
		} else {
			need(ibuf_mbuf_prepend(message, bytes, 100) == 0);
			if (ibuf_mbuf_len(message) > 1000)
				ibuf_mbuf_trim_tail(message, 100);
		}
	}
}

static void
queue_forward(size_t n)
{
	queue(n, true);
}

static void
queue_backward(size_t n)
{
	queue(n, false);
}

static void
write_slowly(size_t n)
{
	static char bytes[4096];

	(void)n;
	while (ibuf_mbuf_len(message) != 0) {
		need(ibuf_io_write(slow[1], message) > 0);
		while (read(slow[0], bytes, sizeof bytes) > 0)
			;
	}
}

static void
make_clones(size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		need((clones[i] = ibuf_mbuf_clone(message)) != NULL);
	for (i = 0; i < n; i++)
		ibuf_mbuf_free(clones[i]);
}

/* ---- the list -------------------------------------------------------- */

static const struct cost {
	const char *name;
	void (*prepare)(size_t n);
	void (*run)(size_t n);
	unsigned times;
} costs[] = {
	{"iov_of_one", segments, iov_of_one, TIMES},
	{"write_at_front", segments, write_at_front, TIMES},
	{"write_at_end", segments, write_at_end, TIMES},
	{"look_at_end", segments, look_at_end, TIMES},
	{"look_at_second", much_in_the_second, look_at_second, TIMES},
	{"trim_tail", segments, trim_tail_by_one, TIMES},
	{"trim_head", segments, trim_head_by_one, TIMES},
	{"split_at_end", segments, split_at_end, TIMES},
	{"split_at_front", segments, split_at_front, TIMES},
	{"join_and_add", segments, join_and_add, TIMES},
	{"append_with_clones", empty, append_with_clones, 1},
	{"prepend_with_clones", empty, prepend_with_clones, 1},
	{"both_with_clones", empty, both_with_clones, 1},
	{"queue_forward", empty, queue_forward, 1},
	{"queue_backward", empty, queue_backward, 1},
	{"write_slowly", segments_and_pipe, write_slowly, 1},
	{"clones", one_to_be_cloned, make_clones, 1},
};

void measured(const struct cost *cost, size_t n);

__attribute__((noinline)) void
measured(const struct cost *cost, size_t n)
{
	unsigned i;

	for (i = 0; i < cost->times; i++)
		cost->run(n);
}

int
main(int argc, char **argv)
{
	const struct cost *cost = NULL;
	int i;

	for (i = 0; argc > 2 && i < (int)(sizeof costs / sizeof *costs); i++)
		if (strcmp(costs[i].name, argv[1]) == 0)
			cost = &costs[i];
	if (cost == NULL) {
		fprintf(stderr, "usage: costs NAME SIZE...\n");
		return 2;
	}
	pool = ibuf_pool_new(0, 64);
	need(pool != NULL);
	for (i = 2; i < argc; i++) {
		size_t n = (size_t)atoi(argv[i]);

		cost->prepare(n);
		measured(cost, n);
		ibuf_mbuf_free(message);
		ibuf_mbuf_free(other);
		free(clones);
		clones = NULL;
	}
	return 0;
}
