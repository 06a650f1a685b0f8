/*
 * forward.c - what the relay's clients publish, on its way upstream.
 */
#include "forward.h"
#include "../fanout/fanout.h"
#include "../server/worker.h"
#include "slots.h"
#include "upstream.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* How often one message may be sent on to another node. */
enum { HOPS_MAX = 5 };

static const char before_publish[] = "*3\r\n$7\r\nPUBLISH\r\n";
static const char before_spublish[] = "*3\r\n$8\r\nSPUBLISH\r\n";

static const char not_known[] = "the upstream was lost before it answered: "
				"published or not, that is not known";

bool
forward_init(struct upstream *u)
{
	u->before[0] = ibuf_mbuf_from(before_publish, strlen(before_publish));
	u->before[1] = ibuf_mbuf_from(before_spublish, strlen(before_spublish));
	return u->before[0] != NULL && u->before[1] != NULL;
}

void
forward_destroy(struct upstream *u)
{
	ibuf_mbuf_free(u->before[0]);
	ibuf_mbuf_free(u->before[1]);
}

static void
refuse(struct upstream *u, struct post *post, const char *words)
{
	struct ibuf_mbuf *m = ibuf_pool_alloc(u->relay->replies);

	if (m != NULL && ibuf_mbuf_printf(m, "-ERR %s\r\n", words) != 0) {
		ibuf_mbuf_free(m);
		m = NULL;
	}
	count(&u->counts.errors, 1);
	upstream_answer(u, post, m);
}

static struct link *
link_of(struct upstream *u, const struct post *post)
{
	struct fanout_name name;
	struct link *l;

	if (post->kind != KIND_SHARD)
		return u->main;
	if (!fanout_name(post->body, &name))
		return NULL;
	l = slots_link(u, post->kind, name.bytes, name.len);
	fanout_name_free(&name);
	return l;
}

static void
wait_at(struct upstream *u, struct post_list *list, struct post *post)
{
	post_list_add(list, post);
	count(&u->counts.waiting, 1);
	count(&u->counts.waiting_bytes, ibuf_mbuf_len(post->body));
}

static struct post *
wait_no_more(struct upstream *u, struct post_list *list)
{
	struct post *post = post_list_take(list);

	if (post != NULL) {
		uncount(&u->counts.waiting, 1);
		uncount(&u->counts.waiting_bytes, ibuf_mbuf_len(post->body));
	}
	return post;
}

/* false: it is still the caller's, and the link is lost. */
static bool
say(struct upstream *u, struct link *l, struct post *post)
{
	struct ibuf_mbuf *m =
		ibuf_mbuf_clone(u->before[post->kind == KIND_SHARD]);
	struct ibuf_mbuf *tail = ibuf_mbuf_clone(post->body);
	struct due due = {.what = DUE_PUBLISH, .post = post};

	if (m == NULL || tail == NULL || ibuf_mbuf_concat(m, tail) != 0) {
		ibuf_mbuf_free(tail);
		ibuf_mbuf_free(m);
		m = NULL;
	}
	if (!link_say(l, m, due))
		return false;
	count(&u->counts.in_flight, 1);
	return true;
}

static bool
is_hopeless(struct upstream *u, const struct link *l)
{
	if (l != NULL)
		return link_is_hopeless(l);
	return link_is_hopeless(u->main) ||
	       (u->main->state == LINK_READY && u->slots.is_known);
}

void
forward_take(struct upstream *u, struct post *post)
{
	struct link *l = link_of(u, post);
	struct post_list *list = &u->lost;
	size_t len = ibuf_mbuf_len(post->body);

	/* Until we know what the upstream is, everything is for the main. */
	if (l != NULL)
		list = &l->waiting;
	else if (u->slots.mode == MODE_UNKNOWN)
		list = &u->main->waiting;
	if (l != NULL)
		link_want(l);
	if (l != NULL && l->state == LINK_READY && l->waiting.first == NULL &&
	    say(u, l, post))
		return;
	if (is_hopeless(u, l) || u->is_stopping)
		refuse(u, post, "the upstream is not connected: not published");
	else if (atomic_load(&u->counts.waiting_bytes) + len >
		 FORWARD_WAITING_MAX_BYTES)
		refuse(u, post,
		       "too much waits for the upstream already: not "
		       "published");
	else
		wait_at(u, list, post);
}

void
forward_heard(struct upstream *u, struct link *l, struct post *post)
{
	const struct answer_item *item = &l->parser.items[0];
	char error[URL_HOST_BYTES + 64];

	uncount(&u->counts.in_flight, 1);
	if (item->type == '-') {
		answer_text(item, l->in, error, sizeof(error));
		if (post->kind == KIND_SHARD && post->hops++ < HOPS_MAX &&
		    slots_moved(u, l, error)) {
			forward_take(u, post);
			return;
		}
		count(&u->counts.errors, 1);
		upstream_failed(u, error);
	} else if (item->type == ':') {
		count(&u->counts.published, 1);
	} else {
		link_lose(l, "PUBLISH is not answered by a number");
		refuse(u, post, not_known);
		return;
	}
	upstream_answer(u, post,
			ibuf_mbuf_slice(l->in, item->bulk,
					item->at + item->len + 2 - item->bulk));
}

void
forward_lost(struct upstream *u, struct link *l, const struct due *due)
{
	uncount(&u->counts.in_flight, 1);
	if (due->end > l->sent)
		wait_at(u, &u->lost, due->post);
	else
		refuse(u, due->post, not_known);
}

/* Put a list behind another. */
static void
append(struct post_list *to, struct post_list *from)
{
	struct post *post;

	while ((post = post_list_take(from)) != NULL)
		post_list_add(to, post);
}

/*
 * All that waits goes through one list, which keeps the order of each
 * channel: what came back from a lost link was there before what waits at it.
 */
void
forward_resume(struct upstream *u)
{
	struct post_list all = u->lost;
	struct post *post;

	u->lost = (struct post_list){NULL, NULL};
	for (struct link *l = u->links; l != NULL; l = l->next)
		append(&all, &l->waiting);
	while ((post = wait_no_more(u, &all)) != NULL)
		forward_take(u, post);
}

/*
 * Those that cannot be sent soon are refused by forward_take(); the others
 * wait again.
 */
void
forward_give_up(struct upstream *u, bool all)
{
	bool is_any = all || is_hopeless(u, NULL);

	for (struct link *l = u->links; l != NULL && !is_any; l = l->next)
		is_any = l->waiting.first != NULL && link_is_hopeless(l);
	if (is_any && atomic_load(&u->counts.waiting) > 0)
		forward_resume(u);
}
