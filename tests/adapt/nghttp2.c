/* nghttp2.c - bodies of HTTP/2 as messages: whose they are, and when they end. */
#include "adapt.h"

#include <ibuf/adapt/nghttp2.h>

/* An end of a connection: its session, and what came and is to be sent. */
struct end {
	nghttp2_session *session;
	struct ibuf_mbuf *in, *out;
	struct ibuf_nghttp2_body body; /* what a client sends */
	struct ibuf_mbuf *got;         /* what a server has received */
	size_t padding;
	uint32_t closed;
	int closes;
};

static ssize_t
on_send(nghttp2_session *session, const uint8_t *bytes, size_t n, int flags,
	void *end)
{
	struct end *e = end;

	(void)session;
	(void)flags;
	return ibuf_nghttp2_send(e->out, bytes, n);
}

static int
on_send_data(nghttp2_session *session, nghttp2_frame *frame,
	     const uint8_t *header, size_t n, nghttp2_data_source *source,
	     void *end)
{
	struct end *e = end;

	(void)session;
	return ibuf_nghttp2_send_data(e->out, frame, header, n, source);
}

static int
on_chunk(nghttp2_session *session, uint8_t flags, int32_t stream,
	 const uint8_t *bytes, size_t n, void *end)
{
	struct end *e = end;
	struct ibuf_mbuf *m = ibuf_nghttp2_chunk(e->in, bytes, n);

	(void)session;
	(void)flags;
	(void)stream;
	if (m == NULL)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	return ibuf_mbuf_concat(e->got, m);
}

static ssize_t
pad(nghttp2_session *session, const nghttp2_frame *frame, size_t most,
    void *end)
{
	struct end *e = end;
	size_t n = frame->hd.length + e->padding;

	(void)session;
	return (ssize_t)(n < most ? n : most);
}

static int
on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *end)
{
	struct end *e = end;

	(void)session;
	(void)stream;
	e->closes++;
	e->closed = error;
	return 0;
}

static void
end_open(struct end *e, bool server)
{
	nghttp2_session_callbacks *c;

	*e = (struct end){.in = ibuf_mbuf_new(0), .out = ibuf_mbuf_new(0)};
	e->got = ibuf_mbuf_new(0);
	assert_int_equal(nghttp2_session_callbacks_new(&c), 0);
	nghttp2_session_callbacks_set_send_callback(c, on_send);
	nghttp2_session_callbacks_set_send_data_callback(c, on_send_data);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_chunk);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_close);
	nghttp2_session_callbacks_set_select_padding_callback(c, pad);
	assert_int_equal(server ? nghttp2_session_server_new(&e->session, c, e)
				: nghttp2_session_client_new(&e->session, c, e),
			 0);
	nghttp2_session_callbacks_del(c);
	assert_int_equal(nghttp2_submit_settings(e->session, 0, NULL, 0), 0);
}

static void
end_close(struct end *e)
{
	nghttp2_session_del(e->session);
	ibuf_mbuf_free(e->in);
	ibuf_mbuf_free(e->out);
	ibuf_mbuf_free(e->got);
	ibuf_mbuf_free(e->body.m);
}

/* What one end sends is what the other receives. */
static void
carry(struct end *from, struct end *to)
{
	struct ibuf_mbuf *sent;
	ssize_t n;

	assert_int_equal(nghttp2_session_send(from->session), 0);
	sent = from->out;
	from->out = ibuf_mbuf_new(0);
	assert_int_equal(ibuf_mbuf_concat(to->in, sent), 0);
	n = (ssize_t)ibuf_mbuf_len(to->in);
	assert_int_equal(ibuf_nghttp2_receive(to->session, to->in), n);
	assert_int_equal(ibuf_mbuf_len(to->in), 0);
}

