/*
 * test_io_cancel.c - a thread that waits for a descriptor is cancelled: no
 * memory is lost, and the message is as it was.
 */
#include "failures.h"
#include "messages.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* Run what waits for ever in a thread, and cancel that. */
static void
assert_cancelled(void *(*wait)(void *arg), void *arg)
{
	pthread_t thread;
	void *result;

	assert_int_equal(pthread_create(&thread, NULL, wait, arg), 0);
	usleep(20000);
	assert_int_equal(pthread_cancel(thread), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, PTHREAD_CANCELED);
}

struct wait {
	int fd;
	struct ibuf_mbuf *m;
	struct ibuf_pool *pool;
	struct ibuf_io_datagram d[200];
};

/* ---- read ---------------------------------------------------------- */

static void *
wait_for_bytes(void *arg)
{
	struct wait *w = arg;

	ibuf_io_read(w->fd, w->m, 100);
	return NULL;
}

static void
assert_read_is_cancelled(struct ibuf_mbuf *m)
{
	struct wait *w = malloc(sizeof(*w));
	struct state was;
	struct pieces pieces;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	w->fd = ends[0];
	w->m = m;
	state_take(&was, m);
	pieces_take(&pieces, m);
	assert_cancelled(wait_for_bytes, w);
	assert_state(m, &was);
	assert_pieces(m, &pieces);
	close(ends[0]);
	close(ends[1]);
	free(w);
}

TEST(a_read_that_is_cancelled_leaves_everything_as_it_was)
{
	struct ibuf_pool *p = ibuf_pool_new(2, 10);
	struct ibuf_mbuf *ms[6] = {message_with(2, 6, 5),
				   message_with(2, 6, 0),
				   message_with(0, 12, 0),
				   NULL,
				   NULL,
				   message_with(2, 6000, 0)};

	assert_int_equal(ibuf_mbuf_trim_head(ms[2], 9), 0);
	ms[3] = ibuf_pool_alloc(p);
	assert_int_equal(ibuf_mbuf_append(ms[3], "0123456789", 10), 0);
	ms[4] = ibuf_mbuf_clone(ms[3]);
	/* This one slides, if something comes. */
	assert_int_equal(ibuf_mbuf_trim_head(ms[5], 5000), 0);
	for (int i = 0; i < 6; i++) {
		assert_read_is_cancelled(ms[i]);
		assert_int_equal(ibuf_pool_allocated(p), 1);
	}
	ibuf_mbuf_free_bulk(ms, 6);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

/* ---- datagrams ----------------------------------------------------- */

static void *
wait_for_datagrams(void *arg)
{
	struct wait *w = arg;

	ibuf_io_recv(w->fd, w->pool, w->d, 200, 0);
	return NULL;
}

TEST(a_receive_that_is_cancelled_gives_its_mbufs_back)
{
	struct wait *w = malloc(sizeof(*w));
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	w->fd = ends[0];
	w->pool = ibuf_pool_new(10, 64);
	assert_cancelled(wait_for_datagrams, w);
	assert_int_equal(ibuf_pool_allocated(w->pool), 0);
	assert_int_equal(ibuf_pool_destroy(w->pool), 0);
	close(ends[0]);
	close(ends[1]);
	free(w);
}

/* A provider that has the thread cancelled which asks for memory. */
static void *
map_and_cancel(size_t size, size_t alignment, void *context)
{
	if (*(bool *)context)
		pthread_cancel(pthread_self());
	return ibuf_provider_heap()->map(size, alignment, NULL);
}

static void
unmap(void *base, size_t size, void *context)
{
	(void)context;
	ibuf_provider_heap()->unmap(base, size, NULL);
}

static void *
receive_some(void *arg)
{
	struct wait *w = arg;

	ibuf_io_recv(w->fd, w->pool, w->d, 200, 0);
	return NULL;
}

TEST(a_receive_that_is_cancelled_before_it_begins_takes_no_datagram)
{
	struct wait *w = malloc(sizeof(*w));
	struct ibuf_pool_options o = IBUF_POOL_OPTIONS_INIT;
	bool cancels = false;
	struct ibuf_provider provider = {map_and_cancel, unmap, &cancels};
	int ends[2];
	char byte;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	assert_int_equal(send(ends[1], "x", 1, 0), 1);
	w->fd = ends[0];
	o.provider = &provider;
	assert_int_equal(ibuf_pool_create(&w->pool, &o), 0);
	/* The pool has to grow. */
	cancels = true;
	assert_cancelled(receive_some, w);
	assert_int_equal(ibuf_pool_allocated(w->pool), 0);
	assert_int_equal(recv(w->fd, &byte, 1, MSG_DONTWAIT), 1);
	assert_int_equal(ibuf_pool_destroy(w->pool), 0);
	close(ends[0]);
	close(ends[1]);
	free(w);
}

static void *
wait_to_send(void *arg)
{
	struct wait *w = arg;

	while (ibuf_io_send(w->fd, w->d, 1, 0) == 1)
		w->d[0].m = ibuf_mbuf_clone(w->m);
	return NULL;
}

TEST(a_send_that_is_cancelled_leaves_the_message_to_the_caller)
{
	struct wait *w = malloc(sizeof(*w));
	int ends[2];

	/* More segments than a system call takes. */
	w->m = ibuf_mbuf_new(0);
	for (int i = 0; i < 1025; i++)
		assert_int_equal(ibuf_mbuf_concat(w->m, message_of("x", 1)), 0);
	w->d[0].m = ibuf_mbuf_clone(w->m);
	w->d[0].peer_len = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	w->fd = ends[0];
	assert_cancelled(wait_to_send, w);
	assert_int_equal(ibuf_mbuf_len(w->d[0].m), 1025);
	assert_int_equal(ibuf_mbuf_compare(w->d[0].m, w->m), 0);
	ibuf_mbuf_free(w->d[0].m);
	ibuf_mbuf_free(w->m);
	close(ends[0]);
	close(ends[1]);
	free(w);
}
