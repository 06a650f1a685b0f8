/*
 * publish.h - from a PUBLISH to the workers whose clients get it.
 */
#ifndef RELAY_PUBLISH_H
#define RELAY_PUBLISH_H

#include "../base/kind.h"
#include "../fanout/fanout.h"
#include <ibuf/ibuf.h>
#include <stddef.h>

struct client;

/* What is published: the channel, and the body of n bytes of its source. */
struct publication {
	enum kind kind;
	const char *name;
	size_t len;
	const struct ibuf_mbuf *source;
	size_t off, n;
	bool cannot_wait;
};

enum publish_result {
	PUBLISH_DONE,
	PUBLISH_HELD, /* the client waits, and tries again */
	PUBLISH_NOMEM
};

/*
 * Publish what a client says: to its worker's own clients at the end of this
 * turn at the latest, to those of other workers by post.  A client that hears
 * it too does so before the answer.
 *
 * @param receivers how many subscriptions get it; those for whom there is no
 *        memory are counted as dropped
 */
enum publish_result publish(struct client *c, const struct publication *p,
			    size_t *receivers);

/* Post bodies to another worker. */
fanout_post_fn publish_post;

#endif
