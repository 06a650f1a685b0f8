/* zeromq.c - messages through ZeroMQ: whose they are, and when they end. */
#include "adapt.h"

#include <ibuf/adapt/zeromq.h>
#include <ibuf/queue.h>
#include <stdio.h>

/*
 * libzmq is not compiled with ThreadSanitizer, which so takes what it calls
 * for races with itself.  What it calls of ours is looked at all the same.
 */
const char *__tsan_default_suppressions(void);

const char *
__tsan_default_suppressions(void)
{
	return "called_from_lib:libzmq.so\ncalled_from_lib:libstdc++.so\n";
}

/* Two sockets that are connected. */
struct ends {
	void *context, *from, *to;
};

static void *
socket_of(struct ends *e, int kind, int mark)
{
	void *s = zmq_socket(e->context, kind);
	int zero = 0;

	assert_non_null(s);
	assert_int_equal(zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof(zero)), 0);
	assert_int_equal(zmq_setsockopt(s, ZMQ_SNDHWM, &mark, sizeof(mark)), 0);
	assert_int_equal(zmq_setsockopt(s, ZMQ_RCVHWM, &mark, sizeof(mark)), 0);
	return s;
}

/* At most so many messages wait on each side; 0: no limit. */
static void
ends_open(struct ends *e, const char *where, int mark)
{
	char address[100];
	size_t n = sizeof(address);

	e->context = zmq_ctx_new();
	assert_non_null(e->context);
	e->from = socket_of(e, ZMQ_PUSH, mark);
	e->to = socket_of(e, ZMQ_PULL, mark);
	assert_int_equal(zmq_bind(e->to, where), 0);
	assert_int_equal(zmq_getsockopt(e->to, ZMQ_LAST_ENDPOINT, address, &n),
			 0);
	assert_int_equal(zmq_connect(e->from, address), 0);
}

static void
ends_close(struct ends *e)
{
	if (e->from != NULL)
		assert_int_equal(zmq_close(e->from), 0);
	if (e->to != NULL)
		assert_int_equal(zmq_close(e->to), 0);
	assert_int_equal(zmq_ctx_term(e->context), 0);
}

/* Receive a message of all its parts. */
static struct ibuf_mbuf *
receive(void *socket)
{
	struct ibuf_mbuf *all = ibuf_mbuf_new(0), *part;
	zmq_msg_t z;
	int more;

	zmq_msg_init(&z);
	do {
		assert_true(zmq_msg_recv(&z, socket, 0) >= 0);
		more = zmq_msg_more(&z);
		part = ibuf_zeromq_take(&z);
		assert_non_null(part);
		assert_int_equal(ibuf_mbuf_concat(all, part), 0);
	} while (more);
	zmq_msg_close(&z);
	return all;
}

/* ---- one message ---------------------------------------------------- */

TEST(a_message_of_zeromq_is_the_same_memory_and_ends_when_it_is_closed)
{
	struct wrapped w;
	zmq_msg_t z;
	uint64_t before = copied(NULL);

	assert_int_equal(ibuf_zeromq_init(&z, message_of(&w, "one")), 0);
	assert_ptr_equal(zmq_msg_data(&z), w.bytes);
	assert_released(&w, 1, 0);
	zmq_msg_close(&z);
	assert_released(&w, 1, 1);
	assert_int_equal(copied(NULL), before);
}

TEST(a_copy_of_zeromq_ends_it_once)
{
	struct wrapped w;
	zmq_msg_t z, copy;

	assert_int_equal(ibuf_zeromq_init(&z, message_of(&w, "one")), 0);
	zmq_msg_init(&copy);
	assert_int_equal(zmq_msg_copy(&copy, &z), 0);
	zmq_msg_close(&z);
	assert_released(&w, 1, 0);
	zmq_msg_close(&copy);
	assert_released(&w, 1, 1);
}

