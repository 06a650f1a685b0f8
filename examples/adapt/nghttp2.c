/* nghttp2.c - adapt: the body of a request over HTTP/2, and none of it copied. */
#include <ibuf/adapt/nghttp2.h>
#include <ibuf/ibuf.h>
#include <stdio.h>

struct end {
	nghttp2_session *session;
	struct ibuf_mbuf *in, *out, *body;
};

static ssize_t
on_send(nghttp2_session *session, const uint8_t *bytes, size_t n, int flags,
	void *end)
{
	(void)session;
	(void)flags;
	return ibuf_nghttp2_send(((struct end *)end)->out, bytes, n);
}

static int
on_send_data(nghttp2_session *session, nghttp2_frame *frame,
	     const uint8_t *header, size_t n, nghttp2_data_source *source,
	     void *end)
{
	(void)session;
	return ibuf_nghttp2_send_data(((struct end *)end)->out, frame, header,
				      n, source);
}

/* Each piece of a body is a slice of what came. */
static int
on_chunk(nghttp2_session *session, uint8_t flags, int32_t stream,
	 const uint8_t *bytes, size_t n, void *end)
{
	struct end *e = end;
	struct ibuf_mbuf *m = ibuf_nghttp2_chunk(e->in, bytes, n);

	(void)session;
	(void)flags;
	(void)stream;
	if (m == NULL || ibuf_mbuf_concat(e->body, m) != 0) {
		ibuf_mbuf_free(m);
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	return 0;
}

static int
make_end(struct end *e, int is_server)
{
	nghttp2_session_callbacks *c;
	int rc;

	e->in = ibuf_mbuf_new(0);
	e->out = ibuf_mbuf_new(0);
	e->body = ibuf_mbuf_new(0);
	if (e->in == NULL || e->out == NULL || e->body == NULL ||
	    nghttp2_session_callbacks_new(&c) != 0)
		return -1;
	nghttp2_session_callbacks_set_send_callback(c, on_send);
	nghttp2_session_callbacks_set_send_data_callback(c, on_send_data);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_chunk);
	rc = is_server ? nghttp2_session_server_new(&e->session, c, e)
		       : nghttp2_session_client_new(&e->session, c, e);
	nghttp2_session_callbacks_del(c);
	return rc;
}

static void
end_end(struct end *e)
{
	nghttp2_session_del(e->session);
	ibuf_mbuf_free(e->in);
	ibuf_mbuf_free(e->out);
	ibuf_mbuf_free(e->body);
}

#define PAIR(name, value)                                                      \
	{                                                                      \
		(uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value),   \
			sizeof(name) - 1, sizeof(value) - 1, 0                 \
	}

int
main(void)
{
	nghttp2_nv head[] = {PAIR(":method", "POST"), PAIR(":path", "/"),
			     PAIR(":scheme", "https"), PAIR(":authority", "x")};
	struct ibuf_nghttp2_body body = {ibuf_mbuf_from("a body", 6), false};
	nghttp2_data_provider from = {{0}, ibuf_nghttp2_read_body};
	struct end client, server;
	const uint8_t *bytes;

	if (body.m == NULL || make_end(&client, 0) != 0 ||
	    make_end(&server, 1) != 0)
		return 1;
	bytes = ibuf_mbuf_data(body.m);
	from.source.ptr = &body;
	nghttp2_submit_settings(client.session, 0, NULL, 0);
	nghttp2_submit_request(client.session, NULL, head, 4, &from, NULL);
	nghttp2_session_send(client.session);

	/* The network. */
	if (ibuf_mbuf_concat(server.in, client.out) != 0)
		return 1;
	client.out = NULL;
	if (ibuf_nghttp2_receive(server.session, server.in) < 0)
		return 1;
	printf("%zu bytes, the same memory: %s\n", ibuf_mbuf_len(server.body),
	       ibuf_mbuf_data(server.body) == bytes ? "yes" : "no");
	end_end(&client);
	end_end(&server);
	ibuf_mbuf_free(body.m);
	return 0;
}

/* Prints:
 * 6 bytes, the same memory: yes
 */
