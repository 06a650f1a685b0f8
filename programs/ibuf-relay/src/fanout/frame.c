/*
 * frame.c - what a subscriber is sent.
 */
#include "frame.h"
#include "../server/worker.h"

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
frame_init(struct worker *w)
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
frame_destroy(struct worker *w)
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

struct ibuf_mbuf *
frame_share(struct worker *w, struct topic *topic, unsigned resp,
	    const struct ibuf_mbuf *body)
{
	const struct ibuf_mbuf *head = before(w, topic, resp);
	struct ibuf_mbuf *frame, *tail;

	if (head == NULL)
		return NULL;
	frame = ibuf_mbuf_clone(head);
	tail = ibuf_mbuf_clone(body);
	if (frame != NULL && tail != NULL && ibuf_mbuf_concat(frame, tail) == 0)
		return frame;
	ibuf_mbuf_free(tail);
	ibuf_mbuf_free(frame);
	return NULL;
}

/* Copy a message behind another, which has the room. */
static int
copy_behind(struct ibuf_mbuf *m, const struct ibuf_mbuf *from)
{
	int error = 0;

	for (; from != NULL && error == 0; from = ibuf_mbuf_seg_next(from))
		error = ibuf_mbuf_append(m, ibuf_mbuf_seg_data(from),
					 ibuf_mbuf_seg_len(from));
	return error;
}

/* See to it that w->joined has so much room. */
static bool
make_room(struct worker *w, size_t bytes)
{
	if (w->joined != NULL && ibuf_mbuf_tailroom(w->joined) < bytes) {
		ibuf_mbuf_free(w->joined);
		w->joined = NULL;
	}
	if (w->joined == NULL)
		w->joined = ibuf_pool_alloc(w->relay->rooms);
	return w->joined != NULL;
}

struct ibuf_mbuf *
frame_join(struct worker *w, struct topic *topic, unsigned resp,
	   struct ibuf_mbuf *const *bodies, size_t n)
{
	const struct ibuf_mbuf *head = before(w, topic, resp);
	struct ibuf_mbuf *frame;
	size_t bytes;

	if (head == NULL)
		return NULL;
	bytes = n * ibuf_mbuf_len(head);
	for (size_t i = 0; i < n; i++)
		bytes += ibuf_mbuf_len(bodies[i]);
	if (!make_room(w, bytes))
		return NULL;
	frame = w->joined;
	w->joined = NULL;
	for (size_t i = 0; i < n; i++) {
		if (copy_behind(frame, head) != 0 ||
		    copy_behind(frame, bodies[i]) != 0) {
			ibuf_mbuf_free(frame);
			return NULL;
		}
	}
	/* Without memory for another window the frame keeps the rest. */
	w->joined = ibuf_mbuf_split(frame, bytes);
	return frame;
}
