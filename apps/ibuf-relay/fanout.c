/*
 * fanout.c - one message to all its subscribers.
 */
#include "fanout.h"
#include "congestion.h"
#include "glob.h"
#include "worker.h"
#include <stdlib.h>

/* Clones made at a time: one addition to each count for so many. */
enum { BATCH = 64 };

static const char *const words[KINDS] = {"message", "pmessage", "smessage"};

/* "*3\r\n$7\r\nmessage\r\n", or with a pattern behind that. */
static struct ibuf_mbuf *
make_before(struct worker *w, enum kind kind, unsigned resp,
	    const struct topic *topic)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(w->relay->replies);
	char first = resp == 3 ? '>' : '*';
	const char *word = words[kind];

	if (m == NULL)
		return NULL;
	if (ibuf_mbuf_printf(m, "%c%d\r\n$%d\r\n%s\r\n", first,
			     topic != NULL ? 4 : 3,
			     kind == KIND_CHANNEL ? 7 : 8, word) != 0)
		goto fail;
	if (topic != NULL &&
	    (ibuf_mbuf_printf(m, "$%zu\r\n", topic->len) != 0 ||
	     ibuf_mbuf_append(m, topic->name, topic->len) != 0 ||
	     ibuf_mbuf_append(m, "\r\n", 2) != 0))
		goto fail;
	return m;
fail:
	ibuf_mbuf_free(m);
	return NULL;
}

bool
fanout_init(struct worker *w)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ibuf_mbuf **of_channel = &w->before[KIND_CHANNEL][i];
		struct ibuf_mbuf **of_shard = &w->before[KIND_SHARD][i];

		*of_channel = make_before(w, KIND_CHANNEL, 2 + i, NULL);
		*of_shard = make_before(w, KIND_SHARD, 2 + i, NULL);
		if (*of_channel == NULL || *of_shard == NULL)
			return false;
	}
	return true;
}

void
fanout_destroy(struct worker *w)
{
	for (unsigned i = 0; i < 2; i++) {
		ibuf_mbuf_free(w->before[KIND_CHANNEL][i]);
		ibuf_mbuf_free(w->before[KIND_SHARD][i]);
	}
}

/* What goes before the messages of a topic. */
static const struct ibuf_mbuf *
before(struct worker *w, struct topic *topic, unsigned resp)
{
	if (topic->kind != KIND_PATTERN)
		return w->before[topic->kind][resp - 2];
	if (topic->before[resp - 2] == NULL)
		topic->before[resp - 2] =
			make_before(w, KIND_PATTERN, resp, topic);
	return topic->before[resp - 2];
}

static void
give(struct worker *w, struct client **to, size_t n,
     const struct ibuf_mbuf *frame)
{
	struct ibuf_mbuf *clones[BATCH];

	if (n == 0)
		return;
	if (ibuf_mbuf_clone_bulk(frame, clones, n) != 0) {
		count(&w->counters.dropped, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		client_push(to[i], clones[i]);
}

/* To the members of a topic that speak this version. */
static void
deliver_as(struct worker *w, struct topic *topic, unsigned resp,
	   const struct ibuf_mbuf *body)
{
	const struct ibuf_mbuf *head = NULL;
	struct ibuf_mbuf *frame = NULL, *tail;
	struct client *to[BATCH];
	size_t n = 0;

	for (size_t i = 0; i < topic->count; i++) {
		struct client *c = topic->members[i]->client;

		if (c->resp != resp || c->is_doomed)
			continue;
		if (frame == NULL) {
			head = before(w, topic, resp);
			frame = head != NULL ? ibuf_mbuf_clone(head) : NULL;
			tail = ibuf_mbuf_clone(body);
			if (frame == NULL || tail == NULL ||
			    ibuf_mbuf_concat(frame, tail) != 0) {
				ibuf_mbuf_free(tail);
				ibuf_mbuf_free(frame);
				count(&w->counters.dropped, topic->count);
				return;
			}
		}
		to[n++] = c;
		if (n == BATCH) {
			give(w, to, n, frame);
			n = 0;
		}
	}
	give(w, to, n, frame);
	ibuf_mbuf_free(frame);
}

static void
deliver(struct worker *w, enum kind kind, const char *name, size_t len,
	const struct ibuf_mbuf *body)
{
	struct topic *topic = topic_find(&w->topics, kind, name, len);

	if (topic != NULL) {
		deliver_as(w, topic, 2, body);
		deliver_as(w, topic, 3, body);
	}
	if (kind != KIND_CHANNEL)
		return;
	topic = w->topics.by_name[KIND_PATTERN];
	for (; topic != NULL; topic = topic->hh.next) {
		if (!glob_matches(topic->name, topic->len, name, len))
			continue;
		deliver_as(w, topic, 2, body);
		deliver_as(w, topic, 3, body);
	}
}

size_t
fanout_publish(struct worker *w, enum kind kind, const char *name, size_t len,
	       const struct ibuf_mbuf *body)
{
	struct relay *r = w->relay;
	uint64_t workers;
	size_t n = directory_receivers(r->directory, kind, name, len, &workers);

	count(&w->counters.published, 1);
	for (unsigned i = 0; i < r->options.threads; i++) {
		struct post *post;

		if (i == w->index || (workers >> i & 1) == 0)
			continue;
		post = post_new(POST_PUBLISH);
		if (post != NULL)
			post->body = ibuf_mbuf_clone(body);
		if (post == NULL || post->body == NULL) {
			free(post);
			count(&w->counters.dropped, 1);
			continue;
		}
		post->kind = kind;
		congestion_posted(r->workers[i], post);
		post_send(&r->workers[i]->queue, post);
	}
	if (workers >> w->index & 1)
		deliver(w, kind, name, len, body);
	return n;
}

void
fanout_deliver(struct worker *w, enum kind kind, const struct ibuf_mbuf *body)
{
	size_t len = 0, at = 1, run;
	const uint8_t *name;
	uint8_t byte;
	char *copy = NULL;

	/* "$4\r\nnews\r\n...", made by ourselves. */
	while (ibuf_mbuf_copy_out(body, at, &byte, 1) == 0 && byte != '\r') {
		len = len * 10 + (size_t)(byte - '0');
		at++;
	}
	at += 2;
	name = ibuf_mbuf_at(body, at, &run);
	if (run < len) {
		copy = malloc(len);
		if (copy == NULL) {
			count(&w->counters.dropped, 1);
			return;
		}
		ibuf_mbuf_copy_out(body, at, copy, len);
		name = (const uint8_t *)copy;
	}
	deliver(w, kind, (const char *)name, len, body);
	free(copy);
}
