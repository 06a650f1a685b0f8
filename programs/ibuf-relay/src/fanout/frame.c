/*
 * frame.c - bytes that wait for clients.
 */
#include "frame.h"
#include "../base/memory.h"
#include "../base/room.h"
#include "pipes.h"
#include "topic.h"
#include <stdlib.h>
#include <string.h>

/*
 * The headers that sharing takes cost more than to copy so many bytes once;
 * and what is shared keeps the whole room that it was read into.
 */
enum { COPIED_BYTES = 4096 };

/* What malloc takes for a frame. */
enum { FRAME_COST_BYTES = sizeof(struct frame) + 8 };

struct frame *
frame_new(struct ibuf_mbuf *m, unsigned messages)
{
	struct frame *frame = malloc(sizeof(*frame));

	if (frame == NULL) {
		ibuf_mbuf_free(m);
		return NULL;
	}
	memory_count(MEMORY_QUEUES, FRAME_COST_BYTES);
	*frame = (struct frame){
		.m = m,
		.len = m != NULL ? ibuf_mbuf_len(m) : 0,
		.refs = 1,
		.messages = messages,
	};
	return frame;
}

void
frame_put(struct frame *frame)
{
	if (--frame->refs > 0)
		return;
	if (frame->load != NULL)
		pipes_unload(frame->load);
	ibuf_mbuf_free(frame->m);
	free(frame);
	memory_count(MEMORY_QUEUES, -(ptrdiff_t)FRAME_COST_BYTES);
}

static const char *const words[KINDS] = {"message", "pmessage", "smessage"};

/* "*3\r\n$7\r\nmessage\r\n", or with a pattern behind that. */
static struct ibuf_mbuf *
make_head(struct frames *f, enum kind kind, unsigned resp,
	  const struct topic *topic)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(f->replies);
	char first = resp == 3 ? '>' : '*';

	if (m == NULL)
		return NULL;
	if (ibuf_mbuf_printf(m, "%c%d\r\n$%d\r\n%s\r\n", first,
			     topic != NULL ? 4 : 3,
			     kind == KIND_CHANNEL ? 7 : 8, words[kind]) != 0)
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
frames_init(struct frames *f)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ibuf_mbuf **of_channel = &f->heads[KIND_CHANNEL][i];
		struct ibuf_mbuf **of_shard = &f->heads[KIND_SHARD][i];

		*of_channel = make_head(f, KIND_CHANNEL, 2 + i, NULL);
		*of_shard = make_head(f, KIND_SHARD, 2 + i, NULL);
		if (*of_channel == NULL || *of_shard == NULL)
			return false;
	}
	return true;
}

void
frames_flush(struct frames *f)
{
	ibuf_mbuf_free(f->joined);
	f->joined = NULL;
}

void
frames_destroy(struct frames *f)
{
	frames_flush(f);
	for (unsigned i = 0; i < 2; i++) {
		ibuf_mbuf_free(f->heads[KIND_CHANNEL][i]);
		ibuf_mbuf_free(f->heads[KIND_SHARD][i]);
	}
}

const struct ibuf_mbuf *
frames_head(struct frames *f, struct topic *topic, unsigned resp)
{
	struct ibuf_mbuf **head = &topic->heads[resp - 2];

	if (topic->kind != KIND_PATTERN)
		return f->heads[topic->kind][resp - 2];
	if (*head == NULL)
		*head = make_head(f, KIND_PATTERN, resp, topic);
	return *head;
}

/* What is to be put together. */
struct parts {
	const struct ibuf_mbuf *const *heads;
	size_t heads_count;
	size_t heads_bytes; /* of all of them */
	size_t times;       /* that each body is in it */
};

static size_t
bytes_of(const struct parts *p, const struct body *body)
{
	return p->heads_bytes + p->times * body->len;
}

/*
 * How many of the first bodies are small, and fit together into the room that
 * is there, or else into another.
 */
static size_t
count_small(const struct frames *f, const struct parts *p,
	    const struct body *bodies, size_t n, size_t *bytes)
{
	size_t i, room = ROOM_BYTES;

	*bytes = 0;
	if (f->joined != NULL &&
	    ibuf_mbuf_tailroom(f->joined) >= bytes_of(p, &bodies[0]))
		room = ibuf_mbuf_tailroom(f->joined);
	for (i = 0; i < n; i++) {
		size_t more = bytes_of(p, &bodies[i]);

		if (bodies[i].len > COPIED_BYTES || *bytes + more > room)
			break;
		*bytes += more;
	}
	return i;
}