static nghttp2_nv
pair(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name,
			    (uint8_t *)(uintptr_t)value, strlen(name),
			    strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static int32_t
post(struct end *client, struct ibuf_mbuf *m, bool more)
{
	nghttp2_nv head[] = {pair(":method", "POST"), pair(":path", "/"),
			     pair(":scheme", "https"), pair(":authority", "x")};
	nghttp2_data_provider from = {{.ptr = &client->body},
				      ibuf_nghttp2_read_body};
	int32_t stream;

	client->body = (struct ibuf_nghttp2_body){m, more};
	stream = nghttp2_submit_request(client->session, NULL, head, 4, &from,
					NULL);
	assert_true(stream > 0);
	return stream;
}

TEST(a_body_goes_from_end_to_end_as_the_same_memory)
{
	struct end client, server;
	struct wrapped w[3];
	uint64_t before;

	end_open(&client, false);
	end_open(&server, true);
	carry(&client, &server);
	carry(&server, &client);
	before = copied(NULL);
	post(&client, message_of_three(w), false);
	carry(&client, &server);
	assert_three(server.got);
	assert_ptr_equal(ibuf_mbuf_at(server.got, 0, NULL), w[0].bytes);
	assert_int_equal(ibuf_mbuf_len(client.body.m), 0);
	assert_int_equal(copied(NULL), before);
	end_close(&client);
	assert_released(&w[1], 2, 0);
	free_elsewhere(server.got);
	server.got = NULL;
	end_close(&server);
	assert_released(w, 3, 1);
}

/* The windows of HTTP/2 are 65535 bytes, frames 16 KiB. */
TEST(a_large_body_is_cut_into_frames_and_none_is_copied)
{
	struct end client, server;
	struct ibuf_pool *p = ibuf_pool_new(1, 60000);
	struct ibuf_mbuf *m = message_of_many(p, 60000);
	struct ibuf_mbuf *wanted = ibuf_mbuf_clone(m);
	uint64_t before;

	end_open(&client, false);
	end_open(&server, true);
	client.padding = 7;
	before = copied(p);
	post(&client, m, false);
	carry(&client, &server);
	assert_int_equal(ibuf_mbuf_compare(server.got, wanted), 0);
	assert_int_equal(copied(p), before);
	end_close(&client);
	end_close(&server);
	ibuf_mbuf_free(wanted);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_body_may_come_later)
{
	struct end client, server;
	struct wrapped w[3];
	int32_t stream;

	end_open(&client, false);
	end_open(&server, true);
	stream = post(&client, ibuf_mbuf_new(0), true);
	carry(&client, &server);
	assert_int_equal(ibuf_mbuf_len(server.got), 0);
	assert_int_equal(ibuf_mbuf_concat(client.body.m, message_of_three(w)),
			 0);
	client.body.more = false;
	assert_int_equal(nghttp2_session_resume_data(client.session, stream),
			 0);
	carry(&client, &server);
	assert_three(server.got);
	end_close(&client);
	end_close(&server);
	assert_released(w, 3, 1);
}

TEST(a_stream_that_is_reset_leaves_the_rest_of_its_body)
{
	struct end client, server;
	struct ibuf_pool *p = ibuf_pool_new(1, 200000);
	int32_t stream;

	end_open(&client, false);
	end_open(&server, true);
	stream = post(&client, message_of_many(p, 200000), false);
	carry(&client, &server); /* no more than the peer allows */
	assert_int_equal(ibuf_mbuf_len(server.got), 65535);
	assert_int_equal(ibuf_mbuf_len(client.body.m), 200000 - 65535);
	assert_int_equal(nghttp2_submit_rst_stream(server.session, 0, stream,
						   NGHTTP2_CANCEL),
			 0);
	carry(&server, &client);
	assert_int_equal(client.closes, 1);
	assert_int_equal(client.closed, NGHTTP2_CANCEL);
	assert_int_equal(ibuf_mbuf_len(client.body.m), 200000 - 65535);
	/* A session that ends with frames to be sent. */
	end_close(&client);
	assert_int_equal(ibuf_pool_allocated(p), 1);
	end_close(&server);
	assert_int_equal(ibuf_pool_destroy(p), 0);
}

TEST(a_peer_that_dies_in_a_frame_leaves_what_came)
{
	struct end client, server;
	struct wrapped w[3];
	size_t n;

	end_open(&client, false);
	end_open(&server, true);
	post(&client, message_of_three(w), false);
	assert_int_equal(nghttp2_session_send(client.session), 0);
	assert_int_equal(ibuf_mbuf_trim_tail(client.out, 3), 0);
	n = ibuf_mbuf_len(client.out);
	assert_int_equal(ibuf_mbuf_concat(server.in, client.out), 0);
	client.out = NULL;
	assert_int_equal(ibuf_nghttp2_receive(server.session, server.in), n);
	assert_message(server.got, "one two th", 10);
	end_close(&client);
	end_close(&server);
	assert_released(w, 3, 1);
}

TEST(bytes_that_are_not_http2_end_the_session)
{
	struct end server;

	end_open(&server, true);
	assert_int_equal(
		ibuf_mbuf_append(server.in, "GET / HTTP/1.1\r\n\r\n", 18), 0);
	assert_int_equal(ibuf_nghttp2_receive(server.session, server.in),
			 NGHTTP2_ERR_BAD_CLIENT_MAGIC);
	end_close(&server);
}

/* Nothing is sent, or all of a frame: what a session has to send it has still. */
TEST(without_memory_a_frame_is_sent_later_and_nothing_is_lost)
{
	struct end client, server;
	struct wrapped w[3];

	end_open(&client, false);
	end_open(&server, true);
	carry(&client, &server);
	carry(&server, &client);
	client.padding = 5;
	post(&client, message_of_three(w), false);
	for (size_t n = 1; ibuf_mbuf_len(client.body.m) > 0; n++) {
		fault_from(n);
		assert_int_equal(nghttp2_session_send(client.session), 0);
		if (fault_off())
			assert_true(ibuf_mbuf_len(client.body.m) == 13 ||
				    ibuf_mbuf_len(client.body.m) == 0);
		assert_int_equal(ibuf_mbuf_validate(client.out), 0);
	}
	carry(&client, &server);
	assert_three(server.got);
	end_close(&client);
	end_close(&server);
	assert_released(w, 3, 1);
}
