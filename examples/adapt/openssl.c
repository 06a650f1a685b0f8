/* openssl.c - adapt: TLS whose records are messages. */
#include <ibuf/adapt/openssl.h>
#include <ibuf/ibuf.h>
#include <stdio.h>

/* Without certificates, which no real program does. */
static SSL *
make_end(const SSL_METHOD *side, BIO *bio)
{
	SSL_CTX *context = SSL_CTX_new(side);
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

/* The network: what one end has to send, the other has received. */
static int
carry(struct ibuf_openssl_wire *from, struct ibuf_openssl_wire *to)
{
	struct ibuf_mbuf *sent = from->out;

	from->out = ibuf_mbuf_new(4096);
	return from->out != NULL && ibuf_mbuf_concat(to->in, sent) == 0;
}

int
main(void)
{
	struct ibuf_mbuf *out = ibuf_mbuf_from("not for ", 8);
	struct ibuf_mbuf *tail = ibuf_mbuf_from("everybody", 9);
	struct ibuf_mbuf *in = ibuf_mbuf_new(0);
	struct ibuf_openssl_wire a = {0}, b = {0};
	BIO_METHOD *method = ibuf_openssl_method();
	SSL *client, *server;
	int i;

	a.in = ibuf_mbuf_new(0);
	a.out = ibuf_mbuf_new(4096);
	b.in = ibuf_mbuf_new(0);
	b.out = ibuf_mbuf_new(4096);
	if (in == NULL || out == NULL || tail == NULL || method == NULL ||
	    a.in == NULL || a.out == NULL || b.in == NULL || b.out == NULL ||
	    ibuf_mbuf_concat(out, tail) != 0)
		return 1;
	client = make_end(TLS_client_method(), ibuf_openssl_bio(method, &a));
	server = make_end(TLS_server_method(), ibuf_openssl_bio(method, &b));
	if (client == NULL || server == NULL)
		return 1;
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (i = 0; i < 4; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
		if (!carry(&a, &b) || !carry(&b, &a))
			return 1;
	}

	if (ibuf_openssl_write(client, out) != 1 || !carry(&a, &b))
		return 1;
	while (ibuf_openssl_read(server, in) == 1)
		;
	printf("%s: %.*s\n", SSL_get_version(server), (int)ibuf_mbuf_len(in),
	       (const char *)ibuf_mbuf_data(in));
	SSL_free(client);
	SSL_free(server);
	BIO_meth_free(method);
	ibuf_mbuf_free(in);
	ibuf_mbuf_free(out);
	ibuf_mbuf_free(a.in);
	ibuf_mbuf_free(a.out);
	ibuf_mbuf_free(b.in);
	ibuf_mbuf_free(b.out);
	return 0;
}

/* Prints:
 * TLSv1.2: not for everybody
 */
