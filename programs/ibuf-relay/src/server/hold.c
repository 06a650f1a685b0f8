/*
 * hold.c - answers that the upstream must give first.
 */
#include "hold.h"
#include "../base/log.h"
#include "client.h"
#include <stdlib.h>
#include <utlist.h>

struct hold *
hold_new(struct client *c, size_t request_bytes, bool needs_answer)
{
	struct hold *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->place = output_add_place(&c->output);
	if (h->place == NULL) {
		free(h);
		return NULL;
	}
	h->client = c;
	h->worker = c->worker;
	h->request_bytes = request_bytes;
	h->needs_answer = needs_answer;
	c->asked_bytes += request_bytes;
	DL_PREPEND(c->holds, h);
	return h;
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
	if (h->needs_answer && answer == NULL) {
		/* Without it the next answer would be taken for this one. */
		log_warning("out of memory: client %llu is closed",
			    (unsigned long long)c->card.id);
		client_doom(c);
	}
	DL_DELETE(c->holds, h);
	c->asked_bytes -= h->request_bytes;
	output_fill(&c->output, h->place, answer);
	client_touch(c);
	free(h);
}

void
hold_forget(struct client *c)
{
	struct hold *h, *next;

	DL_FOREACH_SAFE(c->holds, h, next)
	{
		h->client = NULL;
		frame_put(h->place);
	}
	c->holds = NULL;
}
