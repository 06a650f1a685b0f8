/*
 * tunnel.c - headers of tunnels.
 */
#include "tunnel.h"
#include "link.h"
#include "protocol.h"

enum {
	PROTOCOL_IPIP = 4,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_GRE = 47,
	PROTOCOL_ETHERIP = 97,
	PORT_VXLAN = 4789,
	LINK_ETHERNET = 1,
};

static bool
enter_ethernet(struct layer *l, uint16_t *ethertype)
{
	return link_enter(l, LINK_ETHERNET, ethertype) == SKIP_NOT;
}

/* RFC 2784, with the key and the number of RFC 2890. */
static bool
enter_gre(struct layer *l, uint16_t *ethertype)
{
	enum {
		CHECKSUM = 0x8000,
		ROUTING = 0x4000,
		KEY = 0x2000,
		NUMBER = 0x1000,
		VERSION = 0x0007,
		TYPE_ETHERNET = 0x6558,
	};
	uint16_t flags = layer_be16(l);
	uint16_t type = layer_be16(l);
	size_t options = (flags & CHECKSUM ? 4 : 0) + (flags & KEY ? 4u : 0) +
			 (flags & NUMBER ? 4u : 0);

	if (flags & (ROUTING | VERSION) || !layer_skip(l, options))
		return false;
	if (type == TYPE_ETHERNET)
		return enter_ethernet(l, ethertype);
	*ethertype = type;
	return type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6;
}

/* RFC 7348: flags, of which one must be, and the network's number. */
static bool
enter_vxlan(struct layer *l, uint16_t *ethertype)
{
	enum { HAS_NUMBER = 0x08 };
	uint8_t flags = layer_u8(l);

	layer_skip(l, 7);
	return flags & HAS_NUMBER && enter_ethernet(l, ethertype);
}

bool
tunnel_enter(struct layer *l, const struct flow_key *key, uint16_t *ethertype)
{
	if (l->fault)
		return false;
	switch (key->protocol) {
	case PROTOCOL_IPIP:
		*ethertype = ETHERTYPE_IPV4;
		return true;
	case PROTOCOL_IPV6:
		*ethertype = ETHERTYPE_IPV6;
		return true;
	case PROTOCOL_ETHERIP:
		return layer_skip(l, 2) && enter_ethernet(l, ethertype);
	case PROTOCOL_GRE:
		return enter_gre(l, ethertype);
	case PROTOCOL_UDP:
		return (key->port[0] == PORT_VXLAN ||
			key->port[1] == PORT_VXLAN) &&
		       enter_vxlan(l, ethertype);
	default:
		return false;
	}
}
