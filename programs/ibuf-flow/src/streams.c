/*
 * streams.c - a uthash table of the streams that go on, and a list of those
 * sides that keep something, the one that was idle for longest first.
 *
 *	kept = sum of cost(side) of all sides in the list
 */

/* uthash shall report that it has no memory, not end the program. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(stream) ((stream)->hh.tbl = NULL)

#include "streams.h"
#include "names_dns.h"
#include "protocol.h"
#include "side.h"
#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

/* Names may take that part of the memory. */
enum { NAMES_SHARE = 4 };

struct stream {
	struct flow_key key;
	bool is_given_up;
	struct side side[2]; /* by the end of the key that sends */
	UT_hash_handle hh;
};

struct streams {
	struct outlet out;
	uint64_t max_memory;
	struct stream *table;
	struct side *keeping;
	size_t kept;
};

struct streams *
streams_new(const struct streams_options *options)
{
	struct streams *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->out.extract = options->extract;
	s->out.max_gap = options->max_gap;
	s->out.names.limit = (size_t)(options->max_memory / NAMES_SHARE);
	s->max_memory = options->max_memory - s->out.names.limit;
	return s;
}

bool
streams_want(const struct packet *p)
{
	if (p->segment.key.protocol == PROTOCOL_UDP)
		return dns_is_between(&p->segment.key);
	return p->segment.has_tcp;
}

/* Account for what a side keeps now; it was the last to do something. */
static void
account(struct streams *s, struct side *side)
{
	size_t cost = side_cost(side);

	s->kept += cost;
	s->kept -= side->cost;
	side->cost = cost;
	if (side->is_listed)
		DL_DELETE(s->keeping, side);
	side->is_listed = cost > 0;
	if (side->is_listed)
		DL_APPEND(s->keeping, side);
}

/* Let sides keep nothing until all others are within the limit. */
static void
relieve(struct streams *s)
{
	struct side *side;

	while (s->kept > s->max_memory) {
		side = s->keeping;
		side_give_up(side, &s->out);
		account(s, side);
		s->out.totals.given_up += !side->stream->is_given_up;
		side->stream->is_given_up = true;
	}
}

static void
finish_stream(struct streams *s, struct stream *stream)
{
	struct extract *extract = s->out.extract;
	uint64_t bytes = 0;
	unsigned i;

	HASH_DEL(s->table, stream);
	for (i = 0; i < 2; i++) {
		side_give_up(&stream->side[i], &s->out);
		account(s, &stream->side[i]);
		bytes += stream->side[i].bytes;
		s->out.totals.repeated_bytes +=
			stream->side[i].reassembly.repeated;
		s->out.totals.lost += stream->side[i].reassembly.lost;
	}
	for (i = 0; i < 2 && extract != NULL && bytes > 0; i++)
		extract_finish(extract, &stream->side[i].file,
			       &stream->side[i].name);
	free(stream);
}

static struct stream *
begin_stream(struct streams *s, const struct packet *p)
{
	struct stream *stream = calloc(1, sizeof *stream);
	unsigned i;

	if (stream == NULL)
		return NULL;
	stream->key = p->segment.key;
	for (i = 0; i < 2; i++) {
		stream->side[i].stream = stream;
		stream->side[i].name.key = &stream->key;
		stream->side[i].name.from = i;
		stream->side[i].name.stream = s->out.totals.streams;
	}
	HASH_ADD_BYHASHVALUE(hh, s->table, key, sizeof stream->key,
			     p->segment.hash, stream);
	if (stream->hh.tbl == NULL) {
		free(stream);
		return NULL;
	}
	s->out.totals.streams++;
	return stream;
}

/* The stream of a packet; a SYN of its own begins another one. */
static struct stream *
stream_of(struct streams *s, const struct packet *p)
{
	bool is_syn = (p->segment.tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	struct stream *stream;

	HASH_FIND_BYHASHVALUE(hh, s->table, &p->segment.key,
			      sizeof p->segment.key, p->segment.hash, stream);
	if (stream != NULL && is_syn &&
	    stream->side[p->segment.from].is_based &&
	    stream->side[p->segment.from].base != p->segment.seq) {
		finish_stream(s, stream);
		stream = NULL;
	}
	return stream != NULL ? stream : begin_stream(s, p);
}

/* Remember the sequence numbers of both SYNs, seen or not. */
static void
note_base(struct stream *stream, const struct packet *p)
{
	struct side *here = &stream->side[p->segment.from];
	struct side *there = &stream->side[!p->segment.from];

	if (!here->is_based || (p->segment.tcp_flags & TCP_SYN)) {
		here->is_based = true;
		here->base = p->segment.tcp_flags & TCP_SYN
				     ? p->segment.seq
				     : p->segment.seq - 1;
	}
	if (!there->is_based && (p->segment.tcp_flags & TCP_ACK)) {
		there->is_based = true;
		there->base = p->segment.ack - 1;
	}
}

static void
take_segment(struct streams *s, const struct packet *p, struct ibuf_mbuf *m,
	     size_t cost)
{
	struct stream *stream = stream_of(s, p);
	uint32_t seq = p->segment.seq + ((p->segment.tcp_flags & TCP_SYN) != 0);
	struct side *side;

	if (stream == NULL) {
		s->out.totals.lost++;
		ibuf_mbuf_free(m);
		return;
	}
	note_base(stream, p);
	side = &stream->side[p->segment.from];
	side_take(side, &s->out, p, seq, m, cost);
	account(s, side);
	if (s->kept > s->out.totals.held_peak)
		s->out.totals.held_peak = s->kept;
	relieve(s);
}

static void
take_datagram(struct streams *s, const struct packet *p,
	      const struct ibuf_mbuf *m)
{
	struct name_flow flow = {&s->out.names, &p->key, p->hash};
	struct ibuf_cursor c;

	ibuf_cursor_init(&c, m);
	dns_read(c, &flow);
}

static void
take_packet(struct streams *s, struct ibuf_mbuf *m)
{
	/* A copy: it goes with the message. */
	const struct packet p = *(struct packet *)ibuf_mbuf_private(m);
	size_t frame = ibuf_mbuf_len(m);
	size_t cost = PACKET_COST + (frame > PACKET_ROOM ? frame : 0);

	/* Both are within the message: the parser read it. */
	(void)ibuf_mbuf_trim_tail(m, frame - p.segment.payload -
					     p.segment.captured);
	(void)ibuf_mbuf_trim_head(m, p.segment.payload);
	if (p.segment.has_tcp) {
		take_segment(s, &p, m, cost);
		return;
	}
	take_datagram(s, &p, m);
	ibuf_mbuf_free(m);
}

void
streams_take(struct streams *s, struct ibuf_mbuf **packets, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		take_packet(s, packets[i]);
}

void
streams_finish(struct streams *s)
{
	while (s->table != NULL)
		finish_stream(s, s->table);
	s->out.totals.names_dropped = s->out.names.dropped;
}

const struct streams_totals *
streams_totals(const struct streams *s)
{
	return &s->out.totals;
}

const struct name_store *
streams_names(const struct streams *s)
{
	return &s->out.names;
}

void
streams_free(struct streams *s)
{
	if (s == NULL)
		return;
	names_clear(&s->out.names);
	free(s);
}
