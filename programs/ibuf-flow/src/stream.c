/*
 * stream.c - edit pcapng blocks between a file and libpcap.
 *
 *	 file --> block [ off .. len ) --> libpcap
 *
 * One block is held at a time, and a read gives no more than its rest.  The
 * FILE that libpcap reads from has no buffer, so when it returns a packet, the
 * block held here is that packet's.
 *
 * A block whose length makes no sense, and all behind it, is passed on as it
 * is, like the packets of a pcap file.
 */
#include "stream.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum {
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET_OLD = 2,
	BLOCK_PACKET_SIMPLE = 3,
	BLOCK_PACKET = 6,
	BLOCK_SECTION = 0x0a0d0d0a,
};

enum {
	BLOCK_MIN = 12,      /* type, length, length again */
	BLOCK_MAX = 1 << 24, /* libpcap takes no larger one */
	INTERFACE_MIN = 20,  /* with link type and snapshot length */
	PACKET_OLD_MIN = 32,
	PACKET_SIMPLE_MIN = 16,
	PACKET_MIN = 32,
	SIMPLE_GROWS = 16, /* made a full packet block, it is larger */
	LINK_USER0 = 147,  /* no link type that libpcap knows more of */
	PCAP_HEADER = 24,
	BUFFER_BYTES = 1 << 16,
};

struct interface {
	uint16_t link;
	uint32_t snapshot;
};

struct stream {
	FILE *in;
	FILE *file;
	bool swapped; /* the section is in the other byte order */
	bool passing; /* whatever comes, unseen */
	int link;
	unsigned char *block;
	size_t off, len, room;
	struct interface *interfaces;
	size_t interface_count, interface_room;
};

static uint32_t
get32(const struct stream *s, size_t off)
{
	uint32_t v;

	memcpy(&v, s->block + off, sizeof v);
	return s->swapped ? __builtin_bswap32(v) : v;
}

static uint16_t
get16(const struct stream *s, size_t off)
{
	uint16_t v;

	memcpy(&v, s->block + off, sizeof v);
	return s->swapped ? __builtin_bswap16(v) : v;
}

static void
put32(struct stream *s, size_t off, uint32_t v)
{
	if (s->swapped)
		v = __builtin_bswap32(v);
	memcpy(s->block + off, &v, sizeof v);
}

static void
put16(struct stream *s, size_t off, uint16_t v)
{
	if (s->swapped)
		v = __builtin_bswap16(v);
	memcpy(s->block + off, &v, sizeof v);
}

/* Read until the block has `want` bytes; false: the file ends before. */
static bool
fill(struct stream *s, size_t want)
{
	unsigned char *larger;

	if (want + SIMPLE_GROWS > s->room) {
		larger = realloc(s->block, want + SIMPLE_GROWS);
		if (larger == NULL)
			return false;
		s->block = larger;
		s->room = want + SIMPLE_GROWS;
	}
	s->len += fread(s->block + s->len, 1, want - s->len, s->in);
	return s->len == want;
}

/* Remember an interface, and make it look like any other. */
static bool
edit_interface(struct stream *s)
{
	size_t room = s->interface_room;
	struct interface *larger;

	if (s->interface_count == room) {
		room = room == 0 ? 16 : room * 2;
		larger = realloc(s->interfaces, room * sizeof *larger);
		if (larger == NULL)
			return false;
		s->interfaces = larger;
		s->interface_room = room;
	}
	s->interfaces[s->interface_count].link = get16(s, 8);
	s->interfaces[s->interface_count].snapshot = get32(s, 12);
	s->interface_count++;
	put16(s, 8, LINK_USER0);
	put32(s, 12, 0);
	return true;
}

/*
 * A simple packet block has no captured length: the snapshot length implies
 * it, and that is gone.  So it becomes a full one.
 */
static void
edit_simple_packet(struct stream *s)
{
	uint32_t wire = get32(s, 8);
	uint32_t captured = wire;
	size_t there = s->len - PACKET_SIMPLE_MIN;

	if (s->interface_count > 0 && s->interfaces[0].snapshot != 0 &&
	    captured > s->interfaces[0].snapshot)
		captured = s->interfaces[0].snapshot;
	memmove(s->block + 28, s->block + 12, there);
	s->len += SIMPLE_GROWS;
	put32(s, 0, BLOCK_PACKET);
	put32(s, 4, (uint32_t)s->len);
	memset(s->block + 8, 0, 12);
	put32(s, 20, captured);
	put32(s, 24, wire);
	put32(s, s->len - 4, (uint32_t)s->len);
}

