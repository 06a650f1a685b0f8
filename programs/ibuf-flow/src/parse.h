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
 * Parse a frame of p->wire_bytes, of which the message has those that were
 * captured.  A message that has more is believed, not the length.
 *
 * link is its LINKTYPE.  On SKIP_NOT what packet.h says is set; any other
 * value is the reason why the packet belongs to no flow.
 */
enum skip parse_frame(const struct ibuf_mbuf *m, int link, struct packet *p);

#endif
