/*
 * publish.c - from a PUBLISH to the workers whose clients get it.
 */
#include "publish.h"
#include "client.h"
#include "congestion.h"

bool
publish_post(struct fanout *f, unsigned worker, enum kind kind,
	     struct ibuf_mbuf *bodies)
{
	struct worker *w =
		(void *)((char *)f - offsetof(struct worker, fanout));
	struct post *post = post_new(POST_PUBLISH);

	if (post == NULL) {
		ibuf_mbuf_free(bodies);
		return false;
	}
	post->kind = kind;
	post->body = bodies;
	if (post_send(&w->relay->workers[worker]->queue, post))
		return true;
	post_free(post);
	return false;
}

enum publish_result
publish(struct client *c, const struct publication *p, size_t *receivers)
{
	struct fanout *f = &c->worker->fanout;
	struct route *route = fanout_route(f, p->kind, p->name, p->len);

	if (route == NULL)
		return PUBLISH_NOMEM;
	if (!p->cannot_wait &&
	    congestion_holds(c, p->kind, p->name, p->len, route->workers))
		return PUBLISH_HELD;
	count(&c->worker->counters.published, 1);
	*receivers = route->receivers;
	fanout_publish(f, route, p->source, p->off, p->n);
	if (client_subscriptions(c) > 0)
		fanout_finish(f);
	return PUBLISH_DONE;
}
