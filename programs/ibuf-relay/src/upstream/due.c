/*
 * due.c - the answers that a server upstream still has to give, in order.
 */
#include "due.h"
#include <stdlib.h>

enum { FIRST_ROOM = 16 };

static struct due *
at(const struct due_queue *q, size_t i)
{
	return &q->ring[(q->first + i) & (q->room - 1)];
}

void
due_destroy(struct due_queue *q)
{
	free(q->ring);
	*q = (struct due_queue){0};
}

bool
due_reserve(struct due_queue *q)
{
	size_t room = q->room == 0 ? FIRST_ROOM : 2 * q->room;
	struct due *ring;

	if (q->count < q->room)
		return true;
	ring = calloc(room, sizeof(*ring));
	if (ring == NULL)
		return false;
	for (size_t i = 0; i < q->count; i++)
		ring[i] = *at(q, i);
	free(q->ring);
	q->ring = ring;
	q->first = 0;
	q->room = room;
	return true;
}

void
due_put(struct due_queue *q, struct due due)
{
	*at(q, q->count++) = due;
}

const struct due *
due_first(const struct due_queue *q)
{
	return q->count > 0 ? at(q, 0) : NULL;
}

bool
due_take(struct due_queue *q, struct due *due)
{
	if (q->count == 0)
		return false;
	*due = *at(q, 0);
	q->first = (q->first + 1) & (q->room - 1);
	q->count--;
	return true;
}
