/*
 * want.c - what the relay's clients want from upstream.
 */
#include "want.h"
#include "../base/log.h"
#include "forward.h"
#include "slots.h"
#include "upstream.h"
#include <stdlib.h>
#include <string.h>

static const char *const joins[KINDS] = {"SUBSCRIBE", "PSUBSCRIBE",
					 "SSUBSCRIBE"};
static const char *const leaves[KINDS] = {"UNSUBSCRIBE", "PUNSUBSCRIBE",
					  "SUNSUBSCRIBE"};

/* The name in a post, in one piece: we made it so. */
static const char *
name_of(const struct post *post, size_t *len)
{
	*len = ibuf_mbuf_len(post->body);
	return (const char *)ibuf_mbuf_data(post->body);
}

static struct want *
find(struct upstream *u, enum kind kind, const char *name, size_t len)
{
	struct want *w;

	HASH_FIND(hh, u->wants[kind], name, len, w);
	return w;
}

static struct want *
make(struct upstream *u, enum kind kind, const char *name, size_t len)
{
	struct want *w = calloc(1, sizeof(*w));
	char *copy = malloc(len + 1);

	if (w == NULL || copy == NULL)
		goto fail;
	memcpy(copy, name, len);
	w->kind = kind;
	w->name = copy;
	w->len = len;
	HASH_ADD_KEYPTR(hh, u->wants[kind], copy, len, w);
	if (w->hh.tbl == NULL)
		goto fail;
	return w;
fail:
	free(copy);
	free(w);
	return NULL;
}

static void
release(struct upstream *u, struct want *w)
{
	struct post *post;

	while ((post = post_list_take(&w->confirms)) != NULL) {
		u->confirms--;
		upstream_answer(u, post, NULL);
	}
}

static void
hold(struct upstream *u, struct want *w, bool is_held)
{
	if (w->is_held == is_held)
		return;
	w->is_held = is_held;
	if (is_held)
		count(&u->counts.held[w->kind], 1);
	else
		uncount(&u->counts.held[w->kind], 1);
}

/* It may have become one that nobody needs. */
static void
settle(struct upstream *u, struct want *w)
{
	if (w->due > 0)
		return;
	if (w->is_held || !w->is_wanted)
		release(u, w);
	if (w->is_wanted || w->is_asked)
		return;
	hold(u, w, false);
	HASH_DEL(u->wants[w->kind], w);
	free(w->name);
	free(w);
}

static struct ibuf_mbuf *
command(const char *word, const struct want *w)
{
	struct ibuf_mbuf *m = ibuf_mbuf_new(w->len + 64);

	if (m == NULL)
		return NULL;
	if (ibuf_mbuf_printf(m, "*2\r\n$%zu\r\n%s\r\n$%zu\r\n", strlen(word),
			     word, w->len) == 0 &&
	    ibuf_mbuf_append(m, w->name, w->len) == 0 &&
	    ibuf_mbuf_append(m, "\r\n", 2) == 0)
		return m;
	ibuf_mbuf_free(m);
	return NULL;
}

/* Say the next thing there is to say for it, if there is. */
static void
ask(struct upstream *u, struct want *w)
{
	struct link *l = slots_link(u, w->kind, w->name, w->len);
	const char *word = (w->is_wanted ? joins : leaves)[w->kind];
	struct due due = {
		.what = w->is_wanted ? DUE_JOIN : DUE_LEAVE,
		.want = w,
	};

	if (w->is_wanted == w->is_asked)
		return;
	/* What is left is left where it was asked for. */
	if (!w->is_wanted)
		l = w->link;
	if (l == NULL)
		return;
	link_want(l);
	if (l->state != LINK_READY)
		return;
	w->link = l;
	if (!link_say(l, command(word, w), due))
		return;
	w->due++;
	w->is_asked = w->is_wanted;
}

