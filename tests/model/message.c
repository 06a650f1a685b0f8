/* message.c - the model of a whole message: segments in a list, flat bytes. */
#include "model.h"

#include <string.h>

struct owner heap;

/* ---- parts --------------------------------------------------------- */

static struct segment *
last_of(struct message *message)
{
	return &message->at[message->segments - 1];
}

const struct segment *
message_last(const struct message *message)
{
	return &message->at[message->segments - 1];
}

size_t
message_find(const struct message *message, size_t *off)
{
	size_t i = 0;

	while (*off >= message->at[i].len && i + 1 < message->segments)
		*off -= message->at[i++].len;
	return i;
}

bool
message_is_unique(const struct message *message)
{
	for (size_t i = 0; i < message->segments; i++)
		if (!segment_owns(&message->at[i]))
			return false;
	return true;
}

/* Take n segments out of the list; they are gone already. */
static void
unlink_segments(struct message *message, size_t first, size_t n)
{
	memmove(&message->at[first], &message->at[first + n],
		(message->segments - first - n) * sizeof(message->at[0]));
	message->segments -= n;
}

/* ---- life ---------------------------------------------------------- */

static void
start(struct message *to, struct ibuf_mbuf *m)
{
	to->m = m;
	to->len = 0;
	to->segments = 0;
}

void
message_open(struct message *to, struct ibuf_mbuf *m, struct owner *owner,
	     struct room *room)
{
	start(to, m);
	segment_put(&to->at[0], owner, room);
	to->segments = 1;
}

void
message_clone(struct message *to, struct ibuf_mbuf *m,
	      const struct message *from)
{
	size_t capacity[SEGMENTS_MAX];

	start(to, m);
	/* The first segment more on a room may change what C is. */
	for (size_t i = 0; i < from->segments; i++)
		capacity[i] = segment_capacity(&from->at[i]);
	for (size_t i = 0; i < from->segments; i++)
		segment_share(&to->at[i], &from->at[i], 0, from->at[i].len,
			      capacity[i]);
	to->segments = from->segments;
	to->len = from->len;
	memcpy(to->bytes, from->bytes, from->len);
}

void
message_slice(struct message *to, struct ibuf_mbuf *m,
	      const struct message *from, size_t off, size_t len)
{
	size_t in = off, left = len;
	size_t i = message_find(from, &in);

	start(to, m);
	do {
		const struct segment *w = &from->at[i++];
		size_t here = w->len - in < left ? w->len - in : left;

		segment_share(&to->at[to->segments++], w, in, here, here);
		left -= here;
		in = 0;
	} while (left != 0);
	to->len = len;
	memcpy(to->bytes, from->bytes + off, len);
}

void
message_copy(struct message *to, struct ibuf_mbuf *m,
	     const struct message *from, size_t off, size_t len)
{
	struct owner *owner = from->at[0].owner;
	size_t in = off, i = message_find(from, &in), upto;
	bool wipe = false;

	for (upto = 0; len != 0 && upto < in + len; upto += from->at[i++].len)
		wipe = wipe || segment_wipes(&from->at[i]);
	if (owner->is_pool && len <= owner->capacity &&
	    (owner->wipe || !wipe) && owner_has_direct(owner))
		message_open(to, m, owner, room_of_direct(owner));
	else
		message_open(to, m, &heap,
			     room_on_heap(0, len, owner->wipe || wipe));
	message_append(to, from->bytes + off, len);
}

void
message_free(struct message *message)
{
	for (size_t i = 0; i < message->segments; i++)
		segment_free(&message->at[i]);
	message->m = NULL;
}

/* ---- ends ---------------------------------------------------------- */

void
message_reserve(struct message *message, size_t n)
{
	segment_grow_tail(last_of(message), n);
}

void
message_append(struct message *message, const uint8_t *bytes, size_t n)
{
	segment_grow_tail(last_of(message), n);
	last_of(message)->len += n;
	memcpy(message->bytes + message->len, bytes, n);
	message->len += n;
}

void
message_prepend(struct message *message, const uint8_t *bytes, size_t n)
{
	struct segment *w = &message->at[0];

	segment_grow_head(w, n);
	w->off -= n;
	w->len += n;
	memmove(message->bytes + n, message->bytes, message->len);
	memcpy(message->bytes, bytes, n);
	message->len += n;
}

void
message_trim_head(struct message *message, size_t n)
{
	struct segment *w = &message->at[0];

	message->len -= n;
	memmove(message->bytes, message->bytes + n, message->len);
	while (n >= w->len && message->segments > 1) {
		n -= w->len;
		segment_take_over(w, &message->at[1]);
		unlink_segments(message, 1, 1);
	}
	segment_trim_head(w, n);
}

void
message_trim_tail(struct message *message, size_t n)
{
	message->len -= n;
	while (n >= last_of(message)->len && message->segments > 1) {
		n -= last_of(message)->len;
		segment_free(last_of(message));
		message->segments--;
	}
	segment_trim_tail(last_of(message), n);
}

void
message_clear(struct message *message)
{
	for (size_t i = 1; i < message->segments; i++)
		segment_free(&message->at[i]);
	message->segments = 1;
	message->len = 0;
	segment_clear(&message->at[0]);
}

/* ---- joined, cut, moved -------------------------------------------- */

/* Must some of the n bytes behind the first segment be overwritten? */
static bool
brings_secrets(const struct message *message, size_t n)
{
	for (size_t i = 1, upto = 0; upto < n; upto += message->at[i++].len)
		if (segment_wipes(&message->at[i]))
			return true;
	return false;
}

