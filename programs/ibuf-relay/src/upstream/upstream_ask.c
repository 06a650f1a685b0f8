/*
 * upstream_ask.c - what workers ask of the upstream for their clients.
 */
#include "../server/hold.h"
#include "../server/worker.h"
#include "upstream.h"

/* Leave a place for the answer, and send the post for it. */
static bool
ask(struct client *c, enum post_what what, enum kind kind,
    struct ibuf_mbuf *body)
{
	bool needs_answer = what == POST_FORWARD;
	struct post *post = post_new(what);

	if (post == NULL)
		return false;
	post->hold =
		hold_new(c, needs_answer ? client_cost(body) : 0, needs_answer);
	if (post->hold == NULL) {
		post_free(post);
		return false;
	}
	post->kind = kind;
	post->body = body;
	post_send(&c->worker->relay->upstream->queue, post);
	return true;
}

bool
upstream_publish(struct client *c, enum kind kind, struct ibuf_mbuf *body)
{
	return ask(c, POST_FORWARD, kind, body);
}

bool
upstream_confirm(struct client *c, enum kind kind, const char *name, size_t len)
{
	struct ibuf_mbuf *body = ibuf_mbuf_from(name, len);

	if (body != NULL && ask(c, POST_CONFIRM, kind, body))
		return true;
	ibuf_mbuf_free(body);
	return false;
}
