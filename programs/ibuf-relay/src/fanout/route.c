/*
 * route.c - who gets what is published to a channel.
 */
#include "route.h"
#include "../protocol/glob.h"
#include "directory.h"
#include <stdlib.h>
#include <string.h>

/* Routes that are kept, and the longest name of such. */
enum { KEPT = 256, KEPT_NAME_BYTES = 256 };

static void
release(struct route *route)
{
	if (route != NULL)
		free(route->topics);
	free(route);
}

void
routes_flush(struct routes *r)
{
	struct route *route, *next;

	for (unsigned kind = 0; kind < KINDS; kind++) {
		HASH_ITER (hh, r->by_name[kind], route, next) {
			HASH_DEL(r->by_name[kind], route);
			release(route);
		}
	}
	release(r->single);
	r->single = NULL;
	r->last = NULL;
}

static bool
add_topic(struct route *route, struct topic *topic)
{
	if (route->count == route->room) {
		size_t room = route->room == 0 ? 4 : 2 * route->room;
		struct topic **topics =
			realloc(route->topics, room * sizeof(struct topic *));

		if (topics == NULL)
			return false;
		route->topics = topics;
		route->room = room;
	}
	route->topics[route->count++] = topic;
	route->members += topic->count;
	return true;
}

static bool
find_topics(struct routes *r, struct route *route)
{
	struct topic *topic =
		topic_find(r->topics, route->kind, route->name, route->len);

	if (topic != NULL && !add_topic(route, topic))
		return false;
	if (route->kind != KIND_CHANNEL || route->is_only)
		return true;
	topic = r->topics->by_name[KIND_PATTERN];
	for (; topic != NULL; topic = topic->hh.next)
		if (glob_matches(topic->name, topic->len, route->name,
				 route->len) &&
		    !add_topic(route, topic))
			return false;
	return true;
}

void
route_stamp(struct routes *r, struct route *route)
{
	const uint64_t stamp = ++r->stamp;

	for (size_t i = 0; i < route->count; i++) {
		const struct topic *topic = route->topics[i];

		for (size_t j = 0; j < topic->count; j++) {
			struct subscriber *s = topic->members[j]->subscriber;

			if (s->stamp != stamp)
				s->topics = 0;
			else
				route->is_mixed = true;
			s->stamp = stamp;
			s->topics |= UINT64_C(1) << i;
		}
	}
	route->stamp = stamp;
}

/* false: there are too many. */
static bool
add_to_class(struct route *route, uint64_t topics, unsigned resp)
{
	size_t i;

	for (i = 0; i < route->classes_count; i++)
		if (route->classes[i].topics == topics &&
		    route->classes[i].resp == resp)
			break;
	if (i == ROUTE_CLASSES)
		return false;
	if (i == route->classes_count)
		route->classes[route->classes_count++] =
			(struct class){topics, resp, 0};
	route->classes[i].members++;
	return true;
}

static void
find_classes(struct routes *r, struct route *route)
{
	route->is_wide = route->count > ROUTE_TOPICS;
	if (route->count > 1 && !route->is_wide)
		route_stamp(r, route);
	for (size_t i = 0; i < route->count && !route->is_wide; i++) {
		const struct topic *topic = route->topics[i];

		for (size_t j = 0; j < topic->count; j++) {
			const struct subscriber *s =
				topic->members[j]->subscriber;
			uint64_t own = UINT64_C(1) << i;
			uint64_t topics = route->is_mixed ? s->topics : own;

			/* It is counted where it is met first. */
			if ((topics & (own - 1)) == 0 &&
			    !add_to_class(route, topics, s->resp))
				route->is_wide = true;
		}
	}
}

static bool
work_out(struct routes *r, struct route *route)
{
	struct directory *d = r->topics->directory;
	uint64_t version = directory_version(d);

	route->version = 0;
	route->is_mixed = false;
	route->count = 0;
	route->members = 0;
	route->classes_count = 0;
	if (!route->is_only)
		route->receivers =
			directory_receivers(d, route->kind, route->name,
					    route->len, &route->workers);
	if (!find_topics(r, route))
		return false;
	find_classes(r, route);
	route->version = version;
	return true;
}

static struct route *
make(enum kind kind, const char *name, size_t len, bool is_only)
{
	struct route *route = calloc(1, sizeof(*route) + len + 1);

	if (route == NULL)
		return NULL;
	route->kind = kind;
	route->is_only = is_only;
	route->len = len;
	memcpy(route->name, name, len);
	return route;
}

/* One to work out. */
static struct route *
find(struct routes *r, enum kind kind, const char *name, size_t len,
     bool is_only)
{
	struct route *route = NULL;

	if (is_only || len > KEPT_NAME_BYTES) {
		release(r->single);
		r->single = make(kind, name, len, is_only);
		return r->single;
	}
	HASH_FIND(hh, r->by_name[kind], name, len, route);
	if (route != NULL)
		return route;
	if (HASH_COUNT(r->by_name[kind]) == KEPT)
		routes_flush(r);
	route = make(kind, name, len, is_only);
	if (route == NULL)
		return NULL;
	HASH_ADD_KEYPTR(hh, r->by_name[kind], route->name, len, route);
	if (route->hh.tbl != NULL)
		return route;
	release(route);
	return NULL;
}

bool
route_holds(const struct routes *r, const struct route *route, enum kind kind,
	    const char *name, size_t len, bool is_only)
{
	return route != NULL && route->len == len && route->kind == kind &&
	       route->is_only == is_only &&
	       memcmp(route->name, name, len) == 0 &&
	       route->version == directory_version(r->topics->directory);
}

struct route *
route_find(struct routes *r, enum kind kind, const char *name, size_t len,
	   bool is_only)
{
	struct directory *d = r->topics->directory;
	struct route *route = r->last;

	if (route_holds(r, route, kind, name, len, is_only))
		return route;
	r->last = NULL;
	route = find(r, kind, name, len, is_only);
	if (route == NULL)
		return NULL;
	if (route->version != directory_version(d) && !work_out(r, route))
		return NULL;
	r->last = route;
	return route;
}
