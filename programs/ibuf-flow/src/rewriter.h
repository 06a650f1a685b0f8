/*
 * rewriter.h - pcapng blocks, edited between a file and libpcap.
 *
 * libpcap gives a file one link type and one snapshot length, gives up on a
 * pcapng file whose interfaces differ in either, and cuts the packets of a pcap
 * file that are longer than it says.  So files pass through here.  Snapshot
 * lengths become "no limit"; pcapng interfaces are made to look the same, and
 * the link type that a packet really has is kept for whoever reads it.  All
 * else, damage included, reaches libpcap as it is: what can be read, and what
 * is wrong with the rest, is for libpcap to say.
 */
#ifndef FLOW_REWRITER_H
#define FLOW_REWRITER_H

#include <stdio.h>

struct rewriter;

/* A rewriter of a file; the file stays the caller's.  NULL: no memory. */
struct rewriter *rewriter_open(FILE *in);

/* What libpcap reads; it closes it, and thereby frees the rewriter. */
FILE *rewriter_file(struct rewriter *r);

/*
 * The LINKTYPE of the packet that was read last, when that is not for libpcap
 * to say; else -1.
 */
int rewriter_link(const struct rewriter *r);

#endif
