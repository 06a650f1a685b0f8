/*
 * queue.c - many producers and consumers of one queue, in each way there is
 * to push and to pop, while it is closed and while some who wait are
 * cancelled.
 *
 * A message bears a stamp of its producer and a number, in plain bytes: who
 * has it writes it without any other order than the queue's.  Seen: each
 * message comes out once; those of a producer come in order; what was pushed
 * was popped when pop_wait says that no more will come.  A wake that is lost
 * leaves all asleep; then the alarm ends the program.
 */
#include "race.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { SIDE = 3, BULK = 5, NOBODY = 999 };

struct stamp {
	uint32_t producer, number;
};

static struct ibuf_queue *queue;
static size_t capacity;
static atomic_uint_fast64_t pushed, popped;
static atomic_bool over; /* no more are to be pushed or cancelled */

struct worker {
	uint32_t id, random;
	uint64_t left;
	uint32_t seen[SIDE]; /* the next number of each producer, at least */
};

#define add(counter, n)                                                        \
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed)

/* ---- messages ------------------------------------------------------- */

static struct ibuf_mbuf *
stamped(uint32_t producer, uint32_t number)
{
	struct stamp stamp = {producer, number};
	struct ibuf_mbuf *m = ibuf_mbuf_from(&stamp, sizeof(stamp));

	check(m != NULL, number);
	return m;
}

/* It is ours alone, and in its producer's order. */
static void
take_over(struct worker *w, struct ibuf_mbuf *m)
{
	struct stamp *stamp = (struct stamp *)(void *)ibuf_mbuf_data_mut(m);

	check(stamp != NULL, w->left);
	check(stamp->producer <= SIDE, w->left);
	if (stamp->producer < SIDE) {
		check(stamp->number >= w->seen[stamp->producer], w->left);
		w->seen[stamp->producer] = stamp->number + 1;
	}
	stamp->producer = NOBODY;
	add(&popped, 1);
	ibuf_mbuf_free(m);
}

/* ---- those who push ------------------------------------------------- */

static const struct timespec moment = {.tv_nsec = 20000};

/* Push a bulk of new messages; gives how many went in. */
static uint64_t
push_bulk(struct worker *w, uint32_t number)
{
	struct ibuf_mbuf *ms[BULK];
	size_t n = race_random(&w->random) % BULK + 1, done;

	for (uint32_t i = 0; i < n; i++)
		ms[i] = stamped(w->id, number + i);
	done = ibuf_queue_push_bulk(queue, ms, n);
	ibuf_mbuf_free_bulk(ms + done, n - done);
	return done;
}

static void *
push(void *arg)
{
	struct worker *w = arg;
	uint32_t number = 0;
	int error = 0;

	while (number < w->left && error != -EPIPE) {
		uint32_t way = race_random(&w->random) % 4;
		struct ibuf_mbuf *m;

		check(ibuf_queue_len(queue) <= capacity, w->left);
		if (way == 0) {
			uint64_t done = push_bulk(w, number);

			add(&pushed, done);
			number += (uint32_t)done;
			continue;
		}
		m = stamped(w->id, number);
		if (way == 1)
			error = ibuf_queue_push(queue, m);
		else
			error = ibuf_queue_push_wait(queue, m,
						     way == 2 ? &moment : NULL);
		if (error == 0) {
			add(&pushed, 1);
			number++;
		} else {
			ibuf_mbuf_free(m);
		}
	}
	return NULL;
}

/* ---- those who pop -------------------------------------------------- */

static void *
pop(void *arg)
{
	struct pollfd p = {.fd = ibuf_queue_fd(queue), .events = POLLIN};
	struct ibuf_mbuf *ms[BULK];
	struct worker *w = arg;
	int error = 0;

	while (error != -EPIPE) {
		uint32_t way = race_random(&w->random) % 4;
		size_t n = 0;

		if (way == 0)
			n = ibuf_queue_pop_bulk(queue, ms, BULK);
		else if (way == 1)
			n = (ms[0] = ibuf_queue_pop(queue)) != NULL;
		else
			n = (error = ibuf_queue_pop_wait(
				     queue, ms, way == 2 ? &moment : NULL)) ==
			    0;
		for (size_t i = 0; i < n; i++)
			take_over(w, ms[i]);
		if (n == 0 && way < 2)
			check(poll(&p, 1, -1) == 1, w->left);
	}
	return NULL;
}

