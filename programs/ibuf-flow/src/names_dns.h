/*
 * names_dns.h - the names that a DNS message asks for (RFC 1035).
 */
#ifndef FLOW_NAMES_DNS_H
#define FLOW_NAMES_DNS_H

#include "names.h"
#include <ibuf/ibuf.h>

/* Whether one end has a port of DNS, multicast DNS or LLMNR. */
bool dns_is_between(const struct flow_key *key);

/*
 * Read the questions of the message that the cursor stands at, which ends
 * where the cursor does: as many as there are, whether or not it is damaged
 * behind them.
 */
void dns_read(struct ibuf_cursor at, const struct name_flow *flow);

#endif
