/* records.c - cookbook: TLS records, and handshake messages out of them. */
#include <errno.h>
#include <ibuf/ibuf.h>
#include <stdio.h>

enum { RECORD_HEADER = 5, RECORD_MAX = 16384 + 256, HANDSHAKE = 22 };

/*
 * Cut the next record off the front: 1, its type and its bytes; 0: it is not
 * complete yet; -EPROTO: it is too long; -ENOMEM.
 */
static int
record_next(struct ibuf_mbuf *in, uint8_t *type, struct ibuf_mbuf **bytes)
{
	struct ibuf_cursor c;
	uint16_t version, length;
	int rc;

	ibuf_cursor_init(&c, in);
	if (!ibuf_cursor_get_u8(&c, type) ||
	    !ibuf_cursor_get_be16(&c, &version) ||
	    !ibuf_cursor_get_be16(&c, &length))
		return 0;
	if (length > RECORD_MAX)
		return -EPROTO;
	if (ibuf_cursor_remaining(&c) < length)
		return 0;
	rc = ibuf_mbuf_split_front(in, RECORD_HEADER + (size_t)length, bytes);
	if (rc != 0)
		return rc;
	ibuf_mbuf_trim_head(*bytes, RECORD_HEADER);
	return 1;
}

/* A handshake message may lie in several records: show those that are there. */
static void
show_messages(struct ibuf_mbuf *handshake)
{
	struct ibuf_cursor c;
	uint32_t length;
	uint8_t kind;

	for (;;) {
		ibuf_cursor_init(&c, handshake);
		if (!ibuf_cursor_get_u8(&c, &kind) ||
		    !ibuf_cursor_get_be24(&c, &length) ||
		    !ibuf_cursor_skip(&c, length))
			return;
		printf("message of kind %u, %u bytes\n", kind,
		       (unsigned)length);
		ibuf_mbuf_trim_head(handshake, ibuf_cursor_position(&c));
	}
}

int
main(void)
{
	/* A message of 6 bytes in two records, then an alert. */
	static const uint8_t wire[] = {22,  3,   3,   0,  7, 1, 0, 0, 6,
				       'a', 'b', 'c', 22, 3, 3, 0, 3, 'd',
				       'e', 'f', 21,  3,  3, 0, 2, 1, 0};
	struct ibuf_mbuf *in = ibuf_mbuf_from(wire, sizeof wire);
	struct ibuf_mbuf *handshake = ibuf_mbuf_new(0), *bytes;
	uint8_t type;

	if (in == NULL || handshake == NULL)
		return 1;
	while (record_next(in, &type, &bytes) == 1) {
		printf("record of type %u, %zu bytes\n", type,
		       ibuf_mbuf_len(bytes));
		if (type != HANDSHAKE)
			ibuf_mbuf_free(bytes);
		else if (ibuf_mbuf_concat(handshake, bytes) != 0)
			return 1;
		show_messages(handshake);
	}
	printf("%zu bytes left\n", ibuf_mbuf_len(in));
	ibuf_mbuf_free(handshake);
	ibuf_mbuf_free(in);
	return 0;
}

/* Prints:
 * record of type 22, 7 bytes
 * record of type 22, 3 bytes
 * message of kind 1, 6 bytes
 * record of type 21, 2 bytes
 * 0 bytes left
 */
