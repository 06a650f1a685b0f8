/*
 * names_tls.c - read TLS records and a ClientHello.
 *
 *	m      | header | part of hello | header | part of hello | ...
 *	hello           | part of hello          | part of hello |
 *
 * The hello is put together of slices of the records; a cursor over it does
 * not see where they, or the segments of TCP, ended.
 */
#include "names_tls.h"
#include "retain.h"

enum {
	RECORD_HANDSHAKE = 22,
	RECORD_HEADER = 5,
	RECORD_MAX = 16384 + 256,
	HANDSHAKE_HELLO = 1,
	HELLO_MAX = 64 * 1024,
	EXTENSION_SERVER_NAME = 0,
	NAME_HOST = 0,
	HOST_MAX = 1024,
};

/* Go to the vector whose length is the next 8 or 16 bits, and past it. */
static bool
vector(struct ibuf_cursor *c, bool is_long, struct ibuf_cursor *inside)
{
	uint16_t length = 0;
	uint8_t shorter = 0;

	if (is_long ? !ibuf_cursor_get_be16(c, &length)
		    : !ibuf_cursor_get_u8(c, &shorter))
		return false;
	if (!is_long)
		length = shorter;
	*inside = *c;
	return ibuf_cursor_limit(inside, length) && ibuf_cursor_skip(c, length);
}

static void
read_server_names(struct ibuf_cursor c, const struct name_flow *flow)
{
	uint8_t scratch[HOST_MAX];
	struct ibuf_cursor list;
	struct ibuf_cursor name;
	const uint8_t *bytes;
	size_t n;
	uint8_t type;

	if (!vector(&c, true, &list))
		return;
	while (ibuf_cursor_get_u8(&list, &type) && vector(&list, true, &name)) {
		n = ibuf_cursor_remaining(&name);
		if (type != NAME_HOST || n == 0 || n > HOST_MAX)
			continue;
		bytes = ibuf_cursor_view(&name, n, scratch);
		names_add(flow, NAME_TLS, name_text(bytes, n));
	}
}

static void
read_hello(struct ibuf_cursor c, const struct name_flow *flow)
{
	enum { VERSION_AND_RANDOM = 34 };
	struct ibuf_cursor skipped;
	struct ibuf_cursor extensions;
	struct ibuf_cursor extension;
	uint16_t type;

	if (!ibuf_cursor_skip(&c, VERSION_AND_RANDOM) ||
	    !vector(&c, false, &skipped) || /* session */
	    !vector(&c, true, &skipped) ||  /* cipher suites */
	    !vector(&c, false, &skipped) || /* compression methods */
	    !vector(&c, true, &extensions))
		return;
	while (ibuf_cursor_get_be16(&extensions, &type) &&
	       vector(&extensions, true, &extension)) {
		if (type == EXTENSION_SERVER_NAME)
			read_server_names(extension, flow);
	}
}

/* The hello as far as it has come: is it whole, is it one at all? */
static enum tls_state
look_at_hello(const struct tls *t, const struct name_flow *flow)
{
	struct ibuf_cursor c;
	uint32_t length;
	uint8_t type;

	ibuf_cursor_init(&c, t->hello);
	if (!ibuf_cursor_get_u8(&c, &type))
		return TLS_MORE;
	if (type != HANDSHAKE_HELLO)
		return TLS_NOT;
	if (!ibuf_cursor_get_be24(&c, &length))
		return TLS_MORE;
	if (length > HELLO_MAX)
		return TLS_NOT;
	if (!ibuf_cursor_limit(&c, length))
		return TLS_MORE;
	read_hello(c, flow);
	return TLS_DONE;
}

enum tls_state
tls_read(struct tls *t, const struct ibuf_mbuf *m, size_t cost,
	 size_t *consumed, const struct name_flow *flow)
{
	enum tls_state state = TLS_MORE;
	struct ibuf_cursor c;
	uint16_t version;
	uint16_t length;
	uint8_t type;
	size_t more;

	*consumed = 0;
	ibuf_cursor_init(&c, m);
	while (state == TLS_MORE && ibuf_cursor_get_u8(&c, &type)) {
		if (type != RECORD_HANDSHAKE)
			return TLS_NOT;
		if (!ibuf_cursor_get_be16(&c, &version))
			break;
		if (version >> 8 != 3)
			return TLS_NOT;
		if (!ibuf_cursor_get_be16(&c, &length))
			break;
		if (length == 0 || length > RECORD_MAX)
			return TLS_NOT;
		if (!ibuf_cursor_skip(&c, length))
			break;
		more = retain(&t->hello, m, *consumed + RECORD_HEADER, length,
			      cost);
		if (more == 0)
			return TLS_NOT;
		t->cost += more;
		*consumed += (size_t)RECORD_HEADER + length;
		state = look_at_hello(t, flow);
	}
	return state;
}

void
tls_clear(struct tls *t)
{
	ibuf_mbuf_free(t->hello);
	*t = (struct tls){0};
}
