/* libevent.c - messages in evbuffers: whose they are, and when they end. */
#include "adapt.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <ibuf/adapt/libevent.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

__attribute__((constructor)) static void
let_libevent_use_what_is_counted(void)
{
	signal(SIGPIPE, SIG_IGN); /* libevent leaves that to its program */
	event_set_mem_functions(malloc, realloc, free);
	evthread_use_pthreads();
}

static struct evbuffer *
buffer_new(void)
{
	struct evbuffer *b = evbuffer_new();

	assert_non_null(b);
	return b;
}

static void
drain_all(struct evbuffer *b)
{
	assert_int_equal(evbuffer_drain(b, evbuffer_get_length(b)), 0);
}

/* ---- into an evbuffer ----------------------------------------------- */

TEST(a_message_goes_in_without_a_copy_and_ends_when_it_is_drained)
{
	struct evbuffer *b = buffer_new();
	struct wrapped w;
	struct evbuffer_iovec v;
	uint64_t before = copied(NULL);

	assert_int_equal(ibuf_libevent_add(b, message_of(&w, "one")), 0);
	assert_int_equal(evbuffer_peek(b, -1, NULL, &v, 1), 1);
	assert_ptr_equal(v.iov_base, w.bytes);
	assert_released(&w, 1, 0);
	drain_all(b);
	assert_released(&w, 1, 1);
	assert_int_equal(copied(NULL), before);
	evbuffer_free(b);
	assert_released(&w, 1, 1);
}

TEST(each_segment_ends_as_soon_as_it_is_drained)
{
	struct evbuffer *b = buffer_new();
	struct wrapped w[3];
	char bytes[13];

	assert_int_equal(ibuf_libevent_add(b, message_of_three(w)), 0);
	assert_int_equal(evbuffer_copyout(b, bytes, 13), 13);
	assert_memory_equal(bytes, "one two three", 13);
	assert_int_equal(evbuffer_drain(b, 3), 0);
	assert_released(w, 3, 0);
	assert_int_equal(evbuffer_drain(b, 1), 0);
	assert_released(&w[0], 1, 1);
	assert_released(&w[1], 2, 0);
	evbuffer_free(b);
	assert_released(w, 3, 1);
}

TEST(an_empty_message_is_freed_at_once)
{
	struct evbuffer *b = buffer_new();
	struct wrapped w;

	assert_int_equal(ibuf_libevent_add(b, message_of(&w, "")), 0);
	assert_released(&w, 1, 1);
	assert_int_equal(evbuffer_get_length(b), 0);
	evbuffer_free(b);
}

/* Libevent copies a chain that it makes contiguous, and ends it once. */
TEST(a_pullup_of_libevent_ends_each_reference_once)
{
	struct evbuffer *b = buffer_new();
	struct wrapped w[3];

	assert_int_equal(ibuf_libevent_add(b, message_of_three(w)), 0);
	assert_memory_equal(evbuffer_pullup(b, -1), "one two three", 13);
	assert_released(w, 3, 1);
	evbuffer_free(b);
	assert_released(w, 3, 1);
}

/* Others show the chains too (evbuffer_add_buffer_reference). */
TEST(what_two_evbuffers_show_ends_with_the_last_one)
{
	struct evbuffer *b = buffer_new(), *other = buffer_new();
	struct wrapped w[3];

	assert_int_equal(ibuf_libevent_add(b, message_of_three(w)), 0);
	assert_int_equal(evbuffer_add_buffer_reference(other, b), 0);
	evbuffer_free(b);
	assert_released(w, 3, 0);
	evbuffer_free(other);
	assert_released(w, 3, 1);
}

TEST(a_frozen_evbuffer_takes_nothing_and_the_message_is_as_it_was)
{
	struct evbuffer *b = buffer_new();
	struct wrapped w[3], single;
	struct ibuf_mbuf *m = message_of_three(w);
	struct ibuf_mbuf *one = message_of(&single, "one");

	assert_int_equal(evbuffer_freeze(b, 0), 0);
	assert_int_equal(ibuf_libevent_add(b, m), -ENOMEM);
	assert_int_equal(ibuf_libevent_add(b, one), -ENOMEM);
	assert_int_equal(evbuffer_get_length(b), 0);
	evbuffer_free(b);
	assert_released(w, 3, 0);
	assert_released(&single, 1, 0);
	assert_three(m);
	assert_int_equal(ibuf_mbuf_segments(m), 3);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(one);
	assert_released(w, 3, 1);
	assert_released(&single, 1, 1);
}

TEST(without_memory_nothing_goes_in_and_nothing_is_lost)
{
	struct evbuffer *b = buffer_new();
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w);

	WHILE_WITHOUT_MEMORY(ibuf_libevent_add(b, m) == -ENOMEM)
	{
		assert_int_equal(evbuffer_get_length(b), 0);
		assert_released(w, 3, 0);
		assert_three(m);
	}
	assert_int_equal(evbuffer_get_length(b), 13);
	evbuffer_free(b);
	assert_released(w, 3, 1);
}

