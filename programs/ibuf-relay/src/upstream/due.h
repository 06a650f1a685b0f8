/*
 * due.h - the answers that a server upstream still has to give, in order.
 *
 * They stand in a ring, which doubles when it is full.  All functions are for
 * the upstream's thread.
 */
#ifndef RELAY_DUE_H
#define RELAY_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct post;
struct want;

enum due_what {
	DUE_HELLO,  /* the first; then again and again, as a sign of life */
	DUE_SLOTS,  /* CLUSTER SLOTS */
	DUE_JOIN,   /* want: SUBSCRIBE or one like it */
	DUE_LEAVE,  /* want: UNSUBSCRIBE or one like it */
	DUE_PUBLISH /* post */
};

struct due {
	enum due_what what;
	uint64_t end; /* of its command, in the stream */
	struct want *want;
	struct post *post;
};

/* All zero: none is due. */
struct due_queue {
	struct due *ring; /* of `room`, a power of two */
	size_t first, count, room;
};

/* What is due must have been taken. */
void due_destroy(struct due_queue *q);

/* See to it that one more can be put in.  false: no memory. */
bool due_reserve(struct due_queue *q);

/* Put one, for which there is room, behind the others. */
void due_put(struct due_queue *q, struct due due);

/* The first.  NULL: none is due. */
const struct due *due_first(const struct due_queue *q);

/* Take the first.  false: none is due. */
bool due_take(struct due_queue *q, struct due *due);

#endif
