/*
 * soak.c - random work for a long time: pools, queues, threads that come and
 * go, forks, pools that end while their messages live.
 *
 *	soak SECONDS [SEED [THREADS]]
 *
 * Once a second all stand still and the books are balanced: each live message
 * is in somebody's hands or in a queue, and of each pool capacity = allocated
 * + available.  All bytes of a message are the same, so one that another
 * message's bytes got into is seen when it is freed.  In the end the slope of
 * the resident memory is printed, with its 95 % confidence; exits with 1 where
 * the books do not balance, or where the memory surely grows.
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ibuf/ibuf.h>

enum {
	POOLS = 5,
	QUEUES = 3,
	HANDS = 400,
	MOST_THREADS = 16,
	MOST_SECONDS = 90000
};

/* Surely growing: by more than that each minute, all of the confidence. */
#define GROWS_KIB 64.0

static struct ibuf_pool *pools[POOLS];
static struct ibuf_queue *queues[QUEUES];
static pthread_rwlock_t standstill; /* who works holds it for reading */
static atomic_bool over;
static atomic_ulong operations, threads_run, forks_run, pools_ended;

static struct worker {
	pthread_t thread;
	unsigned long noise;
	struct ibuf_mbuf *hands[HANDS]; /* NULL: free */
} workers[MOST_THREADS];

_Noreturn static void
die(const char *what, unsigned long seen, unsigned long expected)
{
	fprintf(stderr, "soak: %s: %lu, not %lu\n", what, seen, expected);
	_exit(1);
}

static unsigned
noise(struct worker *w, unsigned below)
{
	w->noise = w->noise * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned)(w->noise >> 33) % below;
}

/* ---- messages -------------------------------------------------------- */

static void
look_at(const struct ibuf_mbuf *m)
{
	const uint8_t *first = ibuf_mbuf_at(m, 0, NULL);

	if (ibuf_mbuf_validate(m) != 0)
		die("a message is not valid", 1, 0);
	for (const struct ibuf_mbuf *s = m; s != NULL;
	     s = ibuf_mbuf_seg_next(s))
		for (size_t i = 0; i < ibuf_mbuf_seg_len(s); i++)
			if (ibuf_mbuf_seg_data(s)[i] != *first)
				die("a byte is another message's",
				    ibuf_mbuf_seg_data(s)[i], *first);
}

static void
drop(struct ibuf_mbuf **hand)
{
	look_at(*hand);
	ibuf_mbuf_free(*hand);
	*hand = NULL;
}

/* A hand with something in it, or one without. */
static struct ibuf_mbuf **
hand(struct worker *w, bool full)
{
	unsigned at = noise(w, HANDS);

	for (unsigned i = 0; i < HANDS; i++) {
		struct ibuf_mbuf **found = &w->hands[(at + i) % HANDS];

		if ((*found != NULL) == full)
			return found;
	}
	return NULL;
}

static void
fill(struct worker *w, struct ibuf_mbuf *m)
{
	if (m != NULL && ibuf_mbuf_append_fill(m, (uint8_t)noise(w, 256),
					       1 + noise(w, 300)) != 0)
		die("no memory", 1, 0);
}

static void
take(struct worker *w)
{
	struct ibuf_mbuf **to = hand(w, false);
	struct ibuf_pool *p = pools[noise(w, POOLS)];
	const struct timespec short_time = {0, 100000};
	struct ibuf_mbuf *many[8];
	size_t n = 0;

	if (to == NULL)
		return;
	switch (noise(w, 5)) {
	case 0:
		*to = ibuf_mbuf_new(noise(w, 2000));
		break;
	case 1:
		*to = ibuf_pool_alloc_wait(p, &short_time);
		break;
	case 2:
		n = ibuf_pool_alloc_upto(p, many, 8);
		for (size_t i = 0; i < n; i++) {
			fill(w, many[i]);
			to = hand(w, false);
			if (to == NULL)
				ibuf_mbuf_free(many[i]);
			else
				*to = many[i];
		}
		return;
	default:
		*to = ibuf_pool_alloc(p);
	}
	fill(w, *to);
}

