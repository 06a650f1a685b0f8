/*
 * pcap-loop.c - what a program does without a library: libpcap, malloc and a
 * copy for each packet, and a table of flows.
 *
 *   pcap-loop CAPTURE
 *
 * It reads Ethernet, IPv4 and IPv6 with TCP or UDP behind, and no more: no
 * tags, no tunnels, no extension headers, no fragments, no TCP streams.  So it
 * does less than ibuf-flow does, and shows how much of the time is reading.
 */
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS (1u << 16)

struct packet {
	size_t len;
	uint8_t bytes[];
};

struct flow {
	struct flow *next;
	uint8_t key[37]; /* protocol, addresses, ports */
	uint64_t packets, bytes;
};

static struct flow *table[BUCKETS];
static uint64_t n_flows, n_packets;

static struct packet *
packet_new(const uint8_t *bytes, size_t len)
{
	struct packet *p = malloc(sizeof *p + len);

	if (p == NULL) {
		perror("malloc");
		exit(1);
	}
	p->len = len;
	memcpy(p->bytes, bytes, len);
	return p;
}

/* The key of a packet; false when it is not of a kind that we read. */
static int
key_of(const struct packet *p, uint8_t key[37])
{
	const uint8_t *ip = p->bytes + 14, *ports;
	size_t header, address;

	memset(key, 0, 37);
	if (p->len < 14 + 40)
		return 0;
	if (p->bytes[12] == 0x08 && p->bytes[13] == 0x00) {
		header = (size_t)(ip[0] & 15) * 4;
		address = 4;
		key[0] = ip[9];
		memcpy(key + 1, ip + 12, 8);
	} else if (p->bytes[12] == 0x86 && p->bytes[13] == 0xdd) {
		header = 40;
		address = 16;
		key[0] = ip[6];
		memcpy(key + 1, ip + 8, 32);
	} else {
		return 0;
	}
	if ((key[0] != 6 && key[0] != 17) || p->len < 14 + header + 4)
		return 0;
	ports = ip + header;
	memcpy(key + 33, ports, 4);
	/* Both directions are one flow: the smaller end goes first. */
	if (memcmp(key + 1, key + 1 + address, address) > 0) {
		uint8_t other[16];

		memcpy(other, key + 1, address);
		memcpy(key + 1, key + 1 + address, address);
		memcpy(key + 1 + address, other, address);
		memcpy(key + 33, ports + 2, 2);
		memcpy(key + 35, ports, 2);
	}
	return 1;
}

static struct flow *
flow_of(const uint8_t key[37])
{
	uint32_t hash = 2166136261u;
	struct flow *f;
	size_t i;

	for (i = 0; i < 37; i++)
		hash = (hash ^ key[i]) * 16777619u;
	for (f = table[hash % BUCKETS]; f != NULL; f = f->next)
		if (memcmp(f->key, key, 37) == 0)
			return f;
	f = calloc(1, sizeof *f);
	if (f == NULL) {
		perror("calloc");
		exit(1);
	}
	memcpy(f->key, key, 37);
	f->next = table[hash % BUCKETS];
	table[hash % BUCKETS] = f;
	n_flows++;
	return f;
}

int
main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	const u_char *bytes;
	pcap_t *capture;

	if (argc != 2) {
		fprintf(stderr, "usage: pcap-loop CAPTURE\n");
		return 2;
	}
	capture = pcap_open_offline(argv[1], error);
	if (capture == NULL) {
		fprintf(stderr, "pcap-loop: %s\n", error);
		return 1;
	}
	while (pcap_next_ex(capture, &header, &bytes) == 1) {
		struct packet *p = packet_new(bytes, header->caplen);
		uint8_t key[37];

		n_packets++;
		if (key_of(p, key)) {
			struct flow *f = flow_of(key);

			f->packets++;
			f->bytes += header->len;
		}
		free(p);
	}
	pcap_close(capture);
	printf("%llu packets, %llu flows\n", (unsigned long long)n_packets,
	       (unsigned long long)n_flows);
	return 0;
}