TEST(several_segments_are_refused_and_stay_as_they_were)
{
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w);
	zmq_msg_t z;

	assert_int_equal(ibuf_zeromq_init(&z, m), -EINVAL);
	assert_three(m);
	ibuf_mbuf_free(m);
	assert_released(w, 3, 1);
}

/* Up to 33 bytes are kept in the zmq_msg_t, which the caller closes. */
TEST(short_and_long_messages_are_taken_and_outlive_what_they_came_in)
{
	for (size_t n = 0; n < 70; n++) {
		struct ibuf_mbuf *m;
		uint8_t bytes[70];
		zmq_msg_t z;

		memset(bytes, (int)n, n);
		assert_int_equal(zmq_msg_init_size(&z, n), 0);
		memcpy(zmq_msg_data(&z), bytes, n);
		m = ibuf_zeromq_take(&z);
		assert_message(m, bytes, n);
		assert_int_equal(zmq_msg_size(&z), 0);
		zmq_msg_close(&z);
		assert_message(m, bytes, n);
		free_elsewhere(m);
	}
}

TEST(an_edit_of_what_was_taken_goes_to_a_private_copy)
{
	struct wrapped w;
	struct ibuf_mbuf *m;
	zmq_msg_t z, copy;

	assert_int_equal(ibuf_zeromq_init(&z, message_of(&w, "one")), 0);
	zmq_msg_init(&copy);
	assert_int_equal(zmq_msg_copy(&copy, &z), 0);
	m = ibuf_zeromq_take(&z);
	assert_int_equal(ibuf_mbuf_write_at(m, 0, "two", 3), 0);
	assert_memory_equal(zmq_msg_data(&copy), "one", 3);
	ibuf_mbuf_free(m);
	zmq_msg_close(&copy);
	assert_released(&w, 1, 1);
}

TEST(without_memory_nothing_is_taken_and_nothing_is_lost)
{
	struct ibuf_mbuf *m;
	zmq_msg_t z;

	assert_int_equal(zmq_msg_init_size(&z, 3), 0);
	memcpy(zmq_msg_data(&z), "one", 3);
	WHILE_WITHOUT_MEMORY((m = ibuf_zeromq_take(&z)) == NULL)
	{
		assert_int_equal(zmq_msg_size(&z), 3);
		assert_memory_equal(zmq_msg_data(&z), "one", 3);
	}
	assert_message(m, "one", 3);
	ibuf_mbuf_free(m);
}

/* ---- through sockets ------------------------------------------------ */

TEST(segments_are_parts_and_the_memory_is_the_same_within_a_process)
{
	struct ends e;
	struct wrapped w[3];
	struct ibuf_mbuf *m;
	uint64_t before = copied(NULL);

	ends_open(&e, "inproc://here", 0);
	assert_int_equal(ibuf_zeromq_send(e.from, message_of_three(w), 0), 0);
	m = receive(e.to);
	assert_three(m);
	assert_int_equal(ibuf_mbuf_segments(m), 3);
	assert_ptr_equal(ibuf_mbuf_seg_data(m), w[0].bytes);
	assert_released(w, 3, 0);
	assert_int_equal(copied(NULL), before);
	ends_close(&e);
	assert_released(w, 3, 0);
	free_elsewhere(m);
	assert_released(w, 3, 1);
}

