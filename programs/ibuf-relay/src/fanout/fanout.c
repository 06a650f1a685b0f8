/*
 * fanout.c - one message to all its subscribers.
 */
#include "fanout.h"
#include "../base/counters.h"
#include "../base/room.h"
#include "../config/settings.h"
#include "../protocol/glob.h"
#include <stdlib.h>

/* Clones made at a time: one addition to each count for so many. */
enum { BATCH = 64 };

/* The windows that sharing takes cost more than to copy so many bytes once. */
enum { JOIN_BYTES = 4096 };

static void
give(struct fanout *f, struct subscriber **to, size_t n,
     const struct ibuf_mbuf *frame, size_t messages, struct load *load)
{
	struct ibuf_mbuf *clones[BATCH];

	if (n == 0)
		return;
	if (ibuf_mbuf_clone_bulk(frame, clones, n) != 0) {
		count(&f->counters->dropped, n * messages);
		return;
	}
	for (size_t i = 0; i < n; i++)
		f->push(to[i], clones[i], messages, load);
}

/* A frame of so many messages to the members that speak this version. */
static void
give_all(struct fanout *f, struct topic *topic, unsigned resp,
	 const struct ibuf_mbuf *frame, size_t messages)
{
	struct subscriber *to[BATCH];
	struct load *load = pipes_load(&f->pipes, frame, topic->count);
	size_t n = 0;

	for (size_t i = 0; i < topic->count; i++) {
		struct subscriber *s = topic->members[i]->subscriber;

		if (s->resp != resp)
			continue;
		to[n++] = s;
		if (n == BATCH) {
			give(f, to, n, frame, messages, load);
			n = 0;
		}
	}
	give(f, to, n, frame, messages, load);
	if (load != NULL)
		pipes_release(&f->pipes, load);
}

static bool
has_members(const struct topic *topic, unsigned resp)
{
	for (size_t i = 0; i < topic->count; i++)
		if (topic->members[i]->subscriber->resp == resp)
			return true;
	return false;
}

/* What a message may take, with what goes before it. */
static size_t
room_of(const struct ibuf_mbuf *body)
{
	return ibuf_mbuf_len(body) + FRAME_BEFORE_BYTES;
}

/* How many of the first are small, and fit into a room together. */
static size_t
count_small(struct ibuf_mbuf *const *bodies, size_t n)
{
	size_t bytes = 0, i;

	for (i = 0; i < n; i++) {
		size_t room = room_of(bodies[i]);

		if (room > JOIN_BYTES || bytes + room > ROOM_BYTES)
			break;
		bytes += room;
	}
	return i;
}

/* All as one frame: small ones are copied, others shared.  NULL: no memory. */
static struct ibuf_mbuf *
make_frame(struct fanout *f, struct topic *topic, unsigned resp,
	   struct ibuf_mbuf *const *bodies, size_t n)
{
	struct ibuf_mbuf *frame = NULL;
	size_t done = 0;

	while (done < n) {
		size_t small = count_small(bodies + done, n - done);
		struct ibuf_mbuf *piece;

		if (small > 1)
			piece = frame_join(&f->frames, topic, resp,
					   bodies + done, small);
		else
			piece = frame_share(&f->frames, topic, resp,
					    bodies[done]);
		if (piece == NULL ||
		    (frame != NULL && ibuf_mbuf_concat(frame, piece) != 0)) {
			ibuf_mbuf_free(piece);
			ibuf_mbuf_free(frame);
			return NULL;
		}
		if (frame == NULL)
			frame = piece;
		done += small > 1 ? small : 1;
	}
	return frame;
}

/* Messages to the members of a topic that speak this version. */
static void
deliver_as(struct fanout *f, struct topic *topic, unsigned resp,
	   struct ibuf_mbuf *const *bodies, size_t n)
{
	struct ibuf_mbuf *frame;

	if (!has_members(topic, resp))
		return;
	frame = make_frame(f, topic, resp, bodies, n);
	if (frame != NULL) {
		give_all(f, topic, resp, frame, n);
		ibuf_mbuf_free(frame);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		frame = frame_share(&f->frames, topic, resp, bodies[i]);
		if (frame != NULL)
			give_all(f, topic, resp, frame, 1);
		else
			count(&f->counters->dropped, topic->count);
		ibuf_mbuf_free(frame);
	}
}

void
fanout_finish(struct fanout *f)
{
	struct gathered *g = &f->gathered;
	size_t n = g->count;

	if (n == 0)
		return;
	/* What follows may find more to give, but not to gather. */
	g->count = 0;
	deliver_as(f, g->topic, 2, g->bodies, n);
	deliver_as(f, g->topic, 3, g->bodies, n);
	for (size_t i = 0; i < n; i++)
		ibuf_mbuf_free(g->bodies[i]);
	g->bytes = 0;
}

/* As much as a pipe takes, and a quarter of what a subscriber may hold. */
static size_t
gathered_most(const struct fanout *f)
{
	size_t limit = settings_output_limit(f->settings) / 4;

	return limit < PIPES_MOST_BYTES ? limit : PIPES_MOST_BYTES;
}

bool
fanout_may_gather(const struct fanout *f)
{
	const struct gathered *g = &f->gathered;

	return g->count > 0 && g->topic->count >= PIPES_LEAST_SUBSCRIBERS &&
	       g->bytes + g->bytes / g->count <= gathered_most(f);
}

