/*
 * multi.c - what a client queues between MULTI and EXEC.
 */
#include "multi.h"
#include "client.h"
#include <stdlib.h>

bool
multi_begin(struct client *c)
{
	c->multi = calloc(1, sizeof(*c->multi));
	if (c->multi == NULL)
		return false;
	c->multi->end = &c->multi->first;
	return true;
}

bool
multi_add(struct client *c, const struct ibuf_mbuf *source,
	  const struct resp_arg *args, size_t argc)
{
	size_t from = args[0].bulk;
	size_t limit = settings_output_limit(&c->worker->relay->settings);
	struct queued *q = malloc(sizeof(*q) + argc * sizeof(*args));

	if (q == NULL || c->multi->bytes > limit) {
		free(q);
		return false;
	}
	q->next = NULL;
	q->argc = argc;
	q->m = ibuf_mbuf_slice(source, from,
			       args[argc - 1].at + args[argc - 1].len + 2 -
				       from);
	if (q->m == NULL) {
		free(q);
		return false;
	}
	for (size_t i = 0; i < argc; i++)
		q->args[i] = (struct resp_arg){args[i].bulk - from,
					       args[i].at - from, args[i].len};
	*c->multi->end = q;
	c->multi->end = &q->next;
	c->multi->count++;
	c->multi->bytes += ibuf_mbuf_len(q->m) + sizeof(*q);
	return true;
}

void
multi_free(struct client *c)
{
	struct queued *q, *next;

	if (c->multi == NULL)
		return;
	for (q = c->multi->first; q != NULL; q = next) {
		next = q->next;
		ibuf_mbuf_free(q->m);
		free(q);
	}
	free(c->multi);
	c->multi = NULL;
}