void
message_gather(struct message *message, size_t n)
{
	struct segment *w = &message->at[0];
	size_t missing = n - w->len;

	if (n <= w->len)
		return;
	if (brings_secrets(message, missing))
		segment_grow_tail_wiping(w, missing);
	else
		segment_grow_tail(w, missing);
	w->owner->copied += missing;
	w->len = n;
	while (missing != 0) {
		struct segment *next = &message->at[1];

		if (missing < next->len) {
			/* Its front is ours; it gives up no more than HEAD. */
			if (segment_owns(next))
				segment_regain(next);
			else
				next->head = false;
			next->off += missing;
			next->len -= missing;
			return;
		}
		missing -= next->len;
		segment_free(next);
		unlink_segments(message, 1, 1);
	}
}

void
message_concat(struct message *message, struct message *tail)
{
	struct segment *end = last_of(message);
	size_t first = 0;

	/* As a segment its private area cannot be seen; if it becomes a
	   message again, that is as it was left. */
	for (size_t i = 0; i < tail->segments; i++)
		tail->at[i].private_state = PRIVATE_UNKNOWN;
	if (segment_is_adjacent(end, &tail->at[0])) {
		segment_rejoin(end, &tail->at[0]);
		first = 1;
	} else if (tail->len == 0) {
		segment_free(&tail->at[0]);
		first = 1;
	} else if (message->len == 0) {
		segment_take_over(&message->at[0], &tail->at[0]);
		first = 1;
	}
	for (size_t i = first; i < tail->segments; i++)
		message->at[message->segments++] = tail->at[i];
	memcpy(message->bytes + message->len, tail->bytes, tail->len);
	message->len += tail->len;
	tail->m = NULL;
}

void
message_split(struct message *message, size_t at, struct ibuf_mbuf *m,
	      struct message *rest)
{
	size_t i = 0, upto = message->at[0].len;

	start(rest, m);
	/* i becomes the segment with the last byte that stays. */
	while (upto < at)
		upto += message->at[++i].len;
	if (at == 0 || at < upto || i + 1 == message->segments) {
		struct segment *w = &message->at[i];

		segment_split(&rest->at[0], w, w->len - (upto - at));
		rest->segments = 1;
	}
	for (size_t j = i + 1; j < message->segments; j++)
		rest->at[rest->segments++] = message->at[j];
	/* Where it was a segment before, it is a message as new. */
	rest->at[0].private_state = PRIVATE_ZERO;
	message->segments = i + 1;
	rest->len = message->len - at;
	message->len = at;
	memcpy(rest->bytes, message->bytes + at, rest->len);
}

void
message_concat_front(struct message *message, struct message *front)
{
	struct segment *first = &message->at[0], *end = last_of(front);
	struct message all;
	bool behind = false;

	for (size_t i = 0; i < front->segments; i++)
		front->at[i].private_state = PRIVATE_UNKNOWN;
	if (segment_is_adjacent(end, first)) {
		segment_join(end, first);
		segment_take_over(first, &front->at[0]);
	} else if (front->len == 0) {
		segment_free(&front->at[0]);
	} else if (message->len == 0) {
		segment_take_over(first, &front->at[0]);
	} else {
		segment_exchange(first, &front->at[0]);
		behind = true;
	}
	start(&all, message->m);
	all.at[all.segments++] = *first;
	for (size_t i = 1; i < front->segments; i++)
		all.at[all.segments++] = front->at[i];
	if (behind)
		all.at[all.segments++] = front->at[0];
	for (size_t i = 1; i < message->segments; i++)
		all.at[all.segments++] = message->at[i];
	all.len = front->len + message->len;
	memcpy(all.bytes, front->bytes, front->len);
	memcpy(all.bytes + front->len, message->bytes, message->len);
	*message = all;
	front->m = NULL;
}

void
message_split_front(struct message *message, size_t n, struct ibuf_mbuf *m,
		    struct message *front)
{
	size_t off = n, i = message_find(message, &off);
	struct segment *s = &message->at[i], cut;
	bool cuts = off != 0 || i == 0;

	start(front, m);
	if (cuts)
		segment_split_front(&cut, s, off);
	if (i != 0) {
		/* The header of s leads the front, and m goes on with s. */
		s->private_state = PRIVATE_ZERO;
		segment_exchange(&message->at[0], s);
		front->at[front->segments++] = *s;
		for (size_t j = 1; j < i; j++)
			front->at[front->segments++] = message->at[j];
	}
	if (cuts)
		front->at[front->segments++] = cut;
	memmove(&message->at[1], &message->at[i + 1],
		(message->segments - i - 1) * sizeof(message->at[0]));
	message->segments -= i;
	front->len = n;
	memcpy(front->bytes, message->bytes, n);
	message->len -= n;
	memmove(message->bytes, message->bytes + n, message->len);
}

void
message_move(struct message *message, size_t first, size_t last,
	     struct room *(*plan)(const struct segment *w))
{
	struct room *rooms[SEGMENTS_MAX];

	/* Whatever is planned sees the state before the first move. */
	for (size_t i = first; i <= last; i++)
		rooms[i] = plan(&message->at[i]);
	for (size_t i = first; i <= last; i++)
		if (rooms[i] != NULL)
			segment_move(&message->at[i], rooms[i], rooms[i]->h0);
}
