/* libuv.c - messages in libuv's streams: whose they are, and when they end. */
#include "adapt.h"

#include <ibuf/adapt/libuv.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

__attribute__((constructor)) static void
let_libuv_use_what_is_counted(void)
{
	uv_replace_allocator(malloc, realloc, calloc, free);
	signal(SIGPIPE, SIG_IGN);
}

/* A loop with two ends of a connection. */
struct ends {
	uv_loop_t loop;
	uv_pipe_t from, to;
};

#define STREAM(pipe) ((uv_stream_t *)(void *)(pipe))
#define HANDLE(pipe) ((uv_handle_t *)(void *)(pipe))

static void
ends_open(struct ends *e)
{
	int fds[2];

	assert_int_equal(uv_loop_init(&e->loop), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(uv_pipe_init(&e->loop, &e->from, 0), 0);
	assert_int_equal(uv_pipe_init(&e->loop, &e->to, 0), 0);
	assert_int_equal(uv_pipe_open(&e->from, fds[0]), 0);
	assert_int_equal(uv_pipe_open(&e->to, fds[1]), 0);
}

static void
ends_close(struct ends *e)
{
	if (!uv_is_closing(HANDLE(&e->from)))
		uv_close(HANDLE(&e->from), NULL);
	if (!uv_is_closing(HANDLE(&e->to)))
		uv_close(HANDLE(&e->to), NULL);
	assert_int_equal(uv_run(&e->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&e->loop), 0);
}

static void
ends_run(struct ends *e)
{
	for (int i = 0; i < 100; i++)
		uv_run(&e->loop, UV_RUN_NOWAIT);
}

/* Bytes that are there at once. */
static void
send_now(struct ends *e, const char *bytes)
{
	char copy[10];
	uv_buf_t buf = uv_buf_init(copy, (unsigned)strlen(bytes));

	memcpy(copy, bytes, strlen(bytes));
	assert_int_equal(uv_try_write(STREAM(&e->from), &buf, 1),
			 strlen(bytes));
}

/* What the callbacks were told. */
struct told {
	struct ibuf_mbuf *m; /* all that was read */
	int writes, status;
	int errors;
	ssize_t error;
	bool stop;
};

static void
on_written(uv_stream_t *stream, int status, void *arg)
{
	struct told *t = arg;

	(void)stream;
	t->writes++;
	t->status = status;
}

static void
on_read(uv_stream_t *stream, ssize_t n, struct ibuf_mbuf *m, void *arg)
{
	struct told *t = arg;

	if (n < 0) {
		assert_null(m);
		t->errors++;
		t->error = n;
		uv_read_stop(stream);
		return;
	}
	assert_int_equal(ibuf_mbuf_len(m), n);
	if (t->m == NULL)
		t->m = m;
	else
		assert_int_equal(ibuf_mbuf_concat(t->m, m), 0);
	if (t->stop)
		uv_close(HANDLE(stream), NULL);
}

/* ---- written -------------------------------------------------------- */

TEST(a_message_is_written_from_its_segments_and_ends_before_the_callback)
{
	struct ends e;
	struct wrapped w[3];
	struct told t = {0};
	char bytes[20];
	uv_os_fd_t fd;
	uint64_t before = copied(NULL);

	ends_open(&e);
	assert_int_equal(ibuf_libuv_write(STREAM(&e.from), message_of_three(w),
					  on_written, &t),
			 0);
	assert_int_equal(t.writes, 0);
	ends_run(&e);
	assert_int_equal(t.writes, 1);
	assert_int_equal(t.status, 0);
	assert_released(w, 3, 1);
	assert_int_equal(uv_fileno(HANDLE(&e.to), &fd), 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 13);
	assert_memory_equal(bytes, "one two three", 13);
	assert_int_equal(copied(NULL), before);
	ends_close(&e);
}

TEST(an_empty_message_is_written_too)
{
	struct ends e;
	struct wrapped w;
	struct told t = {0};

	ends_open(&e);
	assert_int_equal(ibuf_libuv_write(STREAM(&e.from), message_of(&w, ""),
					  on_written, &t),
			 0);
	ends_run(&e);
	assert_int_equal(t.writes, 1);
	assert_released(&w, 1, 1);
	ends_close(&e);
}

TEST(messages_in_the_queue_end_once_when_their_stream_is_closed)
{
	struct ends e;
	struct wrapped w[3];
	struct told t = {0};
	struct ibuf_pool *p = ibuf_pool_new(1, 1 << 20);

	ends_open(&e);
	/* More than the socket takes: the second waits behind the first. */
	assert_int_equal(ibuf_libuv_write(STREAM(&e.from),
					  message_of_many(p, 1 << 20),
					  on_written, &t),
			 0);
	assert_int_equal(ibuf_libuv_write(STREAM(&e.from), message_of_three(w),
					  on_written, &t),
			 0);
	ends_run(&e);
	assert_int_equal(t.writes, 0);
	assert_released(w, 3, 0);
	uv_close(HANDLE(&e.from), NULL);
	assert_released(w, 3, 0);
	ends_run(&e);
	assert_int_equal(t.writes, 2);
	assert_int_equal(t.status, UV_ECANCELED);
	assert_released(w, 3, 1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	ends_close(&e);
}

TEST(a_peer_that_dies_ends_the_messages_that_wait)
{
	struct ends e;
	struct wrapped w[3];
	struct told t = {0};
	struct ibuf_pool *p = ibuf_pool_new(1, 1 << 20);

	ends_open(&e);
	assert_int_equal(ibuf_libuv_write(STREAM(&e.from),
					  message_of_many(p, 1 << 20),
					  on_written, &t),
			 0);
	assert_int_equal(ibuf_libuv_write(STREAM(&e.from), message_of_three(w),
					  on_written, &t),
			 0);
	ends_run(&e);
	uv_close(HANDLE(&e.to), NULL);
	ends_run(&e);
	assert_int_equal(t.writes, 2);
	assert_true(t.status < 0);
	assert_released(w, 3, 1);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	ends_close(&e);
}

TEST(a_stream_that_is_shut_refuses_and_the_message_is_as_it_was)
{
	struct ends e;
	struct wrapped w[3];
	struct told t = {0};
	struct ibuf_mbuf *m = message_of_three(w);
	uv_shutdown_t shut;

	ends_open(&e);
	assert_int_equal(uv_shutdown(&shut, STREAM(&e.from), NULL), 0);
	ends_run(&e);
	assert_int_equal(ibuf_libuv_write(STREAM(&e.from), m, on_written, &t),
			 UV_EPIPE);
	ends_run(&e);
	assert_int_equal(t.writes, 0);
	assert_released(w, 3, 0);
	assert_three(m);
	ibuf_mbuf_free(m);
	ends_close(&e);
}

TEST(without_memory_nothing_is_written_and_nothing_is_lost)
{
	struct ends e;
	struct wrapped w[3];
	struct told t = {0};
	struct ibuf_mbuf *m = message_of_three(w);

	ends_open(&e);
	WHILE_WITHOUT_MEMORY(ibuf_libuv_write(STREAM(&e.from), m, on_written,
					      &t) == UV_ENOMEM)
	{
		ends_run(&e);
		assert_int_equal(t.writes, 0);
		assert_released(w, 3, 0);
		assert_three(m);
	}
	ends_run(&e);
	assert_int_equal(t.writes, 1);
	assert_released(w, 3, 1);
	ends_close(&e);
}

/* For more than four libuv allocates.  Where it cannot, the loop of libuv 1.44
   counts the request for ever, so none is closed here after that. */
TEST(a_message_of_many_segments_is_refused_without_memory_too)
{
	static struct ends e;
	struct wrapped w[3], more[3];
	struct ibuf_mbuf *m = message_of_three(w);
	int rc;

	assert_int_equal(ibuf_mbuf_concat(m, message_of_three(more)), 0);
	ends_open(&e);
	fault_from(2);
	rc = ibuf_libuv_write(STREAM(&e.from), m, NULL, NULL);
	assert_true(fault_off());
	assert_int_equal(rc, UV_ENOMEM);
	assert_message(m, "one two threeone two three", 26);
	assert_int_equal(ibuf_libuv_write(STREAM(&e.from), m, NULL, NULL), 0);
	ends_run(&e);
	assert_released(w, 3, 1);
	assert_released(more, 3, 1);
	uv_close(HANDLE(&e.from), NULL);
	uv_close(HANDLE(&e.to), NULL);
	ends_run(&e);
	if (uv_loop_close(&e.loop) != 0) {
		e.loop.active_reqs.count = 0;
		assert_int_equal(uv_loop_close(&e.loop), 0);
	}
}

TEST(a_clone_outlives_the_write_and_ends_in_another_thread)
{
	struct ends e;
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w), *clone = ibuf_mbuf_clone(m);

	ends_open(&e);
	assert_int_equal(ibuf_libuv_write(STREAM(&e.from), m, NULL, NULL), 0);
	ends_run(&e);
	ends_close(&e);
	assert_released(w, 3, 0);
	assert_three(clone);
	free_elsewhere(clone);
	assert_released(w, 3, 1);
}

/* ---- read ----------------------------------------------------------- */

TEST(reads_go_straight_into_mbufs_of_the_pool)
{
	struct ends e;
	struct told t = {0};
	struct ibuf_pool *p = pool_of(0, 0); /* of 64 bytes */
	struct ibuf_pool *large = ibuf_pool_new(1, 1000);
	struct ibuf_libuv_reader r = {p, on_read, &t, NULL};
	struct ibuf_mbuf *m = message_of_many(large, 1000);
	struct ibuf_mbuf *wanted = ibuf_mbuf_clone(m);
	uint64_t before = copied(p);

	ends_open(&e);
	assert_int_equal(ibuf_libuv_read_start(STREAM(&e.to), &r), 0);
	assert_int_equal(ibuf_libuv_write(STREAM(&e.from), m, on_written, &t),
			 0);
	ends_run(&e);
	assert_int_equal(ibuf_mbuf_compare(t.m, wanted), 0);
	assert_int_equal(ibuf_mbuf_segments(t.m), 16);
	assert_int_equal(copied(p), before);
	/* Between two turns no mbuf waits for bytes. */
	assert_int_equal(ibuf_pool_allocated(p), 16);
	ends_close(&e);
	free_elsewhere(t.m);
	ibuf_mbuf_free(wanted);
	assert_int_equal(ibuf_pool_destroy(p), 0);
	assert_int_equal(ibuf_pool_destroy(large), 0);
}

TEST(the_end_is_told_once_and_without_a_message)
{
	struct ends e;
	struct told t = {0};
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_libuv_reader r = {p, on_read, &t, NULL};

	ends_open(&e);
	assert_int_equal(ibuf_libuv_read_start(STREAM(&e.to), &r), 0);
	uv_close(HANDLE(&e.from), NULL);
	ends_run(&e);
	assert_int_equal(t.errors, 1);
	assert_int_equal(t.error, UV_EOF);
	ends_close(&e);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_pool_at_its_max_stops_the_reading_and_loses_nothing)
{
	struct ends e;
	struct told t = {0};
	struct ibuf_pool *p = pool_of(1, 0);
	struct ibuf_libuv_reader r = {p, on_read, &t, NULL};
	struct ibuf_mbuf *m;

	ends_open(&e);
	assert_int_equal(ibuf_libuv_read_start(STREAM(&e.to), &r), 0);
	send_now(&e, "one");
	ends_run(&e);
	assert_message(t.m, "one", 3);
	send_now(&e, "two");
	ends_run(&e);
	assert_int_equal(t.errors, 1);
	assert_int_equal(t.error, UV_ENOBUFS);
	m = t.m;
	t.m = NULL;
	ibuf_mbuf_free(m);
	assert_int_equal(ibuf_libuv_read_start(STREAM(&e.to), &r), 0);
	ends_run(&e);
	assert_message(t.m, "two", 3);
	ibuf_mbuf_free(t.m);
	ends_close(&e);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_stream_may_be_closed_in_its_callback)
{
	struct ends e;
	struct told t = {.stop = true};
	struct ibuf_pool *p = pool_of(0, 0);
	struct ibuf_libuv_reader *r = malloc(sizeof(*r));

	assert_non_null(r);
	*r = (struct ibuf_libuv_reader){p, on_read, &t, NULL};
	ends_open(&e);
	assert_int_equal(ibuf_libuv_read_start(STREAM(&e.to), r), 0);
	send_now(&e, "one");
	ends_run(&e);
	free(r);
	assert_message(t.m, "one", 3);
	ends_close(&e);
	ibuf_mbuf_free(t.m);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}
