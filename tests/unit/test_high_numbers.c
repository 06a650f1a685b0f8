/*
 * test_high_numbers.c - pools whose thread caches come in parts: with numbers
 * that are the last of a part, the first, in the middle, and the last of all.
 *
 * A pool gets the lowest number that is free, and 0 is the heap's, so the n-th
 * pool of a process has number n.
 */
#include "fork.h"

enum { LAST = 65535 };

/* At which numbers is looked; all others are there too. */
static const size_t numbers[] = {255, 256, 257, 300, 511, 512, 5000, LAST};

#define NUMBERS (sizeof(numbers) / sizeof(*numbers))

/* Those, as kinds of pools that differ. */
static struct ibuf_pool *looked_at[NUMBERS];
static struct ibuf_pool *all[LAST + 1];
static size_t looked; /* at so many of them */

static const struct kind {
	size_t private_size;
	unsigned flags;
} kinds[] = {{0, 0}, {24, 0}, {0, IBUF_POOL_F_WIPE}, {24, IBUF_POOL_F_WIPE}};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

static struct ibuf_pool *
pool_of_kind(const struct kind *kind)
{
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;

	o.capacity = 64;
	o.headroom = 16;
	o.max = MAX;
	o.cache = CACHE;
	o.private_size = kind->private_size;
	o.flags = kind->flags;
	return pool_with(&o);
}

/* Pools of a kind with the numbers up to one that are looked at; the others
   were there, and are no more. */
static void
fill_numbers(size_t most, const struct kind *kind)
{
	looked = 0;
	for (size_t n = 1; n <= most; n++) {
		all[n] = pool_of_kind(kind);
		if (n == numbers[looked])
			looked_at[looked++] = all[n];
	}
	for (size_t n = 1, i = 0; n <= most; n++) {
		if (i < looked && n == numbers[i])
			i++;
		else
			assert_int_equal(ibuf_pool_destroy(all[n]), 0);
	}
}

/* Messages outlive their pools, and keep the numbers as long. */
static void
empty_numbers(void)
{
	for (size_t i = 0; i < looked; i++) {
		struct ibuf_mbuf *m = ibuf_pool_alloc(looked_at[i]);

		assert_int_equal(ibuf_mbuf_append(m, "late", 4), 0);
		assert_int_equal(ibuf_pool_destroy(looked_at[i]), 1);
		assert_null(ibuf_mbuf_pool(m));
		assert_message(m, "late", 4);
		ibuf_mbuf_free(m);
	}
}

/* What was there before numbers up to one were used. */
struct before {
	size_t most, blocks, mapped;
};

static struct before
before(size_t most)
{
	return (struct before){most, fault_live_blocks(),
			       fault_live_bytes_mapped()};
}

/* The table of owners, and what this thread keeps for numbers of so many
   parts, are no leak. */
static void
keep(struct before b, size_t parts)
{
	b.blocks = fault_live_blocks() - b.blocks;
	b.mapped = fault_live_bytes_mapped() - b.mapped;
	assert_in_range(b.blocks, 0, b.most / 512 + 1);
	assert_in_range(b.mapped, 0,
			(b.most / 512 + 1) * 4096 + parts * (40 << 10));
	test_keeps(b.blocks, b.mapped);
}

/* Its private bytes are zeros, and then not. */
static bool
is_new(struct ibuf_mbuf *m)
{
	static const uint8_t zeros[24];
	void *area = ibuf_mbuf_private(m);
	bool is = area == NULL || memcmp(area, zeros, sizeof(zeros)) == 0;

	if (area != NULL)
		memset(area, 0xa7, sizeof(zeros));
	return is;
}

/* Take n mbufs, make of them what can be made, and give them back; how many
   things were wrong. */
static size_t
use(struct ibuf_pool *p, size_t n)
{
	struct ibuf_mbuf *ms[MAX], *clone, *slice;
	size_t wrong = 0, i;

	for (i = 0; i < n; i++) {
		ms[i] = ibuf_pool_alloc(p);
		if (ms[i] == NULL)
			return 1000000;
		wrong +=
			ibuf_mbuf_pool(ms[i]) != p || ibuf_mbuf_len(ms[i]) != 0;
		wrong += !is_new(ms[i]);
		wrong += ibuf_mbuf_append(ms[i], "0123456789", 10) != 0;
		clone = ibuf_mbuf_clone(ms[i]);
		slice = ibuf_mbuf_slice(ms[i], 2, 3);
		wrong += clone == NULL || ibuf_mbuf_pool(clone) != p ||
			 ibuf_mbuf_len(clone) != 10 || slice == NULL ||
			 memcmp(ibuf_mbuf_data(slice), "234", 3) != 0;
		wrong += !is_new(clone) || !is_new(slice);
		if (i % 2 == 0)
			ibuf_mbuf_free(clone);
		else
			wrong += ibuf_mbuf_concat(slice, clone) != 0;
		ibuf_mbuf_free(slice);
	}
	ibuf_mbuf_free_bulk(ms, n / 2);
	for (i = n / 2; i < n; i++)
		ibuf_mbuf_free(ms[i]);
	return wrong;
}

