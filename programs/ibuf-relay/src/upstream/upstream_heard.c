/*
 * upstream_heard.c - what a server upstream says.
 *
 * A push is a message, or the confirmation of a subscription; those come in
 * the order of the commands as the other answers do, so each must fit the
 * first due.  Only a cluster ends a subscription by itself, when a slot goes.
 *
 * A channel and a pattern that match the same message are told apart by the
 * server, which sends it once for each; so each goes to the members of that
 * one topic, and nobody gets it twice.
 */
#include "../server/worker.h"
#include "forward.h"
#include "upstream.h"
#include <stdlib.h>
#include <string.h>

/* The bytes of an item in one piece, until the next call.  NULL: no memory,
   and the link is lost. */
static const char *
text_of(struct upstream *u, struct link *l, const struct answer_item *item)
{
	size_t run;
	const uint8_t *at = ibuf_mbuf_at(l->in, item->at, &run);

	if (run >= item->len)
		return (const char *)at;
	if (u->scratch_size < item->len) {
		char *more = realloc(u->scratch, item->len);

		if (more == NULL) {
			link_lose(l, "out of memory");
			return NULL;
		}
		u->scratch = more;
		u->scratch_size = item->len;
	}
	ibuf_mbuf_copy_out(l->in, item->at, u->scratch, item->len);
	return u->scratch;
}

static struct ibuf_mbuf *
slice(const struct link *l, const struct answer_item *first,
      const struct answer_item *last)
{
	return ibuf_mbuf_slice(l->in, first->bulk,
			       last->at + last->len + 2 - first->bulk);
}

static void
post_to(struct upstream *u, struct worker *w, enum kind kind,
	const struct ibuf_mbuf *topic, const struct ibuf_mbuf *body)
{
	struct post *post = post_new(POST_RELAY);

	if (post == NULL) {
		upstream_failed(u, "out of memory: a message is dropped");
		return;
	}
	post->kind = kind;
	post->body = ibuf_mbuf_clone(body);
	post->topic = ibuf_mbuf_clone(topic);
	if (post->body == NULL || post->topic == NULL) {
		post_free(post);
		upstream_failed(u, "out of memory: a message is dropped");
		return;
	}
	upstream_send(u, w, post);
}

/* items[1] is the topic; channel and payload are the last two. */
static void
deliver(struct upstream *u, struct link *l, enum kind kind)
{
	const struct answer_parser *p = &l->parser;
	const struct answer_item *topic = &p->items[2];
	const char *name = text_of(u, l, topic);
	struct ibuf_mbuf *body, *head;
	struct want *want;
	uint64_t workers;

	if (name == NULL)
		return;
	HASH_FIND(hh, u->wants[kind], name, topic->len, want);
	if (want == NULL || want->link != l)
		return;
	count(&u->counts.messages, 1);
	workers =
		directory_workers(u->relay->directory, kind, name, topic->len);
	head = slice(l, topic, topic);
	body = slice(l, &p->items[p->count - 2], &p->items[p->count - 1]);
	if (head == NULL || body == NULL)
		link_lose(l, "out of memory");
	else
		for (unsigned i = 0; i < u->relay->options.threads; i++)
			if (workers >> i & 1)
				post_to(u, u->relay->workers[i], kind, head,
					body);
	ibuf_mbuf_free(head);
	ibuf_mbuf_free(body);
}

/* Does it answer the first due? */
static bool
is_due(struct upstream *u, struct link *l, enum due_what what, enum kind kind)
{
	const struct answer_item *item = &l->parser.items[2];
	const struct due *due = l->dues;
	const char *name;

	if (due == NULL || due->what != what || due->want->kind != kind ||
	    due->want->len != item->len)
		return false;
	name = text_of(u, l, item);
	return name != NULL && memcmp(name, due->want->name, item->len) == 0;
}

static void
confirm(struct upstream *u, struct link *l, enum due_what what, enum kind kind)
{
	const struct answer_item *item = &l->parser.items[2];
	struct due due;
	const char *name;

	if (is_due(u, l, what, kind)) {
		link_take_due(l, &due);
		want_answered(u, &due, true);
		return;
	}
	name = text_of(u, l, item);
	if (what != DUE_LEAVE || kind != KIND_SHARD || name == NULL) {
		link_lose(l, "it confirms what nobody asked for");
		return;
	}
	want_ended(u, l, name, item->len);
	slots_doubt(u);
}

static bool
are_strings(const struct answer_parser *p, size_t from)
{
	for (size_t i = from; i < p->count; i++)
		if (p->items[i].type != '$')
			return false;
	return true;
}