/* ---- out of an evbuffer --------------------------------------------- */

TEST(what_an_evbuffer_has_comes_out_without_a_copy)
{
	struct evbuffer *b = buffer_new();
	struct evbuffer_iovec v;
	struct ibuf_mbuf *m;
	uint64_t before = copied(NULL);

	assert_int_equal(evbuffer_add(b, "one two three", 13), 0);
	assert_int_equal(evbuffer_peek(b, -1, NULL, &v, 1), 1);
	m = ibuf_libevent_take(b);
	assert_three(m);
	assert_ptr_equal(ibuf_mbuf_data(m), v.iov_base);
	assert_int_equal(evbuffer_get_length(b), 0);
	evbuffer_free(b);
	assert_three(m);
	assert_int_equal(copied(NULL), before);
	ibuf_mbuf_free(m);
}

TEST(an_empty_evbuffer_gives_an_empty_message)
{
	struct evbuffer *b = buffer_new();
	struct ibuf_mbuf *m = ibuf_libevent_take(b);

	assert_message(m, "", 0);
	ibuf_mbuf_free(m);
	assert_int_equal(evbuffer_expand(b, 100), 0);
	m = ibuf_libevent_take(b);
	assert_message(m, "", 0);
	ibuf_mbuf_free(m);
	evbuffer_free(b);
}

TEST(messages_that_went_in_come_out_as_the_same_memory)
{
	struct evbuffer *b = buffer_new();
	struct wrapped w[3];
	struct ibuf_mbuf *m;

	assert_int_equal(ibuf_libevent_add(b, message_of_three(w)), 0);
	m = ibuf_libevent_take(b);
	assert_three(m);
	assert_int_equal(ibuf_mbuf_segments(m), 3);
	assert_ptr_equal(ibuf_mbuf_seg_data(m), w[0].bytes);
	evbuffer_free(b);
	assert_int_equal(ibuf_mbuf_trim_head(m, 4), 0);
	assert_released(&w[0], 1, 1);
	assert_released(&w[1], 2, 0);
	ibuf_mbuf_free(m);
	assert_released(w, 3, 1);
}

/* Other evbuffers may show the same bytes, which no edit may change. */
TEST(an_edit_of_what_was_taken_goes_to_a_private_copy)
{
	struct evbuffer *b = buffer_new(), *other = buffer_new();
	struct ibuf_mbuf *m;
	char bytes[3];

	assert_int_equal(evbuffer_add(b, "one", 3), 0);
	assert_int_equal(evbuffer_add_buffer_reference(other, b), 0);
	m = ibuf_libevent_take(b);
	assert_int_equal(ibuf_mbuf_write_at(m, 0, "two", 3), 0);
	assert_message(m, "two", 3);
	assert_int_equal(evbuffer_copyout(other, bytes, 3), 3);
	assert_memory_equal(bytes, "one", 3);
	ibuf_mbuf_free(m);
	evbuffer_free(other);
	evbuffer_free(b);
}

TEST(a_frozen_evbuffer_gives_nothing_and_keeps_all)
{
	struct evbuffer *b = buffer_new();
	struct wrapped w[3];

	assert_int_equal(ibuf_libevent_add(b, message_of_three(w)), 0);
	assert_int_equal(evbuffer_freeze(b, 1), 0);
	assert_null(ibuf_libevent_take(b));
	assert_int_equal(evbuffer_get_length(b), 13);
	assert_released(w, 3, 0);
	evbuffer_free(b);
	assert_released(w, 3, 1);
}

TEST(without_memory_nothing_comes_out_and_nothing_is_lost)
{
	struct evbuffer *b = buffer_new();
	struct wrapped w[3];
	struct ibuf_mbuf *m;

	assert_int_equal(ibuf_libevent_add(b, message_of_three(w)), 0);
	assert_int_equal(evbuffer_add(b, " four", 5), 0);
	WHILE_WITHOUT_MEMORY((m = ibuf_libevent_take(b)) == NULL)
	{
		assert_int_equal(evbuffer_get_length(b), 18);
		assert_released(w, 3, 0);
	}
	evbuffer_free(b);
	assert_message(m, "one two three four", 18);
	ibuf_mbuf_free(m);
	assert_released(w, 3, 1);
}

/* ---- with sockets, and threads -------------------------------------- */

struct ends {
	struct event_base *base;
	struct bufferevent *from, *to;
};

