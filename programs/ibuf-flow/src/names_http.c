/*
 * names_http.c - read HTTP/1.x requests line by line.
 */
#include "names_http.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Servers take no longer lines; a method of WebDAV has 16 letters. */
enum { LINE_MAX_BYTES = 16 * 1024, METHOD_MAX = 32 };

struct line {
	const char *at;
	size_t len;
};

bool
http_may_begin(uint8_t byte)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

static bool
is_token(struct line word)
{
	size_t i;

	for (i = 0; i < word.len; i++) {
		if (!isalnum((unsigned char)word.at[i]) &&
		    (word.at[i] == '\0' ||
		     strchr("!#$%&'*+-.^_`|~", word.at[i]) == NULL))
			return false;
	}
	return word.len > 0;
}

static struct line
trimmed(struct line text)
{
	while (text.len > 0 && (*text.at == ' ' || *text.at == '\t')) {
		text.at++;
		text.len--;
	}
	while (text.len > 0 &&
	       (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
		text.len--;
	return text;
}

static char *
text_of(struct line text)
{
	return name_text((const uint8_t *)text.at, text.len);
}

/*
 * "GET /path HTTP/1.1".  A line that was cut off may lack a part of the
 * version, but not all of it: the target must be whole.
 */
static bool
split_request(struct line line, bool is_cut, struct line *method,
	      struct line *target)
{
	static const char version[] = "HTTP/1.1";
	size_t there = sizeof version - 1;
	const char *end;

	*method = (struct line){line.at, 0};
	end = memchr(line.at, ' ', line.len);
	if (end == NULL)
		return false;
	method->len = (size_t)(end - line.at);
	target->at = end + 1;
	target->len = line.len - method->len - 1;
	end = memrchr(target->at, ' ', target->len);
	if (end == NULL)
		return false;
	target->len = (size_t)(end - target->at);
	line.len -= (size_t)(end + 1 - line.at);
	if (line.len != there && (!is_cut || line.len == 0))
		return false;
	/* The last digit may be another. */
	if (line.len < there)
		there = line.len;
	else
		there--;
	return method->len <= METHOD_MAX && is_token(*method) &&
	       target->len > 0 && memcmp(end + 1, version, there) == 0 &&
	       (line.len == there || isdigit((unsigned char)end[1 + there]));
}

static enum http_state
read_request(struct http *h, struct line line, const struct name_flow *flow)
{
	struct line method;
	struct line target;

	if (line.len == 0)
		return HTTP_MORE; /* some clients send one behind a body */
	if (!split_request(line, false, &method, &target))
		return HTTP_NOT;
	*h = (struct http){.part = HTTP_FIELDS};
	h->is_connect = method.len == 7 && memcmp(line.at, "CONNECT", 7) == 0;
	h->request = names_add_request(flow, text_of(method), text_of(target));
	return HTTP_MORE;
}

void
http_end(const struct http *h, const struct ibuf_mbuf *m,
	 const struct name_flow *flow)
{
	char scratch[LINE_MAX_BYTES];
	struct ibuf_cursor c;
	struct line method;
	struct line target;
	struct line line = {scratch, ibuf_mbuf_len(m)};

	if (h->part != HTTP_START || line.len >= LINE_MAX_BYTES)
		return;
	ibuf_cursor_init(&c, m);
	line.at = (const char *)ibuf_cursor_view(&c, line.len, scratch);
	if (split_request(line, true, &method, &target))
		(void)names_add_request(flow, text_of(method), text_of(target));
}

/* The head is read: what is next? */
static enum http_state
end_head(struct http *h)
{
	if (h->is_connect)
		return HTTP_TUNNEL;
	if (h->is_chunked)
		h->part = HTTP_CHUNK_SIZE;
	else
		h->part = h->left > 0 ? HTTP_BODY : HTTP_START;
	return HTTP_MORE;
}

static bool
is_field(struct line name, const char *wanted)
{
	return name.len == strlen(wanted) &&
	       strncasecmp(name.at, wanted, name.len) == 0;
}

/* Digits of a base to the end of the word, or to a blank or a semicolon. */
static bool
read_number(struct line text, unsigned base, uint64_t *number)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < text.len; i++) {
		int c = tolower((unsigned char)text.at[i]);
		unsigned digit;

		if (c == ';' || c == ' ' || c == '\t')
			break;
		if (!isxdigit(c))
			return false;
		digit = (unsigned)(isdigit(c) ? c - '0' : c - 'a' + 10);
		if (digit >= base || n > UINT64_MAX / 32)
			return false;
		n = n * base + digit;
	}
	*number = n;
	return i > 0;
}

