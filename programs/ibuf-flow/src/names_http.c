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
 * "GET /path HTTP/1.1" without its version.  A line that was cut off may lack a
 * part of it, but not all: the target must be whole.
 */
static bool
cut_version(struct line *line, bool is_cut)
{
	static const char version[] = "HTTP/1.1";
	size_t there = sizeof version - 1;
	const char *end = memrchr(line->at, ' ', line->len);
	size_t len;

	if (end == NULL)
		return false;
	len = line->len - (size_t)(end + 1 - line->at);
	if (len != there && (!is_cut || len == 0 || len > there))
		return false;
	/* The last digit may be another. */
	if (memcmp(end + 1, version, len < there ? len : there - 1) != 0 ||
	    (len == there && !isdigit((unsigned char)end[there])))
		return false;
	line->len = (size_t)(end - line->at);
	return true;
}

static bool
split_request(struct line line, bool is_cut, struct line *method,
	      struct line *target)
{
	const char *end;

	if (!cut_version(&line, is_cut))
		return false;
	end = memchr(line.at, ' ', line.len);
	if (end == NULL)
		return false;
	*method = (struct line){line.at, (size_t)(end - line.at)};
	*target =
		trimmed((struct line){end, (size_t)(line.at + line.len - end)});
	return method->len <= METHOD_MAX && is_token(*method) &&
	       target->len > 0;
}

/* The end of a word that is a method, the longest one there is. */
static struct line
method_at_end(struct line word)
{
	static const char *const methods[] = {
		"GET",       "HEAD",        "POST",     "PUT",    "DELETE",
		"CONNECT",   "OPTIONS",     "TRACE",    "PATCH",  "PROPFIND",
		"PROPPATCH", "MKCOL",       "COPY",     "MOVE",   "LOCK",
		"UNLOCK",    "SEARCH",      "M-SEARCH", "REPORT", "SUBSCRIBE",
		"NOTIFY",    "UNSUBSCRIBE",
	};
	struct line best = {word.at, 0};
	size_t i;

	for (i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		size_t len = strlen(methods[i]);
		const char *at = word.at + word.len - len;

		if (len > best.len && len <= word.len &&
		    memcmp(at, methods[i], len) == 0)
			best = (struct line){at, len};
	}
	return best;
}

/* A request line behind other bytes, as those of a body that ends here. */
static bool
find_request(struct line line, struct line *method, struct line *target)
{
	const char *end;

	if (!cut_version(&line, false))
		return false;
	line = trimmed(line);
	end = memrchr(line.at, ' ', line.len);
	if (end == NULL)
		return false;
	target->at = end + 1;
	target->len = (size_t)(line.at + line.len - target->at);
	line.len = (size_t)(end - line.at);
	*method = method_at_end(trimmed(line));
	return method->len > 0;
}

static bool
is_answer(struct line line)
{
	return line.len >= 7 && memcmp(line.at, "HTTP/1.", 7) == 0;
}

/*
 * What is behind other bytes may itself look like a request: so words that end
 * like a method, where none should be, count more.
 */
static bool
read_request_line(bool is_lost, struct line line, struct line *method,
		  struct line *target)
{
	struct line inner;
	struct line rest;
	size_t i;

	if (is_lost || !split_request(line, false, method, target))
		return find_request(line, method, target);
	if (memchr(target->at, ' ', target->len) != NULL &&
	    find_request(line, &inner, &rest)) {
		*method = inner;
		*target = rest;
	}
	for (i = 0; i < method->len; i++) {
		if (!isalpha((unsigned char)method->at[i]) ||
		    islower((unsigned char)method->at[i]))
			break;
	}
	inner = method_at_end(*method);
	if (i < method->len && inner.len > 0)
		*method = inner;
	return true;
}

static enum http_state
read_request(struct http *h, struct line line, const struct name_flow *flow)
{
	struct line method;
	struct line target;

	if (line.len == 0)
		return HTTP_MORE; /* some clients send one behind a body */
	if (!h->is_lost && is_answer(line))
		return HTTP_ANSWER;
	if (!read_request_line(h->is_lost, line, &method, &target)) {
		h->is_lost = true;
		return HTTP_MORE;
	}
	*h = (struct http){.part = HTTP_FIELDS};
	h->is_connect = method.len == 7 && memcmp(method.at, "CONNECT", 7) == 0;
	h->request = names_add_request(flow, text_of(method), text_of(target));
	return HTTP_MORE;
}

/* What comes makes no sense: the next request will. */
static enum http_state
lose(struct http *h)
{
	*h = (struct http){.is_lost = true};
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

	if (h->part != HTTP_START || h->is_lost || line.len >= LINE_MAX_BYTES)
		return;
	ibuf_cursor_init(&c, m);
	line.at = (const char *)ibuf_cursor_view(&c, line.len, scratch);
	if (split_request(line, true, &method, &target))
		(void)names_add_request(flow, text_of(method), text_of(target));
}

