/*
 * references.c - a room goes when its last segment goes, whoever drops it.
 *
 * Each cycle makes messages with a random number of segments on their rooms,
 * by clone, slice and split, and lets four threads drop them at once, some
 * after an edit: in every second cycle each thread its share of each room,
 * at about the same time; in the others in any order.  Then the pool is full
 * again, and each wrapped room was released once.
 */
#include "race.h"

enum { THREADS = 4, MESSAGES = 128, MOST = 12 };

static struct ibuf_pool *pool;
static uint64_t cycle; /* race_cycles: there is no other */
static struct ibuf_mbuf *segments[MESSAGES * MOST];
static size_t n_segments;
static uint8_t wrapped[MESSAGES][64];
static int released[MESSAGES]; /* plain: one thread each may touch it */

static void
release(void *bytes, size_t len, void *arg)
{
	(void)len;
	/* The others have read; now the bytes are the caller's again. */
	memset(bytes, 0xdd, 64);
	++*(int *)arg;
}

/* A message of 64 bytes that all say i, in one of three kinds of room. */
static struct ibuf_mbuf *
message_of(size_t i)
{
	struct ibuf_mbuf *m;

	released[i] = 0;
	if (i % 3 == 2) {
		memset(wrapped[i], (int)i, 64);
		m = ibuf_mbuf_wrap(wrapped[i], 64, release, &released[i]);
		check(m != NULL, cycle);
		return m;
	}
	m = i % 3 == 0 ? ibuf_pool_alloc(pool) : ibuf_mbuf_new(64);
	check(m != NULL && ibuf_mbuf_append_fill(m, (uint8_t)i, 64) == 0,
	      cycle);
	return m;
}

/* One more segment on a room, by any of the ways there are. */
static struct ibuf_mbuf *
segment_on(struct ibuf_mbuf *m, uint32_t random)
{
	size_t len = ibuf_mbuf_len(m);
	struct ibuf_mbuf *w;

	switch (random % 4) {
	case 0:
		w = ibuf_mbuf_clone(m);
		break;
	case 1:
		w = ibuf_mbuf_slice(m, len / 4, len / 2);
		break;
	case 2:
		w = ibuf_mbuf_split(m, len / 2);
		break;
	default:
		if (ibuf_mbuf_split_front(m, len / 2, &w) != 0)
			w = NULL;
		break;
	}
	check(w != NULL, cycle);
	return w;
}

static void
shuffle_windows(uint32_t *random)
{
	for (size_t i = n_segments; i > 1; i--) {
		size_t k = race_random(random) % i;
		struct ibuf_mbuf *other = segments[k];

		segments[k] = segments[i - 1];
		segments[i - 1] = other;
	}
}

static void
make_windows(uint32_t *random)
{
	n_segments = 0;
	for (size_t i = 0; i < MESSAGES; i++) {
		size_t first = n_segments;
		size_t n = 1 + race_random(random) % MOST;

		segments[n_segments++] = message_of(i);
		while (n_segments - first < n) {
			size_t of = first +
				    race_random(random) % (n_segments - first);

			segments[n_segments++] =
				segment_on(segments[of], race_random(random));
		}
	}
}

/* All bytes of a segment say the same, whatever others did to theirs. */
static void
check_bytes(const struct ibuf_mbuf *w)
{
	const uint8_t *bytes = ibuf_mbuf_data(w);
	size_t len = ibuf_mbuf_len(w);

	check(ibuf_mbuf_validate(w) == 0, cycle);
	for (size_t i = 1; i < len; i++)
		check(bytes[i] == bytes[0] && bytes[i] < MESSAGES, cycle);
}

struct dropper {
	size_t from;
	uint32_t random;
};

/* When a cycle's segments are made, and when all are dropped. */
static pthread_barrier_t made, dropped;

static void
drop(struct dropper *d, struct ibuf_mbuf *w)
{
	uint8_t byte;

	switch (race_random(&d->random) % 4) {
	case 0:
		check_bytes(w);
		byte = ibuf_mbuf_len(w) != 0 ? *ibuf_mbuf_data(w) : 0;
		check(ibuf_mbuf_append(w, &byte, 1) == 0, cycle);
		check_bytes(w);
		break;
	case 1:
		/* In place only when the others have read and gone. */
		check(ibuf_mbuf_unshare(w) == 0, cycle);
		memset(ibuf_mbuf_data_mut(w), 1, ibuf_mbuf_len(w));
		check_bytes(w);
		break;
	default:
		check_bytes(w);
		break;
	}
	ibuf_mbuf_free(w);
}

static void *
drop_all(void *arg)
{
	struct dropper *d = arg;

	for (;;) {
		pthread_barrier_wait(&made);
		if (cycle == race_cycles)
			return NULL;
		for (size_t i = d->from; i < n_segments; i += THREADS)
			drop(d, segments[i]);
		pthread_barrier_wait(&dropped);
	}
}

static void *
make_all(void *arg)
{
	uint32_t random = race_random_init(THREADS);

	(void)arg;
	for (cycle = 0; cycle < race_cycles; cycle++) {
		make_windows(&random);
		if (cycle % 2 != 0)
			shuffle_windows(&random);
		pthread_barrier_wait(&made);
		pthread_barrier_wait(&dropped);
		race_check_books(pool, cycle);
		for (size_t i = 2; i < MESSAGES; i += 3)
			check(released[i] == 1, cycle);
	}
	pthread_barrier_wait(&made);
	return NULL;
}

int
main(int argc, char **argv)
{
	struct dropper ds[THREADS];
	pthread_t maker;

	race_arguments(argc, argv, 2000);
	pool = ibuf_pool_new(MESSAGES, 64);
	check(pool != NULL, 0);
	check(pthread_barrier_init(&made, NULL, THREADS + 1) == 0, 0);
	check(pthread_barrier_init(&dropped, NULL, THREADS + 1) == 0, 0);
	check(pthread_create(&maker, NULL, make_all, NULL) == 0, 0);
	for (uint32_t i = 0; i < THREADS; i++)
		ds[i] = (struct dropper){i, race_random_init(i)};
	race_run(THREADS, drop_all, ds, sizeof(ds[0]));
	check(pthread_join(maker, NULL) == 0, 0);
	pthread_barrier_destroy(&made);
	pthread_barrier_destroy(&dropped);
	check(ibuf_pool_destroy(pool) == 0, 0);
	return 0;
}
