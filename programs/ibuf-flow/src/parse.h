/*
 * parse.h - from the bytes of a frame to the description of a packet.
 *
 * Only cursors look at the bytes, so no header can make this read outside the
 * message; the message may have any number of segments.  A flow is the
 * outermost pair of addresses and ports: what a tunnel or an ICMP error
 * carries belongs to no other.  The segment is inside of tunnels.
 */
#ifndef FLOW_PARSE_H
#define FLOW_PARSE_H

#include "packet.h"
#include <ibuf/ibuf.h>

/*
 * Parse a packet of a block: p->skip, and on SKIP_NOT all behind it.
 *
 * A message that has more of the frame than the frame had is believed, not the
 * length.
 */
void parse_packet(const struct ibuf_mbuf *block, struct packet *p);

#endif
