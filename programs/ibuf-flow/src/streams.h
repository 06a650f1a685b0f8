/*
 * streams.h - the TCP streams of all flows, and the names in them.
 *
 *	packet -> stream -> reassembly -> names, file
 *
 * Streams are numbered as they begin, as tshark numbers them: every pair of
 * ends is one, and a SYN with another sequence number begins a new one between
 * the same ends.
 *
 * What is kept to wait for missing bytes, or for the rest of a name, is
 * bounded.  Beyond the limit, the stream that was idle for longest gives up
 * what it keeps.  What is given up depends on the packets alone.
 *
 * All of this belongs to one thread.
 */
#ifndef FLOW_STREAMS_H
#define FLOW_STREAMS_H

#include "extract.h"
#include "names.h"
#include "packet.h"
#include "streams_totals.h"
#include <ibuf/ibuf.h>

struct streams_options {
	uint64_t max_gap;        /* how far to go on without missing bytes */
	uint64_t max_memory;     /* bytes */
	struct extract *extract; /* NULL: write no files */
};

struct streams;

/* NULL: no memory. */
struct streams *streams_new(const struct streams_options *options);

/*
 * Take the packets of a block, which is parsed.  Blocks come in the order of
 * the files.
 */
void streams_take(struct streams *s, const struct ibuf_mbuf *block);

/* No more packets: give what is left, and hold none. */
void streams_finish(struct streams *s);

const struct streams_totals *streams_totals(const struct streams *s);
const struct name_store *streams_names(const struct streams *s);

void streams_free(struct streams *s);

#endif
