/*
 * scanner.c - choose how names are read, and keep bytes for that.
 */
#include "scanner.h"
#include "names_dns.h"
#include "retain.h"

enum { TLS_FIRST = 20, TLS_HANDSHAKE = 22, TLS_LAST = 23, TLS_MAJOR = 3 };

static void
drop_held(struct scanner *s)
{
	ibuf_mbuf_free(s->held);
	s->held = NULL;
	s->held_cost = 0;
}

void
scanner_stop(struct scanner *s)
{
	drop_held(s);
	tls_clear(&s->tls);
	s->kind = SCANNER_OFF;
}

void
scanner_gap(struct scanner *s, const struct name_flow *flow)
{
	if (s->kind == SCANNER_HTTP && s->held != NULL)
		http_end(&s->http, s->held, flow);
	scanner_stop(s);
	s->http = (struct http){0};
	if (!s->is_server)
		s->kind = SCANNER_NEW;
}

size_t
scanner_cost(const struct scanner *s)
{
	return s->held_cost + s->tls.cost;
}

static enum scanner_kind
choose(const struct scanner *s, const struct ibuf_mbuf *m)
{
	uint8_t first = 0;
	uint8_t version = 0;

	if (s->is_dns)
		return SCANNER_DNS;
	if (!ibuf_mbuf_get_u8(m, 0, &first))
		return SCANNER_NEW;
	if (first == TLS_HANDSHAKE)
		return SCANNER_TLS;
	/* Records of a session that has begun have no names. */
	if (first >= TLS_FIRST && first <= TLS_LAST &&
	    ibuf_mbuf_get_u8(m, 1, &version) && version == TLS_MAJOR)
		return SCANNER_OFF;
	return SCANNER_HTTP;
}

/* Messages, each behind its length. */
static size_t
read_dns(const struct ibuf_mbuf *m, const struct name_flow *flow)
{
	struct ibuf_cursor c;
	struct ibuf_cursor message;
	uint16_t length;
	size_t consumed = 0;

	ibuf_cursor_init(&c, m);
	while (ibuf_cursor_get_be16(&c, &length)) {
		message = c;
		if (!ibuf_cursor_limit(&message, length) ||
		    !ibuf_cursor_skip(&c, length))
			break;
		dns_read(message, flow);
		consumed = ibuf_cursor_position(&c);
	}
	return consumed;
}

/* Read m by what it is; returns how much was read. */
static size_t
read_kind(struct scanner *s, const struct ibuf_mbuf *m, size_t cost,
	  const struct name_flow *flow)
{
	size_t consumed = 0;

	switch (s->kind) {
	case SCANNER_TLS:
		switch (tls_read(&s->tls, m, cost, &consumed, flow)) {
		case TLS_MORE:
			return consumed;
		case TLS_DONE:
			s->kind = SCANNER_OFF;
			return consumed;
		default: /* it only began like it */
			s->kind = SCANNER_HTTP;
			s->http.is_lost = true;
			break;
		}
		/* fall through */
	case SCANNER_HTTP:
		switch (http_read(&s->http, m, &consumed, flow)) {
		case HTTP_TUNNEL:
			s->http = (struct http){0};
			s->kind = SCANNER_NEW;
			break;
		case HTTP_ANSWER:
			s->is_server = true;
			s->kind = SCANNER_OFF;
			break;
		default:
			break;
		}
		return consumed;
	case SCANNER_DNS:
		return read_dns(m, flow);
	default:
		return 0;
	}
}

/*
 * Keep the rest of s->held, or of m when nothing was held.  The rest is seldom
 * more than a part of m, and then only m's rooms are kept.
 */
static void
keep(struct scanner *s, const struct ibuf_mbuf *m, size_t consumed, size_t cost)
{
	size_t there = ibuf_mbuf_len(s->held != NULL ? s->held : m);
	size_t rest = there - consumed;
	struct ibuf_mbuf *kept = NULL;
	size_t kept_cost;

	if (rest == 0) {
		drop_held(s);
		return;
	}
	if (s->held != NULL && rest > ibuf_mbuf_len(m)) {
		(void)ibuf_mbuf_trim_head(s->held, consumed);
		return;
	}
	kept_cost = retain(&kept, m, ibuf_mbuf_len(m) - rest, rest, cost);
	drop_held(s);
	if (kept_cost == 0) {
		scanner_stop(s);
		return;
	}
	s->held = kept;
	s->held_cost = kept_cost;
}

void
scanner_feed(struct scanner *s, const struct ibuf_mbuf *m, size_t cost,
	     const struct name_flow *flow)
{
	const struct ibuf_mbuf *all = m;
	size_t all_cost = cost;
	size_t more;

	if (s->kind == SCANNER_OFF)
		return;
	if (s->held != NULL) {
		more = retain(&s->held, m, 0, ibuf_mbuf_len(m), cost);
		if (more == 0) {
			scanner_stop(s);
			return;
		}
		s->held_cost += more;
		all = s->held;
		all_cost = s->held_cost;
	}
	if (s->kind == SCANNER_NEW)
		s->kind = choose(s, all);
	more = read_kind(s, all, all_cost, flow);
	/* Whoever sends more before a CONNECT is answered is not read. */
	if (s->kind == SCANNER_NEW && more < ibuf_mbuf_len(all))
		s->kind = SCANNER_OFF;
	if (s->kind == SCANNER_OFF)
		scanner_stop(s);
	else
		keep(s, m, more, cost);
}
