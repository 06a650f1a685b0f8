/*
 * publish.c - from a PUBLISH to the workers whose clients get it.
 */
#include "publish.h"
#include "congestion.h"
#include "worker.h"
#include <stdlib.h>

/* false: no memory. */
static bool
post_to(struct worker *to, enum kind kind, const struct ibuf_mbuf *body)
{
	struct post *post = post_new(POST_PUBLISH);

	if (post == NULL)
		return false;
	post->kind = kind;
	post->body = ibuf_mbuf_clone(body);
	if (post->body == NULL) {
		post_free(post);
		return false;
	}
	congestion_posted(to, post);
	post_send(&to->queue, post);
	return true;
}

size_t
publish(struct client *c, enum kind kind, const char *name, size_t len,
	struct ibuf_mbuf *body)
{
	struct worker *w = c->worker;
	struct relay *r = w->relay;
	uint64_t workers;
	size_t n = directory_receivers(r->directory, kind, name, len, &workers);

	count(&w->counters.published, 1);
	for (unsigned i = 0; i < r->options.threads; i++)
		if (i != w->index && (workers >> i & 1) != 0 &&
		    !post_to(r->workers[i], kind, body))
			count(&w->counters.dropped, 1);
	if (workers >> w->index & 1)
		fanout_deliver(&w->fanout, kind, name, len, body);
	if (client_subscriptions(c) > 0)
		fanout_finish(&w->fanout);
	return n;
}
