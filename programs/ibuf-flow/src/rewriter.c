/*
 * rewriter.c - edit pcapng blocks between a file and libpcap.
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
#include "rewriter.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio_ext.h>
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
	BLOCK_MIN = 12,        /* type, length, length again */
	BLOCK_MAX = 129 << 20, /* libpcap takes no larger one */
	INTERFACE_MIN = 20,    /* with link type and snapshot length */
	PACKET_OLD_MIN = 32,
	PACKET_SIMPLE_MIN = 16,
	PACKET_MIN = 32,
	SIMPLE_GROWS = 16,  /* made a full packet block, it is larger */
	LINK_LARGEST = 231, /* D-Bus: packets of up to 128 MiB */
	PCAP_HEADER = 24,
	LINK_MASK = 0xffff, /* the rest of the field has other things */
	BUFFER_BYTES = 1 << 16,
};

struct interface {
	uint16_t link;
	uint32_t snapshot;
};

struct rewriter {
	struct source *in;
	FILE *file;
	bool swapped; /* the section is in the other byte order */
	bool passing; /* whatever comes, unseen */
	int link;
	unsigned char *block;
	size_t off, len, room;
	struct interface *interfaces;
	size_t interface_count, interface_room;
	char buffer[BUFFER_BYTES]; /* of file */
};

static uint32_t
get32(const struct rewriter *r, size_t off)
{
	uint32_t v;

	memcpy(&v, r->block + off, sizeof v);
	return r->swapped ? __builtin_bswap32(v) : v;
}

static uint16_t
get16(const struct rewriter *r, size_t off)
{
	uint16_t v;

	memcpy(&v, r->block + off, sizeof v);
	return r->swapped ? __builtin_bswap16(v) : v;
}

static void
put32(struct rewriter *r, size_t off, uint32_t v)
{
	if (r->swapped)
		v = __builtin_bswap32(v);
	memcpy(r->block + off, &v, sizeof v);
}

static void
put16(struct rewriter *r, size_t off, uint16_t v)
{
	if (r->swapped)
		v = __builtin_bswap16(v);
	memcpy(r->block + off, &v, sizeof v);
}

/* Read until the block has `want` bytes; false: the file ends before. */
static bool
fill(struct rewriter *r, size_t want)
{
	unsigned char *larger;
	ssize_t got = 1;

	if (want + SIMPLE_GROWS > r->room) {
		larger = realloc(r->block, 2 * want + SIMPLE_GROWS);
		if (larger == NULL)
			return false;
		r->block = larger;
		r->room = 2 * want + SIMPLE_GROWS;
	}
	while (r->len < want && got > 0) {
		got = source_read(r->in, r->block + r->len, want - r->len);
		if (got > 0)
			r->len += (size_t)got;
	}
	return r->len == want;
}

/* Remember an interface, and make it look like any other. */
static bool
edit_interface(struct rewriter *r)
{
	size_t room = r->interface_room;
	struct interface *larger;

	if (r->interface_count == room) {
		room = room == 0 ? 16 : room * 2;
		larger = realloc(r->interfaces, room * sizeof *larger);
		if (larger == NULL)
			return false;
		r->interfaces = larger;
		r->interface_room = room;
	}
	r->interfaces[r->interface_count].link = get16(r, 8);
	r->interfaces[r->interface_count].snapshot = get32(r, 12);
	r->interface_count++;
	put16(r, 8, LINK_LARGEST);
	put32(r, 12, 0);
	return true;
}

/*
 * A simple packet block has no captured length: the snapshot length implies
 * it, and that is gone.  So it becomes a full one.
 */
static void
edit_simple_packet(struct rewriter *r)
{
	uint32_t wire = get32(r, 8);
	uint32_t captured = wire;
	size_t there = r->len - PACKET_SIMPLE_MIN;

	if (r->interface_count > 0 && r->interfaces[0].snapshot != 0 &&
	    captured > r->interfaces[0].snapshot)
		captured = r->interfaces[0].snapshot;
	memmove(r->block + 28, r->block + 12, there);
	r->len += SIMPLE_GROWS;
	put32(r, 0, BLOCK_PACKET);
	put32(r, 4, (uint32_t)r->len);
	memset(r->block + 8, 0, 12);
	put32(r, 20, captured);
	put32(r, 24, wire);
	put32(r, r->len - 4, (uint32_t)r->len);
}

