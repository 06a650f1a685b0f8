/*
 * scarcity.c - what a worker does about memory.
 */
#include "scarcity.h"
#include "../base/log.h"
#include "../base/memory.h"
#include "../base/room.h"
#include "client.h"
#include <malloc.h>

/* At first; and when it may be that the last one is not gone yet. */
#define PATIENCE_NS UINT64_C(1000000000)
#define LEAST_PATIENCE_NS (2 * SCARCITY_TURN_MS * UINT64_C(1000000))

/* How often it is looked for what is not needed, while there is much. */
#define TIDY_NS UINT64_C(1000000000)
enum { MUCH_BYTES = 8 << 20, UNUSED_BYTES = 4 << 20 };

void
scarcity_begin(struct worker *w)
{
	if (w->starved_since_ns != 0)
		return;
	w->starved_since_ns = w->now_ns;
	w->evicts = 0;
	if (w->now_ns - w->eased_ns > PATIENCE_NS)
		w->patience_ns = PATIENCE_NS;
	relay_say_all(w->relay, WORD_FLUSH);
}

size_t
scarcity_evict(struct relay *relay, size_t bytes)
{
	struct registry *r = &relay->registry;
	struct card *card, *most = NULL;
	size_t held, most_held = bytes;
	bool is_dying = false;

	pthread_mutex_lock(&r->lock);
	for (card = r->first; card != NULL; card = card->next) {
		if (atomic_load(&card->is_killed)) {
			is_dying = true;
			continue;
		}
		held = atomic_load_explicit(&card->input,
					    memory_order_relaxed) +
		       atomic_load_explicit(&card->output,
					    memory_order_relaxed);
		if (held > most_held) {
			most = card;
			most_held = held;
		}
	}
	/* What those hold who are about to go may be enough. */
	if (is_dying && bytes == 0)
		most = NULL;
	if (most != NULL) {
		atomic_store(&most->is_killed, true);
		log_warning("out of memory: client %llu at %s is closed, it "
			    "holds %zu bytes",
			    (unsigned long long)most->id, most->addr,
			    most_held);
		post_say(&most->worker->queue, WORD_KILL);
	}
	pthread_mutex_unlock(&r->lock);
	return most != NULL ? most_held : 0;
}

static void
trim(struct relay *r)
{
	ibuf_pool_trim(r->rooms);
	ibuf_pool_trim(r->replies);
	post_trim();
}

/* Patience is over. */
static void
evict(struct worker *w)
{
	w->evicts = w->evicts == 0 ? 1 : 2 * w->evicts;
	/* Those that hold little are not the trouble. */
	for (size_t i = 0, held = 0; i < w->evicts; i++) {
		held = scarcity_evict(w->relay, held / 4);
		if (held == 0)
			break;
		count(&w->counters.evicted, 1);
	}
	if (w->patience_ns > LEAST_PATIENCE_NS)
		w->patience_ns /= 2;
}

void
scarcity_turn(struct worker *w)
{
	if (memory_is_short(0))
		trim(w->relay);
	if (w->room == NULL && !memory_is_short(MEMORY_SLACK_BYTES))
		w->room = room_new(w->relay->rooms);
	if (w->room == NULL || memory_is_short(MEMORY_SLACK_BYTES)) {
		if (w->now_ns - w->starved_since_ns < w->patience_ns)
			return;
		evict(w);
		w->starved_since_ns = w->now_ns;
		relay_say_all(w->relay, WORD_FLUSH);
		return;
	}
	if (w->evicts == 0)
		w->patience_ns = PATIENCE_NS;
	w->starved_since_ns = 0;
	w->eased_ns = w->now_ns;
	w->must_resume = true;
	for (struct client *c = w->clients; c != NULL; c = c->next) {
		if (c->unread & UNREAD_STARVED) {
			client_clear(c, UNREAD_STARVED);
			client_watch(c);
		}
		if (c->unread & UNREAD_PAUSED)
			client_touch(c);
	}
}

/*
 * Requests that are not whole yet and small keep the rooms that they were
 * read into; a copy does not.
 */
static void
shrink(struct client *c)
{
	struct ibuf_mbuf *copy;
	size_t n = c->in != NULL ? ibuf_mbuf_len(c->in) : 0;

	if (n == 0 || n > SCARCITY_LITTLE_BYTES || (c->unread & UNREAD_HELD))
		return;
	copy = ibuf_mbuf_new(n);
	if (copy == NULL || ibuf_mbuf_append_range(copy, c->in, 0, n) != 0) {
		ibuf_mbuf_free(copy);
		return;
	}
	ibuf_mbuf_free(c->in);
	c->in = copy;
}

void
scarcity_flush(struct worker *w)
{
	for (struct client *c = w->clients; c != NULL; c = c->next)
		shrink(c);
	fanout_flush(&w->fanout);
	if (w->starved_since_ns == 0) {
		ibuf_mbuf_free(w->room);
		w->room = NULL;
	}
	ibuf_pool_flush(w->relay->rooms);
	ibuf_pool_flush(w->relay->replies);
	post_flush();
	memory_settle();
}

/* What is mapped for rooms, headers and posts, and nothing lies there. */
static size_t
unused(struct relay *r)
{
	enum { HEADER_BYTES = 96 };
	struct ibuf_pool_stats s;
	size_t used;

	ibuf_pool_get_stats(r->rooms, &s, sizeof(s));
	used = s.allocated * (size_t)ROOM_BYTES + s.handles * HEADER_BYTES;
	ibuf_pool_get_stats(r->replies, &s, sizeof(s));
	used += s.allocated * (size_t)RELAY_REPLY_BYTES +
		s.handles * HEADER_BYTES;
	used += memory_taken(MEMORY_QUEUES) + memory_taken(MEMORY_CLIENTS);
	return memory_taken_in_all() > used ? memory_taken_in_all() - used : 0;
}

int
scarcity_tidy(struct worker *w)
{
	memory_settle();
	if (memory_taken_in_all() <= MUCH_BYTES && w->tidy_ns == 0)
		return -1;
	if (w->now_ns < w->tidy_ns)
		return (int)((w->tidy_ns - w->now_ns) / 1000000) + 1;
	if (w->tidy_ns != 0 && unused(w->relay) > UNUSED_BYTES) {
		/* What the others give back now is for the next time. */
		relay_say_all(w->relay, WORD_FLUSH);
		trim(w->relay);
		malloc_trim(0);
	}
	w->tidy_ns = 0;
	if (memory_taken_in_all() > MUCH_BYTES)
		w->tidy_ns = w->now_ns + TIDY_NS;
	return w->tidy_ns != 0 ? (int)(TIDY_NS / 1000000) : -1;
}
