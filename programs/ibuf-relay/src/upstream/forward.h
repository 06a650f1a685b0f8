/*
 * forward.h - what the relay's clients publish, on its way upstream.
 *
 *	worker --POST_FORWARD--> waiting --> out, due --> the server
 *	worker <--POST_ANSWER------------------- its answer, or an error
 *
 * A post waits while the link it needs is down, for UPSTREAM_PATIENCE_NS of
 * that; then it is answered with an error, and what comes later at once.
 * What was sent when a link is lost, and not answered, is answered with an
 * error that says so: it is not known whether the server has published it.
 * What was not sent waits again.
 *
 * All functions are for the upstream's thread; a post that is given to one
 * is gone.
 */
#ifndef RELAY_FORWARD_H
#define RELAY_FORWARD_H

#include "../base/post.h"
#include "link.h"
#include <stdbool.h>

/* What all that waits may take. */
enum { FORWARD_WAITING_MAX_BYTES = 32 << 20 };

/* What goes in front of a channel and a payload.  false: no memory. */
bool forward_init(struct upstream *u);
void forward_destroy(struct upstream *u);

/* A client publishes. */
void forward_take(struct upstream *u, struct post *post);

/* The answer to a DUE_PUBLISH is in the link's parser. */
void forward_heard(struct upstream *u, struct link *l, struct post *post);

/* A link is lost on which this was due. */
void forward_lost(struct upstream *u, struct link *l, const struct due *due);

/* A link came up, or slots have moved: send what waited for that. */
void forward_resume(struct upstream *u);

/* Answer what has waited in vain. */
void forward_give_up(struct upstream *u, bool all);

#endif
