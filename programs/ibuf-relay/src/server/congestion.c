/*
 * congestion.c - publishers wait.
 *
 * No wake-up is lost.  A subscriber that has drained is unmarked first, then
 * each worker is told to resume; a publisher is put among the held by the
 * very thread that hears this.  So if it saw the mark, the word comes after
 * it was put there.  The same holds for the bytes of a queue.
 */
#include "congestion.h"
#include "client.h"

static void
mark(struct client *c, bool is_full)
{
	struct membership *m;

	for (unsigned kind = 0; kind < KINDS; kind++)
		for (m = c->sub.mine[kind]; m != NULL; m = m->hh.next)
			topic_mark(&c->worker->fanout.topics, m, is_full);
}

void
congestion_begin(struct client *c)
{
	if (c->is_full)
		return;
	c->is_full = true;
	mark(c, true);
}

void
congestion_end(struct client *c)
{
	c->is_full = false;
	mark(c, false);
}

/* Has one of the threads that would be sent to too much to do already? */
static bool
is_queue_full(const struct worker *w, uint64_t workers)
{
	const struct relay *r = w->relay;

	if (r->upstream_queue != NULL)
		return post_queue_is_full(r->upstream_queue);
	workers &= ~(UINT64_C(1) << w->index);
	for (unsigned i = 0; workers != 0; i++, workers >>= 1)
		if ((workers & 1) != 0 &&
		    post_queue_is_full(&r->workers[i]->queue))
			return true;
	return false;
}

bool
congestion_holds(struct client *c, enum kind kind, const char *name, size_t len,
		 uint64_t workers)
{
	struct worker *w = c->worker;

	if (w->starved_since_ns == 0 && !is_queue_full(w, workers) &&
	    (settings_slow(&w->relay->settings) != SLOW_BLOCK ||
	     !directory_is_full(w->relay->directory, kind, name, len)))
		return false;
	if (!atomic_exchange(&c->card.is_held, true)) {
		count(&w->counters.waits, 1);
		atomic_fetch_add(&w->relay->held, 1);
	}
	c->unread |= UNREAD_HELD;
	c->next_held = NULL;
	*w->held_end = c;
	w->held_end = &c->next_held;
	return true;
}

void
congestion_release(struct client *c)
{
	atomic_store(&c->card.is_held, false);
	atomic_fetch_sub(&c->worker->relay->held, 1);
}

struct client *
congestion_next(struct client **list)
{
	struct client *c = *list;

	if (c == NULL)
		return NULL;
	*list = c->next_held;
	client_clear(c, UNREAD_HELD);
	return c;
}

void
congestion_forget(struct client *c)
{
	struct worker *w = c->worker;
	struct client **at = &w->held;

	while (*at != c)
		at = &(*at)->next_held;
	*at = c->next_held;
	if (w->held_end == &c->next_held)
		w->held_end = at;
	congestion_release(c);
}
