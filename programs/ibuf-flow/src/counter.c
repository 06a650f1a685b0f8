/*
 * counter.c - take the headers off packets and count what is left.
 */
#include "counter.h"

/* Take the headers off, so that the message is the payload; count it. */
static bool
count_packet(struct counter *c, struct ibuf_mbuf *m)
{
	const struct packet *p = ibuf_mbuf_private(m);
	size_t behind = ibuf_mbuf_len(m) - p->payload - p->captured;

	/* Both are within the message: the parser read it. */
	(void)ibuf_mbuf_trim_head(m, p->payload);
	(void)ibuf_mbuf_trim_tail(m, behind);
	return flow_table_count(&c->flows, p, ibuf_mbuf_len(m));
}

void
counter_take(struct counter *c, struct ibuf_mbuf **packets, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!count_packet(c, packets[i]))
			c->lost++;
	}
	ibuf_mbuf_free_bulk(packets, count);
}
