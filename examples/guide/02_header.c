/* 02_header.c - guide 2: a protocol header, written and read. */
#include <errno.h>
#include <ibuf/ibuf.h>
#include <stdio.h>

/* A request: 16 bits of kind, 16 bits of id, 32 bits of length, the bytes. */
enum { HEADER = 8 };

struct request {
	uint16_t kind, id;
	uint32_t length;
};

/* Put the header in front of the bytes that m has. */
static int
write_header(struct ibuf_mbuf *m, uint16_t kind, uint16_t id)
{
	size_t length = ibuf_mbuf_len(m);
	int rc;

	if (length > UINT32_MAX)
		return -EOVERFLOW;
	if (ibuf_mbuf_headroom(m) < HEADER)
		return -ENOSPC;
	rc = ibuf_mbuf_prepend_be32(m, (uint32_t)length);
	if (rc == 0)
		rc = ibuf_mbuf_prepend_be16(m, id);
	if (rc == 0)
		rc = ibuf_mbuf_prepend_be16(m, kind);
	return rc;
}

/* Read the header; false: m does not hold a whole request. */
static bool
read_header(const struct ibuf_mbuf *m, struct request *r)
{
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	return ibuf_cursor_get_be16(&c, &r->kind) &&
	       ibuf_cursor_get_be16(&c, &r->id) &&
	       ibuf_cursor_get_be32(&c, &r->length) &&
	       ibuf_cursor_remaining(&c) >= r->length;
}

static void
show_bytes(const struct ibuf_mbuf *m)
{
	const uint8_t *bytes = ibuf_mbuf_data(m);
	size_t i;

	for (i = 0; i < ibuf_mbuf_len(m); i++)
		if (i < HEADER)
			printf("%02x ", bytes[i]);
		else
			putchar(bytes[i]);
	putchar('\n');
}

int
main(void)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new_headroom(HEADER, 64);
	struct request r;

	if (m == NULL || ibuf_mbuf_printf(m, "how is the %s?", "weather") != 0)
		return 1;

	if (write_header(m, 1, 4711) != 0)
		return 1;
	show_bytes(m);

	if (!read_header(m, &r))
		return 1;
	printf("kind %u, id %u, %u bytes\n", r.kind, r.id, (unsigned)r.length);

	ibuf_mbuf_trim_tail(m, 1);
	if (!read_header(m, &r))
		printf("one byte less is not a request\n");

	ibuf_mbuf_free(m);
	return 0;
}

/* Prints:
 * 00 01 12 67 00 00 00 13 how is the weather?
 * kind 1, id 4711, 19 bytes
 * one byte less is not a request
 */
