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
#include "reader.h"
#include "reassembly.h"
#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

/* More gaps are no network but an attack; and lists are walked. */
enum { PIECES_MAX = 1024 };

/* A segment far away that nothing follows is a stray. */
enum { SEGMENTS_CREDIBLE = 2 };

/* Names may take that part of the memory. */
enum { NAMES_SHARE = 4 };

/* One direction. */
struct side {
	struct stream *stream;
	struct flow_key flow; /* whose names these are */
	uint32_t flow_hash;
	uint64_t bytes; /* given */
	struct reassembly reassembly;
	struct reader reader;
	struct extract_file file;
	bool is_based;
	uint32_t base; /* sequence number of its SYN */
	size_t cost;   /* of what it keeps */
	bool is_listed;
	struct side *prev;
	struct side *next;
};

struct stream {
	struct flow_key key;
	uint64_t number;
	bool is_given_up;
	struct side side[2]; /* by the end of the key that sends */
	UT_hash_handle hh;
};

struct streams {
	struct streams_options options;
	struct streams_totals totals;
	struct name_store names;
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
	s->options = *options;
	s->names.limit = (size_t)(options->max_memory / NAMES_SHARE);
	s->options.max_memory -= s->names.limit;
	return s;
}

bool
streams_want(const struct packet *p)
{
	if (p->key.protocol == PROTOCOL_UDP)
		return dns_is_port(p->key.port[0]) ||
		       dns_is_port(p->key.port[1]);
	return p->has_tcp;
}

/* Account for what a side keeps now; it was the last to do something. */
static void
account(struct streams *s, struct side *side)
{
	size_t cost = side->reassembly.cost + reader_cost(&side->reader);

	s->kept += cost;
	s->kept -= side->cost;
	side->cost = cost;
	if (side->is_listed)
		DL_DELETE(s->keeping, side);
	side->is_listed = cost > 0;
	if (side->is_listed)
		DL_APPEND(s->keeping, side);
}

static struct extract_name
file_name(const struct side *side)
{
	return (struct extract_name){
		.key = &side->stream->key,
		.from = (unsigned)(side - side->stream->side),
		.stream = side->stream->number,
	};
}

/* Bytes in order, at last: names first, for writing consumes them. */
static void
deliver(struct streams *s, struct side *side, struct reassembly_part *part)
{
	struct name_flow flow = {&s->names, &side->flow, side->flow_hash};
	struct extract_name name = file_name(side);

	if (part->gap > 0) {
		s->totals.gaps++;
		s->totals.gap_bytes += part->gap;
		reader_gap(&side->reader, &flow);
	}
	if (ibuf_mbuf_len(part->bytes) > 0) {
		side->bytes += ibuf_mbuf_len(part->bytes);
		reader_feed(&side->reader, part->bytes, part->cost, &flow);
		if (s->options.extract != NULL)
			extract_write(s->options.extract, &side->file, &name,
				      part->bytes);
	}
	ibuf_mbuf_free(part->bytes);
	if (part->uncaptured > 0) {
		s->totals.uncaptured_bytes += part->uncaptured;
		reader_gap(&side->reader, &flow);
	}
}

/* Whether to wait no longer for the bytes before the first piece. */
static bool
is_gap_hopeless(const struct streams *s, const struct reassembly *r)
{
	if (r->pieces > PIECES_MAX || r->held > s->options.max_gap)
		return true;
	return reassembly_gap(r) > s->options.max_gap &&
	       reassembly_segments(r) >= SEGMENTS_CREDIBLE;
}

/* Give what is next, and what is behind gaps that nobody waits for. */
static void
deliver_ready(struct streams *s, struct side *side)
{
	struct reassembly *r = &side->reassembly;
	struct reassembly_part part;

	for (;;) {
		reassembly_take(r, is_gap_hopeless(s, r), &part);
		if (part.bytes == NULL)
			return;
		deliver(s, side, &part);
	}
}

/* Give all there is, whatever is missing. */
static void
deliver_all(struct streams *s, struct side *side)
{
	struct reassembly_part part;

	for (;;) {
		reassembly_take(&side->reassembly, true, &part);
		if (part.bytes == NULL)
			return;
		deliver(s, side, &part);
	}
}

static void
stop_reading(struct streams *s, struct side *side)
{
	struct name_flow flow = {&s->names, &side->flow, side->flow_hash};

	reader_gap(&side->reader, &flow);
	reader_stop(&side->reader);
}

/* Let sides keep nothing until all others are within the limit. */
static void
relieve(struct streams *s)
{
	struct side *side;

	while (s->kept > s->options.max_memory) {
		side = s->keeping;
		stop_reading(s, side);
		deliver_all(s, side);
		reader_stop(&side->reader);
		account(s, side);
		s->totals.given_up += !side->stream->is_given_up;
		side->stream->is_given_up = true;
	}
}

