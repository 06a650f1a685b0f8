/*
 * options.c - pools of every kind at once: with private areas, wiping, with
 * high numbers, and all of that together.
 *
 * Threads take messages, find them as new (no byte of a wiping pool's room,
 * and no private byte, is of who had them before), edit them, share them, hand
 * them to each other and free them; the process forks meanwhile.  In each round
 * the pools are made anew, with numbers that pools of other kinds had, and
 * destroyed while messages live.
 */
#include "race.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, BOXES = 64, KINDS = 4, POOLS = 2 * KINDS };
enum { HEADROOM = 32, CAPACITY = 96, PRIVATE = 24 };

static struct ibuf_pool *pools[POOLS];
static bool wipes[POOLS];
static _Atomic(struct ibuf_mbuf *) boxes[BOXES];

/* ---- pools ------------------------------------------------------------ */

/*
 * Memory of zeros, which the system's own is not everywhere.  Not by malloc: in
 * the child of a fork a sanitizer's may be locked.
 */
static size_t
pages(size_t size)
{
	return (size + 4095) & ~(size_t)4095;
}

static void *
map_zeros(size_t size, size_t alignment, void *context)
{
	size_t all = pages(size) + pages(alignment), before;
	uint8_t *base = mmap(NULL, all, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)context;
	if (base == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)base & (alignment - 1);
	if (before != 0)
		munmap(base, before);
	munmap(base + before + pages(size), all - before - pages(size));
	return base + before;
}

static void
unmap_zeros(void *base, size_t size, void *context)
{
	(void)context;
	munmap(base, pages(size));
}

static void
pool_make(struct ibuf_pool **p, unsigned kind)
{
	static const struct ibuf_provider zeros = {map_zeros, unmap_zeros,
						   NULL};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = CAPACITY;
	o.headroom = HEADROOM;
	o.cache = 6;
	o.provider = &zeros;
	o.private_size = kind & 1 ? PRIVATE : 0;
	o.flags = kind & 2 ? IBUF_POOL_F_WIPE : 0;
	check(ibuf_pool_create(p, &o) == 0, kind);
}

/* Half of them with low numbers, and half with high ones. */
static void
pools_make(unsigned first)
{
	static struct ibuf_pool *between[250];
	unsigned i;

	for (i = 0; i < POOLS; i++) {
		unsigned kind = (first + i) % KINDS;

		if (i == KINDS)
			for (unsigned j = 0; j < 250; j++)
				pool_make(&between[j], 0);
		pool_make(&pools[i], kind);
		wipes[i] = (kind & 2) != 0;
	}
	for (i = 0; i < 250; i++)
		check(ibuf_pool_destroy(between[i]) == 0, i);
}

/* ---- what each thread does -------------------------------------------- */

/* It has no private byte of another, and takes some. */
static void
check_private(struct ibuf_mbuf *m, uint64_t cycle)
{
	static const uint8_t zeros[PRIVATE];
	void *area = ibuf_mbuf_private(m);

	if (area == NULL)
		return;
	check(memcmp(area, zeros, PRIVATE) == 0, cycle);
	memset(area, 0xa7, PRIVATE);
}

/* A message as new. */
static struct ibuf_mbuf *
take(uint32_t *random, uint64_t cycle)
{
	unsigned i = race_random(random) % POOLS;
	struct ibuf_mbuf *m = ibuf_pool_alloc(pools[i]);

	check(m != NULL && ibuf_mbuf_len(m) == 0, cycle);
	check(ibuf_mbuf_pool(m) == pools[i], cycle);
	if (wipes[i]) {
		const uint8_t *room = ibuf_mbuf_data(m) - HEADROOM;

		for (unsigned at = 0; at < HEADROOM + CAPACITY; at++)
			check(room[at] == 0, cycle);
	}
	if (race_random(random) % 2 == 0)
		check_private(m, cycle);
	return m;
}

static void
edit(struct ibuf_mbuf *m, uint32_t *random, uint64_t cycle)
{
	size_t n = race_random(random) % 48, len = ibuf_mbuf_len(m);
	void *to;

	switch (race_random(random) % 8) {
	case 0:
		check(ibuf_mbuf_append_fill(m, 0x5a, n) == 0, cycle);
		break;
	case 1:
		to = ibuf_mbuf_extend_head(m, n);
		check(to != NULL, cycle);
		memset(to, 0x5a, n);
		break;
	case 2:
		to = ibuf_mbuf_reserve(m, n);
		check(to != NULL, cycle);
		memset(to, 0x5a, n);
		check(ibuf_mbuf_commit(m, n / 2) == 0, cycle);
		break;
	case 3:
		check(ibuf_mbuf_trim_head(m, len < n ? len : n) == 0, cycle);
		break;
	case 4:
		check(ibuf_mbuf_trim_tail(m, len < n ? len : n) == 0, cycle);
		break;
	case 5:
		ibuf_mbuf_clear(m);
		break;
	case 6:
		check(ibuf_mbuf_unshare(m) == 0, cycle);
		break;
	default:
		check(ibuf_mbuf_shrink(m) == 0, cycle);
	}
}

