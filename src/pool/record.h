/*
 * record.h - the book of IBUF_DEBUG: which headers and rooms are out or lie in
 * a quarantine, who allocated them, and who freed them.
 *
 * A record is kept from when a header goes out until it comes back to its
 * owner, so a pool has records only as long as it is there.  All of it is
 * under one lock, in which nothing else is locked.
 */
#ifndef IBUF_SRC_POOL_RECORD_H
#define IBUF_SRC_POOL_RECORD_H

#include "../platform/stack.h"
#include "state.h"

/* Calls that led to an allocation or to a free; never freed, each different
   from the others. */
struct ibuf_site {
	struct ibuf_site *next;
	struct ibuf_stack stack;
	size_t messages, bytes; /* of the report that is made; else 0 */
};

/* A kind beside those of headers: a room of the heap. */
#define RECORD_ROOM 2

struct ibuf_record {
	struct ibuf_record *next; /* of its list, or of those that are spare */
	void *of;                 /* a header, or a room of the heap */
	struct ibuf_pool *pool;   /* NULL: it is a room */
	struct ibuf_site *site;   /* NULL: there was no memory for it */
	struct ibuf_site *freed;  /* the same, or it is not freed */
	size_t bytes;             /* 0: the header says how many */
	unsigned kind;
	bool told;
	/* In a quarantine: */
	bool held;
	struct ibuf_record *later;
	struct ibuf_fresh_ left; /* its first 16 bytes */
};

/* Begin; false: no memory, and nothing is recorded. */
bool ibuf_record_prepare_(void);

/* Somebody allocated it, by a call that returns to caller; false: there is no
   memory for a record. */
bool ibuf_record_put_(void *of, struct ibuf_pool *p, unsigned kind,
		      size_t bytes, void *caller);

/* It comes back. */
void ibuf_record_remove_(const void *of);

/* It comes back by a call that returns to caller, and its record stays; NULL:
   it has none. */
struct ibuf_record *ibuf_record_freed_(const void *of, void *caller);

void ibuf_record_lock_(void);
void ibuf_record_unlock_(void);

/* ---- all of these need the lock ------------------------------------------ */

/* NULL: there is none. */
struct ibuf_record *ibuf_record_find_(const void *of);

/* Take a record out of the book. */
void ibuf_record_unlist_(const struct ibuf_record *record);

/* One that is out of the book can be used again. */
void ibuf_record_spare_(struct ibuf_record *record);

/* All records, by and by: the first after NULL, with *list 0; NULL: no more. */
struct ibuf_record *ibuf_record_next_(const struct ibuf_record *record,
				      size_t *list);

/* How often this process came from a fork since it is debugged. */
unsigned ibuf_record_forks_(void);

#endif