static void
heard_push(struct upstream *u, struct link *l)
{
	static const struct {
		const char *word;
		enum kind kind;
		enum due_what what; /* DUE_PUBLISH: a message */
		size_t items;
	} pushes[] = {
		{"message", KIND_CHANNEL, DUE_PUBLISH, 4},
		{"pmessage", KIND_PATTERN, DUE_PUBLISH, 5},
		{"smessage", KIND_SHARD, DUE_PUBLISH, 4},
		{"subscribe", KIND_CHANNEL, DUE_JOIN, 4},
		{"psubscribe", KIND_PATTERN, DUE_JOIN, 4},
		{"ssubscribe", KIND_SHARD, DUE_JOIN, 4},
		{"unsubscribe", KIND_CHANNEL, DUE_LEAVE, 4},
		{"punsubscribe", KIND_PATTERN, DUE_LEAVE, 4},
		{"sunsubscribe", KIND_SHARD, DUE_LEAVE, 4},
	};
	const struct answer_parser *p = &l->parser;

	for (size_t i = 0; i < sizeof(pushes) / sizeof(pushes[0]); i++) {
		if (p->count != pushes[i].items || !are_strings(p, p->count) ||
		    !answer_is(&p->items[1], l->in, pushes[i].word))
			continue;
		if (pushes[i].what != DUE_PUBLISH && p->items[2].type == '$')
			confirm(u, l, pushes[i].what, pushes[i].kind);
		else if (are_strings(p, 2))
			deliver(u, l, pushes[i].kind);
		else
			break;
		return;
	}
	link_lose(l, "a push that is not known");
}

/* A text of the map that HELLO answers; "" when it is not there. */
static void
read_field(const struct link *l, const char *key, char *to, size_t size)
{
	const struct answer_parser *p = &l->parser;

	*to = '\0';
	for (size_t i = 1; i + 1 < p->count;) {
		bool is_it = answer_is(&p->items[i], l->in, key);

		i++;
		if (is_it && p->items[i].type == '$')
			answer_text(&p->items[i], l->in, to, size);
		i = answer_skip(p, i);
	}
}

static void
come_up(struct upstream *u, struct link *l, const char *mode)
{
	link_greeted(l);
	l->is_looped = false;
	count(&u->counts.connects, 1);
	if (l == u->main) {
		u->slots.mode = strcmp(mode, "cluster") == 0 ? MODE_CLUSTER
							     : MODE_STANDALONE;
		u->slots.is_known = false;
		u->slots.ask_ns =
			u->slots.mode == MODE_CLUSTER ? u->now_ns : UINT64_MAX;
	}
	upstream_moved(u);
}

/* In a list of several servers a replica is not the one to publish to. */
static void
heard_hello(struct upstream *u, struct link *l)
{
	char mode[16], role[16];

	if (l->parser.items[0].type == '-') {
		char error[128];

		answer_text(&l->parser.items[0], l->in, error, sizeof(error));
		link_lose(l, "%s", error);
		/* Nobody needs to wait for that to change. */
		l->is_looped = strncmp(error, "LOOP", 4) == 0;
		return;
	}
	read_field(l, "mode", mode, sizeof(mode));
	read_field(l, "role", role, sizeof(role));
	if (l->parser.items[0].type != '%' || mode[0] == '\0')
		link_lose(l, "it is no Redis 6 or later");
	else if (strcmp(mode, "sentinel") == 0)
		link_lose(l, "it is a sentinel");
	else if (strcmp(mode, "standalone") == 0 &&
		 strcmp(role, "master") != 0 &&
		 u->relay->options.upstream.count > 1)
		link_lose(l, "it is a replica");
	else if (l->state != LINK_READY)
		come_up(u, l, mode);
}

/* A subscription is refused; "MOVED" says where it would not be. */
static void
heard_refusal(struct upstream *u, struct link *l, const struct due *due)
{
	char error[URL_HOST_BYTES + 64];

	answer_text(&l->parser.items[0], l->in, error, sizeof(error));
	if (due->want->kind != KIND_SHARD || !slots_moved(u, l, error)) {
		count(&u->counts.errors, 1);
		upstream_failed(u, error);
		slots_doubt(u);
	}
	want_answered(u, due, false);
	if (l->parser.items[0].type != '-')
		link_lose(l, "a subscription is answered by no push");
}

void
upstream_heard(struct upstream *u, struct link *l)
{
	struct due due;

	if (l->parser.items[0].type == '>') {
		heard_push(u, l);
		return;
	}
	if (!link_take_due(l, &due)) {
		link_lose(l, "it answers what nobody asked");
		return;
	}
	switch (due.what) {
	case DUE_HELLO:
		heard_hello(u, l);
		break;
	case DUE_SLOTS:
		slots_heard(u, l);
		break;
	case DUE_JOIN:
	case DUE_LEAVE:
		heard_refusal(u, l, &due);
		break;
	case DUE_PUBLISH:
		forward_heard(u, l, due.post);
		break;
	}
}