/* ---- those who are cancelled ---------------------------------------- */

static void
free_it(void *m)
{
	ibuf_mbuf_free(m);
}

/* Push and pop until the queue is closed, or a wait is cancelled. */
static void *
wait_for_ever(void *arg)
{
	struct worker *w = arg;
	int error = 0;

	while (error == 0) {
		struct ibuf_mbuf *m = stamped(SIDE, 0);

		pthread_cleanup_push(free_it, m);
		error = ibuf_queue_push_wait(queue, m, NULL);
		pthread_cleanup_pop(error != 0);
		if (error == 0) {
			add(&pushed, 1);
			error = ibuf_queue_pop_wait(queue, &m, NULL);
		}
		if (error == 0)
			take_over(w, m);
	}
	return NULL;
}

static void *
cancel(void *arg)
{
	struct worker *w = arg;

	while (!over) {
		struct worker victim = {.id = SIDE, .random = w->random | 1};
		pthread_t thread;

		check(pthread_create(&thread, NULL, wait_for_ever, &victim) ==
			      0,
		      0);
		for (uint32_t n = race_random(&w->random) % 65536; n != 0; n--)
			__asm__ volatile("");
		check(pthread_cancel(thread) == 0, 0);
		check(pthread_join(thread, NULL) == 0, 0);
	}
	return NULL;
}

/* ---- rounds --------------------------------------------------------- */

static void
start(pthread_t *thread, void *(*body)(void *), struct worker *w)
{
	check(pthread_create(thread, NULL, body, w) == 0, 0);
}

static void
join(const pthread_t *threads, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(pthread_join(threads[i], NULL) == 0, 0);
}

/* Close it behind the last push, or in the midst of them. */
static void
run_round(uint32_t *random, unsigned flags, size_t producers, size_t consumers)
{
	pthread_t pushes[SIDE], pops[SIDE], canceller;
	struct worker ws[2 * SIDE + 1] = {{0}};
	bool early = race_random(random) % 2 == 0;

	for (uint32_t i = 0; i < 2 * SIDE + 1; i++)
		ws[i] = (struct worker){.id = i,
					.random = race_random(random) | 1,
					.left = early ? UINT32_MAX : 300};
	over = false;
	for (size_t i = 0; i < consumers; i++)
		start(&pops[i], pop, &ws[SIDE + i]);
	for (size_t i = 0; i < producers; i++)
		start(&pushes[i], push, &ws[i]);
	if (flags == 0)
		start(&canceller, cancel, &ws[2 * SIDE]);
	if (early)
		usleep(race_random(random) % 3000);
	else
		join(pushes, producers);
	ibuf_queue_close(queue);
	over = true;
	if (flags == 0)
		join(&canceller, 1);
	if (early)
		join(pushes, producers);
	join(pops, consumers);
}

int
main(int argc, char **argv)
{
	uint32_t random;

	race_arguments(argc, argv, 200);
	random = race_random_init(0);
	alarm((unsigned)(120 + race_cycles));
	for (uint64_t i = 0; i < race_cycles; i++) {
		unsigned flags = race_random(&random) % 4;
		bool one_pushes = flags & IBUF_QUEUE_F_SINGLE_PRODUCER;
		bool one_pops = flags & IBUF_QUEUE_F_SINGLE_CONSUMER;

		pushed = popped = 0;
		capacity = race_random(&random) % 9 + 1;
		check(ibuf_queue_create(&queue, capacity, flags) == 0, i);
		run_round(&random, flags, one_pushes ? 1 : SIDE,
			  one_pops ? 1 : SIDE);
		check(pushed == popped, i);
		check(ibuf_queue_len(queue) == 0, i);
		ibuf_queue_destroy(queue);
	}
	return 0;
}