/* A second message of a first. */
static void
share(struct worker *w)
{
	struct ibuf_mbuf **of = hand(w, true), **to = hand(w, false);
	size_t len;

	if (of == NULL || to == NULL)
		return;
	len = ibuf_mbuf_len(*of);
	switch (noise(w, 4)) {
	case 0:
		*to = ibuf_mbuf_slice(*of, 0, 1 + noise(w, (unsigned)len));
		break;
	case 1:
		*to = ibuf_mbuf_copy(*of, 0, len);
		break;
	case 2:
		if (len >= 2)
			*to = ibuf_mbuf_split(*of, len / 2);
		break;
	default:
		*to = ibuf_mbuf_clone(*of);
	}
}

static void
edit(struct worker *w)
{
	struct ibuf_mbuf **of = hand(w, true);
	uint8_t byte;

	if (of == NULL || ibuf_mbuf_len(*of) > 100000)
		return;
	byte = *ibuf_mbuf_at(*of, 0, NULL);
	switch (noise(w, 5)) {
	case 0:
		if (ibuf_mbuf_append_fill(*of, byte, noise(w, 3000)) != 0)
			die("no memory", 1, 0);
		break;
	case 1:
		if (ibuf_mbuf_prepend(*of, &byte, 1) != 0)
			die("no memory", 1, 0);
		break;
	case 2:
		(void)ibuf_mbuf_trim_head(*of, ibuf_mbuf_len(*of) - 1);
		break;
	case 3:
		(void)!ibuf_mbuf_linearize(*of);
		break;
	default:
		(void)ibuf_mbuf_shrink(*of);
	}
}

/* ---- from hand to hand ------------------------------------------------ */

static void
pass(struct worker *w)
{
	struct ibuf_queue *q = queues[noise(w, QUEUES)];
	struct ibuf_mbuf **of = hand(w, true);
	const struct timespec short_time = {0, 100000};
	int error;

	if (of == NULL)
		return;
	error = noise(w, 2) == 0 ? ibuf_queue_push(q, *of)
				 : ibuf_queue_push_wait(q, *of, &short_time);
	if (error == 0)
		*of = NULL;
	else if (error != -EAGAIN && error != -ETIMEDOUT)
		die("a push gives", (unsigned long)-error, 0);
}

static void
receive(struct worker *w)
{
	struct ibuf_queue *q = queues[noise(w, QUEUES)];
	struct ibuf_mbuf **to = hand(w, false);

	if (to != NULL)
		*to = ibuf_queue_pop(q);
}

/* A pool ends while its messages live. */
static void
end_a_pool(struct worker *w)
{
	struct ibuf_pool *p = ibuf_pool_new(noise(w, 20), 100);
	struct ibuf_mbuf *ms[10];
	size_t n, alive;

	if (p == NULL)
		die("no memory", 1, 0);
	n = ibuf_pool_alloc_upto(p, ms, 8);
	ms[8] = n > 0 ? ibuf_mbuf_clone(ms[0]) : NULL;
	alive = ibuf_pool_destroy(p);
	if (alive != n)
		die("alive when a pool ends", alive, n);
	if (n > 0 && ibuf_mbuf_append_fill(ms[0], 7, 500) != 0)
		die("no memory", 1, 0);
	ibuf_mbuf_free_bulk(ms, n);
	ibuf_mbuf_free(ms[8]);
	pools_ended++;
}

/* The child uses all there is, and leaves. */
static void
fork_a_child(struct worker *w)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(60);
		for (int i = 0; i < POOLS; i++)
			ibuf_mbuf_free(ibuf_pool_alloc(pools[i]));
		for (int i = 0; i < QUEUES; i++)
			ibuf_mbuf_free(ibuf_queue_pop(queues[i]));
		for (int i = 0; i < 20; i++) {
			take(w);
			share(w);
		}
		for (int i = 0; i < HANDS; i++)
			if (w->hands[i] != NULL)
				drop(&w->hands[i]);
		_exit(0);
	}
	if (child < 0)
		return; /* too many processes here */
	if (waitpid(child, &status, 0) != child || status != 0)
		die("a child ends with", (unsigned long)status, 0);
	forks_run++;
}

