/*
 * congestion.c - --slow=block: publishers wait for slow subscribers.
 *
 * No wake-up is lost.  A subscriber that has drained is unmarked first, then
 * each worker's must_resume is set; a publisher is put among the held by the
 * very thread that takes must_resume.  So if it saw the mark, the flag comes
 * after it was put there.  The same holds for the bytes of a queue.
 */
#include "congestion.h"
#include "worker.h"

/* A small message takes more than its bytes: a post, windows. */
enum { POST_COST_BYTES = 256 };

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

/* Has one of the workers that would be sent to too much to do already? */
static bool
is_queue_full(struct worker *w, enum kind kind, const char *name, size_t len)
{
	struct relay *r = w->relay;
	size_t limit = settings_output_limit(&r->settings);
	uint64_t full = 0, workers;

	for (unsigned i = 0; i < r->options.threads; i++)
		if (i != w->index &&
		    atomic_load(&r->workers[i]->posted_bytes) > limit)
			full |= UINT64_C(1) << i;
	if (full == 0)
		return false;
	directory_receivers(r->directory, kind, name, len, &workers);
	return (workers & full) != 0;
}

bool
congestion_holds(struct client *c, enum kind kind, const char *name, size_t len)
{
	struct worker *w = c->worker;

	if (settings_slow(&w->relay->settings) != SLOW_BLOCK ||
	    (!directory_is_full(w->relay->directory, kind, name, len) &&
	     !is_queue_full(w, kind, name, len)))
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

/* Its request was executed, or never will be. */
static void
release(struct client *c)
{
	atomic_store(&c->card.is_held, false);
	atomic_fetch_sub(&c->worker->relay->held, 1);
}

void
congestion_resume(struct worker *w)
{
	struct client *c = w->held, *next;

	w->held = NULL;
	w->held_end = &w->held;
	for (; c != NULL; c = next) {
		next = c->next_held;
		client_clear(c, UNREAD_HELD);
		if (!c->is_doomed)
			w->relay->execute(c);
		if (c->unread & UNREAD_HELD)
			continue;
		release(c);
		client_execute(c);
	}
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
	release(c);
}

void
congestion_ease(struct relay *r)
{
	for (unsigned i = 0; i < r->options.threads; i++) {
		atomic_store(&r->workers[i]->must_resume, true);
		post_queue_wake(&r->workers[i]->queue);
	}
}

void
congestion_posted(struct worker *to, struct post *post)
{
	if (settings_slow(&to->relay->settings) != SLOW_BLOCK)
		return;
	post->bytes = ibuf_mbuf_len(post->body) + POST_COST_BYTES;
	atomic_fetch_add(&to->posted_bytes, post->bytes);
}

void
congestion_taken(struct worker *w, const struct post *post)
{
	size_t half = settings_output_limit(&w->relay->settings) / 2, before;

	if (post->bytes == 0)
		return;
	before = atomic_fetch_sub(&w->posted_bytes, post->bytes);
	if (before > half && before - post->bytes <= half)
		congestion_ease(w->relay);
}
