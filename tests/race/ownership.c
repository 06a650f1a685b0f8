/*
 * ownership.c - an mbuf has one owner at a time.
 *
 * Each mbuf has a stamp.  Who gets it from the pool exchanges 0 for its
 * own number; who gets it from another thread, that one's number for its
 * own; who frees it, its own for 0.  An mbuf that is handed out twice, or
 * comes out of a free list while it is in use, shows by the stamp that was
 * there.
 */
#include "race.h"

enum { THREADS = 4, MAX = 256, BOXES = 32, KEPT = 24 };

static struct ibuf_pool *pool;

/* The one slab of the pool. */
static uint8_t *slab;
static size_t slab_size;
static atomic_uint *stamps; /* one for each 64 bytes of the slab */

/* Messages on their way from thread to thread. */
static _Atomic(struct ibuf_mbuf *) boxes[BOXES];

static void *
map_once(size_t size, size_t alignment, void *context)
{
	(void)context;
	if (slab != NULL)
		return NULL;
	slab = ibuf_provider_pages()->map(size, alignment, NULL);
	slab_size = size;
	return slab;
}

static void
unmap_once(void *base, size_t size, void *context)
{
	(void)context;
	ibuf_provider_pages()->unmap(base, size, NULL);
	slab = NULL;
}

static void
stamp(const struct ibuf_mbuf *m, unsigned was, unsigned is, uint64_t cycle)
{
	atomic_uint *at = &stamps[((uintptr_t)m - (uintptr_t)slab) / 64];

	check(atomic_exchange_explicit(at, is, memory_order_relaxed) == was,
	      cycle);
}

struct thread {
	unsigned number; /* from 1 on */
	uint32_t random;
	struct ibuf_mbuf *kept[KEPT];
	uint64_t cycle;
};

/* From the pool, written in, by a plain store that nobody may race with. */
static void
fill(struct thread *t, struct ibuf_mbuf *m)
{
	stamp(m, 0, t->number, t->cycle);
	check(ibuf_mbuf_len(m) == 0, t->cycle);
	check(ibuf_mbuf_append(m, &t->number, sizeof(t->number)) == 0,
	      t->cycle);
}

static void
let_go(struct thread *t, struct ibuf_mbuf *m)
{
	unsigned number;

	check(ibuf_mbuf_read(m, &number, sizeof(number)) == sizeof(number),
	      t->cycle);
	check(number == t->number, t->cycle);
	stamp(m, t->number, 0, t->cycle);
	ibuf_mbuf_free(m);
}

/* Exchange a message of this thread's for one of another's, or for none. */
static struct ibuf_mbuf *
hand_on(struct thread *t, struct ibuf_mbuf *m)
{
	unsigned number;

	m = atomic_exchange_explicit(&boxes[race_random(&t->random) % BOXES], m,
				     memory_order_acq_rel);
	if (m == NULL)
		return NULL;
	check(ibuf_mbuf_copy_out(m, 0, &number, sizeof(number)) == 0, t->cycle);
	stamp(m, number, t->number, t->cycle);
	check(ibuf_mbuf_write_at(m, 0, &t->number, sizeof(number)) == 0,
	      t->cycle);
	return m;
}

/* Change many at once. */
static void
change_many(struct thread *t, size_t n)
{
	size_t got;

	for (size_t i = 0; i < n; i++)
		if (t->kept[i] != NULL)
			let_go(t, t->kept[i]);
	if (n % 2 == 0)
		got = ibuf_pool_alloc_upto(pool, t->kept, n);
	else
		got = ibuf_pool_alloc_bulk(pool, t->kept, n) == 0 ? n : 0;
	for (size_t i = 0; i < n; i++)
		if (i < got)
			fill(t, t->kept[i]);
		else
			t->kept[i] = NULL;
}

static void *
run(void *arg)
{
	struct thread *t = arg;

	for (t->cycle = 0; t->cycle < race_cycles / THREADS; t->cycle++) {
		uint32_t random = race_random(&t->random);
		struct ibuf_mbuf **place = &t->kept[random % KEPT];

		if (random >> 16 < 200) {
			change_many(t, 1 + random % KEPT);
		} else if (random >> 31 != 0 && *place != NULL) {
			*place = hand_on(t, *place);
		} else if (*place != NULL) {
			let_go(t, *place);
			*place = NULL;
		} else {
			*place = ibuf_pool_alloc(pool);
			if (*place != NULL)
				fill(t, *place);
		}
	}
	for (size_t i = 0; i < KEPT; i++)
		if (t->kept[i] != NULL)
			let_go(t, t->kept[i]);
	return NULL;
}

/* Nobody has anything; the pool must have all. */
static void
check_conservation(void)
{
	struct ibuf_mbuf *ms[MAX + 1];

	for (size_t i = 0; i < BOXES; i++)
		if (boxes[i] != NULL) {
			stamp(boxes[i],
			      *(const unsigned *)(const void *)ibuf_mbuf_data(
				      boxes[i]),
			      0, 0);
			ibuf_mbuf_free(atomic_exchange(&boxes[i], NULL));
		}
	race_check_books(pool, 0);
	for (size_t i = 0; i < slab_size / 64; i++)
		check(stamps[i] == 0, i);
	check(ibuf_pool_alloc_upto(pool, ms, MAX + 1) == MAX, 0);
	ibuf_mbuf_free_bulk(ms, MAX);
	race_check_books(pool, 0);
}

int
main(int argc, char **argv)
{
	static const size_t caches[] = {0, 3, 32, IBUF_POOL_CACHE_AUTO};
	static const struct ibuf_provider provider = {map_once, unmap_once,
						      NULL};

	race_arguments(argc, argv, 400000);
	for (size_t c = 0; c < sizeof(caches) / sizeof(caches[0]); c++) {
		struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
		struct thread ts[THREADS] = {{.number = 0}};

		o.capacity = 64;
		o.initial = MAX;
		o.max = MAX;
		o.cache = caches[c];
		o.provider = &provider;
		check(ibuf_pool_create(&pool, &o) == 0, 0);
		stamps = calloc(slab_size / 64 + 1, sizeof(*stamps));
		check(stamps != NULL, 0);
		for (unsigned i = 0; i < THREADS; i++) {
			ts[i].number = i + 1;
			ts[i].random = race_random_init(i);
		}
		race_run(THREADS, run, ts, sizeof(ts[0]));
		check_conservation();
		check(ibuf_pool_destroy(pool) == 0, 0);
		check(slab == NULL, 0);
		free(stamps);
	}
	return 0;
}
