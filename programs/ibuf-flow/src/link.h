/*
 * link.h - find the network layer behind the link layer.
 *
 * Ethernet (also with an 802.2 header), Linux cooked 1 and 2, BSD loopback,
 * raw IP; inside them VLAN tags, PPPoE and MPLS, as many as there are.
 */
#ifndef FLOW_LINK_H
#define FLOW_LINK_H

#include "layer.h"

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_RARP = 0x8035,
	ETHERTYPE_IPV6 = 0x86dd,
	/* No number of the wire: IP, the version in the header decides. */
	ETHERTYPE_IP_ANY = 1,
};

/*
 * Go past the link layer of a frame.
 *
 * link is the frame's LINKTYPE (or the DLT of libpcap: the two agree for all
 * that is read here).  On SKIP_NOT the layer stands at the network header and
 * *ethertype is one of the above.
 */
enum skip link_enter(struct layer *l, int link, uint16_t *ethertype);

#endif
