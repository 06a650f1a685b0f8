/*
 * flow_key.c - build, hash and print flow keys.
 */
#include "flow_key.h"
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

/* Multiply and fold; the end is the finalizer of MurmurHash3. */
uint32_t
flow_key_hash(const struct flow_key *key)
{
	uint64_t words[sizeof *key / sizeof(uint64_t)];
	uint64_t hash = 0;
	size_t i;

	memcpy(words, key, sizeof words);
	for (i = 0; i < sizeof words / sizeof words[0]; i++) {
		hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	hash *= UINT64_C(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xc4ceb9fe1a85ec53);
	hash ^= hash >> 33;
	return (uint32_t)hash;
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
