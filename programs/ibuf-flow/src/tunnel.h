/*
 * tunnel.h - find the network layer inside a tunnel.
 *
 * IPv4 and IPv6 in IP, EtherIP, GRE (also with Ethernet), VXLAN.
 */
#ifndef FLOW_TUNNEL_H
#define FLOW_TUNNEL_H

#include "layer.h"

/*
 * Go past the header of a tunnel.  The layer stands behind the IP header, or
 * that of UDP, between the ends of the key.  false: it is no tunnel that is
 * read; else *ethertype is what link_enter() gives.
 */
bool tunnel_enter(struct layer *l, const struct flow_key *key,
		  uint16_t *ethertype);

#endif
