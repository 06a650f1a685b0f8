/* 02_packet.c - a packet is received, looked at in place, and answered. */
#include <ibuf/ibuf.h>
#include <stdio.h>

/* A UDP datagram, as a network card would write it: ports, length, data. */
static const uint8_t wire[] = {0x04, 0xd2, 0x00, 0x35, 0x00, 0x0d, 0x00,
			       0x00, 'q',  'u',  'e',  'r',  'y'};

int
main(void)
{
	struct ibuf_pool *pool = ibuf_pool_new(64, 2048);
	struct ibuf_mbuf *packet;
	struct ibuf_cursor c;
	uint16_t from, to, length;

	if (pool == NULL)
		return 1;
	packet = ibuf_pool_alloc(pool);
	if (packet == NULL || ibuf_mbuf_append(packet, wire, sizeof wire) != 0)
		return 1;

	/* A cursor reads what is there and never past it. */
	ibuf_cursor_init(&c, packet);
	if (!ibuf_cursor_get_be16(&c, &from) ||
	    !ibuf_cursor_get_be16(&c, &to) ||
	    !ibuf_cursor_get_be16(&c, &length) || !ibuf_cursor_skip(&c, 2) ||
	    length != ibuf_mbuf_len(packet))
		return 1;
	printf("port %u to port %u, %zu bytes of data\n", from, to,
	       ibuf_cursor_remaining(&c));

	/* The header goes by moving the start, the data stays where it is. */
	ibuf_mbuf_trim_head(packet, 8);
	printf("data: %.*s\n", (int)ibuf_mbuf_len(packet),
	       (const char *)ibuf_mbuf_data(packet));

	/* A new header goes into the headroom in front; nothing moves. */
	if (ibuf_mbuf_prepend_be32(packet, 0) != 0 ||
	    ibuf_mbuf_prepend_be16(packet, from) != 0 ||
	    ibuf_mbuf_prepend_be16(packet, to) != 0)
		return 1;
	printf("answer: %zu bytes\n", ibuf_mbuf_len(packet));

	ibuf_mbuf_free(packet);
	ibuf_pool_destroy(pool);
	return 0;
}

/* Prints:
 * port 1234 to port 53, 5 bytes of data
 * data: query
 * answer: 13 bytes
 */
