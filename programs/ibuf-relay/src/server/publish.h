/*
 * publish.h - from a PUBLISH to the workers whose clients get it.
 */
#ifndef RELAY_PUBLISH_H
#define RELAY_PUBLISH_H

#include "../base/kind.h"
#include <ibuf/ibuf.h>
#include <stddef.h>

struct client;

/*
 * Publish what a client says: to its worker's own clients at the end of this
 * turn at the latest, to those of other workers by post.  A client that hears
 * it too does so before the answer.  The body is the caller's still.
 *
 * @return how many subscriptions get it; those for whom there is no memory
 *         are counted as dropped
 */
size_t publish(struct client *c, enum kind kind, const char *name, size_t len,
	       struct ibuf_mbuf *body);

#endif
