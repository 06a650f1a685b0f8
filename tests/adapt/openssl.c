/* openssl.c - messages through TLS: whose they are, and when they end. */
#include "adapt.h"

#include <ibuf/adapt/openssl.h>

/* An end of a connection: its SSL, and the wire below it. */
struct end {
	SSL *ssl;
	struct ibuf_openssl_wire wire;
};

/* Room for many records, so that out does not grow. */
static struct ibuf_pool *pool;
static BIO_METHOD *method;

static void
end_open(struct end *e, bool server)
{
	SSL_CTX *context =
		SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	BIO *bio;

	/* Without certificates, which no real program does. */
	assert_non_null(context);
	assert_int_equal(SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION),
			 1);
	assert_int_equal(SSL_CTX_set_cipher_list(context, "aNULL:@SECLEVEL=0"),
			 1);
	SSL_CTX_set_dh_auto(context, 1);
	*e = (struct end){.ssl = SSL_new(context)};
	SSL_CTX_free(context);
	e->wire.in = ibuf_mbuf_new(0);
	e->wire.out = ibuf_pool_alloc(pool);
	bio = ibuf_openssl_bio(method, &e->wire);
	assert_non_null(e->ssl);
	assert_non_null(bio);
	SSL_set_bio(e->ssl, bio, bio);
	if (server)
		SSL_set_accept_state(e->ssl);
	else
		SSL_set_connect_state(e->ssl);
}

static void
end_close(struct end *e)
{
	SSL_free(e->ssl);
	ibuf_mbuf_free(e->wire.in);
	ibuf_mbuf_free(e->wire.out);
}

/* What one end has to send is what the other has received. */
static void
carry(struct end *from, struct end *to)
{
	struct ibuf_mbuf *sent = from->wire.out;

	from->wire.out = ibuf_pool_alloc(pool);
	assert_non_null(from->wire.out);
	assert_int_equal(ibuf_mbuf_concat(to->wire.in, sent), 0);
}

static void
ends_open(struct end *client, struct end *server)
{
	method = ibuf_openssl_method();
	pool = ibuf_pool_new(4, 100000);
	assert_non_null(method);
	assert_non_null(pool);
	end_open(client, false);
	end_open(server, true);
	for (int i = 0; i < 4; i++) {
		SSL_do_handshake(client->ssl);
		carry(client, server);
		SSL_do_handshake(server->ssl);
		carry(server, client);
	}
	assert_true(SSL_is_init_finished(client->ssl));
	assert_true(SSL_is_init_finished(server->ssl));
}

static void
ends_close(struct end *client, struct end *server)
{
	end_close(client);
	end_close(server);
	BIO_meth_free(method);
	assert_int_equal(ibuf_pool_destroy(pool), 0);
}

TEST(a_message_goes_through_and_the_library_copies_nothing)
{
	struct end client, server;
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w), *got;
	uint64_t before;

	ends_open(&client, &server);
	got = ibuf_pool_alloc(pool);
	before = copied(pool);
	assert_int_equal(ibuf_openssl_write(client.ssl, m), 1);
	assert_message(m, "", 0);
	assert_released(w, 2, 1);
	carry(&client, &server);
	while (ibuf_mbuf_len(got) < 13)
		assert_int_equal(ibuf_openssl_read(server.ssl, got), 1);
	assert_three(got);
	assert_int_equal(ibuf_openssl_read(server.ssl, got), 0);
	assert_int_equal(SSL_get_error(server.ssl, 0), SSL_ERROR_WANT_READ);
	assert_three(got);
	assert_int_equal(copied(pool), before);
	ibuf_mbuf_free(m);
	assert_released(w, 3, 1);
	ibuf_mbuf_free(got);
	ends_close(&client, &server);
}

TEST(what_came_ends_as_soon_as_it_is_read)
{
	struct end client, server;
	struct wrapped w;
	struct ibuf_mbuf *m = ibuf_mbuf_from("secret", 6), *record;
	struct ibuf_mbuf *got = ibuf_mbuf_new(20000);
	static char bytes[1000];
	size_t n;

	ends_open(&client, &server);
	assert_int_equal(ibuf_openssl_write(client.ssl, m), 1);
	n = ibuf_mbuf_read(client.wire.out, bytes, sizeof(bytes));
	atomic_init(&w.released, 0);
	record = ibuf_mbuf_wrap_const(bytes, n, count_release, &w);
	/* Somebody else looks at what comes. */
	assert_int_equal(
		ibuf_mbuf_concat(server.wire.in, ibuf_mbuf_clone(record)), 0);
	assert_int_equal(ibuf_openssl_read(server.ssl, got), 1);
	assert_message(got, "secret", 6);
	assert_int_equal(ibuf_mbuf_len(record), n);
	assert_released(&w, 1, 0);
	free_elsewhere(record);
	assert_int_equal(ibuf_openssl_read(server.ssl, got), 0);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(got);
	ends_close(&client, &server);
	assert_released(&w, 1, 1);
}

