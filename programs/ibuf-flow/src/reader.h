/*
 * reader.h - find names in the bytes of one direction of a TCP stream.
 *
 * The first bytes tell what it is: a TLS handshake, an HTTP request, on port
 * 53 DNS.  Bytes are kept until there are enough of them: a line, a record, a
 * message.  What is none of these is not looked at further.
 */
#ifndef FLOW_READER_H
#define FLOW_READER_H

#include "names_http.h"
#include "names_tls.h"

enum reader_kind {
	READER_NEW, /* nothing was read yet */
	READER_HTTP,
	READER_TLS,
	READER_DNS,
	READER_OFF /* there is nothing to find */
};

/* All zero is the start of a stream. */
struct reader {
	bool is_dns; /* by its ports, says the owner */
	enum reader_kind kind;
	struct ibuf_mbuf *held; /* what could not be read yet */
	size_t held_cost;
	struct http http;
	struct tls tls;
};

/* Read what comes next; the rooms of m take cost bytes of memory. */
void reader_feed(struct reader *r, const struct ibuf_mbuf *m, size_t cost,
		 const struct name_flow *flow);

/* Bytes are missing here: what is behind them begins anew. */
void reader_gap(struct reader *r, const struct name_flow *flow);

/* Look no further, and hold nothing. */
void reader_stop(struct reader *r);

/* What it takes of memory. */
size_t reader_cost(const struct reader *r);

#endif
