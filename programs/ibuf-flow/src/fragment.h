/*
 * fragment.h - to which flow a fragment belongs that has no ports.
 *
 * The first fragment of a packet has them, and is remembered by the addresses,
 * the protocol and the identification.  The oldest ones are forgotten.
 */
#ifndef FLOW_FRAGMENT_H
#define FLOW_FRAGMENT_H

#include "packet.h"
#include "table.h"
#include <ibuf/ibuf.h>

enum { FRAGMENTS_MAX = 4096 };

struct fragment {
	struct table_link link;
	struct flow_key packet; /* ends without ports, protocol, number */
	struct flow_key flow;
	uint8_t from;
};

/* All zero is empty. */
struct fragments {
	struct table table;
	struct fragment *ring; /* the next one is the oldest */
	size_t next;
};

/* Give the fragments of a block, which is parsed, to their flows. */
void fragments_take(struct fragments *f, struct ibuf_mbuf *block);

void fragments_clear(struct fragments *f);

#endif
