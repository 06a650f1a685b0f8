/*
 * packet.h - what is known of one packet.
 *
 * It lives in the private area of the pool mbuf that holds the packet's
 * bytes, so one pointer carries both from the reader to a worker.
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
	SKIP_FRAGMENT,         /* not the first one: it has no ports */
	SKIP_TRUNCATED,        /* captured bytes end within the headers */
	SKIP_MALFORMED,        /* the headers lie about their length */
	SKIP_REASONS
};

/* What the two hosts have to do with: TCP or UDP, inside of tunnels. */
struct segment {
	struct flow_key key; /* to where a route ends, not to its next stop */
	uint32_t hash;
	uint8_t from;      /* the end of key that sent it */
	uint32_t payload;  /* where it begins in the message */
	uint32_t captured; /* how much of it is in the message */
	uint32_t on_wire;  /* how much of it there was; captured or more */

	/* Of the TCP header, when it is there as far as these go. */
	bool has_tcp;
	uint8_t tcp_flags;
	uint32_t seq;
	uint32_t ack;
};

struct packet {
	/* Of the capture. */
	uint64_t number;     /* from 1, through all files */
	int64_t time_ns;     /* since 1970 */
	uint32_t wire_bytes; /* of the frame; may be more than were captured */

	/* Of the headers: set by parse_frame(). */
	uint32_t hash; /* of key */
	struct flow_key key;
	uint8_t from;      /* the end of key that sent it */
	bool is_tunnel;    /* it carries another packet */
	uint32_t payload;  /* where the payload of the transport begins */
	uint32_t captured; /* how much of it is in the message */

	struct segment segment; /* the innermost, when there are tunnels */
};

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };

/* Bytes a pool mbuf holds before it grows, and what one takes of memory. */
enum { PACKET_ROOM = 2048, PACKET_COST = PACKET_ROOM + 512 };

#endif
