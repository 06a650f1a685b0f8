/*
 * rewriter.h - pcapng blocks, edited between a file and libpcap.
 *
 * libpcap gives a file one link type and one snapshot length, gives up on a
 * pcapng file whose interfaces differ in either, cuts the packets of a pcap file
 * that are longer than it says, and for most link types refuses those beyond
 * 256 KiB.  So files pass through here.  Snapshot lengths become "no limit"; the
 * link type becomes the one of which libpcap takes the largest packets, and the
 * one that a packet really has is kept for whoever reads it.  All else, damage
 * included, reaches libpcap as it is: what can be read, and what is wrong with
 * the rest, is for libpcap to say.
 */
#ifndef FLOW_REWRITER_H
#define FLOW_REWRITER_H

#include "source.h"
#include <stdio.h>

struct rewriter;

/* A rewriter of a source, which stays the caller's.  NULL: no memory. */
struct rewriter *rewriter_open(struct source *in);

/* What libpcap reads; it closes it, and thereby frees the rewriter. */
FILE *rewriter_file(struct rewriter *r);

/* The LINKTYPE of the packet that was read last. */
int rewriter_link(const struct rewriter *r);

#endif
