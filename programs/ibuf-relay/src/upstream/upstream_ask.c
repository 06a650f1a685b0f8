/*
 * upstream_ask.c - what workers ask of the upstream for their clients.
 */
#include "../server/client.h"
#include "../server/hold.h"
#include "../server/worker.h"
#include "upstream.h"
#include <time.h>

/* The bytes of a message, and what it takes to hold them. */
static size_t
cost_of(const struct ibuf_mbuf *m)
{
	enum { HEADER_BYTES = 64 };

	return ibuf_mbuf_len(m) + HEADER_BYTES * ibuf_mbuf_segments(m);
}

void
upstream_await(struct upstream *u)
{
	const struct timespec pause = {.tv_nsec = 100000};

	for (unsigned i = 0; i < 50000 && post_queue_is_full(&u->queue); i++)
		nanosleep(&pause, NULL);
}

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
		hold_new(c, needs_answer ? cost_of(body) : 0, needs_answer);
	if (post->hold == NULL) {
		post_free(post);
		return false;
	}
	post->kind = kind;
	post->body = body;
	if (post_send_wait(&c->worker->relay->upstream->queue, post))
		return true;
	/* It has hung for long: as if there were no memory. */
	hold_fill(post->hold, NULL);
	post->body = NULL;
	post_free(post);
	return false;
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