static void
work(struct worker *w)
{
	unsigned what = noise(w, 20000);
	struct ibuf_mbuf **of;

	if (what == 0)
		fork_a_child(w);
	else if (what < 10)
		end_a_pool(w);
	else if (what < 30)
		(void)ibuf_pool_trim(pools[noise(w, POOLS)]);
	else if (what < 60)
		ibuf_pool_flush(pools[noise(w, POOLS)]);
	else if (what < 70)
		(void)!ibuf_pool_reserve(pools[noise(w, POOLS)], noise(w, 50));
	else if (what < 6000)
		take(w);
	else if (what < 9000)
		share(w);
	else if (what < 12000)
		edit(w);
	else if (what < 14000)
		pass(w);
	else if (what < 16000)
		receive(w);
	else if ((of = hand(w, true)) != NULL)
		drop(of);
	operations++;
}

/* A thread lives for some operations; what it has goes to the next. */
static void *
live(void *arg)
{
	struct worker *w = arg;
	unsigned long left = 1000 + noise(w, 100000);

	while (left-- > 0 && !over) {
		pthread_rwlock_rdlock(&standstill);
		work(w);
		pthread_rwlock_unlock(&standstill);
	}
	threads_run++;
	return NULL;
}

static void *
live_again(void *arg)
{
	pthread_t thread;

	while (!over) {
		if (pthread_create(&thread, NULL, live, arg) != 0)
			die("no thread", 1, 0);
		pthread_join(thread, NULL);
	}
	return NULL;
}

/* ---- the books --------------------------------------------------------- */

static void
count(const struct ibuf_mbuf *m, void *arg)
{
	look_at(m);
	++*(size_t *)arg;
}

static void
balance(unsigned threads)
{
	size_t held = 0, live = 0;

	for (unsigned t = 0; t < threads; t++)
		for (int i = 0; i < HANDS; i++)
			held += workers[t].hands[i] != NULL;
	for (int i = 0; i < QUEUES; i++)
		held += ibuf_queue_len(queues[i]);
	(void)ibuf_pool_walk(NULL, count, &live);
	for (int i = 0; i < POOLS; i++) {
		struct ibuf_pool_stats s;

		(void)ibuf_pool_walk(pools[i], count, &live);
		(void)ibuf_pool_get_stats(pools[i], &s, sizeof(s));
		if (s.capacity != s.allocated + s.available)
			die("capacity of a pool", s.capacity,
			    s.allocated + s.available);
		if (s.allocs - s.frees != s.allocated)
			die("allocs - frees", s.allocs - s.frees, s.allocated);
	}
	if (live != held)
		die("messages that live", live, held);
}