void
want_set(struct upstream *u, const struct post *post, bool is_wanted)
{
	size_t len;
	const char *name = name_of(post, &len);
	struct want *w = find(u, post->kind, name, len);

	if (w == NULL && is_wanted)
		w = make(u, post->kind, name, len);
	if (w == NULL) {
		if (is_wanted)
			log_warning(
				"out of memory: a channel is not subscribed "
				"to upstream");
		return;
	}
	w->is_wanted = is_wanted;
	ask(u, w);
	settle(u, w);
}

static bool
is_hopeless(struct upstream *u, const struct want *w)
{
	const struct link *l = slots_link(u, w->kind, w->name, w->len);

	if (l == NULL)
		l = u->main;
	return link_is_hopeless(l);
}

/* Nothing is to come for it: it is held, or its server has refused it. */
static bool
is_settled(struct upstream *u, const struct want *w)
{
	const struct link *l = slots_link(u, w->kind, w->name, w->len);

	if (w->due > 0)
		return false;
	return w->is_held || (l != NULL && l->state == LINK_READY);
}

void
want_confirm(struct upstream *u, struct post *post)
{
	size_t len;
	const char *name = name_of(post, &len);
	struct want *w = find(u, post->kind, name, len);

	if (w == NULL || is_settled(u, w) || is_hopeless(u, w) ||
	    u->is_stopping) {
		upstream_answer(u, post, NULL);
		return;
	}
	u->confirms++;
	post_list_add(&w->confirms, post);
}

void
want_answered(struct upstream *u, const struct due *due, bool is_good)
{
	struct want *w = due->want;

	w->due--;
	if (is_good) {
		hold(u, w, due->what == DUE_JOIN);
	} else {
		/* Asked for again when the link or its slot has changed. */
		hold(u, w, false);
		if (w->due == 0) {
			w->is_asked = false;
			release(u, w);
		}
	}
	settle(u, w);
}

void
want_ended(struct upstream *u, const struct link *l, const char *name,
	   size_t len)
{
	struct want *w = find(u, KIND_SHARD, name, len);

	if (w == NULL || w->due > 0 || w->link != l)
		return;
	hold(u, w, false);
	w->is_asked = false;
	settle(u, w);
}

void
want_lost(struct upstream *u, const struct due *due)
{
	struct want *w = due->want;

	w->due--;
	w->is_asked = false;
	hold(u, w, false);
	settle(u, w);
}

void
want_link_lost(struct upstream *u, struct link *l)
{
	struct want *w, *next;

	for (unsigned kind = 0; kind < KINDS; kind++) {
		for (w = u->wants[kind]; w != NULL; w = next) {
			/* It may be settled for good. */
			next = w->hh.next;
			if (w->link != l)
				continue;
			hold(u, w, false);
			w->is_asked = false;
			w->link = NULL;
			settle(u, w);
		}
	}
}

/* Its slot is another node's now. */
static void
move(struct upstream *u, struct want *w)
{
	struct link *l = slots_link(u, w->kind, w->name, w->len);

	if (w->link == NULL || w->link == l || l == NULL || w->due > 0)
		return;
	hold(u, w, false);
	w->is_asked = false;
}

void
want_ask_all(struct upstream *u)
{
	struct want *w;

	for (unsigned kind = 0; kind < KINDS; kind++) {
		for (w = u->wants[kind]; w != NULL; w = w->hh.next) {
			if (kind == KIND_SHARD)
				move(u, w);
			ask(u, w);
		}
	}
}

void
want_give_up(struct upstream *u, bool all)
{
	struct want *w;

	for (unsigned kind = 0; kind < KINDS && u->confirms > 0; kind++)
		for (w = u->wants[kind]; w != NULL; w = w->hh.next)
			if (w->confirms.first != NULL &&
			    (all || is_hopeless(u, w)))
				release(u, w);
}

void
want_free_all(struct upstream *u)
{
	struct want *w;

	for (unsigned kind = 0; kind < KINDS; kind++) {
		while ((w = u->wants[kind]) != NULL) {
			release(u, w);
			HASH_DEL(u->wants[kind], w);
			free(w->name);
			free(w);
		}
	}
}
