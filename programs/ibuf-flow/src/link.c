/*
 * link.c - Ethernet, Linux cooked, BSD loopback and raw IP headers.
 *
 * Odd frames are read as tshark reads them, so that the two can be compared.
 */
#include "link.h"

enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_RAW_BSD = 12, /* what libpcap makes of LINK_RAW */
	LINK_RAW_OPENBSD = 14,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
};

enum {
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_MULTICAST = 0x8848,
	ETHERTYPE_PPPOE = 0x8864,
	ETHERTYPE_QINQ = 0x88a8,
	ETHERTYPE_QINQ_OLD = 0x9100,
};

/* Type fields up to here are lengths. */
enum { LENGTH_MAX = 1500 };

/* Fewer bytes are no packet of any version of IP. */
enum { RAW_MIN = 8 };

/* No real frame has more tags and labels; a made one must not cost more. */
enum { TAGS_MAX = 20, LABELS_MAX = 64 };

/* An 802.2 header, and what comes behind it as an Ethernet type. */
static uint16_t
enter_llc(struct layer *l)
{
	uint8_t dsap = layer_u8(l);
	uint8_t ssap = layer_u8(l);
	uint8_t control = layer_u8(l);
	uint32_t organisation;
	uint16_t type;

	if (control != 0x03) /* unnumbered information: the form IP uses */
		return 0;
	if (dsap == 0x06)
		return ETHERTYPE_IP_ANY;
	if (dsap != 0xaa || ssap != 0xaa)
		return 0;
	organisation = layer_be24(l);
	type = layer_be16(l);
	/* 0: Ethernet types; 0x0000f8: the same, bridged (802.1H). */
	return organisation == 0 || organisation == 0x0000f8 ? type : 0;
}

/* A type field, which in a frame of 802.3 is the length of what follows. */
static uint16_t
enter_type(struct layer *l)
{
	uint16_t type = layer_be16(l);

	if (type == 0 || type > LENGTH_MAX)
		return type;
	layer_limit(l, type);
	return enter_llc(l);
}

static uint16_t
enter_pppoe(struct layer *l)
{
	uint16_t length;
	uint16_t protocol;

	layer_skip(l, 4);
	length = layer_be16(l);
	layer_limit(l, length);
	/* The protocol's first byte is even, unless it is the only one. */
	protocol = layer_u8(l);
	if (protocol % 2 == 0)
		protocol = (uint16_t)(protocol << 8 | layer_u8(l));
	switch (protocol) {
	case 0x0021:
		return ETHERTYPE_IP_ANY;
	case 0x0057:
		return ETHERTYPE_IPV6;
	case 0x0281:
		return ETHERTYPE_MPLS;
	case 0x0283:
		return ETHERTYPE_MPLS_MULTICAST;
	default:
		return 0;
	}
}

/* MPLS does not say what it carries: IP is known by its version. */
static uint16_t
enter_mpls(struct layer *l)
{
	enum { BOTTOM = 0x100, LABEL_SHIFT = 12, LABEL_ASSOCIATED = 13 };
	struct layer ahead;
	uint32_t entry = 0;
	unsigned labels;
	uint8_t version;

	for (labels = 0; labels < LABELS_MAX && !(entry & BOTTOM); labels++) {
		entry = layer_be32(l);
		if (l->fault)
			return 0;
	}
	if (entry >> LABEL_SHIFT == LABEL_ASSOCIATED)
		return 0; /* a control channel */
	ahead = *l;
	version = layer_u8(&ahead) >> 4;
	l->fault = ahead.fault;
	return version == 4 || version == 6 ? ETHERTYPE_IP_ANY : 0;
}

/* From an Ethernet type to that of the network layer: tags, PPPoE, MPLS. */
static enum skip
enter_ethertype(struct layer *l, uint16_t type, uint16_t *ethertype)
{
	unsigned tags;

	for (tags = 0; tags <= TAGS_MAX; tags++) {
		if (l->fault)
			return l->fault;
		switch (type) {
		case ETHERTYPE_IP_ANY:
		case ETHERTYPE_IPV4:
		case ETHERTYPE_IPV6:
		case ETHERTYPE_ARP:
		case ETHERTYPE_RARP:
			*ethertype = type;
			return SKIP_NOT;
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
		case ETHERTYPE_QINQ_OLD:
			layer_skip(l, 2);
			type = enter_type(l);
			break;
		case ETHERTYPE_PPPOE:
			type = enter_pppoe(l);
			break;
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_MULTICAST:
			type = enter_mpls(l);
			break;
		default:
			return SKIP_NOT_IP;
		}
	}
	return SKIP_MALFORMED;
}