static void
finish_stream(struct streams *s, struct stream *stream)
{
	struct extract *extract = s->options.extract;
	uint64_t bytes = 0;
	unsigned i;

	HASH_DEL(s->table, stream);
	for (i = 0; i < 2; i++) {
		deliver_all(s, &stream->side[i]);
		stop_reading(s, &stream->side[i]);
		account(s, &stream->side[i]);
		bytes += stream->side[i].bytes;
		s->totals.repeated_bytes += stream->side[i].reassembly.repeated;
		s->totals.lost += stream->side[i].reassembly.lost;
	}
	for (i = 0; i < 2 && extract != NULL && bytes > 0; i++) {
		struct extract_name name = file_name(&stream->side[i]);

		extract_finish(extract, &stream->side[i].file, &name);
	}
	free(stream);
}

static struct stream *
begin_stream(struct streams *s, const struct packet *p)
{
	struct stream *stream = calloc(1, sizeof *stream);

	if (stream == NULL)
		return NULL;
	stream->key = p->stream_key;
	stream->side[0].stream = stream;
	stream->side[1].stream = stream;
	stream->number = s->totals.streams;
	HASH_ADD_BYHASHVALUE(hh, s->table, key, sizeof stream->key,
			     p->stream_hash, stream);
	if (stream->hh.tbl == NULL) {
		free(stream);
		return NULL;
	}
	s->totals.streams++;
	return stream;
}

/* The stream of a packet; a SYN of its own begins another one. */
static struct stream *
stream_of(struct streams *s, const struct packet *p)
{
	bool is_syn = (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	struct stream *stream;

	HASH_FIND_BYHASHVALUE(hh, s->table, &p->stream_key,
			      sizeof p->stream_key, p->stream_hash, stream);
	if (stream != NULL && is_syn && stream->side[p->stream_from].is_based &&
	    stream->side[p->stream_from].base != p->seq) {
		finish_stream(s, stream);
		stream = NULL;
	}
	return stream != NULL ? stream : begin_stream(s, p);
}

/* Remember the sequence numbers of both SYNs, seen or not. */
static void
note_base(struct stream *stream, const struct packet *p)
{
	struct side *here = &stream->side[p->stream_from];
	struct side *there = &stream->side[!p->stream_from];

	if (!here->is_based || (p->tcp_flags & TCP_SYN)) {
		here->is_based = true;
		here->base = p->tcp_flags & TCP_SYN ? p->seq : p->seq - 1;
	}
	if (!there->is_based && (p->tcp_flags & TCP_ACK)) {
		there->is_based = true;
		there->base = p->ack - 1;
	}
}

static void
take_segment(struct streams *s, const struct packet *p, struct ibuf_mbuf *m,
	     size_t cost)
{
	struct stream *stream = stream_of(s, p);
	uint32_t seq = p->seq + ((p->tcp_flags & TCP_SYN) != 0);
	struct reassembly_part part;
	struct side *side;

	if (stream == NULL) {
		s->totals.lost++;
		ibuf_mbuf_free(m);
		return;
	}
	note_base(stream, p);
	side = &stream->side[p->stream_from];
	side->flow = p->key;
	side->flow_hash = p->hash;
	/* A SYN is right about where bytes begin, unless there were some. */
	if (!side->reassembly.is_begun ||
	    ((p->tcp_flags & TCP_SYN) && side->bytes == 0 &&
	     side->reassembly.pieces == 0))
		reassembly_begin(&side->reassembly, seq);
	if (p->on_wire == 0) {
		ibuf_mbuf_free(m);
		return;
	}
	reassembly_put(&side->reassembly, seq, p->on_wire, m, cost, &part);
	if (part.bytes != NULL)
		deliver(s, side, &part);
	deliver_ready(s, side);
	account(s, side);
	if (s->kept > s->totals.held_peak)
		s->totals.held_peak = s->kept;
	relieve(s);
}

static void
take_datagram(struct streams *s, const struct packet *p,
	      const struct ibuf_mbuf *m)
{
	struct name_flow flow = {&s->names, &p->key, p->hash};
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
	(void)ibuf_mbuf_trim_tail(m, frame - p.payload - p.captured);
	(void)ibuf_mbuf_trim_head(m, p.payload);
	if (p.has_tcp) {
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
	s->totals.names_dropped = s->names.dropped;
}

const struct streams_totals *
streams_totals(const struct streams *s)
{
	return &s->totals;
}

const struct name_store *
streams_names(const struct streams *s)
{
	return &s->names;
}

void
streams_free(struct streams *s)
{
	if (s == NULL)
		return;
	names_clear(&s->names);
	free(s);
}
