/*
 * url.c - where the upstream is.
 */
#include "url.h"
#include <stdlib.h>
#include <string.h>

static const char scheme[] = "redis://";
static const char default_port[] = "6379";

static bool
copy(char *to, size_t size, const char *from, size_t n)
{
	if (n >= size)
		return false;
	memcpy(to, from, n);
	to[n] = '\0';
	return true;
}

static int
hex_value(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	if (at == NULL)
		return -1;
	return (int)(at - digits) - (at - digits > 15 ? 6 : 0);
}

/* Of what stands before the host; there is no way to write a zero byte. */
static bool
decode(char *to, size_t size, const char *from, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		char byte = from[i];

		if (byte == '%') {
			int high = n - i > 2 ? hex_value(from[i + 1]) : -1;
			int low = n - i > 2 ? hex_value(from[i + 2]) : -1;

			if (high < 0 || low < 0 || high + low == 0)
				return false;
			byte = (char)(high * 16 + low);
			i += 2;
		}
		if (len + 1 == size)
			return false;
		to[len++] = byte;
	}
	to[len] = '\0';
	return true;
}

static bool
parse_secrets(struct url *url, const char *text, size_t n)
{
	const char *colon = memchr(text, ':', n);
	size_t user;

	if (colon == NULL)
		return false;
	user = (size_t)(colon - text);
	if (user > 0 && !decode(url->user, sizeof(url->user), text, user))
		return false;
	return decode(url->password, sizeof(url->password), colon + 1,
		      n - user - 1);
}

static bool
is_port(const char *text)
{
	size_t n = strspn(text, "0123456789");
	long number = strtol(text, NULL, 10);

	return n > 0 && text[n] == '\0' && number >= 1 && number <= 65535;
}

static bool
parse_host(struct url_host *h, const char *text, size_t n)
{
	const char *host = text, *end = text + n, *port;
	size_t len;

	if (n > 0 && *text == '[') {
		const char *close = memchr(text, ']', n);

		if (close == NULL)
			return false;
		host = text + 1;
		len = (size_t)(close - host);
		port = close + 1;
	} else {
		port = memchr(text, ':', n);
		if (port == NULL)
			port = end;
		len = (size_t)(port - text);
	}
	if (len == 0 || !copy(h->host, sizeof(h->host), host, len))
		return false;
	if (port == end)
		return copy(h->port, sizeof(h->port), default_port,
			    strlen(default_port));
	return *port == ':' &&
	       copy(h->port, sizeof(h->port), port + 1,
		    (size_t)(end - port - 1)) &&
	       is_port(h->port);
}

bool
url_parse(struct url *url, const char *text, const char **why)
{
	const char *at = text + strlen(scheme), *end, *secrets;

	*url = (struct url){.user = "default"};
	*why = "it does not begin with redis://";
	if (strncmp(text, scheme, strlen(scheme)) != 0)
		return false;
	/* A password may hold any of the characters that separate. */
	secrets = strrchr(at, '@');
	*why = "before the @ there must be a :PASSWORD";
	if (secrets != NULL) {
		if (!parse_secrets(url, at, (size_t)(secrets - at)))
			return false;
		at = secrets + 1;
	}
	end = at + strcspn(at, "/");
	*why = "there is no database but 0";
	if (strcmp(end, "") != 0 && strcmp(end, "/") != 0 &&
	    strcmp(end, "/0") != 0)
		return false;
	for (;;) {
		size_t n = strcspn(at, ",/");

		*why = "there are more than 16 hosts";
		if (url->count == URL_HOSTS_MAX)
			return false;
		*why = "a host is HOST, HOST:PORT or [ADDRESS]:PORT";
		if (!parse_host(&url->hosts[url->count++], at, n))
			return false;
		at += n;
		if (at == end)
			return true;
		at++;
	}
}
