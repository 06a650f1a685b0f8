/*
 * scanner.h - find names in the bytes of one direction of a TCP stream.
 *
 * The first bytes tell what it is: a TLS handshake, on port 53 DNS; in all else
 * HTTP requests are looked for.  Bytes are kept until there are enough of them: a
 * line, a record, a message.
 */
#ifndef FLOW_SCANNER_H
#define FLOW_SCANNER_H

#include "names_http.h"
#include "names_tls.h"

enum scanner_kind {
	SCANNER_NEW, /* nothing was read yet */
	SCANNER_HTTP,
	SCANNER_TLS,
	SCANNER_DNS,
	SCANNER_OFF /* there is nothing to find */
};

/* All zero is the start of a stream. */
struct scanner {
	bool is_dns;    /* by its ports, says the owner */
	bool is_server; /* it has answered by HTTP */
	enum scanner_kind kind;
	struct ibuf_mbuf *held; /* what could not be read yet */
	size_t held_cost;
	struct http http;
	struct tls tls;
};

/* Read what comes next; the rooms of m take cost bytes of memory. */
void scanner_feed(struct scanner *s, const struct ibuf_mbuf *m, size_t cost,
		  const struct name_flow *flow);

/* Bytes are missing here: what is behind them begins anew. */
void scanner_gap(struct scanner *s, const struct name_flow *flow);

/* Look no further, and hold nothing. */
void scanner_stop(struct scanner *s);

/* What it takes of memory. */
size_t scanner_cost(const struct scanner *s);

#endif