static enum http_state
read_field(struct http *h, struct line line, const struct name_flow *flow)
{
	const char *colon = memchr(line.at, ':', line.len);
	struct line name = {line.at, 0};
	struct line value;

	if (line.len == 0)
		return end_head(h);
	if (colon == NULL)
		return HTTP_MORE;
	name.len = (size_t)(colon - line.at);
	value.at = colon + 1;
	value.len = line.len - name.len - 1;
	name = trimmed(name);
	value = trimmed(value);
	if (is_field(name, "host"))
		names_set_host(flow, h->request, text_of(value));
	else if (is_field(name, "transfer-encoding"))
		h->is_chunked =
			value.len >= 7 && strncasecmp(value.at + value.len - 7,
						      "chunked", 7) == 0;
	else if (is_field(name, "content-length") &&
		 !read_number(value, 10, &h->left))
		return HTTP_NOT;
	return HTTP_MORE;
}

static enum http_state
read_chunk_size(struct http *h, struct line line)
{
	if (!read_number(line, 16, &h->left))
		return HTTP_NOT;
	if (h->left == 0) {
		h->part = HTTP_TRAILERS;
		return HTTP_MORE;
	}
	h->left += 2;
	h->part = HTTP_CHUNK;
	return HTTP_MORE;
}

static enum http_state
read_line(struct http *h, struct line line, const struct name_flow *flow)
{
	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	switch (h->part) {
	case HTTP_START:
		return read_request(h, line, flow);
	case HTTP_FIELDS:
		return read_field(h, line, flow);
	case HTTP_CHUNK_SIZE:
		return read_chunk_size(h, line);
	default:
		if (line.len == 0)
			h->part = HTTP_START;
		return HTTP_MORE;
	}
}

/* Go past what is left of a body or a chunk, as far as it is there. */
static void
skip_body(struct http *h, struct ibuf_cursor *c)
{
	size_t n = ibuf_cursor_remaining(c);

	if (n > h->left)
		n = (size_t)h->left;
	(void)ibuf_cursor_skip(c, n);
	h->left -= n;
	if (h->left == 0)
		h->part = h->part == HTTP_BODY ? HTTP_START : HTTP_CHUNK_SIZE;
}

enum http_state
http_read(struct http *h, const struct ibuf_mbuf *m, size_t *consumed,
	  const struct name_flow *flow)
{
	enum http_state state = HTTP_MORE;
	char scratch[LINE_MAX_BYTES];
	struct ibuf_cursor c;
	struct line line;
	size_t end;

	ibuf_cursor_init(&c, m);
	while (state == HTTP_MORE && ibuf_cursor_remaining(&c) > 0) {
		*consumed = ibuf_cursor_position(&c);
		if (h->part == HTTP_BODY || h->part == HTTP_CHUNK) {
			skip_body(h, &c);
			continue;
		}
		end = ibuf_mbuf_find(m, *consumed + h->scanned, "\n", 1);
		h->scanned = ibuf_cursor_remaining(&c);
		line.len =
			(end == SIZE_MAX ? ibuf_mbuf_len(m) : end) - *consumed;
		if (line.len >= LINE_MAX_BYTES)
			return HTTP_NOT;
		if (end == SIZE_MAX)
			return HTTP_MORE;
		h->scanned = 0;
		line.at = (const char *)ibuf_cursor_view(&c, line.len, scratch);
		(void)ibuf_cursor_skip(&c, 1);
		state = read_line(h, line, flow);
	}
	*consumed = ibuf_cursor_position(&c);
	return state;
}