static bool
edit_block(struct stream *s)
{
	uint32_t type = get32(s, 0);
	size_t interface = 0;

	if (type == BLOCK_INTERFACE && s->len >= INTERFACE_MIN)
		return edit_interface(s);
	if (type == BLOCK_PACKET && s->len >= PACKET_MIN)
		interface = get32(s, 8);
	else if (type == BLOCK_PACKET_OLD && s->len >= PACKET_OLD_MIN)
		interface = get16(s, 8);
	else if (type == BLOCK_PACKET_SIMPLE && s->len >= PACKET_SIMPLE_MIN &&
		 get32(s, s->len - 4) == s->len)
		edit_simple_packet(s);
	else
		return true;
	if (interface < s->interface_count)
		s->link = s->interfaces[interface].link;
	return true;
}

/* A section has its own byte order and its own interfaces. */
static bool
enter_section(struct stream *s)
{
	uint32_t magic;

	if (!fill(s, BLOCK_MIN))
		return false;
	memcpy(&magic, s->block + 8, sizeof magic);
	s->swapped = magic == 0x4d3c2b1a;
	s->interface_count = 0;
	return s->swapped || magic == 0x1a2b3c4d;
}

/*
 * The header of a pcap file.  libpcap cuts packets that are longer than the
 * snapshot length; but they are there, so it is told that there is no limit.
 */
static void
edit_pcap_header(struct stream *s)
{
	uint32_t magic = get32(s, 0);

	if (magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1 || magic == 0x34cdb2a1)
		s->swapped = true;
	else if (magic != 0xa1b2c3d4 && magic != 0xa1b23c4d &&
		 magic != 0xa1b2cd34)
		return;
	if (fill(s, PCAP_HEADER))
		put32(s, 16, 0);
}

/* An interface, for libpcap takes no file without: it has no packets. */
static void
make_interface(struct stream *s)
{
	s->len = INTERFACE_MIN;
	memset(s->block, 0, s->len);
	put32(s, 0, BLOCK_INTERFACE);
	put32(s, 4, INTERFACE_MIN);
	put16(s, 8, LINK_USER0);
	put32(s, INTERFACE_MIN - 4, INTERFACE_MIN);
}

/* Complete the block that is held, as far as there is more of it. */
static void
complete_block(struct stream *s)
{
	uint32_t bytes;

	if (!fill(s, 8) ||
	    (get32(s, 0) == BLOCK_SECTION && !enter_section(s))) {
		s->passing = true;
		if (s->len == 0 && !ferror(s->in) && s->interface_room == 0)
			make_interface(s);
		return;
	}
	bytes = get32(s, 4);
	if (bytes < BLOCK_MIN || bytes % 4 != 0 || bytes > BLOCK_MAX ||
	    !fill(s, bytes) || !edit_block(s))
		s->passing = true;
}

static ssize_t
stream_read(void *cookie, char *to, size_t n)
{
	struct stream *s = cookie;

	if (s->off == s->len && !s->passing) {
		s->off = 0;
		s->len = 0;
		complete_block(s);
	}
	if (s->off == s->len) {
		n = fread(to, 1, n, s->in);
		return n == 0 && ferror(s->in) ? -1 : (ssize_t)n;
	}
	if (n > s->len - s->off)
		n = s->len - s->off;
	memcpy(to, s->block + s->off, n);
	s->off += n;
	return (ssize_t)n;
}

static int
stream_close(void *cookie)
{
	struct stream *s = cookie;

	free(s->interfaces);
	free(s->block);
	free(s);
	return 0;
}

struct stream *
stream_open(FILE *in)
{
	static const cookie_io_functions_t functions = {
		.read = stream_read,
		.close = stream_close,
	};
	struct stream *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->in = in;
	s->link = -1;
	s->file = fopencookie(s, "rb", functions);
	if (s->file == NULL) {
		free(s);
		return NULL;
	}
	/* The first bytes tell what it is; they stay to be read. */
	if (fill(s, 4) && get32(s, 0) == BLOCK_SECTION) {
		setvbuf(s->file, NULL, _IONBF, 0);
		complete_block(s);
		return s;
	}
	setvbuf(s->file, NULL, _IOFBF, BUFFER_BYTES);
	s->passing = true;
	if (s->len == 4)
		edit_pcap_header(s);
	return s;
}

FILE *
stream_file(struct stream *s)
{
	return s->file;
}

int
stream_link(const struct stream *s)
{
	return s->link;
}
