/*
 * extract.h - the bytes of TCP streams, written to files.
 *
 *	DIR/stream-000007-10.0.0.1_40000-to-10.0.0.2_80.raw
 *	DIR/stream-000007-10.0.0.2_80-to-10.0.0.1_40000.raw
 *
 * Bytes go out as they are, straight from the packets.  A bounded number of
 * files is open at a time.  A stream that had no bytes has no file, any other
 * has both.
 */
#ifndef FLOW_EXTRACT_H
#define FLOW_EXTRACT_H

#include "flow_key.h"
#include <ibuf/ibuf.h>

struct extract;

/* One direction; all zero is one that has written nothing. */
struct extract_file {
	bool is_open;
	bool is_made;
	int fd;
	struct extract_file *prev; /* of those that are open */
	struct extract_file *next;
};

/* Whose bytes they are: from that end of the key, in that stream. */
struct extract_name {
	const struct flow_key *key;
	unsigned from;
	uint64_t stream;
};

/* Make the folder if need be.  NULL, and what is wrong is said. */
struct extract *extract_open(const char *folder);

/* Write all of m, which is empty then. */
void extract_write(struct extract *e, struct extract_file *file,
		   const struct extract_name *name, struct ibuf_mbuf *m);

/* Nothing more goes into this file; one that is not there is made. */
void extract_finish(struct extract *e, struct extract_file *file,
		    const struct extract_name *name);

/* false: something could not be written; it was said what. */
bool extract_close(struct extract *e);

#endif
