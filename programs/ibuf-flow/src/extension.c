/*
 * extension.c - go past IPv6 extension headers.
 *
 * What is in them says nothing about addresses and ports, but a packet whose
 * options or routes reach too far is broken: tshark reads no further, and so
 * do we.
 */
#include "extension.h"
#include "protocol.h"
#include <string.h>

enum { OPTION_PAD1 = 0, OPTION_JUMBO = 0xc2, OPTION_HOME = 0xc9 };

enum { ADDRESS = 16 };

size_t
extension_jumbo_length(struct layer header)
{
	size_t bytes;
	uint32_t jumbo;
	uint8_t type;
	uint8_t length;

	layer_skip(&header, 1);
	bytes = (layer_u8(&header) + 1u) * 8u - 2u;
	layer_limit(&header, bytes);
	while (!header.fault && header.wire > 0) {
		type = layer_u8(&header);
		if (type == OPTION_PAD1)
			continue;
		length = layer_u8(&header);
		if (type != OPTION_JUMBO || length != 4) {
			layer_skip(&header, length);
			continue;
		}
		jumbo = layer_be32(&header);
		return jumbo > UINT16_MAX ? jumbo : 0;
	}
	return 0;
}

/*
 * The last option may reach beyond the header, but not beyond the packet.  Home
 * addresses are in those for the destination (RFC 6275, 6.3).
 */
static enum skip
read_options(struct layer l, size_t bytes, uint8_t *home)
{
	size_t end = l.wire > bytes ? l.wire - bytes : 0;
	uint8_t type;
	uint8_t length;

	while (!l.fault && l.wire > end) {
		type = layer_u8(&l);
		if (type == OPTION_PAD1)
			continue;
		length = layer_u8(&l);
		if (type == OPTION_HOME && length == ADDRESS && home != NULL)
			layer_read(&l, home, ADDRESS);
		else
			layer_skip(&l, length);
	}
	return l.fault;
}

/*
 * The addresses must be within the header; l stands behind its length.  Those
 * of segments come in reverse.
 */
static enum skip
follow_route(struct layer l, size_t bytes, uint8_t to[static ADDRESS])
{
	enum { SOURCE = 0, MOBILE = 2, RPL = 3, SEGMENTS = 4, FIXED = 6 };
	uint8_t stop[ADDRESS];
	uint8_t left;
	uint8_t type;
	uint8_t detail;
	uint8_t shared = 0;
	uint8_t padding;
	unsigned address;

	layer_limit(&l, bytes);
	type = layer_u8(&l);
	left = layer_u8(&l);
	detail = layer_u8(&l);
	padding = layer_u8(&l) >> 4;
	layer_skip(&l, 2);
	if (l.fault)
		return l.fault;
	memcpy(stop, to, sizeof stop);
	switch (type) {
	case SOURCE:
		while (l.wire >= ADDRESS && layer_read(&l, stop, ADDRESS))
			continue;
		break;
	case MOBILE:
		layer_read(&l, stop, ADDRESS);
		break;
	case RPL: /* the last address lacks what it shares with others */
		shared = detail & 0x0f;
		if (bytes - FIXED < padding + (size_t)ADDRESS - shared) {
			left = 0;
			if (bytes > FIXED && padding == 0)
				layer_skip(&l, ADDRESS - shared);
			break;
		}
		layer_skip(&l, bytes - FIXED - padding - (ADDRESS - shared));
		layer_read(&l, stop + shared, ADDRESS - shared);
		break;
	case SEGMENTS: /* the detail is the number of the last one */
		layer_read(&l, stop, ADDRESS);
		for (address = 0; address < detail; address++)
			layer_skip(&l, ADDRESS);
		break;
	default:
		break;
	}
	if (!l.fault && left > 0)
		memcpy(to, stop, sizeof stop);
	return l.fault;
}

/* A header whose length counts units of 8 bytes behind the first 8. */
static void
enter_header(struct layer *l, uint8_t *protocol, uint8_t from[static ADDRESS],
	     uint8_t to[static ADDRESS])
{
	uint8_t header = *protocol;
	size_t bytes;
	enum skip skip = SKIP_NOT;

	*protocol = layer_u8(l);
	bytes = layer_u8(l) * 8u + 6;
	if (l->fault)
		return;
	if (header == PROTOCOL_HOP_BY_HOP)
		skip = read_options(*l, bytes, NULL);
	else if (header == PROTOCOL_DESTINATION)
		skip = read_options(*l, bytes, from);
	else if (header == PROTOCOL_ROUTING)
		skip = follow_route(*l, bytes, to);
	if (skip)
		l->fault = skip;
	layer_skip(l, bytes);
}

enum skip
extension_enter(struct layer *l, uint8_t *protocol,
		uint8_t from[static ADDRESS], uint8_t to[static ADDRESS],
		struct packet *p)
{
	enum { FRAGMENT_OFFSET = 0xfff8, FRAGMENT_MORE = 1 };
	uint16_t fragment;

	while (!l->fault) {
		switch (*protocol) {
		case PROTOCOL_HOP_BY_HOP:
		case PROTOCOL_ROUTING:
		case PROTOCOL_DESTINATION:
		case PROTOCOL_SHIM6:
			enter_header(l, protocol, from, to);
			break;
		case PROTOCOL_AH:
			*protocol = layer_u8(l);
			layer_skip(l, layer_u8(l) * 4u + 6);
			break;
		case PROTOCOL_FRAGMENT:
			*protocol = layer_u8(l);
			layer_skip(l, 1);
			fragment = layer_be16(l);
			p->fragment_id = layer_be32(l);
			note_fragment(p, fragment & FRAGMENT_OFFSET,
				      fragment & FRAGMENT_MORE);
			if (p->skip == SKIP_FRAGMENT)
				return SKIP_NOT;
			break;
		default:
			return SKIP_NOT;
		}
	}
	return l->fault;
}
