/*
 * protocol.c - names of IP protocols, by the numbers that IANA assigns.
 */
#include "protocol.h"
#include <stdio.h>

enum { HAS_PORTS = 1, IS_TUNNEL = 2 };

static const struct {
	const char *name;
	unsigned traits;
} protocols[] = {
	[1] = {"icmp", 0},
	[2] = {"igmp", 0},
	[4] = {"ipip", IS_TUNNEL},
	[6] = {"tcp", HAS_PORTS},
	[8] = {"egp", 0},
	[17] = {"udp", HAS_PORTS},
	[33] = {"dccp", HAS_PORTS},
	[41] = {"ipv6", IS_TUNNEL},
	[46] = {"rsvp", 0},
	[47] = {"gre", IS_TUNNEL},
	[50] = {"esp", 0},
	[51] = {"ah", 0},
	[55] = {"mobile", IS_TUNNEL},
	[58] = {"icmpv6", 0},
	[59] = {"ipv6-nonxt", 0},
	[88] = {"eigrp", 0},
	[89] = {"ospf", 0},
	[94] = {"ipip-94", IS_TUNNEL},
	[97] = {"etherip", IS_TUNNEL},
	[103] = {"pim", 0},
	[108] = {"ipcomp", 0},
	[112] = {"vrrp", 0},
	[115] = {"l2tp", IS_TUNNEL},
	[132] = {"sctp", HAS_PORTS},
	[135] = {"mobility", 0},
	[136] = {"udplite", HAS_PORTS},
	[137] = {"mpls-in-ip", IS_TUNNEL},
	[139] = {"hip", 0},
	[143] = {"ethernet", IS_TUNNEL},
	[PROTOCOL_ARP] = {"arp", 0},
};

enum { PROTOCOLS = sizeof protocols / sizeof protocols[0] };

void
protocol_name(unsigned protocol, char name[static PROTOCOL_NAME_MAX])
{
	if (protocol < PROTOCOLS && protocols[protocol].name != NULL)
		snprintf(name, PROTOCOL_NAME_MAX, "%s",
			 protocols[protocol].name);
	else
		snprintf(name, PROTOCOL_NAME_MAX, "ip-%u", protocol);
}

bool
protocol_has_ports(unsigned protocol)
{
	return protocol < PROTOCOLS && protocols[protocol].traits & HAS_PORTS;
}

bool
protocol_is_tunnel(unsigned protocol)
{
	return protocol < PROTOCOLS && protocols[protocol].traits & IS_TUNNEL;
}
