/*
 * bulk.c - a queue is closed, or a process forks, while another thread pushes
 * so many messages at once that it happens in the middle of a push.
 *
 * The queue holds them all or none: what was said to be pushed can be popped,
 * and after -EPIPE nothing comes.
 */
#include "race.h"

#include <errno.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 200000 };

static struct ibuf_queue *queue;
static struct ibuf_mbuf *pushed[MANY], *popped[MANY];
static atomic_bool over;
static atomic_size_t total;

static void *
push_until_closed(void *arg)
{
	size_t n;

	(void)arg;
	do {
		n = ibuf_queue_push_bulk(queue, pushed, MANY);
		atomic_fetch_add_explicit(&total, n, memory_order_relaxed);
	} while (!atomic_load_explicit(&over, memory_order_relaxed));
	return NULL;
}

static void
close_in_the_middle(uint64_t cycle)
{
	struct ibuf_mbuf *m;
	pthread_t thread;
	size_t got;

	atomic_store(&over, false);
	atomic_store(&total, 0);
	check(ibuf_queue_create(&queue, MANY, cycle % 4) == 0, cycle);
	check(pthread_create(&thread, NULL, push_until_closed, NULL) == 0,
	      cycle);
	while (cycle % 2 != 0 && atomic_load(&total) == 0)
		sched_yield();
	got = ibuf_queue_pop_bulk(queue, popped, MANY);
	usleep((useconds_t)(cycle % 7 * 3));
	ibuf_queue_close(queue);
	atomic_store(&over, true);
	while (ibuf_queue_pop_wait(queue, &m, NULL) == 0)
		got++;
	check(ibuf_queue_len(queue) == 0, cycle);
	check(pthread_join(thread, NULL) == 0, cycle);
	check(ibuf_queue_pop(queue) == NULL, cycle);
	check(got == atomic_load(&total), cycle);
	ibuf_queue_destroy(queue);
}

static void *
pop_until_over(void *arg)
{
	(void)arg;
	while (!atomic_load_explicit(&over, memory_order_relaxed))
		ibuf_queue_pop_bulk(queue, popped, MANY);
	return NULL;
}

/* The child has what was pushed, and the queue works. */
static void
child(uint64_t cycle)
{
	size_t len = ibuf_queue_len(queue), n = 0;

	alarm(30);
	while (ibuf_queue_pop(queue) != NULL)
		n++;
	check(n == len, cycle);
	if (cycle % 2 == 0) {
		check(ibuf_queue_push_bulk(queue, pushed, MANY) == MANY, cycle);
		check(ibuf_queue_pop_bulk(queue, popped, MANY) == MANY, cycle);
	}
	ibuf_queue_close(queue); /* which awaits the pushes that are begun */
	ibuf_queue_destroy(queue);
	_exit(0);
}

static void
fork_in_the_middle(uint64_t cycles)
{
	pthread_t threads[2];
	int status;

	atomic_store(&over, false);
	check(ibuf_queue_create(&queue, MANY,
				IBUF_QUEUE_F_SINGLE_PRODUCER |
					IBUF_QUEUE_F_SINGLE_CONSUMER) == 0,
	      0);
	check(pthread_create(&threads[0], NULL, push_until_closed, NULL) == 0,
	      0);
	check(pthread_create(&threads[1], NULL, pop_until_over, NULL) == 0, 0);
	for (uint64_t cycle = 0; cycle < cycles; cycle++) {
		pid_t pid;

		usleep((useconds_t)(cycle % 100));
		pid = fork();
		check(pid >= 0, cycle);
		if (pid == 0)
			child(cycle);
		check(waitpid(pid, &status, 0) == pid, cycle);
		check(status == 0, cycle);
	}
	atomic_store(&over, true);
	check(pthread_join(threads[0], NULL) == 0, 0);
	check(pthread_join(threads[1], NULL) == 0, 0);
	while (ibuf_queue_pop(queue) != NULL)
		;
	ibuf_queue_destroy(queue);
}

int
main(int argc, char **argv)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(1);

	race_arguments(argc, argv, 60);
	check(m != NULL, 0);
	/* One message, which a queue does not look at; never freed by it. */
	for (size_t i = 0; i < MANY; i++)
		pushed[i] = m;
	for (uint64_t cycle = 0; cycle < race_cycles; cycle++)
		close_in_the_middle(cycle);
	fork_in_the_middle(race_cycles);
	ibuf_mbuf_free(m);
	return 0;
}
