/*
 * stretch.c - what of a client's output lies in a pipe as well.
 */
#include "stretch.h"
#include "../fanout/pipes.h"
#include "client.h"
#include "worker.h"
#include <stdlib.h>
#include <sys/socket.h>

/*
 * A socket of the Unix domain holds 208 KiB unless it is told otherwise, and
 * each part that it takes costs a tee() of all.  What it holds more are pages
 * that it shares.  TCP sees to that itself, which setting it would end.
 */
static void
widen(struct client *c)
{
	int domain = AF_UNSPEC, bytes = PIPES_MOST_BYTES;
	socklen_t len = sizeof(domain);

	if (c->is_wide)
		return;
	c->is_wide = true;
	getsockopt(c->card.fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	/* The system may have a lower limit, which it takes then. */
	if (domain == AF_UNIX)
		setsockopt(c->card.fd, SOL_SOCKET, SO_SNDBUF, &bytes,
			   sizeof(bytes));
}

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
	widen(c);
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
		pipes_release(&c->worker->fanout.pipes, s->load);
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