/* What Linux says of a frame's protocol: types, and below 0x600 its own. */
static enum skip
enter_sll(struct layer *l, uint16_t hardware, uint16_t type,
	  uint16_t *ethertype)
{
	enum { HARDWARE_NETLINK = 824, TYPE_ETHERNET = 3, TYPE_802_2 = 4 };

	if (l->fault)
		return l->fault;
	if (hardware == HARDWARE_NETLINK)
		return SKIP_NOT_IP;
	if (type > 0x600)
		return enter_ethertype(l, type, ethertype);
	switch (type) {
	case TYPE_ETHERNET:
		layer_skip(l, 12);
		return enter_ethertype(l, enter_type(l), ethertype);
	case TYPE_802_2:
		return enter_ethertype(l, enter_llc(l), ethertype);
	default:
		return SKIP_NOT_IP;
	}
}

static enum skip
enter_family(struct layer *l, uint32_t family, uint16_t *ethertype)
{
	if (l->fault)
		return l->fault;
	switch (family) {
	case 2:
		*ethertype = ETHERTYPE_IP_ANY;
		return SKIP_NOT;
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* Darwin */
		*ethertype = ETHERTYPE_IPV6;
		return SKIP_NOT;
	default:
		return SKIP_NOT_IP;
	}
}

/*
 * The loopback header of BSD: an address family of 4 bytes, in the order of
 * the machine that captured it, on some systems of 2 bytes and two zeroes; old
 * Linux put two zeroes and an Ethernet type there.
 */
static enum skip
enter_null(struct layer *l, uint16_t *ethertype)
{
	uint32_t family = layer_le32(l);

	if (family >> 16 != 0 && family >> 16 < 6) {
		family >>= 16;
	} else if (family >> 16 != 0) {
		family = family >> 24 | (family >> 8 & 0xff00) |
			 (family & 0xff00) << 8 | family << 24;
	} else if ((family & 0xff) == 0 && family < 0x600) {
		family >>= 8;
	}
	if (family > LENGTH_MAX)
		return enter_ethertype(l, (uint16_t)family, ethertype);
	return enter_family(l, family, ethertype);
}

static enum skip
enter_raw(const struct layer *l, uint16_t *ethertype)
{
	struct layer ahead = *l;
	uint8_t version = layer_u8(&ahead) >> 4;

	layer_skip(&ahead, RAW_MIN - 1);
	if (ahead.fault)
		return ahead.fault;
	if (version != 4 && version != 6)
		return SKIP_NOT_IP;
	*ethertype = ETHERTYPE_IP_ANY;
	return SKIP_NOT;
}

enum skip
link_enter(struct layer *l, int link, uint16_t *ethertype)
{
	uint16_t hardware;
	uint16_t type;

	switch (link) {
	case LINK_ETHERNET:
		layer_skip(l, 12);
		return enter_ethertype(l, enter_type(l), ethertype);
	case LINK_SLL:
		layer_skip(l, 2);
		hardware = layer_be16(l);
		layer_skip(l, 10);
		type = layer_be16(l);
		return enter_sll(l, hardware, type, ethertype);
	case LINK_SLL2:
		type = layer_be16(l);
		layer_skip(l, 6);
		hardware = layer_be16(l);
		layer_skip(l, 10);
		return enter_sll(l, hardware, type, ethertype);
	case LINK_NULL:
		return enter_null(l, ethertype);
	case LINK_LOOP:
		return enter_family(l, layer_be32(l), ethertype);
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
	case LINK_RAW:
		return enter_raw(l, ethertype);
	case LINK_IPV4:
		*ethertype = ETHERTYPE_IP_ANY;
		return SKIP_NOT;
	case LINK_IPV6:
		*ethertype = ETHERTYPE_IPV6;
		return SKIP_NOT;
	default:
		return SKIP_UNSUPPORTED_LINK;
	}
}