/* false: it is not one to gather, and what was gathered has been given. */
static bool
gather(struct fanout *f, struct topic *topic, const struct ibuf_mbuf *body)
{
	struct gathered *g = &f->gathered;
	size_t bytes = room_of(body), most = gathered_most(f);
	size_t members = bytes <= JOIN_BYTES ? 1 : PIPES_LEAST_SUBSCRIBERS;
	bool pays = bytes <= most && topic->count >= members;
	struct ibuf_mbuf *clone;

	if (!pays || g->topic != topic || g->count == GATHERED_MAX ||
	    g->bytes + bytes > most)
		fanout_finish(f);
	if (!pays)
		return false;
	clone = ibuf_mbuf_clone(body);
	if (clone == NULL) {
		fanout_finish(f);
		return false;
	}
	g->topic = topic;
	g->bodies[g->count++] = clone;
	g->bytes += bytes;
	return true;
}

static void
deliver_now(struct fanout *f, struct topic *topic, struct ibuf_mbuf *body)
{
	deliver_as(f, topic, 2, &body, 1);
	deliver_as(f, topic, 3, &body, 1);
}

/* The first pattern from this one on that matches the name.  NULL: none. */
static struct topic *
match(struct topic *pattern, const char *name, size_t len)
{
	while (pattern != NULL &&
	       !glob_matches(pattern->name, pattern->len, name, len))
		pattern = pattern->hh.next;
	return pattern;
}

void
fanout_deliver(struct fanout *f, enum kind kind, const char *name, size_t len,
	       struct ibuf_mbuf *body)
{
	struct topic *topic = topic_find(&f->topics, kind, name, len);
	struct topic *pattern = f->topics.by_name[KIND_PATTERN];

	pattern = kind == KIND_CHANNEL ? match(pattern, name, len) : NULL;
	/* Messages to channel and pattern take turns, so they go one by one. */
	if (topic != NULL && pattern == NULL && gather(f, topic, body))
		return;
	fanout_finish(f);
	if (topic != NULL)
		deliver_now(f, topic, body);
	for (; pattern != NULL; pattern = match(pattern->hh.next, name, len))
		deliver_now(f, pattern, body);
}

bool
fanout_name(const struct ibuf_mbuf *body, struct fanout_name *name)
{
	size_t at = 1, run;
	uint8_t byte;

	*name = (struct fanout_name){NULL, 0, NULL};
	/* "$4\r\nnews\r\n...", whose form was looked at before. */
	while (ibuf_mbuf_copy_out(body, at, &byte, 1) == 0 && byte != '\r') {
		name->len = name->len * 10 + (size_t)(byte - '0');
		at++;
	}
	at += 2;
	name->bytes = (const char *)ibuf_mbuf_at(body, at, &run);
	if (run >= name->len)
		return true;
	name->copy = malloc(name->len);
	if (name->copy == NULL)
		return false;
	ibuf_mbuf_copy_out(body, at, name->copy, name->len);
	name->bytes = name->copy;
	return true;
}

void
fanout_name_free(struct fanout_name *name)
{
	free(name->copy);
}

void
fanout_deliver_body(struct fanout *f, enum kind kind, struct ibuf_mbuf *body)
{
	struct fanout_name name;

	if (!fanout_name(body, &name)) {
		count(&f->counters->dropped, 1);
		return;
	}
	fanout_deliver(f, kind, name.bytes, name.len, body);
	fanout_name_free(&name);
}

void
fanout_relay(struct fanout *f, enum kind kind,
	     const struct ibuf_mbuf *topic_name, struct ibuf_mbuf *body)
{
	struct fanout_name name;
	struct topic *topic;

	if (!fanout_name(topic_name, &name)) {
		count(&f->counters->dropped, 1);
		return;
	}
	topic = topic_find(&f->topics, kind, name.bytes, name.len);
	fanout_name_free(&name);
	if (topic == NULL || (kind != KIND_PATTERN && gather(f, topic, body)))
		return;
	fanout_finish(f);
	deliver_now(f, topic, body);
}

enum topic_result
fanout_join(struct fanout *f, enum kind kind, const char *name, size_t len,
	    struct subscriber *s)
{
	fanout_finish(f);
	return topic_join(&f->topics, kind, name, len, s);
}

struct membership *
fanout_membership(struct fanout *f, enum kind kind, const char *name,
		  size_t len, const struct subscriber *s)
{
	return topic_membership(&f->topics, kind, name, len, s);
}

void
fanout_leave(struct fanout *f, struct membership *m)
{
	fanout_finish(f);
	topic_leave(&f->topics, m);
}

void
fanout_leave_all(struct fanout *f, enum kind kind, struct subscriber *s)
{
	while (s->mine[kind] != NULL)
		fanout_leave(f, s->mine[kind]);
}

bool
fanout_init(struct fanout *f)
{
	return frame_init(&f->frames);
}

void
fanout_flush(struct fanout *f)
{
	frame_flush(&f->frames);
	pipes_close(&f->pipes);
}

void
fanout_destroy(struct fanout *f)
{
	fanout_flush(f);
	frame_destroy(&f->frames);
}
