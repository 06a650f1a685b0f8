/*
 * names_dns.c - read DNS questions.
 *
 * A compressed name goes on at an earlier offset.  Every jump must lead to
 * before the place where the last one did, so there is no loop; and a name has
 * no more than 255 bytes, whatever the jumps.
 */
#include "names_dns.h"
#include <string.h>

enum { NAME_BYTES = 255, QUESTIONS_MAX = 64 };

/* A byte takes at most four characters, and the dot is one. */
enum { TEXT_MAX = 4 * NAME_BYTES + 1 };

struct text {
	char at[TEXT_MAX + 1];
	size_t len;
	size_t bytes; /* of the wire */
};

static bool
is_port(uint16_t port)
{
	return port == 53 || port == 5353 || port == 5355;
}

bool
dns_is_between(const struct flow_key *key)
{
	return is_port(key->port[0]) || is_port(key->port[1]);
}

/* As in master files: dots within a label, and what is not printable. */
static void
add_byte(struct text *text, uint8_t byte)
{
	if (byte == '.' || byte == '\\') {
		text->at[text->len++] = '\\';
	} else if (byte <= ' ' || byte > '~') {
		text->at[text->len++] = '\\';
		text->at[text->len++] = (char)('0' + byte / 100);
		text->at[text->len++] = (char)('0' + byte / 10 % 10);
		byte = (uint8_t)('0' + byte % 10);
	}
	text->at[text->len++] = (char)byte;
}

static bool
add_label(struct text *text, struct ibuf_cursor *c, uint8_t length)
{
	uint8_t scratch[64];
	const uint8_t *label = ibuf_cursor_view(c, length, scratch);
	uint8_t i;

	text->bytes += length + 1u;
	if (label == NULL || text->bytes >= NAME_BYTES)
		return false;
	if (text->len > 0)
		text->at[text->len++] = '.';
	for (i = 0; i < length; i++)
		add_byte(text, label[i]);
	return true;
}

/* Read a name and go past it; start is where the message begins. */
static bool
read_name(struct ibuf_cursor *c, size_t start, struct text *text)
{
	struct ibuf_cursor at = *c;
	size_t before = ibuf_cursor_position(c) - start;
	bool is_there = true; /* at is still where c is */
	uint8_t length;
	uint8_t low;

	text->len = 0;
	text->bytes = 0;
	while (ibuf_cursor_get_u8(&at, &length)) {
		if (length == 0) {
			if (is_there)
				*c = at;
			if (text->len == 0)
				text->at[text->len++] = '.';
			text->at[text->len] = '\0';
			return true;
		}
		if (length < 64) {
			if (!add_label(text, &at, length))
				return false;
			continue;
		}
		if (length < 192 || !ibuf_cursor_get_u8(&at, &low))
			return false;
		if (is_there)
			*c = at;
		is_there = false;
		if ((length & 63u) * 256u + low >= before)
			return false;
		before = (length & 63u) * 256u + low;
		if (!ibuf_cursor_seek(&at, start + before))
			return false;
	}
	return false;
}

void
dns_read(struct ibuf_cursor at, const struct name_flow *flow)
{
	size_t start = ibuf_cursor_position(&at);
	struct text text;
	uint16_t questions;
	uint16_t i;

	if (!ibuf_cursor_skip(&at, 4) ||
	    !ibuf_cursor_get_be16(&at, &questions) || !ibuf_cursor_skip(&at, 6))
		return;
	for (i = 0; i < questions && i < QUESTIONS_MAX; i++) {
		/* The type and the class tell it from other bytes. */
		if (!read_name(&at, start, &text) || !ibuf_cursor_skip(&at, 4))
			return;
		names_add(flow, NAME_DNS, strdup(text.at));
	}
}
