/*
 * slots.c - which server a name belongs to.
 */
#include "slots.h"
#include "upstream.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* When the map is read again: in doubt, and without. */
#define DOUBT_NS UINT64_C(200000000)
#define ASK_NS UINT64_C(5000000000)

void
slots_init(struct slots *s)
{
	*s = (struct slots){.mode = MODE_UNKNOWN, .ask_ns = UINT64_MAX};
}

/* XMODEM: polynomial x^16 + x^12 + x^5 + 1, high bit first. */
static unsigned
crc16(const char *bytes, size_t n)
{
	unsigned crc = 0;

	for (size_t i = 0; i < n; i++) {
		crc ^= (unsigned)(unsigned char)bytes[i] << 8;
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc & 0x8000 ? 0x1021 : 0);
		crc &= 0xffff;
	}
	return crc;
}

unsigned
slots_of(const char *name, size_t len)
{
	const char *open = memchr(name, '{', len), *close = NULL;

	/* Between braces stands what counts, if anything does. */
	if (open != NULL)
		close = memchr(open, '}', len - (size_t)(open - name));
	if (close != NULL && close > open + 1)
		return crc16(open + 1, (size_t)(close - open - 1)) % SLOTS;
	return crc16(name, len) % SLOTS;
}

struct link *
slots_link(struct upstream *u, enum kind kind, const char *name, size_t len)
{
	if (kind != KIND_SHARD || u->slots.mode == MODE_STANDALONE)
		return u->main;
	if (u->slots.mode == MODE_UNKNOWN)
		return NULL;
	return u->slots.owner[slots_of(name, len)];
}

void
slots_doubt(struct upstream *u)
{
	uint64_t soon_ns = u->now_ns + DOUBT_NS;

	if (u->slots.mode == MODE_CLUSTER && u->slots.ask_ns > soon_ns)
		u->slots.ask_ns = soon_ns;
}

uint64_t
slots_tick(struct upstream *u)
{
	static const char command[] = "*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n";
	struct slots *s = &u->slots;

	if (s->mode != MODE_CLUSTER || s->is_due ||
	    u->main->state != LINK_READY)
		return UINT64_MAX;
	if (u->now_ns < s->ask_ns)
		return s->ask_ns;
	s->ask_ns = u->now_ns + ASK_NS;
	s->is_due = link_say(u->main, ibuf_mbuf_from(command, strlen(command)),
			     (struct due){.what = DUE_SLOTS});
	return s->ask_ns;
}

/* The link to a node; NULL: no memory. */
static struct link *
find_link(struct upstream *u, const struct url_host *host)
{
	struct link *l;

	for (l = u->links; l != NULL; l = l->next)
		if (l != u->main && strcmp(l->host.host, host->host) == 0 &&
		    strcmp(l->host.port, host->port) == 0)
			return l;
	l = link_new(u, host);
	if (l != NULL) {
		l->next = u->links;
		u->links = l;
	}
	return l;
}

/* The node that item i of the answer describes.  NULL: none we can reach. */
static struct link *
read_node(struct upstream *u, struct link *l, size_t i)
{
	const struct answer_parser *p = &l->parser;
	const struct answer_item *item = &p->items[i];
	struct url_host host = l->host;

	if (i + 2 >= p->count || item[0].type != '*' || item[0].number < 2 ||
	    item[2].type != ':' || item[2].number < 1 || item[2].number > 65535)
		return NULL;
	/* A node that does not know its name has the one we called it by. */
	if (item[1].type == '$' && item[1].len > 0)
		answer_text(&item[1], l->in, host.host, sizeof(host.host));
	snprintf(host.port, sizeof(host.port), "%u", (unsigned)item[2].number);
	return find_link(u, &host);
}

/* One range, at item i.  false: it is none. */
static bool
read_range(struct upstream *u, struct link *l, size_t i)
{
	const struct answer_parser *p = &l->parser;
	const struct answer_item *item = &p->items[i];
	struct link *owner;

	if (item[0].type != '*' || item[0].number < 3 || i + 3 >= p->count ||
	    item[1].type != ':' || item[2].type != ':' || item[1].number < 0 ||
	    item[2].number >= SLOTS)
		return false;
	owner = read_node(u, l, i + 3);
	if (owner == NULL)
		return true;
	owner->is_owner = true;
	for (int64_t slot = item[1].number; slot <= item[2].number; slot++)
		u->slots.owner[slot] = owner;
	return true;
}

void
slots_heard(struct upstream *u, struct link *l)
{
	const struct answer_parser *p = &l->parser;
	struct slots *s = &u->slots;
	size_t i = 1;

	s->is_due = false;
	if (p->items[0].type != '*') {
		char words[128];

		answer_text(&p->items[0], l->in, words, sizeof(words));
		link_lose(l, "CLUSTER SLOTS: %s", words);
		return;
	}
	memset(s->owner, 0, sizeof(s->owner));
	for (struct link *other = u->links; other != NULL; other = other->next)
		other->is_owner = false;
	for (int64_t n = p->items[0].number; n > 0; n--) {
		if (!read_range(u, l, i)) {
			link_lose(l, "CLUSTER SLOTS: no such answer is known");
			return;
		}
		i = answer_skip(p, i);
	}
	s->is_known = true;
	upstream_moved(u);
}

bool
slots_moved(struct upstream *u, const struct link *l, const char *error)
{
	struct url_host host = l->host;
	struct link *owner;
	const char *colon;
	unsigned slot;
	int at = 0;

	if (u->slots.mode != MODE_CLUSTER ||
	    sscanf(error, "MOVED %u %n", &slot, &at) != 1 || at == 0 ||
	    slot >= SLOTS)
		return false;
	colon = strrchr(error + at, ':');
	if (colon == NULL ||
	    (size_t)(colon - error - at) >= sizeof(host.host) ||
	    strlen(colon + 1) >= sizeof(host.port))
		return false;
	if (colon > error + at)
		snprintf(host.host, sizeof(host.host), "%.*s",
			 (int)(colon - error - at), error + at);
	snprintf(host.port, sizeof(host.port), "%s", colon + 1);
	owner = find_link(u, &host);
	if (owner == NULL)
		return false;
	owner->is_owner = true;
	u->slots.owner[slot] = owner;
	slots_doubt(u);
	return true;
}