static struct ends
ends_new(int options)
{
	struct ends e = {.base = event_base_new()};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(evutil_make_socket_nonblocking(fds[0]), 0);
	assert_int_equal(evutil_make_socket_nonblocking(fds[1]), 0);
	options |= BEV_OPT_CLOSE_ON_FREE;
	e.from = bufferevent_socket_new(e.base, fds[0], options);
	e.to = bufferevent_socket_new(e.base, fds[1], options);
	assert_non_null(e.from);
	assert_non_null(e.to);
	/* What is not taken out stays in the socket. */
	bufferevent_setwatermark(e.to, EV_READ, 0, 4096);
	bufferevent_enable(e.from, EV_WRITE);
	bufferevent_enable(e.to, EV_READ);
	return e;
}

/* Until nothing is to be done any more. */
static void
ends_run(const struct ends *e)
{
	for (int i = 0; i < 100; i++)
		event_base_loop(e->base, EVLOOP_NONBLOCK);
}

TEST(bytes_that_a_bufferevent_has_read_are_freed_in_another_thread)
{
	struct ends e = ends_new(BEV_OPT_THREADSAFE);
	struct ibuf_pool *p = ibuf_pool_new(1, 100000);
	struct ibuf_mbuf *m = message_of_many(p, 100000), *wanted, *got, *next;
	uint64_t before = copied(p);

	wanted = ibuf_mbuf_clone(m);
	got = ibuf_mbuf_new(0);
	assert_int_equal(ibuf_libevent_add(bufferevent_get_output(e.from), m),
			 0);
	while (ibuf_mbuf_len(got) < 100000) {
		ends_run(&e);
		next = ibuf_libevent_take(bufferevent_get_input(e.to));
		assert_non_null(next);
		assert_int_equal(ibuf_mbuf_concat(got, next), 0);
	}
	assert_int_equal(ibuf_mbuf_compare(got, wanted), 0);
	assert_int_equal(copied(p), before);
	/* The connection ends first. */
	bufferevent_free(e.from);
	bufferevent_free(e.to);
	event_base_free(e.base);
	free_elsewhere(got);
	ibuf_mbuf_free(wanted);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_peer_that_dies_leaves_nothing_behind)
{
	struct ends e = ends_new(0);
	struct wrapped w[3];
	struct ibuf_pool *p = ibuf_pool_new(1, 1 << 20);

	/* More than the socket takes, so that the rest waits. */
	assert_int_equal(ibuf_libevent_add(bufferevent_get_output(e.from),
					   message_of_many(p, 1 << 20)),
			 0);
	assert_int_equal(ibuf_libevent_add(bufferevent_get_output(e.from),
					   message_of_three(w)),
			 0);
	ends_run(&e);
	bufferevent_free(e.to);
	ends_run(&e);
	assert_int_equal(ibuf_pool_allocated(p), 1);
	assert_released(w, 3, 0);
	bufferevent_free(e.from);
	ends_run(&e);
	assert_released(w, 3, 1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	event_base_free(e.base);
}

enum { TURNS = 2000 };

/* A thread adds to an evbuffer with a lock, another takes and frees. */
struct meeting {
	struct evbuffer *b;
	struct ibuf_pool *pool;
	atomic_size_t taken;
};

static void *
add_many(void *arg)
{
	struct meeting *x = arg;

	for (size_t i = 0; i < TURNS; i++) {
		struct ibuf_mbuf *m = ibuf_pool_alloc(x->pool);
		struct ibuf_mbuf *tail = ibuf_pool_alloc(x->pool);

		if (m == NULL || tail == NULL ||
		    ibuf_mbuf_append(m, "12345678", 8) != 0 ||
		    ibuf_mbuf_append(tail, "12345678", 8) != 0 ||
		    ibuf_mbuf_concat(m, tail) != 0 ||
		    ibuf_libevent_add(x->b, m) != 0)
			abort();
	}
	return NULL;
}

static void *
take_many(void *arg)
{
	struct meeting *x = arg;

	/* What a thread needs of the library once is not for the lock's time. */
	ibuf_mbuf_free(ibuf_mbuf_new(0));
	while (atomic_load(&x->taken) < (size_t)TURNS * 16) {
		struct ibuf_mbuf *m = ibuf_libevent_take(x->b);

		if (m == NULL || ibuf_mbuf_len(m) % 8 != 0)
			abort();
		atomic_fetch_add(&x->taken, ibuf_mbuf_len(m));
		ibuf_mbuf_free(m);
	}
	return NULL;
}

TEST(threads_add_and_take_at_once)
{
	struct meeting x = {.b = buffer_new(), .pool = ibuf_pool_new(0, 64)};
	pthread_t threads[3];

	assert_int_equal(evbuffer_enable_locking(x.b, NULL), 0);
	assert_int_equal(pthread_create(&threads[0], NULL, add_many, &x), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, take_many, &x), 0);
	assert_int_equal(pthread_create(&threads[2], NULL, take_many, &x), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	evbuffer_free(x.b);
	assert_int_equal(ibuf_pool_destroy(x.pool), 0);
}
