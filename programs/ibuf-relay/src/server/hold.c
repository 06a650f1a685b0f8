/*
 * hold.c - answers that the upstream must give first.
 */
#include "hold.h"
#include "../base/log.h"
#include "client.h"
#include <stdlib.h>

struct hold *
hold_new(struct client *c, size_t request_bytes, bool needs_answer)
{
	struct hold *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	client_end_reply(c);
	h->client = c;
	h->worker = c->worker;
	h->request_bytes = request_bytes;
	h->needs_answer = needs_answer;
	c->asked_bytes += request_bytes;
	if (c->last_hold != NULL)
		c->last_hold->next = h;
	else
		c->holds = h;
	c->last_hold = h;
	return h;
}

struct ibuf_mbuf **
hold_tail(struct client *c)
{
	return c->last_hold != NULL ? &c->last_hold->behind : &c->out;
}

static void
release(struct client *c, struct hold *h)
{
	c->holds = h->next;
	if (c->holds == NULL)
		c->last_hold = NULL;
	c->asked_bytes -= h->request_bytes;
	c->behind_cost -= client_cost(h->behind);
	if (h->answer != NULL)
		client_link(c, &c->out, h->answer);
	if (h->behind != NULL)
		client_link(c, &c->out, h->behind);
	free(h);
}

void
hold_fill(struct hold *h, struct ibuf_mbuf *answer)
{
	struct client *c = h->client;

	if (c == NULL) {
		ibuf_mbuf_free(answer);
		free(h);
		return;
	}
	h->answer = answer;
	h->is_filled = true;
	if (h->needs_answer && answer == NULL) {
		/* Without it the next answer would be taken for this one. */
		log_line("out of memory: client %llu is closed",
			 (unsigned long long)c->card.id);
		client_doom(c);
	}
	client_end_reply(c);
	while (c->holds != NULL && c->holds->is_filled)
		release(c, c->holds);
	client_touch(c);
}

void
hold_forget(struct client *c)
{
	while (c->holds != NULL) {
		struct hold *h = c->holds;

		c->holds = h->next;
		ibuf_mbuf_free(h->behind);
		h->behind = NULL;
		h->client = NULL;
		if (h->is_filled) {
			ibuf_mbuf_free(h->answer);
			free(h);
		}
	}
	c->last_hold = NULL;
}
