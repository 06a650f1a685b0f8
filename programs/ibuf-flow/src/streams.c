/*
 * streams.c - a table of the streams that go on, and a list of those sides that
 * keep something, the one that was idle for longest first.
 *
 *	kept = sum of cost(side) of all sides in the list
 *
 * A side is made when it sends bytes: a million half-open connections are a
 * million streams.
 */
#include "streams.h"
#include "block.h"
#include "names_dns.h"
#include "protocol.h"
#include "side.h"
#include "table.h"
#include <stdlib.h>
#include <utlist.h>

/* Names may take that part of the memory. */
enum { NAMES_SHARE = 4 };

struct stream {
	struct table_link link;
	struct flow_key key;
	uint64_t number;
	/* By the end of the key that sends: */
	struct side *side[2]; /* NULL: it sent no bytes */
	uint32_t base[2];     /* sequence number of its SYN, seen or not */
	uint32_t begin[2];    /* where its bytes begin */
	bool is_based[2];
	bool is_begun[2];
	bool is_given_up;
};

struct streams {
	struct outlet out;
	uint64_t max_memory;
	struct table table;
	struct side *keeping; /* utlist */
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

/* Whether a packet is of interest here. */
static bool
is_wanted(const struct packet *p)
{
	if (p->skip != SKIP_NOT)
		return false;
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
finish_side(struct streams *s, struct side *side)
{
	side_give_up(side, &s->out);
	account(s, side);
	reassembly_clear(&side->reassembly);
	s->out.totals.repeated_bytes += side->reassembly.repeated;
	s->out.totals.late_bytes += side->reassembly.late;
	s->out.totals.lost += side->reassembly.lost;
}

/* Both sides have a file, or none. */
static void
finish_files(struct streams *s, struct stream *stream)
{
	struct extract_file none[2] = {{0}, {0}};
	unsigned i;

	for (i = 0; i < 2; i++) {
		struct side *side = stream->side[i];
		struct extract_name name = {&stream->key, i, stream->number};

		extract_finish(s->out.extract,
			       side != NULL ? &side->file : &none[i], &name);
	}
}

/* It is not in the table any more. */
static void
finish_stream(struct streams *s, struct stream *stream)
{
	uint64_t bytes = 0;
	unsigned i;

	for (i = 0; i < 2; i++) {
		if (stream->side[i] == NULL)
			continue;
		finish_side(s, stream->side[i]);
		bytes += stream->side[i]->bytes;
	}
	if (s->out.extract != NULL && bytes > 0)
		finish_files(s, stream);
	free(stream->side[0]);
	free(stream->side[1]);
	free(stream);
}

static struct stream *
begin_stream(struct streams *s, const struct packet *p)
{
	struct stream *stream = calloc(1, sizeof *stream);

	if (stream == NULL)
		return NULL;
	stream->key = p->segment.key;
	stream->number = s->out.totals.streams;
	if (!table_add(&s->table, p->segment.hash, stream)) {
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
	unsigned from = p->segment.from;
	struct stream *stream;

	stream = table_find(&s->table, p->segment.hash, &p->segment.key,
			    sizeof p->segment.key);
	if (stream != NULL && is_syn && stream->is_based[from] &&
	    stream->base[from] != p->segment.seq) {
		table_remove(&s->table, stream);
		finish_stream(s, stream);
		stream = NULL;
	}
	return stream != NULL ? stream : begin_stream(s, p);
}

/* Remember the sequence numbers of both SYNs, seen or not. */
static void
note_base(struct stream *stream, const struct packet *p)
{
	bool is_syn = (p->segment.tcp_flags & TCP_SYN) != 0;
	unsigned here = p->segment.from;

	if (!stream->is_based[here] || is_syn) {
		stream->is_based[here] = true;
		stream->base[here] =
			is_syn ? p->segment.seq : p->segment.seq - 1;
	}
	if (!stream->is_based[!here] && (p->segment.tcp_flags & TCP_ACK)) {
		stream->is_based[!here] = true;
		stream->base[!here] = p->segment.ack - 1;
	}
}

/* A SYN is right about where bytes begin, unless there were some. */
static void
note_begin(struct stream *stream, const struct packet *p, uint32_t seq)
{
	unsigned here = p->segment.from;
	struct side *side = stream->side[here];

	if (stream->is_begun[here] &&
	    (!(p->segment.tcp_flags & TCP_SYN) ||
	     (side != NULL &&
	      (side->bytes > 0 || side->reassembly.pieces > 0))))
		return;
	stream->is_begun[here] = true;
	stream->begin[here] = seq;
	if (side != NULL)
		reassembly_begin(&side->reassembly, seq);
}

static struct side *
side_of(struct stream *stream, unsigned from)
{
	struct side *side = stream->side[from];

	if (side != NULL)
		return side;
	side = calloc(1, sizeof *side);
	if (side == NULL)
		return NULL;
	side->stream = stream;
	side->name.key = &stream->key;
	side->name.from = from;
	side->name.stream = stream->number;
	reassembly_begin(&side->reassembly, stream->begin[from]);
	stream->side[from] = side;
	return side;
}

/* Let a side have the bytes of a segment.  false: no memory. */
static bool
take_bytes(struct streams *s, struct stream *stream, const struct packet *p,
	   uint32_t seq, const struct ibuf_mbuf *block)
{
	struct side *side = side_of(stream, p->segment.from);
	size_t cost = BLOCK_COST;
	struct ibuf_mbuf *m;

	if (side == NULL)
		return false;
	if (ibuf_mbuf_len(block) > BLOCK_ROOM)
		cost += ibuf_mbuf_len(block);
	m = ibuf_mbuf_slice(block, p->segment.payload, p->segment.captured);
	if (m == NULL)
		return false;
	side_take(side, &s->out, p, seq, m, cost);
	account(s, side);
	if (s->kept > s->out.totals.held_peak)
		s->out.totals.held_peak = s->kept;
	relieve(s);
	return true;
}

static void
take_segment(struct streams *s, const struct packet *p,
	     const struct ibuf_mbuf *block)
{
	struct stream *stream = stream_of(s, p);
	uint32_t seq = p->segment.seq + ((p->segment.tcp_flags & TCP_SYN) != 0);

	if (stream == NULL) {
		s->out.totals.lost++;
		return;
	}
	note_base(stream, p);
	note_begin(stream, p, seq);
	if (p->segment.on_wire > 0 && !take_bytes(s, stream, p, seq, block))
		s->out.totals.lost++;
}

static void
take_datagram(struct streams *s, const struct packet *p,
	      const struct ibuf_mbuf *block)
{
	struct name_flow flow = {&s->out.names, &p->key, p->hash};
	struct ibuf_cursor c;

	/* Both are within the block: the parser read it. */
	ibuf_cursor_init(&c, block);
	(void)ibuf_cursor_seek(&c, p->segment.payload);
	(void)ibuf_cursor_limit(&c, p->segment.captured);
	dns_read(c, &flow);
}

void
streams_take(struct streams *s, const struct ibuf_mbuf *block)
{
	const struct packet *p;

	for (p = block_at(block, 0); p != NULL; p = block_at(block, p->next)) {
		if (!is_wanted(p))
			continue;
		if (p->segment.has_tcp)
			take_segment(s, p, block);
		else
			take_datagram(s, p, block);
	}
}

static int
by_number(const void *a, const void *b)
{
	const struct stream *const *s = a;
	const struct stream *const *t = b;

	return ((*s)->number > (*t)->number) - ((*s)->number < (*t)->number);
}

/* In the order of their numbers, on which the order of names depends. */
void
streams_finish(struct streams *s)
{
	size_t count = s->table.count;
	struct stream **streams = malloc((count + 1) * sizeof(void *));
	size_t i;

	if (streams != NULL) {
		table_list(&s->table, streams);
		qsort(streams, count, sizeof *streams, by_number);
		s->table.count = 0;
	} else {
		s->out.totals.lost += count;
	}
	for (i = 0; streams != NULL && i < count; i++)
		finish_stream(s, streams[i]);
	free(streams);
	free(s->table.buckets);
	s->table = (struct table){0};
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