static uint8_t *
put(uint8_t *to, const void *bytes, size_t n)
{
	memcpy(to, bytes, n);
	return to + n;
}

static uint8_t *
put_body(uint8_t *to, const struct body *body)
{
	if (body->bytes != NULL)
		return put(to, body->bytes, body->len);
	ibuf_mbuf_copy_out(body->m, 0, to, body->len);
	return to + body->len;
}

/* f->joined has so much room then. */
static bool
make_room(struct frames *f, size_t bytes)
{
	if (f->joined != NULL && ibuf_mbuf_tailroom(f->joined) < bytes)
		frames_flush(f);
	if (f->joined == NULL)
		f->joined = ibuf_pool_alloc(f->rooms);
	return f->joined != NULL;
}

static struct ibuf_mbuf *
copy(struct frames *f, const struct parts *p, const struct body *bodies,
     size_t n, size_t bytes)
{
	struct ibuf_mbuf *m;
	uint8_t *to;

	if (!make_room(f, bytes))
		return NULL;
	m = f->joined;
	f->joined = NULL;
	to = ibuf_mbuf_extend_tail(m, bytes);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < p->heads_count; j++) {
			to = put(to, ibuf_mbuf_data(p->heads[j]),
				 ibuf_mbuf_len(p->heads[j]));
			to = put_body(to, &bodies[i]);
		}
		if (p->heads_count == 0)
			to = put_body(to, &bodies[i]);
	}
	/* Without memory for another header this one keeps the rest. */
	f->joined = ibuf_mbuf_split(m, bytes);
	return m;
}

/* Put a clone behind the others.  false: no memory. */
static bool
link_clone(struct ibuf_mbuf **chain, const struct ibuf_mbuf *m)
{
	struct ibuf_mbuf *clone = ibuf_mbuf_clone(m);

	if (clone == NULL)
		return false;
	if (*chain == NULL)
		*chain = clone;
	else if (ibuf_mbuf_concat(*chain, clone) != 0) {
		ibuf_mbuf_free(clone);
		return false;
	}
	return true;
}

static struct ibuf_mbuf *
share(const struct parts *p, const struct body *body)
{
	struct ibuf_mbuf *own = NULL, *chain = NULL;
	const struct ibuf_mbuf *m = body->m;
	bool is_good = true;

	if (m == NULL)
		m = own = ibuf_mbuf_from(body->bytes, body->len);
	is_good = m != NULL;
	for (size_t j = 0; j < p->heads_count && is_good; j++)
		is_good = link_clone(&chain, p->heads[j]) &&
			  link_clone(&chain, m);
	if (p->heads_count == 0 && is_good)
		is_good = link_clone(&chain, m);
	ibuf_mbuf_free(own);
	if (is_good)
		return chain;
	ibuf_mbuf_free(chain);
	return NULL;
}

struct ibuf_mbuf *
frames_join(struct frames *f, const struct ibuf_mbuf *const *heads,
	    size_t heads_count, const struct body *bodies, size_t n)
{
	struct parts p = {
		.heads = heads,
		.heads_count = heads_count,
		.times = heads_count > 0 ? heads_count : 1,
	};
	struct ibuf_mbuf *chain = NULL;

	for (size_t j = 0; j < heads_count; j++)
		p.heads_bytes += ibuf_mbuf_len(heads[j]);
	while (n > 0) {
		struct ibuf_mbuf *piece;
		size_t bytes, small = count_small(f, &p, bodies, n, &bytes);

		if (small > 0)
			piece = copy(f, &p, bodies, small, bytes);
		else
			piece = share(&p, bodies);
		if (piece == NULL ||
		    (chain != NULL && ibuf_mbuf_concat(chain, piece) != 0)) {
			ibuf_mbuf_free(piece);
			ibuf_mbuf_free(chain);
			return NULL;
		}
		if (chain == NULL)
			chain = piece;
		bodies += small > 0 ? small : 1;
		n -= small > 0 ? small : 1;
	}
	return chain;
}
