/*
 * flow_key.h - what makes two packets one flow.
 *
 * Both ends of the flow, the smaller (address, port) first, so that the two
 * directions have one key.  It has no padding and no unused byte that is not
 * zero: keys are hashed and compared as bytes.
 */
#ifndef FLOW_FLOW_KEY_H
#define FLOW_FLOW_KEY_H

#include <netinet/in.h>
#include <stdint.h>

struct flow_key {
	uint8_t address[2][16]; /* IPv4: the first 4 bytes, then zeroes */
	uint16_t port[2];
	uint16_t protocol; /* of IP, or PROTOCOL_ARP */
	uint16_t family;   /* 4 or 6 */
};

_Static_assert(sizeof(struct flow_key) == 40, "a key has no padding");

/* One end of a packet, as it is read. */
struct flow_end {
	uint8_t address[16];
	uint16_t port;
};

/*
 * Set the key of the flow between two ends.  Returns which end of the key
 * `from` is: 0 or 1; 0 too when both ends are the same.
 */
unsigned flow_key_set(struct flow_key *key, unsigned family, unsigned protocol,
		      const struct flow_end *from, const struct flow_end *to);

/* By common/hash.h, which has the key of the program. */
uint32_t flow_key_hash(const struct flow_key *key);

/* The address of one end as text. */
void flow_key_address(const struct flow_key *key, unsigned end,
		      char text[static INET6_ADDRSTRLEN]);

#endif
