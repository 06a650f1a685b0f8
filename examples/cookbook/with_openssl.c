/* with_openssl.c - cookbook: messages through TLS. */
#include <ibuf/ibuf.h>
#include <openssl/ssl.h>
#include <stdio.h>

/*
 * Write a message, and take off its front what went out: 1 when it is empty.
 * Else 0: ask SSL_get_error(), and call again with the same message.
 */
static int
tls_write(SSL *ssl, struct ibuf_mbuf *m)
{
	const uint8_t *bytes;
	size_t run, n;

	while (ibuf_mbuf_len(m) != 0) {
		bytes = ibuf_mbuf_at(m, 0, &run);
		if (SSL_write_ex(ssl, bytes, run, &n) != 1)
			return 0;
		ibuf_mbuf_trim_head(m, n);
	}
	return 1;
}

/* Decrypt into the tailroom: 1, or 0 and an error of SSL_get_error(). */
static int
tls_read(SSL *ssl, struct ibuf_mbuf *m)
{
	void *place = ibuf_mbuf_reserve(m, SSL3_RT_MAX_PLAIN_LENGTH);
	size_t n;

	if (place == NULL ||
	    SSL_read_ex(ssl, place, SSL3_RT_MAX_PLAIN_LENGTH, &n) != 1)
		return 0;
	return ibuf_mbuf_commit(m, n) == 0;
}

/* Without certificates, which no real program does. */
static SSL *
make_end(const SSL_METHOD *method, BIO *bio)
{
	SSL_CTX *context = SSL_CTX_new(method);
	SSL *ssl = NULL;

	if (context != NULL &&
	    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_cipher_list(context, "aNULL:@SECLEVEL=0") == 1 &&
	    SSL_CTX_set_dh_auto(context, 1) == 1)
		ssl = SSL_new(context);
	SSL_CTX_free(context);
	if (ssl != NULL)
		SSL_set_bio(ssl, bio, bio);
	return ssl;
}

int
main(void)
{
	struct ibuf_mbuf *out = ibuf_mbuf_from("not for ", 8);
	struct ibuf_mbuf *tail = ibuf_mbuf_from("everybody", 9);
	struct ibuf_mbuf *in = ibuf_mbuf_new(64);
	SSL *client, *server;
	BIO *ends[2];
	int i;

	if (in == NULL || out == NULL || tail == NULL ||
	    ibuf_mbuf_concat(out, tail) != 0 ||
	    BIO_new_bio_pair(&ends[0], 0, &ends[1], 0) != 1)
		return 1;
	client = make_end(TLS_client_method(), ends[0]);
	server = make_end(TLS_server_method(), ends[1]);
	if (client == NULL || server == NULL)
		return 1;
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (i = 0; i < 10; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}

	if (tls_write(client, out) != 1)
		return 1;
	while (ibuf_mbuf_len(in) < 17)
		if (tls_read(server, in) != 1)
			return 1;
	printf("%s: %.*s\n", SSL_get_version(server), (int)ibuf_mbuf_len(in),
	       (const char *)ibuf_mbuf_data(in));
	ibuf_mbuf_free(in);
	ibuf_mbuf_free(out);
	SSL_free(client);
	SSL_free(server);
	return 0;
}

/* Prints:
 * TLSv1.2: not for everybody
 */
