/*
 * adapt/openssl.h - a BIO over messages, and messages through TLS.
 *
 *              wire.in ---> BIO ---> SSL ---> ibuf_openssl_read()
 *   socket                                                        program
 *              wire.out <--- BIO <--- SSL <--- ibuf_openssl_write()
 *
 * For programs that link to OpenSSL 1.1.1 or 3; docs/adapters.md says who
 * copies.  OpenSSL encrypts and decrypts in buffers of its own, which it shows
 * to nobody: it copies each byte in and out, as BIO_read, BIO_write, SSL_read
 * and SSL_write say.  The library adds no copy of its own.
 *
 * Threads.  All of it is for the thread that uses the SSL.
 */
#ifndef IBUF_ADAPT_OPENSSL_H
#define IBUF_ADAPT_OPENSSL_H

#include <errno.h>
#include <ibuf/mbuf.h>
#include <ibuf/segment.h>
#include <openssl/ssl.h>

IBUF_BEGIN_DECLS
IBUF_BEGIN_BODIES_

/**
 * The encrypted side.  It and its messages are the program's, and outlive the
 * BIO: what was received goes behind in by ibuf_mbuf_concat().
 */
struct ibuf_openssl_wire {
	/** What the peer has sent; each segment is freed when it is read. */
	struct ibuf_mbuf *in;
	/** What is to be sent. */
	struct ibuf_mbuf *out;
	/** The most bytes that out may have; 0: no limit.  Where it has them,
	    SSL_get_error() says SSL_ERROR_WANT_WRITE. */
	size_t most;
	/** The peer has sent all: once in is empty, that is the end. */
	bool ended;
};

static inline int
ibuf_openssl_bread_(BIO *bio, char *bytes, int n)
{
	struct ibuf_openssl_wire *w =
		(struct ibuf_openssl_wire *)BIO_get_data(bio);
	size_t got;

	BIO_clear_retry_flags(bio);
	if (n <= 0)
		return 0;
	got = ibuf_mbuf_read(w->in, bytes, (size_t)n);
	if (got != 0)
		return (int)got;
	if (w->ended)
		return 0;
	BIO_set_retry_read(bio);
	return -1;
}

static inline int
ibuf_openssl_bwrite_(BIO *bio, const char *bytes, int n)
{
	struct ibuf_openssl_wire *w =
		(struct ibuf_openssl_wire *)BIO_get_data(bio);
	size_t len = ibuf_mbuf_len(w->out);

	BIO_clear_retry_flags(bio);
	if (n <= 0)
		return 0;
	if (w->most != 0 && len >= w->most) {
		BIO_set_retry_write(bio);
		return -1;
	}
	if (w->most != 0 && (size_t)n > w->most - len)
		n = (int)(w->most - len);
	if (ibuf_mbuf_append(w->out, bytes, (size_t)n) != 0) {
		BIO_set_retry_write(bio); /* there may be memory then */
		return -1;
	}
	return n;
}

static inline long
ibuf_openssl_ctrl_(BIO *bio, int what, long number, void *arg)
{
	const struct ibuf_openssl_wire *w =
		(const struct ibuf_openssl_wire *)BIO_get_data(bio);
	size_t n = 0;

	(void)number;
	(void)arg;
	switch (what) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return w->ended && ibuf_mbuf_len(w->in) == 0;
	case BIO_CTRL_PENDING:
		n = ibuf_mbuf_len(w->in);
		break;
	case BIO_CTRL_WPENDING:
		n = ibuf_mbuf_len(w->out);
		break;
	default:
		break;
	}
	return (long)n;
}

/**
 * Make the kind of BIO that is for messages: one for all of a program, or for
 * each thread.
 *
 * @return the method; NULL: no memory
 * @owner the caller has it, and ends it with BIO_meth_free() after the last BIO
 */
static inline IBUF_MUST_USE BIO_METHOD *
ibuf_openssl_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "ibuf");

	if (method != NULL &&
	    (BIO_meth_set_read(method, ibuf_openssl_bread_) != 1 ||
	     BIO_meth_set_write(method, ibuf_openssl_bwrite_) != 1 ||
	     BIO_meth_set_ctrl(method, ibuf_openssl_ctrl_) != 1)) {
		BIO_meth_free(method);
		return NULL;
	}
	return method;
}

/**
 * Make a BIO over a wire: for SSL_set_bio(), as both of its BIOs.
 *
 * @param wire its messages are not NULL; it stays where it is until the BIO is
 *        freed
 * @return the BIO; NULL: no memory
 * @owner the caller has the BIO, and an SSL that it is given to frees it; the
 *        wire and its messages are the caller's all the time
 */
static inline IBUF_MUST_USE BIO *
ibuf_openssl_bio(const BIO_METHOD *method, struct ibuf_openssl_wire *wire)
{
	BIO *bio = BIO_new(method);

	if (bio != NULL) {
		BIO_set_data(bio, wire);
		BIO_set_init(bio, 1);
	}
	return bio;
}

/**
 * Encrypt a message, and take off its front what went out.
 *
 * @return 1: m is empty; 0: ask SSL_get_error(), and call again with the same m,
 *         which may have become longer only if SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
 *         is set
 * @owner m stays the caller's
 * @cost a record at least for each segment: linearize many small ones
 */
static inline IBUF_MUST_USE int
ibuf_openssl_write(SSL *ssl, struct ibuf_mbuf *m)
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

/**
 * Decrypt what there is of a record, and append it: straight into the tailroom,
 * which grows to a record's 16 KiB where it is less.
 *
 * @return 1; 0: ask SSL_get_error(), m is as it was; -ENOMEM: no room
 * @owner m stays the caller's
 */
static inline IBUF_MUST_USE int
ibuf_openssl_read(SSL *ssl, struct ibuf_mbuf *m)
{
	void *place = ibuf_mbuf_reserve(m, SSL3_RT_MAX_PLAIN_LENGTH);
	size_t n;

	if (place == NULL)
		return -ENOMEM;
	if (SSL_read_ex(ssl, place, SSL3_RT_MAX_PLAIN_LENGTH, &n) != 1)
		return 0;
	return ibuf_mbuf_commit(m, n) == 0;
}

IBUF_END_BODIES_
IBUF_END_DECLS

#endif