/* Some of m as another message, which is new itself; NULL: not this time. */
static struct ibuf_mbuf *
share(struct ibuf_mbuf *m, uint32_t *random, uint64_t cycle)
{
	struct ibuf_mbuf *other;

	switch (race_random(random) % 4) {
	case 0:
		other = ibuf_mbuf_clone(m);
		break;
	case 1:
		other = ibuf_mbuf_slice(m, 0, ibuf_mbuf_len(m) / 2);
		break;
	case 2:
		other = ibuf_mbuf_split(m, ibuf_mbuf_len(m) / 2);
		break;
	default:
		return NULL;
	}
	check(other != NULL, cycle);
	check_private(other, cycle);
	return other;
}

/* Put it where another thread may take it; what was there is freed or joined. */
static void
hand_on(struct ibuf_mbuf *m, uint32_t *random, uint64_t cycle)
{
	struct ibuf_mbuf *was = atomic_exchange_explicit(
		&boxes[race_random(random) % BOXES], m, memory_order_acq_rel);

	if (was == NULL)
		return;
	check(ibuf_mbuf_validate(was) == 0, cycle);
	edit(was, random, cycle);
	if (ibuf_mbuf_segments(was) < 8 && race_random(random) % 4 == 0)
		check(ibuf_mbuf_concat(was, take(random, cycle)) == 0, cycle);
	if (race_random(random) % 2 == 0)
		ibuf_mbuf_free(was);
	else
		ibuf_mbuf_free_bulk(&was, 1);
}

struct thread {
	uint32_t random;
	uint64_t cycles;
};

static void *
run(void *arg)
{
	struct thread *t = arg;

	for (uint64_t i = 0; i < t->cycles; i++) {
		struct ibuf_mbuf *m = take(&t->random, i), *other;

		for (unsigned n = race_random(&t->random) % 4; n > 0; n--)
			edit(m, &t->random, i);
		other = share(m, &t->random, i);
		if (other != NULL && race_random(&t->random) % 2 == 0)
			hand_on(other, &t->random, i);
		else
			ibuf_mbuf_free(other);
		hand_on(m, &t->random, i);
		if (race_random(&t->random) % 256 == 0)
			ibuf_pool_trim(pools[race_random(&t->random) % POOLS]);
	}
	return NULL;
}

/* ---- rounds ----------------------------------------------------------- */

/* The child has this thread alone, and all pools. */
static void
fork_once(uint64_t cycle)
{
	struct thread t = {.random = race_random_init(77), .cycles = 200};
	pid_t child = fork();
	int status;

	check(child >= 0, cycle);
	if (child == 0) {
		alarm(60);
		/* Who handed a message on may have been in the midst of it. */
		for (unsigned i = 0; i < BOXES; i++)
			atomic_store(&boxes[i], NULL);
		run(&t);
		for (unsigned i = 0; i < POOLS; i++)
			ibuf_pool_destroy(pools[i]);
		_exit(0);
	}
	check(waitpid(child, &status, 0) == child, cycle);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0, cycle);
}

static void *
free_some(void *arg)
{
	unsigned from = *(unsigned *)arg;

	for (unsigned i = from; i < BOXES; i += THREADS)
		ibuf_mbuf_free(atomic_exchange(&boxes[i], NULL));
	return NULL;
}

static void
round_of(unsigned number, uint64_t cycles)
{
	struct thread t[THREADS];
	unsigned from[THREADS];
	pthread_t threads[THREADS];

	pools_make(number);
	for (unsigned i = 0; i < THREADS; i++) {
		from[i] = i;
		t[i] = (struct thread){race_random_init(number * 16 + i),
				       cycles};
		check(pthread_create(&threads[i], NULL, run, &t[i]) == 0, 0);
	}
	for (unsigned i = 0; i < 4; i++)
		fork_once(number);
	for (unsigned i = 0; i < THREADS; i++)
		check(pthread_join(threads[i], NULL) == 0, 0);
	/* Some messages come back in time, and some after the end. */
	for (unsigned i = 0; i < BOXES; i += 2)
		ibuf_mbuf_free(atomic_exchange(&boxes[i], NULL));
	for (unsigned i = 0; i < POOLS; i++)
		ibuf_pool_destroy(pools[i]);
	race_run(THREADS, free_some, from, sizeof(from[0]));
}

int
main(int argc, char **argv)
{
	enum { ROUNDS = 8 };

	race_arguments(argc, argv, 100000);
	for (unsigned i = 0; i < ROUNDS; i++)
		round_of(i, race_cycles / ROUNDS / THREADS);
	return 0;
}
