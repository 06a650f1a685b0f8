/*
 * orphans.c - messages are cloned, moved, handed on and freed while their
 * pool is destroyed and the next one takes its number, and often its address.
 *
 * Each cycle's pool must give back all of its memory, each piece once, when
 * the last of its messages is gone; and no thread may mix up the old and the
 * new.  Some cycles run beside so many pools that theirs has a high number.
 */
#include "race.h"

enum { THREADS = 3, EACH = 6, BOXES = 4, CROWD = 260 };

/* What a pool has mapped; a context of its own, since two may live at once. */
struct ledger {
	atomic_size_t bytes, pieces;
};

static void *
map(size_t size, size_t alignment, void *context)
{
	struct ledger *l = context;
	void *base = ibuf_provider_heap()->map(size, alignment, NULL);

	if (base != NULL) {
		atomic_fetch_add_explicit(&l->bytes, size,
					  memory_order_relaxed);
		atomic_fetch_add_explicit(&l->pieces, 1, memory_order_relaxed);
	}
	return base;
}

static void
unmap(void *base, size_t size, void *context)
{
	struct ledger *l = context;

	check(atomic_fetch_sub_explicit(&l->pieces, 1, memory_order_relaxed) !=
		      0,
	      0);
	check(atomic_fetch_sub_explicit(&l->bytes, size,
					memory_order_relaxed) >= size,
	      0);
	ibuf_provider_heap()->unmap(base, size, NULL);
}

static struct ibuf_pool *
make(struct ledger *ledger, uint64_t cycle)
{
	static const size_t caches[] = {8, 0, 1, 3};
	struct ibuf_provider provider = {map, unmap, ledger};
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	struct ibuf_pool *p;

	o.capacity = 64;
	o.cache = caches[cycle % 4];
	o.private_size = cycle % 5 == 0 ? 8 : 0;
	o.flags = cycle % 3 == 0 ? IBUF_POOL_F_WIPE : 0;
	o.provider = &provider;
	check(ibuf_pool_create(&p, &o) == 0, cycle);
	return p;
}

static struct ibuf_pool *pool, *next;
static _Atomic(struct ibuf_mbuf *) boxes[BOXES];
static pthread_barrier_t met;

struct user {
	uint32_t random;
	uint64_t cycle;
};

/* Its bytes are what who made it wrote, and what others added. */
static void
look(const struct ibuf_mbuf *m, uint64_t cycle)
{
	const uint8_t *bytes = ibuf_mbuf_data(m);

	check(ibuf_mbuf_len(m) >= 8, cycle);
	for (size_t i = 1; i < ibuf_mbuf_len(m); i++)
		check(bytes[i] == bytes[0], cycle);
}

/* Do one of all the things that can be done to an orphan. */
static struct ibuf_mbuf *
handle(struct user *u, struct ibuf_mbuf *m)
{
	uint32_t what = race_random(&u->random) >> 8;
	struct ibuf_mbuf *clone;

	look(m, u->cycle);
	switch (what % 6) {
	case 0:
		clone = ibuf_mbuf_clone(m);
		check(clone != NULL, u->cycle);
		if (what & 64)
			ibuf_mbuf_free(m);
		else
			ibuf_mbuf_free(clone);
		return what & 64 ? clone : m;
	case 1:
		clone = ibuf_mbuf_clone(m);
		check(clone != NULL, u->cycle);
		clone = atomic_exchange_explicit(&boxes[what / 64 % BOXES],
						 clone, memory_order_acq_rel);
		ibuf_mbuf_free(clone);
		return m;
	case 2:
		check(ibuf_mbuf_unshare(m) == 0, u->cycle);
		memset(ibuf_mbuf_data_mut(m), (int)what, ibuf_mbuf_len(m));
		return m;
	case 3:
		check(ibuf_mbuf_append_fill(m, *ibuf_mbuf_data(m), 40) == 0,
		      u->cycle);
		return m;
	case 4:
		ibuf_mbuf_free(m);
		return NULL;
	default:
		return atomic_exchange_explicit(&boxes[what / 64 % BOXES], m,
						memory_order_acq_rel);
	}
}

static struct ibuf_mbuf *
fresh(struct ibuf_pool *p, struct user *u)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(p);

	check(m != NULL, u->cycle);
	check(ibuf_mbuf_pool(m) == p, u->cycle);
	check(ibuf_mbuf_len(m) == 0, u->cycle);
	check(ibuf_mbuf_append_fill(m, (uint8_t)race_random(&u->random), 8) ==
		      0,
	      u->cycle);
	return m;
}

static void *
use(void *arg)
{
	struct user *u = arg;
	struct ibuf_mbuf *old[EACH], *new[EACH];

	for (size_t i = 0; i < EACH; i++)
		old[i] = fresh(pool, u);
	ibuf_mbuf_free(fresh(pool, u));
	pthread_barrier_wait(&met); /* from here on the pool may end */
	for (size_t i = 0; i < EACH / 2; i++)
		while (old[i] != NULL && race_random(&u->random) % 8 != 0)
			old[i] = handle(u, old[i]);
	pthread_barrier_wait(&met); /* the next one is there */
	for (size_t i = 0; i < EACH; i++) {
		new[i] = fresh(next, u);
		if (old[i] != NULL)
			old[i] = handle(u, old[i]);
	}
	for (size_t i = 0; i < EACH; i++) {
		ibuf_mbuf_free(new[i]);
		ibuf_mbuf_free(old[i]);
	}
	return NULL;
}

static void
run(uint64_t cycle)
{
	struct ledger old = {0}, new = {0};
	struct user us[THREADS];
	pthread_t threads[THREADS];

	pool = make(&old, cycle);
	for (uint32_t i = 0; i < THREADS; i++) {
		us[i] = (struct user){race_random_init(i) ^
					      ((uint32_t)cycle << 8 | 1),
				      cycle};
		check(pthread_create(&threads[i], NULL, use, &us[i]) == 0,
		      cycle);
	}
	pthread_barrier_wait(&met);
	(void)ibuf_pool_destroy(pool);
	next = make(&new, cycle / 2);
	pthread_barrier_wait(&met);
	for (size_t i = 0; i < THREADS; i++)
		check(pthread_join(threads[i], NULL) == 0, cycle);
	for (size_t i = 0; i < BOXES; i++)
		ibuf_mbuf_free(atomic_exchange(&boxes[i], NULL));
	check(atomic_load(&old.pieces) == 0, cycle);
	check(atomic_load(&old.bytes) == 0, cycle);
	race_check_books(next, cycle);
	check(ibuf_pool_destroy(next) == 0, cycle);
	check(atomic_load(&new.bytes) == 0, cycle);
}

int
main(int argc, char **argv)
{
	struct ibuf_pool *crowd[CROWD];

	race_arguments(argc, argv, 2000);
	check(pthread_barrier_init(&met, NULL, THREADS + 1) == 0, 0);
	for (uint64_t cycle = 0; cycle < race_cycles / 4 * 3; cycle++)
		run(cycle);
	for (size_t i = 0; i < CROWD; i++)
		check((crowd[i] = ibuf_pool_new(0, 64)) != NULL, i);
	for (uint64_t cycle = 0; cycle < race_cycles / 4; cycle++)
		run(cycle);
	for (size_t i = 0; i < CROWD; i++)
		check(ibuf_pool_destroy(crowd[i]) == 0, i);
	pthread_barrier_destroy(&met);
	return 0;
}
