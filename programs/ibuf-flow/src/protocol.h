/*
 * protocol.h - what is known of IP protocols by their number.
 */
#ifndef FLOW_PROTOCOL_H
#define FLOW_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

enum {
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_AH = 51,
	PROTOCOL_NONE = 59, /* no next header */
	PROTOCOL_DESTINATION = 60,
	PROTOCOL_SHIM6 = 140,
	/* Beyond the 8 bits of the wire. */
	PROTOCOL_ARP = 256,
};

/* Room for any name, its end included. */
enum { PROTOCOL_NAME_MAX = 16 };

/* Its name in lower case, "ip-N" for one without; PROTOCOL_ARP: "arp". */
void protocol_name(unsigned protocol, char name[static PROTOCOL_NAME_MAX]);

/* Its header begins with a source and a destination port of 16 bits. */
bool protocol_has_ports(unsigned protocol);

/* It carries packets of another network, or of the same. */
bool protocol_is_tunnel(unsigned protocol);

#endif
