/*
 * url.h - redis://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]
 *
 * An IPv6 address stands in brackets; %XX in user and password is the byte
 * XX.  A path of "/" or "/0" is fine, as there is no other database here.
 */
#ifndef RELAY_URL_H
#define RELAY_URL_H

#include <stdbool.h>
#include <stddef.h>

enum {
	URL_HOSTS_MAX = 16,
	URL_HOST_BYTES = 256,
	URL_PORT_BYTES = 6,
	URL_SECRET_BYTES = 256
};

struct url_host {
	char host[URL_HOST_BYTES];
	char port[URL_PORT_BYTES];
};

struct url {
	char user[URL_SECRET_BYTES];     /* "default" when none is said */
	char password[URL_SECRET_BYTES]; /* "": none */
	struct url_host hosts[URL_HOSTS_MAX];
	size_t count;
};

/* false: it is none, and *why are words that say what is wrong. */
bool url_parse(struct url *url, const char *text, const char **why);

#endif
