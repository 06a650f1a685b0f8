/*
 * parse.c - IPv4, IPv6, ARP, and the ports.
 *
 * A flow needs no more than addresses and ports: a packet that is cut behind
 * them still counts.  Odd packets are read as tshark reads them, so that the
 * two can be compared.
 */
#include "parse.h"
#include "extension.h"
#include "layer.h"
#include "link.h"
#include "protocol.h"
#include "tunnel.h"
#include <string.h>

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, PAYLOAD_MAX = 1 << 30 };

/* More tunnels in tunnels are no packet but an attack. */
enum { TUNNELS_MAX = 4 };

/* Go past the rest of a transport header whose ports are read. */
static void
enter_payload(struct layer *l, unsigned protocol, struct packet *p)
{
	struct segment *s = &p->segment;
	uint16_t length;
	uint8_t words;

	s->has_tcp = false;
	switch (protocol) {
	case PROTOCOL_TCP:
		s->seq = layer_be32(l);
		s->ack = layer_be32(l);
		words = layer_u8(l) >> 4;
		s->tcp_flags = layer_u8(l);
		layer_skip(l, 2);
		s->has_tcp = !l->fault;
		layer_skip(l, words < 5 ? SIZE_MAX : (size_t)words * 4 - 16);
		break;
	case PROTOCOL_UDP:
		length = layer_be16(l);
		if (length >= 8)
			layer_limit(l, length - 6u);
		layer_skip(l, 2);
		break;
	default:
		break;
	}
	/* A header that is cut or lies has no payload, but it is a flow. */
	if (l->fault)
		layer_limit(l, 0);
	p->captured = (uint32_t)ibuf_cursor_remaining(&l->at);
	/* No segment is that long, but a frame may claim to be. */
	s->on_wire = l->wire < PAYLOAD_MAX ? (uint32_t)l->wire : p->captured;
	s->payload = (uint32_t)ibuf_cursor_position(&l->at);
	s->captured = p->captured;
}

static enum skip
parse_transport(struct layer *l, unsigned family, unsigned protocol,
		struct flow_end *from, struct flow_end *to, struct packet *p)
{
	bool is_later = p->is_fragment && p->skip == SKIP_FRAGMENT;

	if (protocol_has_ports(protocol) && !is_later) {
		from->port = layer_be16(l);
		to->port = layer_be16(l);
	}
	if (l->fault)
		return l->fault;
	p->from = (uint8_t)flow_key_set(&p->key, family, protocol, from, to);
	p->hash = flow_key_hash(&p->key);
	p->segment.from = p->from;
	p->segment.key = p->key;
	p->segment.hash = p->hash;
	p->is_tunnel = protocol_is_tunnel(protocol);
	if (!is_later) {
		enter_payload(l, protocol, p);
		return SKIP_NOT;
	}
	/* What is behind the first fragment is payload, of nobody's segment. */
	p->captured = (uint32_t)ibuf_cursor_remaining(&l->at);
	p->segment.key.protocol = 0;
	/* Of IPv6 it may be in the middle of an extension header. */
	return family == 6 || protocol_has_ports(protocol) ? SKIP_FRAGMENT
							   : SKIP_NOT;
}

/* For the time being, one that has no ports is skipped. */
void
note_fragment(struct packet *p, unsigned offset, unsigned more)
{
	if (offset == 0 && more == 0)
		return;
	p->is_fragment = true;
	if (offset != 0)
		p->skip = SKIP_FRAGMENT;
}

/*
 * A packet with a source route that is not used up goes to the last stop of
 * the route; the header has the next one (RFC 791, 3.1).  `options` is a copy
 * that stands at the options; to is changed when there is such a route.
 */
static enum skip
follow_source_route(struct layer options, size_t bytes, struct flow_end *to)
{
	enum { OPTION_END = 0, OPTION_NOP = 1, LOOSE = 131, STRICT = 137 };
	uint8_t type;
	uint8_t length;
	uint8_t pointer;

	while (bytes > 0) {
		type = layer_u8(&options);
		bytes--;
		if (type == OPTION_END)
			break;
		if (type == OPTION_NOP)
			continue;
		if (bytes == 0)
			break;
		length = layer_u8(&options);
		bytes--;
		if (length < 2 || length - 2u > bytes)
			break;
		if (type == LOOSE || type == STRICT) {
			pointer = layer_u8(&options);
			if (pointer < 4 || pointer % 4 != 0 || pointer > length)
				break;
			layer_skip(&options, length - 7u);
			layer_read(&options, to->address, 4);
			break;
		}
		bytes -= length - 2u;
		if (bytes > 0)
			layer_skip(&options, length - 2u);
	}
	return options.fault;
}