TEST(a_message_goes_over_tcp_and_ends_in_a_thread_of_zeromq)
{
	struct ends e;
	struct ibuf_pool *p = ibuf_pool_new(1, 100000);
	struct ibuf_mbuf *m = message_of_many(p, 100000), *wanted, *got;
	uint64_t before = copied(p);

	wanted = ibuf_mbuf_copy(m, 0, 100000);
	ends_open(&e, "tcp://127.0.0.1:*", 0);
	assert_int_equal(ibuf_zeromq_send(e.from, m, 0), 0);
	got = receive(e.to);
	assert_int_equal(ibuf_mbuf_compare(got, wanted), 0);
	assert_int_equal(copied(p), before);
	ends_close(&e);
	ibuf_mbuf_free(got);
	ibuf_mbuf_free(wanted);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(an_empty_message_is_an_empty_part)
{
	struct ends e;
	struct wrapped w;
	struct ibuf_mbuf *m;

	ends_open(&e, "inproc://here", 0);
	assert_int_equal(ibuf_zeromq_send(e.from, message_of(&w, ""), 0), 0);
	m = receive(e.to);
	assert_message(m, "", 0);
	ibuf_mbuf_free(m);
	ends_close(&e);
	assert_released(&w, 1, 1);
}

/* zmq_msg_close() frees what was not sent: libzmq issue 1408. */
TEST(a_socket_that_is_full_refuses_and_the_message_is_as_it_was)
{
	struct ends e;
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w);
	char byte;

	ends_open(&e, "inproc://here", 1);
	while (zmq_send(e.from, "x", 1, ZMQ_DONTWAIT) == 1)
		;
	assert_int_equal(ibuf_zeromq_send(e.from, m, ZMQ_DONTWAIT), -EAGAIN);
	assert_three(m);
	assert_int_equal(ibuf_mbuf_segments(m), 3);
	assert_released(w, 3, 0);
	while (zmq_recv(e.to, &byte, 1, ZMQ_DONTWAIT) == 1)
		;
	assert_int_equal(ibuf_zeromq_send(e.from, m, 0), 0);
	ends_close(&e);
	assert_released(w, 3, 1);
}

TEST(a_peer_that_dies_and_a_close_end_the_messages_that_wait)
{
	struct ends e;
	struct wrapped w[20][3];

	ends_open(&e, "tcp://127.0.0.1:*", 0);
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(
			ibuf_zeromq_send(e.from, message_of_three(w[i]), 0), 0);
		if (i == 10) {
			assert_int_equal(zmq_close(e.to), 0);
			e.to = NULL;
		}
	}
	ends_close(&e);
	assert_released(w[0], 60, 1);
}

TEST(a_context_that_is_gone_refuses_and_the_message_is_as_it_was)
{
	struct ends e;
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w);

	ends_open(&e, "inproc://here", 0);
	assert_int_equal(zmq_ctx_shutdown(e.context), 0);
	assert_int_equal(ibuf_zeromq_send(e.from, m, 0), -ETERM);
	assert_three(m);
	assert_released(w, 3, 0);
	ibuf_mbuf_free(m);
	assert_released(w, 3, 1);
	ends_close(&e);
}

TEST(without_headers_nothing_is_sent_and_nothing_is_lost)
{
	struct ends e;
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w);

	ends_open(&e, "inproc://here", 0);
	WHILE_WITHOUT_MEMORY(ibuf_zeromq_send(e.from, m, 0) == -ENOMEM)
	{
		assert_three(m);
		assert_released(w, 3, 0);
	}
	ends_close(&e);
	assert_released(w, 3, 1);
}

enum { TURNS = 2000 };

static void *
receive_and_free(void *socket)
{
	for (int i = 0; i < TURNS; i++) {
		zmq_msg_t z;
		struct ibuf_mbuf *m;

		zmq_msg_init(&z);
		if (zmq_msg_recv(&z, socket, 0) < 0)
			abort();
		m = ibuf_zeromq_take(&z);
		if (m == NULL || ibuf_mbuf_len(m) != 64)
			abort();
		ibuf_mbuf_free(m);
		zmq_msg_close(&z);
	}
	return NULL;
}

TEST(mbufs_go_around_between_threads_of_the_program_and_of_zeromq)
{
	struct ends e;
	struct ibuf_pool *p = pool_of(0, 16);
	pthread_t thread;

	ends_open(&e, "tcp://127.0.0.1:*", 100);
	assert_int_equal(pthread_create(&thread, NULL, receive_and_free, e.to),
			 0);
	for (int i = 0; i < TURNS; i++)
		assert_int_equal(
			ibuf_zeromq_send(e.from, message_of_many(p, 64), 0), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	ends_close(&e);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
