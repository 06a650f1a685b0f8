/*
 * topic.h - who of one worker's clients has subscribed to what.
 *
 *	topics: (kind, name) -> topic -> members (any order) -> subscriber
 *	subscriber: its memberships of each kind, the same objects
 *
 * A subscriber is a part of a client; this folder knows no more of it.
 * Belongs to one worker and is touched by no other thread; the directory,
 * which all share, is told of each change.
 */
#ifndef RELAY_TOPIC_H
#define RELAY_TOPIC_H

#include "../base/kind.h"
#include "../base/table.h"
#include "directory.h"
#include <ibuf/ibuf.h>
#include <stdbool.h>
#include <stddef.h>

struct membership;

struct subscriber {
	struct membership *mine[KINDS];
	unsigned resp;   /* 2 or 3: the version it speaks */
	uint64_t topics; /* bits of the topics of a route; see route.h */
	uint64_t stamp;  /* of which route */
};

/* One subscription to one topic. */
struct membership {
	UT_hash_handle hh; /* in the subscriber, by topic */
	struct topic *topic;
	struct subscriber *subscriber;
	size_t index; /* topic->members[index] is this */
	bool is_full; /* the directory counts it as full */
};

struct topic {
	UT_hash_handle hh; /* in the topics, by name */
	enum kind kind;
	char *name;
	size_t len;
	struct membership **members;
	size_t count, room;
	/* Of a pattern: what goes before a message, for RESP2 and RESP3. */
	struct ibuf_mbuf *heads[2];
};

struct topics {
	struct directory *directory;
	unsigned worker;
	bool is_eased; /* a topic has no full member any more; see congestion.h */
	struct topic *by_name[KINDS];
};

enum topic_result { TOPIC_DONE, TOPIC_ALREADY, TOPIC_NOMEM };

/* On TOPIC_NOMEM nothing has changed. */
enum topic_result topic_join(struct topics *t, enum kind kind, const char *name,
			     size_t len, struct subscriber *s);

/* NULL: nobody has subscribed to it. */
struct topic *topic_find(struct topics *t, enum kind kind, const char *name,
			 size_t len);

/* NULL: it is no member. */
struct membership *topic_membership(struct topics *t, enum kind kind,
				    const char *name, size_t len,
				    const struct subscriber *s);

/* Too much waits for this member, or does not any more. */
void topic_mark(struct topics *t, struct membership *m, bool is_full);

/* The topic is gone too when this was its last member. */
void topic_leave(struct topics *t, struct membership *m);

#endif
