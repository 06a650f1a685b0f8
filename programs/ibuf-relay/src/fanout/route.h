/*
 * route.h - who gets what is published to a channel, worked out once.
 *
 *	route: receivers, workers                 from the directory
 *	       topics of this worker that match   the channel, then patterns
 *	       classes of their members           who get the same bytes
 *
 * A message goes to a channel and to each pattern that matches; a client that
 * has several of these hears it once for each.  So two clients hear the same
 * if they have the same of the topics, and speak the same version: a class.
 *
 * A route holds until anybody subscribes or leaves; routes of the latest
 * channels are kept.  Of one worker and its thread.
 */
#ifndef RELAY_ROUTE_H
#define RELAY_ROUTE_H

#include "../base/kind.h"
#include "../base/table.h"
#include "topic.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Topics are bits of a word. */
enum { ROUTE_TOPICS = 64, ROUTE_CLASSES = 64 };

struct class
{
	uint64_t topics; /* bits of route.topics */
	unsigned resp;
	size_t members;
};

struct route {
	UT_hash_handle hh;
	uint64_t version; /* of the directory; 0: not worked out yet */
	enum kind kind;
	bool is_only;     /* the topic of this name alone */
	bool is_mixed;    /* some subscribers have several of the topics */
	bool is_wide;     /* there are too many topics or classes for bits */
	size_t receivers; /* of all workers */
	uint64_t workers; /* that have some */
	size_t members;   /* of this one */
	struct topic **topics;
	size_t count, room;
	struct class classes[ROUTE_CLASSES];
	size_t classes_count;
	uint64_t stamp; /* of its members, when it is mixed */
	size_t len;
	char name[];
};

/* All else zero. */
struct routes {
	struct topics *topics;
	struct route *by_name[KINDS], *last;
	struct route *single; /* one that is not kept */
	uint64_t stamp;
};

/*
 * The route for a name; with is_only, for the members of that one topic.  It
 * is valid until the next call.  NULL: no memory.
 */
struct route *route_find(struct routes *r, enum kind kind, const char *name,
			 size_t len, bool is_only);

/* Is it still what route_find() would tell for this name? */
bool route_holds(const struct routes *r, const struct route *route,
		 enum kind kind, const char *name, size_t len, bool is_only);

/* Let the members of a mixed route know their topics. */
void route_stamp(struct routes *r, struct route *route);

/* Forget all. */
void routes_flush(struct routes *r);

#endif
