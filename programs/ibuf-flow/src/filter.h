/*
 * filter.h - an expression of pcap-filter(7), which libpcap compiles.
 */
#ifndef FLOW_FILTER_H
#define FLOW_FILTER_H

#include <pcap/pcap.h>
#include <stdbool.h>

/* Whether it is one for any of the common link types; else error says why. */
bool filter_check(const char *expression, char error[static PCAP_ERRBUF_SIZE]);

/*
 * Whether a packet of that link type matches: 1 or 0; -1, and the reason in
 * error: there is no such thing on this link.
 */
int filter_match(const char *expression, int link,
		 const struct pcap_pkthdr *header, const u_char *bytes,
		 char error[static PCAP_ERRBUF_SIZE]);

#endif
