/*
 * frame.c - what a subscriber is sent.
 */
#include "frame.h"
#include "topic.h"

static const char *const words[KINDS] = {"message", "pmessage", "smessage"};

/* "*3\r\n$7\r\nmessage\r\n", or with a pattern behind that. */
static struct ibuf_mbuf *
make_before(struct frames *f, enum kind kind, unsigned resp,
	    const struct topic *topic)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(f->replies);
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
frame_init(struct frames *f)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ibuf_mbuf **of_channel = &f->before[KIND_CHANNEL][i];
		struct ibuf_mbuf **of_shard = &f->before[KIND_SHARD][i];

		*of_channel = make_before(f, KIND_CHANNEL, 2 + i, NULL);
		*of_shard = make_before(f, KIND_SHARD, 2 + i, NULL);
		if (*of_channel == NULL || *of_shard == NULL)
			return false;
	}
	return true;
}

void
frame_flush(struct frames *f)
{
	ibuf_mbuf_free(f->joined);
	f->joined = NULL;
}

void
frame_destroy(struct frames *f)
{
	frame_flush(f);
	for (unsigned i = 0; i < 2; i++) {
		ibuf_mbuf_free(f->before[KIND_CHANNEL][i]);
		ibuf_mbuf_free(f->before[KIND_SHARD][i]);
	}
}

/* What goes before the messages of a topic. */
static const struct ibuf_mbuf *
before(struct frames *f, struct topic *topic, unsigned resp)
{
	if (topic->kind != KIND_PATTERN)
		return f->before[topic->kind][resp - 2];
	if (topic->before[resp - 2] == NULL)
		topic->before[resp - 2] =
			make_before(f, KIND_PATTERN, resp, topic);
	return topic->before[resp - 2];
}

struct ibuf_mbuf *
frame_share(struct frames *f, struct topic *topic, unsigned resp,
	    const struct ibuf_mbuf *body)
{
	const struct ibuf_mbuf *head = before(f, topic, resp);
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

/* f->joined has so much room then. */
static bool
make_room(struct frames *f, size_t bytes)
{
	if (f->joined != NULL && ibuf_mbuf_tailroom(f->joined) < bytes)
		frame_flush(f);
	if (f->joined == NULL)
		f->joined = ibuf_pool_alloc(f->rooms);
	return f->joined != NULL;
}

struct ibuf_mbuf *
frame_join(struct frames *f, struct topic *topic, unsigned resp,
	   struct ibuf_mbuf *const *bodies, size_t n)
{
	const struct ibuf_mbuf *head = before(f, topic, resp);
	struct ibuf_mbuf *frame;
	size_t bytes;

	if (head == NULL)
		return NULL;
	bytes = n * ibuf_mbuf_len(head);
	for (size_t i = 0; i < n; i++)
		bytes += ibuf_mbuf_len(bodies[i]);
	if (!make_room(f, bytes))
		return NULL;
	frame = f->joined;
	f->joined = NULL;
	for (size_t i = 0; i < n; i++) {
		if (copy_behind(frame, head) != 0 ||
		    copy_behind(frame, bodies[i]) != 0) {
			ibuf_mbuf_free(frame);
			return NULL;
		}
	}
	/* Without memory for another window the frame keeps the rest. */
	f->joined = ibuf_mbuf_split(frame, bytes);
	return frame;
}