static bool
edit_block(struct rewriter *r)
{
	uint32_t type = get32(r, 0);
	size_t interface = 0;

	if (type == BLOCK_INTERFACE && r->len >= INTERFACE_MIN)
		return edit_interface(r);
	if (type == BLOCK_PACKET && r->len >= PACKET_MIN)
		interface = get32(r, 8);
	else if (type == BLOCK_PACKET_OLD && r->len >= PACKET_OLD_MIN)
		interface = get16(r, 8);
	else if (type == BLOCK_PACKET_SIMPLE && r->len >= PACKET_SIMPLE_MIN &&
		 get32(r, r->len - 4) == r->len)
		edit_simple_packet(r);
	else
		return true;
	if (interface < r->interface_count)
		r->link = r->interfaces[interface].link;
	return true;
}

/* A section has its own byte order and its own interfaces. */
static bool
enter_section(struct rewriter *r)
{
	uint32_t magic;

	if (!fill(r, BLOCK_MIN))
		return false;
	memcpy(&magic, r->block + 8, sizeof magic);
	r->swapped = magic == 0x4d3c2b1a;
	r->interface_count = 0;
	return r->swapped || magic == 0x1a2b3c4d;
}

/*
 * The header of a pcap file.  libpcap cuts packets that are longer than the
 * snapshot length; but they are there, so it is told that there is no limit.
 */
static void
edit_pcap_header(struct rewriter *r)
{
	uint32_t magic = get32(r, 0);

	if (magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1 || magic == 0x34cdb2a1)
		r->swapped = true;
	else if (magic != 0xa1b2c3d4 && magic != 0xa1b23c4d &&
		 magic != 0xa1b2cd34)
		return;
	if (!fill(r, PCAP_HEADER))
		return;
	r->link = (int)(get32(r, 20) & LINK_MASK);
	put32(r, 16, 0);
	put32(r, 20, LINK_LARGEST);
}

/* An interface, for libpcap takes no file without: it has no packets. */
static void
make_interface(struct rewriter *r)
{
	r->len = INTERFACE_MIN;
	memset(r->block, 0, r->len);
	put32(r, 0, BLOCK_INTERFACE);
	put32(r, 4, INTERFACE_MIN);
	put16(r, 8, LINK_LARGEST);
	put32(r, INTERFACE_MIN - 4, INTERFACE_MIN);
}

/* Complete the block that is held, as far as there is more of it. */
static void
complete_block(struct rewriter *r)
{
	uint32_t bytes;

	if (!fill(r, 8) ||
	    (get32(r, 0) == BLOCK_SECTION && !enter_section(r))) {
		r->passing = true;
		if (r->len == 0 && source_error(r->in) == NULL &&
		    r->interface_room == 0)
			make_interface(r);
		return;
	}
	bytes = get32(r, 4);
	if (bytes < BLOCK_MIN || bytes % 4 != 0 || bytes > BLOCK_MAX ||
	    !fill(r, bytes) || !edit_block(r))
		r->passing = true;
}

static ssize_t
rewriter_read(void *cookie, char *to, size_t n)
{
	struct rewriter *r = cookie;

	if (r->off == r->len && !r->passing) {
		r->off = 0;
		r->len = 0;
		complete_block(r);
	}
	if (r->off == r->len)
		return source_read(r->in, to, n);
	if (n > r->len - r->off)
		n = r->len - r->off;
	memcpy(to, r->block + r->off, n);
	r->off += n;
	return (ssize_t)n;
}

static int
rewriter_close(void *cookie)
{
	struct rewriter *r = cookie;

	free(r->interfaces);
	free(r->block);
	free(r);
	return 0;
}

struct rewriter *
rewriter_open(struct source *in)
{
	static const cookie_io_functions_t functions = {
		.read = rewriter_read,
		.close = rewriter_close,
	};
	struct rewriter *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->in = in;
	r->link = -1;
	r->file = fopencookie(r, "rb", functions);
	if (r->file == NULL) {
		free(r);
		return NULL;
	}
	/* One thread reads it. */
	__fsetlocking(r->file, FSETLOCKING_BYCALLER);
	/* The first bytes tell what it is; they stay to be read. */
	if (fill(r, 4) && get32(r, 0) == BLOCK_SECTION) {
		setvbuf(r->file, NULL, _IONBF, 0);
		complete_block(r);
		return r;
	}
	setvbuf(r->file, r->buffer, _IOFBF, sizeof r->buffer);
	r->passing = true;
	if (r->len == 4)
		edit_pcap_header(r);
	return r;
}

FILE *
rewriter_file(struct rewriter *r)
{
	return r->file;
}

int
rewriter_link(const struct rewriter *r)
{
	return r->link;
}