static void
use_all(void)
{
	for (size_t i = 0; i < looked; i++) {
		assert_int_equal(use(looked_at[i], MAX), 0);
		assert_books(looked_at[i], 0);
		assert_int_equal(stats_of(looked_at[i]).handles, 0);
	}
}

/* ---- one thread ------------------------------------------------------- */

static void
look_at(bool caches)
{
	use_all();
	for (size_t i = 0; i < looked; i++) {
		struct ibuf_pool_stats s = stats_of(looked_at[i]);

		assert_int_equal(s.capacity, MAX);
		if (caches)
			assert_in_range(s.cached, 1, CACHE);
		ibuf_pool_flush(looked_at[i]);
		assert_int_equal(stats_of(looked_at[i]).cached, 0);
		assert_true(ibuf_pool_trim(looked_at[i]) > 0);
		assert_books(looked_at[i], 0);
		assert_int_equal(stats_of(looked_at[i]).mapped_bytes, 0);
	}
	use_all();
}

/* ---- threads ---------------------------------------------------------- */

enum { THREADS = 4 };

struct users {
	struct gate met;
	atomic_size_t wrong;
};

static void *
use_and_exit(void *arg)
{
	struct users *w = arg;

	for (size_t i = 0; i < looked; i++)
		atomic_fetch_add(&w->wrong, use(looked_at[i], CACHE));
	gate_wait(&w->met);
	for (size_t i = 0; i < looked; i++)
		atomic_fetch_add(&w->wrong, use(looked_at[i], 2));
	return NULL;
}

static void
use_in_threads(void)
{
	struct users w = {.met = GATE_INIT(THREADS)};

	for (size_t i = 0; i < looked; i++)
		ibuf_pool_flush(looked_at[i]);
	threads_run(THREADS, use_and_exit, &w, 0);
	assert_int_equal(atomic_load(&w.wrong), 0);
	/* They gave back what they kept. */
	for (size_t i = 0; i < looked; i++) {
		assert_int_equal(stats_of(looked_at[i]).cached, 0);
		assert_books(looked_at[i], 0);
	}
}

/* ---- forks ------------------------------------------------------------ */

static void *
keep_and_stay(void *arg)
{
	struct family *w = arg;

	for (size_t i = 0; i < looked; i++)
		(void)use(looked_at[i], CACHE);
	gate_wait(&w->start);
	while (!atomic_load(&w->over))
		sleep_ms(1);
	return NULL;
}

static int
child(struct family *w)
{
	struct ibuf_mbuf *m;

	(void)w;
	for (size_t i = 0; i < looked; i++) {
		struct ibuf_pool *p = looked_at[i];

		/* This thread's are there, the others' are lost. */
		if (!books_are_right(p) || ibuf_pool_allocated(p) != 0)
			return 1 + (int)i;
		if (use(p, MAX) != 0 || !books_are_right(p))
			return 20 + (int)i;
		if (stats_of(p).capacity != MAX)
			return 40 + (int)i;
		m = ibuf_pool_alloc(p);
		if (ibuf_pool_destroy(p) != 1)
			return 60 + (int)i;
		ibuf_mbuf_free(m);
	}
	return 0;
}

static void
fork_while_others_keep(void)
{
	struct family w = {.start = GATE_INIT(2)};
	pthread_t thread;

	use_all();
	for (size_t i = 0; i < looked; i++)
		ibuf_pool_flush(looked_at[i]);
	threads_start(&thread, 1, keep_and_stay, &w, 0);
	gate_wait(&w.start);
	assert_int_equal(in_child(child, &w), 0);
	atomic_store(&w.over, true);
	threads_join(&thread, 1);
	use_all();
}

/* ---- together: to fill the numbers takes its time --------------------- */

/* Each kind finds nothing of the one that had its number before. */
TEST(pools_of_high_numbers_do_what_those_of_low_ones_do)
{
	struct before b = before(5000);
	bool caches = caches_work(); /* asks for a number */

	for (size_t i = 0; i < KINDS; i++) {
		fill_numbers(5000, &kinds[i]);
		look_at(caches);
		use_in_threads();
		fork_while_others_keep();
		empty_numbers();
	}
	keep(b, 3);
}

TEST(the_pool_with_the_last_number_does_so_too)
{
	struct before b = before(LAST);
	bool caches = caches_work();

	fill_numbers(LAST, &kinds[1]);
	look_at(caches);
	use_in_threads();
	empty_numbers();
	keep(b, 1);
}

TEST(a_thread_without_memory_for_thread_caches_does_without)
{
	struct before b = before(1300);
	size_t n = 0;
	struct ibuf_pool *p;
	struct ibuf_mbuf *m;

	for (size_t i = 1; i <= 1300; i++)
		all[i] = pool_of_kind(&kinds[0]);
	p = all[1100]; /* the part for this number is nobody's so far */
	do {
		fault_at(++n);
		m = ibuf_pool_alloc(p);
		ibuf_mbuf_free(m);
	} while (fault_off());
	assert_in_range(n, 2, 20);
	assert_int_equal(use(p, MAX), 0);
	assert_books(p, 0);
	for (size_t i = 1; i <= 1300; i++)
		assert_int_equal(ibuf_pool_destroy(all[i]), 0);
	keep(b, 1);
}
