/*
 * stretch.c - what of a client's output lies in a pipe as well.
 */
#include "stretch.h"
#include "client.h"
#include "pipes.h"
#include "worker.h"
#include <stdlib.h>

void
stretch_add(struct client *c, struct load *load)
{
	struct stretch *s;

	/* Its place depends on answers that are still to come. */
	if (c->holds != NULL)
		return;
	s = malloc(sizeof(*s));
	if (s == NULL)
		return;
	client_end_reply(c);
	*s = (struct stretch){
		.begin = c->sent + (c->out != NULL ? ibuf_mbuf_len(c->out) : 0),
		.load = load,
		.serial = load->serial,
	};
	load->waiting++;
	if (c->stretches != NULL)
		c->last_stretch->next = s;
	else
		c->stretches = s;
	c->last_stretch = s;
}

static bool
is_loaded(const struct stretch *s)
{
	return s->load->serial == s->serial;
}

static void
drop_first(struct client *c)
{
	struct stretch *s = c->stretches;

	c->stretches = s->next;
	if (is_loaded(s))
		pipes_release(&c->worker->pipes, s->load);
	free(s);
}

const struct stretch *
stretch_first(struct client *c)
{
	struct stretch *s;

	while ((s = c->stretches) != NULL) {
		if (is_loaded(s) && s->begin + s->load->bytes > c->sent)
			break;
		drop_first(c);
	}
	return s;
}

void
stretch_forget(struct client *c)
{
	while (c->stretches != NULL)
		drop_first(c);
}
