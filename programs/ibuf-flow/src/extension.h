/*
 * extension.h - IPv6 extension headers.
 *
 * Hop-by-hop, routing, fragment, authentication, destination and shim6, in any
 * order and number.  ESP, Mobility and HIP end the chain: what they carry
 * cannot be read, or is nothing.
 */
#ifndef FLOW_EXTENSION_H
#define FLOW_EXTENSION_H

#include "layer.h"

/*
 * Go past all of them; *protocol is what the IPv6 header says comes next.  On
 * SKIP_NOT *protocol is that of what comes behind the last.  The addresses are
 * changed to those of the two hosts: `to` when a route leads further, `from`
 * when a mobile node says which its home is.
 */
enum skip extension_enter(struct layer *l, uint8_t *protocol,
			  uint8_t from[static 16], uint8_t to[static 16],
			  struct packet *p);

/* Say that a packet is a fragment, if it is; by parse.c. */
void note_fragment(struct packet *p, unsigned offset, unsigned more);

/*
 * The length in the jumbo option (RFC 2675) of a hop-by-hop header, at which
 * the layer stands; 0: there is none.
 */
size_t extension_jumbo_length(struct layer header);

#endif
