/*
 * output.h - what a client is to be told, in order.
 *
 *	first                                last
 *	| frame | frame | place | frame | answers, still growing |
 *	  ^ sent so far   ^ an answer that is still to come
 *
 * Each is a pointer to a frame; frames of messages are shared by all who get
 * them.  Who cannot take more is not tried again until epoll says so: until
 * then a message costs it a pointer, and nothing that is there is looked at.
 */
#ifndef RELAY_OUTPUT_H
#define RELAY_OUTPUT_H

#include "../fanout/frame.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: nothing. */
struct output {
	struct frame **ring; /* room of them */
	size_t room, first, count;
	const struct ibuf_mbuf *seg; /* of the first frame; NULL: its first */
	size_t seg_sent, sent;       /* of that segment; of that frame */
	size_t bytes;                /* that wait, of all */
	bool is_blocked;             /* the socket takes no more for now */
	bool is_wide;                /* it takes a whole load */
	bool is_little;              /* but of this frame only pieces */
};

/* Put a frame behind the others, with a reference of its own.  false: no
   memory. */
bool output_add(struct output *o, struct frame *frame);

/* Put bytes there, which are copied.  false: no memory. */
bool output_add_bytes(struct output *o, struct ibuf_pool *replies,
		      const void *bytes, size_t n);

/* Put a message there; it is the output's, also without memory. */
bool output_add_message(struct output *o, struct ibuf_mbuf *m);

/* Leave a place for what comes later: the caller has a reference too.
   NULL: no memory. */
struct frame *output_add_place(struct output *o);

/* It has come, or NULL: nothing goes there.  The reference is gone. */
void output_fill(struct output *o, struct frame *place, struct ibuf_mbuf *m);

/* Send what the socket takes: bytes, or -errno. */
ssize_t output_write(struct output *o, int fd);

/* Is there something that could be sent? */
static inline bool
output_has_work(const struct output *o)
{
	return o->count > 0 && o->ring[o->first]->m != NULL;
}

/* Bytes of memory that wait, those that are shared too, and what it takes to
   hold them. */
static inline size_t
output_cost(const struct output *o)
{
	enum { EACH_BYTES = 128 };

	return o->bytes + o->count * EACH_BYTES;
}

void output_destroy(struct output *o);

#endif