static enum skip
parse_ipv4(struct layer *l, struct packet *p)
{
	enum { FRAGMENT_OFFSET = 0x1fff, FRAGMENT_MORE = 0x2000 };
	struct flow_end from = {{0}, 0};
	struct flow_end to = {{0}, 0};
	size_t frame = l->wire;
	size_t header = (layer_u8(l) & 0x0fu) * 4u;
	uint16_t total;
	uint16_t fragment;
	uint8_t protocol;

	if (header < IPV4_HEADER)
		return SKIP_MALFORMED;
	layer_skip(l, 1);
	total = layer_be16(l);
	if (l->fault)
		return l->fault;
	/* 0: the kernel left it to the card to cut the packet up (TSO). */
	if (total != 0 && total < header)
		return SKIP_MALFORMED;
	if (total != 0 && total < frame)
		layer_limit(l, total - 4u);
	p->fragment_id = layer_be16(l);
	fragment = layer_be16(l);
	layer_skip(l, 1);
	protocol = layer_u8(l);
	layer_skip(l, 2);
	layer_read(l, from.address, 4);
	layer_read(l, to.address, 4);
	if (l->fault)
		return l->fault;
	l->fault = follow_source_route(*l, header - IPV4_HEADER, &to);
	if (l->fault)
		return l->fault;
	note_fragment(p, fragment & FRAGMENT_OFFSET, fragment & FRAGMENT_MORE);
	if (!layer_skip(l, header - IPV4_HEADER) &&
	    !protocol_has_ports(protocol)) {
		/* Options that are cut take nothing from the addresses. */
		l->fault = SKIP_NOT;
		layer_limit(l, 0);
	}
	return parse_transport(l, 4, protocol, &from, &to, p);
}

static enum skip
parse_ipv6(struct layer *l, struct packet *p)
{
	struct flow_end from = {{0}, 0};
	struct flow_end to = {{0}, 0};
	size_t payload;
	uint8_t protocol;
	enum skip skip;

	layer_skip(l, 4);
	payload = layer_be16(l);
	protocol = layer_u8(l);
	layer_skip(l, 1);
	layer_read(l, from.address, sizeof from.address);
	layer_read(l, to.address, sizeof to.address);
	if (l->fault)
		return l->fault;
	if (payload == 0 && protocol == PROTOCOL_HOP_BY_HOP)
		payload = extension_jumbo_length(*l);
	/* 0: the card cuts the packet up (TSO), or it is larger (BIG TCP). */
	if (payload != 0 || protocol == PROTOCOL_NONE)
		layer_limit(l, payload);
	skip = extension_enter(l, &protocol, from.address, to.address, p);
	if (skip)
		return skip;
	return parse_transport(l, 6, protocol, &from, &to, p);
}

static enum skip
parse_ip(struct layer *l, uint16_t ethertype, struct packet *p)
{
	struct layer ahead = *l;
	uint8_t version = layer_u8(&ahead) >> 4;

	if (ahead.fault)
		return ahead.fault;
	/* Some captures announce IPv4 for both versions, none IPv6. */
	if (version == 4 && ethertype != ETHERTYPE_IPV6)
		return parse_ipv4(l, p);
	if (version == 6)
		return parse_ipv6(l, p);
	return SKIP_MALFORMED;
}

/* ARP and its kin, of any hardware but ATM, for IPv4 addresses. */
static enum skip
parse_arp(struct layer *l, struct packet *p)
{
	enum { HARDWARE_ATM = 19 }; /* has a layout of its own (RFC 2225) */
	struct flow_end from = {{0}, 0};
	struct flow_end to = {{0}, 0};
	uint16_t hardware;
	uint16_t protocol;
	uint8_t hardware_bytes;
	uint8_t protocol_bytes;

	hardware = layer_be16(l);
	protocol = layer_be16(l);
	hardware_bytes = layer_u8(l);
	protocol_bytes = layer_u8(l);
	layer_skip(l, 2);
	if (hardware == HARDWARE_ATM || protocol != ETHERTYPE_IPV4 ||
	    protocol_bytes != 4) {
		layer_skip(l, 2u * hardware_bytes + 2u * protocol_bytes);
		return l->fault ? l->fault : SKIP_NOT_IP;
	}
	layer_skip(l, hardware_bytes);
	layer_read(l, from.address, 4);
	layer_skip(l, hardware_bytes);
	layer_read(l, to.address, 4);
	return parse_transport(l, 4, PROTOCOL_ARP, &from, &to, p);
}

static enum skip
parse_network(struct layer *l, uint16_t ethertype, struct packet *p)
{
	if (ethertype == ETHERTYPE_ARP || ethertype == ETHERTYPE_RARP)
		return parse_arp(l, p);
	return parse_ip(l, ethertype, p);
}

/*
 * The flow is that of the outermost headers, but the segment is inside of all
 * tunnels.  The layer stands behind the transport header.
 */
static void
look_into_tunnels(struct layer *l, struct packet *p)
{
	struct packet inner;
	uint16_t ethertype;
	unsigned i;

	for (i = 0; i < TUNNELS_MAX; i++) {
		if (!tunnel_enter(l, &p->segment.key, &ethertype))
			return;
		inner = (struct packet){0};
		if (parse_network(l, ethertype, &inner) != SKIP_NOT)
			return;
		p->segment = inner.segment;
	}
}

void
parse_packet(const struct ibuf_mbuf *block, struct packet *p)
{
	struct layer l;
	uint16_t ethertype;
	enum skip skip;

	layer_init(&l, block, p);
	skip = link_enter(&l, p->link, &ethertype);
	if (skip == SKIP_NOT)
		skip = parse_network(&l, ethertype, p);
	if (skip == SKIP_NOT)
		look_into_tunnels(&l, p);
	p->skip = (uint8_t)skip;
	p->is_parsed = true;
}
