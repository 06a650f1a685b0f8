/*
 * names_tls.h - the server name in a TLS ClientHello (RFC 8446, RFC 6066).
 */
#ifndef FLOW_NAMES_TLS_H
#define FLOW_NAMES_TLS_H

#include "names.h"
#include <ibuf/ibuf.h>

/* A handshake on its way; all zero is none yet. */
struct tls {
	struct ibuf_mbuf *hello; /* of records, without their headers */
	size_t cost;             /* what it takes of memory */
};

enum tls_state {
	TLS_MORE, /* bytes are missing */
	TLS_DONE, /* the hello was read */
	TLS_NOT   /* it is none, or lies */
};

/*
 * Read records at the start of m, whose rooms take cost bytes.  *consumed is
 * what was read; the rest is to be given again, with more behind it.
 */
enum tls_state tls_read(struct tls *t, const struct ibuf_mbuf *m, size_t cost,
			size_t *consumed, const struct name_flow *flow);

void tls_clear(struct tls *t);

#endif