static double
resident_kib(void)
{
	unsigned long size, resident;
	FILE *statm = fopen("/proc/self/statm", "r");

	if (statm == NULL || fscanf(statm, "%lu %lu", &size, &resident) != 2)
		die("no /proc", 1, 0);
	fclose(statm);
	return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static double samples[MOST_SECONDS];

/* By least squares over the last three quarters; true: it surely grows.  The
   samples depend on those before, so their number counts less: by that of
   the correlation of neighbours. */
static bool
slope(size_t n)
{
	size_t from = n / 4;
	double m = (double)(n - from), sx = 0, sy = 0, xx = 0, xy = 0, rest = 0;
	double near = 0, before = 0, per_second, error, few;

	if (m < 10) {
		puts("soak: too short for a slope");
		return false;
	}
	for (size_t i = from; i < n; i++) {
		sx += (double)i / m;
		sy += samples[i] / m;
	}
	for (size_t i = from; i < n; i++) {
		xx += ((double)i - sx) * ((double)i - sx);
		xy += ((double)i - sx) * (samples[i] - sy);
	}
	per_second = xy / xx;
	for (size_t i = from; i < n; i++) {
		double r = samples[i] - sy - per_second * ((double)i - sx);

		rest += r * r;
		near += i > from ? r * before : 0;
		before = r;
	}
	near = rest > 0 ? near / rest : 0;
	if (near < 0)
		near = 0;
	few = m * (1 - near) / (1 + near);
	if (few < 3)
		few = 3;
	error = 1.96 * sqrt(rest / (few - 2) / (xx * few / m));
	printf("soak: resident %.0f KiB at first, %.0f KiB in the end; slope "
	       "%+.1f KiB a minute, 95 %% between %+.1f and %+.1f\n",
	       samples[from], samples[n - 1], per_second * 60,
	       (per_second - error) * 60, (per_second + error) * 60);
	return (per_second - error) * 60 > GROWS_KIB;
}

static void
make_pools(void)
{
	for (unsigned i = 0; i < POOLS; i++) {
		struct ibuf_pool_options options = IBUF_POOL_OPTIONS_INIT;

		options.capacity = 64u << i;
		options.private_size = i == 1 ? 32 : 0;
		options.cache = i == 4 ? 0 : IBUF_POOL_CACHE_AUTO;
		options.max = i == 2 || i == 3 ? 500 : 0;
		options.flags = i == 1   ? IBUF_POOL_F_WIPE
				: i == 2 ? IBUF_POOL_F_WAIT
					 : 0;
		if (ibuf_pool_create(&pools[i], &options) != 0)
			die("no pool", 1, 0);
	}
	for (unsigned i = 0; i < QUEUES; i++)
		if (ibuf_queue_create(&queues[i], 16u << (2 * i), 0) != 0)
			die("no queue", 1, 0);
}

int
main(int argc, char **argv)
{
	const struct timespec second = {1, 0};
	size_t seconds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, n = 0;
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	unsigned threads = argc > 3 ? (unsigned)atoi(argv[3]) : 4;
	pthread_rwlockattr_t how;
	bool grows;

	if (seconds == 0 || seconds > MOST_SECONDS || threads == 0 ||
	    threads > MOST_THREADS) {
		fputs("usage: soak SECONDS [SEED [THREADS]]\n", stderr);
		return 2;
	}
	pthread_rwlockattr_init(&how);
#ifdef __GLIBC__
	pthread_rwlockattr_setkind_np(
		&how, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
	pthread_rwlock_init(&standstill, &how);
	make_pools();
	for (unsigned t = 0; t < threads; t++) {
		workers[t].noise = seed * MOST_THREADS + t;
		if (pthread_create(&workers[t].thread, NULL, live_again,
				   &workers[t]) != 0)
			die("no thread", 1, 0);
	}
	while (n < seconds) {
		nanosleep(&second, NULL);
		pthread_rwlock_wrlock(&standstill);
		balance(threads);
		samples[n++] = resident_kib();
		pthread_rwlock_unlock(&standstill);
	}
	over = true;
	for (unsigned t = 0; t < threads; t++)
		pthread_join(workers[t].thread, NULL);
	balance(threads);
	printf("soak: seed %lu, %u threads at a time, %zu s: %lu operations, "
	       "%lu threads, %lu forks, %lu pools ended; the books balanced "
	       "%zu times\n",
	       seed, threads, seconds, operations, threads_run, forks_run,
	       pools_ended, n + 1);
	grows = slope(n);
	for (unsigned t = 0; t < threads; t++)
		for (int i = 0; i < HANDS; i++)
			if (workers[t].hands[i] != NULL)
				drop(&workers[t].hands[i]);
	for (int i = 0; i < QUEUES; i++)
		ibuf_queue_destroy(queues[i]);
	for (int i = 0; i < POOLS; i++)
		if (ibuf_pool_destroy(pools[i]) != 0)
			die("alive when all is freed", 1, 0);
	return grows;
}
