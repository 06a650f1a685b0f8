/* test_uring_threads.c - what a ring receives, other threads free. */
#include "world.h"

#include <pthread.h>

enum { FRAMES = 4000, WORKERS = 3 };

static struct ibuf_queue *queue;

static void *
work(void *arg)
{
	struct ibuf_mbuf *m;
	uint64_t sum = 0;

	(void)arg;
	while (ibuf_queue_pop_wait(queue, &m, NULL) == 0) {
		const uint8_t *at;
		size_t run;

		for (size_t off = 0; off < ibuf_mbuf_len(m); off += run) {
			at = ibuf_mbuf_at(m, off, &run);
			for (size_t i = 0; i < run; i++)
				sum += at[i];
		}
		ibuf_mbuf_free(m);
	}
	return (void *)(uintptr_t)sum;
}

static void *
talk(void *arg)
{
	const struct world *w = arg;
	uint8_t frame[50];

	for (unsigned i = 0; i < FRAMES; i++) {
		memset(frame, (int)(i % 7 + 1), sizeof(frame));
		if (send(w->far, frame, sizeof(frame), 0) != sizeof(frame))
			return NULL;
	}
	shutdown(w->far, SHUT_WR);
	return arg;
}

/* A stream through a pool that runs dry, freed by other threads. */
static void
run(unsigned flags, size_t capacity, size_t max)
{
	pthread_t workers[WORKERS], talker;
	struct __kernel_timespec wait = {.tv_nsec = 100000};
	uint64_t sum = 0, wanted = 0;
	bool ended = false, armed;
	struct world w;
	void *part;

	world_open(&w, capacity, max, 8, flags);
	ends_unix(&w, SOCK_STREAM);
	assert_int_equal(ibuf_queue_create(&queue, 1024, 0), 0);
	for (int i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&workers[i], NULL, work, NULL),
				 0);
	assert_int_equal(pthread_create(&talker, NULL, talk, &w), 0);
	arm(&w);
	armed = true;
	while (!ended) {
		struct io_uring_cqe *at, cqe;
		struct ibuf_mbuf *m = NULL;
		int result;

		/* Nobody tells us that messages are back. */
		if (!armed && ibuf_uring_group_refill(&w.group) != 0) {
			arm(&w);
			armed = true;
		}
		if (io_uring_wait_cqe_timeout(&w.ring, &at, &wait) != 0)
			continue;
		memcpy(&cqe, at, sizeof(cqe));
		while ((result = ibuf_uring_recv_take(&w.group, &cqe, &m)) ==
		       -ENOMEM)
			;
		io_uring_cqe_seen(&w.ring, at);
		assert_true(result >= 0 || result == -ENOBUFS);
		if (result == 1)
			assert_int_equal(ibuf_queue_push_wait(queue, m, NULL),
					 0);
		ended = result == 0;
		armed = goes_on(&cqe);
	}
	ibuf_queue_close(queue);
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(workers[i], &part);
		sum += (uintptr_t)part;
	}
	pthread_join(talker, &part);
	assert_ptr_equal(part, &w);
	for (unsigned i = 0; i < FRAMES; i++)
		wanted += 50 * (i % 7 + 1);
	assert_int_equal(sum, wanted);
	ibuf_queue_destroy(queue);
	world_close(&w);
}

TEST(messages_that_other_threads_free_fill_the_group_again)
{
	run(0, 128, 12);
}

TEST(slices_that_other_threads_free_give_their_buffer_back)
{
	run(IBUF_URING_F_PARTS, 512, 4);
}
