/*
 * reader.c - choose a reader of names, and keep bytes for it.
 */
#include "reader.h"
#include "names_dns.h"
#include "retain.h"

enum { TLS_HANDSHAKE = 22 };

static void
drop_held(struct reader *r)
{
	ibuf_mbuf_free(r->held);
	r->held = NULL;
	r->held_cost = 0;
}

void
reader_stop(struct reader *r)
{
	drop_held(r);
	tls_clear(&r->tls);
	r->kind = READER_OFF;
}

void
reader_gap(struct reader *r, const struct name_flow *flow)
{
	if (r->kind == READER_HTTP && r->held != NULL)
		http_end(&r->http, r->held, flow);
	reader_stop(r);
	r->http = (struct http){0};
	r->kind = READER_NEW;
}

size_t
reader_cost(const struct reader *r)
{
	return r->held_cost + r->tls.cost;
}

static enum reader_kind
choose(const struct reader *r, const struct ibuf_mbuf *m)
{
	struct ibuf_cursor c;
	uint8_t first;

	if (r->is_dns)
		return READER_DNS;
	ibuf_cursor_init(&c, m);
	if (!ibuf_cursor_get_u8(&c, &first))
		return READER_NEW;
	if (first == TLS_HANDSHAKE)
		return READER_TLS;
	return http_may_begin(first) ? READER_HTTP : READER_OFF;
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
read_kind(struct reader *r, const struct ibuf_mbuf *m, size_t cost,
	  const struct name_flow *flow)
{
	size_t consumed = 0;

	switch (r->kind) {
	case READER_HTTP:
		switch (http_read(&r->http, m, &consumed, flow)) {
		case HTTP_TUNNEL:
			r->http = (struct http){0};
			r->kind = READER_NEW;
			break;
		case HTTP_NOT:
			r->kind = READER_OFF;
			break;
		default:
			break;
		}
		return consumed;
	case READER_TLS:
		if (tls_read(&r->tls, m, cost, &consumed, flow) != TLS_MORE)
			r->kind = READER_OFF;
		return consumed;
	case READER_DNS:
		return read_dns(m, flow);
	default:
		return 0;
	}
}

/*
 * Keep the rest of r->held, or of m when nothing was held.  The rest is seldom
 * more than a part of m, and then only m's rooms are kept.
 */
static void
keep(struct reader *r, const struct ibuf_mbuf *m, size_t consumed, size_t cost)
{
	size_t there = ibuf_mbuf_len(r->held != NULL ? r->held : m);
	size_t rest = there - consumed;
	struct ibuf_mbuf *kept = NULL;
	size_t kept_cost;

	if (rest == 0) {
		drop_held(r);
		return;
	}
	if (r->held != NULL && rest > ibuf_mbuf_len(m)) {
		(void)ibuf_mbuf_trim_head(r->held, consumed);
		return;
	}
	kept_cost = retain(&kept, m, ibuf_mbuf_len(m) - rest, rest, cost);
	drop_held(r);
	if (kept_cost == 0) {
		reader_stop(r);
		return;
	}
	r->held = kept;
	r->held_cost = kept_cost;
}

void
reader_feed(struct reader *r, const struct ibuf_mbuf *m, size_t cost,
	    const struct name_flow *flow)
{
	const struct ibuf_mbuf *all = m;
	size_t all_cost = cost;
	size_t more;

	if (r->kind == READER_OFF)
		return;
	if (r->held != NULL) {
		more = retain(&r->held, m, 0, ibuf_mbuf_len(m), cost);
		if (more == 0) {
			reader_stop(r);
			return;
		}
		r->held_cost += more;
		all = r->held;
		all_cost = r->held_cost;
	}
	if (r->kind == READER_NEW)
		r->kind = choose(r, all);
	more = read_kind(r, all, all_cost, flow);
	/* Whoever sends more before a CONNECT is answered is not read. */
	if (r->kind == READER_NEW && more < ibuf_mbuf_len(all))
		r->kind = READER_OFF;
	if (r->kind == READER_OFF)
		reader_stop(r);
	else
		keep(r, m, more, cost);
}
