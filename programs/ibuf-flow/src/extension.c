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

/* A longer chain is no packet but an attack. */
enum { EXTENSIONS_MAX = 64 };

enum { OPTION_PAD1 = 0, OPTION_JUMBO = 0xc2 };

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

/* The last option may reach beyond the header, but not beyond the packet. */
static enum skip
check_options(struct layer l, size_t bytes)
{
	size_t end = l.wire > bytes ? l.wire - bytes : 0;

	while (!l.fault && l.wire > end) {
		if (layer_u8(&l) != OPTION_PAD1)
			layer_skip(&l, layer_u8(&l));
	}
	return l.fault;
}

/*
 * The addresses must be within the header; l stands behind its length.  Those
 * of segments come in reverse.
 */
static enum skip
follow_route(struct layer l, size_t bytes, uint8_t last_stop[static 16])
{
	enum { SOURCE = 0, MOBILE = 2, RPL = 3, SEGMENTS = 4, ADDRESS = 16 };
	uint8_t stop[ADDRESS];
	uint8_t left;
	uint8_t type;
	uint8_t detail;
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
	memcpy(stop, last_stop, sizeof stop);
	switch (type) {
	case SOURCE:
		while (l.wire >= ADDRESS && layer_read(&l, stop, ADDRESS))
			continue;
		break;
	case MOBILE:
		layer_read(&l, stop, ADDRESS);
		break;
	case RPL: /* the last address lacks what it shares with others */
		if (l.wire > 0 && padding == 0)
			layer_skip(&l, ADDRESS - (detail & 0x0fu));
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
		memcpy(last_stop, stop, sizeof stop);
	return l.fault;
}

/* A header whose length counts units of 8 bytes behind the first 8. */
static void
enter_header(struct layer *l, uint8_t *protocol, uint8_t last_stop[static 16])
{
	uint8_t header = *protocol;
	size_t bytes;
	enum skip skip = SKIP_NOT;

	*protocol = layer_u8(l);
	bytes = layer_u8(l) * 8u + 6;
	if (l->fault)
		return;
	if (header == PROTOCOL_HOP_BY_HOP || header == PROTOCOL_DESTINATION)
		skip = check_options(*l, bytes);
	else if (header == PROTOCOL_ROUTING)
		skip = follow_route(*l, bytes, last_stop);
	if (skip)
		l->fault = skip;
	layer_skip(l, bytes);
}

enum skip
extension_enter(struct layer *l, uint8_t *protocol,
		uint8_t last_stop[static 16])
{
	enum { FRAGMENT_OFFSET = 0xfff8 };
	uint16_t fragment;
	unsigned i;

	for (i = 0; i < EXTENSIONS_MAX; i++) {
		switch (*protocol) {
		case PROTOCOL_HOP_BY_HOP:
		case PROTOCOL_ROUTING:
		case PROTOCOL_DESTINATION:
		case PROTOCOL_SHIM6:
			enter_header(l, protocol, last_stop);
			break;
		case PROTOCOL_AH:
			*protocol = layer_u8(l);
			layer_skip(l, layer_u8(l) * 4u + 6);
			break;
		case PROTOCOL_FRAGMENT:
			*protocol = layer_u8(l);
			layer_skip(l, 1);
			fragment = layer_be16(l);
			layer_skip(l, 4);
			if (!l->fault && fragment & FRAGMENT_OFFSET)
				return SKIP_FRAGMENT;
			break;
		default:
			return SKIP_NOT;
		}
		if (l->fault)
			return l->fault;
	}
	return SKIP_MALFORMED;
}
