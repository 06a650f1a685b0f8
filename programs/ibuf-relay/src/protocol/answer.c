/*
 * answer.c - the answers of a server.
 */
#include "answer.h"
#include "input.h"
#include <stdlib.h>
#include <string.h>

/* A server that sends more of these is not one we know. */
enum { LINE_MAX_BYTES = 64 * 1024, ITEMS_MAX = 1 << 20 };

/* Digits of the largest number and a sign. */
enum { NUMBER_MAX_BYTES = 20 };

static void
begin(struct answer_parser *p)
{
	p->start = p->at;
	p->seen = p->at;
	p->left = 1;
	p->count = 0;
	p->is_whole = false;
}

void
answer_init(struct answer_parser *p, size_t max_bulk)
{
	*p = (struct answer_parser){.max_bulk = max_bulk};
	begin(p);
}

void
answer_destroy(struct answer_parser *p)
{
	free(p->items);
}

static enum answer_result
fail(struct answer_parser *p, const char *words)
{
	p->error = words;
	return ANSWER_ERROR;
}

/* Find the line at p->at; its text is between the letter and "\r\n". */
static enum answer_result
find_line(struct answer_parser *p, const struct ibuf_mbuf *in, size_t *len)
{
	struct ibuf_cursor c;
	uint8_t byte, end[2];
	size_t at;

	ibuf_cursor_init(&c, in);
	if (!ibuf_cursor_seek(&c, p->seen))
		return ANSWER_MORE;
	do {
		if (!ibuf_cursor_get_u8(&c, &byte)) {
			p->seen = ibuf_cursor_position(&c);
			if (p->seen - p->at > LINE_MAX_BYTES)
				return fail(p, "a line is too long");
			return ANSWER_MORE;
		}
	} while (byte != '\n');
	at = ibuf_cursor_position(&c);
	if (at - p->at < 3)
		return fail(p, "a line is empty");
	ibuf_mbuf_copy_out(in, at - 2, end, 2);
	if (end[0] != '\r')
		return fail(p, "a line does not end well");
	*len = at - p->at - 3;
	return ANSWER_WHOLE;
}

static bool
parse_number(const char *text, size_t n, int64_t *number)
{
	bool is_negative = n > 0 && text[0] == '-';
	size_t first = is_negative ? 1 : 0;
	int64_t value = 0;

	if (n == first || n >= NUMBER_MAX_BYTES)
		return false;
	for (size_t i = first; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		if (i > 0 && value == 0)
			return false; /* "01", "-0" and "-01" are not sent */
		if (value > (INT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (text[i] - '0');
	}
	*number = is_negative ? -value : value;
	return true;
}

/* The item is what begins at p->at; n bytes of text at `at`. */
static enum answer_result
add(struct answer_parser *p, struct answer_item item, size_t next)
{
	if (p->count == p->room) {
		size_t room = p->room == 0 ? 8 : 2 * p->room;
		struct answer_item *items =
			realloc(p->items, room * sizeof(*items));

		if (items == NULL)
			return fail(p, "out of memory");
		p->items = items;
		p->room = room;
	}
	p->items[p->count++] = item;
	p->at = next;
	p->seen = next;
	p->left--;
	return ANSWER_WHOLE;
}

static enum answer_result
read_bulk(struct answer_parser *p, const struct ibuf_mbuf *in,
	  struct answer_item item)
{
	size_t at = item.at + item.len + 2, len = (size_t)item.number;
	uint8_t end[2];

	if (item.number < 0) {
		item.type = '_';
		item.len = 0;
		return add(p, item, at);
	}
	if (len > p->max_bulk)
		return fail(p, "a string is longer than --max-bulk");
	if (ibuf_mbuf_len(in) - at < len + 2)
		return ANSWER_MORE;
	ibuf_mbuf_copy_out(in, at + len, end, 2);
	if (end[0] != '\r' || end[1] != '\n')
		return fail(p, "a string does not end well");
	item.at = at;
	item.len = len;
	return add(p, item, at + len + 2);
}

static enum answer_result
read_aggregate(struct answer_parser *p, struct answer_item item)
{
	enum answer_result r;

	if (item.number < 0) {
		item.type = '_';
		return add(p, item, item.at + item.len + 2);
	}
	if (item.number > ITEMS_MAX)
		return fail(p, "an answer has too many parts");
	if (item.type == '%')
		item.number *= 2;
	r = add(p, item, item.at + item.len + 2);
	p->left += (uint64_t)item.number;
	if (p->left + p->count > ITEMS_MAX)
		return fail(p, "an answer has too many parts");
	return r;
}

static enum answer_result
read_item(struct answer_parser *p, const struct ibuf_mbuf *in)
{
	struct answer_item item = {.bulk = p->at, .at = p->at + 1};
	enum answer_result r = find_line(p, in, &item.len);
	char text[NUMBER_MAX_BYTES];
	bool is_number;

	if (r != ANSWER_WHOLE)
		return r;
	ibuf_mbuf_copy_out(in, item.bulk, &item.type, 1);
	is_number = item.len < sizeof(text);
	if (is_number) {
		ibuf_mbuf_copy_out(in, item.at, text, item.len);
		is_number = parse_number(text, item.len, &item.number);
	}
	if (strchr(":$=!*~>%", item.type) != NULL && !is_number)
		return fail(p, "a number is none");
	switch (item.type) {
	case '$':
	case '=':
	case '!':
		return read_bulk(p, in, item);
	case '*':
	case '~':
	case '>':
	case '%':
		return read_aggregate(p, item);
	case '+':
	case '-':
	case ':':
	case '_':
	case '#':
	case ',':
	case '(':
		return add(p, item, item.at + item.len + 2);
	default:
		return fail(p, "it does not speak RESP3");
	}
}

enum answer_result
answer_next(struct answer_parser *p, const struct ibuf_mbuf *in)
{
	enum answer_result r = ANSWER_WHOLE;

	if (p->is_whole)
		begin(p);
	while (r == ANSWER_WHOLE && p->left > 0)
		r = read_item(p, in);
	p->is_whole = r == ANSWER_WHOLE;
	return r;
}

void
answer_consume(struct answer_parser *p, struct ibuf_mbuf **in)
{
	size_t gone;

	if (*in == NULL)
		return;
	if (p->is_whole)
		begin(p);
	gone = p->start;
	input_drop(in, gone);
	p->start -= gone;
	p->at -= gone;
	p->seen -= gone;
	for (size_t i = 0; i < p->count; i++) {
		p->items[i].bulk -= gone;
		p->items[i].at -= gone;
	}
}

size_t
answer_skip(const struct answer_parser *p, size_t i)
{
	uint64_t left = 1;

	for (; left > 0 && i < p->count; i++) {
		const struct answer_item *item = &p->items[i];

		left--;
		if (strchr("*~>%", item->type) != NULL)
			left += (uint64_t)item->number;
	}
	return i;
}

bool
answer_is(const struct answer_item *item, const struct ibuf_mbuf *in,
	  const char *word)
{
	char text[32];

	if (item->len != strlen(word) || item->len >= sizeof(text))
		return false;
	ibuf_mbuf_copy_out(in, item->at, text, item->len);
	return memcmp(text, word, item->len) == 0;
}

void
answer_text(const struct answer_item *item, const struct ibuf_mbuf *in,
	    char *to, size_t size)
{
	size_t n = item->len < size ? item->len : size - 1;

	ibuf_mbuf_copy_out(in, item->at, to, n);
	to[n] = '\0';
}
