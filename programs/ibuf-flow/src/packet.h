/*
 * packet.h - what is known of one packet.
 *
 * It stands in a block before the packet's bytes (block.h).
 */
#ifndef FLOW_PACKET_H
#define FLOW_PACKET_H

#include "flow_key.h"
#include <stdbool.h>
#include <stdint.h>

/* Why a packet is in no flow.  SKIP_NOT: it is in one. */
enum skip {
	SKIP_NOT,
	SKIP_UNSUPPORTED_LINK, /* its link layer is not read */
	SKIP_NOT_IP,           /* neither IP nor ARP for IP addresses */
	SKIP_FRAGMENT,         /* without ports, and the first was not seen */
	SKIP_TRUNCATED,        /* captured bytes end within the headers */
	SKIP_MALFORMED,        /* the headers lie about their length */
	SKIP_REASONS
};

/* What the two hosts have to do with: TCP or UDP, inside of tunnels. */
struct segment {
	struct flow_key key;
	uint32_t hash;
	uint8_t from;      /* the end of key that sent it */
	uint32_t payload;  /* where it begins in the block */
	uint32_t captured; /* how much of it is in the block */
	uint32_t on_wire;  /* how much of it there was; captured or more */

	/* Of the TCP header, when it is there as far as these go. */
	bool has_tcp;
	uint8_t tcp_flags;
	uint32_t seq;
	uint32_t ack;
};

struct packet {
	/* Of the capture. */
	uint64_t number;      /* from 1, through all files */
	int64_t time_ns;      /* since 1970 */
	uint32_t wire_bytes;  /* of the frame; may be more than were captured */
	uint32_t frame;       /* where it begins in the block */
	uint32_t frame_bytes; /* captured */
	uint32_t next;        /* where the next packet begins in the block */
	int32_t link;         /* LINKTYPE, or the DLT of libpcap */

	/* Of the headers: set by parse_packet(). */
	bool is_parsed;
	uint8_t skip;   /* enum skip; else all below is set */
	uint8_t from;   /* the end of key that sent it */
	bool is_tunnel; /* it carries another packet */
	bool is_fragment;
	uint32_t fragment_id; /* of the packet it is one of */
	uint32_t hash;        /* of key; 0 for what is skipped */
	uint32_t captured;    /* how much of the transport's payload there is */
	struct flow_key key;

	struct segment segment; /* the innermost, when there are tunnels */
};

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };

#endif