/* The head is read: what is next? */
static enum http_state
end_head(struct http *h, const struct name_flow *flow)
{
	if (h->is_host_empty)
		names_set_host(flow, h->request, name_text(NULL, 0));
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

/* Of an empty value the next line may have more. */
static enum http_state
read_value(struct http *h, struct line value, const struct name_flow *flow)
{
	h->is_host_empty =
		h->field == HTTP_HOST_NAME ? value.len == 0 : h->is_host_empty;
	if (value.len == 0)
		return HTTP_MORE;
	if (h->field == HTTP_HOST_NAME)
		names_set_host(flow, h->request, text_of(value));
	else if (h->field == HTTP_ENCODING)
		h->is_chunked =
			value.len >= 7 && strncasecmp(value.at + value.len - 7,
						      "chunked", 7) == 0;
	else if (h->field == HTTP_LENGTH && !read_number(value, 10, &h->left))
		return lose(h);
	return HTTP_MORE;
}

static enum http_state
read_field(struct http *h, struct line line, const struct name_flow *flow)
{
	const char *colon = memchr(line.at, ':', line.len);
	struct line name = {line.at, 0};

	if (line.len == 0)
		return end_head(h, flow);
	/* An old way to go on with the line before (RFC 9112, 5.2). */
	if (*line.at == ' ' || *line.at == '\t')
		return read_value(h, trimmed(line), flow);
	h->field = HTTP_OTHER;
	if (colon == NULL)
		return HTTP_MORE;
	name.len = (size_t)(colon - line.at);
	line.at = colon + 1;
	line.len -= name.len + 1;
	name = trimmed(name);
	if (is_field(name, "host"))
		h->field = HTTP_HOST_NAME;
	else if (is_field(name, "transfer-encoding"))
		h->field = HTTP_ENCODING;
	else if (is_field(name, "content-length"))
		h->field = HTTP_LENGTH;
	return read_value(h, trimmed(line), flow);
}

static enum http_state
read_chunk_size(struct http *h, struct line line)
{
	if (!read_number(line, 16, &h->left))
		return lose(h);
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

/*
 * The rest of a line that is no request yet: how much of it may be the begin of
 * one?  From the first word that ends like a method, or the last.
 */
static size_t
may_begin(struct line rest)
{
	const char *end = rest.at + rest.len;
	const char *at = rest.at;

	while ((at = memchr(at, ' ', (size_t)(end - at))) != NULL) {
		if (at > rest.at && isupper((unsigned char)at[-1]))
			break;
		at++;
	}
	if (at == NULL)
		at = isupper((unsigned char)end[-1]) ? end : NULL;
	if (at == NULL)
		return 0;
	at = at - rest.at > METHOD_MAX ? at - METHOD_MAX : rest.at;
	return (size_t)(end - at);
}

/* A line that has not ended: *consumed is moved past what is not needed. */
static enum http_state
wait_for_end(struct http *h, struct line line, size_t *consumed)
{
	size_t keep = line.len;

	if (line.len >= LINE_MAX_BYTES)
		(void)lose(h);
	if (h->is_lost && line.len > 0) {
		keep = may_begin(line);
		if (keep > LINE_MAX_BYTES / 2)
			keep = LINE_MAX_BYTES / 2;
	}
	*consumed += line.len - keep;
	h->scanned = keep;
	return HTTP_MORE;
}

/* Go past lines that do not end like a request, as far as a segment goes. */
static void
skip_lost(const struct ibuf_mbuf *m, struct ibuf_cursor *c)
{
	static const char version[] = "HTTP/1.";
	enum { VERSION = sizeof version }; /* with a digit */
	size_t run;
	const uint8_t *begin = ibuf_mbuf_at(m, ibuf_cursor_position(c), &run);
	const uint8_t *at = begin;
	const uint8_t *end;

	while ((end = memchr(at, '\n', run - (size_t)(at - begin))) != NULL) {
		const uint8_t *next = end + 1;

		if (end > at && end[-1] == '\r')
			end--;
		if (end - at > VERSION && end[-2] == '.' &&
		    memcmp(end - VERSION, version, VERSION - 1) == 0)
			break;
		at = next;
	}
	(void)ibuf_cursor_skip(c, (size_t)(at - begin));
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
		if (h->is_lost && h->scanned == 0)
			skip_lost(m, &c);
		*consumed = ibuf_cursor_position(&c);
		if (h->part == HTTP_BODY || h->part == HTTP_CHUNK) {
			skip_body(h, &c);
			continue;
		}
		end = ibuf_mbuf_find(m, *consumed + h->scanned, "\n", 1);
		line.len =
			(end == SIZE_MAX ? ibuf_mbuf_len(m) : end) - *consumed;
		/* Of a line that is too long, its end may be a request. */
		if (line.len > LINE_MAX_BYTES) {
			(void)lose(h);
			*consumed += line.len - LINE_MAX_BYTES;
			(void)ibuf_cursor_seek(&c, *consumed);
			line.len = LINE_MAX_BYTES;
		}
		h->scanned = 0;
		line.at = (const char *)ibuf_cursor_view(&c, line.len, scratch);
		if (end == SIZE_MAX)
			return wait_for_end(h, line, consumed);
		(void)ibuf_cursor_skip(&c, 1);
		state = read_line(h, line, flow);
	}
	*consumed = ibuf_cursor_position(&c);
	return state;
}