TEST(a_wire_at_its_most_makes_the_writer_wait_and_nothing_is_lost)
{
	struct end client, server;
	struct ibuf_mbuf *m, *wanted, *got;
	size_t waits = 0;

	ends_open(&client, &server);
	m = message_of_many(pool, 60000);
	wanted = ibuf_mbuf_clone(m);
	got = ibuf_pool_alloc(pool);
	client.wire.most = 1000;
	while (ibuf_openssl_write(client.ssl, m) != 1) {
		assert_int_equal(SSL_get_error(client.ssl, 0),
				 SSL_ERROR_WANT_WRITE);
		assert_int_equal(ibuf_mbuf_len(client.wire.out), 1000);
		carry(&client, &server);
		waits++;
	}
	carry(&client, &server);
	assert_true(waits > 50);
	while (ibuf_openssl_read(server.ssl, got) == 1)
		;
	assert_int_equal(ibuf_mbuf_compare(got, wanted), 0);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(wanted);
	ibuf_mbuf_free(got);
	ends_close(&client, &server);
}

TEST(without_memory_for_the_wire_the_same_write_is_made_again)
{
	struct end client, server;
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w), *got;

	ends_open(&client, &server);
	ibuf_mbuf_free(client.wire.out);
	client.wire.out = ibuf_mbuf_new(0);
	fault_from(1);
	assert_int_equal(ibuf_openssl_write(client.ssl, m), 0);
	assert_true(fault_off());
	assert_int_equal(SSL_get_error(client.ssl, 0), SSL_ERROR_WANT_WRITE);
	assert_three(m);
	assert_released(w, 3, 0);
	assert_int_equal(ibuf_openssl_write(client.ssl, m), 1);
	carry(&client, &server);
	got = ibuf_mbuf_from("zero ", 5);
	/* Nor is there memory to read into: it can be read later. */
	fault_from(1);
	assert_int_equal(ibuf_openssl_read(server.ssl, got), -ENOMEM);
	assert_true(fault_off());
	assert_message(got, "zero ", 5);
	while (ibuf_openssl_read(server.ssl, got) == 1)
		;
	assert_message(got, "zero one two three", 18);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(got);
	ends_close(&client, &server);
}

TEST(a_peer_that_dies_in_a_record_is_an_error_and_changes_no_message)
{
	struct end client, server;
	struct wrapped w[3];
	struct ibuf_mbuf *m = message_of_three(w), *got;

	ends_open(&client, &server);
	got = ibuf_mbuf_from("zero ", 5);
	assert_int_equal(ibuf_openssl_write(client.ssl, m), 1);
	assert_int_equal(ibuf_mbuf_trim_tail(client.wire.out, 1), 0);
	carry(&client, &server);
	server.wire.ended = true;
	while (ibuf_openssl_read(server.ssl, got) == 1)
		;
	assert_int_not_equal(SSL_get_error(server.ssl, 0), SSL_ERROR_WANT_READ);
	/* The last of the three records is not whole. */
	assert_message(got, "zero one two ", 13);
	ibuf_mbuf_free(m);
	ibuf_mbuf_free(got);
	ends_close(&client, &server);
	assert_released(w, 3, 1);
}

TEST(an_ssl_that_ends_leaves_the_messages_of_its_wire)
{
	struct end client, server;
	struct wrapped w[3];

	ends_open(&client, &server);
	assert_int_equal(ibuf_mbuf_concat(server.wire.in, message_of_three(w)),
			 0);
	SSL_free(server.ssl);
	server.ssl = NULL;
	assert_released(w, 3, 0);
	assert_three(server.wire.in);
	ends_close(&client, &server);
	assert_released(w, 3, 1);
}

TEST(a_bio_tells_what_waits)
{
	struct end client, server;
	BIO *bio;

	ends_open(&client, &server);
	bio = SSL_get_rbio(server.ssl);
	assert_int_equal(BIO_pending(bio), 0);
	assert_int_equal(ibuf_mbuf_append(server.wire.in, "four", 4), 0);
	assert_int_equal(BIO_pending(bio), 4);
	assert_int_equal(BIO_write(bio, "out", 3), 3);
	assert_int_equal(BIO_wpending(bio), 3);
	assert_int_equal(BIO_eof(bio), 0);
	ibuf_mbuf_clear(server.wire.in);
	server.wire.ended = true;
	assert_int_equal(BIO_eof(bio), 1);
	ends_close(&client, &server);
}

enum { TURNS = 300 };

/* The other end, in a thread of its own; records come through a queue. */
struct far {
	struct end *end;
	struct ibuf_queue *records;
	size_t got;
};

static void *
receive(void *arg)
{
	struct far *f = arg;
	struct ibuf_mbuf *m = ibuf_mbuf_new(20000), *record;

	while (ibuf_queue_pop_wait(f->records, &record, NULL) == 0) {
		if (ibuf_mbuf_concat(f->end->wire.in, record) != 0)
			abort();
		while (ibuf_openssl_read(f->end->ssl, m) == 1) {
			f->got += ibuf_mbuf_len(m);
			ibuf_mbuf_clear(m);
		}
	}
	ibuf_mbuf_free(m);
	return NULL;
}

TEST(records_go_from_thread_to_thread)
{
	struct end client, server;
	struct far f = {.end = &server};
	pthread_t thread;

	ends_open(&client, &server);
	assert_int_equal(ibuf_queue_create(&f.records, 16, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, receive, &f), 0);
	for (int i = 0; i < TURNS; i++) {
		struct ibuf_mbuf *m = message_of_many(pool, 1000), *record;

		assert_int_equal(ibuf_openssl_write(client.ssl, m), 1);
		record = client.wire.out;
		client.wire.out = m;
		assert_int_equal(ibuf_queue_push_wait(f.records, record, NULL),
				 0);
	}
	ibuf_queue_close(f.records);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(f.got, TURNS * 1000);
	ibuf_queue_destroy(f.records);
	ends_close(&client, &server);
}
