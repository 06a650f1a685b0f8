/*
 * topic.c - who of one worker's clients has subscribed to what.
 */
#include "topic.h"
#include <stdlib.h>
#include <string.h>

struct topic *
topic_find(struct topics *t, enum kind kind, const char *name, size_t len)
{
	struct topic *topic;

	HASH_FIND(hh, t->by_name[kind], name, len, topic);
	return topic;
}

struct membership *
topic_membership(struct topics *t, enum kind kind, const char *name, size_t len,
		 const struct subscriber *s)
{
	struct topic *topic = topic_find(t, kind, name, len);
	struct membership *m = NULL;

	if (topic != NULL)
		HASH_FIND_PTR(s->mine[kind], &topic, m);
	return m;
}

static void
release(struct topics *t, struct topic *topic)
{
	HASH_DEL(t->by_name[topic->kind], topic);
	ibuf_mbuf_free(topic->heads[0]);
	ibuf_mbuf_free(topic->heads[1]);
	free(topic->members);
	free(topic->name);
	free(topic);
}

static struct topic *
make(struct topics *t, enum kind kind, const char *name, size_t len)
{
	struct topic *topic = calloc(1, sizeof(*topic));
	char *copy = malloc(len + 1);

	if (topic == NULL || copy == NULL)
		goto fail;
	memcpy(copy, name, len);
	topic->kind = kind;
	topic->name = copy;
	topic->len = len;
	HASH_ADD_KEYPTR(hh, t->by_name[kind], copy, len, topic);
	if (topic->hh.tbl == NULL)
		goto fail;
	return topic;
fail:
	free(copy);
	free(topic);
	return NULL;
}

static bool
make_room(struct topic *topic)
{
	size_t room = topic->room == 0 ? 1 : 2 * topic->room;
	struct membership **members;

	if (topic->count < topic->room)
		return true;
	members = realloc(topic->members, room * sizeof(struct membership *));
	if (members == NULL)
		return false;
	topic->members = members;
	topic->room = room;
	return true;
}

enum topic_result
topic_join(struct topics *t, enum kind kind, const char *name, size_t len,
	   struct subscriber *s)
{
	struct topic *topic = topic_find(t, kind, name, len);
	struct membership *m = NULL;

	if (topic == NULL)
		topic = make(t, kind, name, len);
	else
		HASH_FIND_PTR(s->mine[kind], &topic, m);
	if (topic == NULL)
		return TOPIC_NOMEM;
	if (m != NULL)
		return TOPIC_ALREADY;
	m = calloc(1, sizeof(*m));
	if (m == NULL || !make_room(topic))
		goto fail;
	m->topic = topic;
	m->subscriber = s;
	m->index = topic->count;
	HASH_ADD_PTR(s->mine[kind], topic, m);
	if (m->hh.tbl == NULL)
		goto fail;
	if (!directory_add(t->directory, kind, name, len, t->worker)) {
		HASH_DEL(s->mine[kind], m);
		goto fail;
	}
	topic->members[topic->count++] = m;
	return TOPIC_DONE;
fail:
	free(m);
	if (topic->count == 0)
		release(t, topic);
	return TOPIC_NOMEM;
}

void
topic_mark(struct topics *t, struct membership *m, bool is_full)
{
	const struct topic *topic = m->topic;

	if (m->is_full == is_full)
		return;
	m->is_full = is_full;
	t->is_eased |= directory_mark(t->directory, topic->kind, topic->name,
				      topic->len, is_full);
}

void
topic_leave(struct topics *t, struct membership *m)
{
	struct topic *topic = m->topic;
	struct membership *last = topic->members[--topic->count];

	topic_mark(t, m, false);
	/* The last takes its place. */
	topic->members[m->index] = last;
	last->index = m->index;
	HASH_DEL(m->subscriber->mine[topic->kind], m);
	directory_remove(t->directory, topic->kind, topic->name, topic->len,
			 t->worker);
	free(m);
	if (topic->count == 0)
		release(t, topic);
}
