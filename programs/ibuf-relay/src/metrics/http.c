/*
 * http.c - as much of HTTP/1.1 as it takes to be scraped.
 */
#include "http.h"
#include <string.h>
#include <time.h>

/* A part of a line. */
struct span {
	const char *text;
	size_t len;
};

/* Is there an empty line?  Line ends may lack their \r, as RFC 9112 allows. */
static bool
is_whole(const char *text, size_t n)
{
	const char *end = text + n, *at = text;

	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		at++;
		if (at < end && *at == '\n')
			return true;
		if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
			return true;
	}
	return false;
}

/* Take what stands before the next blank, or all; visible bytes only. */
static struct span
take_word(struct span *line)
{
	struct span word = {line->text, 0};

	while (word.len < line->len && word.text[word.len] > ' ' &&
	       word.text[word.len] <= '~')
		word.len++;
	line->text += word.len;
	line->len -= word.len;
	return word;
}

static bool
take_blank(struct span *line)
{
	if (line->len == 0 || *line->text != ' ')
		return false;
	line->text++;
	line->len--;
	return true;
}

static bool
is_word(struct span s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.text, word, s.len) == 0;
}

/* The path may be followed by a query, which changes nothing. */
static bool
is_path(struct span target, const char *path)
{
	const char *query = memchr(target.text, '?', target.len);

	if (query != NULL)
		target.len = (size_t)(query - target.text);
	return is_word(target, path);
}

static unsigned
judge(struct span line, const char *path, bool *is_head)
{
	struct span method, target, version;

	method = take_word(&line);
	if (method.len == 0 || !take_blank(&line))
		return 400;
	target = take_word(&line);
	if (target.len == 0 || !take_blank(&line))
		return 400;
	version = take_word(&line);
	if (line.len > 0 || version.len != 8 ||
	    memcmp(version.text, "HTTP/", 5) != 0)
		return 400;
	if (!is_word(version, "HTTP/1.1") && !is_word(version, "HTTP/1.0"))
		return 505;
	*is_head = is_word(method, "HEAD");
	if (!*is_head && !is_word(method, "GET"))
		return 405;
	return is_path(target, path) ? 200 : 404;
}

bool
http_read(const char *text, size_t n, const char *path, struct http_request *q)
{
	struct span line = {text, 0};

	*q = (struct http_request){.status = 431};
	if (!is_whole(text, n))
		return n >= HTTP_HEAD_MAX_BYTES;
	line.len = (size_t)((const char *)memchr(text, '\n', n) - text);
	if (line.len > 0 && text[line.len - 1] == '\r')
		line.len--;
	q->status = judge(line, path, &q->is_head);
	return true;
}

const char *
http_reason(unsigned status)
{
	switch (status) {
	case 200:
		return "OK";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Bad Request";
	}
}

int
http_print_head(struct ibuf_mbuf *to, unsigned status, const char *type,
		size_t body_bytes)
{
	time_t now = time(NULL);
	char date[40];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return ibuf_mbuf_printf(to,
				"HTTP/1.1 %u %s\r\nDate: %s\r\n"
				"Content-Type: %s\r\nContent-Length: %zu\r\n"
				"%sConnection: close\r\n\r\n",
				status, http_reason(status), date, type,
				body_bytes,
				status == 405 ? "Allow: GET, HEAD\r\n" : "");
}
