/*
 * want.h - what the relay's clients want from upstream: the mirror of the
 * directory, and how far the upstream has followed.
 *
 *	directory: name appears, name goes --POST_WANT--> want
 *	want --SUBSCRIBE, UNSUBSCRIBE--> link --answer--> want
 *
 * The directory posts under its lock, so the order of the posts is that of
 * its changes.  A want goes when it is not wanted and nothing is due for it.
 * All functions are for the upstream's thread.
 */
#ifndef RELAY_WANT_H
#define RELAY_WANT_H

#include "../base/kind.h"
#include "../base/table.h"
#include "link.h"
#include <stdbool.h>
#include <stddef.h>

struct want {
	UT_hash_handle hh;
	enum kind kind;
	char *name;
	size_t len;
	struct link *link;         /* where it was asked for last */
	unsigned due;              /* answers to come */
	bool is_wanted;            /* by the directory */
	bool is_asked;             /* what was said last was a SUBSCRIBE */
	bool is_held;              /* what was answered last was a SUBSCRIBE */
	struct post_list confirms; /* clients that wait for that answer */
};

/* A name has appeared in the directory, or gone. */
void want_set(struct upstream *u, const struct post *post, bool is_wanted);

/* A client has subscribed: it is told so when the upstream has confirmed, or
   cannot soon.  The post is taken. */
void want_confirm(struct upstream *u, struct post *post);

/* The upstream has answered to a DUE_JOIN or DUE_LEAVE, well or not. */
void want_answered(struct upstream *u, const struct due *due, bool is_good);

/* The upstream has ended the subscription to a shard channel by itself. */
void want_ended(struct upstream *u, const struct link *l, const char *name,
		size_t len);

/* The due is for nothing, since its link is lost. */
void want_lost(struct upstream *u, const struct due *due);

/* A link is lost: nothing is held there. */
void want_link_lost(struct upstream *u, struct link *l);

/* A link came up, or slots have moved: ask for all that is not asked for. */
void want_ask_all(struct upstream *u);

/* Let the clients go that have waited in vain. */
void want_give_up(struct upstream *u, bool all);

void want_free_all(struct upstream *u);

#endif
