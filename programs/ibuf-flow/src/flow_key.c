/*
 * flow_key.c - build, hash and print flow keys.
 */
#include "flow_key.h"
#include "../../common/hash.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

unsigned
flow_key_set(struct flow_key *key, unsigned family, unsigned protocol,
	     const struct flow_end *from, const struct flow_end *to)
{
	int order = memcmp(from->address, to->address, sizeof from->address);
	const struct flow_end *low;
	const struct flow_end *high;

	if (order == 0)
		order = from->port - to->port;
	low = order > 0 ? to : from;
	high = order > 0 ? from : to;
	memcpy(key->address[0], low->address, sizeof low->address);
	memcpy(key->address[1], high->address, sizeof high->address);
	key->port[0] = low->port;
	key->port[1] = high->port;
	key->protocol = (uint16_t)protocol;
	key->family = (uint16_t)family;
	return order > 0;
}

uint32_t
flow_key_hash(const struct flow_key *key)
{
	uint8_t bytes[16];

	if (key->family != 4)
		return hash_bytes(key, sizeof *key);
	memcpy(bytes, key->address[0], 4);
	memcpy(bytes + 4, key->address[1], 4);
	memcpy(bytes + 8, (const uint8_t *)key + 32, 8);
	return hash_bytes(bytes, sizeof bytes);
}

void
flow_key_address(const struct flow_key *key, unsigned end,
		 char text[static INET6_ADDRSTRLEN])
{
	int family = key->family == 4 ? AF_INET : AF_INET6;

	if (inet_ntop(family, key->address[end], text, INET6_ADDRSTRLEN) ==
	    NULL)
		snprintf(text, INET6_ADDRSTRLEN, "?");
}
